// How many random histories are lived.
#pragma once
#include <cstdint>
#include <cstdlib>

namespace sluice::test {

/// SLUICE_PROPERTY_SEEDS, or else `usual`.
inline std::uint64_t seed_count(std::uint64_t usual) {
    const char* const wanted = std::getenv("SLUICE_PROPERTY_SEEDS");
    return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : usual;
}

} // namespace sluice::test
