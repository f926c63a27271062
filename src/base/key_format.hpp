// The encoding of keys: docs/format/key.md in code, and nowhere else in code.
//
// Every element begins with a tag, and no element's encoding is the beginning of another's. So a
// tuple sorts as its elements do in turn, and the tuples with a common prefix of elements are those
// whose encodings have that prefix of bytes.
#pragma once
#include "base/number.hpp"

#include <sluice/value.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace sluice::key_format {

// The order of the tags is the order of the types. The gaps are for types to come.
constexpr char kArrayEnd =
    0x01; // Below every tag: an array sorts before the longer ones it begins.
constexpr char kNull = 0x10;
constexpr char kFalse = 0x20;
constexpr char kTrue = 0x21;
constexpr char kNumber = 0x30;
constexpr char kString = 0x40;
constexpr char kArray = 0x50;

// A string ends with a byte that its contents cannot show: 0x00 is written 0x01 0x01, and 0x01 is
// written 0x01 0x02. Escaping 0x00 alone, as 0x00 0xFF, would sort as well, but then the encoding
// of "a" would be the beginning of that of "a\0", and a read of the prefix ["a"] would find
// ["a\0"].
constexpr char kStringEnd = 0x00;
constexpr char kStringEscape = 0x01;
constexpr char kEscapedEnd = 0x01;
constexpr char kEscapedEscape = 0x02;

void append_null(std::string& to);
void append_bool(std::string& to, bool value);
void append_number(std::string& to, KeyNumber number);
void append_string(std::string& to, std::string_view text);

/// False, and no change, for an object or an array that holds one.
[[nodiscard]] bool append_value(std::string& to, const Value& value);

/// One step of a walk through an encoding: an element, or the beginning or end of an array.
struct Token {
    enum class Type : std::uint8_t { null, boolean, number, string, array, array_end };
    Type type = Type::null;
    bool boolean = false;
    KeyNumber number;
    std::string string;
};

/// Takes the next token off the front of `bytes`; none if they do not begin with the canonical
/// encoding of one. Balancing arrays is the caller's.
std::optional<Token> take_token(std::string_view& bytes);

/// The JSON of one encoded element, or of a tuple without its outer brackets. `elements` must be
/// valid.
void append_json(std::string& to, std::string_view elements);

} // namespace sluice::key_format
