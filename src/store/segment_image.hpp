// The bytes of a new segment, while they are filled in. The builder (from rows in memory) and the
// merge (from segments) decide what goes into it; what follows from that is worked out here once.
#pragma once
#include "store/segment_format.hpp"

namespace sluice {

class SegmentImage {
public:
    struct Shape {
        ViewId view;
        std::span<const Seq> seqs; ///< Of the rows, ascending. Read by the constructor only.
        std::uint64_t emissions = 0;
        std::uint64_t terms = 0;
        std::uint64_t term_bytes = 0;
        std::uint64_t value_bytes = 0; ///< 0: all values are empty.
        bool has_partials = false;
        std::uint64_t partial_bytes = 0;
    };
    explicit SegmentImage(const Shape& shape);

    /// Terms in ascending order, each followed by its postings, rows ascending.
    void add_term(std::string_view term);
    void add_posting(std::uint32_t row, std::string_view value) {
        postings_[postings_count_++] = row;
        if (value_offsets_ == nullptr) return;
        std::copy(value.begin(), value.end(), value_end_);
        value_end_ += value.size();
        value_offsets_[postings_count_] = static_cast<std::uint32_t>(value_end_ - value_bytes_);
    }
    /// Of the term added last.
    void add_partial(std::string_view partial);

    /// Derives the forward column and the term index, seals everything with checksums.
    std::string finish() &&;

private:
    void fill_forward();
    void fill_index();
    char* section(segment_format::Section which);
    std::uint32_t* numbers(segment_format::Section which);

    segment_format::Header header_;
    std::string bytes_;
    std::uint32_t* term_offsets_ = nullptr;
    char* term_bytes_ = nullptr;
    char* term_end_ = nullptr;
    std::uint32_t* posting_offsets_ = nullptr;
    std::uint32_t* postings_ = nullptr;
    std::uint32_t* value_offsets_ = nullptr;
    char* value_bytes_ = nullptr;
    char* value_end_ = nullptr;
    std::uint32_t* partial_offsets_ = nullptr;
    char* partial_bytes_ = nullptr;
    char* partial_end_ = nullptr;
    std::uint32_t terms_count_ = 0;
    std::uint32_t postings_count_ = 0;
};

} // namespace sluice
