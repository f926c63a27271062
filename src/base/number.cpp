#include "base/number.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace sluice {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

const char* skip_digits(const char* at, const char* end) {
    while (at != end && is_digit(*at)) ++at;
    return at;
}

/// The power of ten behind "e". One that is absurdly large stays absurdly large.
std::int64_t parse_exponent(const char* at, const char* end) {
    constexpr std::int64_t kAbsurd = 1'000'000'000'000;
    const bool negative = at != end && *at == '-';
    if (at != end && (*at == '-' || *at == '+')) ++at;
    std::int64_t exponent = 0;
    for (; at != end; ++at) exponent = std::min(exponent * 10 + (*at - '0'), kAbsurd);
    return negative ? -exponent : exponent;
}

template <typename Integer> std::optional<Integer> parse_integer(std::string_view text) {
    Integer value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end) return std::nullopt;
    return value;
}

constexpr double kLastExactInteger = 0x1p53;
constexpr double kIntegersEnd = 0x1p64;
constexpr double kIntegersBegin = -0x1p63;

KeyNumber from_integer(Int128 value) {
    const auto nearest = static_cast<double>(value);
    return {nearest, static_cast<std::int32_t>(value - static_cast<Int128>(nearest))};
}

/// The 64-bit integer, signed or unsigned, that `decimal` is.
std::optional<Int128> as_integer(const Decimal& decimal) {
    if (!decimal.is_whole || decimal.exponent < 0 || decimal.leading_exponent > 19) {
        return std::nullopt;
    }
    Uint128 magnitude = decimal.significand;
    for (std::int64_t i = 0; i < decimal.exponent; ++i) magnitude *= 10;
    const auto value = decimal.negative ? -static_cast<Int128>(magnitude) //
                                        : static_cast<Int128>(magnitude);
    if (value < std::numeric_limits<std::int64_t>::min()) return std::nullopt;
    if (value > static_cast<Int128>(std::numeric_limits<std::uint64_t>::max())) return std::nullopt;
    return value;
}

/// The integer that a KeyNumber of integer value stands for.
std::optional<Int128> as_integer(const KeyNumber& number) {
    if (number.nearest < kIntegersBegin || number.nearest > kIntegersEnd) return std::nullopt;
    if (number.nearest != std::trunc(number.nearest)) return std::nullopt;
    return static_cast<Int128>(number.nearest) + number.correction;
}

template <typename Integer> std::optional<Integer> narrow(std::optional<Int128> value) {
    if (!value || *value < static_cast<Int128>(std::numeric_limits<Integer>::min()) ||
        *value > static_cast<Int128>(std::numeric_limits<Integer>::max())) {
        return std::nullopt;
    }
    return static_cast<Integer>(*value);
}

} // namespace

bool is_json_number(std::string_view text) {
    const char* at = text.data();
    const char* const end = at + text.size();
    if (at != end && *at == '-') ++at;
    if (at == end || !is_digit(*at)) return false;
    at = *at == '0' ? at + 1 : skip_digits(at, end);
    if (at != end && *at == '.') {
        const char* const fraction = ++at;
        at = skip_digits(at, end);
        if (at == fraction) return false;
    }
    if (at != end && (*at == 'e' || *at == 'E')) {
        ++at;
        if (at != end && (*at == '-' || *at == '+')) ++at;
        const char* const exponent = at;
        at = skip_digits(at, end);
        if (at == exponent) return false;
    }
    return at == end;
}

Decimal parse_decimal(std::string_view json_number) {
    Decimal decimal;
    const char* at = json_number.data();
    const char* const end = at + json_number.size();
    if (*at == '-') {
        decimal.negative = true;
        ++at;
    }

    // `point` is the power of ten of the digit under the cursor, before the exponent is applied.
    // Zeros are held back until a digit behind them proves that they are not at the end.
    const char* const integer_end = skip_digits(at, end);
    std::int64_t point = integer_end - at - 1;
    std::int64_t zeros_held = 0;
    std::int64_t digits = 0;
    std::int64_t last = 0;
    for (; at != end && *at != 'e' && *at != 'E'; ++at) {
        if (*at == '.') continue;
        if (*at != '0') {
            if (digits == 0) decimal.leading_exponent = point;
            digits += digits == 0 ? 1 : zeros_held + 1;
            if (digits <= Decimal::kDigitsMax) {
                if (digits > 1) {
                    for (std::int64_t i = 0; i < zeros_held; ++i) decimal.significand *= 10;
                }
                decimal.significand = decimal.significand * 10 + static_cast<unsigned>(*at - '0');
            }
            zeros_held = 0;
            last = point;
        } else {
            ++zeros_held;
        }
        --point;
    }
    if (digits == 0) return decimal;

    const std::int64_t exponent = at == end ? 0 : parse_exponent(at + 1, end);
    decimal.is_whole = digits <= Decimal::kDigitsMax;
    decimal.exponent = last + exponent;
    decimal.leading_exponent += exponent;
    return decimal;
}

double nearest_double(std::string_view json_number) {
    double value = 0;
    const char* const end = json_number.data() + json_number.size();
    const auto [stop, error] = std::from_chars(json_number.data(), end, value);
    SLUICE_ASSERT(stop == end);
    if (error == std::errc()) return value;
    const Decimal decimal = parse_decimal(json_number);
    const double magnitude =
        decimal.leading_exponent > 0 ? std::numeric_limits<double>::infinity() : 0.0;
    return decimal.negative ? -magnitude : magnitude;
}

KeyNumber KeyNumber::from(std::int64_t value) {
    return from_integer(value);
}
KeyNumber KeyNumber::from(std::uint64_t value) {
    return from_integer(value);
}

KeyNumber KeyNumber::from(double value) {
    SLUICE_ASSERT(!std::isnan(value));
    return {value == 0 ? 0.0 : value, 0};
}

KeyNumber KeyNumber::from_json(std::string_view json_number) {
    if (const auto integer = parse_integer<std::int64_t>(json_number)) return from(*integer);
    const KeyNumber nearest = from(nearest_double(json_number));
    if (std::abs(nearest.nearest) < kLastExactInteger) return nearest;
    if (nearest.nearest < kIntegersBegin || nearest.nearest > kIntegersEnd) return nearest;
    const auto integer = as_integer(parse_decimal(json_number));
    return integer ? from_integer(*integer) : nearest;
}

std::optional<std::int64_t> KeyNumber::as_int64() const {
    return narrow<std::int64_t>(as_integer(*this));
}
std::optional<std::uint64_t> KeyNumber::as_uint64() const {
    return narrow<std::uint64_t>(as_integer(*this));
}

} // namespace sluice
