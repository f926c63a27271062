#include "scuttlebutt/keys.hpp"

#include "base/assert.hpp"

#include <sodium.h>

#include <algorithm>

namespace sluice::scuttlebutt {

KeyPair key_pair_from_seed(const Bytes32& seed) {
    KeyPair pair;
    crypto_sign_seed_keypair(pair.public_key.data(), pair.secret_key.data(), seed.data());
    pair.id = "@" + to_base64(pair.public_key) + ".ed25519";
    return pair;
}

BoxKeys box_keys_of(const KeyPair& pair) {
    BoxKeys keys{};
    // Fails for points that are no public key of anybody, and this one was made from its secret.
    SLUICE_ASSERT(
        crypto_sign_ed25519_pk_to_curve25519(keys.public_key.data(), pair.public_key.data()) == 0);
    crypto_sign_ed25519_sk_to_curve25519(keys.secret_key.data(), pair.secret_key.data());
    return keys;
}

std::string to_base64(std::span<const unsigned char> bytes) {
    std::string text(sodium_base64_ENCODED_LEN(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
    sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(),
                      sodium_base64_VARIANT_ORIGINAL);
    text.pop_back(); // The terminating NUL.
    return text;
}

namespace {

template <typename Bytes> std::optional<Bytes> decode_base64(std::string_view text) {
    // libsodium 1.0.18 reads each of these bytes as an 'A': one id would have many texts.
    const auto is_foreign = [](char c) { return static_cast<unsigned char>(c) > 0x7F; };
    if (std::any_of(text.begin(), text.end(), is_foreign)) return std::nullopt;
    Bytes bytes(text.size() / 4 * 3 + 3, '\0');
    std::size_t size = 0;
    const char* end = nullptr;
    const int failed =
        sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                          text.size(), nullptr, &size, &end, sodium_base64_VARIANT_ORIGINAL);
    if (failed != 0 || end != text.data() + text.size()) return std::nullopt;
    bytes.resize(size);
    return bytes;
}

} // namespace

std::optional<std::string> from_base64(std::string_view text) {
    return decode_base64<std::string>(text);
}

std::optional<SecretBytes> secret_from_base64(std::string_view text) {
    return decode_base64<SecretBytes>(text);
}

std::optional<Bytes32> public_key_of_feed(std::string_view id) {
    constexpr std::string_view kSuffix = ".ed25519";
    if (!id.starts_with('@') || !id.ends_with(kSuffix)) return std::nullopt;
    const auto bytes = from_base64(id.substr(1, id.size() - 1 - kSuffix.size()));
    if (!bytes || bytes->size() != Bytes32{}.size()) return std::nullopt;
    Bytes32 key;
    std::copy(bytes->begin(), bytes->end(), key.begin());
    return key;
}

Result<void> check_feed(std::string_view id) {
    if (public_key_of_feed(id)) return {};
    return Error{Errc::invalid_argument, "this is no id of a feed: those look like @...=.ed25519"};
}

} // namespace sluice::scuttlebutt
