// JSON as JavaScript reads it and writes it again. Scuttlebutt signs and hashes the text that
// JSON.stringify(value, null, 2) gives, so one space or one digit more makes another message.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::scuttlebutt {

/// What JSON.stringify(JSON.parse(text), null, 2) answers, in UTF-8.
struct PrettyJson {
    /// A member of the outermost object, by its place in `text`.
    struct Member {
        std::uint32_t begin; ///< The first byte of its quoted key.
        std::uint32_t value; ///< The first byte of its value.
        std::uint32_t end;   ///< Behind the last byte of its value.
    };
    std::string text;
    std::vector<Member> members; ///< Empty when the outermost value is no object.

    /// The value of member `key` as JSON text, or nothing. `key` must need no escapes.
    std::optional<std::string_view> find(std::string_view key) const;
    /// `text` as it would be without member `key`; the same `text` when there is none.
    std::string without(std::string_view key) const;
};

/// Nothing when `text` is not JSON (RFC 8259, as JSON.parse takes it), is not UTF-8, is nested
/// deeper than 512, or is over 256 MiB here or there.
///
/// As in JavaScript (ECMA-262, 25.5): members keep their order, but keys that are array indexes
/// come first, in numeric order; of equal keys the last value counts, at the first one's place;
/// numbers are IEEE doubles in the shortest form that reads back the same; lone surrogates stay
/// escaped.
///
/// Threads: any. No state.
std::optional<PrettyJson> to_pretty_json(std::string_view text);

/// Appends `value` (UTF-8) as JSON.stringify writes a string, quotes included.
void append_js_string(std::string& to, std::string_view value);

/// Node's 'binary' (latin1) encoding of a valid UTF-8 text: of every UTF-16 code unit the low byte.
std::string to_binary_encoding(std::string_view utf8);

} // namespace sluice::scuttlebutt
