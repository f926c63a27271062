#include "import/flumelog_offset.hpp"

#include "base/try.hpp"

#include <algorithm>

namespace sluice {

using namespace flumelog_offset;

namespace {

/// True for an empty body as well, as flumedb has it.
bool all_zeros(std::string_view bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](char byte) { return byte == '\0'; });
}

std::string encoded_end(std::uint64_t end, Width width) {
    std::string bytes;
    append_be(bytes, end, flumelog_offset::size_bytes(width));
    return bytes;
}

} // namespace

Result<FlumelogOffsetSource> FlumelogOffsetSource::open(ByteSource bytes) {
    FlumelogOffsetSource source(std::move(bytes));
    if (source.size_bytes() > 0) SLUICE_TRY(source.find_width());
    return source;
}

Result<void> FlumelogOffsetSource::find_width() {
    SLUICE_TRY_ASSIGN(const std::string_view length, bytes_.read(0, kLengthSizeBytes));
    const std::uint64_t body = get_be(length);
    if (length.size() < kLengthSizeBytes) return explain("the length is missing", true);
    if (body > kForeignRecordSizeBytesMax) return explain("the length is over 16 MiB", false);

    const std::uint64_t end_at = 2 * kLengthSizeBytes + body;
    SLUICE_TRY_ASSIGN(const std::string_view ends,
                      bytes_.read(end_at, flumelog_offset::size_bytes(Width::bits53)));
    bool cut = false;
    for (const Width width : kWidths) {
        const std::string expected = encoded_end(frame_size_bytes(body, width), width);
        if (ends.starts_with(expected)) {
            width_ = width;
            return {};
        }
        cut = cut || expected.starts_with(ends);
    }
    return explain("the end is that of no frame of 32, 48 or 53 bits", cut);
}

Result<std::optional<ForeignRecord>> FlumelogOffsetSource::next() {
    const std::uint64_t left = size_bytes() - offset_;
    if (left == 0) return std::optional<ForeignRecord>();

    SLUICE_TRY_ASSIGN(const std::string_view length, bytes_.read(offset_, kLengthSizeBytes));
    const std::uint64_t body = get_be(length);
    const std::uint64_t frame = frame_size_bytes(body, width_);
    if (length.size() < kLengthSizeBytes) return explain("the length is missing", true);
    if (body > kForeignRecordSizeBytesMax) return explain("the length is over 16 MiB", false);
    if (frame > left) return explain("the length leads beyond the end of the file", true);

    SLUICE_TRY_ASSIGN(const std::string_view bytes, bytes_.read(offset_, frame));
    if (get_be(bytes.substr(kLengthSizeBytes + body, kLengthSizeBytes)) != body) {
        return explain("the two lengths differ", false);
    }
    if (get_be(bytes.substr(2 * kLengthSizeBytes + body)) != offset_ + frame) {
        return explain("the end is not where the file has it", false);
    }
    const std::string_view record = bytes.substr(kLengthSizeBytes, body);
    const ForeignRecord found{offset_, record, all_zeros(record)};
    offset_ += frame;
    return std::optional(found);
}

Result<void> FlumelogOffsetSource::seek(std::uint64_t offset) {
    if (offset != 0) {
        SLUICE_TRY_ASSIGN(const bool boundary, frame_ends_at(offset, width_));
        if (!boundary) {
            return Error{Errc::invalid_argument,
                         bytes_.name() + ": no record ends at byte " + std::to_string(offset)};
        }
    }
    offset_ = offset;
    return {};
}

Result<bool> FlumelogOffsetSource::frame_ends_at(std::uint64_t end, Width width) {
    const std::uint64_t size = flumelog_offset::size_bytes(width);
    if (end < size || end > size_bytes()) return false;
    SLUICE_TRY_ASSIGN(const std::string_view found, bytes_.read(end - size, size));
    return found == encoded_end(end, width);
}

/// Tells what an interrupted write leaves at the end of a file from damage inside it, when the
/// frame at offset_ is bad. `incomplete`: the file is too short for it.
Result<bool> FlumelogOffsetSource::looks_cut_off(bool incomplete) {
    // A whole frame at the very end speaks for damage before it, in a length that leads too far.
    for (const Width width : kWidths) {
        SLUICE_TRY_ASSIGN(const bool whole, frame_ends_at(size_bytes(), width));
        if (whole) return false;
    }
    if (incomplete) return true;
    // A file system that lost the data but kept the size leaves zeros up to the end.
    constexpr std::uint64_t kStep = 1024 * 1024;
    for (std::uint64_t at = offset_; at < size_bytes(); at += kStep) {
        SLUICE_TRY_ASSIGN(const std::string_view bytes, bytes_.read(at, kStep));
        if (!all_zeros(bytes)) return false;
    }
    return true;
}

Error FlumelogOffsetSource::explain(std::string_view how, bool incomplete) {
    const Result<bool> cut = looks_cut_off(incomplete);
    if (!cut) return cut.error();
    const std::string record = "the record at byte " + std::to_string(offset_);
    if (*cut) return {Errc::corrupt, bytes_.name() + " is cut off: " + record + " is incomplete"};
    return {Errc::corrupt, bytes_.name() + " is damaged: of " + record + ", " + std::string(how)};
}

} // namespace sluice
