// init, append, get, log: the log itself.
#include "base/try.hpp"
#include "cli/input.hpp"
#include "cli/program.hpp"
#include "import/message_keys.hpp"

#include <chrono>
#include <optional>

namespace sluice::cli {
namespace {

struct Init {
    static CommandText text() {
        return {"init",
                "Make an empty database",
                "The directory is made when it is not there. It must be empty.",
                {"sluice init db"}};
    }
    void describe(CLI::App& app) {
        app.add_option("DB", path, "The directory of the database")->required();
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY(Database::create(path));
        if (session.out.json) {
            session.out.line(JsonObject().add("created", path));
        } else {
            session.out.line("made an empty database in " + path);
        }
        return {};
    }

    std::string path;
};

struct Append {
    static CommandText text() {
        return {"append",
                "Append messages",
                "The message is the text after --json, or a whole file, or else each line of "
                "standard input is one. Messages are any bytes, and JSON is what declared views "
                "read. An application key names a message for people and is taken once only: "
                "--key gives it, or --key-pointer says where in each message it stands.",
                {"sluice append db --json '{\"type\":\"note\",\"text\":\"hello\"}'",
                 "sluice append db --json '{\"type\":\"note\",\"text\":\"again\"}' --key note-2",
                 "sluice append db --file note.json",
                 "sluice append db --key-pointer /id <notes.jsonl"},
                true};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        auto* const json_option =
            app.add_option("--json", json, "The message: this text, which must be JSON")
                ->type_name("TEXT")
                ->check(is_json());
        auto* const file_option =
            app.add_option("--file", file, "The message: this file, whatever it holds")
                ->type_name("FILE")
                ->excludes(json_option);
        auto* const key_option =
            app.add_option("--key", key, "The application key of the one message")
                ->type_name("KEY");
        app.add_option("--key-pointer", key_pointer,
                       "Where in each message its application key stands, such as /key")
            ->type_name("POINTER")
            ->excludes(key_option);
        app.add_flag("--readmit", readmit, "Also take a key that was deleted or erased");
        database.describe_durability(app);
        app.callback([this, json_option, file_option, key_option] {
            one_message = json_option->count() + file_option->count() > 0;
            if (key_option->count() > 0 && !one_message) {
                throw CLI::ValidationError("--key",
                                           "needs --json or --file; lines have --key-pointer");
            }
        });
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(MessageKeys keys, MessageKeys::create(key_pointer));
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        Appended appended;
        if (one_message) {
            std::string body = json;
            if (!file.empty()) {
                SLUICE_TRY_ASSIGN(body, read_file(file));
            }
            SLUICE_TRY(append(*open, keys, {{body}}, appended));
        } else {
            LineReader lines(STDIN_FILENO);
            while (true) {
                SLUICE_TRY_ASSIGN(const std::vector<std::string> batch, lines.next_lines());
                if (batch.empty()) break;
                SLUICE_TRY(append(*open, keys, batch, appended));
            }
        }
        show(session, appended);
        return {};
    }

    struct Appended {
        Seq first;
        std::uint64_t count = 0;
    };
    Result<void> append(Database& open, MessageKeys& keys, std::vector<std::string> bodies,
                        Appended& appended) const {
        std::vector<std::string> found(bodies.size(), key);
        std::vector<NewMessage> messages;
        for (std::size_t index = 0; index < bodies.size(); ++index) {
            std::string& body = bodies[index];
            if (!key_pointer.empty()) found[index] = keys.find_checked(body).key.value_or("");
            messages.push_back({body, found[index]});
        }
        SLUICE_TRY_ASSIGN(const Seq first, open.append(messages, {.readmit = readmit}));
        if (appended.count == 0) appended.first = first;
        appended.count += messages.size();
        return {};
    }
    static void show(Session& session, const Appended& appended) {
        if (session.out.json) {
            session.out.line(JsonObject().add("seq", appended.first).add("count", appended.count));
        } else if (appended.count == 1) {
            session.out.line("appended as seq " + std::to_string(appended.first.value));
        } else {
            session.out.line("appended " + messages_text(appended.count) +
                             (appended.count == 0
                                  ? ""
                                  : ", the first as seq " + std::to_string(appended.first.value)));
        }
    }

    DatabaseArgument database;
    std::string json, file, key, key_pointer;
    bool readmit = false;
    bool one_message = false;
};

struct Get {
    static CommandText text() {
        return {
            "get",
            "Show one entry and what it says",
            "A word of digits is a seq, anything else is an application key. A message is shown as "
            "views see it, through the transforms in use; --stored shows what the log has.",
            {"sluice get db 2", "sluice get db note-2 --json", "sluice get db 1 --raw"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("SEQ|KEY", which, "Which entry")->required();
        app.add_flag("--raw", raw, "Print what it says and nothing else, byte by byte");
        app.add_flag("--stored", stored, "As it is stored, and not as views see it");
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open_to_read(session));
        const Snapshot snapshot = open->snapshot();
        SLUICE_TRY_ASSIGN(Record record, find_record(snapshot, which));
        if (!stored) {
            SLUICE_TRY_ASSIGN(record, snapshot.seen(record.seq));
        }
        if (raw) {
            session.out.write(record.body);
        } else if (session.out.json) {
            JsonObject object = to_json(record);
            if (record.state == Record::State::live) BodyWriter().add_body(object, record.body);
            session.out.line(object);
        } else {
            show(session.out, record);
        }
        return {};
    }
    static void show(Output& out, const Record& record) {
        std::string state(name_of(record.state));
        if (record.replaced) state += ", replaced";
        if (record.held) state += ", held";
        if (record.transformed) state += ", transformed";
        if (record.hidden) state += ", seen by no view";
        out.line("seq    " + std::to_string(record.seq.value));
        out.line("state  " + state);
        if (!record.key.empty()) out.line("key    " + printable(record.key));
        if (record.state == Record::State::change) out.line("what   " + printable(record.change));
        if (record.state == Record::State::live) out.line("\n" + body_text(record.body));
    }

    DatabaseArgument database;
    std::string which;
    bool raw = false;
    bool stored = false;
};

struct Log {
    static CommandText text() {
        return {"log",
                "List the entries of the log",
                "Live messages only, unless --changes asks for changes and for messages that are "
                "gone. --live goes on with what other processes append, until Ctrl-C.",
                {"sluice log db", "sluice log db --reverse --limit 10",
                 "sluice log db --from 2 --to 3 --values --json", "sluice log db --changes"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("--from", from, "The first seq to list")->type_name("SEQ");
        auto* const to_option =
            app.add_option("--to", to, "The last seq to list")->type_name("SEQ");
        auto* const reverse_option =
            app.add_flag("--reverse", reverse, "From the end (or --from) backward");
        app.add_option("--limit", limit, "Stop after as many")->type_name("N");
        app.add_flag("--values", values, "Also print what each message says");
        app.add_flag("--stored", stored, "As it is stored, and not as views see it");
        app.add_flag("--changes", changes, "Also list changes and messages that are gone");
        app.add_flag("--live", live, "Go on with what is appended later")
            ->excludes(to_option)
            ->excludes(reverse_option);
    }
    Result<void> run(Session& session) const {
        Listing listing(*this, session.out);
        LogRange range{.from = {from.value_or(reverse ? 0 : 1)},
                       .to = {},
                       .reverse = reverse,
                       .include_changes = changes,
                       .seen = !stored};
        if (to) range.to = Seq{*to};
        SLUICE_TRY_ASSIGN(const auto open, database.open_to_read(session, live));
        for (Seq seen;;) {
            {
                const Snapshot snapshot = open->snapshot(); // Not kept: erasures would wait for it.
                SLUICE_TRY(listing.show(snapshot, range));
                seen = snapshot.position();
            }
            if (!live || listing.is_full()) return {};
            range.from = std::max(range.from, seen.next());
            session.out.flush();
            while (open->wait_for_entry(seen, std::chrono::minutes(1)) == seen) {
            }
        }
    }

    class Listing {
    public:
        using Align = Table::Align;
        Listing(const Log& options, Output& out)
            : options_(options), out_(out),
              table_(out, {Align::right, Align::left, Align::right, Align::left, Align::left}) {}

        Result<void> show(const Snapshot& snapshot, const LogRange& range) {
            LogCursor cursor = snapshot.log(range);
            while (!is_full()) {
                SLUICE_TRY_ASSIGN(const std::optional<Record> record, cursor.next());
                if (!record) break;
                ++count_;
                out_.json ? show_json(*record) : show_row(*record);
            }
            if (!out_.json) table_.finish();
            return {};
        }
        bool is_full() const { return count_ >= options_.limit; }

    private:
        void show_json(const Record& record) {
            JsonObject object = to_json(record);
            if (options_.values && record.state == Record::State::live) {
                bodies_.add_body(object, record.body);
            }
            out_.line(object);
        }
        void show_row(const Record& record) {
            const bool is_live = record.state == Record::State::live;
            std::string state(name_of(record.state));
            if (record.replaced) state += ", replaced";
            if (record.held) state += ", held";
            const bool is_change = record.state == Record::State::change;
            std::vector<std::string> row = {std::to_string(record.seq.value), state,
                                            is_live ? size_text(record.body.size()) : "",
                                            printable(is_change ? record.change : record.key)};
            if (options_.values && is_live) row.push_back(body_line(record.body));
            table_.row(std::move(row));
        }

        const Log& options_;
        Output& out_;
        Table table_;
        BodyWriter bodies_;
        std::uint64_t count_ = 0;
    };

    DatabaseArgument database;
    std::optional<std::uint64_t> from, to;
    std::uint64_t limit = ~std::uint64_t{0};
    bool reverse = false, values = false, changes = false, live = false, stored = false;
};

} // namespace

void add_log_commands(Program& program) {
    program.begin_group("The log");
    program.add<Init>(program.app());
    program.add<Append>(program.app());
    program.add<Get>(program.app());
    program.add<Log>(program.app());
}

} // namespace sluice::cli
