// P6 and P7 at every operation on the disk: the power is cut there, under every fate of what was
// not synced, or the disk fails there; then the database is opened again and held against the
// model. SLUICE_CRASH_SEEDS says how many torn and how many reordered disks are tried at each
// operation (2).
#include "crash/scenario.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace sluice::test {
namespace {

std::uint64_t seed_count() {
    const char* const wanted = std::getenv("SLUICE_CRASH_SEEDS");
    return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 2;
}

/// The disks that may be found if the power is cut now.
void each_disk_after_power_cut(
    const SimulatedDisk& disk,
    const std::function<void(SimulatedDisk&, const std::string&)>& try_it) {
    for (const Fate fate : kEveryFate) {
        const bool has_variants = fate == Fate::torn || fate == Fate::reordered;
        for (std::uint64_t seed = 0; seed < (has_variants ? seed_count() : 1); ++seed) {
            const std::uint64_t dice = disk.operations() * 1000 + seed;
            const auto found = disk.copy_after_power_cut(fate, dice);
            try_it(*found, "operation " + std::to_string(disk.operations()) + ", fate " +
                               std::to_string(static_cast<int>(fate)) + ", dice " +
                               std::to_string(dice));
        }
    }
}

// P6
std::string needle_in(const SimulatedDisk& disk, const Model& model) {
    for (const std::string& needle : model.needles()) {
        auto found = disk.find(needle);
        const auto on_device = disk.find_on_device(needle);
        found.insert(found.end(), on_device.begin(), on_device.end());
        if (!found.empty()) return "erased text \"" + needle + "\" is in " + found.front().where;
    }
    return {};
}

/// Empty, or why the database on this disk is neither what it was before the step under way, nor
/// what the step was to make of it.
std::string wrong_after_reopening(SimulatedDisk& disk, Model before, Model after) {
    const auto root = disk.root();
    auto database = Database::open(*root, Scenario::options());
    if (!database) return "cannot be opened: " + database.error().context;
    before.open_again();
    after.open_again();
    const std::string not_after = after.difference(**database);
    const std::string not_before = not_after.empty() ? "" : before.difference(**database);
    if (!not_after.empty() && !not_before.empty()) {
        return "not undone: " + not_before + "\nnot done: " + not_after;
    }
    Model& model = not_after.empty() ? after : before;
    if (std::string wrong = needle_in(disk, model); !wrong.empty()) return wrong;

    // It goes on from there: also the views in code, when their application comes.
    for (const auto& [name, view] : std::map(model.views)) {
        const Meaning& meaning = meanings()[view.meaning];
        if (!meaning.is_code()) continue;
        (*database)->add_view(name, meaning.code()).value();
        model.add_view(view.meaning);
    }
    const Content content = make_content(model.last().value, "after the crash");
    (*database)->append(NewMessage{content.body(), "<after>"}).value();
    model.append(content, "<after>");
    const std::string wrong = model.difference(**database);
    return wrong.empty() ? "" : "going on: " + wrong;
}

TEST(CrashDuringCreate, LeavesADatabaseOrRoomForOne) {
    SimulatedDisk disk;
    std::uint64_t states = 0;
    disk.observe([&] {
        each_disk_after_power_cut(disk, [&](SimulatedDisk& found, const std::string& when) {
            ++states;
            const auto root = found.root();
            if (Database::open(*root, Scenario::options())) return;
            const auto created = Database::create(*root);
            ASSERT_TRUE(created) << when << ": " << created.error().context;
            EXPECT_EQ(wrong_after_reopening(found, {}, {}), "") << when;
        });
    });
    const auto root = disk.root();
    Database::create(*root).value();
    disk.observe({});
    EXPECT_GT(states, 20u);
}

TEST(Crash, AtEveryOperationLeavesWhatWasAcknowledgedAndNothingThatWasErased) {
    SimulatedDisk disk;
    Scenario scenario(disk);
    std::uint64_t states = 0;
    std::uint64_t failures = 0;
    disk.observe([&] {
        if (failures > 5) return;
        each_disk_after_power_cut(disk, [&](SimulatedDisk& found, const std::string& when) {
            ++states;
            const std::string wrong = wrong_after_reopening(found, scenario.before, scenario.after);
            if (wrong.empty()) return;
            ++failures;
            ADD_FAILURE() << when << ", during " << scenario.step << ": " << wrong;
        });
    });
    const auto told = scenario.tell();
    disk.observe({});
    EXPECT_TRUE(told) << told.error().context;
    EXPECT_EQ(needle_in(disk, scenario.after), "");
    EXPECT_GT(scenario.after.needles().size(), 8u);
    EXPECT_GT(states, 2000u);
    std::printf("%llu states\n", static_cast<unsigned long long>(states));
}

// The disk that a crash left is opened, and the power goes again while it is.
TEST(Crash, WhileRecoveringFromACrashLeavesTheSame) {
    const std::uint64_t kEvery = 67 / seed_count() + 1;
    SimulatedDisk disk;
    Scenario scenario(disk);
    std::uint64_t states = 0;
    std::uint64_t failures = 0;
    disk.observe([&] {
        if (disk.operations() % kEvery != 0 || failures > 5) return;
        each_disk_after_power_cut(disk, [&](SimulatedDisk& first, const std::string& when) {
            first.observe([&] {
                const std::uint64_t dice = first.operations();
                const Fate fate = kEveryFate[dice % std::size(kEveryFate)];
                const auto second = first.copy_after_power_cut(fate, dice);
                ++states;
                const std::string wrong =
                    wrong_after_reopening(*second, scenario.before, scenario.after);
                if (wrong.empty()) return;
                ++failures;
                ADD_FAILURE() << when << ", then operation " << dice << ", fate "
                              << static_cast<int>(fate) << ", during " << scenario.step << ": "
                              << wrong;
            });
            const auto root = first.root();
            EXPECT_TRUE(Database::open(*root, Scenario::options())) << when;
            first.observe({});
        });
    });
    EXPECT_TRUE(scenario.tell());
    disk.observe({});
    EXPECT_GT(states, 300u);
    std::printf("%llu states\n", static_cast<unsigned long long>(states));
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

// P7
TEST(Failure, OfEveryOperationIsAnsweredAndHealedByOpeningAgain) {
    std::uint64_t count = 0;
    for (std::uint64_t operations = 0; !testing::Test::HasFailure(); ++operations) {
        SimulatedDisk disk;
        Scenario scenario(disk);
        disk.fail_after(operations, operations % 2 == 0 ? Errc::io : Errc::no_space);
        const auto told = scenario.tell();
        if (told) break;
        ++count;
        const std::string when =
            "behind " + std::to_string(operations) + " operations, during " + scenario.step + ": ";
        const auto is_answer = [](Errc code) {
            return code == Errc::io || code == Errc::no_space || code == Errc::latched;
        };
        EXPECT_TRUE(is_answer(told.error().code)) << when << told.error().context;
        if (scenario.database) {
            const Seq last = scenario.database->last();
            for (int i = 0; i < 2; ++i) {
                const auto appended = scenario.database->append(NewMessage{"more"});
                EXPECT_TRUE(!appended && is_answer(appended.error().code)) << when;
                if (last == Seq{}) continue;
                const auto deleted = scenario.database->delete_messages(std::vector<Seq>{{1}});
                EXPECT_TRUE(!deleted && is_answer(deleted.error().code)) << when;
            }
            EXPECT_EQ(scenario.database->last(), last) << when;
            EXPECT_EQ(unreadable(*scenario.database, scenario.before, scenario.after), "") << when;
            scenario.database.reset();
        }
        disk.stop_failing();
        if (operations % 3 == 0) disk.cut_power(kEveryFate[operations / 3 % 4], operations);
        EXPECT_EQ(wrong_after_reopening(disk, scenario.before, scenario.after), "") << when;
    }
    EXPECT_GT(count, 500u);
    std::printf("%llu failures\n", static_cast<unsigned long long>(count));
}

// A disk that fails once and then works again must not make the database forget that it failed:
// nobody knows what that write left behind.
TEST(Failure, ThatPassesStaysLatchedUntilOpenedAgain) {
    std::uint64_t count = 0;
    for (std::uint64_t operations = 0; !testing::Test::HasFailure(); operations += 7) {
        SimulatedDisk disk;
        Scenario scenario(disk);
        disk.fail_after(operations);
        if (scenario.tell()) break;
        ++count;
        disk.stop_failing();
        const std::string when =
            "behind " + std::to_string(operations) + " operations, during " + scenario.step + ": ";
        if (scenario.database) {
            const auto appended = scenario.database->append(NewMessage{"more"});
            EXPECT_TRUE(!appended && appended.error().code == Errc::latched)
                << when << (appended ? "appended" : appended.error().context);
            EXPECT_EQ(unreadable(*scenario.database, scenario.before, scenario.after), "") << when;
            scenario.database.reset();
        }
        EXPECT_EQ(wrong_after_reopening(disk, scenario.before, scenario.after), "") << when;
    }
    EXPECT_GT(count, 60u);
}

} // namespace
} // namespace sluice::test
