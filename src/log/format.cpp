#include "log/format.hpp"

#include "base/bytes.hpp"
#include "base/checksum.hpp"

#include <cstring>

namespace sluice::log_format {
namespace {

/// What the segment, index and identity headers begin with: magic, check, version.
constexpr std::size_t kCheckPosition = 8;
constexpr std::size_t kCheckedFrom = 12;

std::string begin_header(std::string_view magic) {
    std::string raw(magic);
    append_le<std::uint32_t>(raw, 0);
    append_le<std::uint32_t>(raw, kVersion);
    return raw;
}

void finish_header(std::string& raw, std::string_view covered_too = {}) {
    const std::string covered = raw.substr(kCheckedFrom) + std::string(covered_too);
    put_le(raw.data() + kCheckPosition, checksum32(covered));
}

/// Errors: corrupt; unsupported_version, which is told apart first, because a newer format may
/// well check itself in another way.
Result<void> check_header(std::string_view raw, std::string_view magic, std::uint64_t size,
                          const char* what) {
    if (raw.size() < size || raw.substr(0, magic.size()) != magic) {
        return Error{Errc::corrupt, std::string(what) + ": not the header of one"};
    }
    if (get_le<std::uint32_t>(raw.data() + kCheckedFrom) > kVersion) {
        return Error{Errc::unsupported_version,
                     std::string(what) + " was written by a newer version of sluice"};
    }
    const auto check = get_le<std::uint32_t>(raw.data() + kCheckPosition);
    if (check != checksum32(raw.substr(kCheckedFrom, size - kCheckedFrom))) {
        return Error{Errc::corrupt, std::string(what) + ": the header's checksum is wrong"};
    }
    return {};
}

} // namespace

std::string encode_segment_header(const DatabaseId& id, Seq first) {
    std::string raw = begin_header(kSegmentMagic);
    raw.append(id.data(), id.size());
    append_le(raw, first.value);
    raw.resize(kSegmentHeaderSize);
    finish_header(raw);
    return raw;
}

Result<SegmentHeader> decode_segment_header(std::string_view raw) {
    if (auto checked = check_header(raw, kSegmentMagic, kSegmentHeaderSize, "log segment");
        !checked) {
        return checked.error();
    }
    SegmentHeader header;
    raw.copy(header.database.data(), header.database.size(), 16);
    header.first = {get_le<std::uint64_t>(raw.data() + 32)};
    return header;
}

std::uint64_t check_seed(const DatabaseId& id) {
    return get_le<std::uint64_t>(id.data());
}

void append_entry_header(std::string& to, const EntryHeader& header, std::uint64_t seed) {
    char raw[kEntryHeaderSize];
    put_le(raw + 4, header.payload_size);
    put_le(raw + 8, header.seq.value);
    put_le(raw + 16, header.batch_left);
    put_le(raw + 20, header.durable_behind);
    put_le(raw + 24, header.key_size);
    raw[26] = static_cast<char>(header.kind);
    raw[kStatePosition] = header.state;
    put_le(raw + kPayloadCheckPosition, header.payload_check);
    put_le(raw, checksum32({raw + 4, kStatePosition - 4}, seed));
    to.append(raw, sizeof raw);
}

std::optional<EntryHeader> decode_entry_header(std::string_view raw, std::uint64_t seed) {
    if (raw.size() < kEntryHeaderSize) return std::nullopt;
    const char* const at = raw.data();
    if (get_le<std::uint32_t>(at) != checksum32(raw.substr(4, kStatePosition - 4), seed)) {
        return std::nullopt;
    }
    EntryHeader header;
    header.payload_size = get_le<std::uint32_t>(at + 4);
    header.seq = {get_le<std::uint64_t>(at + 8)};
    header.batch_left = get_le<std::uint32_t>(at + 16);
    header.durable_behind = get_le<std::uint32_t>(at + 20);
    header.key_size = get_le<std::uint16_t>(at + 24);
    const auto kind = static_cast<std::uint8_t>(at[26]);
    header.state = at[kStatePosition];
    header.payload_check = get_le<std::uint32_t>(at + kPayloadCheckPosition);
    if (kind != 1 && kind != 2) return std::nullopt;
    header.kind = static_cast<Kind>(kind);
    if (header.key_size > header.payload_size) return std::nullopt;
    return header;
}

std::string encode_index_head(const IndexHeader& header, const std::string& change_seqs) {
    std::string raw = begin_header(kIndexMagic);
    append_le(raw, header.first.value);
    append_le(raw, header.entry_count);
    append_le(raw, header.covered_size);
    append_le(raw, header.change_count);
    raw.resize(kIndexHeaderSize);
    finish_header(raw, change_seqs);
    return raw + change_seqs;
}

std::optional<IndexHeader> decode_index_header(std::string_view raw) {
    if (raw.size() < kIndexHeaderSize || raw.substr(0, 8) != kIndexMagic ||
        get_le<std::uint32_t>(raw.data() + 12) != kVersion) {
        return std::nullopt;
    }
    return IndexHeader{{get_le<std::uint64_t>(raw.data() + 16)},
                       get_le<std::uint64_t>(raw.data() + 24),
                       get_le<std::uint64_t>(raw.data() + 32),
                       get_le<std::uint64_t>(raw.data() + 40)};
}

bool index_check_matches(std::string_view raw_header, std::string_view change_seqs) {
    const std::string covered =
        std::string(raw_header.substr(kCheckedFrom)) + std::string(change_seqs);
    return get_le<std::uint32_t>(raw_header.data() + kCheckPosition) == checksum32(covered);
}

std::string encode_identity(const Identity& identity) {
    std::string raw = begin_header(kIdentityMagic);
    raw.append(identity.id.data(), identity.id.size());
    raw.append(identity.secret.data(), identity.secret.size());
    finish_header(raw);
    return raw;
}

Result<Identity> decode_identity(std::string_view raw) {
    if (auto checked = check_header(raw, kIdentityMagic, kIdentitySize, "log/identity"); !checked) {
        return checked.error();
    }
    Identity identity;
    std::memcpy(identity.id.data(), raw.data() + 16, identity.id.size());
    std::memcpy(identity.secret.data(), raw.data() + 32, identity.secret.size());
    return identity;
}

} // namespace sluice::log_format
