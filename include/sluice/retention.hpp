// Rules by which messages go by themselves: after an age, or beyond a count or a size of each
// group.
#pragma once
#include <sluice/result.hpp>
#include <sluice/seq.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Which messages go, and when. docs/design/retention.md.
///
/// Messages have no time of the engine's own: what an age is counted from stands in the message, as
/// seconds or milliseconds since 1970-01-01 UTC or as a date and time of RFC 3339. Where there is
/// none that can be understood, or one that lies ahead, the message stays.
struct RetentionRule {
    enum class Action : std::uint8_t { remove, erase };

    std::string name;
    std::string where = {}; ///< A predicate (docs/design/where.md). Empty: all messages.
    /// Only messages that have a row in this declared view, as it is defined when the rule is made.
    std::string view = {};
    std::string time = {}; ///< Pointer to the time. Empty: the order is that of the log.
    std::string per = {};  ///< Pointer to what names the group. Empty: all are one group.

    // One of the three.
    std::optional<std::chrono::milliseconds> older_than = {}; ///< Needs `time`.
    std::optional<std::uint64_t> keep_last = {};              ///< The newest messages of a group.
    /// The newest messages of a group that together are no larger, as views see them. Bytes.
    std::optional<std::uint64_t> keep_bytes = {};

    Action action = Action::remove;
};
std::string_view name_of(RetentionRule::Action action);

struct RetentionInfo {
    RetentionRule rule;
    std::uint64_t taken = 0; ///< Messages that it deleted or erased since the database was opened.
    std::uint64_t held = 0;  ///< Due at its last run, and left because they are held.
    std::uint64_t last_run_ms = 0; ///< Since 1970-01-01 UTC; 0: not since the database was opened.
    std::string error = {};        ///< Why its last run stopped; empty if it did not.
};

struct RetentionOptions {
    std::string rule = {}; ///< Only this one. Empty: all.
    bool dry_run = false;  ///< Change nothing, and say what is due.
};

/// What one rule did, or would do.
struct RetentionRun {
    std::string rule;
    RetentionRule::Action action = RetentionRule::Action::remove;
    std::vector<Seq> seqs;         ///< Deleted or erased, ascending.
    std::uint64_t held = 0;        ///< Due, and left because they are held.
    std::vector<Seq> changes = {}; ///< The entries that did it. Of erasures receipts() has more.
};

} // namespace sluice
