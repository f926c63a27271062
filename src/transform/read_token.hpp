// What a unit of work has read, as a term: so that who read something can be found by it, and
// deleting a message takes its tokens away like all its rows. docs/format/transforms.md.
//
// A unit is one transform of one message. Its tokens are the terms of one row, of that message, in
// the transform's view of reads. A token says which change of what was read would be another
// answer, and no more than that.
#pragma once
#include "store/store.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace sluice {

/// Where cells are: the facts of a collection, or the rows of a view of the store.
struct SourceId {
    ViewId view;                      ///< 0: facts.
    std::string_view collection = {}; ///< Of facts.
};

enum class Read : char {
    exact = '=',    ///< The key: whatever there is under it.
    presence = '?', ///< The key: whether there is anything.
    prefix = '<',   ///< All keys with the prefix.
    first = 'f',    ///< Keys with the prefix up to the bound, which is the first.
    last = 'l',     ///< Keys with the prefix from the bound on, which is the last.
    any = 'a',      ///< Keys with the prefix that are new or have a new value: none fitted so far.
    seen = '@',     ///< The cell that a message gave under the key: there, with this value.
    seen_there = '#', ///< The same: there, with whatever value.
};
constexpr std::string_view kReads = "=?<fla@#";

/// Makes tokens about one source.
class ReadTokens {
public:
    explicit ReadTokens(const SourceId& source);

    std::string exact(std::string_view key) const { return token(Read::exact, key); }
    std::string presence(std::string_view key) const { return token(Read::presence, key); }
    std::string prefix(std::string_view prefix) const { return token(Read::prefix, prefix); }
    std::string any(std::string_view prefix) const { return token(Read::any, prefix); }
    /// `found` begins with `prefix`; none: there was nothing.
    std::string first(std::string_view prefix, std::optional<std::string_view> found) const;
    std::string last(std::string_view prefix, std::optional<std::string_view> found) const;
    std::string seen(Seq owner, std::string_view key) const { return seen(Read::seen, owner, key); }
    std::string seen_there(Seq owner, std::string_view key) const {
        return seen(Read::seen_there, owner, key);
    }

    // The terms of all tokens that something makes wrong:

    /// A cell appears under `key`, or a fact comes or goes there. Not `any`.
    std::vector<ScanRange> made_wrong_by_presence(std::string_view key) const;
    /// A cell under `key` is new, or its value is. Only `any`.
    std::vector<ScanRange> made_wrong_by_candidate(std::string_view key) const;
    /// The cell that `owner` gave under `key` has another value, or is no more.
    std::vector<ScanRange> made_wrong_by_value(Seq owner, std::string_view key) const;
    std::vector<ScanRange> made_wrong_by_gone(Seq owner, std::string_view key) const;
    /// All cells that `owner` gave are no more.
    std::vector<ScanRange> made_wrong_by_gone(Seq owner) const;
    /// The fact under `key` has another value.
    std::vector<ScanRange> made_wrong_by_value(std::string_view key) const;
    /// All tokens about this source, and those of one kind.
    ScanRange all() const { return ScanRange::with_prefix(source_); }
    ScanRange all(Read kind) const;

private:
    std::string token(Read kind, std::string_view payload) const;
    std::string seen(Read kind, Seq owner, std::string_view key) const;
    void add_bounds(std::vector<ScanRange>& ranges, std::string_view prefix,
                    std::string_view key) const;

    std::string source_;
};

/// What a token says, for people: `get "key"`, without values.
struct ReadDescription {
    Read kind = Read::exact;
    ViewId view;            ///< 0: facts.
    std::string collection; ///< Of facts.
    std::string key;        ///< Encoded: key or prefix.
    Seq owner;              ///< seen, seen_there.
    bool found = true;      ///< first, last: false where there was nothing.
};
/// None if `term` is no token.
std::optional<ReadDescription> describe_read(std::string_view term);

/// Calls `visit` with each prefix of whole elements that `key` has: the empty one, ..., `key`.
void for_each_prefix(std::string_view key, const std::function<void(std::string_view)>& visit);

} // namespace sluice
