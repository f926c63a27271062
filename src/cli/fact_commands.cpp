// fact put, list, drop, erase: what messages are read with.
#include "base/try.hpp"
#include "cli/input.hpp"
#include "cli/motive.hpp"
#include "cli/program.hpp"

#include <optional>

namespace sluice::cli {
namespace {

/// COLLECTION KEY, the name of a fact.
class FactArgument {
public:
    void describe(CLI::App& app) {
        app.add_option("COLLECTION", collection_, "Which kind of fact, such as blocks")->required();
        app.add_option("KEY", key_, "Its key: JSON, or an array of several elements")
            ->required()
            ->check(is_view_key());
    }
    FactName name() const { return {collection_, view_key(key_)}; }
    std::string text() const { return printable(collection_ + ' ' + name().key.to_json()); }

private:
    std::string collection_, key_;
};

void show_changed(Session& session, const Changed& changed, const std::string& done) {
    if (session.out.json) {
        session.out.line(to_json(changed));
    } else {
        session.out.line(changed.at == Seq{}
                             ? "nothing to do"
                             : done + " (entry " + std::to_string(changed.at.value) + ')');
    }
}

struct FactPut {
    static CommandText text() {
        return {"put",
                "Give a fact a value",
                "A fact is an entry of the log, beside the messages. The value is the text after "
                "the key, or a file, or else standard input. A secret one is never printed; give "
                "it in a file, because other users see a command line.",
                {"sluice fact put db blocks '\"@bob\"' yes --reason 'case 4'",
                 "sluice fact put db keys '\"team\"' --file note.json --secret"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        fact.describe(app);
        auto* const value_option = app.add_option("VALUE", value, "The value");
        app.add_option("--file", file, "The value: this file, whatever it holds")
            ->type_name("FILE")
            ->excludes(value_option);
        app.add_flag("--secret", is_secret, "Never print the value");
        motive.describe(app);
    }
    Result<void> run(Session& session) const {
        std::string text = value.value_or("");
        SecretBytes secret;
        if (!value && is_secret) {
            SLUICE_TRY_ASSIGN(secret, read_secret_file(file));
        } else if (!value) {
            SLUICE_TRY_ASSIGN(text, read_file(file));
        }
        const std::string_view bytes = secret.empty() ? text : view_of(secret);
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        ProgressLine progress;
        SLUICE_TRY_ASSIGN(const Changed changed, open->put_fact({fact.name(), bytes, is_secret},
                                                                motive.options(progress)));
        show_changed(session, changed, "put " + fact.text());
        return {};
    }

    DatabaseArgument database;
    FactArgument fact;
    std::optional<std::string> value;
    std::string file = "-";
    bool is_secret = false;
    Motive motive;
};

struct FactList {
    static CommandText text() {
        return {"list",
                "List the facts",
                "With their values, but for secret ones.",
                {"sluice fact list db", "sluice fact list db blocks --json"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("COLLECTION", collection, "Only these");
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open_to_read(session));
        using Align = Table::Align;
        Table table(session.out, {Align::right, Align::left, Align::left, Align::left});
        const std::vector<Fact> facts = open->facts(collection);
        if (!session.out.json && !facts.empty()) {
            table.row({"ENTRY", "COLLECTION", "KEY", "VALUE"});
        }
        BodyWriter writer;
        for (const Fact& fact : facts) {
            if (session.out.json) {
                session.out.line(to_json(fact, writer));
            } else {
                table.row({std::to_string(fact.at.value), printable(fact.name.collection),
                           printable(fact.name.key.to_json()),
                           fact.is_secret ? "(secret)" : body_line(fact.value)});
            }
        }
        table.finish();
        return {};
    }

    DatabaseArgument database;
    std::string collection;
};

struct FactDrop {
    static CommandText text() {
        return {"drop",
                "Take a fact back",
                "The log keeps what it was; to destroy it, erase it.",
                {"sluice fact drop db blocks '\"@bob\"'"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        fact.describe(app);
        motive.describe(app);
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        ProgressLine progress;
        SLUICE_TRY_ASSIGN(const Changed changed,
                          open->drop_fact(fact.name(), motive.options(progress)));
        show_changed(session, changed, "dropped " + fact.text());
        return {};
    }

    DatabaseArgument database;
    FactArgument fact;
    Motive motive;
};

struct FactErase {
    static CommandText text() {
        return {"erase",
                "Destroy a fact, with every value it ever had",
                "No file of the database holds its name or a value afterwards, and a receipt says "
                "so. This cannot be undone. A fact that was dropped can still be erased.",
                {"sluice fact erase db keys '\"team\"' --reason 'request 17' --yes"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        fact.describe(app);
        motive.describe(app);
        app.add_flag("--yes", yes, "Needed, because erasing cannot be undone");
    }
    Result<void> run(Session& session) const {
        if (!yes) throw UsageError{"erasing cannot be undone: say --yes"};
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        ProgressLine progress;
        SLUICE_TRY_ASSIGN(const Changed changed,
                          open->erase_fact(fact.name(), motive.options(progress)));
        const std::uint64_t entries = changed.receipt ? changed.receipt->entries_wiped : 0;
        show_changed(session, changed,
                     "erased " + fact.text() + " with " + count_text(entries, "entry", "entries"));
        return {};
    }

    DatabaseArgument database;
    FactArgument fact;
    Motive motive;
    bool yes = false;
};

} // namespace

void add_fact_commands(Program& program) {
    program.begin_group("Changing the past");
    CLI::App& fact = program.add_app(
        program.app(), {"fact",
                        "Put, list, drop and erase facts",
                        "Facts are what is known beside the messages: keys, blocks, whatever an "
                        "application reads its messages with.",
                        {}});
    fact.require_subcommand(1);
    program.add<FactPut>(fact);
    program.add<FactList>(fact);
    program.add<FactDrop>(fact);
    program.add<FactErase>(fact);
}

} // namespace sluice::cli
