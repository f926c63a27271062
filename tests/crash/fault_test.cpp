// P7 below the file layer and beside it: on files of the operating system, system calls fail, are
// interrupted and stop half way, and memory runs out, at every call in turn.
#include "crash/allocations.hpp"
#include "crash/scenario.hpp"
#include "crash/system_calls.hpp"
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

Verdict judge(const RealFolder& folder, const Scenario& scenario) {
    const auto root = folder.open();
    const Place place{*root, [&](std::string_view text) { return folder.find(text); }};
    return judge(place, Scenario::options(), scenario.before, scenario.after);
}

/// Lives the scenario while `plan` holds, and judges what opening again finds. False if nothing
/// failed.
template <typename Faults, typename Plan>
bool live_with(Plan& plan, const std::string& what, Trials& trials) {
    const RealFolder folder;
    Scenario scenario(folder.open());
    scenario.meanwhile = [&] { return std::make_shared<Faults>(plan); };
    std::string when = what;
    try {
        const auto told = scenario.tell();
        when += ", during " + scenario.step;
        if (!told) {
            const Errc code = told.error().code;
            EXPECT_TRUE(code == Errc::io || code == Errc::no_space || code == Errc::latched)
                << when << ": " << told.error().context;
            if (scenario.database) {
                const auto appended = scenario.database->append(NewMessage{"more"});
                EXPECT_TRUE(!appended && appended.error().code == Errc::latched) << when;
            }
        }
    } catch (const std::exception& error) {
        ADD_FAILURE() << when << ", during " << scenario.step << ", an exception: " << error.what();
    }
    {
        const Faults closing(plan);
        scenario.database.reset();
    }
    if (plan.failed > 0) trials.count_fault();
    trials.count_state(judge(folder, scenario), when);
    return plan.failed > 0;
}

TEST(SystemCalls, AreRepeatedWhenASignalInterruptsThem) {
    Trials trials("every call is interrupted once");
    CallPlan plan;
    plan.interrupts = true;
    live_with<FaultyCalls>(plan, "interrupted", trials);
    EXPECT_GT(plan.count, 900u);
}

TEST(SystemCalls, AreContinuedWhenTheyStopHalfWay) {
    Trials trials("every read and write is short");
    CallPlan plan;
    plan.is_short = true;
    live_with<FaultyCalls>(plan, "short", trials);
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
    using Fault = CallPlan::Fault;
    constexpr Fault kFaults[] = {Fault::io, Fault::no_space, Fault::no_resource};
    Trials trials("every system call fails");
    for (std::uint64_t i = round_number() % stride();; i += stride()) {
        CallPlan plan;
        plan.fault = kFaults[i / stride() % std::size(kFaults)];
        plan.succeed = i;
        plan.is_once = i / stride() % 2 == 0;
        const std::string when = "fault " + std::to_string(static_cast<int>(plan.fault)) +
                                 (plan.is_once ? " once" : " for ever") + " behind " +
                                 std::to_string(i) + " calls";
        if (!live_with<FaultyCalls>(plan, when, trials) || trials.have_failed_enough()) break;
    }
    EXPECT_GT(trials.faults(), 1200 / stride());
}

TEST(Failure, OfEveryAllocationIsAnsweredAndHealedByOpeningAgain) {
    Trials trials("every allocation fails");
    AllocationPlan all;
    all.succeed = ~std::uint64_t{0};
    {
        const RealFolder folder;
        Scenario scenario(folder.open());
        scenario.meanwhile = [&] { return std::make_shared<FailingAllocations>(all); };
        scenario.tell().value();
    }
    ASSERT_GT(all.count, 10'000u);
    // There are too many for all of them to be tried each time.
    const std::uint64_t every = all.count / (5000 / stride()) + 1;
    for (std::uint64_t i = (round_number() * 31) % every; i < all.count; i += every) {
        AllocationPlan plan;
        plan.succeed = i;
        plan.is_once = i / every % 2 == 0;
        const std::string when = std::string("out of memory") +
                                 (plan.is_once ? " once" : " for ever") + " behind " +
                                 std::to_string(i) + " allocations";
        live_with<FailingAllocations>(plan, when, trials);
        if (trials.have_failed_enough()) break;
    }
    EXPECT_GT(trials.faults(), 4000 / stride());
}

} // namespace
} // namespace sluice::test
