#include <sluice/key.hpp>

#include "base/json.hpp"
#include "base/key_format.hpp"

namespace sluice {

using namespace key_format;

Key& Key::append(std::nullptr_t) {
    append_null(bytes_);
    return *this;
}
Key& Key::append(bool value) {
    append_bool(bytes_, value);
    return *this;
}
Key& Key::append(std::int64_t value) {
    append_number(bytes_, KeyNumber::from(value));
    return *this;
}
Key& Key::append(std::uint64_t value) {
    append_number(bytes_, KeyNumber::from(value));
    return *this;
}
Key& Key::append(double value) {
    append_number(bytes_, KeyNumber::from(value));
    return *this;
}
Key& Key::append(std::string_view value) {
    append_string(bytes_, value);
    return *this;
}

Key& Key::append_array(const Key& elements) {
    const std::string inner = elements.bytes_; // `elements` may be this key.
    bytes_ += kArray;
    bytes_ += inner;
    bytes_ += kArrayEnd;
    return *this;
}

bool Key::append_json(const Value& value) {
    return append_value(bytes_, value);
}

Result<Key> Key::from_json(std::string_view json) {
    JsonParser parser;
    const Value* const value = parser.parse(json);
    if (value == nullptr) return Error{Errc::invalid_argument, "a key is JSON, this is not"};
    Key key;
    bool fits = true;
    if (value->type() == Value::Type::array) {
        for (const Value& element : value->elements()) fits = fits && key.append_json(element);
    } else {
        fits = key.append_json(*value);
    }
    if (!fits) return Error{Errc::invalid_argument, "a key holds no objects"};
    return key;
}

std::string Key::to_json() const {
    std::string json = "[";
    key_format::append_json(json, bytes_);
    json += ']';
    return json;
}

Result<Key> Key::from_encoded(std::string_view bytes) {
    std::string_view left = bytes;
    std::size_t open_arrays = 0;
    while (!left.empty()) {
        const auto token = take_token(left);
        const bool ends_array = token && token->type == Token::Type::array_end;
        if (!token || (ends_array && open_arrays == 0)) {
            return Error{Errc::corrupt, "byte " + std::to_string(bytes.size() - left.size()) +
                                            " of a key of " + std::to_string(bytes.size())};
        }
        if (token->type == Token::Type::array) ++open_arrays;
        if (ends_array) --open_arrays;
    }
    if (open_arrays != 0) return Error{Errc::corrupt, "a key that ends inside an array"};
    Key key;
    key.bytes_ = bytes;
    return key;
}

} // namespace sluice
