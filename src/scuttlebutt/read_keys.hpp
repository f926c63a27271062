// The keys that open private messages, as facts. A fact holds all that opening needs, computed
// once.
#pragma once
#include "scuttlebutt/envelope.hpp"
#include "scuttlebutt/keys.hpp"

#include <sluice/scuttlebutt.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::scuttlebutt {

enum class ReadKeyKind : std::uint8_t {
    identity = 1, ///< A feed's pair: private-boxes, and envelopes to this feed.
    group = 2,    ///< A group's key: envelopes to the group.
    own = 3,      ///< The key that a feed boxes to itself with.
};
/// "identity", "group", "own": the first element of the fact's key.
std::string_view name_of(ReadKeyKind kind);

/// ["identity", "@...=.ed25519"]. The secret in it is the pair's curve25519 twin: whoever reads the
/// database can open what the feed can open, and could sign as the feed.
PreparedFact identity_fact(const KeyPair& pair);

/// What names a key that has no public half: 16 hexadecimal digits of a hash. Nobody guesses a key
/// of 32 random bytes from it.
std::string key_fingerprint(const Bytes32& key);

/// A key as its fact holds it. Destroys its copy of the secret.
struct ReadKey {
    ReadKey() = default;
    ReadKey(const ReadKey&) = delete;
    ReadKey& operator=(const ReadKey&) = delete;

    ReadKeyKind kind{};
    BoxKeys box_keys{}; ///< Of an identity.
    std::string feed;   ///< Of an identity: type, format and key, as envelopes name it.
    Secret32 key;       ///< Of a group, and own.
    std::string group;  ///< The group's id, if it was given.
};
/// False when `value` is no such fact's value; nobody else than us is to write these.
[[nodiscard]] bool read_key(std::string_view value, ReadKey& into);

} // namespace sluice::scuttlebutt
