#include "store/segment_format.hpp"

#include "base/bytes.hpp"
#include "base/checksum.hpp"

#include <bit>
#include <limits>

namespace sluice::segment_format {
namespace {

std::uint64_t aligned(std::uint64_t position) {
    return (position + kSectionAlignment - 1) / kSectionAlignment * kSectionAlignment;
}

Error damaged(const char* what) {
    return {Errc::corrupt, std::string("segment header: ") + what};
}

/// Whether each section has the size that the counts ask for.
bool sizes_agree(const Header& header) {
    const auto size = [&](Section s) { return header[s].size_bytes; };
    const std::uint64_t rows = header.rows, emissions = header.emissions, terms = header.terms;
    const std::uint64_t span = header.seq_hi.value - header.seq_lo.value;
    const bool one_each = rows == emissions;
    const auto optional_pair = [&](Section offsets, Section bytes, std::uint64_t count) {
        return size(offsets) == 0 ? size(bytes) == 0 : size(offsets) == 4 * (count + 1);
    };
    return (size(Section::seqs) == 0
                ? span == rows - 1
                : size(Section::seqs) == 4 * rows || size(Section::seqs) == 8 * rows) &&
           size(Section::term_offsets) == 4 * (terms + 1) &&
           size(Section::term_index) == 4 * std::uint64_t{header.index_slots} &&
           size(Section::posting_offsets) == 4 * (terms + 1) &&
           size(Section::postings) == 4 * emissions &&
           size(Section::forward_offsets) == (one_each ? 0 : 4 * (rows + 1)) &&
           size(Section::forward) == 4 * emissions &&
           optional_pair(Section::value_offsets, Section::value_bytes, emissions) &&
           optional_pair(Section::partial_offsets, Section::partial_bytes, terms);
}

} // namespace

std::uint64_t place_sections(Header& header) {
    std::uint64_t end = kHeaderSizeBytes;
    for (SectionEntry& section : header.sections) {
        section.position = section.size_bytes == 0 ? 0 : aligned(end);
        if (section.size_bytes != 0) end = section.position + section.size_bytes;
    }
    return end;
}

std::uint64_t file_size_bytes(const Header& header) {
    Header copy = header;
    return place_sections(copy);
}

void encode(const Header& header, char* to) {
    std::memcpy(to, kMagic.data(), kMagic.size());
    put_le(to + 8, kVersion);
    put_le(to + 12, header.view.value);
    put_le(to + 16, header.rows);
    put_le(to + 20, header.emissions);
    put_le(to + 24, header.terms);
    put_le(to + 28, header.index_slots);
    put_le(to + 32, header.seq_lo.value);
    put_le(to + 40, header.seq_hi.value);
    char* entry = to + kSectionTablePosition;
    for (const SectionEntry& section : header.sections) {
        put_le(entry, section.position);
        put_le(entry + 8, section.size_bytes);
        put_le(entry + 16, section.checksum);
        entry += kSectionEntrySize;
    }
    put_le(to + kChecksumPosition, checksum64({to, kChecksumPosition}));
}

Result<Header> decode(std::string_view file_begin, std::uint64_t file_size) {
    if (file_begin.size() < kHeaderSizeBytes) return damaged("too short");
    const char* const from = file_begin.data();
    if (file_begin.substr(0, kMagic.size()) != kMagic) return damaged("not a segment");
    if (get_le<std::uint64_t>(from + kChecksumPosition) != checksum64({from, kChecksumPosition})) {
        return damaged("wrong checksum");
    }
    if (const auto version = get_le<std::uint32_t>(from + 8); version != kVersion) {
        return Error{Errc::unsupported_version, "segment version " + std::to_string(version)};
    }
    Header header;
    header.view = {get_le<std::uint32_t>(from + 12)};
    header.rows = get_le<std::uint32_t>(from + 16);
    header.emissions = get_le<std::uint32_t>(from + 20);
    header.terms = get_le<std::uint32_t>(from + 24);
    header.index_slots = get_le<std::uint32_t>(from + 28);
    header.seq_lo = {get_le<std::uint64_t>(from + 32)};
    header.seq_hi = {get_le<std::uint64_t>(from + 40)};
    const char* entry = from + kSectionTablePosition;
    std::uint64_t sum = 0;
    for (SectionEntry& section : header.sections) {
        section.position = get_le<std::uint64_t>(entry);
        section.size_bytes = get_le<std::uint64_t>(entry + 8);
        section.checksum = get_le<std::uint64_t>(entry + 16);
        entry += kSectionEntrySize;
        if (section.size_bytes > file_size || (sum += section.size_bytes) > file_size) {
            return damaged("sections larger than the file");
        }
    }
    const bool counts = header.rows > 0 && header.terms > 0 && header.emissions >= header.rows &&
                        header.terms <= header.emissions && header.index_slots > header.terms &&
                        header.seq_lo <= header.seq_hi &&
                        header.terms < std::numeric_limits<std::uint32_t>::max() / 2;
    if (!counts || !sizes_agree(header)) return damaged("sizes contradict the counts");
    Header placed = header;
    if (place_sections(placed) != file_size) return damaged("sections do not fill the file");
    for (std::size_t i = 0; i < kSectionCount; ++i) {
        if (placed.sections[i].position != header.sections[i].position) {
            return damaged("a section is out of place");
        }
    }
    return header;
}

TermIndexShape::TermIndexShape(std::uint32_t terms, std::uint32_t slots)
    : slots_(slots), ordinal_mask_((std::uint32_t{1} << std::bit_width(terms)) - 1) {}

std::uint32_t TermIndexShape::slots_for(std::uint32_t terms) {
    // Two thirds full: a probe that finds nothing looks at five slots, in one or two cache lines.
    return terms + terms / 2 + 1;
}

} // namespace sluice::segment_format
