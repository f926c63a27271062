#include <sluice/value.hpp>

#include "base/number.hpp"
#include "base/pointer.hpp"

namespace sluice {

std::optional<bool> Value::as_bool() const noexcept {
    if (type_ != Type::boolean) return std::nullopt;
    return boolean_;
}

std::optional<double> Value::as_double() const noexcept {
    if (type_ != Type::number) return std::nullopt;
    return nearest_double(number_text());
}

std::optional<std::int64_t> Value::as_int64() const noexcept {
    if (type_ != Type::number) return std::nullopt;
    return KeyNumber::from_json(number_text()).as_int64();
}

std::optional<std::string_view> Value::as_string() const noexcept {
    if (type_ != Type::string) return std::nullopt;
    return std::string_view(static_cast<const char*>(data_), size_);
}

std::string_view Value::number_text() const noexcept {
    if (type_ != Type::number) return {};
    return {static_cast<const char*>(data_), size_};
}

std::span<const Value> Value::elements() const noexcept {
    if (type_ != Type::array) return {};
    return {static_cast<const Value*>(data_), size_};
}

std::span<const Value::Member> Value::members() const noexcept {
    if (type_ != Type::object) return {};
    return {static_cast<const Member*>(data_), size_};
}

const Value* Value::find(std::string_view name) const noexcept {
    for (const Member& member : members()) {
        if (member.name == name) return &member.value;
    }
    return nullptr;
}

const Value* Value::at(std::string_view pointer) const {
    const auto parsed = Pointer::parse(pointer);
    return parsed ? parsed->find(*this) : nullptr;
}

Value Value::make_null() noexcept {
    return {};
}

Value Value::make_bool(bool value) noexcept {
    Value made;
    made.type_ = Type::boolean;
    made.boolean_ = value;
    return made;
}

Value Value::make(Type type, const void* data, std::size_t size) noexcept {
    Value made;
    made.type_ = type;
    made.size_ = static_cast<std::uint32_t>(size);
    made.data_ = data;
    return made;
}

Value Value::make_number(std::string_view text) noexcept {
    return make(Type::number, text.data(), text.size());
}
Value Value::make_string(std::string_view text) noexcept {
    return make(Type::string, text.data(), text.size());
}
Value Value::make_array(std::span<const Value> elements) noexcept {
    return make(Type::array, elements.data(), elements.size());
}
Value Value::make_object(std::span<const Member> members) noexcept {
    return make(Type::object, members.data(), members.size());
}

} // namespace sluice
