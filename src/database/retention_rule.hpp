// A rule of retention, compiled: where a message stands by it, and the views of the engine's own
// that keep the messages in the order in which they go.
#pragma once
#include "base/gone.hpp"
#include "base/pointer.hpp"
#include "views/predicate.hpp"
#include "views/view.hpp"

#include <sluice/retention.hpp>

#include <mutex>
#include <queue>
#include <set>
#include <span>

namespace sluice {

/// Where a message stands: the oldest of a group goes first.
struct RetentionPlace {
    std::string group;        ///< An encoded key of one element, or of none.
    std::int64_t time_ms = 0; ///< Since 1970-01-01 UTC; 0 for a rule that goes by seqs.
    Seq seq;
    std::uint64_t size_bytes = 0;
    friend auto operator<=>(const RetentionPlace&, const RetentionPlace&) = default;
};

/// A time as messages write it, in ms: seconds below 10^11, from there on milliseconds, or a text
/// by RFC 3339. None for anything else, and for what is not after 1970 began.
std::optional<std::int64_t> time_in(const Value& value);

/// What is due, in part.
struct RetentionBatch {
    std::vector<Seq> seqs;
    std::uint64_t held = 0;
    /// Groups that were looked at to their end, in which nothing due is left.
    std::vector<std::string> settled;
    bool is_part = false; ///< Not all could be looked at yet.
};

class Retention {
public:
    /// The catalog's names of the views that a rule has.
    static constexpr char kIndexMark = '\x03';
    static constexpr char kSumsMark = '\x04';
    static std::string index_name(std::string_view rule);
    static std::string sums_name(std::string_view rule);

    /// `view_definition`: of the view that the rule names; empty if it names none. Errors:
    /// invalid_argument, naming what is wrong.
    static Result<std::shared_ptr<Retention>> compile(RetentionRule rule,
                                                      std::string_view view_definition);
    /// What definition() gave. Errors: invalid_argument.
    static Result<std::shared_ptr<Retention>> from_definition(std::string name,
                                                              std::string_view definition);

    const RetentionRule& rule() const { return rule_; }
    /// Canonical JSON: equal text, equal rule.
    const std::string& definition() const { return definition_; }
    bool has_groups() const { return !rule_.older_than; }

    /// None: the rule is not about this message. Any thread.
    std::optional<RetentionPlace> place_of(const Message& message) const;

    /// Their keys are [group..., time, seq, size]. The view borrows the rule.
    static Result<std::shared_ptr<const View>> index_view(const std::shared_ptr<Retention>& rule);
    /// Of groups: how many messages, and how large they are together.
    static Result<std::shared_ptr<const View>> sums_view(const std::shared_ptr<Retention>& rule);
    /// The place that a term of the index stands for. Errors: corrupt.
    static Result<RetentionPlace> decode(std::string_view term, std::size_t group_size);

    // What a process remembers from one run to the next. Lost on closing, and found again.

    /// Groups to which something was added since they were settled. Any thread.
    void touch(std::string_view group);
    void settle(std::span<const std::string> groups);
    std::vector<std::string> touched() const;

    /// Messages that are deleted leave every view; one that is to be erased is due all the same.
    void note_deleted(std::span<const Seq> seqs);
    void note_deleted(const Gone& gone);
    SeqBitmap unexamined;
    using Waiting = std::pair<std::int64_t, Seq>; ///< When its time is, and which message.
    std::priority_queue<Waiting, std::vector<Waiting>, std::greater<>> deleted;

    bool knows_groups = false;  ///< False: all are to be looked at.
    bool knows_deleted = false; ///< False: nobody has said yet which there are.

    /// As RetentionInfo has it. With the database's publish_mutex.
    struct Runs {
        std::uint64_t taken = 0;
        std::uint64_t held = 0;
        std::uint64_t last_run_ms = 0;
        std::string error;
    } runs;

private:
    void make_definition();

    RetentionRule rule_;
    std::string view_definition_;
    std::string definition_;
    std::optional<Predicate> where_;
    std::shared_ptr<const View> view_;
    std::optional<Pointer> time_;
    std::optional<Pointer> per_;
    mutable std::mutex touched_mutex_;
    std::set<std::string, std::less<>> touched_;
};

} // namespace sluice
