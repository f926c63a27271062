// How many of like size make one of the next size, for runs in memory and for files.
#pragma once
#include <cstdint>

namespace sluice {

constexpr std::uint32_t kFanIn = 8;

/// Grows by one for each factor of kFanIn.
inline int tier_of(std::uint64_t rows) {
    int tier = 0;
    for (; rows >= kFanIn; rows /= kFanIn) ++tier;
    return tier;
}

} // namespace sluice
