// follow, consumer: what indexes outside the database have to do.
#include "base/try.hpp"
#include "cli/program.hpp"
#include "cli/selection.hpp"
#include "cli/stop_wish.hpp"

#include <charconv>
#include <optional>

namespace sluice::cli {
namespace {

FeedStart start_with(Seq entry) {
    return {.at = FeedStart::At::entry, .entry = entry};
}

FeedStart start_behind(const FeedPosition& position) {
    return {.at = FeedStart::At::position, .position = position};
}

/// A seq, or what --positions printed. Errors: invalid_argument.
Result<FeedStart> start_at(const std::string& text) {
    std::uint64_t seq = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, seq);
    if (error == std::errc() && stopped == end) return start_with({seq});
    SLUICE_TRY_ASSIGN(const FeedPosition position, FeedPosition::from_text(text));
    return start_behind(position);
}

struct Follow {
    static CommandText text() {
        return {"follow",
                "Print what an index elsewhere has to do to stay equal",
                "One JSON object on each line. \"added\" and \"changed\": put the message in, "
                "\"gone\": take it out. A message may be told again, so do each by its seq. What "
                "was erased is never printed, that it has gone always is.\n\n"
                "With --consumer the database remembers how far a name has come, once a batch is "
                "written, and the next call goes on there. Another filter for a name tells it all "
                "anew, with what that leaves out. Who has a database of its own keeps what "
                "--positions prints in the same transaction, and begins with --from.\n\n"
                "A new name begins at the start; without a name, only what happens from now on is "
                "printed. Ends with Ctrl-C or SIGTERM, between two batches, or with --once when "
                "there is no more.\n\n"
                "Others may write while it waits. While another process stays the one that writes, "
                "it waits for that one to end: a program tells consumers of its own.",
                {"sluice follow db --since-start --once",
                 "sluice follow db --view by_type --prefix '[\"note\"]' --from 2 --once",
                 "sluice follow db --consumer search --where '/type=note' --once",
                 "sluice follow db --since-start --positions --once"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        auto* const view_option =
            app.add_option("--view", view, "Messages with rows in this view")->type_name("VIEW");
        app.add_option("--prefix", prefix, "... whose keys begin with these elements")
            ->type_name("JSON")
            ->check(is_view_key())
            ->needs(view_option);
        app.add_option("--where", where, "Messages that meet this condition")
            ->type_name("CONDITION")
            ->check(CLI::Validator(where_mistake, ""));
        app.add_option("--consumer", consumer, "Go on where this name was, and remember")
            ->type_name("NAME");
        auto* const from_option =
            app.add_option("--from", from, "Begin with this entry, or behind this position")
                ->type_name("SEQ|POSITION");
        app.add_flag("--since-start", is_from_start, "Begin with the first entry")
            ->excludes(from_option);
        app.add_flag("--positions", positions, "Also print where each batch ends");
        app.add_flag("--once", once, "End when there is no more");
    }
    Result<void> run(Session& session) const {
        const StopWish wish({SIGINT, SIGTERM});
        std::optional<FeedStart> start;
        if (!from.empty()) {
            SLUICE_TRY_ASSIGN(start, start_at(from));
        }
        if (is_from_start) start = FeedStart();
        FeedFilter filter{.view = view, .prefix = {}, .where = where};
        if (!prefix.empty()) filter.prefix = view_key(prefix);
        if (once) {
            SLUICE_TRY_ASSIGN(const auto open, database.open(session));
            SLUICE_TRY_ASSIGN(Feed feed, open_feed(*open, filter, start));
            return tell(session, feed);
        }
        return go_on(session, filter, start);
    }

    /// A feed is told by the process that writes. This one writes while there is something to tell,
    /// and waits as one that reads: others may write meanwhile.
    Result<void> go_on(Session& session, const FeedFilter& filter,
                       std::optional<FeedStart> start) const {
        constexpr std::chrono::milliseconds kSignalPatience{200};
        SLUICE_TRY_ASSIGN(const auto reader, database.open_to_read(session, /*follows=*/true));
        if (!start && consumer.empty()) start = start_with(reader->last().next());
        std::optional<FeedPosition> stood;
        for (bool has_waited = false; !StopWish::is_made();) {
            auto open = database.open(session);
            if (!open) {
                if (open.error().code != Errc::busy) return open.error();
                if (!std::exchange(has_waited, true)) {
                    session.note(open.error().context + ": what it does is told when it has ended");
                }
                continue;
            }
            has_waited = false;
            Seq seen;
            {
                SLUICE_TRY_ASSIGN(Feed feed, open_feed(**open, filter, start));
                if (stood && *stood != feed.position()) {
                    return Error{Errc::busy, "somebody else follows as consumer " + consumer};
                }
                SLUICE_TRY(tell(session, feed));
                stood = feed.position();
                start.reset();
                if (consumer.empty()) start = start_behind(*stood);
                seen = (*open)->last();
            }
            open->reset();
            while (!StopWish::is_made() && reader->wait_for_entry(seen, kSignalPatience) == seen) {
            }
        }
        return {};
    }

    /// All that there is.
    Result<void> tell(Session& session, Feed& feed) const {
        BodyWriter bodies;
        while (!StopWish::is_made()) {
            SLUICE_TRY_ASSIGN(const FeedBatch batch, feed.next());
            for (const FeedChange& change : batch.changes) print(session.out, change, bodies);
            const bool is_end = batch.changes.empty();
            if (positions && (!is_end || once)) {
                session.out.line(JsonObject().add("position", batch.position.text()));
            }
            session.out.flush();
            SLUICE_TRY(feed.acknowledge());
            if (is_end) break;
        }
        return {};
    }

    Result<Feed> open_feed(const Database& open, const FeedFilter& filter,
                           const std::optional<FeedStart>& start) const {
        if (consumer.empty()) {
            return open.feed(filter, start.value_or(FeedStart{.at = FeedStart::At::now}));
        }
        const bool has_filter = filter != FeedFilter();
        return open.consumer(consumer, has_filter ? std::optional(filter) : std::nullopt, start);
    }
    static void print(Output& out, const FeedChange& change, BodyWriter& bodies) {
        JsonObject object;
        object.add("seq", change.seq).add("change", name_of(change.kind));
        if (change.kind != FeedChange::Kind::gone) {
            if (!change.key.empty()) object.add("key", change.key);
            if (!change.rows.empty()) {
                std::string rows;
                for (const Key& row : change.rows) {
                    rows += (rows.empty() ? "[" : ",") + row.to_json();
                }
                object.add_json("rows", rows + ']');
            }
            bodies.add_body(object, change.body);
        }
        out.line(object);
    }

    DatabaseArgument database;
    std::string view, prefix, where, consumer, from;
    bool is_from_start = false, positions = false, once = false;
};

std::string filter_text(const FeedFilter& filter) {
    std::string text;
    if (!filter.view.empty()) text += "view " + filter.view;
    if (filter.prefix != Key()) text += ' ' + filter.prefix.to_json();
    if (!filter.where.empty()) text += (text.empty() ? "where " : " where ") + filter.where;
    return text.empty() ? "everything" : text;
}

struct ConsumerList {
    static CommandText text() {
        return {
            "list",
            "List the consumers that follow the database",
            "How far each has come, how many entries of the log are behind that, and what it is "
            "told of.",
            {"sluice consumer list db"}};
    }
    void describe(CLI::App& app) { database.describe(app); }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open_to_read(session));
        SLUICE_TRY_ASSIGN(const auto consumers, open->consumers());
        Table table(session.out, {Table::Align::left, Table::Align::right, Table::Align::right,
                                  Table::Align::left});
        for (const ConsumerInfo& each : consumers) {
            if (session.out.json) {
                JsonObject object;
                object.add("consumer", each.name).add_bool("readable", each.is_readable);
                object.add("seq", each.position.told.entry).add("lag", each.lag);
                object.add("position", each.position.text());
                if (!each.filter.view.empty()) object.add("view", each.filter.view);
                if (each.filter.prefix != Key()) {
                    object.add_json("prefix", each.filter.prefix.to_json());
                }
                if (!each.filter.where.empty()) object.add("where", each.filter.where);
                session.out.line(object);
            } else {
                table.row({each.name, std::to_string(each.position.told.entry.value),
                           count_text(each.lag) + " behind",
                           each.is_readable ? printable(filter_text(each.filter))
                                            : "its file is damaged"});
            }
        }
        if (!session.out.json) table.finish();
        return {};
    }

    DatabaseArgument database;
};

struct ConsumerDrop {
    static CommandText text() {
        return {"drop",
                "Forget a consumer",
                "Where it was is forgotten. Followed again it is told everything.",
                {"sluice consumer drop db search"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("NAME", name, "Which consumer")->required();
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open_to_read(session));
        SLUICE_TRY(open->drop_consumer(name));
        session.show_dropped(name);
        return {};
    }

    DatabaseArgument database;
    std::string name;
};

} // namespace

void add_feed_commands(Program& program) {
    program.begin_group("Indexes elsewhere");
    program.add<Follow>(program.app());
    CLI::App& consumer = program.add_app(
        program.app(), {"consumer",
                        "List and drop those who follow the database",
                        "A consumer is a name under which `sluice follow` remembers how far it has "
                        "come.",
                        {"sluice consumer list db"}});
    consumer.require_subcommand(1);
    program.add<ConsumerList>(consumer);
    program.add<ConsumerDrop>(consumer);
}

} // namespace sluice::cli
