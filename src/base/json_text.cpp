#include "base/json_text.hpp"

#include "base/assert.hpp"

#include <charconv>
#include <cmath>

namespace sluice {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD"; // U+FFFD

unsigned char byte_at(std::string_view text, std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

bool is_continuation(unsigned char byte) {
    return (byte & 0xC0) == 0x80;
}

/// How many bytes the well-formed sequence at the start of `text` has (Unicode 15, table 3-7), or
/// 0.
std::size_t utf8_sequence_size(std::string_view text) {
    const unsigned char first = byte_at(text, 0);
    const unsigned char second = byte_at(text, 1);
    if (first < 0x80) return 1;
    if (first < 0xC2 || first > 0xF4 || !is_continuation(second)) return 0;
    if (first < 0xE0) return 2;
    if (!is_continuation(byte_at(text, 2))) return 0;
    if (first < 0xF0) {
        const bool overlong = first == 0xE0 && second < 0xA0;
        const bool surrogate = first == 0xED && second > 0x9F;
        return overlong || surrogate ? 0 : 3;
    }
    const bool overlong = first == 0xF0 && second < 0x90;
    const bool beyond_unicode = first == 0xF4 && second > 0x8F;
    return overlong || beyond_unicode || !is_continuation(byte_at(text, 3)) ? 0 : 4;
}

void append_escape(std::string& to, char c) {
    static constexpr char kHex[] = "0123456789abcdef";
    switch (c) {
    case '"': to += "\\\""; return;
    case '\\': to += "\\\\"; return;
    case '\b': to += "\\b"; return;
    case '\f': to += "\\f"; return;
    case '\n': to += "\\n"; return;
    case '\r': to += "\\r"; return;
    case '\t': to += "\\t"; return;
    default:
        to += "\\u00";
        to += kHex[c >> 4 & 0xF];
        to += kHex[c & 0xF];
    }
}

bool is_plain(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

template <typename Number> void append_shortest(std::string& to, Number value) {
    char digits[32];
    const auto [end, error] = std::to_chars(std::begin(digits), std::end(digits), value);
    SLUICE_ASSERT(error == std::errc());
    to.append(digits, end);
}

} // namespace

void append_json_string(std::string& to, std::string_view text) {
    to += '"';
    while (!text.empty()) {
        std::size_t plain = 0;
        while (plain < text.size() && is_plain(text[plain])) ++plain;
        to.append(text.substr(0, plain));
        text.remove_prefix(plain);
        if (text.empty()) break;

        std::size_t used = 1;
        if (byte_at(text, 0) < 0x80) {
            append_escape(to, text[0]);
        } else if (const std::size_t size = utf8_sequence_size(text)) {
            to.append(text.substr(0, size));
            used = size;
        } else {
            to += kReplacement;
        }
        text.remove_prefix(used);
    }
    to += '"';
}

void append_json_number(std::string& to, std::int64_t value) {
    append_shortest(to, value);
}
void append_json_number(std::string& to, std::uint64_t value) {
    append_shortest(to, value);
}

void append_json_number(std::string& to, double value) {
    SLUICE_ASSERT(!std::isnan(value));
    if (std::isinf(value)) {
        to += value > 0 ? "1e999" : "-1e999";
    } else if (std::abs(value) < 0x1p53 && value == std::trunc(value)) {
        append_shortest(to, static_cast<std::int64_t>(value));
    } else {
        append_shortest(to, value);
    }
}

} // namespace sluice
