#include "views/exact_sum.hpp"

#include "base/json_text.hpp"

#include <bit>
#include <charconv>
#include <cmath>

namespace sluice {

namespace {

// The header byte of an encoded sum: the size of the integers' part, and what follows it.
constexpr unsigned kIntegersSizeMask = 0x1F;
constexpr unsigned kHasDecimals = 0x20;
constexpr unsigned kHasDoubles = 0x40;
constexpr std::size_t kAverageDigits = 17;

/// [-]digits * 10^-places as a JSON number.
void append_decimal_json(std::string& to, bool negative, std::string digits, std::int64_t places) {
    while (digits.size() > 1 && digits.back() == '0') {
        digits.pop_back();
        --places;
    }
    if (digits == "0") {
        to += '0';
        return;
    }
    if (negative) to += '-';
    const auto size = static_cast<std::int64_t>(digits.size());
    const std::int64_t point = size - places; // How many digits stand before the point.
    if (point > 40 || point < -6) {           // What nobody wants to count the zeros of.
        to += digits[0];
        if (size > 1) to += '.' + digits.substr(1);
        to += 'e' + std::to_string(point - 1);
    } else if (point <= 0) {
        to += "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
    } else if (point >= size) {
        to += digits + std::string(static_cast<std::size_t>(point - size), '0');
    } else {
        to += digits.substr(0, static_cast<std::size_t>(point)) + '.' +
              digits.substr(static_cast<std::size_t>(point));
    }
}

/// Rounds to `kept` digits, half to even; `is_more` says that the number goes on behind `digits`.
void round_digits(std::string& digits, std::int64_t& places, std::size_t kept, bool is_more) {
    if (digits.size() <= kept) return;
    const char next = digits[kept];
    const bool behind_next = is_more || digits.find_first_not_of('0', kept + 1) != digits.npos;
    const bool is_odd = (digits[kept - 1] - '0') % 2 != 0;
    const bool up = next > '5' || (next == '5' && (behind_next || is_odd));
    places -= static_cast<std::int64_t>(digits.size() - kept);
    digits.resize(kept);
    if (!up) return;
    std::size_t at = kept;
    while (at > 0 && digits[at - 1] == '9') digits[--at] = '0';
    if (at > 0) {
        ++digits[at - 1];
    } else {
        digits.insert(0, 1, '1');
    }
}

/// Bytes that hold `value` and its sign.
std::size_t trimmed_size(Int128 value) {
    std::size_t size = 0;
    for (Int128 left = value; left != 0 && left != -1; left >>= 8) ++size;
    if (size == 0) return value == 0 ? 0 : 1;
    const bool top_bit = (value >> (8 * size - 1) & 1) != 0;
    return top_bit == (value < 0) ? size : size + 1;
}

} // namespace

void ExactSum::clear() {
    count_ = 0;
    integers_ = 0;
    if (has_decimals_) decimals_ = {};
    has_decimals_ = false;
    doubles_.reset();
}

void ExactSum::add(std::int64_t value) {
    integers_ += value;
    ++count_;
}

bool ExactSum::add(std::string_view json_number) {
    std::int64_t integer = 0;
    const char* const end = json_number.data() + json_number.size();
    const auto [stop, error] = std::from_chars(json_number.data(), end, integer);
    if (error == std::errc() && stop == end) {
        add(integer);
        return true;
    }
    const Decimal decimal = parse_decimal(json_number);
    const bool is_exact = decimal.is_whole && decimal.exponent >= -kDecimalPlaces &&
                          decimal.leading_exponent < kDecimalDigits;
    if (is_exact) {
        add_decimal(decimal);
    } else {
        const double value = nearest_double(json_number);
        if (std::isinf(value)) return false;
        add_double(value);
    }
    ++count_;
    return true;
}

void ExactSum::add_decimal(const Decimal& decimal) {
    Decimals scaled(static_cast<Int128>(decimal.significand));
    scaled.multiply_by_power(10, decimal.exponent + kDecimalPlaces);
    if (decimal.negative) scaled.negate();
    decimals_ += scaled;
    has_decimals_ = true;
}

void ExactSum::add_double(double value) {
    constexpr std::uint64_t kFraction = (std::uint64_t{1} << 52) - 1;
    const auto bits = std::bit_cast<std::uint64_t>(std::abs(value));
    const std::uint64_t biased_exponent = bits >> 52;
    const bool is_normal = biased_exponent != 0;
    const std::uint64_t significand = (bits & kFraction) | (is_normal ? kFraction + 1 : 0);
    auto scaled = Doubles::shifted(significand, is_normal ? biased_exponent - 1 : 0);
    if (value < 0) scaled.negate();
    if (!doubles_) doubles_ = std::make_unique<Doubles>();
    *doubles_ += scaled;
}

void ExactSum::add(const ExactSum& other) {
    count_ += other.count_;
    integers_ += other.integers_;
    if (other.has_decimals_) decimals_ += other.decimals_;
    has_decimals_ = has_decimals_ || other.has_decimals_;
    if (!other.doubles_) return;
    if (!doubles_) doubles_ = std::make_unique<Doubles>();
    *doubles_ += *other.doubles_;
}

void ExactSum::append_to(std::string& to) const {
    append_varint(to, count_);
    if (count_ == 0) return;
    // What sums to nothing is left out, whatever it was made of.
    const bool with_decimals = has_decimals_ && !decimals_.is_zero();
    const bool with_doubles = has_doubles();
    const std::size_t size = trimmed_size(integers_);
    to += static_cast<char>(size | (with_decimals ? kHasDecimals : 0) |
                            (with_doubles ? kHasDoubles : 0));
    for (std::size_t i = 0; i < size; ++i) to += static_cast<char>(integers_ >> (8 * i));

    if (with_decimals) {
        // Most decimals have few places: leave out the zeros behind them.
        Decimals magnitude = decimals_;
        if (magnitude.is_negative()) magnitude.negate();
        int places = kDecimalPlaces;
        for (const int step : {16, 8, 4, 2, 1, 1}) {
            std::uint64_t power = 1;
            for (int i = 0; i < step; ++i) power *= 10;
            for (Decimals divided = magnitude; places >= step && divided.divide(power) == 0;) {
                magnitude = divided;
                places -= step;
            }
        }
        if (decimals_.is_negative()) magnitude.negate();
        to += static_cast<char>(places);
        magnitude.append_trimmed(to);
    }
    if (with_doubles) {
        Doubles shifted = *doubles_;
        std::size_t zero_words = 0;
        while (shifted.words()[zero_words] == 0) ++zero_words;
        append_varint(to, zero_words);
        std::string all;
        shifted.append_trimmed(all);
        ByteReader reader(all);
        append_sized(to, reader.sized().substr(zero_words * 8));
    }
}

bool ExactSum::add_encoded(ByteReader& from) {
    ExactSum other;
    other.count_ = from.varint();
    if (!from.ok()) return false;
    if (other.count_ == 0) return true;
    const unsigned header = from.le<std::uint8_t>();
    const std::string_view integers = from.take(header & kIntegersSizeMask);
    if (!from.ok() || integers.size() > sizeof(Int128)) return false;
    if (!integers.empty() && (integers.back() & 0x80) != 0) other.integers_ = -1;
    for (std::size_t i = integers.size(); i-- > 0;) {
        other.integers_ = static_cast<Int128>(static_cast<Uint128>(other.integers_) << 8 |
                                              static_cast<unsigned char>(integers[i]));
    }
    if ((header & kHasDecimals) != 0) {
        const auto places = from.le<std::uint8_t>();
        other.decimals_ = Decimals::from_trimmed(from.sized());
        if (places > kDecimalPlaces) return false;
        other.decimals_.multiply_by_power(10, kDecimalPlaces - places);
        other.has_decimals_ = true;
    }
    if ((header & kHasDoubles) != 0) {
        const std::uint64_t zero_words = from.varint();
        const std::string_view trimmed = from.sized();
        constexpr std::uint64_t kWords = Doubles::kBytes / 8;
        if (zero_words > kWords || zero_words * 8 + trimmed.size() > Doubles::kBytes) return false;
        other.doubles_ = std::make_unique<Doubles>(
            Doubles::from_trimmed(std::string(zero_words * 8, '\0').append(trimmed)));
    }
    if (!from.ok()) return false;
    add(other);
    return true;
}

ExactSum::Total ExactSum::total() const {
    Total total(integers_);
    total.multiply_by_power(10, kDecimalPlaces);
    total += Total(decimals_);
    if (!has_doubles()) return total;
    // f * 2^-1074 is f * 5^1074 * 10^-1074.
    total.multiply_by_power(10, kDoublePlaces - kDecimalPlaces);
    Total binary(*doubles_);
    binary.multiply_by_power(5, kDoublePlaces);
    total += binary;
    return total;
}

void ExactSum::append_sum_json(std::string& to) const {
    if (count_ == 0) {
        to += "null";
        return;
    }
    Total magnitude = total();
    const bool negative = magnitude.is_negative();
    if (negative) magnitude.negate();
    std::string text;
    append_decimal_json(text, negative, magnitude.digits(), places());
    if (has_doubles()) {
        append_json_number(to, nearest_double(text));
    } else {
        to += text;
    }
}

void ExactSum::append_average_json(std::string& to) const {
    if (count_ == 0) {
        to += "null";
        return;
    }
    Total magnitude = total();
    const bool negative = magnitude.is_negative();
    if (negative) magnitude.negate();
    // Zeros enough that more than 17 digits are left when 2^64 has divided the smallest total.
    constexpr int kMorePlaces = 38;
    magnitude.multiply_by_power(10, kMorePlaces);
    const bool is_more = magnitude.divide(count_) != 0;
    std::string digits = magnitude.digits();
    std::int64_t digit_places = places() + kMorePlaces;
    round_digits(digits, digit_places, kAverageDigits, is_more);
    append_decimal_json(to, negative, std::move(digits), digit_places);
}

} // namespace sluice
