// envelope, known as box2: one ciphertext for groups and feeds, which opens at its place in a feed
// only.
//
//   header (32) | slot (32) for each recipient | body
//   read key   = derive(message key, "read_key")
//   header     = secretbox(derive(read key, "header_key"), where the body begins (u16) | 14 bytes)
//   slot       = message key XOR derive(recipient's key, "slot_key", recipient's scheme)
//   body       = secretbox(derive(read key, "body_key"), plaintext)     (16 bytes longer than it)
//   derive(key, labels...) = HKDF-Expand-SHA256 (RFC 5869) of key over "envelope", the author, the
//                            message before and the labels, each with its length (u16) before it
//
// All nonces are zeros: no key is used twice. Sources: https://github.com/ssbc/envelope-spec and
// https://github.com/ssbc/private-group-spec
#pragma once
#include "scuttlebutt/keys.hpp"

#include <sluice/result.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice::scuttlebutt {

/// What published implementations write and try at most.
constexpr std::size_t kEnvelopeSlotsMax = 16;

// What kind of key opens a slot.
constexpr std::string_view kGroupScheme = "envelope-large-symmetric-group";
constexpr std::string_view kDirectMessageScheme = "envelope-id-based-dm-converted-ed25519";
constexpr std::string_view kSelfScheme = "envelope-symmetric-key-for-self";
constexpr std::string_view kPoBoxScheme = "envelope-id-based-pobox-curve25519";

struct EnvelopeKey {
    Secret32 key;
    std::string_view scheme;
};

/// Where a message stands: its author and the message before it, as type, format and key.
struct EnvelopePlace {
    std::string feed;
    std::string previous;
};
/// "@...=.ed25519" and "%...=.sha256"; `previous` is empty in the first message of a feed. Nothing
/// when they are no such ids.
std::optional<EnvelopePlace> envelope_place(std::string_view author, std::string_view previous);

/// Base64 and ".box2", as it stands in "content". Never use a `message_key` twice. Threads: any.
/// Errors: invalid_argument (nothing to box; no recipient, or over 16).
Result<std::string> envelope_box(std::string_view plaintext, const EnvelopePlace& place,
                                 const Bytes32& message_key,
                                 std::span<const EnvelopeKey> recipients);

struct OpenedEnvelope {
    std::string plaintext;
    Secret32 read_key;   ///< Whoever has it can open this envelope, and nothing else.
    std::size_t key = 0; ///< Which of the keys opened it.
};
/// Nothing when none of the keys opens it at this place, when it is damaged or is no envelope.
/// `boxed` may be hostile. Costs a few hashes for each key and slot. Threads: any.
std::optional<OpenedEnvelope> envelope_unbox(std::string_view boxed, const EnvelopePlace& place,
                                             std::span<const EnvelopeKey> keys);

/// The same in two steps, for who tries keys one after the other: the bytes of an envelope, or
/// nothing when `boxed` is none; and what is in them.
std::optional<std::string> envelope_bytes(std::string_view boxed);
std::optional<OpenedEnvelope> envelope_unbox_bytes(std::string_view box, const EnvelopePlace& place,
                                                   std::span<const EnvelopeKey> keys);

/// What names a group: its first message, told to those only who can read it. Both ids are type,
/// format and key; the answer is the key part.
Bytes32 cloaked_message_id(const Bytes32& read_key, std::string_view message);

/// The key that two feeds share, whoever of them computes it. Feeds are type, format and key.
/// Nothing when theirs is no public key: anybody could compute what it gives.
std::optional<Secret32> direct_message_key(const BoxKeys& mine, std::string_view my_feed,
                                           const Bytes32& their_public_key,
                                           std::string_view their_feed);
/// The key that a feed shares with a P.O. box, likewise. The box is type, format and key.
std::optional<Secret32> po_box_key(const BoxKeys& mine, std::string_view my_feed,
                                   const Bytes32& box_public_key, std::string_view box_id);

} // namespace sluice::scuttlebutt
