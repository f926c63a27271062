// Facts: named values that the messages of the log are read with, such as keys, blocks, blobs.
#pragma once
#include "base/secret.hpp"
#include "log/change.hpp"

#include <compare>
#include <map>
#include <set>
#include <unordered_map>

namespace sluice {

/// Facts of one collection are ordered by their keys, as encoded.
struct FactId {
    std::string collection;
    std::string key; ///< Key::encoded().
    friend auto operator<=>(const FactId&, const FactId&) = default;
};

/// The bytes of a fact. Those of a secret one lie in memory that is not dumped, not swapped out if
/// possible, and wiped when the value goes.
class FactValue {
public:
    FactValue() = default;
    FactValue(std::string_view bytes, bool is_secret);
    std::string_view bytes() const { return secret_.empty() ? plain_ : view_of(secret_); }
    operator std::string_view() const { return bytes(); }

private:
    std::string plain_; // One of the two is empty.
    SecretBytes secret_;
};

/// A pure function of the change entries in seq order, as the ledger is, with the values in memory.
/// Threads: one at a time.
class Facts {
public:
    void apply(Seq at, const Change& change);

    struct Fact {
        FactValue value;
        bool is_secret = false;  ///< Nobody prints the value.
        Seq at;                  ///< The entry that put it.
        bool was_secret = false; ///< It, or a value before it since it was last dropped.
    };
    /// Null: there is no such fact.
    const Fact* find(const FactId& id) const;
    /// In order. Whatever is erased or dropped is not among them.
    const std::map<FactId, Fact>& all() const { return facts_; }

    /// The facts of a collection whose keys, as encoded, begin with `prefix`: [first, last).
    using Iterator = std::map<FactId, Fact>::const_iterator;
    std::pair<Iterator, Iterator> range(const std::string& collection,
                                        std::string_view prefix) const;

    /// All entries of the log that name this fact, ascending: those that put it, with earlier
    /// values, and those that dropped it. None of them is erased.
    std::vector<Seq> entries_of(const FactId& id) const;
    /// Whether there was such a fact when `position` was the last entry. Of an erased one nobody
    /// knows any more: false.
    bool was_there(const FactId& id, Seq position) const;
    /// Entries that dropped a secret and have no receipt: what it opened may still be in files.
    const std::set<Seq>& secret_drops() const { return secret_drops_; }
    /// What the entry put or dropped; null if it did neither, or is erased.
    const FactId* named_by(Seq entry) const;

private:
    std::map<FactId, Fact> facts_;
    std::unordered_map<std::uint64_t, FactId> named_by_; ///< By the seq of an entry.
    std::map<FactId, std::map<Seq, bool>> entries_;      ///< Whether the entry put the fact.
    std::set<Seq> secret_drops_;
};

} // namespace sluice
