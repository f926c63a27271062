// block, unblock, hops: feeds that leave, and how far the others are.
#include "base/json.hpp"
#include "base/try.hpp"
#include "cli/motive.hpp"
#include "cli/program.hpp"
#include "scuttlebutt/keys.hpp"

#include <sluice/scuttlebutt.hpp>

namespace sluice::cli {
namespace {

using namespace scuttlebutt;

struct Block {
    static CommandText text() {
        return {"block",
                "Block a feed: what it said leaves every view, what it says later stays out",
                "Its messages are deleted, so that unblock brings them back, or with --erase "
                "destroyed for ever. Appending and importing refuse what it says from now on.",
                {"sluice block db @hrBm6Db4hKljELXlI4l4WmnPqm9hCqJzAGP41AnU9nQ=.ed25519 "
                 "--reason spam"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("FEED", feed, "The feed's id")->required();
        auto* const erase_option =
            app.add_flag("--erase", erase, "Erase its messages: they cannot be brought back");
        app.add_flag("--yes", yes, "Needed with --erase")->needs(erase_option);
        motive.describe(app);
    }
    Result<void> run(Session& session) const {
        if (erase && !yes) throw UsageError{"erasing cannot be undone: say --yes"};
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        ProgressLine progress;
        const auto what = erase ? BlockedMessages::erase_them : BlockedMessages::delete_them;
        SLUICE_TRY_ASSIGN(const Blocking blocking,
                          block(*open, feed, what, motive.options(progress)));
        if (session.out.json) {
            session.out.line(to_json(blocking.messages).add("block", blocking.at));
        } else {
            session.out.line("blocked; " + messages_text(blocking.messages.seqs.size()) +
                             (erase ? " erased" : " deleted"));
        }
        return {};
    }

    DatabaseArgument database;
    std::string feed;
    bool erase = false, yes = false;
    Motive motive;
};

struct Unblock {
    static CommandText text() {
        return {"unblock",
                "Let a feed in again",
                "The messages that blocking deleted come back into every view.",
                {"sluice unblock db @hrBm6Db4hKljELXlI4l4WmnPqm9hCqJzAGP41AnU9nQ=.ed25519"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("FEED", feed, "The feed's id")->required();
        motive.describe(app);
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        ProgressLine progress;
        SLUICE_TRY_ASSIGN(const Changed restored, unblock(*open, feed, motive.options(progress)));
        if (session.out.json) {
            session.out.line(to_json(restored));
        } else {
            session.out.line("unblocked; " + messages_text(restored.seqs.size()) + " restored");
        }
        return {};
    }

    DatabaseArgument database;
    std::string feed;
    Motive motive;
};

struct Hops {
    static CommandText text() {
        return {"hops",
                "List the feeds that a feed reaches by follows, and in how many",
                "By the contact messages as views see them; what the feed blocks is not reached. "
                "With --without, those feeds that would be reached no more if that one were "
                "blocked.",
                {"sluice hops db @hrBm6Db4hKljELXlI4l4WmnPqm9hCqJzAGP41AnU9nQ=.ed25519 --max 2"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("FEED", feed, "Where to begin")->required();
        app.add_option("--max", hops_max, "How many follows at most")->type_name("N");
        app.add_option("--without", without, "What blocking this feed would cut off")
            ->type_name("FEED");
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY(check_feed(feed));
        if (!without.empty()) SLUICE_TRY(check_feed(without));
        SLUICE_TRY_ASSIGN(const auto open, database.open_to_read(session));
        const Snapshot snapshot = open->snapshot();
        LogCursor log = snapshot.log({.seen = true});
        std::vector<Contact> contacts;
        JsonParser parser;
        ProgressLine progress;
        const ProgressFunction tell = progress.function();
        while (true) {
            SLUICE_TRY_ASSIGN(const auto record, log.next());
            if (!record) break;
            if (tell && record->seq.value % 4096 == 0) {
                tell({"reading contacts", record->seq.value, snapshot.position().value});
            }
            if (record->hidden || record->body.find("contact") == std::string::npos) continue;
            const auto contact =
                contact_of({record->seq, record->key, record->body, parser.parse(record->body)});
            if (contact) contacts.push_back(*contact);
        }
        const HopsLimits limits{.hops_max = hops_max};
        auto hops = hops_from(feed, contacts, limits);
        if (!without.empty()) {
            std::erase_if(contacts, [this](const Contact& said) {
                return said.author == feed && said.contact == without;
            });
            contacts.push_back({feed, without, Relation::blocks});
            const HopsChange change = hops_change(hops, hops_from(feed, contacts, limits));
            std::map<std::string, unsigned> left;
            for (const std::string& each : change.left) left[each] = hops.at(each);
            hops = std::move(left);
        }
        std::vector<std::pair<unsigned, std::string>> sorted;
        sorted.reserve(hops.size());
        for (const auto& [id, count] : hops) sorted.emplace_back(count, id);
        std::sort(sorted.begin(), sorted.end());
        for (const auto& [count, id] : sorted) {
            if (session.out.json) {
                JsonObject object;
                session.out.line(object.add("feed", id).add("hops", std::uint64_t{count}));
            } else {
                session.out.line(std::to_string(count) + "  " + printable(id));
            }
        }
        return {};
    }

    DatabaseArgument database;
    std::string feed, without;
    unsigned hops_max = 3;
};

} // namespace

void add_block_commands(Program& program) {
    program.begin_group("Scuttlebutt");
    program.add<Block>(program.app());
    program.add<Unblock>(program.app());
    program.add<Hops>(program.app());
}

} // namespace sluice::cli
