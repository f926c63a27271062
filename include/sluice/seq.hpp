// Seq, the number of a log entry and the only clock there is.
#pragma once
#include <compare>
#include <cstdint>

namespace sluice {

/// Names an entry of the log: 1, 2, 3 ... Never reused, never renumbered. 0 is "before the first".
struct Seq {
    std::uint64_t value = 0;
    friend constexpr auto operator<=>(const Seq&, const Seq&) = default;
    constexpr Seq next() const { return {value + 1}; }
};

} // namespace sluice
