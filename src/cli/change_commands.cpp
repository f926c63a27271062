// delete, erase, restore, replace, hold, release, receipts: changing the past.
#include "base/try.hpp"
#include "cli/input.hpp"
#include "cli/motive.hpp"
#include "cli/program.hpp"
#include "cli/selection.hpp"

#include <unistd.h>

#include <iostream>

namespace sluice::cli {
namespace {

void show_receipt(Output& out, const Receipt& receipt) {
    if (!receipt.finished()) {
        out.line("the erasure is not finished yet");
        return;
    }
    out.line("wiped " + count_text(receipt.entries_wiped, "entry", "entries") +
             " of the log, rewrote " +
             count_text(receipt.segments_rewritten, "view segment", "view segments") +
             ", destroyed " + size_text(receipt.bytes_destroyed));
    out.line("assurance: " + receipt.assurance);
}

void show_changed(Output& out, std::string_view done, const Changed& changed) {
    if (out.json) {
        out.line(to_json(changed));
    } else if (changed.seqs.empty()) {
        out.line("nothing to do");
    } else {
        out.line(std::string(done) + ' ' + messages_text(changed.seqs.size()) + " (seq " +
                 seqs_text(changed.seqs, 5) + ")");
        if (changed.receipt) show_receipt(out, *changed.receipt);
    }
}

/// What the commands that change selected messages have in common.
struct SelectedChange {
    void describe(CLI::App& app) {
        database.describe(app);
        selection.describe(app);
        motive.describe(app);
        app.add_flag("--dry-run", dry_run,
                     "Change nothing; count the messages (--json lists them)");
    }

    using Change = Result<Changed> (Database::*)(const Selector&, const ChangeOptions&);
    struct Words {
        std::string_view infinitive;
        std::string_view done;
    };
    Result<void> apply(Session& session, Database& open, const Selector& selector, Change change,
                       const Words& words) const {
        if (dry_run) {
            SLUICE_TRY_ASSIGN(const std::vector<Seq> seqs, open.select(selector, deleted_too));
            if (session.out.json) {
                session.out.line(JsonObject()
                                     .add_bool("dry_run", true)
                                     .add("count", std::uint64_t{seqs.size()})
                                     .add_json("seqs", to_json(std::span(seqs))));
            } else {
                session.out.line("would " + std::string(words.infinitive) + ' ' +
                                 messages_text(seqs.size()));
            }
            return {};
        }
        Result<Changed> changed = Changed();
        {
            ProgressLine progress;
            ChangeOptions options = motive.options(progress);
            options.end_snapshots = end_snapshots;
            changed = (open.*change)(selector, options);
        }
        if (!changed) return changed.error();
        show_changed(session.out, words.done, *changed);
        return {};
    }
    Result<void> run(Session& session, Change change, const Words& words) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        SLUICE_TRY_ASSIGN(const Selector selector, selection.selector(*open));
        return apply(session, *open, selector, change, words);
    }

    DatabaseArgument database;
    Selection selection;
    Motive motive;
    bool dry_run = false;
    bool deleted_too = false; ///< Whether it concerns messages that are deleted, too.
    bool end_snapshots = false;
};

struct Delete : SelectedChange {
    static CommandText text() {
        return {"delete",
                "Take messages out of every read and view",
                "Every view is right when this returns, whichever application it belongs to. A "
                "deleted message is kept, and restore brings it back; to destroy it, erase it.",
                {"sluice delete db --seq 1,3-4 --reason 'posted twice'",
                 "sluice delete db --key note-2",
                 "sluice delete db --where '/type=draft and /time<20' --dry-run",
                 "sluice delete db --view by_type --prefix '[\"draft\"]' --json"}};
    }
    void describe(CLI::App& app) {
        SelectedChange::describe(app);
        app.add_flag("--yes", yes,
                     "Accepted as for erase; a delete asks nothing, it can be undone");
    }
    Result<void> run(Session& session) const {
        return SelectedChange::run(session, &Database::delete_messages, {"delete", "deleted"});
    }

    bool yes = false; ///< Changes nothing.
};

struct Erase : SelectedChange {
    static CommandText text() {
        return {"erase",
                "Destroy messages in every file of the database",
                "No file of the database holds any of them afterwards: the bytes are overwritten "
                "in place, in the log and in every view, and a receipt "
                "says so. This cannot be undone. Copies elsewhere are out of reach: backups, "
                "snapshots of the volume, what a flash device keeps of overwritten blocks. "
                "Erased application keys stay out unless they are readmitted.",
                {"sluice erase db --where '/author=bob' --reason 'request 17' --yes",
                 "sluice erase db --seq 2 --dry-run",
                 "sluice erase db --view by_type --prefix '[\"draft\"]' --yes --json"}};
    }
    void describe(CLI::App& app) {
        SelectedChange::describe(app);
        deleted_too = true;
        app.add_flag("--yes", yes, "Do not ask; needed when there is no terminal to ask at");
        app.add_flag("--end-snapshots", end_snapshots,
                     "End what others are reading, instead of waiting until they are done");
    }
    Result<void> run(Session& session) const {
        const bool can_ask = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
        if (!yes && !dry_run && !can_ask) {
            throw UsageError{"erasing cannot be undone: say --yes, or --dry-run to see what it "
                             "would concern"};
        }
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        SLUICE_TRY_ASSIGN(const Selector selector, selection.selector(*open));
        if (!yes && !dry_run) {
            SLUICE_TRY_ASSIGN(const std::vector<Seq> seqs, open->select(selector, true));
            if (!seqs.empty() && !confirmed(seqs.size())) throw UsageError{"nothing was erased"};
        }
        return apply(session, *open, selector, &Database::erase, {"erase", "erased"});
    }
    static bool confirmed(std::size_t count) {
        std::cerr << "Erase " << messages_text(count)
                  << " for good? This cannot be undone. Type yes: " << std::flush;
        std::string answer;
        std::getline(std::cin, answer);
        return answer == "yes";
    }

    bool yes = false;
};

struct Restore : SelectedChange {
    static CommandText text() {
        return {"restore",
                "Bring deleted messages back, at their old places",
                "Erased messages cannot come back.",
                {"sluice restore db --seq 3", "sluice restore db --key note-2 --json"}};
    }
    void describe(CLI::App& app) {
        SelectedChange::describe(app);
        deleted_too = true;
    }
    Result<void> run(Session& session) const {
        return SelectedChange::run(session, &Database::restore, {"restore", "restored"});
    }
};

struct Hold : SelectedChange {
    static CommandText text() {
        return {"hold",
                "Forbid the erasure of messages",
                "A legal hold: erase refuses until the messages are released. They can be deleted, "
                "which keeps them.",
                {"sluice hold db --where '/author=ann' --reason 'case 4'"}};
    }
    Result<void> run(Session& session) const {
        return SelectedChange::run(session, &Database::hold, {"hold", "held"});
    }
};

struct Release : SelectedChange {
    static CommandText text() {
        return {"release",
                "Allow the erasure of held messages again",
                "",
                {"sluice release db --where '/author=ann' --reason 'case 4 is closed'"}};
    }
    Result<void> run(Session& session) const {
        return SelectedChange::run(session, &Database::release, {"release", "released"});
    }
};

struct Replace {
    static CommandText text() {
        return {"replace",
                "Give a message new bytes, at its old place",
                "The old ones are no longer read, and go when the message is erased. The new "
                "message is the text after --json, or a file, or else standard input.",
                {"sluice replace db 1 --json '{\"type\":\"note\",\"text\":\"better\"}'",
                 "sluice replace db note-2 --file note.json --reason 'a misprint'"},
                true};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("SEQ|KEY", which, "Which message")->required();
        auto* const json_option =
            app.add_option("--json", json, "The new message: this text, which must be JSON")
                ->type_name("TEXT")
                ->check(is_json());
        app.add_option("--file", file, "The new message: this file, whatever it holds")
            ->type_name("FILE")
            ->excludes(json_option);
        motive.describe(app);
    }
    Result<void> run(Session& session) const {
        std::string body = json;
        if (body.empty()) {
            SLUICE_TRY_ASSIGN(body, read_file(file));
        }
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        SLUICE_TRY_ASSIGN(const Record record, find_record(open->snapshot(), which));
        Result<Changed> changed = Changed();
        {
            ProgressLine progress;
            changed = open->replace(record.seq, body, motive.options(progress));
        }
        if (!changed) return changed.error();
        show_changed(session.out, "replaced", *changed);
        return {};
    }

    DatabaseArgument database;
    std::string which, json;
    std::string file = "-";
    Motive motive;
};

struct Receipts {
    static CommandText text() {
        return {"receipts",
                "List the erasures",
                "A receipt says which messages were erased, when, why and by whom, and how far the "
                "destruction reached; never what they said.",
                {"sluice receipts db", "sluice receipts db --json"}};
    }
    void describe(CLI::App& app) { database.describe(app); }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open_to_read(session));
        using Align = Table::Align;
        Table table(session.out, {Align::right, Align::left, Align::right, Align::left, Align::left,
                                  Align::left, Align::left});
        const std::vector<Receipt> receipts = open->receipts();
        if (!session.out.json && !receipts.empty()) {
            table.row({"ENTRY", "TIME", "MESSAGES", "SEQS", "ASSURANCE", "ACTOR", "REASON"});
        }
        for (const Receipt& receipt : receipts) {
            if (session.out.json) {
                session.out.line(to_json(receipt));
            } else {
                table.row({std::to_string(receipt.erasure.value),
                           receipt.finished() ? utc_text(receipt.time_ms) : "unfinished",
                           count_text(receipt.seqs.size()), seqs_text(receipt.seqs, 3),
                           receipt.assurance, printable(receipt.actor), printable(receipt.reason)});
            }
        }
        table.finish();
        return {};
    }

    DatabaseArgument database;
};

} // namespace

void add_change_commands(Program& program) {
    program.begin_group("Changing the past");
    program.add<Delete>(program.app());
    program.add<Erase>(program.app());
    program.add<Restore>(program.app());
    program.add<Replace>(program.app());
    program.add<Hold>(program.app());
    program.add<Release>(program.app());
    program.add<Receipts>(program.app());
}

} // namespace sluice::cli
