#include "views/definition_parts.hpp"

#include "base/json_text.hpp"
#include "base/try.hpp"

#include <algorithm>

namespace sluice::definition_parts {

Error wrong(const std::string& part, const std::string& what) {
    return {Errc::invalid_argument, "view definition: " + part + " is " + what};
}

std::string in_quotes(std::string_view name) {
    std::string quoted;
    append_json_string(quoted, name);
    return quoted;
}

Result<void> check_names(const std::string& part, const Value& object,
                         std::initializer_list<std::string_view> names) {
    for (const auto& [name, value] : object.members()) {
        if (std::find(names.begin(), names.end(), name) != names.end()) continue;
        std::string known;
        for (const std::string_view one : names) {
            if (!known.empty()) known += ", ";
            append_json_string(known, one);
        }
        return wrong(in_quotes(name),
                     std::string("unknown: ").append(part + " has ").append(known));
    }
    return {};
}

Result<Pointer> parse_pointer(const std::string& part, const Value& value) {
    const auto text = value.as_string();
    if (!text) return wrong(part, "a JSON Pointer in a string");
    auto pointer = Pointer::parse(*text);
    if (!pointer) return wrong(part, "no JSON Pointer: " + pointer.error().context);
    return pointer;
}

Result<std::optional<Pointer>> parse_optional_pointer(const std::string& part, const Value* value) {
    if (value == nullptr) return std::optional<Pointer>();
    SLUICE_TRY_ASSIGN(Pointer pointer, parse_pointer(part, *value));
    return std::optional<Pointer>(std::move(pointer));
}

Result<std::vector<Pointer>> parse_pointers(const std::string& part, const Value* value) {
    if (value == nullptr || value->type() != Value::Type::array) {
        return wrong(part, R"(an array of JSON Pointers such as ["/value/author"])");
    }
    std::vector<Pointer> pointers;
    for (const Value& element : value->elements()) {
        SLUICE_TRY_ASSIGN(Pointer pointer, parse_pointer("an element of " + part, element));
        pointers.push_back(std::move(pointer));
    }
    return pointers;
}

std::string pointers_json(const std::vector<Pointer>& pointers) {
    std::string json = "[";
    for (const Pointer& pointer : pointers) {
        if (json.size() > 1) json += ',';
        json += in_quotes(pointer.text());
    }
    return json + ']';
}

} // namespace sluice::definition_parts
