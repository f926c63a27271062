#include "base/pointer.hpp"

#include <charconv>

namespace sluice {

std::optional<std::uint32_t> array_index(std::string_view token) {
    std::uint32_t index = 0;
    const char* const end = token.data() + token.size();
    const auto [stop, error] = std::from_chars(token.data(), end, index);
    if (error != std::errc() || stop != end || (token.size() > 1 && token[0] == '0')) {
        return std::nullopt;
    }
    return index;
}

Result<Pointer> Pointer::parse(std::string_view text) {
    Pointer pointer;
    if (text.empty()) return pointer;
    if (text[0] != '/') {
        return Error{Errc::invalid_argument, "a JSON Pointer is empty or begins with \"/\""};
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '/') {
            pointer.tokens_.emplace_back();
        } else if (text[i] != '~') {
            pointer.tokens_.back() += text[i];
        } else if (i + 1 < text.size() && (text[i + 1] == '0' || text[i + 1] == '1')) {
            pointer.tokens_.back() += text[++i] == '0' ? '~' : '/';
        } else {
            return Error{
                Errc::invalid_argument,
                "in a JSON Pointer \"~\" is followed by \"0\" (for \"~\") or \"1\" (for \"/\")"};
        }
    }
    return pointer;
}

const Value* find_step(const Value& from, std::string_view token) {
    if (from.type() == Value::Type::object) return from.find(token);
    if (from.type() != Value::Type::array) return nullptr;
    const auto index = array_index(token);
    return index && *index < from.elements().size() ? &from.elements()[*index] : nullptr;
}

const Value* Pointer::find(const Value& root) const {
    const Value* at = &root;
    for (const std::string& token : tokens_) {
        at = find_step(*at, token);
        if (at == nullptr) return nullptr;
    }
    return at;
}

std::string Pointer::text() const {
    std::string text;
    for (const std::string& token : tokens_) {
        text += '/';
        for (const char c : token) {
            if (c == '~')
                text += "~0";
            else if (c == '/')
                text += "~1";
            else
                text += c;
        }
    }
    return text;
}

} // namespace sluice
