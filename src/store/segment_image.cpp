#include "store/segment_image.hpp"

#include "base/assert.hpp"
#include "base/checksum.hpp"

#include <limits>

namespace sluice {

using namespace segment_format;

namespace {

constexpr std::uint64_t kNarrowMax = std::numeric_limits<std::uint32_t>::max();

void put_seqs(std::span<const Seq> seqs, std::uint64_t size_bytes, char* to) {
    if (size_bytes == 4 * seqs.size()) {
        auto* const narrow = reinterpret_cast<std::uint32_t*>(to);
        for (std::size_t i = 0; i < seqs.size(); ++i) {
            narrow[i] = static_cast<std::uint32_t>(seqs[i].value - seqs[0].value);
        }
    } else if (size_bytes == 8 * seqs.size()) {
        auto* const wide = reinterpret_cast<std::uint64_t*>(to);
        for (std::size_t i = 0; i < seqs.size(); ++i) wide[i] = seqs[i].value;
    }
}

} // namespace

SegmentImage::SegmentImage(const Shape& shape) {
    const std::uint64_t rows = shape.seqs.size();
    // Builders cut segments long before these bounds; only a single row could pass them.
    SLUICE_ASSERT(rows > 0 && shape.terms > 0 && shape.terms < kNarrowMax / 2);
    SLUICE_ASSERT(shape.emissions <= kNarrowMax && shape.term_bytes <= kNarrowMax);
    SLUICE_ASSERT(shape.value_bytes <= kNarrowMax && shape.partial_bytes <= kNarrowMax);

    header_.view = shape.view;
    header_.rows = static_cast<std::uint32_t>(rows);
    header_.emissions = static_cast<std::uint32_t>(shape.emissions);
    header_.terms = static_cast<std::uint32_t>(shape.terms);
    header_.index_slots = TermIndexShape::slots_for(header_.terms);
    header_.seq_lo = shape.seqs.front();
    header_.seq_hi = shape.seqs.back();

    const std::uint64_t span = header_.seq_hi.value - header_.seq_lo.value;
    const auto set = [&](Section s, std::uint64_t size) { header_[s].size_bytes = size; };
    set(Section::seqs, span == rows - 1 ? 0 : span <= kNarrowMax ? 4 * rows : 8 * rows);
    set(Section::term_offsets, 4 * (shape.terms + 1));
    set(Section::term_bytes, shape.term_bytes);
    set(Section::term_index, 4 * std::uint64_t{header_.index_slots});
    set(Section::posting_offsets, 4 * (shape.terms + 1));
    set(Section::postings, 4 * shape.emissions);
    set(Section::forward_offsets, rows == shape.emissions ? 0 : 4 * (rows + 1));
    set(Section::forward, 4 * shape.emissions);
    set(Section::value_offsets, shape.value_bytes == 0 ? 0 : 4 * (shape.emissions + 1));
    set(Section::value_bytes, shape.value_bytes);
    set(Section::partial_offsets, shape.has_partials ? 4 * (shape.terms + 1) : 0);
    set(Section::partial_bytes, shape.has_partials ? shape.partial_bytes : 0);
    bytes_.resize(place_sections(header_));

    put_seqs(shape.seqs, header_[Section::seqs].size_bytes, section(Section::seqs));
    term_offsets_ = numbers(Section::term_offsets);
    term_bytes_ = term_end_ = section(Section::term_bytes);
    posting_offsets_ = numbers(Section::posting_offsets);
    postings_ = numbers(Section::postings);
    value_offsets_ = numbers(Section::value_offsets);
    value_bytes_ = value_end_ = section(Section::value_bytes);
    partial_offsets_ = numbers(Section::partial_offsets);
    partial_bytes_ = partial_end_ = section(Section::partial_bytes);
}

char* SegmentImage::section(Section which) {
    return header_[which].size_bytes == 0 ? nullptr : bytes_.data() + header_[which].position;
}

std::uint32_t* SegmentImage::numbers(Section which) {
    return reinterpret_cast<std::uint32_t*>(section(which));
}

void SegmentImage::add_term(std::string_view term) {
    posting_offsets_[terms_count_] = postings_count_;
    if (!term.empty()) {
        std::copy(term.begin(), term.end(), term_end_);
        term_end_ += term.size();
    }
    term_offsets_[++terms_count_] = static_cast<std::uint32_t>(term_end_ - term_bytes_);
}

void SegmentImage::add_partial(std::string_view partial) {
    if (!partial.empty()) {
        std::copy(partial.begin(), partial.end(), partial_end_);
        partial_end_ += partial.size();
    }
    partial_offsets_[terms_count_] = static_cast<std::uint32_t>(partial_end_ - partial_bytes_);
}

/// Terms come in ascending order, so each row collects its ordinals ascending.
void SegmentImage::fill_forward() {
    std::uint32_t* const forward = numbers(Section::forward);
    std::uint32_t* const offsets = numbers(Section::forward_offsets);
    if (offsets == nullptr) {
        for (std::uint32_t ordinal = 0; ordinal < terms_count_; ++ordinal) {
            for (std::uint32_t p = posting_offsets_[ordinal]; p < posting_offsets_[ordinal + 1];
                 ++p) {
                forward[postings_[p]] = ordinal;
            }
        }
        return;
    }
    for (std::uint32_t p = 0; p < postings_count_; ++p) ++offsets[postings_[p] + 1];
    for (std::uint32_t row = 0; row < header_.rows; ++row) offsets[row + 1] += offsets[row];
    std::vector<std::uint32_t> ends(offsets, offsets + header_.rows);
    for (std::uint32_t ordinal = 0; ordinal < terms_count_; ++ordinal) {
        for (std::uint32_t p = posting_offsets_[ordinal]; p < posting_offsets_[ordinal + 1]; ++p) {
            forward[ends[postings_[p]]++] = ordinal;
        }
    }
}

void SegmentImage::fill_index() {
    const TermIndexShape shape(header_.terms, header_.index_slots);
    std::uint32_t* const index = numbers(Section::term_index);
    for (std::uint32_t ordinal = 0; ordinal < terms_count_; ++ordinal) {
        const std::uint64_t hash =
            checksum64({term_bytes_ + term_offsets_[ordinal],
                        term_offsets_[ordinal + 1] - term_offsets_[ordinal]});
        std::uint32_t slot = shape.first_slot(hash);
        while (index[slot] != 0) slot = shape.slot_behind(slot);
        index[slot] = shape.entry(hash, ordinal);
    }
}

std::string SegmentImage::finish() && {
    SLUICE_ASSERT(terms_count_ == header_.terms && postings_count_ == header_.emissions);
    posting_offsets_[terms_count_] = postings_count_;
    fill_forward();
    fill_index();
    for (SectionEntry& entry : header_.sections) {
        entry.checksum =
            checksum64(std::string_view(bytes_).substr(entry.position, entry.size_bytes));
    }
    encode(header_, bytes_.data());
    return std::move(bytes_);
}

} // namespace sluice
