// The log's bytes: docs/format/log.md in code, and nowhere else in code.
#pragma once
#include <sluice/result.hpp>
#include <sluice/seq.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::log_format {

using DatabaseId = std::array<char, 16>;

// A segment file: this header, then entries, each beginning at a multiple of 8.
//    0  magic        8 bytes  "SluiceL1"
//    8  check        u32      of bytes 12..64
//   12  version      u32      1
//   16  database_id  16 bytes
//   32  first_seq    u64      the seq of the first entry
//   40  zeros        24 bytes
constexpr std::string_view kSegmentMagic = "SluiceL1";
constexpr std::uint32_t kVersion = 1;
constexpr std::uint64_t kSegmentHeaderSize = 64;
static_assert(kSegmentMagic.size() == 8 && kSegmentHeaderSize % 8 == 0);

std::string encode_segment_header(const DatabaseId& id, Seq first);
struct SegmentHeader {
    DatabaseId database{};
    Seq first;
};
/// Errors: corrupt; unsupported_version.
Result<SegmentHeader> decode_segment_header(std::string_view raw);

// An entry:
//    0  check           u32  of bytes 4..27, seeded with the database id: bytes that a stranger put
//                            into a message cannot pass for an entry when a damaged log is searched
//    4  payload_size    u32  key and body; survives erasure, so that the next entry can be found
//    8  seq             u64
//   16  batch_left      u32  how many entries of the same batch follow
//   20  durable_behind  u32  seq minus the last seq known durable when this was written
//   24  key_size        u16  the payload's first bytes are the application key
//   26  kind            u8
//   27  state           u8   'L' live or 'E' erased
//   28  payload_check   u32  wiped by erasure: a checksum is enough to confirm a guess
//   32  payload         payload_size bytes, wiped by erasure, then zeros up to a multiple of 8
//
// `state` stands outside `check` because erasure rewrites it in place with what follows it.
constexpr std::uint64_t kStatePosition = 27;
constexpr std::uint64_t kPayloadCheckPosition = 28;
constexpr std::uint64_t kEntryHeaderSize = 32;
static_assert(kStatePosition + 1 == kPayloadCheckPosition &&
              kPayloadCheckPosition + 4 == kEntryHeaderSize);

enum class Kind : std::uint8_t { message = 1, change = 2 };
constexpr char kLive = 'L';
constexpr char kErased = 'E';

struct EntryHeader {
    std::uint32_t payload_size = 0;
    Seq seq;
    std::uint32_t batch_left = 0;
    std::uint32_t durable_behind = 0;
    std::uint16_t key_size = 0;
    Kind kind = Kind::message;
    char state = kLive;
    std::uint32_t payload_check = 0;

    std::uint64_t size_on_disk() const {
        return (kEntryHeaderSize + std::uint64_t{payload_size} + 7) / 8 * 8;
    }
};

std::uint64_t check_seed(const DatabaseId& id);
void append_entry_header(std::string& to, const EntryHeader& header, std::uint64_t seed);
/// Nothing if `raw` does not hold a whole, well-formed header. The state may still be any byte: a
/// torn erasure leaves one.
std::optional<EntryHeader> decode_entry_header(std::string_view raw, std::uint64_t seed);

// An index file says where the entries of a segment begin. It can be made again from the segment.
//    0  magic         8 bytes  "SluiceI1"
//    8  check         u32      of bytes 12..64 and of the change seqs
//   12  version       u32      1
//   16  first_seq     u64
//   24  entry_count   u64
//   32  covered_size  u64      how far into the segment the index reaches
//   40  change_count  u64
//   48  zeros         16 bytes
//   64  change seqs   u64 each
//       offsets       u32 each, one an entry; 0: the entry is damaged
constexpr std::string_view kIndexMagic = "SluiceI1";
constexpr std::uint64_t kIndexHeaderSize = 64;
static_assert(kIndexMagic.size() == 8 && kIndexHeaderSize % 8 == 0);

struct IndexHeader {
    Seq first;
    std::uint64_t entry_count = 0;
    std::uint64_t covered_size = 0;
    std::uint64_t change_count = 0;
};
/// Header and change seqs; the offsets follow.
std::string encode_index_head(const IndexHeader& header, const std::string& change_seqs);
std::optional<IndexHeader> decode_index_header(std::string_view raw);
bool index_check_matches(std::string_view raw_header, std::string_view change_seqs);

// The identity file, written once:
//    0  magic        8 bytes  "SluiceD1"
//    8  check        u32      of bytes 12..64
//   12  version      u32      1
//   16  database_id  16 bytes
//   32  secret       32 bytes key of the hashes that stand for application keys
constexpr std::string_view kIdentityMagic = "SluiceD1";
constexpr std::uint64_t kIdentitySize = 64;

struct Identity {
    DatabaseId id{};
    std::array<char, 32> secret{};
};
std::string encode_identity(const Identity& identity);
Result<Identity> decode_identity(std::string_view raw);

} // namespace sluice::log_format
