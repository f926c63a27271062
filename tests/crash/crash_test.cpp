// P6 and P7 at every operation on the disk: the power is cut there, under every fate of what was
// not synced, or the disk fails there; then the database is opened again and held against the
// model. trials.hpp says how much is tried.
#include "crash/crash_points.hpp"
#include "crash/scenario.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <span>

namespace sluice::test {
namespace {

TEST(CrashDuringCreate, LeavesADatabaseOrRoomForOne) {
    SimulatedDisk disk;
    Trials trials("crash while creating");
    disk.observe([&] {
        each_disk_after_power_cut(disk, [&](SimulatedDisk& found, const std::string& when) {
            const auto root = found.root();
            if (!Database::open(*root, Scenario::options())) {
                const auto created = Database::create(*root);
                ASSERT_TRUE(created) << when << ": " << created.error().context;
            }
            trials.count_state(judge(found, Scenario::options(), {}, {}), when);
        });
    });
    const auto root = disk.root();
    Database::create(*root).value();
    disk.observe({});
    EXPECT_GT(trials.states(), 40u);
}

TEST(Crash, AtEveryOperationLeavesWhatWasAcknowledgedAndNothingThatWasErased) {
    SimulatedDisk disk;
    Scenario scenario(disk.root());
    Trials trials("crash at every operation");
    disk.observe([&] {
        if (disk.operations() % sparseness() != 0 || trials.have_failed_enough()) return;
        each_disk_after_power_cut(disk, [&](SimulatedDisk& found, const std::string& when) {
            trials.count_state(judge(found, Scenario::options(), scenario.before, scenario.after),
                               when + ", during " + scenario.step);
        });
    });
    const auto told = scenario.tell();
    disk.observe({});
    EXPECT_TRUE(told) << told.error().context;
    EXPECT_EQ(leftover_on(disk, scenario.after), "");
    EXPECT_GT(scenario.after.needles().size(), 8u);
    EXPECT_GT(trials.states(), 700 * (2 + 3 * seed_count()) / sparseness());
}

// The disk that a crash left is opened, and the power goes again while it is, and again while what
// that left is opened.
TEST(Crash, WhileRecoveringFromACrashWhileRecoveringLeavesTheSame) {
    SimulatedDisk disk;
    Scenario scenario(disk.root());
    Trials trials("crash while recovering, depths 2 and 3");
    disk.observe([&] {
        // What an erasure leaves is what an opening has most to do with.
        const std::uint64_t every = scenario.step.starts_with("erase") ? 41 : 151;
        if ((disk.operations() + round_number()) % (every * sparseness()) != 0) return;
        if (trials.have_failed_enough()) return;
        each_disk_after_power_cut(disk, [&](SimulatedDisk& first, const std::string& when) {
            const auto try_it = [&](SimulatedDisk& found, const std::string& now) {
                trials.count_state(
                    judge(found, Scenario::options(), scenario.before, scenario.after),
                    now + ", during " + scenario.step);
            };
            EXPECT_EQ(crash_while_opening(first, Scenario::options(), 2, 7, when, try_it), "");
        });
    });
    EXPECT_TRUE(scenario.tell());
    disk.observe({});
    EXPECT_GT(trials.states(), 150 * (2 + 3 * seed_count()) / sparseness());
}

/// What is live in both models, and the same, can be read whatever became of the step between them.
std::string unreadable(const Database& database, const Model& before, const Model& after) {
    const Snapshot snapshot = database.snapshot();
    for (const Seq seq : before.messages()) {
        const Content& content = before.at(seq).versions.back().content;
        const bool untouched = before.is_live(seq) && after.is_live(seq) &&
                               after.at(seq).versions.size() == before.at(seq).versions.size();
        if (!untouched) continue;
        const auto record = snapshot.get(seq);
        if (!record) return record.error().context;
        if (record->body != content.body()) {
            return "entry " + std::to_string(seq.value) + " reads otherwise";
        }
    }
    return {};
}

struct Fault {
    const char* what;
    Errc code;
    bool is_once;
    FailedSync pages = FailedSync::stays_dirty; ///< Where the operation is a sync.
};
constexpr Fault kFaults[] = {
    {"an I/O error from here on", Errc::io, false},
    {"no space from here on", Errc::no_space, false},
    {"one I/O error", Errc::io, true},
    {"no space once", Errc::no_space, true},
};
constexpr Fault kFaultsOfSyncs[] = {
    {"one I/O error, pages clean", Errc::io, true, FailedSync::kept_clean},
    {"one I/O error, pages reverted", Errc::io, true, FailedSync::reverted},
    {"I/O errors, pages clean", Errc::io, false, FailedSync::kept_clean},
    {"I/O errors, pages reverted", Errc::io, false, FailedSync::reverted},
};

/// In how many of the four ways each operation fails; as the rounds go on it is all of them.
std::uint64_t ways() {
    return std::clamp<std::uint64_t>(seed_count() / 2, 1, 4);
}
template <typename Try>
void each_of(std::span<const Fault, 4> faults, std::uint64_t operations, const Try& try_it) {
    for (std::uint64_t i = 0; i < ways(); ++i) {
        try_it(faults[(operations + round_number() + i * 3) % faults.size()]);
    }
}

/// Which operations of the scenario are syncs of files.
std::set<std::uint64_t> syncs_of_scenario() {
    SimulatedDisk disk;
    Scenario scenario(disk.root());
    const std::uint64_t begin = disk.operations();
    std::uint64_t syncs = disk.syncs();
    std::set<std::uint64_t> found;
    disk.observe([&] {
        if (disk.syncs() > syncs) found.insert(disk.operations() - begin - 1);
        syncs = disk.syncs();
    });
    scenario.tell().value();
    disk.observe({});
    return found;
}

/// After a write failed, reading goes on and writing does not.
void expect_latched(Database& database, const Scenario& scenario, const std::string& when) {
    const Seq last = database.last();
    for (int i = 0; i < 2; ++i) {
        const auto appended = database.append(NewMessage{"more"});
        EXPECT_TRUE(!appended && appended.error().code == Errc::latched)
            << when << (appended ? "appended" : appended.error().context);
        if (last == Seq{}) continue;
        const auto deleted = database.delete_messages(std::vector<Seq>{{1}});
        EXPECT_TRUE(!deleted && deleted.error().code == Errc::latched) << when;
    }
    EXPECT_EQ(database.last(), last) << when;
    EXPECT_EQ(unreadable(database, scenario.before, scenario.after), "") << when;
}

/// Lives the scenario with one fault, and judges what opening again finds. False if it ends first.
bool fail_behind(std::uint64_t operations, const Fault& fault, Trials& trials) {
    SimulatedDisk disk;
    Scenario scenario(disk.root());
    const std::uint64_t end = disk.operations() + operations;
    if (fault.is_once) {
        disk.fail_once_after(operations, fault.code, fault.pages);
    } else {
        disk.fail_after(operations, fault.code, fault.pages);
    }
    const auto told = scenario.tell();
    if (told && disk.operations() <= end) return false;
    trials.count_fault();
    const std::string when = std::string(fault.what) + " behind " + std::to_string(operations) +
                             " operations, during " + scenario.step + ": ";
    if (!told) {
        const Errc code = told.error().code;
        EXPECT_TRUE(code == fault.code || code == Errc::latched) << when << told.error().context;
        if (scenario.database) expect_latched(*scenario.database, scenario, when);
    } // Else it was in what can be done without, such as the index of a closed log segment.
    scenario.database.reset();
    disk.stop_failing();
    // The power goes before, or behind the next acknowledged append, or not at all.
    if ((operations + round_number()) % 3 == 0) {
        disk.cut_power(kEveryFate[operations / 3 % std::size(kEveryFate)], operations);
    }
    trials.count_state(judge_twice(disk, Scenario::options(), scenario.before, scenario.after),
                       when);
    return true;
}

// P7
TEST(Failure, OfEveryOperationIsAnsweredLatchesAndIsHealedByOpeningAgain) {
    Trials trials("every operation fails");
    bool is_over = false;
    for (std::uint64_t operations = round_number() % sparseness();
         !is_over && !trials.have_failed_enough(); operations += sparseness()) {
        each_of(kFaults, operations, [&](const Fault& fault) {
            is_over = is_over || !fail_behind(operations, fault, trials);
        });
    }
    EXPECT_GT(trials.faults(), 700 * ways() / sparseness());
}

// A sync that fails and what file systems make of its pages, which the next sync does not write
// although it succeeds.
TEST(Failure, OfASyncIsHealedByOpeningAgainWhateverBecameOfItsPages) {
    Trials trials("every sync fails, pages clean or reverted");
    std::uint64_t turn = round_number();
    for (const std::uint64_t operations : syncs_of_scenario()) {
        if (trials.have_failed_enough()) break;
        if (turn++ % sparseness() != 0) continue;
        each_of(kFaultsOfSyncs, operations,
                [&](const Fault& fault) { fail_behind(operations, fault, trials); });
    }
    EXPECT_GT(trials.faults(), 150 * ways() / sparseness());
}

} // namespace
} // namespace sluice::test
