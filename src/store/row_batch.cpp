#include "base/assert.hpp"
#include "store/store.hpp"

#include <algorithm>

namespace sluice {

void RowBatch::drop_empty_row() const {
    if (!rows_.empty() && rows_.back().emission_count == 0) rows_.pop_back();
}

void RowBatch::begin_row(Seq seq) {
    drop_empty_row();
    rows_.push_back({seq, emissions_.size(), 0});
}

void RowBatch::emit(std::string_view term, std::string_view value) {
    SLUICE_ASSERT(!rows_.empty());
    emissions_.push_back({arena_.size(), static_cast<std::uint32_t>(term.size()),
                          static_cast<std::uint32_t>(value.size())});
    arena_.append(term).append(value);
    ++rows_.back().emission_count;
}

void RowBatch::discard_row() {
    SLUICE_ASSERT(!rows_.empty());
    Row& row = rows_.back();
    if (row.emission_count == 0) return;
    arena_.resize(emissions_[row.first_emission].begin);
    emissions_.resize(row.first_emission);
    row.emission_count = 0;
}

bool RowBatch::empty() const {
    return rows().empty();
}

std::size_t RowBatch::size_bytes() const {
    return rows_.capacity() * sizeof(Row) + emissions_.capacity() * sizeof(Span) +
           arena_.capacity();
}

const std::vector<RowBatch::Row>& RowBatch::rows() const {
    drop_empty_row();
    return rows_;
}

RowBatch::Emission RowBatch::emission(std::size_t index) const {
    const Span& span = emissions_[index];
    const std::string_view all = arena_;
    return {all.substr(span.begin, span.term_size),
            all.substr(span.begin + span.term_size, span.value_size)};
}

void RowBatch::clear() {
    rows_.clear();
    emissions_.clear();
    arena_.clear();
}

void RowBatch::order_by_seq() {
    drop_empty_row();
    const auto not_before = [](const Row& a, const Row& b) { return a.seq >= b.seq; };
    if (std::adjacent_find(rows_.begin(), rows_.end(), not_before) == rows_.end()) return;
    std::stable_sort(rows_.begin(), rows_.end(),
                     [](const Row& a, const Row& b) { return a.seq < b.seq; });
    // unique() keeps the first of equals, so it runs from the back.
    const auto kept = std::unique(rows_.rbegin(), rows_.rend(),
                                  [](const Row& a, const Row& b) { return a.seq == b.seq; });
    rows_.erase(rows_.begin(), kept.base());
}

void RowBatch::append_row(const RowBatch& other, std::size_t index) {
    const Row& row = other.rows_[index];
    begin_row(row.seq);
    for (std::size_t i = 0; i < row.emission_count; ++i) {
        const Emission emission = other.emission(row.first_emission + i);
        emit(emission.term, emission.value);
    }
}

ScanRange ScanRange::with_prefix(std::string_view prefix) {
    ScanRange range;
    range.from = prefix;
    // The first term behind all that begin with the prefix: its last byte that can grow, grown.
    std::string behind(prefix);
    while (!behind.empty() && behind.back() == '\xFF') behind.pop_back();
    if (behind.empty()) return range;
    behind.back() = static_cast<char>(static_cast<unsigned char>(behind.back()) + 1);
    range.to = std::move(behind);
    return range;
}

ScanRange ScanRange::exact(std::string_view term) {
    ScanRange range;
    range.from = term;
    range.to.emplace(term).push_back('\0');
    return range;
}

} // namespace sluice
