// The parts of a message {"key","value":{"author","content",...},"timestamp"} that transforms look
// at.
#pragma once
#include <sluice/transform.hpp>
#include <sluice/view.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace sluice::scuttlebutt {

/// The message as functions that are no transforms take it. Parses it; valid as long as it is.
inline Message message_of(const Incoming& incoming) {
    return {incoming.seq(), incoming.key(), incoming.body(), incoming.json()};
}

/// Valid as long as the message.
struct MessageParts {
    std::string_view id; ///< "key", or else the application key; may be empty or no id.
    std::string_view author;
    const Value* value;
    const Value* content;
};
/// Nothing when the message is no JSON, or has no author or no content.
std::optional<MessageParts> parts_of(const Message& message);

/// False: no string and no name in this JSON text has `text` in it, and parsing it is not worth the
/// while. `text` must have no control character, quote, slash or backslash, which JSON escapes in
/// short; whatever else is escaped begins with a backslash and a `u`.
bool may_mention(std::string_view body, std::string_view text);

/// The text of "author" in a message, without parsing what is not needed for it. Nothing when
/// there is none, or when it has escapes, as no feed's id has. `body` may be hostile.
std::optional<std::string_view> author_of(std::string_view body);

/// The message's body with another content, and one member more beside "value". All must be JSON,
/// and the message have a content.
struct BodyChange {
    std::string_view content; ///< Empty: as it was.
    std::string_view name;    ///< Of the member beside "value", replaced where it is there.
    std::string_view value;
};
std::string changed_body(std::string_view body, const BodyChange& change);

} // namespace sluice::scuttlebutt
