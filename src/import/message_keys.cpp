#include "import/message_keys.hpp"

#include "base/try.hpp"

#include <simdjson.h>

namespace sluice {

struct MessageKeys::Impl {
    std::string pointer; // As simdjson takes it; empty: no keys.
    simdjson::ondemand::parser quick;
    JsonParser thorough;
    PathSet paths;
};

MessageKeys::MessageKeys(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MessageKeys::MessageKeys(MessageKeys&&) noexcept = default;
MessageKeys& MessageKeys::operator=(MessageKeys&&) noexcept = default;
MessageKeys::~MessageKeys() = default;

Result<MessageKeys> MessageKeys::create(std::string_view pointer) {
    auto impl = std::make_unique<Impl>();
    if (!pointer.empty()) {
        SLUICE_TRY_ASSIGN(const Pointer parsed, Pointer::parse(pointer));
        impl->pointer = pointer;
        impl->paths.add(parsed);
    }
    return MessageKeys(std::move(impl));
}

std::optional<std::string_view> MessageKeys::find(std::string_view body) {
    static_assert(kPaddingBytes >= simdjson::SIMDJSON_PADDING);
    if (impl_->pointer.empty()) return {};
    simdjson::ondemand::document document;
    const simdjson::padded_string_view padded(body, body.size() + kPaddingBytes);
    if (impl_->quick.iterate(padded).get(document) != simdjson::SUCCESS) return {};
    std::string_view key;
    const auto error = document.at_pointer(impl_->pointer).get_string().get(key);
    return error == simdjson::SUCCESS ? std::optional(key) : std::nullopt;
}

MessageKeys::Checked MessageKeys::find_checked(std::string_view body) {
    const auto values = impl_->thorough.extract(body, impl_->paths);
    if (!values) return {false, {}};
    if (values->empty() || (*values)[0] == nullptr) return {true, {}};
    return {true, (*values)[0]->as_string()};
}

} // namespace sluice
