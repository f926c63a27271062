// JSON numbers, from the text they are written with: as exact decimals, and as keys order them.
#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;

/// Whether `text` is a number by the grammar of JSON, and nothing else.
bool is_json_number(std::string_view text);

/// A number as decimal digits: significand * 10^exponent. The significand does not end in a zero;
/// zero is 0 * 10^0.
struct Decimal {
    static constexpr int kDigitsMax = 38; ///< What always fits in 128 bits.

    bool negative = false;
    Uint128 significand = 0;
    std::int64_t exponent = 0;
    /// The power of ten of the first digit.
    std::int64_t leading_exponent = 0;
    /// False: there are more than kDigitsMax digits, and the significand is not to be used.
    bool is_whole = true;
};

/// `json_number` must be one.
Decimal parse_decimal(std::string_view json_number);

/// Infinity for what is beyond every double, as IEEE 754 rounds.
double nearest_double(std::string_view json_number);

/// A number in the order of keys: the nearest double and, for a 64-bit integer of 2^53 and more
/// that no double holds, how far it lies from that double. Comparing the two in turn compares the
/// numbers.
struct KeyNumber {
    double nearest = 0; ///< Not NaN, not -0.
    std::int32_t correction = 0;

    friend auto operator<=>(const KeyNumber&, const KeyNumber&) = default;

    static KeyNumber from(std::int64_t value);
    static KeyNumber from(std::uint64_t value);
    static KeyNumber from(double value);
    /// A 64-bit integer, whichever way it is written (1e3 is one), or else the nearest double.
    static KeyNumber from_json(std::string_view json_number);

    /// The number if it is an integer that fits.
    std::optional<std::int64_t> as_int64() const;
    std::optional<std::uint64_t> as_uint64() const;
};

} // namespace sluice
