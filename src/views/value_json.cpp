#include "views/value_json.hpp"

#include "base/json_text.hpp"

namespace sluice {

// Recursion is as deep as the value, which the parser limits.
void append_value_json(std::string& to, const Value& value) {
    char separator = '\0';
    const auto separate = [&] {
        if (separator != '\0') to += separator;
        separator = ',';
    };
    switch (value.type()) {
    case Value::Type::null: to += "null"; break;
    case Value::Type::boolean: to += *value.as_bool() ? "true" : "false"; break;
    case Value::Type::number: to += value.number_text(); break;
    case Value::Type::string: append_json_string(to, *value.as_string()); break;
    case Value::Type::array:
        to += '[';
        for (const Value& element : value.elements()) {
            separate();
            append_value_json(to, element);
        }
        to += ']';
        break;
    case Value::Type::object:
        to += '{';
        for (const auto& [name, member] : value.members()) {
            separate();
            append_json_string(to, name);
            to += ':';
            append_value_json(to, member);
        }
        to += '}';
        break;
    }
}

} // namespace sluice
