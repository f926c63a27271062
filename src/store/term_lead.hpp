// Eight bytes of a term as a number: most comparisons of terms end there.
#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sluice {

constexpr std::size_t kLeadBytes = 8;

/// The bytes from `depth` on, big-endian, zeros behind the end. Of two terms with unequal leads and
/// equal bytes before `depth`, the one with the smaller lead is the smaller.
inline std::uint64_t lead_at(std::string_view term, std::size_t depth) {
    std::uint64_t lead = 0;
    if (term.size() >= depth + kLeadBytes) {
        std::memcpy(&lead, term.data() + depth, kLeadBytes);
    } else if (term.size() > depth) {
        std::memcpy(&lead, term.data() + depth, term.size() - depth);
    }
    return __builtin_bswap64(lead);
}

} // namespace sluice
