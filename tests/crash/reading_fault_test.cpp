// P7 for who only reads: beside a life (scenario.hpp) somebody follows it, and one after the other
// of the system calls and allocations of each of his turns fails. Then he is told so, and goes on
// from what he had; and the next turn shows what is there. Likewise for calls that look into files.
#include "base/try.hpp"
#include "crash/allocations.hpp"
#include "crash/scenario.hpp"
#include "crash/system_calls.hpp"
#include "crash/trials.hpp"
#include "support/temporary_directory.hpp"

#include <sluice/check.hpp>
#include <sluice/feed.hpp>

#include <gtest/gtest.h>

#include <new>

namespace sluice::test {
namespace {

/// Whoever reads beside a life. The call of each turn that has this number fails.
template <typename Faults, typename Plan> class Follower {
public:
    Follower(const std::string& path, Scenario& life, Plan plan, Trials& trials)
        : path_(path), life_(life), plan_(plan), trials_(trials) {
        options_ = Scenario::options();
        options_.read_only = true;
    }

    /// Between two steps of the life.
    void take_turn() {
        const std::string when = "behind " + std::to_string(plan_.succeed) + " calls, after " +
                                 life_.step + " at " + std::to_string(life_.after.last().value);
        plan_.count = plan_.failed = 0;
        const std::string had = shown();
        Result<void> followed;
        try {
            const Faults faults(plan_);
            followed = follow();
        } catch (const std::bad_alloc&) { // A call that reads throws it.
            followed = Error{Errc::io, "out of memory"};
        }
        if (!followed) {
            EXPECT_TRUE(plan_.failed > 0 && is_failure_of_machine(followed.error().code))
                << when << ": " << followed.error().context;
        }
        if (plan_.failed > 0) {
            trials_.count_fault();
            any_failed_ = true;
        }
        // Half of a step is never seen.
        if (reader_ && !had.empty() && shown() != had) {
            EXPECT_EQ(difference(life_.after), "") << when;
        }
        const auto healed = follow();
        trials_.count_state({.loss = healed ? difference(life_.after) : healed.error().context},
                            when);
    }

    /// An erasure waits for him otherwise.
    void leave() { reader_.reset(); }
    bool any_failed() const { return any_failed_; }

private:
    /// He has the code of no view that is written in code.
    std::string difference(Model expected) const {
        for (auto& [name, view] : expected.views) view.loaded = !meanings()[view.meaning].is_code();
        return expected.difference(*reader_);
    }
    std::string shown() const {
        return reader_ ? shown_by(reader_->snapshot(), reader_->views()) : "";
    }
    Result<void> follow() {
        if (reader_) {
            SLUICE_TRY(reader_->refresh());
        } else {
            SLUICE_TRY_ASSIGN(reader_, Database::open(path_, options_));
        }
        SLUICE_TRY_ASSIGN(const VerifyReport report, reader_->verify());
        if (!report.problems.empty()) return Error{Errc::io, report.problems.front()};
        if (!report.equal()) return Error{Errc::corrupt, "verify does not find it equal"};
        return {};
    }

    std::string path_;
    Scenario& life_;
    Options options_;
    Plan plan_;
    Trials& trials_;
    std::unique_ptr<Database> reader_;
    bool any_failed_ = false;
};

/// False if there were not so many calls in any turn.
template <typename Faults, typename Plan> bool follow_with(const Plan& plan, Trials& trials) {
    const TemporaryDirectory directory(in_memory_if_possible());
    Scenario life(open_directory(directory.path(), Create::never).value());
    Follower<Faults, Plan> follower(directory.path(), life, plan, trials);
    life.meanwhile = [&] {
        for (const char* const destroys : {"erase", "merge", "rule"}) {
            if (life.step.find(destroys) != std::string::npos) follower.leave();
        }
        return std::shared_ptr<void>(nullptr, [&](void*) {
            if (life.database) follower.take_turn();
        });
    };
    const auto told = life.tell();
    EXPECT_TRUE(told) << life.step << ": " << (told ? "" : told.error().context);
    return follower.any_failed();
}

TEST(FailureOfReaders, AtEverySystemCallIsAnsweredAndHealedByTheNextRefresh) {
    using Fault = CallPlan::Fault;
    Trials trials("every system call of a reader fails");
    std::uint64_t turn = round_number();
    // The log is followed with the first of them.
    for (std::uint64_t i = 0;; i += i < 12 ? 1 : 12 * stride(), ++turn) {
        CallPlan plan;
        plan.fault = turn % 2 == 0 ? Fault::io : Fault::no_resource;
        plan.succeed = i;
        plan.is_once = turn % 4 < 2;
        if (!follow_with<FaultyCalls>(plan, trials) || trials.have_failed_enough()) break;
    }
    EXPECT_GT(trials.faults(), 1500 / stride());
}

TEST(FailureOfReaders, AtEveryAllocationIsAnsweredAndHealedByTheNextRefresh) {
    Trials trials("every allocation of a reader fails");
    const std::uint64_t every = 60 * stride() + 1;
    for (std::uint64_t i = round_number() % every;; i += every) {
        AllocationPlan plan;
        plan.succeed = i;
        plan.is_once = i / every % 2 == 0;
        if (!follow_with<FailingAllocations>(plan, trials) || trials.have_failed_enough()) break;
    }
    EXPECT_GT(trials.faults(), 1000 / stride());
}

/// A database with rules, a consumer that is behind, and a view whose code is away.
class Kept {
public:
    Kept() {
        Scenario life(root_->subdirectory("db", Create::if_missing).value());
        life.tell().value();
        life.database.reset();
        database_ = Database::open(path(), Scenario::options()).value();
        Feed feed = database_->consumer("an-index").value();
        feed.next().value();
        feed.acknowledge().value();
    }
    std::string path() const { return directory_.path() + "/db"; }
    Database& database() { return *database_; }
    void close() { database_.reset(); }

private:
    TemporaryDirectory directory_{in_memory_if_possible()};
    std::unique_ptr<Directory> root_ = open_directory(directory_.path(), Create::never).value();
    std::unique_ptr<Database> database_;
};

/// Fails the calls of `ask` one after the other: it names the error, or answers as it does without.
template <typename Ask> void fail_calls_of(const std::string& what, const Ask& ask) {
    Trials trials("every system call of " + what + " fails");
    const std::string right = ask().value();
    for (std::uint64_t i = 0;; ++i) {
        CallPlan plan;
        plan.fault = i % 2 == 0 ? CallPlan::Fault::io : CallPlan::Fault::no_resource;
        plan.succeed = i;
        plan.is_once = i / 2 % 2 == 0;
        const Result<std::string> answer = [&] {
            const FaultyCalls faults(plan);
            return ask();
        }();
        if (plan.failed == 0 || trials.have_failed_enough()) break;
        trials.count_fault();
        const bool is_named = !answer && is_failure_of_machine(answer.error().code);
        Verdict verdict;
        if (!is_named && (!answer || *answer != right)) {
            verdict.loss = answer ? "answers " + *answer : answer.error().context;
        }
        trials.count_state(verdict, "behind " + std::to_string(i) + " calls");
    }
    EXPECT_GT(trials.faults(), 0u);
}

TEST(FailureOfReading, OfWhatLooksIntoFilesIsNamedAndNeverTakenForDamage) {
    Kept kept;
    fail_calls_of("verify", [&]() -> Result<std::string> {
        SLUICE_TRY_ASSIGN(const VerifyReport report, kept.database().verify());
        if (!report.problems.empty()) return Error{Errc::io, report.problems.front()};
        return std::string(report.equal() ? "equal" : "not equal");
    });
    fail_calls_of("listing consumers", [&]() -> Result<std::string> {
        SLUICE_TRY_ASSIGN(const auto consumers, kept.database().consumers());
        std::string text;
        for (const ConsumerInfo& each : consumers) {
            text += each.name + (each.is_readable ? " " : " damaged ");
        }
        return text;
    });
    fail_calls_of("going on with a consumer", [&]() -> Result<std::string> {
        SLUICE_TRY_ASSIGN(Feed feed, kept.database().consumer("an-index"));
        SLUICE_TRY_ASSIGN(const auto batch, feed.next());
        return std::to_string(batch.changes.size());
    });
    kept.close();
    fail_calls_of("check", [&]() -> Result<std::string> {
        SLUICE_TRY_ASSIGN(const std::vector<Finding> found, check(kept.path()));
        std::string text;
        for (const Finding& each : found) {
            if (each.what.find("cannot be read") != std::string::npos) {
                return Error{Errc::io, each.what};
            }
            text += each.file + ": " + each.what + '\n';
        }
        return text;
    });
}

// Who is not told that files change looks from time to time. It opens without being told, if it
// must.
TEST(FailureOfWatching, MakesAReaderLookByItself) {
    const TemporaryDirectory directory{in_memory_if_possible()};
    Database::create(directory.path()).value();
    const auto writer = Database::open(directory.path()).value();
    Options options;
    options.read_only = true;
    int done_without = 0;
    for (CallPlan plan{.fault = CallPlan::Fault::no_resource};; ++plan.succeed) {
        plan.count = plan.failed = 0;
        const auto reader = [&] {
            const FaultyCalls faults(plan);
            return Database::open(directory.path(), options);
        }();
        if (!reader) continue;
        const Seq before = writer->last();
        const Seq last = writer->append(NewMessage{"news"}).value();
        EXPECT_EQ((*reader)->wait_for_entry(before, std::chrono::seconds(20)), last)
            << "behind " << plan.succeed << " calls";
        if (plan.failed == 0) break;
        ++done_without;
    }
    EXPECT_GE(done_without, 4) << "inotify, eventfd, and two directories";
}

} // namespace
} // namespace sluice::test
