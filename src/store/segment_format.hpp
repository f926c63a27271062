// A segment file in bytes: docs/format/segment.md in code, and nowhere else in code.
#pragma once
#include "store/store.hpp"

#include <array>
#include <span>

namespace sluice::segment_format {

//    0  magic          8 bytes   "sluiceSG"
//    8  version        u32       1
//   12  view           u32
//   16  rows           u32       at least 1
//   20  emissions      u32       at least `rows`
//   24  terms          u32       distinct terms, at least 1
//   28  index_slots    u32       slots of the term index, more than `terms`
//   32  seq_lo         u64       of the first row
//   40  seq_hi         u64       of the last row
//   48  sections       12 times: position u64, size u64, checksum u64 (XXH3 of the section)
//  336  checksum       u64       XXH3 of bytes 0 to 335
//
// Sections follow in the order of the enumeration, each at the next multiple of 64. A section of
// size 0 is absent.
constexpr std::string_view kMagic = "sluiceSG";
constexpr std::uint32_t kVersion = 1;

enum class Section : std::uint8_t {
    seqs,            ///< Absent: row r has seq_lo + r. Else u32[rows] above seq_lo, or u64[rows].
    term_offsets,    ///< u32[terms + 1] into term_bytes.
    term_bytes,      ///< Terms, ascending.
    term_index,      ///< u32[index_slots]: a hash table from term to ordinal.
    posting_offsets, ///< u32[terms + 1] into postings.
    postings,        ///< u32[emissions]: rows, ascending under each term.
    forward_offsets, ///< u32[rows + 1] into forward. Absent when each row emitted once.
    forward,         ///< u32[emissions]: ordinals of terms, ascending under each row.
    value_offsets,   ///< u32[emissions + 1] into value_bytes. Absent when all values are empty.
    value_bytes,     ///< Values, in the order of the postings.
    partial_offsets, ///< u32[terms + 1] into partial_bytes. Absent without a Reducer.
    partial_bytes,   ///< The values of each term, reduced.
};
constexpr std::size_t kSectionCount = 12;
constexpr std::size_t kSectionAlignment = 64; // A cache line, so that an index probe reads one.

constexpr std::size_t kSectionTablePosition = 48;
constexpr std::size_t kSectionEntrySize = 24;
constexpr std::size_t kChecksumPosition = 336;
constexpr std::size_t kHeaderSizeBytes = 344;
static_assert(kSectionTablePosition + kSectionCount * kSectionEntrySize == kChecksumPosition);
static_assert(kChecksumPosition + sizeof(std::uint64_t) == kHeaderSizeBytes);

struct SectionEntry {
    std::uint64_t position = 0;
    std::uint64_t size_bytes = 0;
    std::uint64_t checksum = 0;
};

struct Header {
    ViewId view;
    std::uint32_t rows = 0;
    std::uint32_t emissions = 0;
    std::uint32_t terms = 0;
    std::uint32_t index_slots = 0;
    Seq seq_lo;
    Seq seq_hi;
    std::array<SectionEntry, kSectionCount> sections;

    SectionEntry& operator[](Section s) { return sections[static_cast<std::size_t>(s)]; }
    const SectionEntry& operator[](Section s) const {
        return sections[static_cast<std::size_t>(s)];
    }
};

/// Gives each section its position from the sizes; answers the size of the whole file.
std::uint64_t place_sections(Header& header);

/// The size of the whole file.
std::uint64_t file_size_bytes(const Header& header);

void encode(const Header& header, char* to);

/// The line between bytes and trust: behind it every section lies inside the file and has the size
/// that the counts ask for. Errors: corrupt; unsupported_version.
Result<Header> decode(std::string_view file_begin, std::uint64_t file_size);

/// The term index: an open-addressing table with linear probing. A slot is 0 when free, else
/// `ordinal + 1` in its low bits and, above them, as many bits of the term's hash as fit.
class TermIndexShape {
public:
    explicit TermIndexShape(std::uint32_t terms, std::uint32_t slots);
    static std::uint32_t slots_for(std::uint32_t terms);

    std::uint32_t first_slot(std::uint64_t hash) const {
        return static_cast<std::uint32_t>((hash >> 32) * slots_ >> 32);
    }
    std::uint32_t slot_behind(std::uint32_t slot) const {
        return slot + 1 == slots_ ? 0 : slot + 1;
    }
    std::uint32_t entry(std::uint64_t hash, std::uint32_t ordinal) const {
        return (static_cast<std::uint32_t>(hash) & ~ordinal_mask_) | (ordinal + 1);
    }
    bool may_be(std::uint32_t entry, std::uint64_t hash) const {
        return ((entry ^ static_cast<std::uint32_t>(hash)) & ~ordinal_mask_) == 0;
    }
    std::uint32_t ordinal(std::uint32_t entry) const { return (entry & ordinal_mask_) - 1; }

private:
    std::uint64_t slots_;
    std::uint32_t ordinal_mask_;
};

} // namespace sluice::segment_format
