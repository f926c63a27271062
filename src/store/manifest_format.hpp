// The manifest in bytes: docs/format/manifest.md in code, and nowhere else in code.
#pragma once
#include "store/manifest.hpp"

namespace sluice::manifest_format {

// File header:
//    0  magic     8 bytes  "sluiceMF"
//    8  version   u32      1
//   12  checksum  u32      low half of XXH3 of bytes 0 to 11
// then frames, each:
//    0  size            u32  bytes of payload
//    4  size_checksum   u32  low half of XXH3 of the 4 bytes before
//    8  checksum        u64  XXH3 of the payload
//   16  payload         a record
constexpr std::string_view kMagic = "sluiceMF";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kFileHeaderSizeBytes = 16;
constexpr std::size_t kFrameHeaderSizeBytes = 16;
static_assert(kMagic.size() + 2 * sizeof(std::uint32_t) == kFileHeaderSizeBytes);

std::string file_header();
/// Errors: corrupt; unsupported_version.
Result<void> check_file_header(std::string_view file);

std::string encode_frame(const ManifestRecord& record);

struct Frames {
    std::optional<ManifestRecord> last; ///< The last whole one.
    std::uint64_t begin = 0;            ///< Where it begins.
    std::uint64_t end = 0;              ///< Where whole frames end: behind it is a torn one.
    std::uint64_t damaged = 0;          ///< Frames whose payload is damaged, before `end`.
};
/// Reads what stands behind the file header. A frame with a damaged payload is passed over.
Frames decode_frames(std::string_view file);

} // namespace sluice::manifest_format
