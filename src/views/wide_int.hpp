// Integers of a fixed number of words, for sums that must be exact.
#pragma once
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/number.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

/// Two's complement, little-endian words. Overflow wraps: whoever uses it chooses enough words.
template <std::size_t kWords> class WideInt {
public:
    static constexpr std::size_t kBytes = kWords * 8;

    WideInt() = default;
    explicit WideInt(Int128 value) {
        words_.fill(value < 0 ? ~std::uint64_t{0} : 0);
        words_[0] = static_cast<std::uint64_t>(value);
        words_[1] = static_cast<std::uint64_t>(value >> 64);
    }
    template <std::size_t kOther>
    requires(kOther < kWords) explicit WideInt(const WideInt<kOther>& other) {
        words_.fill(other.is_negative() ? ~std::uint64_t{0} : 0);
        std::copy(other.words().begin(), other.words().end(), words_.begin());
    }

    bool is_negative() const { return words_.back() >> 63 != 0; }
    bool is_zero() const {
        return std::all_of(words_.begin(), words_.end(), [](std::uint64_t w) { return w == 0; });
    }
    const std::array<std::uint64_t, kWords>& words() const { return words_; }

    WideInt& operator+=(const WideInt& other) {
        std::uint64_t carry = 0;
        for (std::size_t i = 0; i < kWords; ++i) {
            const Uint128 sum = Uint128{words_[i]} + other.words_[i] + carry;
            words_[i] = static_cast<std::uint64_t>(sum);
            carry = static_cast<std::uint64_t>(sum >> 64);
        }
        return *this;
    }

    void negate() {
        std::uint64_t carry = 1;
        for (std::uint64_t& word : words_) {
            word = ~word + carry;
            carry = carry != 0 && word == 0 ? 1 : 0;
        }
    }

    void multiply(std::uint64_t factor) {
        const bool negative = is_negative();
        if (negative) negate();
        std::uint64_t carry = 0;
        const std::size_t used = used_words();
        for (std::size_t i = 0; i < kWords && (i < used || carry != 0); ++i) {
            const Uint128 product = Uint128{words_[i]} * factor + carry;
            words_[i] = static_cast<std::uint64_t>(product);
            carry = static_cast<std::uint64_t>(product >> 64);
        }
        if (negative) negate();
    }
    void multiply_by_power(std::uint64_t base, std::int64_t exponent) {
        constexpr std::uint64_t kMax = ~std::uint64_t{0};
        while (exponent > 0) {
            // As much at once as one word holds: each multiply() visits all words.
            std::uint64_t factor = 1;
            for (; exponent > 0 && factor <= kMax / base; --exponent) factor *= base;
            multiply(factor);
        }
    }

    /// Divides what is not negative; returns the remainder.
    std::uint64_t divide(std::uint64_t divisor) {
        SLUICE_ASSERT(!is_negative());
        std::uint64_t remainder = 0;
        for (std::size_t i = used_words(); i-- > 0;) {
            const Uint128 part = Uint128{remainder} << 64 | words_[i];
            words_[i] = static_cast<std::uint64_t>(part / divisor);
            remainder = static_cast<std::uint64_t>(part % divisor);
        }
        return remainder;
    }

    /// `value` * 2^shift.
    static WideInt shifted(std::uint64_t value, std::size_t shift) {
        WideInt made;
        made.words_[shift / 64] = value << shift % 64;
        if (shift % 64 != 0) made.words_[shift / 64 + 1] = value >> (64 - shift % 64);
        return made;
    }

    /// The decimal digits of what is not negative; "0" for zero.
    std::string digits() const {
        constexpr std::uint64_t kChunk = 10'000'000'000'000'000'000U;
        constexpr std::size_t kChunkDigits = 19;
        std::string reversed;
        for (WideInt left = *this; !left.is_zero();) {
            std::uint64_t chunk = left.divide(kChunk);
            for (std::size_t i = 0; i < kChunkDigits; ++i, chunk /= 10) {
                reversed += static_cast<char>('0' + chunk % 10);
            }
        }
        while (reversed.size() > 1 && reversed.back() == '0') reversed.pop_back();
        if (reversed.empty()) return "0";
        return {reversed.rbegin(), reversed.rend()};
    }

    /// A varint length, then as many bytes, little-endian, as keep the value and its sign.
    void append_trimmed(std::string& to) const {
        const char sign = is_negative() ? '\xFF' : '\0';
        const auto* const bytes = reinterpret_cast<const char*>(words_.data());
        std::size_t size = kBytes;
        const auto fits = [&](std::size_t s) {
            return s == 0 ? sign == 0 : (bytes[s - 1] & 0x80) == (sign & 0x80);
        };
        while (size > 0 && bytes[size - 1] == sign && fits(size - 1)) --size;
        append_sized(to, {bytes, size});
    }
    /// Zero if `trimmed` is longer than any of these.
    static WideInt from_trimmed(std::string_view trimmed) {
        WideInt made;
        if (trimmed.empty() || trimmed.size() > kBytes) return made;
        const bool negative = (trimmed.back() & 0x80) != 0;
        made.words_.fill(negative ? ~std::uint64_t{0} : 0);
        std::memcpy(made.words_.data(), trimmed.data(), trimmed.size());
        return made;
    }

private:
    /// Words behind these are zero.
    std::size_t used_words() const {
        std::size_t used = kWords;
        while (used > 0 && words_[used - 1] == 0) --used;
        return used;
    }

    std::array<std::uint64_t, kWords> words_{};
};

} // namespace sluice
