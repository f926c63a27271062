// One segment, read: a file mapped into memory, or an image that no file has yet. The bytes are the
// same, and so is the reading.
#pragma once
#include "io/file.hpp"
#include "store/segment_format.hpp"

#include <atomic>
#include <memory>
#include <mutex>

namespace sluice {

/// Immutable. Any thread may read it, once damage() has answered null.
class Segment {
public:
    /// Takes an image that a builder of this process made, and trusts it.
    static std::shared_ptr<const Segment> in_memory(std::string image);

    /// Which file it is in; 0 in memory.
    struct File {
        std::uint64_t number = 0;
        std::string path; ///< For people.
    };
    /// Checks the header only. Errors: io; corrupt; unsupported_version.
    static Result<std::shared_ptr<const Segment>> open(const sluice::File& file, File name);

    /// What is wrong with the sections, or null. The first call reads them all, checksums and
    /// structure; nothing below may be called before it, nor after it has answered an error.
    const Error* damage() const;
    /// What the calls of damage() up to now have found.
    enum class Known : std::uint8_t { nothing, whole, damaged };
    Known known() const { return known_.load(std::memory_order_acquire); }
    /// The same, read again from the bytes as they are now.
    std::optional<Error> find_damage() const;

    const File& file() const { return file_; }
    /// Whoever reads it goes on with its bytes in memory, and the file can be destroyed. Errors:
    /// io.
    Result<void> leave_file() const {
        return mapping_.leave_file ? mapping_.leave_file() : Result<void>();
    }
    std::uint64_t size_bytes() const { return size_bytes_; }
    ViewId view() const { return header_.view; }
    Seq seq_lo() const { return header_.seq_lo; }
    Seq seq_hi() const { return header_.seq_hi; }
    std::uint32_t row_count() const { return header_.rows; }
    std::uint32_t emission_count() const { return header_.emissions; }
    std::uint32_t term_count() const { return header_.terms; }
    bool has_values() const { return value_offsets_ != nullptr; }
    bool has_partials() const { return partial_offsets_ != nullptr; }

    Seq seq_at(std::uint32_t row) const {
        if (narrow_seqs_ != nullptr) return {header_.seq_lo.value + narrow_seqs_[row]};
        if (wide_seqs_ != nullptr) return {wide_seqs_[row]};
        return {header_.seq_lo.value + row};
    }
    std::optional<std::uint32_t> row_of(Seq seq) const;
    /// The first row with a seq not below `seq`; row_count() if there is none.
    std::uint32_t row_from(Seq seq) const;

    std::string_view term(std::uint32_t ordinal) const {
        return piece(term_bytes_, term_offsets_, ordinal);
    }
    /// The first ordinal whose term is not below `term`; term_count() if there is none.
    std::uint32_t ordinal_from(std::string_view term) const;
    /// One or two cache misses, also when the segment does not have the term.
    std::optional<std::uint32_t> ordinal_of(std::string_view term, std::uint64_t hash) const;

    /// Brings in what may_have() will look at.
    void prefetch(std::uint64_t hash) const {
        __builtin_prefetch(index_ + index_shape_.first_slot(hash));
    }
    /// Whether a term with this hash may be here, by the hash alone.
    bool may_have(std::uint64_t hash) const;

    /// Brings in the seq of the first row that `ordinal` has, if there is such a term: rows under
    /// one term after the other lie anywhere.
    void prefetch_seq(std::uint32_t ordinal) const {
        if (narrow_seqs_ != nullptr && ordinal < header_.terms) {
            __builtin_prefetch(narrow_seqs_ + postings_[posting_offsets_[ordinal]]);
        }
    }

    /// Where the postings of a term begin; those of the next one follow. `ordinal` <= term_count().
    std::uint32_t posting_begin(std::uint32_t ordinal) const { return posting_offsets_[ordinal]; }
    const std::uint32_t* postings() const { return postings_; }
    std::uint32_t row_at(std::uint32_t posting) const { return postings_[posting]; }
    /// The first posting of `ordinal` with a seq not below `seq`.
    std::uint32_t posting_from(std::uint32_t ordinal, Seq seq) const;

    std::span<const std::uint32_t> ordinals(std::uint32_t row) const {
        if (forward_offsets_ == nullptr) return {forward_ + row, 1};
        return {forward_ + forward_offsets_[row], forward_ + forward_offsets_[row + 1]};
    }
    std::string_view value(std::uint32_t posting) const {
        if (value_offsets_ == nullptr) return {};
        return piece(value_bytes_, value_offsets_, posting);
    }
    std::string_view partial(std::uint32_t ordinal) const {
        if (partial_offsets_ == nullptr) return {};
        return piece(partial_bytes_, partial_offsets_, ordinal);
    }

private:
    Segment(const segment_format::Header& header, const char* data, std::uint64_t size_bytes);

    static std::string_view piece(const char* bytes, const std::uint32_t* offsets,
                                  std::uint32_t index) {
        return {bytes + offsets[index], offsets[index + 1] - offsets[index]};
    }
    const char* section(segment_format::Section which) const;
    const std::uint32_t* numbers(segment_format::Section which) const;
    std::optional<Error> find_broken_structure() const;
    template <typename IsWanted>
    std::optional<std::uint32_t> find_hashed(std::uint64_t hash, const IsWanted& is_wanted) const;

    segment_format::Header header_;
    segment_format::TermIndexShape index_shape_;
    const char* data_;
    std::uint64_t size_bytes_;
    File file_;
    Mapping mapping_;

    const std::uint32_t* narrow_seqs_ = nullptr;
    const std::uint64_t* wide_seqs_ = nullptr;
    const std::uint32_t* term_offsets_;
    const char* term_bytes_;
    const std::uint32_t* index_;
    const std::uint32_t* posting_offsets_;
    const std::uint32_t* postings_;
    const std::uint32_t* forward_offsets_;
    const std::uint32_t* forward_;
    const std::uint32_t* value_offsets_;
    const char* value_bytes_;
    const std::uint32_t* partial_offsets_;
    const char* partial_bytes_;

    mutable std::once_flag checked_;
    mutable std::optional<Error> damage_;
    mutable std::atomic<Known> known_{Known::nothing};
};

} // namespace sluice
