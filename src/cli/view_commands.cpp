// view add, list, show, drop, and read: views and what they answer.
#include "base/try.hpp"
#include "cli/input.hpp"
#include "cli/program.hpp"
#include "cli/progress.hpp"
#include "cli/view_text.hpp"

#include <algorithm>
#include <span>

namespace sluice::cli {
namespace {

std::string example(const std::string& view, const std::string& definition) {
    return "sluice view add db " + view + " --json '" + definition + "'";
}

struct ViewAdd {
    static CommandText text() {
        return {
            "add",
            "Declare a view, and derive it from the log",
            "An index lists messages under typed keys; an aggregate counts, sums, averages, "
            "and finds the least and the greatest of each group; a fold keeps the first, last, "
            "set, list or merge of its values. Links lead from messages and people to others, "
            "and a view for searching finds texts by their words. Places in a message are JSON "
            "Pointers. A name that exists with another definition is built anew beside the "
            "old one, which answers until the new one is ready.",
            {example("by_type", R"({"kind":"index","key":["/type","/time"]})"),
             example("notes", R"({"kind":"index","where":{"/type":"note"},"key":["/text"]})"),
             example("tags", R"({"kind":"index","each":"/tags","key":[""]})"),
             example("per_type",
                     R"({"kind":"aggregate","group":["/type"],"value":{"count":true}})"),
             example("newest",
                     R"({"kind":"fold","group":["/type"],"fold":"last","value":"/text"})"),
             example("replies", R"({"kind":"links","target":"/reply_to","relation":"replies"})"),
             example("texts", R"({"kind":"search","text":["/text"],"language":"english"})"),
             example("by_day", R"({"kind":"index","key":["/time"]})") + " --app calendar"},
            true};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("NAME", name, "What the view is called")->required();
        auto* const json_option = app.add_option("--json", json, "Its definition")
                                      ->type_name("DEFINITION")
                                      ->check(is_json());
        auto* const file_option = app.add_option("--file", file, "A file with its definition")
                                      ->type_name("FILE")
                                      ->excludes(json_option);
        app.add_option("--app", application, "The application that it is for, as in: sluice apps")
            ->type_name("APP");
        app.callback([json_option, file_option] {
            if (json_option->count() + file_option->count() == 0) {
                throw CLI::ValidationError("the definition is missing: give --json or --file");
            }
        });
    }
    Result<void> run(Session& session) const {
        std::string definition = json;
        if (!file.empty()) {
            SLUICE_TRY_ASSIGN(definition, read_file(file));
        }
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        {
            ProgressLine progress;
            const Database::NewView view{name, definition, application};
            SLUICE_TRY(open->add_views(std::span(&view, 1), progress.function()));
        }
        const std::vector<ViewInfo> views = open->views();
        const auto added =
            std::find_if(views.begin(), views.end(), [&](const auto& v) { return v.name == name; });
        if (session.out.json) {
            session.out.line(to_json(*added));
        } else {
            session.out.line(name + ": " + added->kind + ", " +
                             count_text(added->rows, "row", "rows") + ", " +
                             size_text(added->bytes));
        }
        return {};
    }

    DatabaseArgument database;
    std::string name, json, file, application;
};

std::string apps_text(const ViewInfo& view) {
    std::string text;
    for (const ViewInfo::Use& use : view.uses) {
        text += (text.empty() ? "" : ", ") + printable(use.app);
    }
    return text.empty() ? "-" : text;
}

struct ViewList {
    static CommandText text() {
        return {"list",
                "List the views: whose they are, how far, how large, when last opened",
                "Rows are as stored: those of messages that are gone count until they are merged "
                "away. Pending are messages that wait to be mapped. A view is opened when an "
                "application registers it or somebody reads it, which is noted every few hours at "
                "most; --unused finds those that nobody needs, and nothing but view drop drops "
                "them.",
                {"sluice view list db", "sluice view list db --json",
                 "sluice view list db --unused 30d"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        describe_unused(app, unused, "Only those that nobody opened for so long, such as 30d");
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open_to_read(session));
        using Align = Table::Align;
        Table table(session.out,
                    {Align::left, Align::left, Align::left, Align::right, Align::left, Align::right,
                     Align::right, Align::right, Align::right, Align::left, Align::left});
        bool has_title = session.out.json;
        for (const ViewInfo& view : open->views()) {
            if (!is_unused(view.opened_ms, unused)) continue;
            if (session.out.json) {
                session.out.line(to_json(view));
                continue;
            }
            if (!std::exchange(has_title, true)) {
                table.row({"NAME", "KIND", "APPS", "VERSION", "STATE", "PENDING", "SINCE", "ROWS",
                           "SIZE", "LAST OPENED", "DEFINITION"});
            }
            table.row({printable(view.name), view.kind, apps_text(view), version_text(view),
                       std::string(name_of(view.state)), count_text(view.pending),
                       count_text(view.since.value), count_text(view.rows), size_text(view.bytes),
                       opened_text(view.opened_ms), view.definition});
        }
        table.finish();
        return {};
    }

    DatabaseArgument database;
    std::string unused;
};

Result<ViewInfo> find_view(const Database& database, const std::string& name) {
    for (ViewInfo& view : database.views()) {
        if (view.name == name) return std::move(view);
    }
    return Error{Errc::not_found, "there is no view " + name};
}

struct ViewShow {
    static CommandText text() {
        return {"show",
                "Show what a view is and how large",
                "Since is the entry up to which the view has applied the log.",
                {"sluice view show db by_type"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("NAME", name, "Which view")->required();
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open_to_read(session));
        SLUICE_TRY_ASSIGN(const ViewInfo view, find_view(*open, name));
        if (session.out.json) {
            session.out.line(to_json(view));
            return {};
        }
        Table table(session.out, {Table::Align::left, Table::Align::left});
        table.row({"name", view.name});
        table.row({"kind", view.kind});
        if (!view.app.empty()) {
            table.row({"code of", view.app + ", version " + std::to_string(view.version)});
        }
        table.row({"applications", apps_text(view)});
        table.row({"definition", view.definition});
        table.row({"state", std::string(name_of(view.state))});
        if (view.pending > 0) table.row({"pending", messages_text(view.pending)});
        table.row({"last opened", opened_text(view.opened_ms)});
        table.row({"since", count_text(view.since.value)});
        table.row({"rows", count_text(view.rows)});
        table.row({"size", size_text(view.bytes) + " in " +
                               count_text(view.segments, "segment", "segments")});
        if (view.errors > 0) table.row({"errors", messages_text(view.errors)});
        table.finish();
        return {};
    }

    DatabaseArgument database;
    std::string name;
};

struct ViewDrop {
    static CommandText text() {
        return {"drop",
                "Remove a view and its files",
                "The messages stay as they are. Declared again, the view is derived anew.",
                {"sluice view drop db notes"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("NAME", name, "Which view")->required();
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        SLUICE_TRY(open->drop_view(name));
        session.show_dropped(name);
        return {};
    }

    DatabaseArgument database;
    std::string name;
};

struct Read {
    static CommandText text() {
        return {"read",
                "Read a view",
                "Rows come in the order of their keys: null, false, true, numbers, strings, "
                "arrays. Keys are JSON arrays, and --prefix takes the first few of their "
                "elements. With --positions each row says where it stands, and --after goes on "
                "from there later, also when that row is gone.",
                {"sluice read db by_type", "sluice read db by_type --prefix '[\"note\"]' --values",
                 "sluice read db by_type --from '[\"note\",10]' --to '[\"note\",20]' --reverse",
                 "sluice read db per_type --json",
                 "sluice read db by_type --prefix '[\"note\"]' --count",
                 "sluice read db by_type --limit 1 --positions --json"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("VIEW", view, "Which view")->required();
        const auto add_key = [&app](const char* name, std::string& value, const char* what) {
            app.add_option(name, value, what)->type_name("JSON")->check(is_view_key());
        };
        add_key("--prefix", prefix, "Keys that begin with these elements");
        add_key("--from", from, "Keys from this one on");
        add_key("--to", to, "Keys before this one");
        app.add_flag("--reverse", reverse, "Backward");
        app.add_option("--limit", limit, "Stop after as many rows")->type_name("N");
        app.add_option("--after", after, "Go on behind this position")->type_name("POSITION");
        auto* const keys_option = app.add_flag("--keys", keys, "Print nothing but the keys");
        auto* const values_option =
            app.add_flag("--values", values, "Also print what each message says")
                ->excludes(keys_option);
        app.add_flag("--positions", positions, "Also print where each row stands");
        app.add_flag("--count", count, "Print how many rows there are, and not the rows")
            ->excludes(keys_option)
            ->excludes(values_option);
    }
    Result<void> run(Session& session) const {
        const ReadOptions options = read_options();
        SLUICE_TRY_ASSIGN(const auto open, database.open_to_read(session));
        SLUICE_TRY_ASSIGN(const ViewInfo info, find_view(*open, view));
        const Snapshot snapshot = open->snapshot();
        SLUICE_TRY_ASSIGN(ViewCursor cursor, snapshot.read(view, options));
        if (count) {
            show_count(session.out, cursor.count_rest());
            return {};
        }
        const bool shows_messages = info.kind != "aggregate" && info.kind != "fold";
        SLUICE_TRY(session.out.json ? show_json(session.out, cursor, shows_messages)
                                    : show_table(session.out, cursor, shows_messages, info.kind));
        return cursor.status();
    }

    ReadOptions read_options() const {
        ReadOptions options;
        if (!prefix.empty()) options.prefix = view_key(prefix);
        if (!from.empty()) options.from = view_key(from);
        if (!to.empty()) options.to = view_key(to);
        options.reverse = reverse;
        options.limit = limit;
        options.after = after;
        return options;
    }
    static void show_count(Output& out, std::uint64_t rows) {
        out.json ? out.line(JsonObject().add("count", rows)) : out.line(std::to_string(rows));
    }
    Result<void> show_json(Output& out, ViewCursor& cursor, bool shows_messages) const {
        BodyWriter bodies;
        while (cursor.next()) {
            JsonObject row;
            row.add_json("key", cursor.key().to_json());
            if (shows_messages && !keys) row.add("seq", cursor.seq());
            if (shows_messages && values) {
                SLUICE_TRY_ASSIGN(const Record record, cursor.message());
                bodies.add_body(row, record.body);
            }
            if (!shows_messages && !keys) row.add_json("value", cursor.value());
            if (positions) row.add("position", cursor.position());
            out.line(row);
        }
        return {};
    }
    Result<void> show_table(Output& out, ViewCursor& cursor, bool shows_messages,
                            const std::string& kind) const {
        using Align = Table::Align;
        Table table(out, keys ? std::vector{Align::left, Align::left}
                         : shows_messages
                             ? std::vector{Align::right, Align::left, Align::left, Align::left}
                             : std::vector{Align::left, Align::left, Align::left});
        while (cursor.next()) {
            std::vector<std::string> row;
            if (shows_messages && !keys) row.push_back(std::to_string(cursor.seq().value));
            row.push_back(cursor.key().to_json());
            if (positions) row.push_back(cursor.position());
            if (shows_messages && values) {
                SLUICE_TRY_ASSIGN(const Record record, cursor.message());
                row.push_back(body_line(record.body));
            }
            if (!shows_messages && !keys) {
                row.push_back(kind == "fold" ? cursor.value() : aggregate_text(cursor.value()));
            }
            table.row(std::move(row));
        }
        table.finish();
        return {};
    }
    /// {"count":3,"sum":12.5} -> "count 3  sum 12.5"
    static std::string aggregate_text(const std::string& json) {
        std::string text;
        JsonParser parser;
        const Value* const value = parser.parse(json);
        for (const auto& [name, member] : value->members()) {
            text += (text.empty() ? "" : "  ") + std::string(name) + ' ';
            text += member.is_null() ? "-" : member.as_string().value_or(member.number_text());
        }
        return text;
    }

    DatabaseArgument database;
    std::string view, prefix, from, to, after;
    std::uint64_t limit = ~std::uint64_t{0};
    bool reverse = false, keys = false, values = false, positions = false, count = false;
};

} // namespace

void add_view_commands(Program& program) {
    program.begin_group("Views");
    CLI::App& view = program.add_app(
        program.app(), {"view",
                        "Add, list, show and drop views",
                        "A view is declared once, and kept right by every append and change.",
                        {}});
    view.require_subcommand(1);
    program.add<ViewAdd>(view);
    program.add<ViewList>(view);
    program.add<ViewShow>(view);
    program.add<ViewDrop>(view);
    program.add<Read>(program.app());
}

} // namespace sluice::cli
