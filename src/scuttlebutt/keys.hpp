// Key pairs of feeds, and how Scuttlebutt writes keys, ids and signatures.
#pragma once
#include "base/secret.hpp"

#include <sluice/result.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice::scuttlebutt {

using Bytes32 = std::array<unsigned char, 32>;
using Bytes64 = std::array<unsigned char, 64>;
using Secret32 = SecretArray<32>;
using Secret64 = SecretArray<64>;

/// An ed25519 pair. A value, copied freely.
struct KeyPair {
    Bytes32 public_key{};
    Secret64 secret_key; ///< The seed, then the public key: libsodium's form.
    std::string id;      ///< "@" base64(public key) ".ed25519"
};

/// The pair that ed25519 (RFC 8032) makes of 32 secret bytes. Threads: any.
KeyPair key_pair_from_seed(const Bytes32& seed);

/// A pair's curve25519 twin, which private messages are boxed with.
struct BoxKeys {
    Bytes32 public_key;
    Secret32 secret_key;
};
/// The birational map of RFC 7748, 4.1, as libsodium computes it. Threads: any.
BoxKeys box_keys_of(const KeyPair& pair);

/// Standard base64 with padding (RFC 4648, 4).
std::string to_base64(std::span<const unsigned char> bytes);
/// Nothing when `text` is no standard base64 with its padding.
std::optional<std::string> from_base64(std::string_view text);
/// The same for what nobody is to find in memory later.
std::optional<SecretBytes> secret_from_base64(std::string_view text);

/// The 32 bytes of "@...=.ed25519"; nothing when `id` is no such id.
std::optional<Bytes32> public_key_of_feed(std::string_view id);
/// Errors: invalid_argument (it is no such id).
Result<void> check_feed(std::string_view id);

} // namespace sluice::scuttlebutt
