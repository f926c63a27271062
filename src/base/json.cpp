// The parser has two stages. simdjson's first stage finds, with SIMD and for the processor it runs
// on, every bracket, comma, colon, and beginning of a string, number or literal; it also checks the
// UTF-8 and that each string is closed and free of control characters. Walk, below, goes over those
// positions once, checks the grammar in all of the text and builds only what is asked for.
//
// Why not simdjson's on-demand front end: it does not look into what it skips, so that whether a
// message is JSON would depend on which views are registered, against J2. Why not its DOM: it
// writes down every value, and refuses numbers beyond a double, which we keep as text.
//
// What the first stage gives, and Walk relies on:
//   1. positions ascend, and end with the size of the text;
//   2. a position inside a string is never given, but for its opening quote;
//   3. outside strings, whatever stands first behind white space, a bracket, a comma, a colon or a
//      closing quote is given. So between the end of a string and the next position there is only
//      white space, while `1x` and `tru"e"` give one position, and the scalar's end must be
//      checked.
#include "base/json.hpp"

#include "base/assert.hpp"
#include "base/number.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <memory_resource>

namespace sluice {

namespace {

using PathNode = PathSet::Node;

bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

std::string_view trim_end(std::string_view text) {
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

std::optional<std::uint32_t> hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return std::nullopt;
}

/// The code unit of `uXXXX` at the start of `text`.
std::optional<std::uint32_t> code_unit(std::string_view text) {
    if (text.size() < 5 || text[0] != 'u') return std::nullopt;
    std::uint32_t unit = 0;
    for (std::size_t i = 1; i < 5; ++i) {
        const auto digit = hex_value(text[i]);
        if (!digit) return std::nullopt;
        unit = unit << 4 | *digit;
    }
    return unit;
}

bool is_high_surrogate(std::uint32_t unit) {
    return unit >= 0xD800 && unit < 0xDC00;
}
bool is_low_surrogate(std::uint32_t unit) {
    return unit >= 0xDC00 && unit < 0xE000;
}

char* put_utf8(char* to, std::uint32_t c) {
    const auto put = [&](std::uint32_t byte) { *to++ = static_cast<char>(byte); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xC0 | c >> 6);
        put(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        put(0xE0 | c >> 12);
        put(0x80 | (c >> 6 & 0x3F));
        put(0x80 | (c & 0x3F));
    } else {
        put(0xF0 | c >> 18);
        put(0x80 | (c >> 12 & 0x3F));
        put(0x80 | (c >> 6 & 0x3F));
        put(0x80 | (c & 0x3F));
    }
    return to;
}

/// What a one-letter escape stands for, or 0.
char simple_escape(char letter) {
    switch (letter) {
    case '"':
    case '\\':
    case '/': return letter;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
    }
}

bool escapes_are_valid(std::string_view raw) {
    for (std::size_t at = raw.find('\\'); at != raw.npos; at = raw.find('\\', at)) {
        const std::string_view behind = raw.substr(at + 1);
        if (behind.empty()) return false;
        if (behind[0] == 'u') {
            if (!code_unit(behind)) return false;
            at += 6;
        } else {
            if (simple_escape(behind[0]) == 0) return false;
            at += 2;
        }
    }
    return true;
}

/// Unescapes `raw`, whose escapes are valid, to `to`, which has room for raw.size() bytes: no
/// escape is shorter than what it stands for. Returns the end.
char* unescape(std::string_view raw, char* to) {
    while (!raw.empty()) {
        const std::size_t plain = std::min(raw.find('\\'), raw.size());
        to += raw.copy(to, plain);
        raw.remove_prefix(plain);
        if (raw.empty()) break;
        raw.remove_prefix(1);
        if (raw[0] != 'u') {
            *to++ = simple_escape(raw[0]);
            raw.remove_prefix(1);
            continue;
        }
        std::uint32_t c = *code_unit(raw);
        raw.remove_prefix(5);
        if (is_high_surrogate(c) && raw.starts_with('\\')) {
            const auto low = code_unit(raw.substr(1));
            if (low && is_low_surrogate(*low)) {
                c = 0x10000 + ((c - 0xD800) << 10) + (*low - 0xDC00);
                raw.remove_prefix(6);
            }
        }
        if (is_high_surrogate(c) || is_low_surrogate(c)) c = 0xFFFD;
        to = put_utf8(to, c);
    }
    return to;
}

/// Memory for values, given back all at once. Texts of usual size stay in the first block.
class Arena {
public:
    template <typename T> std::span<T> copy(std::span<const T> items) {
        if (items.empty()) return {};
        auto* const to = static_cast<T*>(memory_.allocate(items.size_bytes(), alignof(T)));
        std::uninitialized_copy(items.begin(), items.end(), to);
        return {to, items.size()};
    }
    std::string_view unescaped(std::string_view raw) {
        auto* const to = static_cast<char*>(memory_.allocate(raw.size(), 1));
        return {to, static_cast<std::size_t>(unescape(raw, to) - to)};
    }
    void reset() { memory_.release(); }

private:
    static constexpr std::size_t kFirstBlockBytes = std::size_t{64} << 10;
    std::unique_ptr<char[]> first_block_ = std::make_unique<char[]>(kFirstBlockBytes);
    std::pmr::monotonic_buffer_resource memory_{first_block_.get(), kFirstBlockBytes};
};

/// Leaves only the last of the members of one name, as JavaScript does.
void drop_repeated_members(std::vector<Value::Member>& members, std::size_t first) {
    const std::size_t count = members.size() - first;
    const auto begin = members.begin() + static_cast<std::ptrdiff_t>(first);
    if (count <= 8) {
        const auto is_repeated = [&](auto member) {
            return std::any_of(member + 1, members.end(),
                               [&](const auto& later) { return later.name == member->name; });
        };
        for (auto member = begin; member < members.end();) {
            member = is_repeated(member) ? members.erase(member) : member + 1;
        }
        return;
    }
    // Sorted, because comparing each with each would let one hostile message stop the database.
    std::vector<std::pair<std::string_view, std::size_t>> names(count);
    for (std::size_t i = 0; i < count; ++i) names[i] = {members[first + i].name, i};
    std::sort(names.begin(), names.end());
    std::vector<bool> repeated(count);
    bool any = false;
    for (std::size_t i = 0; i + 1 < count; ++i) {
        if (names[i].first != names[i + 1].first) continue;
        repeated[names[i].second] = any = true;
    }
    if (!any) return;
    std::size_t kept = first;
    for (std::size_t i = 0; i < count; ++i) {
        if (!repeated[i]) members[kept++] = members[first + i];
    }
    members.resize(kept);
}

/// Memory that one walk after the other uses.
struct Workspace {
    Arena arena;
    /// Elements and members of the arrays and objects under construction, inner ones on top. An
    /// element is a member without a name.
    std::vector<Value::Member> open;
    std::vector<Value> elements;
    std::vector<Value> slot_values;
    std::vector<const Value*> slots;
    std::string name;
};

/// What follows from `value` for the slots below `node`.
void fill_slots(const PathNode& node, const Value* value, std::vector<const Value*>& slots) {
    if (node.slot != PathSet::kNoSlot) slots[node.slot] = value;
    for (const PathNode& child : node.children) {
        fill_slots(child, value == nullptr ? nullptr : find_step(*value, child.token), slots);
    }
}

class Walk {
public:
    Walk(std::string_view text, const std::uint32_t* positions, Workspace& workspace)
        : text_(text), next_(positions), workspace_(workspace),
          has_backslash_(text.find('\\') != text.npos) {}

    // Each of the three goes over one value and returns whether it is valid.
    bool skip(unsigned depth);
    bool build(unsigned depth, Value& value);
    bool extract(const PathNode& node, unsigned depth);

    bool at_end() const { return *next_ == text_.size(); }

private:
    struct String {
        std::string_view raw; ///< Between the quotes.
        bool is_escaped = false;
    };

    char peek() const { return at_end() ? '\0' : text_[*next_]; }
    /// Takes what begins at the next position: itself and the white space behind it.
    std::string_view take();
    bool take_if(char c);

    static bool is_literal(std::string_view taken) {
        const std::string_view text = trim_end(taken);
        return text == "true" || text == "false" || text == "null";
    }
    std::optional<String> as_string(std::string_view taken) const;
    std::string_view contents(const String& string) {
        return string.is_escaped ? workspace_.arena.unescaped(string.raw) : string.raw;
    }
    bool names(const PathNode& node, const String& name);

    /// The members of an object whose "{" is taken. `on_member` goes over the value of one.
    template <typename OnMember> bool members(unsigned depth, OnMember on_member);
    /// The elements of an array whose "[" is taken. `on_element` goes over one.
    template <typename OnElement> bool elements(unsigned depth, OnElement on_element);

    std::string_view text_;
    const std::uint32_t* next_;
    Workspace& workspace_;
    bool has_backslash_;
};

std::string_view Walk::take() {
    const std::size_t begin = *next_;
    if (begin == text_.size()) return {};
    ++next_;
    return {text_.data() + begin, *next_ - begin};
}

bool Walk::take_if(char c) {
    if (peek() != c) return false;
    ++next_;
    return true;
}

std::optional<Walk::String> Walk::as_string(std::string_view taken) const {
    taken = trim_end(taken);
    if (taken.size() < 2 || taken.front() != '"' || taken.back() != '"') return std::nullopt;
    String string{taken.substr(1, taken.size() - 2), false};
    if (has_backslash_ && string.raw.find('\\') != string.raw.npos) {
        if (!escapes_are_valid(string.raw)) return std::nullopt;
        string.is_escaped = true;
    }
    return string;
}

bool Walk::names(const PathNode& node, const String& name) {
    if (!name.is_escaped) return name.raw == node.token;
    workspace_.name.resize(name.raw.size());
    char* const begin = workspace_.name.data();
    workspace_.name.resize(static_cast<std::size_t>(unescape(name.raw, begin) - begin));
    return workspace_.name == node.token;
}

template <typename OnMember> bool Walk::members(unsigned depth, OnMember on_member) {
    if (depth == JsonParser::kDepthMax) return false;
    if (take_if('}')) return true;
    do {
        const auto name = as_string(take());
        if (!name || !take_if(':') || !on_member(*name)) return false;
    } while (take_if(','));
    return take_if('}');
}

template <typename OnElement> bool Walk::elements(unsigned depth, OnElement on_element) {
    if (depth == JsonParser::kDepthMax) return false;
    if (take_if(']')) return true;
    do {
        if (!on_element()) return false;
    } while (take_if(','));
    return take_if(']');
}

bool Walk::skip(unsigned depth) {
    const std::string_view taken = take();
    if (taken.empty()) return false;
    switch (taken[0]) {
    case '"': return as_string(taken).has_value();
    case '{': return members(depth, [&](const String&) { return skip(depth + 1); });
    case '[': return elements(depth, [&] { return skip(depth + 1); });
    case 't':
    case 'f':
    case 'n': return is_literal(taken);
    default: return is_json_number(trim_end(taken));
    }
}

bool Walk::build(unsigned depth, Value& value) {
    const std::string_view taken = take();
    if (taken.empty()) return false;
    std::vector<Value::Member>& open = workspace_.open;
    const std::size_t first = open.size();
    switch (taken[0]) {
    case '"': {
        const auto string = as_string(taken);
        if (string) value = Value::make_string(contents(*string));
        return string.has_value();
    }
    case '{': {
        const bool valid = members(depth, [&](const String& name) {
            Value member;
            const std::string_view name_text = contents(name);
            const bool is_valid = build(depth + 1, member);
            open.push_back({name_text, member});
            return is_valid;
        });
        drop_repeated_members(open, first);
        const std::span<const Value::Member> made(open.begin() + static_cast<std::ptrdiff_t>(first),
                                                  open.end());
        value = Value::make_object(workspace_.arena.copy(made));
        open.resize(first);
        return valid;
    }
    case '[': {
        const bool valid = elements(depth, [&] {
            Value element;
            const bool is_valid = build(depth + 1, element);
            open.push_back({{}, element});
            return is_valid;
        });
        std::vector<Value>& made = workspace_.elements;
        made.clear();
        for (std::size_t i = first; i < open.size(); ++i) made.push_back(open[i].value);
        value = Value::make_array(workspace_.arena.copy(std::span<const Value>(made)));
        open.resize(first);
        return valid;
    }
    case 't':
    case 'f':
    case 'n':
        if (taken[0] != 'n') value = Value::make_bool(taken[0] == 't');
        return is_literal(taken);
    default:
        value = Value::make_number(trim_end(taken));
        return is_json_number(value.number_text());
    }
}

bool Walk::extract(const PathNode& node, unsigned depth) {
    if (node.slot != PathSet::kNoSlot) {
        Value& value = workspace_.slot_values[node.slot];
        value = {};
        if (!build(depth, value)) return false;
        fill_slots(node, &value, workspace_.slots);
        return true;
    }

    // A member of this name may have come before, with other contents.
    fill_slots(node, nullptr, workspace_.slots);
    const char type = peek();
    if (type != '{' && type != '[') return skip(depth);
    take();
    if (type == '{') {
        return members(depth, [&](const String& name) {
            for (const PathNode& child : node.children) {
                if (names(child, name)) return extract(child, depth + 1);
            }
            return skip(depth + 1);
        });
    }
    std::uint32_t index = 0;
    return elements(depth, [&] {
        for (const PathNode& child : node.children) {
            if (child.index != index) continue;
            ++index;
            return extract(child, depth + 1);
        }
        ++index;
        return skip(depth + 1);
    });
}

} // namespace

std::size_t PathSet::add(const Pointer& pointer) {
    Node* node = &root_;
    for (const std::string& token : pointer.tokens()) {
        const auto child = std::find_if(node->children.begin(), node->children.end(),
                                        [&](const Node& c) { return c.token == token; });
        if (child != node->children.end()) {
            node = &*child;
        } else {
            node = &node->children.emplace_back(Node{token, array_index(token), kNoSlot, {}});
        }
    }
    if (node->slot == kNoSlot) node->slot = slot_count_++;
    return node->slot;
}

struct JsonParser::Impl {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage1;
    Workspace workspace;

    /// The positions in `text`, ended by its size; null pointer if it is not JSON.
    const std::uint32_t* positions(std::string_view text);
    bool walk(std::string_view text, auto over_root);
};

const std::uint32_t* JsonParser::Impl::positions(std::string_view text) {
    if (text.empty() || text.size() > kTextBytesMax) return nullptr;
    if (!stage1 || stage1->capacity() < text.size()) {
        constexpr std::size_t kLeastCapacity = std::size_t{64} << 10;
        const std::size_t capacity = std::max(std::bit_ceil(text.size()), kLeastCapacity);
        const auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(
            capacity, kDepthMax, stage1);
        if (error != simdjson::SUCCESS) throw std::bad_alloc();
    }
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    const auto error = stage1->stage1(bytes, text.size(), simdjson::stage1_mode::regular);
    return error == simdjson::SUCCESS ? stage1->structural_indexes.get() : nullptr;
}

bool JsonParser::Impl::walk(std::string_view text, auto over_root) {
    workspace.arena.reset();
    workspace.open.clear();
    const std::uint32_t* const found = positions(text);
    if (found == nullptr) return false;
    Walk walk(text, found, workspace);
    return over_root(walk) && walk.at_end();
}

JsonParser::JsonParser() : impl_(std::make_unique<Impl>()) {}
JsonParser::~JsonParser() = default;
JsonParser::JsonParser(JsonParser&&) noexcept = default;
JsonParser& JsonParser::operator=(JsonParser&&) noexcept = default;

const Value* JsonParser::parse(std::string_view text) {
    std::vector<Value>& values = impl_->workspace.slot_values;
    values.resize(std::max<std::size_t>(values.size(), 1));
    values[0] = {};
    const bool valid = impl_->walk(text, [&](Walk& walk) { return walk.build(0, values[0]); });
    return valid ? values.data() : nullptr;
}

std::optional<std::span<const Value* const>> JsonParser::extract(std::string_view text,
                                                                 const PathSet& paths) {
    Workspace& workspace = impl_->workspace;
    workspace.slots.assign(paths.slot_count(), nullptr);
    workspace.slot_values.resize(std::max(workspace.slot_values.size(), paths.slot_count()));
    if (!impl_->walk(text, [&](Walk& walk) { return walk.extract(paths.root(), 0); })) {
        return std::nullopt;
    }
    return workspace.slots;
}

std::span<const Value* const> JsonParser::extract_parsed(const Value& root, const PathSet& paths) {
    Workspace& workspace = impl_->workspace;
    workspace.slots.assign(paths.slot_count(), nullptr);
    fill_slots(paths.root(), &root, workspace.slots);
    return workspace.slots;
}

} // namespace sluice
