// transform list, use, drop; why: what views see of messages, and for which reasons.
#include "base/try.hpp"
#include "cli/motive.hpp"
#include "cli/program.hpp"

#include <algorithm>

namespace sluice::cli {
namespace {

struct TransformList {
    static CommandText text() {
        return {"list",
                "List the transforms, in the order in which messages pass them",
                "Those in use, and those that this program has besides.",
                {"sluice transform list db"}};
    }
    void describe(CLI::App& app) { database.describe(app); }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open_to_read(session));
        using Align = Table::Align;
        Table table(session.out, {Align::left, Align::left, Align::right, Align::right});
        if (!session.out.json) table.row({"TRANSFORM", "STATE", "CHANGED", "ERRORS"});
        const std::vector<TransformInfo> used = open->transforms();
        for (const TransformInfo& each : used) {
            show(session.out, table, each, each.loaded ? "in use" : "in use, code not here");
        }
        const Transforms known = own_transforms();
        for (const Transform& each : known.list()) {
            const bool is_used = std::any_of(used.begin(), used.end(), [&](const auto& other) {
                return other.name == each.name;
            });
            if (!is_used) show(session.out, table, {each.name, each.version}, "not in use");
        }
        table.finish();
        return {};
    }
    static void show(Output& out, Table& table, const TransformInfo& info,
                     const std::string& state) {
        if (!out.json) {
            table.row(
                {printable(info.name), state, count_text(info.outputs), count_text(info.errors)});
            return;
        }
        JsonObject object = to_json(info);
        out.line(object.add("state", state));
    }

    DatabaseArgument database;
};

struct TransformUse {
    static CommandText text() {
        return {"use",
                "Let views see messages as transforms make them",
                "All transforms that this program has, or those named. Every message is derived "
                "once, and views change where messages look different now.",
                {"sluice transform use db", "sluice transform use db scuttlebutt.edit-links "
                                            "scuttlebutt.edit-roots scuttlebutt.edits"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("NAME", names, "Only these");
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        std::vector<std::string> wanted = names;
        if (wanted.empty()) wanted = own_transforms().names();
        ProgressLine progress;
        SLUICE_TRY(open->use_transforms(wanted, progress.function()));
        const std::size_t count = open->transforms().size();
        if (session.out.json) {
            session.out.line(JsonObject().add("in_use", count));
        } else {
            session.note("in use: " + count_text(count, "transform", "transforms"));
        }
        return {};
    }

    DatabaseArgument database;
    std::vector<std::string> names;
};

struct TransformDrop {
    static CommandText text() {
        return {"drop",
                "Let a transform go",
                "What it made of messages leaves every view.",
                {"sluice transform drop db scuttlebutt.blobs"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("NAME", name, "The transform")->required();
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        ProgressLine progress;
        SLUICE_TRY(open->drop_transform(name, progress.function()));
        session.show_dropped(name);
        return {};
    }

    DatabaseArgument database;
    std::string name;
};

struct Why {
    static CommandText text() {
        return {"why",
                "Say why a message is seen as it is",
                "Through which transforms it went, what they looked at and looked for in vain, "
                "what it gave to which view, and what would have it derived again.",
                {"sluice why db 3", "sluice why db m1 --json"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("SEQ|KEY", which, "Its seq, or its application key")->required();
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open_to_read(session));
        SLUICE_TRY_ASSIGN(const Record record, find_record(open->snapshot(), which));
        SLUICE_TRY_ASSIGN(const Explanation why, open->why(record.seq));
        if (session.out.json) {
            session.out.line(to_json(why));
        } else {
            show(session.out, why);
        }
        return {};
    }

    static void show(Output& out, const Explanation& why) {
        const Record& record = why.record;
        out.line("message " + std::to_string(record.seq.value) + ", " +
                 std::string(name_of(record.state)) + (record.replaced ? ", replaced" : "") +
                 (record.hidden ? ", seen by no view" : ""));
        if (record.state != Record::State::live) {
            out.line("It is in no view.");
            return;
        }
        if (why.rederived_by != Seq{}) {
            out.line("last derived again because of entry " +
                     std::to_string(why.rederived_by.value));
        }
        for (const Explanation::Step& step : why.steps) {
            out.line("\n" + printable(step.transform) + ": " + made_text(step.made));
            show_looks(step.looks, out);
            for (const std::string& cell : step.cells)
                out.line("  gave          " + printable(cell));
        }
        if (!why.views.empty()) out.line("");
        for (const Explanation::Rows& rows : why.views) {
            out.line("view " + printable(rows.view) + " (" + rows.kind + ')' +
                     (rows.is_behind ? ", which waits for its application" : ""));
            constexpr std::size_t kShown = 10; // A text has many words; --json has them all.
            for (std::size_t i = 0; i < std::min(rows.keys.size(), kShown); ++i) {
                out.line("  " + printable(rows.keys[i]));
            }
            if (rows.keys.size() > kShown) {
                out.line("  and " + count_text(rows.keys.size() - kShown) + " more");
            }
            show_looks(rows.looks, out);
        }
        if (why.views.empty()) out.line("\nIt gave nothing to any view.");
    }
    static void show_looks(const std::vector<Explanation::Look>& looks, Output& out) {
        for (const Explanation::Look& look : looks) {
            out.line("  looked at     " + printable(text_of(look)));
            out.line("  woken by      " + printable(woken_by(look)));
        }
    }
    static std::string made_text(const std::string& made) {
        if (made == "body") return "made something else of it";
        if (made == "hidden") return "hides it";
        if (made == "failed") return "failed on it, so that no view sees it";
        return "left it as it is";
    }

    DatabaseArgument database;
    std::string which;
};

} // namespace

void add_transform_commands(Program& program) {
    program.begin_group("What views see");
    CLI::App& transform = program.add_app(
        program.app(), {"transform",
                        "List, use and drop transforms",
                        "A transform makes of a message, and of what else is known, what views "
                        "see of it: unboxed, edited, with its blobs.",
                        {}});
    transform.require_subcommand(1);
    program.add<Why>(program.app());
    program.add<TransformList>(transform);
    program.add<TransformUse>(transform);
    program.add<TransformDrop>(transform);
}

} // namespace sluice::cli
