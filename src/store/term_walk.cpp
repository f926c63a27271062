#include "store/term_walk.hpp"

#include "base/checksum.hpp"

#include <algorithm>

namespace sluice {
namespace {

/// The one term that the range can hold, if its bounds say so.
std::optional<std::string_view> only_term(const ScanRange& range) {
    if (!range.to || range.to->size() != range.from.size() + 1 || range.to->back() != '\0' ||
        !range.to->starts_with(range.from)) {
        return std::nullopt;
    }
    return range.from;
}

} // namespace

TermWalk::TermWalk(std::vector<const Segment*> segments, const ScanRange& range)
    : segments_(std::move(segments)), reverse_(range.reverse) {
    const std::optional<std::string_view> only = only_term(range);
    const std::uint64_t hash = only ? checksum64(*only) : 0;
    const std::string* const after = range.after ? &range.after->term : nullptr;
    for (std::uint32_t i = 0; i < segments_.size(); ++i) {
        const Segment& segment = *segments_[i];
        std::uint32_t begin, end;
        if (only) {
            const std::optional<std::uint32_t> ordinal = segment.ordinal_of(*only, hash);
            if (!ordinal) continue;
            begin = *ordinal;
            end = begin + 1;
        } else {
            begin = range.from.empty() ? 0 : segment.ordinal_from(range.from);
            end = range.to ? segment.ordinal_from(*range.to) : segment.term_count();
        }
        if (after != nullptr && !reverse_) begin = std::max(begin, segment.ordinal_from(*after));
        if (after != nullptr && reverse_) {
            std::uint32_t behind = segment.ordinal_from(*after);
            if (behind < segment.term_count() && segment.term(behind) == *after) ++behind;
            end = std::min(end, behind);
        }
        if (begin >= end) continue;
        heads_.push_back({segment.term(reverse_ ? end - 1 : begin), i, begin, end});
    }
    std::make_heap(heads_.begin(), heads_.end(),
                   [this](const Head& a, const Head& b) { return is_later(a, b); });
}

void TermWalk::take_first(Head& head) {
    const std::uint32_t ordinal = reverse_ ? --head.end : head.begin++;
    places_.push_back({head.segment, ordinal});
    if (head.begin < head.end) {
        head.term = segments_[head.segment]->term(reverse_ ? head.end - 1 : head.begin);
    }
}

bool TermWalk::next() {
    places_.clear();
    if (heads_.empty()) return false;
    const auto later = [this](const Head& a, const Head& b) { return is_later(a, b); };
    term_ = heads_.front().term;
    while (!heads_.empty() && heads_.front().term == term_) {
        if (heads_.size() == 1) { // Nothing to put in order: the walk over a single segment.
            take_first(heads_.front());
            if (heads_.front().begin == heads_.front().end) heads_.clear();
            break;
        }
        std::pop_heap(heads_.begin(), heads_.end(), later);
        take_first(heads_.back());
        if (heads_.back().begin == heads_.back().end) {
            heads_.pop_back();
        } else {
            std::push_heap(heads_.begin(), heads_.end(), later);
        }
    }
    return true;
}

std::vector<TermWalk::Rest> TermWalk::rest() const {
    std::vector<Rest> rest;
    rest.reserve(heads_.size());
    for (const Head& head : heads_) rest.push_back({head.segment, head.begin, head.end});
    return rest;
}

} // namespace sluice
