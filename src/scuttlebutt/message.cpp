#include "scuttlebutt/message.hpp"

#include "scuttlebutt/js_json.hpp"

#include <sluice/scuttlebutt.hpp>

#include <sodium.h>

#include <algorithm>

namespace sluice::scuttlebutt {
namespace {

constexpr std::string_view kSignatureSuffix = ".sig.ed25519";

const unsigned char* raw(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

/// The value of a member that is a string without escapes, such as an id, or nothing.
std::optional<std::string_view> plain_string(const PrettyJson& object, std::string_view key) {
    const std::optional<std::string_view> value = object.find(key);
    if (!value || !value->starts_with('"') || value->find('\\') != std::string_view::npos)
        return std::nullopt;
    return value->substr(1, value->size() - 2);
}

std::optional<Bytes64> signature_bytes(std::string_view text) {
    if (!text.ends_with(kSignatureSuffix)) return std::nullopt;
    const auto bytes = from_base64(text.substr(0, text.size() - kSignatureSuffix.size()));
    if (!bytes || bytes->size() != Bytes64{}.size()) return std::nullopt;
    Bytes64 signature;
    std::copy(bytes->begin(), bytes->end(), signature.begin());
    return signature;
}

} // namespace

std::string message_id(std::string_view pretty_value) {
    const bool ascii = std::all_of(pretty_value.begin(), pretty_value.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    const std::string binary = ascii ? std::string() : to_binary_encoding(pretty_value);
    const std::string_view hashed = ascii ? pretty_value : std::string_view(binary);
    Bytes32 digest;
    crypto_hash_sha256(digest.data(), raw(hashed), hashed.size());
    return "%" + to_base64(digest) + ".sha256";
}

Result<SignedMessage> sign_message(const KeyPair& author, const MessageDraft& draft) {
    // The value without its closing brace: the signature is still to come.
    std::string value = "{\"previous\":";
    if (draft.previous.empty()) {
        value.append("null");
    } else {
        append_js_string(value, draft.previous);
    }
    value.append(",\"sequence\":").append(std::to_string(draft.sequence));
    value.append(",\"author\":");
    append_js_string(value, author.id);
    value.append(",\"timestamp\":").append(std::to_string(draft.claimed_ms));
    value.append(",\"hash\":\"sha256\",\"content\":").append(draft.content);

    std::optional<PrettyJson> pretty = to_pretty_json(value + "}");
    if (!pretty) return Error{Errc::invalid_argument, "signing a message: its content is no JSON"};
    Bytes64 signature;
    crypto_sign_detached(signature.data(), nullptr, raw(pretty->text), pretty->text.size(),
                         author.secret_key.data());

    const std::string signature_text = "\"" + to_base64(signature).append(kSignatureSuffix) + "\"";
    value.append(",\"signature\":").append(signature_text).append("}");
    constexpr std::string_view kPrettyEnd = "\n}";
    pretty->text.resize(pretty->text.size() - kPrettyEnd.size());
    pretty->text.append(",\n  \"signature\": ").append(signature_text).append(kPrettyEnd);

    SignedMessage message;
    message.id = message_id(pretty->text);
    message.json.reserve(value.size() + 100);
    message.json.append("{\"key\":\"").append(message.id).append("\",\"value\":").append(value);
    message.json.append(",\"timestamp\":").append(std::to_string(draft.received_ms)).append("}");
    return message;
}

Verdict verify_message(std::string_view json) {
    const std::optional<PrettyJson> message = to_pretty_json(json);
    if (!message) return Verdict::malformed;
    const auto id = plain_string(*message, "key");
    const auto value_text = message->find("value");
    if (!id || !value_text) return Verdict::malformed;

    // Once more, for the indentation of a value that stands alone.
    const std::optional<PrettyJson> value = to_pretty_json(*value_text);
    if (!value) return Verdict::malformed;
    const auto author = plain_string(*value, "author");
    const auto signature_text = plain_string(*value, "signature");
    if (!author || !signature_text) return Verdict::malformed;
    const auto public_key = public_key_of_feed(*author);
    const auto signature = signature_bytes(*signature_text);
    if (!public_key || !signature) return Verdict::malformed;

    if (*id != message_id(value->text)) return Verdict::wrong_id;
    const std::string text = value->without("signature");
    const int failed =
        crypto_sign_verify_detached(signature->data(), raw(text), text.size(), public_key->data());
    return failed == 0 ? Verdict::genuine : Verdict::wrong_signature;
}

} // namespace sluice::scuttlebutt
