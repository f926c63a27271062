// The ledger: what the changes of the log, taken together, say about its messages.
#pragma once
#include "base/gone.hpp"
#include "log/change.hpp"

#include <map>
#include <optional>
#include <shared_mutex>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace sluice {

/// A pure function of the change entries in seq order. Kept in memory, never on disk: opening
/// replays the changes, at a cost that follows their number and not the log's.
///
/// Threads: apply() and the unmarked functions from the log's writer only.
class Ledger {
public:
    void apply(Seq at, const Change& change);
    /// A change entry whose payload was erased with the message it replaced.
    void apply_wiped(Seq at) { changes_.insert(at); }

    const Gone& gone() const { return gone_; }
    bool is_change(Seq seq) const { return changes_.contains(seq); }
    std::uint64_t change_count() const { return changes_.size(); }
    const SeqBitmap& changes() const { return changes_; }
    /// The changes that give messages back or new bytes: of all, only these concern views that were
    /// away, beside new messages.
    const SeqBitmap& remaking() const { return remaking_; }
    /// An erasure wiped it, or will: a message, or a change that went with one.
    bool is_wiped(Seq seq) const { return wiped_.contains(seq); }
    const SeqBitmap& wiped() const { return wiped_; }
    bool is_held(Seq seq) const { return held_.contains(seq); }
    const SeqBitmap& held() const { return held_; }
    bool is_refused(const KeyHash& key) const { return refused_.contains(hash_of(key)); }

    /// The entry that holds the message's bytes as of `position`: itself, or its latest
    /// replacement. Any thread.
    Seq version_at(Seq message, Seq position) const;
    /// All replacements a message ever had.
    std::vector<Seq> replacements(Seq message) const;

    struct Erasure {
        Seq at;
        Change change;                 ///< The erase entry.
        std::optional<Change> receipt; ///< None while it is unfinished.
    };
    /// By the seq of the erase entry, ascending.
    const std::map<Seq, Erasure>& erasures() const { return erasures_; }
    /// 0 for a source never seen.
    std::uint64_t imported_up_to(const KeyHash& source) const;

private:
    static std::string hash_of(const KeyHash& key) { return std::string(key.view()); }

    Gone gone_;
    SeqBitmap changes_;
    SeqBitmap remaking_;
    SeqBitmap wiped_;
    SeqBitmap held_;
    std::unordered_set<std::string> refused_;
    std::map<Seq, Erasure> erasures_;
    std::unordered_map<std::string, std::uint64_t> imported_;
    mutable std::shared_mutex replacements_mutex_;
    std::unordered_map<std::uint64_t, std::vector<Seq>> replacements_;
};

} // namespace sluice
