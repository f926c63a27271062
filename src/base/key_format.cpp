#include "base/key_format.hpp"

#include "base/assert.hpp"
#include "base/json_text.hpp"

#include <bit>
#include <cmath>

namespace sluice::key_format {

namespace {

constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;
constexpr double kCorrectedFrom = 0x1p53;
constexpr std::int32_t kCorrectionBias = 0x8000;
constexpr std::size_t kNumberBytes = 8;
constexpr std::size_t kCorrectionBytes = 2;

/// Bits that compare, as unsigned integers, as the doubles do.
std::uint64_t sortable(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    return bits & kSignBit ? ~bits : bits | kSignBit;
}

double from_sortable(std::uint64_t bits) {
    return std::bit_cast<double>(bits & kSignBit ? bits & ~kSignBit : ~bits);
}

void put_big_endian(char* to, std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = bytes; i-- > 0; value >>= 8) to[i] = static_cast<char>(value);
}

std::uint64_t get_big_endian(std::string_view from) {
    std::uint64_t value = 0;
    for (const char c : from) value = value << 8 | static_cast<unsigned char>(c);
    return value;
}

std::optional<std::string_view> take(std::string_view& bytes, std::size_t size) {
    if (bytes.size() < size) return std::nullopt;
    const std::string_view taken = bytes.substr(0, size);
    bytes.remove_prefix(size);
    return taken;
}

std::optional<KeyNumber> take_number(std::string_view& bytes) {
    const auto raw = take(bytes, kNumberBytes);
    if (!raw) return std::nullopt;
    KeyNumber number{from_sortable(get_big_endian(*raw)), 0};
    if (std::isnan(number.nearest)) return std::nullopt;
    if (number.nearest == 0 && std::signbit(number.nearest)) return std::nullopt;
    if (std::abs(number.nearest) < kCorrectedFrom) return number;

    const auto correction = take(bytes, kCorrectionBytes);
    if (!correction) return std::nullopt;
    number.correction = static_cast<std::int32_t>(get_big_endian(*correction)) - kCorrectionBias;
    if (number.correction == 0) return number;
    // Canonical if it is what some integer encodes to.
    if (const auto integer = number.as_int64()) {
        if (KeyNumber::from(*integer) == number) return number;
    } else if (const auto natural = number.as_uint64()) {
        if (KeyNumber::from(*natural) == number) return number;
    }
    return std::nullopt;
}

std::optional<std::string> take_string(std::string_view& bytes) {
    std::string text;
    while (!bytes.empty()) {
        const char c = bytes[0];
        bytes.remove_prefix(1);
        if (c == kStringEnd) return text;
        if (c != kStringEscape) {
            text += c;
            continue;
        }
        if (bytes.empty() || (bytes[0] != kEscapedEnd && bytes[0] != kEscapedEscape)) break;
        text += bytes[0] == kEscapedEnd ? kStringEnd : kStringEscape;
        bytes.remove_prefix(1);
    }
    return std::nullopt;
}

void append_number_json(std::string& to, const KeyNumber& number) {
    if (const auto integer = number.as_int64()) {
        append_json_number(to, *integer);
    } else if (const auto natural = number.as_uint64()) {
        append_json_number(to, *natural);
    } else {
        append_json_number(to, number.nearest);
    }
}

bool append_unchecked(std::string& to, const Value& value) {
    switch (value.type()) {
    case Value::Type::null: append_null(to); return true;
    case Value::Type::boolean: append_bool(to, *value.as_bool()); return true;
    case Value::Type::number:
        append_number(to, KeyNumber::from_json(value.number_text()));
        return true;
    case Value::Type::string: append_string(to, *value.as_string()); return true;
    case Value::Type::array:
        to += kArray;
        for (const Value& element : value.elements()) {
            if (!append_unchecked(to, element)) return false;
        }
        to += kArrayEnd;
        return true;
    case Value::Type::object: return false;
    }
    return false;
}

} // namespace

void append_null(std::string& to) {
    to += kNull;
}
void append_bool(std::string& to, bool value) {
    to += value ? kTrue : kFalse;
}

void append_number(std::string& to, KeyNumber number) {
    char bytes[1 + kNumberBytes + kCorrectionBytes] = {kNumber};
    std::size_t size = 1 + kNumberBytes;
    put_big_endian(bytes + 1, sortable(number.nearest), kNumberBytes);
    if (std::abs(number.nearest) >= kCorrectedFrom) {
        const auto biased = static_cast<std::uint32_t>(number.correction + kCorrectionBias);
        put_big_endian(bytes + size, biased, kCorrectionBytes);
        size += kCorrectionBytes;
    }
    to.append(bytes, size);
}

void append_string(std::string& to, std::string_view text) {
    to += kString;
    while (!text.empty()) {
        std::size_t plain = 0;
        while (plain < text.size() && static_cast<unsigned char>(text[plain]) > 1) ++plain;
        to.append(text.substr(0, plain));
        if (plain == text.size()) break;
        to += kStringEscape;
        to += text[plain] == kStringEnd ? kEscapedEnd : kEscapedEscape;
        text.remove_prefix(plain + 1);
    }
    to += kStringEnd;
}

bool append_value(std::string& to, const Value& value) {
    const std::size_t size_before = to.size();
    if (append_unchecked(to, value)) return true;
    to.resize(size_before);
    return false;
}

std::optional<Token> take_token(std::string_view& bytes) {
    if (bytes.empty()) return std::nullopt;
    const char tag = bytes[0];
    bytes.remove_prefix(1);
    Token token;
    switch (tag) {
    case kArrayEnd: token.type = Token::Type::array_end; return token;
    case kArray: token.type = Token::Type::array; return token;
    case kNull: return token;
    case kFalse:
    case kTrue:
        token.type = Token::Type::boolean;
        token.boolean = tag == kTrue;
        return token;
    case kNumber:
        if (const auto number = take_number(bytes)) {
            token.type = Token::Type::number;
            token.number = *number;
            return token;
        }
        return std::nullopt;
    case kString:
        if (auto text = take_string(bytes)) {
            token.type = Token::Type::string;
            token.string = *std::move(text);
            return token;
        }
        return std::nullopt;
    default: return std::nullopt;
    }
}

void append_json(std::string& to, std::string_view elements) {
    bool first = true;
    while (!elements.empty()) {
        const auto token = take_token(elements);
        SLUICE_ASSERT(token);
        if (token->type == Token::Type::array_end) {
            to += ']';
            first = false;
            continue;
        }
        if (!first) to += ',';
        first = token->type == Token::Type::array;
        switch (token->type) {
        case Token::Type::null: to += "null"; break;
        case Token::Type::boolean: to += token->boolean ? "true" : "false"; break;
        case Token::Type::number: append_number_json(to, token->number); break;
        case Token::Type::string: append_json_string(to, token->string); break;
        case Token::Type::array: to += '['; break;
        case Token::Type::array_end: break;
        }
    }
}

} // namespace sluice::key_format
