#include "scuttlebutt/message_parts.hpp"

#include "base/assert.hpp"
#include "scuttlebutt/object_text.hpp"

namespace sluice::scuttlebutt {

std::optional<MessageParts> parts_of(const Message& message) {
    if (message.json == nullptr) return std::nullopt;
    const Value* const value = message.json->find("value");
    if (value == nullptr) return std::nullopt;
    const Value* const author = value->find("author");
    const Value* const content = value->find("content");
    if (author == nullptr || !author->as_string() || content == nullptr) return std::nullopt;
    const Value* const key = message.json->find("key");
    const auto id = key == nullptr ? std::nullopt : key->as_string();
    return MessageParts{id.value_or(message.key), *author->as_string(), value, content};
}

bool may_mention(std::string_view body, std::string_view text) {
    return body.find(text) != body.npos || body.find("\\u") != body.npos;
}

std::optional<std::string_view> author_of(std::string_view body) {
    const auto value = member_text(body, "value");
    const auto author = value ? member_text(*value, "author") : std::nullopt;
    if (!author || author->size() < 2 || author->front() != '"' || author->back() != '"' ||
        author->find('\\') != std::string_view::npos) {
        return std::nullopt;
    }
    return author->substr(1, author->size() - 2);
}

std::string changed_body(std::string_view body, const BodyChange& change) {
    auto message = ObjectText::read(body);
    SLUICE_ASSERT(message);
    std::string value;
    if (!change.content.empty()) {
        auto inner = ObjectText::read(message->find("value").value_or(""));
        SLUICE_ASSERT(inner);
        inner->set("content", change.content);
        value = inner->text();
        message->set("value", value);
    }
    message->set(change.name, change.value);
    return message->text();
}

} // namespace sluice::scuttlebutt
