#include "scuttlebutt/envelope.hpp"

#include "base/assert.hpp"
#include "base/bytes.hpp"

#include <sodium.h>

#include <algorithm>
#include <initializer_list>

namespace sluice::scuttlebutt {
namespace {

constexpr std::string_view kSuffix = ".box2";
constexpr std::size_t kMacSizeBytes = crypto_secretbox_MACBYTES;
constexpr std::size_t kHeaderPlainSizeBytes = 16;
constexpr std::size_t kHeaderSizeBytes = kHeaderPlainSizeBytes + kMacSizeBytes;
constexpr std::size_t kSlotSizeBytes = 32;
constexpr std::array<unsigned char, crypto_secretbox_NONCEBYTES> kZeroNonce{};
static_assert(kHeaderSizeBytes == 32 && crypto_auth_hmacsha256_BYTES == sizeof(Bytes32));

constexpr std::string_view kFeedType("\0\0", 2);    // A feed, classic.
constexpr std::string_view kMessageType("\1\0", 2); // A message, classic.
constexpr std::string_view kFeedKeyType("\3\0", 2); // A public key to box with, of a feed.
constexpr std::string_view kPoBoxKeyType("\3\1", 2);
/// Of any id: type, format, and what the key is beside them in ours.
constexpr std::size_t kTypeSizeBytes = 2;

using Parts = std::initializer_list<std::string_view>;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

/// Each with its length before it.
std::string with_lengths(Parts parts) {
    std::string bytes;
    for (const std::string_view part : parts) {
        append_le(bytes, static_cast<std::uint16_t>(part.size()));
        bytes += part;
    }
    return bytes;
}

/// HKDF-Expand to 32 bytes, which is one block of SHA-256. RFC 5869, 2.3.
Secret32 expand(const Bytes32& key, Parts info) {
    const std::string message = with_lengths(info) + '\1';
    Secret32 derived;
    crypto_auth_hmacsha256(derived.data(), bytes_of(message), message.size(), key.data());
    return derived;
}

Secret32 derive(const Bytes32& key, const EnvelopePlace& place, std::string_view label) {
    return expand(key, {"envelope", place.feed, place.previous, label});
}

Secret32 slot_key(const EnvelopeKey& recipient, const EnvelopePlace& place) {
    return expand(recipient.key,
                  {"envelope", place.feed, place.previous, "slot_key", recipient.scheme});
}

void xor_with(unsigned char* bytes, const Bytes32& key) {
    for (std::size_t i = 0; i < key.size(); ++i) bytes[i] ^= key[i];
}

/// HKDF of what a key exchange gave, over the two parties in the order of their bytes, so that both
/// get the same. RFC 5869, 2.2 and 2.3.
std::optional<Secret32> shared_key(std::string_view salt_name, std::string_view context,
                                   const BoxKeys& mine, std::string_view my_id,
                                   std::string_view their_key_type, const Bytes32& their_public_key,
                                   std::string_view their_id) {
    const auto party = [](std::string_view key_type, const Bytes32& public_key,
                          std::string_view id) {
        std::string bytes(key_type);
        bytes.append(reinterpret_cast<const char*>(public_key.data()), public_key.size());
        return bytes.append(id);
    };
    std::string first = party(kFeedKeyType, mine.public_key, my_id);
    std::string second = party(their_key_type, their_public_key, their_id);
    if (second < first) std::swap(first, second);

    Secret32 exchanged;
    if (crypto_scalarmult(exchanged.data(), mine.secret_key.data(), their_public_key.data()) != 0) {
        return std::nullopt;
    }
    Bytes32 salt;
    crypto_hash_sha256(salt.data(), bytes_of(salt_name), salt_name.size());
    Secret32 extracted;
    crypto_auth_hmacsha256(extracted.data(), exchanged.data(), exchanged.size(), salt.data());
    return expand(extracted, {context, first, second});
}

std::optional<std::string> key_in_id(std::string_view id, char sigil, std::string_view suffix) {
    if (id.empty() || id.front() != sigil || !id.ends_with(suffix)) return std::nullopt;
    auto key = from_base64(id.substr(1, id.size() - 1 - suffix.size()));
    if (!key || key->size() != sizeof(Bytes32)) return std::nullopt;
    return key;
}

} // namespace

std::optional<EnvelopePlace> envelope_place(std::string_view author, std::string_view previous) {
    const auto feed = key_in_id(author, '@', ".ed25519");
    const auto before = previous.empty() ? std::optional(std::string(sizeof(Bytes32), '\0'))
                                         : key_in_id(previous, '%', ".sha256");
    if (!feed || !before) return std::nullopt;
    return EnvelopePlace{std::string(kFeedType) + *feed, std::string(kMessageType) + *before};
}

Result<std::string> envelope_box(std::string_view plaintext, const EnvelopePlace& place,
                                 const Bytes32& message_key,
                                 std::span<const EnvelopeKey> recipients) {
    if (plaintext.empty()) {
        return Error{Errc::invalid_argument, "boxing a message: there is nothing to box"};
    }
    if (recipients.empty() || recipients.size() > kEnvelopeSlotsMax) {
        return Error{Errc::invalid_argument,
                     "boxing a message: an envelope has 1 to 16 recipients, not " +
                         std::to_string(recipients.size())};
    }
    const Secret32 read_key = derive(message_key, place, "read_key");
    const Secret32 header_key = derive(read_key, place, "header_key");
    const Secret32 body_key = derive(read_key, place, "body_key");

    const std::size_t body_at = kHeaderSizeBytes + kSlotSizeBytes * recipients.size();
    std::string box(body_at + plaintext.size() + kMacSizeBytes, '\0');
    auto* const to = reinterpret_cast<unsigned char*>(box.data());
    std::array<char, kHeaderPlainSizeBytes> header{};
    put_le(header.data(), static_cast<std::uint16_t>(body_at));
    crypto_secretbox_easy(to, reinterpret_cast<const unsigned char*>(header.data()), header.size(),
                          kZeroNonce.data(), header_key.data());
    for (std::size_t i = 0; i < recipients.size(); ++i) {
        unsigned char* const slot = to + kHeaderSizeBytes + kSlotSizeBytes * i;
        std::copy(message_key.begin(), message_key.end(), slot);
        xor_with(slot, slot_key(recipients[i], place));
    }
    crypto_secretbox_easy(to + body_at, bytes_of(plaintext), plaintext.size(), kZeroNonce.data(),
                          body_key.data());
    return to_base64({to, box.size()}).append(kSuffix);
}

std::optional<OpenedEnvelope> envelope_unbox(std::string_view boxed, const EnvelopePlace& place,
                                             std::span<const EnvelopeKey> keys) {
    const auto box = envelope_bytes(boxed);
    return box ? envelope_unbox_bytes(*box, place, keys) : std::nullopt;
}

std::optional<std::string> envelope_bytes(std::string_view boxed) {
    if (!boxed.ends_with(kSuffix)) return std::nullopt;
    auto box = from_base64(boxed.substr(0, boxed.size() - kSuffix.size()));
    return box && box->size() >= kHeaderSizeBytes + kSlotSizeBytes ? box : std::nullopt;
}

std::optional<OpenedEnvelope> envelope_unbox_bytes(std::string_view box, const EnvelopePlace& place,
                                                   std::span<const EnvelopeKey> keys) {
    if (box.size() < kHeaderSizeBytes + kSlotSizeBytes) return std::nullopt;
    const auto* const from = bytes_of(box);
    const std::size_t slots =
        std::min(kEnvelopeSlotsMax, (box.size() - kHeaderSizeBytes) / kSlotSizeBytes);

    for (std::size_t key = 0; key < keys.size(); ++key) {
        const Secret32 opening = slot_key(keys[key], place);
        for (std::size_t i = 0; i < slots; ++i) {
            // Nothing in a slot says whether a key is right; the header does.
            Secret32 message_key;
            std::copy_n(from + kHeaderSizeBytes + kSlotSizeBytes * i, kSlotSizeBytes,
                        message_key.begin());
            xor_with(message_key.data(), opening);
            const Secret32 read_key = derive(message_key, place, "read_key");
            const Secret32 header_key = derive(read_key, place, "header_key");
            std::array<char, kHeaderPlainSizeBytes> header{};
            if (crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(header.data()), from,
                                           kHeaderSizeBytes, kZeroNonce.data(),
                                           header_key.data()) != 0) {
                continue;
            }
            // The place comes from whoever made the envelope, and need not be true.
            const std::size_t body_at = get_le<std::uint16_t>(header.data());
            if (body_at + kMacSizeBytes > box.size()) return std::nullopt;
            const Secret32 body_key = derive(read_key, place, "body_key");
            std::string plaintext(box.size() - body_at - kMacSizeBytes, '\0');
            if (crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(plaintext.data()),
                                           from + body_at, box.size() - body_at, kZeroNonce.data(),
                                           body_key.data()) != 0) {
                return std::nullopt;
            }
            return OpenedEnvelope{std::move(plaintext), read_key, key};
        }
    }
    return std::nullopt;
}

Bytes32 cloaked_message_id(const Bytes32& read_key, std::string_view message) {
    SLUICE_ASSERT(message.size() > kTypeSizeBytes);
    return expand(read_key, {"cloaked_msg_id", message});
}

std::optional<Secret32> direct_message_key(const BoxKeys& mine, std::string_view my_feed,
                                           const Bytes32& their_public_key,
                                           std::string_view their_feed) {
    return shared_key("envelope-dm-v1-extract-salt", "envelope-ssb-dm-v1/key", mine, my_feed,
                      kFeedKeyType, their_public_key, their_feed);
}

std::optional<Secret32> po_box_key(const BoxKeys& mine, std::string_view my_feed,
                                   const Bytes32& box_public_key, std::string_view box_id) {
    return shared_key("envelope-pobox-v1-extract-salt", "envelope-ssb-pobox-v1/key", mine, my_feed,
                      kPoBoxKeyType, box_public_key, box_id);
}

} // namespace sluice::scuttlebutt
