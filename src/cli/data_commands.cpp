// import, export, generate: messages from and for other programs.
#include "base/try.hpp"
#include "cli/exit_status.hpp"
#include "cli/program.hpp"
#include "cli/progress.hpp"
#include "cli/stop_wish.hpp"
#include "import/exporter.hpp"
#include "import/record_writer.hpp"
#include "scuttlebutt/generator.hpp"
#include "scuttlebutt/secret_file.hpp"

#include <sluice/import.hpp>
#include <sluice/scuttlebutt.hpp>

#include <map>

namespace sluice::cli {
namespace {

const std::map<std::string, ForeignFormat> kFormats = {
    {"flumelog-offset", ForeignFormat::flumelog_offset}, {"jsonl", ForeignFormat::json_lines}};

CLI::Option* add_format(CLI::App& app, std::string& format, const std::string& what) {
    return app.add_option("--format", format, what)->type_name("")->check(CLI::IsMember(&kFormats));
}

struct Import {
    static CommandText text() {
        return {
            "import",
            "Take in the messages of a file",
            "Reads flumelog-offset files of all widths, and lines of JSON. Makes the database "
            "when there is none. An import that was interrupted, by Ctrl-C or by a power cut, "
            "goes on where it was when it is run again, and so does one of a file that has "
            "grown. Messages whose keys are here already are left out, and so are those that "
            "were deleted or erased here, or whose author is blocked. A damaged file is refused, "
            "and the byte named; "
            "--until-damage takes in what lies before. --verify checks id and signature of each "
            "message, as Scuttlebutt defines them, and stops at the first that is not genuine.",
            {"sluice import db messages.jsonl", "sluice import db log.offset --verify",
             "sluice import db notes.jsonl --key-pointer /id --json"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("FILE", file, "The file")->type_name("FILE")->required();
        add_format(app, format, "What it is, where its first bytes do not tell");
        app.add_option("--key-pointer", options.key_pointer,
                       "Where in each message its application key stands (/key); '' for none")
            ->type_name("POINTER");
        app.add_flag("--until-damage", options.until_damage,
                     "Take in what lies before the damage of a damaged file");
        app.add_flag("--verify", verify,
                     "Check ids and signatures of Scuttlebutt messages; take in what lies before "
                     "the first wrong one");
        app.add_flag("--readmit", options.readmit,
                     "Also take in messages that were deleted or erased here");
        database.describe_durability(app);
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, open_or_create(session));
        const StopWish wish({SIGINT});
        Result<ImportReport> report = ImportReport();
        {
            ProgressLine progress;
            ImportOptions chosen = options;
            if (!format.empty()) chosen.format = kFormats.at(format);
            if (verify) chosen.check = what_is_wrong;
            chosen.progress = progress.function();
            chosen.interrupted = StopWish::is_made;
            report = import_file(*open, file, chosen);
        }
        if (!report) return report.error();
        if (report->interrupted) session.exit_status = kExitInterrupted;
        session.out.json ? show_json(session.out, *report) : show(session.out, *report);
        return {};
    }

    static std::string what_is_wrong(std::string_view message) {
        switch (scuttlebutt::verify_message(message)) {
        case scuttlebutt::Verdict::genuine: return {};
        case scuttlebutt::Verdict::malformed: return "not a Scuttlebutt message";
        case scuttlebutt::Verdict::wrong_id: return "a message with a wrong id";
        case scuttlebutt::Verdict::wrong_signature: return "a message with a wrong signature";
        }
        return "a message that cannot be judged";
    }
    Result<std::unique_ptr<Database>> open_or_create(Session& session) const {
        auto open = database.open(session);
        if (open || open.error().code != Errc::not_found) return open;
        // Not for the sake of a mistyped file name.
        SLUICE_TRY(open_record_source(file, ForeignFormat::automatic));
        SLUICE_TRY(Database::create(database.path()));
        if (!session.out.json) session.out.line("made a database in " + database.path());
        return database.open(session);
    }
    static void show(Output& out, const ImportReport& report) {
        if (report.resumed_at > 0) {
            out.line("went on at byte " + count_text(report.resumed_at) + " of " +
                     count_text(report.size_bytes));
        }
        out.line("imported " + messages_text(report.appended));
        const auto left_out = [&out](std::uint64_t count, const char* why) {
            if (count > 0) out.line("left out " + messages_text(count) + ' ' + why);
        };
        left_out(report.exists, "that are here already");
        left_out(report.refused,
                 "that were deleted, erased or blocked here (--readmit takes the first two)");
        left_out(report.deleted_in_source, "that the file marks as deleted");
        if (report.damage) out.line("stopped at the damage: " + report.damage->context);
        if (report.interrupted) {
            out.line("interrupted at byte " + count_text(report.end) + " of " +
                     count_text(report.size_bytes) + ": run it again to go on");
        }
    }
    static void show_json(Output& out, const ImportReport& report) {
        JsonObject object;
        object.add("appended", report.appended).add("exists", report.exists);
        object.add("refused", report.refused).add("deleted_in_source", report.deleted_in_source);
        object.add("resumed_at", report.resumed_at).add("end", report.end);
        object.add("size_bytes", report.size_bytes);
        object.add_bool("interrupted", report.interrupted);
        if (report.damage) object.add("damage", report.damage->context);
        out.line(object);
    }

    DatabaseArgument database;
    bool verify = false;
    std::string file, format;
    ImportOptions options;
};

/// A file, or lines on standard output.
class MessageSink {
public:
    static Result<MessageSink> open(const std::string& path, const std::string& format, bool force,
                                    Output& out) {
        if (path == "-" && format != "jsonl") {
            return Error{Errc::invalid_argument, "flumelog-offset needs --out FILE"};
        }
        MessageSink sink(out);
        if (path != "-") {
            SLUICE_TRY_ASSIGN(sink.file_, create_record_writer(path, {.format = kFormats.at(format),
                                                                      .replace = force}));
        }
        return sink;
    }
    Result<void> write(std::string_view message) {
        if (file_) return file_->append(message);
        out_->line(message);
        return {};
    }
    Result<void> finish() { return file_ ? file_->finish() : Result<void>(); }
    bool is_file() const { return file_ != nullptr; }
    std::uint64_t size_bytes() const { return file_ ? file_->size_bytes() : 0; }

private:
    explicit MessageSink(Output& out) : out_(&out) {}
    Output* out_;
    std::unique_ptr<RecordWriter> file_;
};

struct Export {
    static CommandText text() {
        return {"export",
                "Write the live messages to a file",
                "In the order of the log. What was deleted or erased is not in it.",
                {"sluice export db --out copy.jsonl",
                 "sluice export db --format flumelog-offset --out copy.offset",
                 "sluice export db | head -n 3"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("--out", path, "The file to make (standard output)")->type_name("FILE");
        add_format(app, format, "The file's format (jsonl)");
        app.add_option("--from", from, "The first seq")->type_name("SEQ");
        app.add_option("--to", to, "The last seq")->type_name("SEQ");
        app.add_flag("--skip-unfit", skip_unfit,
                     "Go on without messages that the format cannot hold");
        app.add_flag("--force", force, "Replace the file if there is one");
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open_to_read(session));
        SLUICE_TRY_ASSIGN(MessageSink sink, MessageSink::open(path, format, force, session.out));
        Result<ExportReport> report = ExportReport();
        {
            ProgressLine progress;
            ExportOptions options;
            options.range.from = Seq{from};
            if (to > 0) options.range.to = Seq{to};
            options.json_lines = format == "jsonl";
            options.skip_unfit = skip_unfit;
            options.progress = progress.function();
            report = export_log(
                open->snapshot(), [&](std::string_view message) { return sink.write(message); },
                options);
        }
        if (!report) return report.error();
        SLUICE_TRY(sink.finish());
        show(session, sink, *report);
        return {};
    }
    void show(Session& session, const MessageSink& sink, const ExportReport& report) const {
        const std::string skipped = "skipped " + messages_text(report.skipped) + " that do not fit";
        if (!sink.is_file()) {
            if (report.skipped > 0) session.note(skipped);
        } else if (session.out.json) {
            session.out.line(JsonObject()
                                 .add("exported", report.exported)
                                 .add("skipped", report.skipped)
                                 .add("size_bytes", sink.size_bytes())
                                 .add("file", path));
        } else {
            session.out.line("exported " + messages_text(report.exported) + " to " + path + ", " +
                             size_text(sink.size_bytes()));
            if (report.skipped > 0) session.out.line(skipped);
        }
    }

    DatabaseArgument database;
    std::string path = "-";
    std::string format = "jsonl";
    std::uint64_t from = 1, to = 0;
    bool skip_unfit = false, force = false;
};

struct Generate {
    static CommandText text() {
        return {"generate",
                "Make up a Scuttlebutt network and write its messages to a file",
                "Posts, votes, contacts, abouts and private posts of many feeds, really signed, "
                "hashed and boxed. The same seed gives the same file on every machine.",
                {"sluice generate --messages 1000 --seed 1 --out log.offset",
                 "sluice generate --messages 500 --seed 2 --format jsonl --out messages.jsonl",
                 "sluice generate --messages 2 --format jsonl --out -"}};
    }
    void describe(CLI::App& app) {
        app.add_option("--messages", options.messages, "How many (10000)")->type_name("N");
        app.add_option("--seed", options.seed, "Another seed is another network (1)")
            ->type_name("N");
        app.add_option("--feeds", options.feeds, "How many people write (one for 70 messages)")
            ->type_name("N");
        add_format(app, format, "The file's format (flumelog-offset)");
        app.add_option("--out", path, "The file to make; - for standard output")
            ->type_name("FILE")
            ->required();
        app.add_flag("--force", force, "Replace the file if there is one");
        app.add_option("--secrets", secrets,
                       "Also make this file of all their keys, one a line, as `key add` reads it")
            ->type_name("FILE");
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(auto generator, scuttlebutt::Generator::create(options));
        SLUICE_TRY_ASSIGN(MessageSink sink, MessageSink::open(path, format, force, session.out));
        std::uint64_t count = 0;
        {
            ProgressLine progress;
            const ProgressFunction tell = progress.function();
            while (const auto message = generator.next()) {
                SLUICE_TRY(sink.write(message->json));
                if (++count % 1024 == 0 && tell) tell({"generating", count, options.messages});
            }
        }
        SLUICE_TRY(sink.finish());
        if (!secrets.empty()) SLUICE_TRY(write_secrets(session, generator.feeds()));
        show(session, sink, count, generator.feeds().size());
        return {};
    }
    Result<void> write_secrets(Session& session, std::span<const scuttlebutt::Feed> feeds) const {
        SLUICE_TRY_ASSIGN(MessageSink file,
                          MessageSink::open(secrets, "jsonl", force, session.out));
        for (const scuttlebutt::Feed& feed : feeds) {
            SLUICE_TRY(file.write(scuttlebutt::secret_line(feed.keys)));
        }
        return file.finish();
    }
    void show(Session& session, const MessageSink& sink, std::uint64_t count,
              std::size_t feeds) const {
        if (!sink.is_file()) return;
        if (session.out.json) {
            session.out.line(JsonObject()
                                 .add("messages", count)
                                 .add("feeds", std::uint64_t{feeds})
                                 .add("size_bytes", sink.size_bytes())
                                 .add("file", path));
        } else {
            session.out.line("wrote " + messages_text(count) + " by " +
                             count_text(feeds, "feed", "feeds") + " to " + path + ", " +
                             size_text(sink.size_bytes()));
        }
    }

    scuttlebutt::GeneratorOptions options;
    std::string path, secrets;
    std::string format = "flumelog-offset";
    bool force = false;
};

} // namespace

void add_data_commands(Program& program) {
    program.begin_group("Other programs");
    program.add<Import>(program.app());
    program.add<Export>(program.app());
    program.add<Generate>(program.app());
}

} // namespace sluice::cli
