#include "scuttlebutt/private_box.hpp"

#include "support/shared_data.hpp"

#include <simdjson.h>
#include <sodium.h>

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sluice::scuttlebutt {
namespace {

using namespace sluice::test;

Bytes32 seed_of(unsigned char byte) {
    Bytes32 seed;
    seed.fill(byte);
    return seed;
}
BoxKeys keys_of(unsigned char byte) {
    return box_keys_of(key_pair_from_seed(seed_of(byte)));
}

PrivateBoxEntropy entropy_of(unsigned char byte) {
    PrivateBoxEntropy entropy{};
    entropy.nonce.fill(byte);
    entropy.ephemeral_secret_key.fill(static_cast<unsigned char>(byte + 1));
    entropy.body_key.fill(static_cast<unsigned char>(byte + 2));
    return entropy;
}

std::vector<Bytes32> recipients_of(std::size_t count) {
    std::vector<Bytes32> recipients;
    for (std::size_t i = 0; i < count; ++i)
        recipients.push_back(keys_of(static_cast<unsigned char>(i + 1)).public_key);
    return recipients;
}

// Made by the public package private-box 0.3.1, through ssb-keys.
constexpr std::string_view kPublished =
    "Aw83MdcMjcIXG59hTnIzWm2iClFd1Z4zwBl+KqpuPMSFk3sqGNkPU5uMTZn+"
    "9WC0WQcWs3ugZj3QKGOqz4NVcXRkaQARzSV8i+gIKZ28F+dt"
    "JHd1Ib4pL2fNGEEmDv3J+xhlOS4cJyho6/"
    "RnkAVwz+xFKDwhI0Rp97It0W30IW76Smr2FAzmbM6GZX05Ua7DHf7vhJyz7w==.box";

TEST(PrivateBox, OfPublishedImplementationsOpensForItsRecipientOnly) {
    EXPECT_EQ(private_unbox(kPublished, keys_of(1).secret_key),
              R"({"type":"post","text":"hello"})");
    EXPECT_EQ(private_unbox(kPublished, keys_of(99).secret_key), std::nullopt);
}

TEST(PrivateBox, OpensForEachRecipientAndNobodyElse) {
    const std::string text = R"({"type":"post","text":"ahoj 🌊"})";
    for (std::size_t count = 1; count <= kPrivateBoxRecipientsMax; ++count) {
        const std::string box = private_box(text, recipients_of(count), entropy_of(7)).value();
        for (std::size_t i = 1; i <= kPrivateBoxRecipientsMax; ++i) {
            const auto opened =
                private_unbox(box, keys_of(static_cast<unsigned char>(i)).secret_key);
            EXPECT_EQ(opened, i <= count ? std::optional(text) : std::nullopt) << count << " " << i;
        }
        // 24 + 32 + 49 for each + 16 for the body, in base64, and ".box".
        EXPECT_EQ(box.size(), (72 + 49 * count + text.size() + 2) / 3 * 4 + 4);
    }
}

TEST(PrivateBox, IsTheSameForTheSameEntropyOnly) {
    const std::string box = private_box("x", recipients_of(2), entropy_of(7)).value();
    EXPECT_EQ(box, private_box("x", recipients_of(2), entropy_of(7)).value());
    EXPECT_NE(box, private_box("x", recipients_of(2), entropy_of(8)).value());
}

TEST(PrivateBox, NeedsOneToSevenRecipientsWithRealKeys) {
    EXPECT_EQ(private_box("x", {}, entropy_of(7)).error().code, Errc::invalid_argument);
    EXPECT_EQ(private_box("x", recipients_of(8), entropy_of(7)).error().code,
              Errc::invalid_argument);
    const Bytes32 nobody{}; // A point of small order: every secret would be shared with everybody.
    EXPECT_EQ(private_box("x", {&nobody, 1}, entropy_of(7)).error().code, Errc::invalid_argument);
}

TEST(PrivateBox, MayHoldNothing) {
    const std::string box = private_box("", recipients_of(1), entropy_of(7)).value();
    EXPECT_EQ(private_unbox(box, keys_of(1).secret_key), "");
}

TEST(PrivateBox, ChangedAnywhereDoesNotOpen) {
    const std::string box = private_box("hello", recipients_of(1), entropy_of(7)).value();
    const std::string bytes = *from_base64(std::string_view(box).substr(0, box.size() - 4));
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        std::string changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^
                                        1); // Not the uppermost bit, which no curve25519 key needs.
        const auto* const raw = reinterpret_cast<const unsigned char*>(changed.data());
        EXPECT_EQ(private_unbox(to_base64({raw, changed.size()}) + ".box", keys_of(1).secret_key),
                  std::nullopt)
            << at;
    }
}

TEST(PrivateBox, CutOffAnywhereDoesNotOpen) {
    const std::string box = private_box("hello", recipients_of(2), entropy_of(7)).value();
    const std::string bytes = *from_base64(std::string_view(box).substr(0, box.size() - 4));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto* const raw = reinterpret_cast<const unsigned char*>(bytes.data());
        EXPECT_EQ(private_unbox(to_base64({raw, size}) + ".box", keys_of(2).secret_key),
                  std::nullopt)
            << size;
    }
    EXPECT_EQ(private_unbox(box.substr(0, box.size() - 4) + ".bix", keys_of(2).secret_key),
              std::nullopt);
    for (const std::string_view none :
         {"", ".box", "box", "AAAA", "AAAA.box", "AAA.box", "!!!!.box"}) {
        EXPECT_EQ(private_unbox(none, keys_of(2).secret_key), std::nullopt) << none;
    }
}

/// A box for recipient 1 that says it has `count`.
std::string box_with_count(unsigned char count) {
    const PrivateBoxEntropy entropy = entropy_of(7);
    Bytes32 shared;
    EXPECT_EQ(crypto_scalarmult(shared.data(), entropy.ephemeral_secret_key.data(),
                                keys_of(1).public_key.data()),
              0);
    std::array<unsigned char, 33> slot{count};
    std::copy(entropy.body_key.begin(), entropy.body_key.end(), slot.begin() + 1);
    std::vector<unsigned char> box(24 + 32 + 49 + 16 + 5);
    std::copy(entropy.nonce.begin(), entropy.nonce.end(), box.begin());
    crypto_scalarmult_base(&box[24], entropy.ephemeral_secret_key.data());
    crypto_secretbox_easy(&box[56], slot.data(), slot.size(), entropy.nonce.data(), shared.data());
    crypto_secretbox_easy(&box[105], reinterpret_cast<const unsigned char*>("hello"), 5,
                          entropy.nonce.data(), entropy.body_key.data());
    return to_base64(box) + ".box";
}

// Whoever makes a box may write any count into it.
TEST(PrivateBox, WithAFalseCountDoesNotOpen) {
    for (const int count : {0, 1, 2, 200, 255}) {
        EXPECT_EQ(
            private_unbox(box_with_count(static_cast<unsigned char>(count)), keys_of(1).secret_key),
            count == 1 ? std::optional(std::string("hello")) : std::nullopt);
    }
}

TEST(PrivateBox, PassesThePublishedVectors) {
    const std::string path = shared_data("data/crypto_vectors.json");
    if (path.empty()) GTEST_SKIP() << "data/crypto_vectors.json is not on this machine";
    simdjson::dom::parser parser;
    const simdjson::dom::element vectors = parser.load(path);
    std::size_t opened = 0;
    for (const simdjson::dom::element vector : vectors["private_box"]) {
        const std::string_view box = vector["ciphertext"], plaintext = vector["plaintext_json"];
        for (const simdjson::dom::element recipient : vector["recipients"]) {
            const std::string_view seed_hex = recipient["seed_hex"], id = recipient["id"];
            // Every seed of the vectors is one byte repeated.
            const auto seed = seed_of(static_cast<unsigned char>(
                std::stoi(std::string(seed_hex.substr(0, 2)), nullptr, 16)));
            const KeyPair pair = key_pair_from_seed(seed);
            EXPECT_EQ(pair.id, id);
            const std::string_view secret = recipient["curve25519_secret_b64"];
            EXPECT_EQ(to_base64(box_keys_of(pair).secret_key), secret);
            EXPECT_EQ(private_unbox(box, box_keys_of(pair).secret_key), plaintext);
            ++opened;
        }
        EXPECT_EQ(private_unbox(box, keys_of(0x63).secret_key), std::nullopt);
    }
    EXPECT_EQ(opened, 10);
}

} // namespace
} // namespace sluice::scuttlebutt
