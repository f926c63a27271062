// What tests of retention have in common: a clock of their own, and messages that know their time.
#pragma once
#include "database/database_test_support.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

namespace sluice::test {

using std::chrono::hours;

inline constexpr std::uint64_t kDayMs = 86400000;
inline constexpr std::uint64_t kToday = 20000 * kDayMs;

struct TestClock {
    std::shared_ptr<std::atomic<std::uint64_t>> now =
        std::make_shared<std::atomic<std::uint64_t>>(kToday);
};

struct RetainingDatabase : TestClock, DatabaseOnDisk {
    explicit RetainingDatabase(Options with = small_files())
        : DatabaseOnDisk(with_clock(std::move(with), now)) {}

    static Options with_clock(Options with, const std::shared_ptr<std::atomic<std::uint64_t>>& at) {
        with.clock = [at] { return at->load(); };
        return with;
    }
    /// A message that is `days` old.
    Seq append_aged(int days, const std::string& room = "a", const std::string& text = {}) {
        const std::uint64_t time = kToday - static_cast<std::uint64_t>(days) * kDayMs;
        return append(R"({"room":")" + room + R"(","time":)" + std::to_string(time) +
                      R"(,"text":")" + text + "\"}");
    }
    Seqs apply(const std::string& rule = {}) {
        Seqs seqs;
        for (const RetentionRun& run : database->apply_retention({.rule = rule}).value()) {
            seqs.insert(seqs.end(), run.seqs.begin(), run.seqs.end());
        }
        return seqs;
    }
    Seqs would_apply(const std::string& rule = {}) {
        Seqs seqs;
        for (const RetentionRun& run :
             database->apply_retention({.rule = rule, .dry_run = true}).value()) {
            seqs.insert(seqs.end(), run.seqs.begin(), run.seqs.end());
        }
        return seqs;
    }
    void add(const RetentionRule& rule) { ASSERT_TRUE(database->add_retention(rule)); }
};

/// Whether it comes true within some seconds.
inline bool becomes(const std::function<bool()>& is_so) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!is_so()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

inline RetentionRule older_than_days(int days) {
    return {.name = "old", .time = "/time", .older_than = hours(24 * days)};
}
inline RetentionRule erasing(RetentionRule rule) {
    rule.action = RetentionRule::Action::erase;
    return rule;
}

} // namespace sluice::test
