// A parsed JSON value, read-only.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace sluice {

/// One JSON value inside a parsed message. Cheap to copy; valid as long as the message it came
/// from: inside a view function, for the call. Numbers keep the text they were written with,
/// because a double does not hold every decimal.
class Value {
public:
    enum class Type : std::uint8_t { null, boolean, number, string, array, object };
    struct Member;

    Type type() const noexcept { return type_; }
    bool is_null() const noexcept { return type_ == Type::null; }

    /// Empty when the value has another type.
    std::optional<bool> as_bool() const noexcept;
    std::optional<double> as_double() const noexcept; ///< The nearest double; 1e999 is infinity.
    /// Only an integer that fits, whichever way it is written: 1e3 is one.
    std::optional<std::int64_t> as_int64() const noexcept;
    std::optional<std::string_view> as_string() const noexcept; ///< UTF-8, unescaped.
    std::string_view number_text() const noexcept; ///< As written; empty if not a number.

    std::span<const Value> elements() const noexcept; ///< Of an array; empty otherwise.
    /// Of an object, in order; empty otherwise. Where a name came twice only its last value is
    /// left, as in JavaScript.
    std::span<const Member> members() const noexcept;

    /// The member of that name, or null pointer.
    const Value* find(std::string_view name) const noexcept;
    /// Follows a JSON Pointer (RFC 6901), such as "/value/content/type"; null pointer if nothing is
    /// there or the pointer is malformed.
    const Value* at(std::string_view pointer) const;

    // Made by the parser only.
    static Value make_null() noexcept;
    static Value make_bool(bool value) noexcept;
    static Value make_number(std::string_view text) noexcept;
    static Value make_string(std::string_view text) noexcept;
    static Value make_array(std::span<const Value> elements) noexcept;
    static Value make_object(std::span<const Member> members) noexcept;

private:
    static Value make(Type type, const void* data, std::size_t size) noexcept;

    Type type_ = Type::null;
    bool boolean_ = false;
    std::uint32_t size_ = 0;
    const void* data_ = nullptr; // Text, elements or members.
};

struct Value::Member {
    std::string_view name;
    Value value;
};

} // namespace sluice
