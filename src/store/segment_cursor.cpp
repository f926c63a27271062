// Under one term, each segment that has it gives a run of postings in seq order. The run whose head
// comes first is played until it passes the head of the second: runs of disjoint seqs, the usual
// case, are thereby simply strung together, and interleaved ones cost a search per change of run.
#include "store/segment_cursor.hpp"

#include "base/checksum.hpp"
#include "store/term_walk.hpp"

#include <algorithm>

namespace sluice {
namespace {

/// The segments of a view with their liveness; or what is wrong with them.
struct Readable {
    std::vector<const Segment*> segments;
    std::vector<Liveness> liveness;
    std::optional<Error> damage;

    Readable(const ViewState* view, const Gone& gone) {
        if (view == nullptr) return;
        if (const Error* const found = view->find_damage()) {
            damage = *found;
            return;
        }
        segments.reserve(view->sources.size());
        liveness.reserve(view->sources.size());
        for (const RowSource& source : view->sources) {
            segments.push_back(&source.segment());
            liveness.push_back(view->liveness(source, gone));
        }
    }
};

Result<void> status_of(const std::optional<Error>& damage) {
    if (damage) return *damage;
    return {};
}

/// How many live rows the ordinals [begin, end) of a segment have, a row once for each of its
/// terms.
std::uint64_t count_live(const Segment& segment, const Liveness& wide, std::uint32_t begin,
                         std::uint32_t end) {
    const std::uint32_t first = segment.posting_begin(begin), last = segment.posting_begin(end);
    std::uint64_t count = last - first;
    const Liveness liveness = wide.within(segment);
    if (liveness.all_live()) return count;
    // Either the rows of the range are looked at or the dead rows of the segment, whichever are
    // fewer. Finding the dead ones costs about a step per 64 rows beside them.
    if (count < segment.row_count() / 64) {
        count = 0;
        for (std::uint32_t p = first; p < last; ++p) {
            const std::uint32_t row = segment.row_at(p);
            if (liveness.is_live(row, segment.seq_at(row))) ++count;
        }
        return count;
    }
    liveness.for_each_dead(segment, [&](std::uint32_t row) {
        for (const std::uint32_t ordinal : segment.ordinals(row)) {
            if (begin <= ordinal && ordinal < end) --count;
        }
    });
    return count;
}

class SegmentCursor final : public Cursor {
public:
    SegmentCursor(const ViewState* view, const Gone& gone, const ScanRange& range)
        : readable_(view, gone), terms_(readable_.segments, range), reverse_(range.reverse),
          step_(range.reverse ? -1 : 1) {
        if (range.after) after_ = *range.after;
        for (const TermWalk::Rest& rest : terms_.rest()) {
            const Segment& segment = *readable_.segments[rest.segment];
            if (segment.posting_begin(rest.end) - segment.posting_begin(rest.begin) < kLongWalk) {
                continue;
            }
            Liveness& liveness = readable_.liveness[rest.segment];
            liveness = liveness.within(segment);
        }
    }

    bool next() override {
        for (;;) {
            while (at_ != stop_) {
                const std::uint32_t* const here = at_;
                at_ += step_;
                const Seq seq = segment_->seq_at(*here);
                if (!liveness_.is_live(*here, seq)) continue;
                here_ = here;
                seq_ = seq;
                return true;
            }
            if (!next_stretch() && !next_term()) return false;
        }
    }

    std::string_view term() const override { return terms_.term(); }
    Seq seq() const override { return seq_; }
    std::string_view value() const override {
        return segment_->value(static_cast<std::uint32_t>(here_ - segment_->postings()));
    }
    Result<void> status() const override { return status_of(readable_.damage); }

    std::uint64_t count_rest() override {
        std::uint64_t count = 0;
        // A term that `after` cuts in two is not counted by ordinal, so it is begun here.
        if (after_) next_term();
        keep_place();
        for (const Run& run : runs_) {
            const Segment& segment = *readable_.segments[run.segment];
            const Liveness& liveness = readable_.liveness[run.segment];
            if (liveness.all_live()) {
                count += static_cast<std::uint64_t>((run.end - run.at) * step_);
                continue;
            }
            for (const std::uint32_t* at = run.at; at != run.end; at += step_) {
                if (liveness.is_live(*at, segment.seq_at(*at))) ++count;
            }
        }
        for (const TermWalk::Rest& rest : terms_.rest()) {
            count += count_live(*readable_.segments[rest.segment], readable_.liveness[rest.segment],
                                rest.begin, rest.end);
        }
        runs_.clear();
        at_ = stop_ = nullptr;
        while (terms_.next()) {
        }
        return count;
    }

private:
    static constexpr std::uint32_t kLongWalk = 1024; // Postings that repay Liveness::within().
    static constexpr std::uint32_t kTermsAhead = 8;  // Of one segment, in the time of a cache miss.

    /// What is left of the postings that one segment has for the term, from `at` in steps of step_.
    struct Run {
        std::uint32_t segment;
        const std::uint32_t* at;
        const std::uint32_t* end;
    };

    Seq head_of(const Run& run) const { return readable_.segments[run.segment]->seq_at(*run.at); }
    bool comes_before(Seq a, Seq b) const { return reverse_ ? a > b : a < b; }

    /// Leaves the stretch that is played, wherever it stands.
    void keep_place() {
        if (playing_ == nullptr) return;
        playing_->at = at_;
        if (playing_->at == playing_->end) runs_.erase(runs_.begin() + (playing_ - runs_.data()));
        playing_ = nullptr;
        stop_ = at_;
    }

    /// Begins the next stretch of the term; false when all runs are played.
    bool next_stretch() {
        keep_place();
        if (runs_.empty()) return false;
        Run* first = runs_.data();
        std::optional<Seq> first_seq, second_seq;
        if (runs_.size() > 1) {
            for (Run& run : runs_) {
                const Seq seq = head_of(run);
                if (!first_seq || comes_before(seq, *first_seq)) {
                    second_seq = first_seq;
                    first_seq = seq;
                    first = &run;
                } else if (!second_seq || comes_before(seq, *second_seq)) {
                    second_seq = seq;
                }
            }
        }
        playing_ = first;
        segment_ = readable_.segments[first->segment];
        liveness_ = readable_.liveness[first->segment];
        at_ = first->at;
        stop_ = second_seq ? stop_before(*first, *second_seq) : first->end;
        return true;
    }

    /// Where the run reaches a row that does not come before `seq`, but one row on at least.
    const std::uint32_t* stop_before(const Run& run, Seq seq) const {
        const Segment& segment = *readable_.segments[run.segment];
        if (!reverse_) {
            if (segment.seq_at(run.end[-1]) < seq) return run.end;
            return std::max(run.at + 1, std::lower_bound(run.at, run.end, segment.row_from(seq)));
        }
        // Backward, the run is (end, at]: the rows above `seq` are played.
        if (segment.seq_at(run.end[1]) > seq) return run.end;
        return std::min(run.at - 1,
                        std::lower_bound(run.end + 1, run.at + 1, segment.row_from(seq.next())) -
                            1);
    }

    bool next_term() {
        if (!terms_.next()) return false;
        runs_.clear();
        const bool cut = after_ && after_->term == terms_.term();
        for (const TermWalk::Place& place : terms_.places()) {
            const Segment& segment = *readable_.segments[place.segment];
            std::uint32_t first = segment.posting_begin(place.ordinal);
            std::uint32_t last = segment.posting_begin(place.ordinal + 1);
            if (cut && !reverse_) first = segment.posting_from(place.ordinal, after_->seq.next());
            if (cut && reverse_) last = segment.posting_from(place.ordinal, after_->seq);
            segment.prefetch_seq(reverse_ ? place.ordinal - kTermsAhead
                                          : place.ordinal + kTermsAhead);
            if (first == last) continue;
            const std::uint32_t* const postings = segment.postings();
            if (reverse_) {
                runs_.push_back({place.segment, postings + last - 1, postings + first - 1});
            } else {
                runs_.push_back({place.segment, postings + first, postings + last});
            }
        }
        after_.reset(); // Only the first term can be cut.
        return true;
    }

    Readable readable_;
    TermWalk terms_;
    bool reverse_;
    std::ptrdiff_t step_;
    std::optional<ScanRange::After> after_;

    std::vector<Run> runs_;
    Run* playing_ = nullptr;
    const Segment* segment_ = nullptr;
    Liveness liveness_;
    const std::uint32_t* at_ = nullptr;
    const std::uint32_t* stop_ = nullptr;
    const std::uint32_t* here_ = nullptr;
    Seq seq_;
};

class SegmentGroups final : public GroupCursor {
public:
    SegmentGroups(const ViewState* view, const Gone& gone, const ScanRange& range)
        : readable_(view, gone), terms_(readable_.segments, range) {
        if (range.after) after_ = range.after->term;
        if (view != nullptr && view->spec.reducer) accumulator_ = view->spec.reducer->accumulator();
        dirt_.resize(readable_.segments.size());
        for (const TermWalk::Rest& rest : terms_.rest()) look_for_dirt(rest);
    }

    bool next() override {
        while (terms_.next()) {
            if (after_ && *after_ == terms_.term()) continue;
            row_count_ = 0;
            if (accumulator_) accumulator_->clear();
            for (const TermWalk::Place& place : terms_.places()) add(place);
            if (row_count_ == 0) continue;
            if (accumulator_) partial_ = accumulator_->partial();
            return true;
        }
        return false;
    }

    std::string_view term() const override { return terms_.term(); }
    std::uint64_t row_count() const override { return row_count_; }
    std::string_view partial() const override { return partial_; }
    Result<void> status() const override { return status_of(readable_.damage); }

private:
    /// Which terms of one segment have dead rows.
    struct Dirt {
        bool any = false;
        std::uint32_t begin = 0;
        std::vector<bool> terms; ///< From `begin`. Empty: ask the rows of each term.
        bool maybe(std::uint32_t ordinal) const {
            return any && (terms.empty() || terms[ordinal - begin]);
        }
    };

    /// Deleting noted nothing about terms, so that it costs the same for any number of views (P8).
    /// The terms of dead rows are found here, through the forward column.
    void look_for_dirt(const TermWalk::Rest& range) {
        const Segment& segment = *readable_.segments[range.segment];
        Liveness& liveness = readable_.liveness[range.segment];
        const std::uint32_t rows =
            segment.posting_begin(range.end) - segment.posting_begin(range.begin);
        Dirt& dirt = dirt_[range.segment];
        dirt.begin = range.begin;
        if (rows < segment.row_count() / 64) { // Looking at these few rows is cheaper.
            dirt.any = !liveness.all_live();
            return;
        }
        liveness = liveness.within(segment);
        dirt.any = !liveness.all_live();
        if (!dirt.any) return;
        dirt.terms.resize(range.end - range.begin);
        liveness.for_each_dead(segment, [&](std::uint32_t row) {
            for (const std::uint32_t ordinal : segment.ordinals(row)) {
                if (range.begin <= ordinal && ordinal < range.end) {
                    dirt.terms[ordinal - range.begin] = true;
                }
            }
        });
    }

    /// The rows of one segment for the term: from what is stored where none is dead, else from the
    /// rows that live. Nothing is ever subtracted from a partial, so that floats come out as a
    /// rebuild would have them.
    void add(const TermWalk::Place& place) {
        const Segment& segment = *readable_.segments[place.segment];
        const std::uint32_t begin = segment.posting_begin(place.ordinal);
        const std::uint32_t end = segment.posting_begin(place.ordinal + 1);
        if (!dirt_[place.segment].maybe(place.ordinal)) {
            row_count_ += end - begin;
            if (accumulator_ && segment.has_partials()) {
                return accumulator_->add_partial(segment.partial(place.ordinal));
            }
            if (!accumulator_) return;
            for (std::uint32_t p = begin; p < end; ++p) accumulator_->add_value(segment.value(p));
            return;
        }
        const Liveness& liveness = readable_.liveness[place.segment];
        for (std::uint32_t p = begin; p < end; ++p) {
            const std::uint32_t row = segment.row_at(p);
            if (!liveness.is_live(row, segment.seq_at(row))) continue;
            ++row_count_;
            if (accumulator_) accumulator_->add_value(segment.value(p));
        }
    }

    Readable readable_;
    TermWalk terms_;
    std::optional<std::string> after_;
    std::unique_ptr<Accumulator> accumulator_;
    std::vector<Dirt> dirt_;
    std::uint64_t row_count_ = 0;
    std::string partial_;
};

} // namespace

std::unique_ptr<Cursor> scan_view(const ViewState* view, const Gone& gone, const ScanRange& range) {
    return std::make_unique<SegmentCursor>(view, gone, range);
}

std::vector<RowBatch::Emission> row_of_view(const ViewState* view, Seq seq) {
    std::vector<RowBatch::Emission> emissions;
    // The first comparison spares new messages, of which there is nothing yet, all others.
    if (view == nullptr || seq > view->seq_hi || view->find_damage() != nullptr) return emissions;
    for (const RowSource& source : view->sources) {
        const std::optional<std::uint32_t> row = source.row_of(seq);
        if (!row || source.is_superseded(*row)) continue;
        const Segment& segment = source.segment();
        for (const std::uint32_t ordinal : segment.ordinals(*row)) {
            emissions.push_back(
                {segment.term(ordinal), segment.value(segment.posting_from(ordinal, seq))});
        }
        break; // A view holds one row of a message that is not superseded.
    }
    return emissions;
}

std::vector<bool> may_have_terms(const ViewState* view, std::span<const std::string_view> terms) {
    if (view == nullptr) return std::vector<bool>(terms.size(), false);
    if (view->find_damage() != nullptr) return std::vector<bool>(terms.size(), true);
    std::vector<std::uint64_t> hashes(terms.size());
    std::transform(terms.begin(), terms.end(), hashes.begin(),
                   [](std::string_view term) { return checksum64(term); });
    std::vector<bool> found(terms.size(), false);
    constexpr std::size_t kAhead = 16; // Slots on their way from memory at one time.
    for (const RowSource& source : view->sources) {
        const Segment& segment = source.segment();
        for (std::size_t i = 0; i < terms.size(); ++i) {
            if (i + kAhead < terms.size()) segment.prefetch(hashes[i + kAhead]);
            if (!found[i]) found[i] = segment.may_have(hashes[i]);
        }
    }
    return found;
}

std::unique_ptr<GroupCursor> group_view(const ViewState* view, const Gone& gone,
                                        const ScanRange& range) {
    return std::make_unique<SegmentGroups>(view, gone, range);
}

} // namespace sluice
