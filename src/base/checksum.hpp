// The checksum of everything on disk: XXH3 (Yann Collet), which finds accidents and not forgeries.
#pragma once
#include <cstdint>
#include <string_view>

namespace sluice {

std::uint64_t checksum64(std::string_view bytes, std::uint64_t seed = 0);

/// The low half, for places where four bytes are enough.
inline std::uint32_t checksum32(std::string_view bytes, std::uint64_t seed = 0) {
    return static_cast<std::uint32_t>(checksum64(bytes, seed));
}

} // namespace sluice
