// Following a part of a view: its rows, and then what each commit makes of them.
#pragma once
#include <sluice/key.hpp>
#include <sluice/result.hpp>
#include <sluice/seq.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice {

/// As a ViewCursor shows it.
struct ViewRow {
    Key key;
    Seq seq;           ///< 0 for an aggregate and a fold.
    std::string value; ///< The answer of an aggregate or a fold, as JSON; empty for others.
    friend bool operator==(const ViewRow&, const ViewRow&) = default;
};

/// First take `gone` out, then put `added` in. A row whose message says something else now is in
/// both; so is a group with another answer.
struct Difference {
    Seq at; ///< The entry that made it.
    /// Everything that was told before is void: `added` is the whole part of the view.
    bool is_fresh = false;
    std::vector<ViewRow> gone;  ///< In the order of the view.
    std::vector<ViewRow> added; ///< Likewise.
};

struct SubscribeOptions {
    /// Rows that wait for a subscriber who is slow. When there are more, they are forgotten, and it
    /// is told the whole part of the view anew.
    std::size_t rows_waiting_max = 10000;
};

/// What a commit makes of a part of a view, told in order, once, to whoever asks next. A commit
/// that makes nothing of it is not told. Costs the writer what the change costs, whatever the range
/// holds: it looks up the rows of the messages concerned, and the groups that they are in.
///
/// Promises. subscription_test.cpp has each in its own words.
///   F4  The rows told first, with the differences told since, are those of the view at
///       Difference::at of the last one.
///   F5  A slow subscriber keeps no more than SubscribeOptions says, and holds no files against an
///       erasure.
///   F6  When erase() has returned, next() tells of an erased message only that rows have gone.
///
/// Must not outlive the Database. Threads: next() from one at a time, any.
class Subscription {
public:
    struct Impl;
    Subscription(Subscription&&) noexcept;
    Subscription& operator=(Subscription&&) noexcept;
    ~Subscription();

    /// At first all rows, is_fresh. Then waits as long as `patience`; nothing if nothing came.
    /// Errors, after which it may be asked again: not_found (the view is no more); invalid_argument
    /// (a fold whose code is not loaded); corrupt (the view is damaged); ended (an erasure ended
    /// the snapshot that it was reading).
    Result<std::optional<Difference>> next(std::chrono::milliseconds patience = {});

private:
    friend class Database;
    explicit Subscription(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace sluice
