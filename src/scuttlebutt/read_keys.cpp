// The value of such a fact, version 1:
//
//   version (1) | kind (1) | identity: ed25519 public key (32) | curve25519 public (32), secret
//   (32)
//                          | group: key (32) | the group's id, its length before it
//                          | own: key (32)
#include "scuttlebutt/read_keys.hpp"

#include "base/bytes.hpp"
#include "base/try.hpp"
#include "scuttlebutt/secret_file.hpp"

#include <sodium.h>

#include <algorithm>

namespace sluice::scuttlebutt {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::string_view kFeedType("\0\0", 2); // A feed, classic.

/// With room for all that follows, so that growing leaves no copy of a secret behind.
std::string value_head(ReadKeyKind kind, std::size_t more) {
    std::string value;
    value.reserve(2 + more);
    value.push_back(static_cast<char>(kVersion));
    value.push_back(static_cast<char>(kind));
    return value;
}

void append_bytes(std::string& to, const Bytes32& bytes) {
    to.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void take_bytes(ByteReader& from, Bytes32& into) {
    const std::string_view bytes = from.take(into.size());
    std::copy(bytes.begin(), bytes.end(), into.begin());
}

PreparedFact fact_of(ReadKeyKind kind, const std::string& id, std::string value) {
    return {{std::string(kKeysCollection), Key{name_of(kind), id}}, std::move(value), true};
}

} // namespace

std::string_view name_of(ReadKeyKind kind) {
    switch (kind) {
    case ReadKeyKind::identity: return "identity";
    case ReadKeyKind::group: return "group";
    case ReadKeyKind::own: return "own";
    }
    return "";
}

PreparedFact identity_fact(const KeyPair& pair) {
    const BoxKeys twin = box_keys_of(pair);
    std::string value = value_head(ReadKeyKind::identity, 3 * sizeof(Bytes32));
    append_bytes(value, pair.public_key);
    append_bytes(value, twin.public_key);
    append_bytes(value, twin.secret_key);
    return fact_of(ReadKeyKind::identity, pair.id, std::move(value));
}

Result<std::vector<PreparedFact>> identity_facts(std::string_view secret_file) {
    SLUICE_TRY_ASSIGN(std::vector<KeyPair> pairs, parse_secret_file(secret_file));
    std::vector<PreparedFact> facts;
    facts.reserve(pairs.size());
    for (KeyPair& pair : pairs) {
        facts.push_back(identity_fact(pair));
        sodium_memzero(pair.secret_key.data(), pair.secret_key.size());
    }
    return facts;
}

PreparedFact group_fact(const GroupKey& group) {
    std::string value = value_head(ReadKeyKind::group, sizeof(Bytes32) + 10 + group.group.size());
    append_bytes(value, group.key);
    append_sized(value, group.group);
    return fact_of(ReadKeyKind::group, key_fingerprint(group.key), std::move(value));
}

PreparedFact own_fact(const Bytes32& key) {
    std::string value = value_head(ReadKeyKind::own, sizeof(Bytes32));
    append_bytes(value, key);
    return fact_of(ReadKeyKind::own, key_fingerprint(key), std::move(value));
}

std::string key_fingerprint(const Bytes32& key) {
    constexpr std::string_view kPurpose = "sluice: what names a key";
    Bytes32 digest;
    crypto_auth_hmacsha256(digest.data(), reinterpret_cast<const unsigned char*>(kPurpose.data()),
                           kPurpose.size(), key.data());
    std::string hex(17, '\0');
    sodium_bin2hex(hex.data(), hex.size(), digest.data(), 8);
    hex.pop_back(); // The terminating NUL.
    return hex;
}

bool read_key(std::string_view value, ReadKey& into) {
    ByteReader reader(value);
    if (reader.le<std::uint8_t>() != kVersion) return false;
    into.kind = static_cast<ReadKeyKind>(reader.le<std::uint8_t>());
    switch (into.kind) {
    case ReadKeyKind::identity:
        into.feed = std::string(kFeedType) + std::string(reader.take(sizeof(Bytes32)));
        take_bytes(reader, into.box_keys.public_key);
        take_bytes(reader, into.box_keys.secret_key);
        return reader.done();
    case ReadKeyKind::group:
        take_bytes(reader, into.key);
        into.group = reader.sized();
        return reader.done();
    case ReadKeyKind::own: take_bytes(reader, into.key); return reader.done();
    }
    return false;
}

std::optional<ReadKeyText> read_key_text(const Fact& fact) {
    ReadKey key;
    if (fact.name.collection != kKeysCollection || !read_key(fact.value, key)) return std::nullopt;
    ReadKeyText text{name_of(key.kind), key.group};
    if (key.kind == ReadKeyKind::identity) {
        Bytes32 public_key;
        std::copy_n(key.feed.begin() + kFeedType.size(), public_key.size(), public_key.begin());
        text.id = "@" + to_base64(public_key) + ".ed25519";
    } else if (text.id.empty()) {
        text.id = key_fingerprint(key.key);
    }
    return text;
}

} // namespace sluice::scuttlebutt
