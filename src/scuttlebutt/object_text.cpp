#include "scuttlebutt/object_text.hpp"

#include "base/json.hpp"
#include "base/json_text.hpp"

namespace sluice::scuttlebutt {
namespace {

/// Walks over the tokens of a text that should be JSON.
class Scanner {
public:
    explicit Scanner(std::string_view text) : left_(text) {}

    bool take(char expected) {
        skip_space();
        if (!left_.starts_with(expected)) return false;
        left_.remove_prefix(1);
        return true;
    }
    bool at_end() {
        skip_space();
        return left_.empty();
    }
    /// With its quotes; empty if there is none.
    std::string_view string() {
        skip_space();
        if (!left_.starts_with('"')) return {};
        return take(string_size(0));
    }
    /// Any value; empty if there is none.
    std::string_view value() {
        skip_space();
        return take(value_size());
    }

private:
    void skip_space() {
        left_.remove_prefix(std::min(left_.find_first_not_of(" \t\r\n"), left_.size()));
    }
    std::string_view take(std::size_t size) {
        const std::string_view taken = left_.substr(0, size);
        left_.remove_prefix(taken.size());
        return taken;
    }
    /// Of the string whose opening quote is at `at`; of one that is not closed, all that is left.
    std::size_t string_size(std::size_t at) const {
        for (std::size_t i = at + 1; i < left_.size();) {
            i = std::min(left_.find_first_of("\"\\", i), left_.size());
            if (i < left_.size() && left_[i] == '"') return i + 1 - at;
            i += 2;
        }
        return left_.size() - at;
    }
    std::size_t value_size() const {
        if (left_.starts_with('"')) return string_size(0);
        if (!left_.starts_with('{') && !left_.starts_with('['))
            return std::min(left_.find_first_of(" \t\r\n,:{}[]\""), left_.size());
        std::size_t depth = 0;
        for (std::size_t at = 0; at < left_.size();) {
            at = std::min(left_.find_first_of("\"{}[]", at), left_.size());
            if (at == left_.size()) break;
            switch (left_[at]) {
            case '"': at += string_size(at); continue;
            case '{':
            case '[': ++depth; break;
            default: --depth;
            }
            ++at;
            if (depth == 0) return at;
        }
        return left_.size();
    }

    std::string_view left_;
};

/// A quoted name without quotes and escapes.
std::string unescaped(std::string_view quoted) {
    if (quoted.find('\\') == std::string_view::npos) {
        return std::string(
            quoted.substr(1, quoted.size() - std::min<std::size_t>(2, quoted.size())));
    }
    JsonParser parser;
    const Value* const name = parser.parse(quoted);
    return name == nullptr ? std::string() : std::string(name->as_string().value_or(""));
}

/// Calls `visit(quoted name, value)` for each member. False if `text` is no object.
template <typename Visit> bool each_member(std::string_view text, const Visit& visit) {
    Scanner scanner(text);
    if (!scanner.take('{')) return false;
    if (scanner.take('}')) return scanner.at_end();
    do {
        const std::string_view name = scanner.string();
        if (name.empty() || !scanner.take(':')) return false;
        const std::string_view value = scanner.value();
        if (value.empty()) return false;
        visit(name, value);
    } while (scanner.take(','));
    return scanner.take('}') && scanner.at_end();
}

} // namespace

std::optional<ObjectText> ObjectText::read(std::string_view text) {
    ObjectText object;
    const bool is_object =
        each_member(text, [&object](std::string_view name, std::string_view value) {
            object.set(unescaped(name), value);
        });
    return is_object ? std::optional(std::move(object)) : std::nullopt;
}

std::optional<std::string_view> ObjectText::find(std::string_view name) const {
    const auto place = places_.find(std::string(name));
    if (place == places_.end()) return std::nullopt;
    return members_[place->second].value;
}

void ObjectText::set(std::string_view name, std::string_view value) {
    const auto [place, is_new] = places_.emplace(name, members_.size());
    if (is_new) {
        members_.push_back({std::string(name), value});
    } else {
        members_[place->second].value = value;
    }
}

std::string ObjectText::text() const {
    std::string text = "{";
    for (const Member& member : members_) {
        if (text.size() > 1) text.push_back(',');
        append_json_string(text, member.name);
        text.append(1, ':').append(member.value);
    }
    return text.append(1, '}');
}

std::optional<std::string_view> member_text(std::string_view object, std::string_view name) {
    std::optional<std::string_view> found;
    const bool is_object =
        each_member(object, [&](std::string_view quoted, std::string_view value) {
            const bool is_plain = quoted.find('\\') == std::string_view::npos;
            const bool fits =
                is_plain ? quoted.size() == name.size() + 2 && quoted.substr(1, name.size()) == name
                         : unescaped(quoted) == name;
            if (fits) found = value;
        });
    return is_object ? found : std::nullopt;
}

} // namespace sluice::scuttlebutt
