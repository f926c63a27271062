// The frame of flumelog-offset files, version 3 and later. All integers are big-endian.
//
//   S         u32   n, the size of the body
//   S + 4     n     body; all zeros once it was deleted
//   S + 4 + n u32   n again, for reading backward
//   S + 8 + n       E, where the frame ends, in 4, 6 or 8 bytes
//
// Frames follow one another from byte 0 to the end of the file; there is nothing else. Which width
// the file uses is not recorded, but the end of its first frame tells: no E reads as an E of
// another width.
#pragma once
#include "base/bytes.hpp"

namespace sluice::flumelog_offset {

/// Of E, in bytes.
enum class Width : std::uint8_t { bits32 = 4, bits48 = 6, bits53 = 8 };
constexpr Width kWidths[] = {Width::bits32, Width::bits48, Width::bits53};

constexpr std::uint64_t kLengthSizeBytes = 4;

constexpr std::uint64_t size_bytes(Width width) {
    return static_cast<std::uint64_t>(width);
}
constexpr std::uint64_t frame_size_bytes(std::uint64_t body_size_bytes, Width width) {
    return 2 * kLengthSizeBytes + body_size_bytes + size_bytes(width);
}
/// The largest E that fits.
constexpr std::uint64_t end_max(Width width) {
    return width == Width::bits53 ? (std::uint64_t{1} << 53) - 1
                                  : (std::uint64_t{1} << 8 * size_bytes(width)) - 1;
}

} // namespace sluice::flumelog_offset
