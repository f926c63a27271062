// What functions of an application are given to look things up with, so that the engine knows when
// to ask them again.
#pragma once
#include <sluice/key.hpp>
#include <sluice/seq.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

/// What a Context finds: a fact, a cell that an earlier transform made of some message, or a row of
/// a view. Valid for the call of the function that read it.
struct Cell {
    std::string_view encoded_key; ///< Key::encoded().
    std::string_view value;       ///< Of a row: empty.
    Seq owner;                    ///< The message it came from; 0 for a fact.
    Key key() const { return Key::from_encoded(encoded_key).value(); }
};

/// Where a Context looks. Cells of a transform are named by what adding it returned, rows of a view
/// by Database::rows_of(), so that a function can only read what was there before it: no cycle can
/// be written.
class Source {
public:
    /// The facts of a collection. A fact need not exist yet to be looked for.
    static Source facts(std::string collection) { return {Kind::facts, std::move(collection)}; }

    enum class Kind : std::uint8_t { facts, cells, rows };
    Kind kind() const { return kind_; }
    const std::string& name() const { return name_; } ///< Of the collection, transform or view.
    friend bool operator==(const Source&, const Source&) = default;

private:
    friend class Database;
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

} // namespace sluice
