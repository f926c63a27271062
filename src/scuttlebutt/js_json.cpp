// One pass from text to text: a recursive descent over the input that writes every value as soon as
// it is read. JavaScript's reordering of members is rare, so members are written in the order of
// the input and moved afterwards when an object turns out to need it.
#include "scuttlebutt/js_json.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace sluice::scuttlebutt {
namespace {

constexpr std::size_t kTextSizeBytesMax = 256 * 1024 * 1024; // Places in Member have 32 bits.
constexpr std::size_t kDepthMax = 512;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

void append_utf8(std::string& to, std::uint32_t point) {
    const auto put = [&to](std::uint32_t byte) { to.push_back(static_cast<char>(byte)); };
    if (point < 0x80) return put(point);
    if (point < 0x800) {
        put(0xC0 | point >> 6);
    } else {
        if (point < 0x10000) {
            put(0xE0 | point >> 12);
        } else {
            put(0xF0 | point >> 18);
            put(0x80 | (point >> 12 & 0x3F));
        }
        put(0x80 | (point >> 6 & 0x3F));
    }
    put(0x80 | (point & 0x3F));
}

/// `\u` and four lower-case digits.
void append_unit_escape(std::string& to, std::uint32_t unit) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    to.append("\\u");
    for (int shift = 12; shift >= 0; shift -= 4) to.push_back(kDigits[unit >> shift & 0xF]);
}

/// One code point the way JSON.stringify quotes it.
void append_quoted(std::string& to, std::uint32_t point) {
    switch (point) {
    case '"': to.append("\\\""); return;
    case '\\': to.append("\\\\"); return;
    case '\b': to.append("\\b"); return;
    case '\f': to.append("\\f"); return;
    case '\n': to.append("\\n"); return;
    case '\r': to.append("\\r"); return;
    case '\t': to.append("\\t"); return;
    default: break;
    }
    const bool lone_surrogate = point >= 0xD800 && point < 0xE000;
    if (point < 0x20 || lone_surrogate) return append_unit_escape(to, point);
    append_utf8(to, point);
}

/// Whether `text` is out of a double's range at the upper end, not at the lower.
bool overflows(std::string_view text) {
    // The place of the first significant digit, counted from the decimal point: 1 for 1 to 9, 0 for
    // 0.1, -1 for 0.01.
    std::int64_t place = 0;
    bool significant = false, fraction = false;
    std::size_t at = text.starts_with('-') ? 1 : 0;
    for (; at < text.size() && (text[at] | 0x20) != 'e'; ++at) {
        if (text[at] == '.') {
            fraction = true;
            continue;
        }
        significant = significant || text[at] != '0';
        if (significant && !fraction) ++place;
        if (!significant && fraction) --place;
    }
    if (at == text.size()) return place > 0;
    const bool negative = text[at + 1] == '-';
    if (!is_digit(text[at + 1])) ++at;
    constexpr std::int64_t kFar = std::int64_t{1} << 40; // Beyond every place a text can have.
    std::int64_t exponent = 0;
    for (++at; at < text.size(); ++at) exponent = std::min(kFar, exponent * 10 + (text[at] - '0'));
    return place + (negative ? -exponent : exponent) > 0;
}

/// Number::toString of ECMA-262, 6.1.6.1.20. The names k and n are the standard's.
void append_js_number(std::string& to, double value) {
    if (!std::isfinite(value)) return void(to.append("null"));
    if (value == 0) return void(to.push_back('0')); // Also for -0.
    if (value < 0) to.push_back('-');

    std::array<char, 32> raw{};
    const auto end =
        std::to_chars(raw.begin(), raw.end(), std::abs(value), std::chars_format::scientific).ptr;
    const std::string_view shortest(raw.data(), static_cast<std::size_t>(end - raw.data()));
    const std::size_t e = shortest.find('e');
    std::string digits(1, shortest[0]);
    if (e > 2) digits.append(shortest.substr(2, e - 2));
    int exponent = 0;
    const char* const exponent_at = shortest.data() + e + (shortest[e + 1] == '+' ? 2 : 1);
    std::from_chars(exponent_at, end, exponent);

    const int k = static_cast<int>(digits.size());
    const int n = exponent + 1;
    if (k <= n && n <= 21) {
        to.append(digits).append(static_cast<std::size_t>(n - k), '0');
    } else if (0 < n && n <= 21) {
        to.append(digits, 0, static_cast<std::size_t>(n)).append(1, '.');
        to.append(digits, static_cast<std::size_t>(n), std::string::npos);
    } else if (-6 < n && n <= 0) {
        to.append("0.").append(static_cast<std::size_t>(-n), '0').append(digits);
    } else {
        to.push_back(digits[0]);
        if (k > 1) to.append(1, '.').append(digits, 1, std::string::npos);
        to.append(n > 0 ? "e+" : "e-").append(std::to_string(std::abs(n - 1)));
    }
}

/// The number of a key that JavaScript treats as an array index ("0" to "4294967294", without
/// leading zeros), or nothing. `quoted` has its quotes.
std::optional<std::uint32_t> array_index(std::string_view quoted) {
    const std::string_view key = quoted.substr(1, quoted.size() - 2);
    if (key.empty() || !is_digit(key[0]) || (key[0] == '0' && key.size() > 1)) return std::nullopt;
    std::uint32_t index = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
    if (error != std::errc{} || end != key.data() + key.size()) return std::nullopt;
    if (index == std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    return index;
}

class PrettyPrinter {
public:
    explicit PrettyPrinter(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

    std::optional<PrettyJson> print() {
        out_.text.reserve(static_cast<std::size_t>(end_ - at_) + 256);
        skip_space();
        if (!value()) return std::nullopt;
        skip_space();
        if (at_ != end_) return std::nullopt;
        return std::move(out_);
    }

private:
    using Member = PrettyJson::Member;

    char peek() const {
        return at_ == end_ ? '\0' : *at_;
    } // A NUL in the input fits nowhere either.
    bool take(char expected) {
        if (peek() != expected) return false;
        ++at_;
        return true;
    }
    void skip_space() {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
    }
    std::uint32_t place() const { return static_cast<std::uint32_t>(out_.text.size()); }
    void new_line() { out_.text.append(1, '\n').append(2 * depth_, ' '); }

    bool value() {
        // Indentation makes the text grow with the square of its depth.
        if (out_.text.size() > kTextSizeBytesMax) return false;
        switch (peek()) {
        case '{': return object();
        case '[': return array();
        case '"': return string();
        case 't': return word("true");
        case 'f': return word("false");
        case 'n': return word("null");
        default: return number();
        }
    }

    bool word(std::string_view expected) {
        const std::string_view left(at_, static_cast<std::size_t>(end_ - at_));
        if (!left.starts_with(expected)) return false;
        at_ += expected.size();
        out_.text.append(expected);
        return true;
    }

    bool digits() {
        if (!is_digit(peek())) return false;
        while (is_digit(peek())) ++at_;
        return true;
    }

    bool number() {
        const char* const begin = at_;
        take('-');
        if (!take('0') && !digits()) return false;
        bool plain =
            *begin != '-'; // Whether it is printed as it stands: 15 digits are always exact.
        if (take('.')) {
            plain = false;
            if (!digits()) return false;
        }
        if (take('e') || take('E')) {
            plain = false;
            if (!take('+')) take('-');
            if (!digits()) return false;
        }
        const std::string_view text(begin, static_cast<std::size_t>(at_ - begin));
        if (plain && text.size() <= 15) {
            out_.text.append(text);
            return true;
        }
        double parsed = 0;
        if (std::from_chars(begin, at_, parsed).ec == std::errc::result_out_of_range) {
            parsed = overflows(text) ? std::numeric_limits<double>::infinity() : 0;
        }
        append_js_number(out_.text, parsed);
        return true;
    }

    /// Four hexadecimal digits.
    std::optional<std::uint32_t> code_unit() {
        if (end_ - at_ < 4) return std::nullopt;
        std::uint32_t unit = 0;
        if (std::from_chars(at_, at_ + 4, unit, 16).ptr != at_ + 4) return std::nullopt;
        at_ += 4;
        return unit;
    }

    /// What stands behind a backslash.
    bool escape() {
        const char letter = peek();
        if (at_ != end_) ++at_;
        switch (letter) {
        case '"':
        case '\\':
        case '/': append_quoted(out_.text, static_cast<std::uint32_t>(letter)); return true;
        case 'b': append_quoted(out_.text, '\b'); return true;
        case 'f': append_quoted(out_.text, '\f'); return true;
        case 'n': append_quoted(out_.text, '\n'); return true;
        case 'r': append_quoted(out_.text, '\r'); return true;
        case 't': append_quoted(out_.text, '\t'); return true;
        case 'u': break;
        default: return false;
        }
        const std::optional<std::uint32_t> first = code_unit();
        if (!first) return false;
        std::uint32_t point = *first;
        const bool high = point >= 0xD800 && point < 0xDC00;
        if (high && end_ - at_ >= 2 && at_[0] == '\\' && at_[1] == 'u') {
            const char* const before = at_;
            at_ += 2;
            const std::optional<std::uint32_t> second = code_unit();
            if (!second) return false;
            if (*second >= 0xDC00 && *second < 0xE000) {
                point = 0x10000 + ((point - 0xD800) << 10) + (*second - 0xDC00);
            } else {
                at_ = before; // A lone surrogate, and an escape of its own behind it.
            }
        }
        append_quoted(out_.text, point);
        return true;
    }

    bool string() {
        if (!take('"')) return false;
        out_.text.push_back('"');
        while (true) {
            const char* const run = at_;
            while (at_ != end_ && *at_ != '"' && *at_ != '\\' &&
                   static_cast<unsigned char>(*at_) >= 0x20) {
                ++at_;
            }
            out_.text.append(run, static_cast<std::size_t>(at_ - run));
            if (take('"')) break;
            if (!take('\\') || !escape()) return false; // Or the end, or a raw control character.
        }
        out_.text.push_back('"');
        return true;
    }

    bool array() {
        take('[');
        out_.text.push_back('[');
        skip_space();
        if (take(']')) {
            out_.text.push_back(']');
            return true;
        }
        if (++depth_ > kDepthMax) return false;
        for (bool first = true; first || take(','); first = false) {
            if (!first) out_.text.push_back(',');
            new_line();
            skip_space();
            if (!value()) return false;
            skip_space();
        }
        --depth_;
        new_line();
        out_.text.push_back(']');
        return take(']');
    }

    bool object() {
        take('{');
        out_.text.push_back('{');
        skip_space();
        if (take('}')) {
            out_.text.push_back('}');
            return true;
        }
        if (++depth_ > kDepthMax) return false;
        std::vector<Member> members;
        do {
            if (!members.empty()) out_.text.push_back(',');
            new_line();
            skip_space();
            Member member{};
            member.begin = place();
            if (!string()) return false;
            skip_space();
            if (!take(':')) return false;
            out_.text.append(": ");
            skip_space();
            member.value = place();
            if (!value()) return false;
            member.end = place();
            members.push_back(member);
            skip_space();
        } while (take(','));
        if (!take('}')) return false;
        as_javascript_orders(members);
        --depth_;
        new_line();
        out_.text.push_back('}');
        if (depth_ == 0) out_.members = std::move(members);
        return true;
    }

    std::string_view key(const Member& member) const {
        // Between key and value stands ": ".
        return std::string_view(out_.text).substr(member.begin, member.value - 2 - member.begin);
    }

    /// Rewrites the members that were just printed when JavaScript would hold them in another
    /// order, or fewer of them.
    void as_javascript_orders(std::vector<Member>& members) {
        struct Keyed {
            std::string_view key;
            std::optional<std::uint32_t> index;
            std::size_t first = 0; // Place of the first member of this key.
            std::size_t last = 0;  // Place of the last one, whose value counts.
        };
        std::vector<Keyed> keyed;
        keyed.reserve(members.size());
        bool as_it_stands = true;
        for (std::size_t i = 0; i < members.size(); ++i) {
            const std::string_view name = key(members[i]);
            keyed.push_back({name, array_index(name), i, i});
            if (keyed.back().index) as_it_stands = false;
        }
        std::sort(keyed.begin(), keyed.end(), [](const Keyed& a, const Keyed& b) {
            return a.key != b.key ? a.key < b.key : a.first < b.first;
        });
        std::size_t kept = 0;
        for (std::size_t i = 1; i < keyed.size(); ++i) {
            if (keyed[i].key == keyed[kept].key) {
                keyed[kept].last = keyed[i].last;
                as_it_stands = false;
            } else {
                keyed[++kept] = keyed[i];
            }
        }
        if (as_it_stands) return;
        keyed.resize(kept + 1);
        std::sort(keyed.begin(), keyed.end(), [](const Keyed& a, const Keyed& b) {
            if (a.index.has_value() != b.index.has_value()) return a.index.has_value();
            return a.index ? *a.index < *b.index : a.first < b.first;
        });

        const std::string printed = out_.text.substr(members.front().begin);
        const std::uint32_t base = members.front().begin;
        const std::vector<Member> old = std::move(members);
        members.clear();
        out_.text.resize(base);
        for (const Keyed& each : keyed) {
            if (!members.empty()) {
                out_.text.push_back(',');
                new_line();
            }
            const Member& from = old[each.last];
            const std::uint32_t begin = place();
            out_.text.append(printed, from.begin - base, from.end - from.begin);
            members.push_back({begin, begin + (from.value - from.begin), place()});
        }
    }

    const char* at_;
    const char* end_;
    std::size_t depth_ = 0;
    PrettyJson out_;
};

} // namespace

std::optional<std::string_view> PrettyJson::find(std::string_view key) const {
    for (const Member& member : members) {
        const std::string_view name(text.data() + member.begin + 1,
                                    member.value - member.begin - 4);
        if (name == key)
            return std::string_view(text).substr(member.value, member.end - member.value);
    }
    return std::nullopt;
}

std::string PrettyJson::without(std::string_view key) const {
    const std::optional<std::string_view> value = find(key);
    if (!value) return text;
    if (members.size() == 1) return "{}";
    const auto end = static_cast<std::uint32_t>(value->data() + value->size() - text.data());
    std::size_t which = 0;
    while (members[which].end != end) ++which;
    // A member goes with the comma and the line break that part it from a neighbour: the one
    // before, or for the first member the one behind.
    const std::size_t from = which == 0 ? members[0].begin : members[which - 1].end;
    const std::size_t to = which == 0 ? members[1].begin : end;
    return text.substr(0, from).append(text, to, std::string::npos);
}

std::optional<PrettyJson> to_pretty_json(std::string_view text) {
    if (text.size() > kTextSizeBytesMax || !simdjson::validate_utf8(text.data(), text.size()))
        return std::nullopt;
    return PrettyPrinter(text).print();
}

void append_js_string(std::string& to, std::string_view value) {
    to.push_back('"');
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        // Multi-byte characters are never escaped, so their bytes go as they are.
        if (byte >= 0x80) {
            to.push_back(c);
        } else {
            append_quoted(to, byte);
        }
    }
    to.push_back('"');
}

std::string to_binary_encoding(std::string_view utf8) {
    std::string units;
    units.reserve(utf8.size());
    const auto low_byte = [&units](std::uint32_t unit) {
        units.push_back(static_cast<char>(unit & 0xFF));
    };
    for (std::size_t at = 0; at < utf8.size();) {
        const auto lead = static_cast<unsigned char>(utf8[at]);
        const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        std::uint32_t point = size == 1 ? lead : lead & (0x7Fu >> size);
        for (std::size_t i = 1; i < size && at + i < utf8.size(); ++i) {
            point = point << 6 | (static_cast<unsigned char>(utf8[at + i]) & 0x3F);
        }
        at += size;
        if (point >= 0x10000) {
            low_byte(0xD800 + ((point - 0x10000) >> 10));
            low_byte(0xDC00 + ((point - 0x10000) & 0x3FF));
        } else {
            low_byte(point);
        }
    }
    return units;
}

} // namespace sluice::scuttlebutt
