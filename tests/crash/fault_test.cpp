// P7 below the file layer and beside it: on files of the operating system, system calls fail, are
// interrupted and stop half way, and memory runs out, at every call in turn; in the life of a
// database (scenario.hpp), and in one of transforms and views that read (transform_scenario.hpp).
#include "crash/allocations.hpp"
#include "crash/scenario.hpp"
#include "crash/system_calls.hpp"
#include "crash/transform_scenario.hpp"
#include "crash/trials.hpp"
#include "support/file_bytes.hpp"
#include "support/temporary_directory.hpp"

#include <gtest/gtest.h>

namespace sluice::test {
namespace {

/// A directory of the operating system.
class RealFolder {
public:
    std::unique_ptr<Directory> open() const {
        return open_directory(directory_.path(), Create::never).value();
    }
    std::string find(std::string_view text) const {
        return FileBytes(directory_.path()).find(text);
    }

private:
    TemporaryDirectory directory_{in_memory_if_possible()};
};

/// Lives with faults. What fails is answered, and latches.
template <typename Life> void live(Life& life, std::string& when) {
    try {
        const auto told = life.tell();
        when += ", during " + life.step;
        if (told) return;
        EXPECT_TRUE(is_failure_of_machine(told.error().code))
            << when << ": " << told.error().context;
        if (life.database == nullptr) return;
        const auto appended = life.database->append(NewMessage{"more"});
        EXPECT_TRUE(!appended && appended.error().code == Errc::latched) << when;
    } catch (const std::exception& error) {
        ADD_FAILURE() << when << ", during " << life.step << ", an exception: " << error.what();
    }
}

/// Lives while `plan` holds, and judges what opening again finds. False if nothing failed.
template <typename Life, typename Faults, typename Plan>
bool live_with(Plan& plan, const std::string& what, Trials& trials) {
    const RealFolder folder;
    Life life(folder.open());
    life.meanwhile = [&] { return std::make_shared<Faults>(plan); };
    std::string when = what;
    live(life, when);
    {
        const Faults closing(plan);
        life.database.reset();
    }
    if (plan.failed > 0) trials.count_fault();
    const auto root = folder.open();
    const auto find = [&](std::string_view text) { return folder.find(text); };
    trials.count_state(life.judge({*root, find}), when);
    return plan.failed > 0;
}

/// Every so many, one of the life's system calls fails, or it and all behind it.
template <typename Life> void fail_system_calls(std::uint64_t every, Trials& trials) {
    using Fault = CallPlan::Fault;
    constexpr Fault kFaults[] = {Fault::io, Fault::no_space, Fault::no_resource};
    for (std::uint64_t i = round_number() % every;; i += every) {
        CallPlan plan;
        plan.fault = kFaults[i / every % std::size(kFaults)];
        plan.succeed = i;
        plan.is_once = i / every % 2 == 0;
        const std::string when = "fault " + std::to_string(static_cast<int>(plan.fault)) +
                                 (plan.is_once ? " once" : " for ever") + " behind " +
                                 std::to_string(i) + " calls";
        if (!live_with<Life, FaultyCalls>(plan, when, trials) || trials.have_failed_enough()) break;
    }
}

/// There are too many for all of them to be tried each time: so many are, evenly.
template <typename Life> void fail_allocations(std::uint64_t count, Trials& trials) {
    AllocationPlan all;
    all.succeed = ~std::uint64_t{0};
    {
        const RealFolder folder;
        Life life(folder.open());
        life.meanwhile = [&] { return std::make_shared<FailingAllocations>(all); };
        life.tell().value();
    }
    ASSERT_GT(all.count, 10'000u);
    const std::uint64_t every = all.count / count + 1;
    for (std::uint64_t i = (round_number() * 31) % every; i < all.count; i += every) {
        AllocationPlan plan;
        plan.succeed = i;
        plan.is_once = i / every % 2 == 0;
        const std::string when = std::string("out of memory") +
                                 (plan.is_once ? " once" : " for ever") + " behind " +
                                 std::to_string(i) + " allocations";
        live_with<Life, FailingAllocations>(plan, when, trials);
        if (trials.have_failed_enough()) break;
    }
}

TEST(SystemCalls, AreRepeatedWhenASignalInterruptsThem) {
    Trials trials("every call is interrupted once");
    CallPlan plan;
    plan.interrupts = true;
    live_with<Scenario, FaultyCalls>(plan, "interrupted", trials);
    EXPECT_GT(plan.count, 900u);
}

TEST(SystemCalls, AreContinuedWhenTheyStopHalfWay) {
    Trials trials("every read and write is short");
    CallPlan plan;
    plan.is_short = true;
    live_with<Scenario, FaultyCalls>(plan, "short", trials);
    EXPECT_GT(plan.count, 1000u);
}

// A directory that cannot be read to its end is not one with fewer files: a log that lacks a
// segment would give its seqs to others.
TEST(SystemCalls, ThatFailWhileADirectoryIsListedAreNotTakenForItsEnd) {
    const RealFolder folder;
    const auto root = folder.open();
    const std::vector<std::string> all = {"a", "b", "c"};
    for (const std::string& name : all) root->open(name, Create::must).value();
    std::uint64_t refused = 0;
    for (CallPlan plan{.fault = CallPlan::Fault::io};; ++plan.succeed) {
        plan.count = plan.failed = 0;
        const auto names = [&] {
            const FaultyCalls faulty(plan);
            return root->list();
        }();
        if (plan.failed == 0) break;
        EXPECT_EQ(names ? Errc::latched : names.error().code, Errc::io) << plan.succeed;
        ++refused;
    }
    EXPECT_GE(refused, 8u);
    EXPECT_EQ(root->list().value(), all);
}

TEST(Failure, OfEverySystemCallIsAnsweredAndHealedByOpeningAgain) {
    Trials trials("every system call fails");
    fail_system_calls<Scenario>(stride(), trials);
    EXPECT_GT(trials.faults(), 1200 / stride());
}

TEST(Failure, OfEveryAllocationIsAnsweredAndHealedByOpeningAgain) {
    Trials trials("every allocation fails");
    fail_allocations<Scenario>(5000 / stride(), trials);
    EXPECT_GT(trials.faults(), 4000 / stride());
}

// What messages are read with is as safe as what they are.
TEST(FailureOfTransforms, AtEverySystemCallIsAnsweredAndHealedByOpeningAgain) {
    Trials trials("every system call of transforms fails");
    fail_system_calls<TransformScenario>(4 * stride(), trials);
    EXPECT_GT(trials.faults(), 500 / stride());
}

TEST(FailureOfTransforms, AtEveryAllocationIsAnsweredAndHealedByOpeningAgain) {
    Trials trials("every allocation of transforms fails");
    fail_allocations<TransformScenario>(750 / stride(), trials);
    EXPECT_GT(trials.faults(), 600 / stride());
}

TEST(FailureOfTransforms, AtEveryOperationIsAnsweredAndHealedByOpeningAgain) {
    Trials trials("every operation of transforms fails");
    constexpr Errc kCodes[] = {Errc::io, Errc::no_space};
    const std::uint64_t every = 4 * stride();
    for (std::uint64_t i = round_number() % every;; i += every) {
        SimulatedDisk disk;
        TransformScenario life(disk.root());
        const std::uint64_t end = disk.operations() + i;
        const Errc code = kCodes[i / every % 2];
        const bool is_once = i / every % 4 < 2;
        is_once ? disk.fail_once_after(i, code) : disk.fail_after(i, code);
        std::string when = std::string(name_of(code)) + (is_once ? " once" : " for ever") +
                           " behind " + std::to_string(i) + " operations";
        live(life, when);
        life.database.reset();
        if (disk.operations() <= end || trials.have_failed_enough()) break;
        trials.count_fault();
        disk.stop_failing();
        const auto root = disk.root();
        const auto find = [&](std::string_view text) { return find_on(disk, text); };
        trials.count_state(life.judge({*root, find}), when);
    }
    EXPECT_GT(trials.faults(), 400 / stride());
}

} // namespace
} // namespace sluice::test
