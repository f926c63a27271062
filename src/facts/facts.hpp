// Facts: named values that the messages of the log are read with, such as keys, blocks, blobs.
#pragma once
#include "log/change.hpp"

#include <compare>
#include <map>
#include <optional>
#include <unordered_map>

namespace sluice {

/// Facts of one collection are ordered by their keys, as encoded.
struct FactId {
    std::string collection;
    std::string key; ///< Key::encoded().
    friend auto operator<=>(const FactId&, const FactId&) = default;
};

/// A pure function of the change entries in seq order, as the ledger is, with the values in memory.
/// Threads: one at a time.
class Facts {
public:
    void apply(Seq at, const Change& change);

    struct Fact {
        std::string value;
        bool is_secret = false; ///< Nobody prints the value.
        Seq at;                 ///< The entry that put it.
    };
    /// Null: there is no such fact.
    const Fact* find(const FactId& id) const;
    /// In order. Whatever is erased or dropped is not among them.
    const std::map<FactId, Fact>& all() const { return facts_; }

    /// All entries of the log that name this fact, ascending: those that put it, with earlier
    /// values, and those that dropped it. None of them is erased.
    std::vector<Seq> entries_of(const FactId& id) const;

private:
    std::map<FactId, Fact> facts_;
    std::unordered_map<std::uint64_t, FactId> named_by_; ///< By the seq of an entry.
};

} // namespace sluice
