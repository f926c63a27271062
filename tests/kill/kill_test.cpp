// P1 to P3, P6 and P7 under SIGKILL: a process that does everything, with readers beside it, is
// killed at random times, also while it opens what an earlier one left; then the database is opened
// and held against what the process had acknowledged. In company, other processes read on beside it
// all the time, one waits to write next, and all of them are killed too. What is done and when it
// ends is decided by SLUICE_CRASH_ROUND, but where it ends by the machine.
#include "crash/judge.hpp"
#include "crash/trials.hpp"
#include "kill/onlooker.hpp"
#include "kill/victim.hpp"
#include "kill/worker.hpp"
#include "model/toy_transforms.hpp"
#include "support/file_bytes.hpp"
#include "support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>

#include <unistd.h>

namespace sluice::test {
namespace {

constexpr std::uint64_t kKillsOfADirectory = 12;

/// SLUICE_KILLS: how many processes are killed.
std::uint64_t kill_count() {
    const char* const wanted = std::getenv("SLUICE_KILLS");
    return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 200;
}

/// What a directory should be, by the record of whoever kills.
struct Expected {
    Model before; ///< With all that was acknowledged.
    Model after;  ///< And what was under way.
    std::string step;
};

enum class Company : std::uint8_t { none, others };

class Killer {
public:
    Killer(Trials& trials, std::uint64_t seed, Company company)
        : trials_(trials), random_(seed), company_(company), options_(worker_options(random_())) {
        Database::create(directory_.path()).value();
        if (seed % 2 == 0) return;
        // They find nothing in these messages, and look for it in each.
        options_.transforms = toy_transforms();
        const auto database = Database::open(directory_.path(), options_).value();
        database->use_transforms(toy_transform_names()).value();
        model_.change();
        model_.has_transforms = true;
    }

    /// Kills a process at work, then perhaps some that open what it left, and judges.
    void kill_some(std::uint64_t life) {
        const std::uint64_t seed = random_();
        Work work{directory_.path(), options_, model_, RandomSteps(seed, life), gone_, 25};
        if (company_ == Company::others) gather_onlookers();
        Process worker([&](int marks) {
            sluice::test::work(std::move(work), [&](char mark, std::string_view what) {
                const std::string text = mark + std::string(what);
                if (::write(marks, text.data(), text.size()) < 0) ::_exit(1);
                if (mark == kWrong) ::_exit(1);
            });
        });
        std::optional<Process> successor;
        if (company_ == Company::others && pick(2) == 0) {
            successor.emplace([&](int) { write_next(); });
        }
        const Obituary obituary = worker.kill_at(random_moment());
        count(obituary);
        std::string when = "life " + std::to_string(life) + " in " + directory_.path();
        if (!obituary.wrong.empty() || obituary.marks.find(kWrong) != std::string::npos) {
            return fail(when, {.loss = obituary.wrong.empty() ? obituary.marks : obituary.wrong});
        }
        const Expected expected = record_of(obituary.marks, RandomSteps(seed, life));
        when += ", killed during " + expected.step;
        if (successor) {
            when += ", then beside a successor";
            const Obituary next = successor->kill_at(random_moment_of_opening());
            count(next);
            if (!next.wrong.empty()) return fail(when, {.loss = next.wrong});
        }
        // P6, of what was acknowledged, before anybody has looked after it.
        const std::string left = leftover(expected.before);
        if (!left.empty()) return fail(when, {.leftover = left});

        for (std::uint64_t left_to_kill = random_() % 4; left_to_kill > 1; --left_to_kill) {
            when += ", then while opening";
            Process process([&](int) {
                const auto opened = Database::open(directory_.path(), options_);
                if (!opened) ::_exit(1);
            });
            const Obituary opener = process.kill_at(random_moment_of_opening());
            count(opener);
            if (!opener.wrong.empty()) return fail(when, {.loss = opener.wrong});
        }
        judge_now(expected, when);
        if (!onlookers_.empty()) dismiss_one(when);
    }

    /// Of those who looked on, the last ones are killed.
    void end() {
        while (!onlookers_.empty()) dismiss_one("at the end of " + directory_.path());
    }

    bool has_failed() const { return has_failed_; }
    std::uint64_t kills() const { return kills_; }

private:
    std::uint64_t pick(std::uint64_t below) { return random_() % below; }

    /// From microseconds on; of no length more often than of another.
    std::chrono::nanoseconds random_delay(double longest_ns) {
        const double share = static_cast<double>(pick(1 << 20)) / (1 << 20);
        return std::chrono::nanoseconds(std::llround(1000 * std::pow(longest_ns / 1000, share)));
    }
    Moment random_moment() {
        if (pick(4) == 0) return {0, random_delay(60e6)};
        return {1 + pick(30), random_delay(5e6)};
    }
    Moment random_moment_of_opening() { return {0, random_delay(10e6)}; }

    /// Some are there since earlier lives.
    void gather_onlookers() {
        while (onlookers_.size() < 3) {
            onlookers_.push_back(std::make_unique<Process>([&, seed = random_()](int marks) {
                look_on(directory_.path(), options_, gone_, seed, [&](const std::string& wrong) {
                    if (::write(marks, wrong.data(), wrong.size()) < 0) ::_exit(2);
                    ::_exit(1);
                });
            }));
        }
    }
    void dismiss_one(const std::string& when) {
        const auto which =
            onlookers_.begin() + static_cast<std::ptrdiff_t>(pick(onlookers_.size()));
        const Obituary obituary = (*which)->kill_at({});
        onlookers_.erase(which);
        count(obituary);
        if (!obituary.was_killed) fail(when, {.loss = "an onlooker: " + obituary.wrong});
    }
    /// Of a process that waits until nobody else writes.
    void write_next() const {
        for (;;) {
            const auto opened = Database::open(directory_.path(), options_);
            if (opened) return;
            if (opened.error().code != Errc::busy) ::_exit(1);
        }
    }

    void count(const Obituary& obituary) {
        if (!obituary.was_killed) return;
        ++kills_;
        trials_.count_fault();
    }

    /// What the marks acknowledge. A process that never came to its first step changed nothing.
    Expected record_of(const std::string& marks, RandomSteps steps) const {
        Expected expected{model_, model_, "opening"};
        if (marks.empty()) return expected;
        expected.before.open_again();
        for (auto done = std::count(marks.begin(), marks.end(), kDone); done > 0; --done) {
            steps.next(expected.before).expect(expected.before);
        }
        expected.after = expected.before;
        expected.step = "nothing";
        if (marks.back() == kBegun) {
            const Step step = steps.next(expected.before);
            step.expect(expected.after);
            expected.step = step.name;
        }
        return expected;
    }

    std::string leftover(const Model& model) const {
        const FileBytes bytes(directory_.path());
        for (const std::string& needle : model.needles()) {
            const std::string where = bytes.find(word_in(needle));
            if (!where.empty()) return "erased text \"" + needle + "\" is in " + where;
        }
        return {};
    }

    void judge_now(const Expected& expected, const std::string& when) {
        const auto root = open_directory(directory_.path(), Create::never).value();
        std::optional<FileBytes> bytes;
        const Place place{*root, [&](std::string_view text) {
                              if (!bytes) bytes.emplace(directory_.path());
                              return bytes->find(word_in(text));
                          }};
        Verdict verdict = judge(place, options_, expected.before, expected.after);
        if (!verdict.is_good()) return fail(when, verdict);
        trials_.count_state(verdict, when);
        model_ = std::move(verdict.model);
    }

    void fail(const std::string& when, const Verdict& verdict) {
        trials_.count_state(verdict, when);
        directory_.keep();
        has_failed_ = true;
    }

    Trials& trials_;
    std::mt19937_64 random_;
    TemporaryDirectory directory_{in_memory_if_possible()};
    Company company_;
    Options options_;
    Model model_;
    Gone gone_;
    std::vector<std::unique_ptr<Process>> onlookers_;
    std::uint64_t kills_ = 0;
    bool has_failed_ = false;
};

void kill_many(Trials& trials, Company company) {
    std::uint64_t kills = 0;
    for (std::uint64_t seed = round_number() << 32; kills < kill_count(); ++seed) {
        if (trials.have_failed_enough()) break;
        Killer killer(trials, seed, company);
        for (std::uint64_t life = 1; life <= kKillsOfADirectory && !killer.has_failed(); ++life) {
            killer.kill_some(life);
        }
        killer.end();
        kills += killer.kills();
    }
    EXPECT_GE(trials.faults(), kill_count());
}

TEST(Kill, AtRandomTimesLeavesWhatWasAcknowledgedAndNothingThatWasErased) {
    Trials trials("killed at random times");
    kill_many(trials, Company::none);
}

TEST(Kill, OfWritersAndReadersLeavesTheOthersRight) {
    Trials trials("killed beside other processes");
    kill_many(trials, Company::others);
}

} // namespace
} // namespace sluice::test
