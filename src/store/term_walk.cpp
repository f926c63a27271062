#include "store/term_walk.hpp"

#include "base/checksum.hpp"
#include "store/term_lead.hpp"

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

std::size_t shared_prefix(std::string_view a, std::string_view b) {
    const auto [end, unused] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    return static_cast<std::size_t>(end - a.begin());
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
        heads_.push_back({0, segment.term(reverse_ ? end - 1 : begin), i, begin, end});
    }
    if (heads_.size() < 2) return; // Nothing to put in order.
    shared_ = heads_.front().term.size();
    for (const Head& head : heads_) {
        for (const std::uint32_t ordinal : {head.begin, head.end - 1}) {
            const std::string_view term = segments_[head.segment]->term(ordinal);
            shared_ = std::min(shared_, shared_prefix(heads_.front().term, term));
        }
    }
    for (Head& head : heads_) head.lead = lead_at(head.term, shared_);
    std::make_heap(heads_.begin(), heads_.end(),
                   [this](const Head& a, const Head& b) { return is_later(a, b); });
}

void TermWalk::take_first(Head& head) {
    const std::uint32_t ordinal = reverse_ ? --head.end : head.begin++;
    places_.push_back({head.segment, ordinal});
    if (head.begin < head.end) {
        head.term = segments_[head.segment]->term(reverse_ ? head.end - 1 : head.begin);
        head.lead = lead_at(head.term, shared_);
    }
}

void TermWalk::settle_top() {
    if (heads_.front().begin == heads_.front().end) {
        heads_.front() = heads_.back();
        heads_.pop_back();
    }
    if (heads_.empty()) return;
    const Head sinking = heads_.front();
    std::size_t hole = 0;
    for (std::size_t child = 1; child < heads_.size(); child = 2 * hole + 1) {
        if (child + 1 < heads_.size() && is_later(heads_[child], heads_[child + 1])) ++child;
        if (!is_later(sinking, heads_[child])) break;
        heads_[hole] = heads_[child];
        hole = child;
    }
    heads_[hole] = sinking;
}

bool TermWalk::next() {
    places_.clear();
    if (heads_.empty()) return false;
    const std::uint64_t lead = heads_.front().lead;
    term_ = heads_.front().term;
    do {
        take_first(heads_.front());
        settle_top();
    } while (!heads_.empty() && heads_.front().lead == lead && heads_.front().term == term_);
    return true;
}

std::vector<TermWalk::Rest> TermWalk::rest() const {
    std::vector<Rest> rest;
    rest.reserve(heads_.size());
    for (const Head& head : heads_) rest.push_back({head.segment, head.begin, head.end});
    return rest;
}

} // namespace sluice
