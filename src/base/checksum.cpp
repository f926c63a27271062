#include "base/checksum.hpp"

#include <xxhash.h>

namespace sluice {

std::uint64_t checksum64(std::string_view bytes, std::uint64_t seed) {
    return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

} // namespace sluice
