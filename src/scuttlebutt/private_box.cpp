#include "scuttlebutt/private_box.hpp"

#include <sodium.h>

#include <algorithm>

namespace sluice::scuttlebutt {
namespace {

constexpr std::string_view kSuffix = ".box";
constexpr std::size_t kNonceSizeBytes = crypto_secretbox_NONCEBYTES;
constexpr std::size_t kMacSizeBytes = crypto_secretbox_MACBYTES;
constexpr std::size_t kSlotsAt = kNonceSizeBytes + crypto_scalarmult_BYTES;
constexpr std::size_t kSlotPlainSizeBytes = 1 + crypto_secretbox_KEYBYTES;
constexpr std::size_t kSlotSizeBytes = kSlotPlainSizeBytes + kMacSizeBytes;
static_assert(kSlotsAt == 56 && kSlotSizeBytes == 49);

using SlotPlain = SecretArray<kSlotPlainSizeBytes>;

} // namespace

Result<std::string> private_box(std::string_view plaintext, std::span<const Bytes32> recipients,
                                const PrivateBoxEntropy& entropy) {
    if (recipients.empty() || recipients.size() > kPrivateBoxRecipientsMax) {
        return Error{Errc::invalid_argument,
                     "boxing a message: a private-box has 1 to 7 recipients, not " +
                         std::to_string(recipients.size())};
    }
    const std::size_t body_at = kSlotsAt + kSlotSizeBytes * recipients.size();
    std::string box(body_at + plaintext.size() + kMacSizeBytes, '\0');
    auto* const to = reinterpret_cast<unsigned char*>(box.data());
    std::copy(entropy.nonce.begin(), entropy.nonce.end(), to);
    crypto_scalarmult_base(to + kNonceSizeBytes, entropy.ephemeral_secret_key.data());

    SlotPlain slot;
    slot[0] = static_cast<unsigned char>(recipients.size());
    std::copy(entropy.body_key.begin(), entropy.body_key.end(), slot.begin() + 1);
    for (std::size_t i = 0; i < recipients.size(); ++i) {
        Secret32 shared;
        if (crypto_scalarmult(shared.data(), entropy.ephemeral_secret_key.data(),
                              recipients[i].data()) != 0) {
            return Error{Errc::invalid_argument,
                         "boxing a message: a recipient's key is no public key"};
        }
        crypto_secretbox_easy(to + kSlotsAt + kSlotSizeBytes * i, slot.data(), slot.size(),
                              entropy.nonce.data(), shared.data());
    }
    crypto_secretbox_easy(to + body_at, reinterpret_cast<const unsigned char*>(plaintext.data()),
                          plaintext.size(), entropy.nonce.data(), entropy.body_key.data());
    return to_base64({to, box.size()}).append(kSuffix);
}

std::optional<std::string> private_unbox(std::string_view boxed, const Bytes32& secret_key) {
    const std::optional<std::string> box = private_box_bytes(boxed);
    return box ? private_unbox_bytes(*box, secret_key) : std::nullopt;
}

std::optional<std::string> private_box_bytes(std::string_view boxed) {
    if (!boxed.ends_with(kSuffix)) return std::nullopt;
    auto box = from_base64(boxed.substr(0, boxed.size() - kSuffix.size()));
    return box && box->size() >= kSlotsAt ? box : std::nullopt;
}

std::optional<std::string> private_unbox_bytes(std::string_view box, const Bytes32& secret_key) {
    if (box.size() < kSlotsAt) return std::nullopt;
    const auto* const from = reinterpret_cast<const unsigned char*>(box.data());
    Secret32 shared;
    if (crypto_scalarmult(shared.data(), secret_key.data(), from + kNonceSizeBytes) != 0)
        return std::nullopt;

    const std::size_t slots =
        std::min(kPrivateBoxRecipientsMax, (box.size() - kSlotsAt) / kSlotSizeBytes);
    for (std::size_t i = 0; i < slots; ++i) {
        SlotPlain slot;
        if (crypto_secretbox_open_easy(slot.data(), from + kSlotsAt + kSlotSizeBytes * i,
                                       kSlotSizeBytes, from, shared.data()) != 0) {
            continue;
        }
        // The count comes from whoever made the box, and need not be true.
        const std::size_t body_at = kSlotsAt + kSlotSizeBytes * slot[0];
        if (body_at + kMacSizeBytes > box.size()) return std::nullopt;
        std::string plaintext(box.size() - body_at - kMacSizeBytes, '\0');
        if (crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(plaintext.data()),
                                       from + body_at, box.size() - body_at, from,
                                       slot.data() + 1) != 0) {
            return std::nullopt;
        }
        return plaintext;
    }
    return std::nullopt;
}

} // namespace sluice::scuttlebutt
