// Scuttlebutt's classic messages: made, signed and verified as published implementations do.
//
// https://ssbc.github.io/scuttlebutt-protocol-guide/#message-format: the signature is ed25519 over
// the value's pretty JSON without the member "signature"; the id is the sha256 of the pretty JSON
// with it, in Node's 'binary' encoding, which is not UTF-8 as soon as a message leaves Latin-1.
#pragma once
#include "scuttlebutt/keys.hpp"

#include <sluice/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::scuttlebutt {

/// What an author puts into a message. The texts are borrowed for the call.
struct MessageDraft {
    std::string_view previous = {}; ///< Id of the author's message before, empty for the first.
    std::uint64_t sequence = 1;     ///< Of this feed: 1, 2, 3 ...
    std::uint64_t claimed_ms = 0;   ///< The author's clock, milliseconds since 1970.
    std::string_view content = {};  ///< JSON, as JSON.stringify(content) writes it.
    std::uint64_t received_ms = 0;  ///< The receiver's clock: not signed.
};

struct SignedMessage {
    std::string id;   ///< "%" base64(sha256) ".sha256"
    std::string json; ///< {"key":id,"value":{...,"signature":...},"timestamp":received_ms}
};

/// The same draft and author give the same bytes always. Threads: any.
/// Errors: invalid_argument (content is no JSON).
Result<SignedMessage> sign_message(const KeyPair& author, const MessageDraft& draft);

/// The id of the message whose value, signature included, pretty-prints as `pretty_value`. Threads:
/// any.
std::string message_id(std::string_view pretty_value);

} // namespace sluice::scuttlebutt
