// Which rows of one segment are live, in one state of the store.
#pragma once
#include "store/row_set.hpp"
#include "store/segment.hpp"

namespace sluice {

/// Borrows both sets. A row is dead if a later row took its place, or if its message is gone.
class Liveness {
public:
    Liveness() = default;
    Liveness(const RowSet* superseded, const SeqBitmap* gone)
        : superseded_(superseded != nullptr && superseded->size() > 0 ? superseded : nullptr),
          gone_(gone != nullptr && gone->size() > 0 ? gone : nullptr) {}

    /// The same for rows of `segment` only, which more often has nothing dead. Worth its price
    /// before a long walk.
    Liveness within(const Segment& segment) const {
        Liveness narrowed = *this;
        if (gone_ != nullptr && !gone_->any_between(segment.seq_lo(), segment.seq_hi())) {
            narrowed.gone_ = nullptr;
        }
        return narrowed;
    }

    bool all_live() const { return superseded_ == nullptr && gone_ == nullptr; }
    bool is_live(std::uint32_t row, Seq seq) const {
        return !(superseded_ != nullptr && superseded_->contains(row)) &&
               !(gone_ != nullptr && gone_->contains(seq));
    }

    /// Calls visit(row) once for each dead row of `segment`, at the cost of the dead rows where
    /// they are few.
    template <typename Visit> void for_each_dead(const Segment& segment, Visit visit) const {
        if (gone_ == nullptr) return for_each_superseded(visit);
        // Walking the gone seqs of the range costs a step per 64 of them, walking the rows one per
        // row: a small segment of re-derived rows may span the whole log.
        const std::uint64_t span = segment.seq_hi().value - segment.seq_lo().value;
        if (segment.row_count() < span / 64) {
            for (std::uint32_t row = 0; row < segment.row_count(); ++row) {
                if (!is_live(row, segment.seq_at(row))) visit(row);
            }
            return;
        }
        for_each_superseded(visit);
        for (Seq seq = gone_->next_from(segment.seq_lo()); seq <= segment.seq_hi();
             seq = gone_->next_from(seq.next())) {
            const std::optional<std::uint32_t> row = segment.row_of(seq);
            const bool counted = row && superseded_ != nullptr && superseded_->contains(*row);
            if (row && !counted) visit(*row);
        }
    }
    std::uint64_t count_dead(const Segment& segment) const {
        if (gone_ == nullptr) return superseded_ == nullptr ? 0 : superseded_->size();
        std::uint64_t dead = 0;
        for_each_dead(segment, [&](std::uint32_t) { ++dead; });
        return dead;
    }

private:
    template <typename Visit> void for_each_superseded(Visit& visit) const {
        if (superseded_ == nullptr) return;
        for (auto row = superseded_->next_from(0); row; row = superseded_->next_from(*row + 1ULL)) {
            visit(*row);
        }
    }

    const RowSet* superseded_ = nullptr;
    const SeqBitmap* gone_ = nullptr;
};

} // namespace sluice
