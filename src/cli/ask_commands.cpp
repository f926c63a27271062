// links and search: what views are asked beside being read.
#include "base/json_text.hpp"
#include "base/try.hpp"
#include "cli/program.hpp"

#include <cstdio>
#include <optional>

namespace sluice::cli {
namespace {

/// One element of a key on the command line: JSON if it is some, else the text itself. "@ann" and
/// 7 need no quotes for JSON, and "7" in them is the text.
Key node_key(const std::string& text) {
    JsonParser parser;
    const Value* const value = parser.parse(text);
    Key key;
    if (value == nullptr || !key.append_json(*value)) return Key(text);
    return key;
}

/// ["@ann"] -> "@ann"
std::string node_json(const Key& key) {
    const std::string json = key.to_json();
    return json.substr(1, json.size() - 2);
}

/// As node_key() reads it back, where that is possible.
std::string node_text(const Key& key) {
    const std::string json = node_json(key);
    JsonParser parser;
    const Value* const value = parser.parse(json);
    const auto text = value == nullptr ? std::nullopt : value->as_string();
    return text && node_key(std::string(*text)) == key ? std::string(*text) : json;
}

struct Links {
    static CommandText text() {
        return {"links",
                "Show what is linked, from either end",
                "Nodes and relations are texts as they are, or JSON. With --depth the links are "
                "walked, the nearest nodes first: each node that is reached, how many links it is "
                "away, and the node before it. --to walks against the direction of the links.",
                {"sluice links db follows --from @ann",
                 "sluice links db replies --to %post1 --relation replies --json",
                 "sluice links db follows --from @ann --depth 3"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("VIEW", view, "Which view of links")->required();
        auto* const from_option =
            app.add_option("--from", from, "Links from this node")->type_name("NODE");
        auto* const to_option = app.add_option("--to", to, "Links to this node")->type_name("NODE");
        app.add_option("--relation", relation, "Only of this relation")->type_name("RELATION");
        app.add_option("--depth", depth, "Walk as many links far")
            ->type_name("N")
            ->check(CLI::Range(1u, 1000u));
        app.add_option("--limit", limit, "Stop after as many links or nodes")->type_name("N");
        app.callback([from_option, to_option] {
            if (from_option->count() + to_option->count() == 0) {
                throw CLI::ValidationError("where to begin is missing: give --from or --to");
            }
        });
    }
    Result<void> run(Session& session) const {
        const bool has_both = !from.empty() && !to.empty();
        if (depth > 0 && has_both) throw UsageError{"--depth walks --from or --to, not both"};
        SLUICE_TRY_ASSIGN(const auto open, database.open_to_read(session));
        return depth > 0 ? walk(session, open->snapshot()) : show(session, open->snapshot());
    }

    static std::optional<Key> optional_key(const std::string& text) {
        return text.empty() ? std::nullopt : std::optional(node_key(text));
    }
    Result<void> show(Session& session, const Snapshot& snapshot) const {
        SLUICE_TRY_ASSIGN(const std::vector<Link> found,
                          snapshot.links(view, {.from = optional_key(from),
                                                .to = optional_key(to),
                                                .relation = optional_key(relation),
                                                .limit = limit}));
        using Align = Table::Align;
        Table table(session.out, {Align::right, Align::left, Align::left, Align::left});
        for (const Link& link : found) {
            if (session.out.json) {
                session.out.line(JsonObject()
                                     .add_json("source", node_json(link.source))
                                     .add_json("relation", node_json(link.relation))
                                     .add_json("target", node_json(link.target))
                                     .add("seq", link.seq));
            } else {
                table.row({std::to_string(link.seq.value), printable(node_text(link.source)),
                           printable(node_text(link.relation)), printable(node_text(link.target))});
            }
        }
        table.finish();
        return {};
    }
    Result<void> walk(Session& session, const Snapshot& snapshot) const {
        WalkQuery query;
        query.start = node_key(from.empty() ? to : from);
        query.direction = from.empty() ? WalkDirection::backward : WalkDirection::forward;
        query.relation = optional_key(relation);
        query.depth_max = depth;
        query.nodes_max = limit;
        SLUICE_TRY_ASSIGN(const Walk walk, snapshot.walk(view, query));
        using Align = Table::Align;
        Table table(session.out, {Align::right, Align::left, Align::left});
        for (const Walk::Step& step : walk.steps) {
            if (session.out.json) {
                session.out.line(JsonObject()
                                     .add_json("node", node_json(step.node))
                                     .add("distance", std::uint64_t{step.distance})
                                     .add_json("via", node_json(step.via)));
            } else {
                table.row({std::to_string(step.distance), printable(node_text(step.node)),
                           "via " + printable(node_text(step.via))});
            }
        }
        table.finish();
        if (!walk.complete) {
            session.note("there is more: --limit ended the walk at " + count_text(limit));
        }
        return {};
    }

    DatabaseArgument database;
    std::string view, from, to, relation;
    std::uint32_t depth = 0;
    std::uint64_t limit = 10000;
};

struct Search {
    static CommandText text() {
        return {"search",
                "Find messages by their words, the best first",
                "A message must have every word. \"Several words\" in quotes stand in a row, and "
                "a star asks for the beginning of a word. What was found is marked with *stars*; "
                "a better match has a higher score.",
                {"sluice search db texts harbour", "sluice search db texts 'stree* \"14 harbour\"'",
                 "sluice search db texts harbour --limit 5 --json"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("VIEW", view, "Which view for searching")->required();
        app.add_option("QUERY", query, "What to look for")->required();
        app.add_option("--limit", limit, "Stop after as many messages")
            ->type_name("N")
            ->check(CLI::Range(1u, 1000000u));
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open_to_read(session));
        const Snapshot snapshot = open->snapshot();
        SLUICE_TRY_ASSIGN(const SearchAnswer answer,
                          snapshot.search(view, {.text = query, .limit = limit}));
        using Align = Table::Align;
        Table table(session.out, {Align::right, Align::right, Align::left});
        for (const SearchHit& hit : answer.hits) {
            if (session.out.json) {
                session.out.line(hit_json(hit));
            } else {
                char score[32];
                std::snprintf(score, sizeof score, "%.2f", hit.score);
                table.row({std::to_string(hit.seq.value), score, printable(marked(hit))});
            }
        }
        table.finish();
        if (answer.total > answer.hits.size()) {
            session.note(count_text(answer.hits.size()) + " of " + messages_text(answer.total) +
                         " shown");
        }
        return {};
    }
    static JsonObject hit_json(const SearchHit& hit) {
        std::string score;
        append_json_number(score, hit.score);
        std::string marks = "[";
        for (const TextRange& mark : hit.marks) {
            if (marks.size() > 1) marks += ',';
            marks += '[' + std::to_string(mark.begin) + ',' + std::to_string(mark.end) + ']';
        }
        return JsonObject()
            .add("seq", hit.seq)
            .add_json("score", score)
            .add("snippet", hit.snippet)
            .add_json("marks", marks + ']');
    }
    static std::string marked(const SearchHit& hit) {
        std::string text;
        std::size_t at = 0;
        for (const TextRange& mark : hit.marks) {
            text += hit.snippet.substr(at, mark.begin - at) + '*' +
                    hit.snippet.substr(mark.begin, mark.end - mark.begin) + '*';
            at = mark.end;
        }
        return text + hit.snippet.substr(at);
    }

    DatabaseArgument database;
    std::string view, query;
    std::uint64_t limit = 20;
};

} // namespace

void add_ask_commands(Program& program) {
    program.begin_group("Views");
    program.add<Links>(program.app());
    program.add<Search>(program.app());
}

} // namespace sluice::cli
