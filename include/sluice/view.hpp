// What a view is: declared in JSON, or written as a function.
#pragma once
#include <sluice/context.hpp>
#include <sluice/fold.hpp>
#include <sluice/key.hpp>
#include <sluice/seq.hpp>
#include <sluice/value.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// A message as a view function sees it. Valid for the call.
struct Message {
    Seq seq;
    std::string_view key;        ///< The application key; empty if it has none.
    std::string_view body;       ///< The bytes as appended.
    const Value* json = nullptr; ///< The body parsed; null if it is not JSON.
};

/// Thrown by code of an application that can answer no more, as when the interpreter that it runs
/// in is shutting down: fails the call that derives, and says nothing about the message.
class CodeGone : public std::exception {
public:
    const char* what() const noexcept override { return "the code of a view is gone"; }
};

/// Where a view function puts its rows. Emitting a key twice from one message is one row of an
/// index; in an aggregate it counts twice.
class Emit {
public:
    virtual ~Emit() = default;
    /// One row of an index; or one more in the count of group `key`.
    virtual void operator()(const Key& key) = 0;

    // One more in the count of `group`, and what sum, average, min and max look at. Sum and average
    // pass over what is not a number, min and max over arrays and objects, and all of them over a
    // double that is not finite. A double is summed as the decimal that it prints as: 0.1 is 0.1.
    // An index takes no values: these throw std::invalid_argument.
    virtual void operator()(const Key& group, const Value& value) = 0;
    virtual void operator()(const Key& group, std::int64_t value) = 0;
    virtual void operator()(const Key& group, double value) = 0;

    /// One value of group `group` of a fold. A fold also takes the three above, as JSON text, but
    /// no emission without a value and no double that is not finite; other kinds take no bytes.
    /// What a kind does not take throws std::invalid_argument.
    virtual void operator()(const Key& group, std::string_view value) = 0;
};

/// Must give the same rows for the same message whenever it is called, and may be called from any
/// one thread. May throw: that message then gives no row to this view, and the view counts an
/// error. Only std::bad_alloc and CodeGone fail the call that derives.
using ViewFunction = std::function<void(const Message&, Emit&)>;

/// The same for a view that looks things up: facts, cells of transforms in use, and rows of the
/// views that CodeView::reads names. When what it found would be found differently, the message is
/// mapped again, in the same moment for readers. Called from one thread at a time, under the
/// database's lock for writing: it must not call the Database. After it threw, the message is
/// mapped again when what it had read until then changes.
using ReadingViewFunction = std::function<void(Context&, const Message&, Emit&)>;

/// What add_view() does with a view whose application was away.
enum class WhenBehind : std::uint8_t {
    wait, ///< Return when the view is as far as the log.
    /// Return at once. Reads show the view as of ViewInfo::since, without what is gone, until
    /// another thread has caught up, or wait_for_views(). A view that reads, or is read, waits.
    read_on,
};

/// A view written in C++. The definition says what it is, the function maps, `app` and `version`
/// say whose it is: a new version builds anew beside the old one. An app that registers the view of
/// another under its name, definition and version uses it with that one: so these three must not
/// stand for different functions.
struct CodeView {
    std::string app;
    std::uint32_t version = 1;
    /// `{"kind":"index"}`, `{"kind":"aggregate","value":{"count":true,"sum":true,...}}` or
    /// `{"kind":"fold"}`.
    std::string definition = R"({"kind":"index"})";
    ViewFunction map;
    std::shared_ptr<const Fold> fold = {}; ///< Of a fold: how a group's values are folded.
    ReadingViewFunction map_reading = {};  ///< In place of `map`: looks things up.
    /// The views whose rows `map_reading` may read, from Database::rows_of(). Which messages are
    /// mapped again follows from what it reads, and not from this.
    std::vector<Source> reads = {};
    WhenBehind when_behind = WhenBehind::wait;
    /// For a `map` that is dear to reach, such as one in another language: called with messages for
    /// which it is called next, in this order and from the same thread, so that it can have its
    /// answers ready. Then neither is given Message::json.
    std::function<void(std::span<const Message>)> before_map = {};
};

} // namespace sluice
