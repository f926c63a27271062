// key add, list, drop, erase: what opens private Scuttlebutt messages.
#include "base/try.hpp"
#include "cli/input.hpp"
#include "cli/motive.hpp"
#include "cli/program.hpp"
#include "scuttlebutt/read_keys.hpp"

#include <sluice/scuttlebutt.hpp>

#include <algorithm>

namespace sluice::cli {
namespace {

using namespace scuttlebutt;

constexpr const char* kUnbox = "scuttlebutt.unbox";

/// The fact of the key that people call `id`. Errors: not_found; invalid_argument (several).
Result<FactName> name_of_key(const Database& database, const std::string& id) {
    std::vector<FactName> found;
    for (const Fact& fact : database.facts(kKeysCollection)) {
        const auto text = read_key_text(fact);
        if (text && text->id == id) found.push_back(fact.name);
    }
    if (found.size() == 1) return found.front();
    if (found.size() > 1) {
        return Error{
            Errc::invalid_argument,
            "several keys have this id: name one by `sluice fact`, as `sluice fact list DB " +
                std::string(kKeysCollection) + "` shows them"};
    }
    // A dropped identity is no fact any more, and has a name still.
    return FactName{std::string(kKeysCollection), Key(name_of(ReadKeyKind::identity), id)};
}

void show_keys_changed(Session& session, const Changed& changed, const std::string& done) {
    if (session.out.json) {
        session.out.line(to_json(changed));
        return;
    }
    session.out.line(changed.at == Seq{} ? "nothing to do"
                                         : done + "; " + look_different_text(changed.seqs.size()) +
                                               " (entry " + std::to_string(changed.at.value) + ')');
}

/// Whoever names a key knows nothing of facts.
Error about_key(const Error& error) {
    if (error.code != Errc::not_found) return error;
    return {Errc::not_found,
            "there is no key of this id; `sluice key list DB` lists those that there are"};
}

struct KeyAdd {
    static CommandText text() {
        return {"add",
                "Add keys, and open what they open",
                "FILE is a Scuttlebutt secret file, with its comment lines or with one key pair on "
                "each line; or with --group the key of a group, with --own the key that a feed "
                "boxes to itself with: 32 bytes in base64 or hexadecimal, or JSON with that in "
                "\"key\". Only messages that no key opened are tried, and with the new keys only. "
                "Whoever can read the database's files has the keys.",
                {"sluice key add db ~/.ssb/secret", "sluice key add db group.json --group"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("FILE", file, "The file; - for standard input")->required();
        auto* const group_option = app.add_flag("--group", is_group, "It has the key of a group");
        app.add_flag("--own", is_own, "It has a key for messages to oneself")
            ->excludes(group_option);
        motive.describe(app);
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const SecretBytes bytes, read_secret_file(file));
        auto read = keys_in(view_of(bytes));
        if (!read) return Error{read.error().code, file + ": " + read.error().context};
        std::vector<PreparedFact> keys = *std::move(read);
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        const std::vector<Fact> known = open->facts(kKeysCollection);
        std::erase_if(keys, [&](const PreparedFact& key) {
            return std::ranges::any_of(known, [&](const Fact& fact) {
                return fact.name.key.encoded() == key.name.key.encoded();
            });
        });
        ProgressLine progress;
        const std::string unbox = kUnbox;
        SLUICE_TRY(open->use_transforms(std::span(&unbox, 1), progress.function()));
        SLUICE_TRY_ASSIGN(const Changed changed,
                          open->put_facts(facts_of(keys), motive.options(progress)));
        show_keys_changed(session, changed, "added " + count_text(keys.size(), "key", "keys"));
        return {};
    }
    Result<std::vector<PreparedFact>> keys_in(std::string_view text) const {
        if (!is_group && !is_own) return identity_facts(text);
        SLUICE_TRY_ASSIGN(const GroupKey key, parse_group_key(text));
        std::vector<PreparedFact> keys;
        keys.push_back(is_group ? group_fact(key) : own_fact(key.key));
        return keys;
    }

    DatabaseArgument database;
    std::string file;
    bool is_group = false, is_own = false;
    Motive motive;
};

struct KeyList {
    static CommandText text() {
        return {"list",
                "List the keys by their ids",
                "The keys themselves are never printed.",
                {"sluice key list db"}};
    }
    void describe(CLI::App& app) { database.describe(app); }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open_to_read(session));
        using Align = Table::Align;
        Table table(session.out, {Align::right, Align::left, Align::left});
        const std::vector<Fact> facts = open->facts(kKeysCollection);
        if (!session.out.json && !facts.empty()) table.row({"ENTRY", "KIND", "ID"});
        for (const Fact& fact : facts) {
            const auto key = read_key_text(fact);
            if (!key) continue;
            if (session.out.json) {
                JsonObject object;
                object.add("kind", key->kind).add("id", key->id).add("entry", fact.at);
                session.out.line(object);
            } else {
                table.row(
                    {std::to_string(fact.at.value), std::string(key->kind), printable(key->id)});
            }
        }
        table.finish();
        return {};
    }

    DatabaseArgument database;
};

struct KeyDrop {
    static CommandText text() {
        return {"drop",
                "Take a key back, and close what it opened",
                "What it opened leaves every view and every file of the views. The log keeps the "
                "key; to destroy it, erase it.",
                {"sluice key drop db @hrBm6Db4hKljELXlI4l4WmnPqm9hCqJzAGP41AnU9nQ=.ed25519"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("ID", id, "As `sluice key list` shows it")->required();
        motive.describe(app);
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        SLUICE_TRY_ASSIGN(const FactName name, name_of_key(*open, id));
        ProgressLine progress;
        auto done = open->drop_fact(name, motive.options(progress));
        if (!done) return about_key(done.error());
        const Changed& changed = *done;
        show_keys_changed(session, changed, "dropped the key");
        return {};
    }

    DatabaseArgument database;
    std::string id;
    Motive motive;
};

struct KeyErase {
    static CommandText text() {
        return {
            "erase",
            "Destroy a key, and close what it opened",
            "No file of the database holds the key or what it opened afterwards, and a receipt "
            "says so. This cannot be undone.",
            {"sluice key erase db @hrBm6Db4hKljELXlI4l4WmnPqm9hCqJzAGP41AnU9nQ=.ed25519 --yes"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("ID", id, "As `sluice key list` shows it")->required();
        app.add_flag("--yes", yes, "Needed, because erasing cannot be undone");
        motive.describe(app);
    }
    Result<void> run(Session& session) const {
        if (!yes) throw UsageError{"erasing cannot be undone: say --yes"};
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        SLUICE_TRY_ASSIGN(const FactName name, name_of_key(*open, id));
        ProgressLine progress;
        auto done = open->erase_fact(name, motive.options(progress));
        if (!done) return about_key(done.error());
        const Changed& changed = *done;
        show_keys_changed(session, changed, "erased the key");
        return {};
    }

    DatabaseArgument database;
    std::string id;
    bool yes = false;
    Motive motive;
};

} // namespace

void add_key_commands(Program& program) {
    program.begin_group("Scuttlebutt");
    CLI::App& key = program.add_app(
        program.app(), {"key",
                        "Add, list, drop and erase keys of private messages",
                        "Keys are facts: a new one opens messages in every view, and without it "
                        "they are closed again.",
                        {}});
    key.require_subcommand(1);
    program.add<KeyAdd>(key);
    program.add<KeyList>(key);
    program.add<KeyDrop>(key);
    program.add<KeyErase>(key);
}

} // namespace sluice::cli
