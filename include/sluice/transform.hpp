// Transforms: from stored messages, and what else is known, to the messages that views see.
#pragma once
#include <sluice/key.hpp>
#include <sluice/seq.hpp>
#include <sluice/view.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// What a Context finds: a fact, or a cell that an earlier transform made of some message. Valid
/// for the call of the function that read it.
struct Cell {
    std::string_view encoded_key; ///< Key::encoded().
    std::string_view value;
    Seq owner; ///< The message it came from; 0 for a fact.
    Key key() const { return Key::from_encoded(encoded_key).value(); }
};

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

/// Where a Context looks. Cells of a transform are named by what adding it returned, so that a
/// function can only read what was there before it: no cycle can be written.
class Source {
public:
    /// The facts of a collection. A fact need not exist yet to be looked for.
    static Source facts(std::string collection) { return {Kind::facts, std::move(collection)}; }

    enum class Kind : std::uint8_t { facts, cells };
    Kind kind() const { return kind_; }
    const std::string& name() const { return name_; } ///< Of the collection or the transform.
    friend bool operator==(const Source&, const Source&) = default;

private:
    friend class Transforms;
    Source(Kind kind, std::string name) : kind_(kind), name_(std::move(name)) {}
    Kind kind_;
    std::string name_;
};

/// The only door to anything but the message itself. Every read is remembered, also that nothing
/// was there: when what it found would be found differently, the message is derived again, and only
/// then. A function that gets its answers elsewhere (a clock, a global variable, another file)
/// makes views that a rebuild does not reproduce.
///
/// Cells are ordered by key, and under one key by owner. Valid for the call.
class Context {
public:
    virtual ~Context() = default;
    /// The first cell of exactly this key.
    virtual std::optional<Cell> get(const Source& source, const Key& key) = 0;
    /// As get(), for those to whom the value does not matter.
    virtual bool has(const Source& source, const Key& key) = 0;
    /// All cells whose keys begin with these elements; with the empty key, all.
    virtual std::vector<Cell> prefix(const Source& source, const Key& prefix) = 0;
    /// The first or last of these. Cells behind the first, or before the last, may come and go.
    virtual std::optional<Cell> first(const Source& source, const Key& prefix) = 0;
    virtual std::optional<Cell> last(const Source& source, const Key& prefix) = 0;
    /// Any of these that fits. What the function makes of the message must not depend on which,
    /// nor on how many fit: it is for "a key that opens this", where one is as good as another.
    /// After nothing fitted, only cells that come later are tried.
    virtual std::optional<Cell> find_any(const Source& source, const Key& prefix,
                                         const std::function<bool(const Cell&)>& fits) = 0;
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

private:
    std::vector<Transform> list_;
};

} // namespace sluice
