// Keys of views: typed tuples in a total order, kept in an encoding that sorts as they do.
#pragma once
#include <sluice/result.hpp>
#include <sluice/value.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

/// A tuple of null, bool, number, string and array. Order: element by element, a tuple that is a
/// prefix of another before it; null < false < true < numbers < strings < arrays; numbers by value,
/// strings by their UTF-8 bytes, arrays as tuples. A number is a 64-bit integer, or else the
/// nearest double; -0 is 0; there is no NaN. No limit on length but memory. docs/format/key.md has
/// the bytes.
class Key {
public:
    Key() = default;
    /// `Key{"@alice", 42}`
    template <typename... Elements>
    requires(sizeof...(Elements) > 0) explicit Key(const Elements&... elements) {
        (append(elements), ...);
    }

    Key& append(std::nullptr_t);
    Key& append(bool value);
    Key& append(std::int64_t value);
    Key& append(std::uint64_t value);
    Key& append(double value); ///< Must not be NaN; infinities sort at the ends.
    Key& append(std::string_view value);
    Key& append(const char* value) { return append(std::string_view(value)); }
    Key& append(const std::string& value) { return append(std::string_view(value)); }
    template <std::integral Integer> Key& append(Integer value) {
        if constexpr (std::signed_integral<Integer>)
            return append(static_cast<std::int64_t>(value));
        return append(static_cast<std::uint64_t>(value));
    }
    Key& append_array(const Key& elements);
    /// False, and no change, for an object or an array that holds one: objects are not keys.
    [[nodiscard]] bool append_json(const Value& value);

    /// Reads `["@alice",42]`; anything but an array is a tuple of one element.
    /// Errors: invalid_argument (not JSON; holds an object).
    static Result<Key> from_json(std::string_view json);
    /// Compact JSON: an array of the elements. A 64-bit integer prints in digits, another number as
    /// the shortest text that reads back. Bytes of a string that are not UTF-8 print as U+FFFD.
    std::string to_json() const;

    /// The order-preserving encoding: comparing two as memcmp does compares the keys, and a key's
    /// encoding begins with the encoding of each of its prefixes.
    const std::string& encoded() const noexcept { return bytes_; }
    /// Errors: corrupt.
    static Result<Key> from_encoded(std::string_view bytes);

    friend auto operator<=>(const Key&, const Key&) = default;

private:
    std::string bytes_;
};

} // namespace sluice
