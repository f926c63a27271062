// P1, P3, P6 and P7 for views that read views: the power is cut at operations of building one, of
// changes that wake them, of switching what they read and of their coming back; then the database
// is opened, at first without their code. trials.hpp says how much is tried.
#include "crash/crash_points.hpp"
#include "database/transform_test_support.hpp"

namespace sluice::test {
namespace {

constexpr int kAuthors = 12;
constexpr const char* kLikes = R"({"kind":"index","key":["/likes"]})";
constexpr const char* kLoves = R"({"kind":"index","key":["/loves"]})";

/// Of each author how often and, with `version`, by whom first he is liked.
CodeView ranked(const Database& database, std::uint32_t version = 1) {
    CodeView view;
    view.app = "ranks";
    view.version = version;
    const Source liked = database.rows_of("liked").value();
    view.reads = {liked};
    view.map_reading = [liked, version](Context& context, const Message& message, Emit& emit) {
        const std::string name = member(message, "name");
        if (name.empty()) return;
        const auto found = context.prefix(liked, Key(name));
        emit(Key(found.size(), name, version, found.empty() ? 0 : found.front().owner.value));
    };
    return view;
}

/// The first and the last of what is ranked.
CodeView ends(const Database& database) {
    CodeView view;
    view.app = "ends";
    const Source ranks = database.rows_of("ranked").value();
    view.reads = {ranks};
    view.map_reading = [ranks](Context& context, const Message& message, Emit& emit) {
        if (member(message, "name").empty()) return;
        for (const auto& cell : {context.first(ranks, Key{}), context.last(ranks, Key{})}) {
            if (cell) emit(cell->key());
        }
    };
    return view;
}

/// Authors, likes, and the two views that read them.
struct Ranks : DatabaseOnDisk {
    Ranks() {
        options.view_segment_rows_max = 16;
        reopen();
        database->add_view("liked", kLikes).value();
        std::vector<std::string> bodies;
        for (int i = 0; i < kAuthors; ++i) {
            const std::string name = "author " + std::to_string(i);
            bodies.push_back(R"({"name":")" + name + "\"}");
            for (int n = 0; n < i % 4; ++n) {
                bodies.push_back(R"({"likes":")" + name + R"(","loves":"author 3"})");
            }
        }
        std::vector<NewMessage> batch;
        batch.reserve(bodies.size());
        for (const std::string& body : bodies) batch.push_back({body, {}});
        database->append(batch).value();
    }
    void load() { load(*database); }
    static void load(Database& to, std::uint32_t version = 1) {
        to.add_view("ranked", ranked(to, version)).value();
        to.add_view("ends", ends(to)).value();
    }
    Seqs likes() const {
        Seqs seqs;
        auto rows = database->snapshot().read("liked").value();
        while (rows.next()) seqs.push_back(rows.seq());
        return seqs;
    }
};

/// What is wrong with what a crash left: without the code of the views that read, and with it.
Verdict verdict_on(SimulatedDisk& disk, const Options& options, std::uint32_t version,
                   const std::string& needle) {
    Verdict verdict;
    const auto root = disk.root();
    const auto database = Database::open(*root, options);
    if (!database) {
        verdict.loss = "cannot be opened: " + database.error().context;
        return verdict;
    }
    verdict.loss = first_difference(**database);
    if (!verdict.loss.empty()) return verdict;
    Ranks::load(**database, version);
    verdict.loss = first_difference(**database);
    const bool is_erased = !needle.empty() && !(*database)->receipts().empty();
    if (is_erased) verdict.leftover = find_on(disk, needle);
    return verdict;
}

/// Cuts the power at operations of `act`, and again while what is found is opened.
template <typename Act>
void cut_during(const std::string& what, Ranks& on, const Act& act, const std::string& needle = {},
                std::uint32_t version = 1) {
    Trials trials("crash while " + what);
    const auto try_it = [&](SimulatedDisk& found, const std::string& when) {
        trials.count_state(verdict_on(found, on.options, version, needle), when);
    };
    on.disk.observe([&] {
        const std::uint64_t turn = on.disk.operations() + round_number();
        if (turn % stride() != 0 || trials.have_failed_enough()) return;
        each_disk_after_power_cut(on.disk, [&](SimulatedDisk& found, const std::string& when) {
            const auto again = found.copy_after_power_cut(Fate::kept);
            try_it(found, when);
            if (turn % (stride() * 5) != 0) return;
            EXPECT_EQ(crash_while_opening(*again, on.options, 1, 7, when, try_it), "");
        });
    });
    act();
    on.disk.observe({});
    EXPECT_EQ(first_difference(*on.database), "");
    EXPECT_GT(trials.states(), 100 / stride());
}

TEST(ReaderCrash, WhileOneIsBuilt) {
    Ranks on;
    cut_during("a reader is built", on, [&] { on.load(); });
}

TEST(ReaderCrash, WhileWhatTheyReadIsDeletedAndRestored) {
    Ranks on;
    on.load();
    const Seqs likes = on.likes();
    cut_during("what readers read goes and comes back", on, [&] {
        on.database->delete_messages(likes).value();
        on.database->merge_views().value();
        on.database->restore(likes).value();
        on.database->merge_views().value();
    });
}

TEST(ReaderCrash, WhileTheyComeBackToALongList) {
    Ranks on;
    on.load();
    on.reopen();
    on.database->delete_messages(on.likes()).value();
    on.append(R"({"likes":"author 1"})");
    cut_during("readers come back", on, [&] {
        on.load();
        on.database->merge_views().value();
    });
}

TEST(ReaderCrash, WhileWhatTheyReadTakesAnotherDefinition) {
    Ranks on;
    on.load();
    cut_during("what readers read is redefined", on, [&] {
        on.database->add_view("liked", kLoves).value();
        on.database->merge_views().value();
    });
}

TEST(ReaderCrash, WhileANewVersionTakesTheirPlace) {
    Ranks on;
    on.load();
    cut_during(
        "a new version of a reader is built", on,
        [&] {
            Ranks::load(*on.database, 2);
            on.database->merge_views().value();
        },
        {}, 2);
}

// P6
TEST(ReaderCrash, WhileWhatTheyReadIsErased) {
    Ranks on;
    const std::string needle = "a needle that nobody must find";
    const Seq first = on.append(R"({"name":")" + needle + "\"}");
    const Seq second = on.append(R"({"likes":")" + needle + "\"}");
    on.load();
    on.append(R"({"name":"author 99"})");
    on.database->merge_views().value();
    cut_during(
        "what readers read is erased", on,
        [&] {
            on.database->erase(Seqs{first, second}).value();
        },
        needle);
    EXPECT_EQ(on.disk.find(needle).size(), 0u);
    EXPECT_EQ(on.disk.find_on_device(needle).size(), 0u);
}

} // namespace
} // namespace sluice::test
