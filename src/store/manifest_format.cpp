#include "store/manifest_format.hpp"

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/checksum.hpp"

#include <limits>

namespace sluice::manifest_format {
namespace {

void encode_segment(std::string& to, const ManifestRecord::SegmentEntry& segment) {
    append_varint(to, segment.file_number);
    append_varint(to, segment.size_bytes);
    append_varint(to, segment.rows);
    append_varint(to, segment.seq_lo.value);
    append_varint(to, segment.seq_hi.value - segment.seq_lo.value);
    append_varint(to, segment.superseded.size());
    std::uint64_t before = 0;
    for (const std::uint32_t row : segment.superseded) {
        append_varint(to, row - before);
        before = row;
    }
}

std::optional<ManifestRecord::SegmentEntry> decode_segment(ByteReader& from) {
    ManifestRecord::SegmentEntry segment;
    segment.file_number = from.varint();
    segment.size_bytes = from.varint();
    segment.rows = from.varint();
    segment.seq_lo = {from.varint()};
    segment.seq_hi = {segment.seq_lo.value + from.varint()};
    const std::uint64_t count = from.varint();
    if (!from.ok() || count > from.rest().size()) return std::nullopt;
    segment.superseded.reserve(count);
    std::uint64_t row = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        row += from.varint();
        if (row >= segment.rows || row > std::numeric_limits<std::uint32_t>::max()) {
            return std::nullopt;
        }
        segment.superseded.push_back(static_cast<std::uint32_t>(row));
    }
    if (!from.ok()) return std::nullopt;
    return segment;
}

std::optional<ManifestRecord> decode_record(std::string_view payload) {
    ByteReader from(payload);
    ManifestRecord record;
    record.position = {from.varint()};
    record.next_file_number = from.varint();
    record.attachment = from.sized();
    const std::uint64_t view_count = from.varint();
    for (std::uint64_t v = 0; v < view_count && from.ok(); ++v) {
        ManifestRecord::View view;
        const std::uint64_t id = from.varint();
        if (id > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
        view.id = {static_cast<std::uint32_t>(id)};
        view.since = {from.varint()};
        const std::uint64_t segment_count = from.varint();
        for (std::uint64_t s = 0; s < segment_count && from.ok(); ++s) {
            auto segment = decode_segment(from);
            if (!segment) return std::nullopt;
            view.segments.push_back(std::move(*segment));
        }
        record.views.push_back(std::move(view));
    }
    if (!from.done()) return std::nullopt;
    return record;
}

} // namespace

std::string file_header() {
    std::string header(kMagic);
    append_le(header, kVersion);
    append_le(header, checksum32(header));
    return header;
}

Result<void> check_file_header(std::string_view file) {
    if (file.size() < kFileHeaderSizeBytes || file.substr(0, kMagic.size()) != kMagic ||
        get_le<std::uint32_t>(file.data() + 12) != checksum32(file.substr(0, 12))) {
        return Error{Errc::corrupt, "the header is damaged"};
    }
    const auto version = get_le<std::uint32_t>(file.data() + 8);
    if (version != kVersion) {
        return Error{Errc::unsupported_version, "version " + std::to_string(version)};
    }
    return {};
}

std::string encode_frame(const ManifestRecord& record) {
    std::string payload;
    append_varint(payload, record.position.value);
    append_varint(payload, record.next_file_number);
    append_sized(payload, record.attachment);
    append_varint(payload, record.views.size());
    for (const ManifestRecord::View& view : record.views) {
        append_varint(payload, view.id.value);
        append_varint(payload, view.since.value);
        append_varint(payload, view.segments.size());
        for (const auto& segment : view.segments) encode_segment(payload, segment);
    }
    SLUICE_ASSERT(payload.size() <= std::numeric_limits<std::uint32_t>::max());
    std::string frame;
    append_le(frame, static_cast<std::uint32_t>(payload.size()));
    append_le(frame, checksum32(frame));
    append_le(frame, checksum64(payload));
    return frame + payload;
}

Frames decode_frames(std::string_view file) {
    Frames frames;
    frames.end = kFileHeaderSizeBytes;
    ByteReader from(file.substr(kFileHeaderSizeBytes));
    std::uint64_t passed_over = 0;
    for (;;) {
        const std::uint64_t begin = file.size() - from.rest().size();
        const std::string_view size_bytes = from.take(4);
        const auto size_checksum = from.le<std::uint32_t>();
        const auto checksum = from.le<std::uint64_t>();
        if (!from.ok() || checksum32(size_bytes) != size_checksum) return frames;
        const std::string_view payload = from.take(get_le<std::uint32_t>(size_bytes.data()));
        if (!from.ok()) return frames;
        auto record = checksum64(payload) == checksum ? decode_record(payload) : std::nullopt;
        if (!record) {
            // Torn, if nothing whole follows.
            ++passed_over;
            continue;
        }
        frames.damaged += std::exchange(passed_over, 0);
        frames.last = std::move(record);
        frames.begin = begin;
        frames.end = file.size() - from.rest().size();
    }
}

} // namespace sluice::manifest_format
