// Transforms: from stored messages, and what else is known, to the messages that views see.
#pragma once
#include <sluice/context.hpp>
#include <sluice/key.hpp>
#include <sluice/seq.hpp>
#include <sluice/view.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// A message as a transform meets it: its bytes as they were appended or last replaced, or as an
/// earlier transform made them. Valid for the call.
class Incoming {
public:
    virtual ~Incoming() = default;
    virtual Seq seq() const = 0;
    virtual std::string_view key() const = 0; ///< The application key; empty if it has none.
    virtual std::string_view body() const = 0;
    /// The body, parsed by the first call; null if it is not JSON. A transform that can tell by the
    /// bytes alone that a message does not concern it need not ask, and saves the time.
    virtual const Value* json() const = 0;
};

/// What a transform makes of a message. Without a call, the message stays as it is.
class Transformed {
public:
    virtual ~Transformed() = default;
    /// Later transforms and all views see these bytes in place of the message's.
    virtual void set_body(std::string body) = 0;
    /// No later transform and no view sees the message.
    virtual void hide() = 0;
    /// A cell for later transforms to read. The same key again gives it the later value.
    virtual void emit(const Key& key, std::string_view value = {}) = 0;
};

/// Must make the same of the same message and the same answers whenever it is called. May throw:
/// then no later transform and no view sees the message, until what was read changes. Only
/// std::bad_alloc fails the call that derives: it says nothing about the message.
/// Called from one thread at a time, under the database's lock for writing: it must not call the
/// Database.
using TransformFunction = std::function<void(Context&, const Incoming&, Transformed&)>;

struct Transform {
    std::string name;          ///< 1 to 200 bytes, such as "scuttlebutt.unbox".
    std::uint32_t version = 1; ///< Another version derives every message again.
    TransformFunction run;
    /// The transforms whose cells it reads, as adding them answered: it is not used without them.
    std::vector<Source> reads = {};
};

/// Transforms in the order in which a message passes them. Each sees what the ones before it have
/// made of all messages, whichever arrived first.
class Transforms {
public:
    /// Answers where later ones find the cells of this one.
    Source add(Transform transform) {
        list_.push_back(std::move(transform));
        return {Source::Kind::cells, list_.back().name};
    }
    std::span<const Transform> list() const { return list_; }
    /// For Database::use_transforms().
    std::vector<std::string> names() const {
        std::vector<std::string> names;
        names.reserve(list_.size());
        for (const Transform& each : list_) names.push_back(each.name);
        return names;
    }

private:
    std::vector<Transform> list_;
};

} // namespace sluice
