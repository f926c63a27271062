#include "scuttlebutt/unbox.hpp"

#include "base/json.hpp"
#include "base/json_text.hpp"
#include "scuttlebutt/message_parts.hpp"
#include "scuttlebutt/private_box.hpp"
#include "scuttlebutt/read_keys.hpp"

#include <sodium.h>

namespace sluice::scuttlebutt {
namespace {

/// How deep a message's content lies in the message.
constexpr std::string_view kAround[] = {"[[", "]]"};

/// Whether `text` is one JSON value that may stand as the content of a message. Two arrays around
/// it stand for the message, so that what is nested too deep for a message is refused here; a text
/// that closes them to open others, such as `1],[2`, shows by their number.
bool is_content(std::string_view text, JsonParser& parser) {
    const std::string nested = std::string(kAround[0]).append(text).append(kAround[1]);
    const Value* const json = parser.parse(nested);
    return json != nullptr && json->elements().size() == 1 &&
           json->elements()[0].elements().size() == 1;
}

using Opened = std::optional<std::string>;

/// Opens with the first key of this kind that does.
template <typename Open>
Opened open_with_any(Context& context, ReadKeyKind kind, const Open& open) {
    Opened opened;
    JsonParser parser;
    context.find_any(Source::facts(std::string(kKeysCollection)), Key{name_of(kind)},
                     [&](const Cell& cell) {
                         ReadKey key;
                         if (!read_key(cell.value, key) || key.kind != kind) return false;
                         opened = open(key);
                         if (opened && !is_content(*opened, parser)) opened.reset();
                         return opened.has_value();
                     });
    return opened;
}

Opened open_private_box(Context& context, std::string_view boxed) {
    const auto box = private_box_bytes(boxed);
    if (!box) return std::nullopt;
    return open_with_any(context, ReadKeyKind::identity, [&](const ReadKey& key) {
        return private_unbox_bytes(*box, key.box_keys.secret_key);
    });
}

std::optional<EnvelopePlace> place_of(const MessageParts& parts) {
    const Value* const previous = parts.value->find("previous");
    if (previous == nullptr) return std::nullopt;
    if (!previous->is_null() && !previous->as_string()) return std::nullopt;
    return envelope_place(parts.author, previous->as_string().value_or(""));
}

/// The author's key to box with; nothing when the id's key is no point of the curve.
std::optional<Bytes32> box_key_of_feed(std::string_view author) {
    const auto public_key = public_key_of_feed(author);
    Bytes32 twin;
    if (!public_key || crypto_sign_ed25519_pk_to_curve25519(twin.data(), public_key->data()) != 0)
        return std::nullopt;
    return twin;
}

Opened open_envelope(Context& context, const MessageParts& parts, std::string_view boxed) {
    const auto place = place_of(parts);
    const auto box = place ? envelope_bytes(boxed) : std::nullopt;
    if (!box) return std::nullopt;
    const auto open_as = [&](const Bytes32& key, std::string_view scheme) -> Opened {
        const EnvelopeKey trial{key, scheme};
        auto opened = envelope_unbox_bytes(*box, *place, {&trial, 1});
        if (!opened) return std::nullopt;
        return std::move(opened->plaintext);
    };

    // Groups first: that is what most envelopes are for, and their keys need no key exchange.
    Opened opened = open_with_any(context, ReadKeyKind::group, [&](const ReadKey& key) {
        return open_as(key.key, kGroupScheme);
    });
    if (opened) return opened;
    opened = open_with_any(context, ReadKeyKind::own,
                           [&](const ReadKey& key) { return open_as(key.key, kSelfScheme); });
    if (opened) return opened;
    const auto theirs = box_key_of_feed(parts.author);
    if (!theirs) return std::nullopt;
    return open_with_any(context, ReadKeyKind::identity, [&](const ReadKey& mine) -> Opened {
        const auto shared = direct_message_key(mine.box_keys, mine.feed, *theirs, place->feed);
        if (!shared) return std::nullopt;
        return open_as(*shared, kDirectMessageScheme);
    });
}

void unbox(Context& context, const Incoming& incoming, Transformed& out) {
    if (!may_mention(incoming.body(), ".box")) return;
    const Message message = message_of(incoming);
    const auto parts = parts_of(message);
    const auto boxed = parts ? parts->content->as_string() : std::nullopt;
    if (!boxed) return;
    const bool is_private_box = boxed->ends_with(".box");
    if (!is_private_box && !boxed->ends_with(".box2")) return;
    const Opened opened =
        is_private_box ? open_private_box(context, *boxed) : open_envelope(context, *parts, *boxed);
    if (!opened) return;

    std::string meta = R"({"private":true,"originalContent":)";
    append_json_string(meta, *boxed);
    meta.append(is_private_box ? R"(,"encryptionFormat":"box"})"
                               : R"(,"encryptionFormat":"box2"})");
    out.set_body(changed_body(message.body, {*opened, "meta", meta}));
}

} // namespace

Transform unbox_transform() {
    return {"scuttlebutt.unbox", 1, unbox};
}

} // namespace sluice::scuttlebutt
