// private-box 0.3: one ciphertext for a few recipients, which names none of them.
//
//   nonce (24) | ephemeral curve25519 public key (32) | slot (49) for each recipient | body
//   slot = secretbox(nonce, scalarmult(ephemeral secret, recipient), count (1) | body key (32))
//   body = secretbox(nonce, body key, plaintext)                        (16 bytes longer than it)
//
// A recipient tries the slots in turn until one opens. Source:
// https://github.com/auditdrivencrypto/private-box
#pragma once
#include "scuttlebutt/keys.hpp"

#include <sluice/result.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice::scuttlebutt {

/// What published implementations write and try at most.
constexpr std::size_t kPrivateBoxRecipientsMax = 7;

/// The randomness of one box. Never use it for two: whoever opens one opens the other.
struct PrivateBoxEntropy {
    std::array<unsigned char, 24> nonce;
    Secret32 ephemeral_secret_key;
    Secret32 body_key;
};

/// Boxes `plaintext` for curve25519 public keys. Returns base64 and ".box", as it stands in
/// "content". Threads: any. Errors: invalid_argument (no recipient, too many, or a key that is no
/// public key).
Result<std::string> private_box(std::string_view plaintext, std::span<const Bytes32> recipients,
                                const PrivateBoxEntropy& entropy);

/// The plaintext, or nothing when the box is not for this curve25519 secret key, is damaged or is
/// no private-box. `boxed` may be hostile. Threads: any.
std::optional<std::string> private_unbox(std::string_view boxed, const Bytes32& secret_key);

/// The same in two steps, for who has many keys to try: the bytes of a private-box, or nothing when
/// `boxed` is none; and what is in them.
std::optional<std::string> private_box_bytes(std::string_view boxed);
std::optional<std::string> private_unbox_bytes(std::string_view box, const Bytes32& secret_key);

} // namespace sluice::scuttlebutt
