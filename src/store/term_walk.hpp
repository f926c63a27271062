// Walks the dictionaries of several segments side by side, term by term.
#pragma once
#include "store/segment.hpp"

namespace sluice {

class TermWalk {
public:
    /// Every segment is whole. range.after counts by term only and inclusively: the caller skips
    /// seqs of that term, or the term.
    TermWalk(std::vector<const Segment*> segments, const ScanRange& range);

    struct Place {
        std::uint32_t segment; ///< Index into the list given.
        std::uint32_t ordinal;
    };
    /// Goes to the next term that any segment has; false at the end.
    bool next();
    std::string_view term() const { return term_; }
    /// Where that term is.
    std::span<const Place> places() const { return places_; }

    /// The ordinals of one segment that next() has not come to: [begin, end). In scan order they
    /// run from the end when the scan is reversed.
    struct Rest {
        std::uint32_t segment;
        std::uint32_t begin;
        std::uint32_t end;
    };
    std::vector<Rest> rest() const;

private:
    struct Head {
        std::uint64_t lead; ///< Of `term`, behind shared_.
        std::string_view term;
        std::uint32_t segment;
        std::uint32_t begin; ///< The ordinals left, the one of `term` among them.
        std::uint32_t end;
    };
    /// Whether `a` comes later in scan order, for a heap whose top comes first.
    bool is_later(const Head& a, const Head& b) const {
        if (a.lead != b.lead) return reverse_ ? a.lead < b.lead : a.lead > b.lead;
        const int order = a.term.compare(b.term);
        return reverse_ ? order < 0 : order > 0;
    }
    void take_first(Head& head);
    /// Puts the top, which has changed, where it belongs; or the last head, if the top has ended.
    void settle_top();

    std::vector<const Segment*> segments_;
    bool reverse_;
    std::size_t shared_ = 0;  ///< All terms of the walk begin with the same bytes, so many.
    std::vector<Head> heads_; ///< A heap: the top comes first.
    std::string_view term_;
    std::vector<Place> places_;
};

} // namespace sluice
