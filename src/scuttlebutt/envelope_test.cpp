#include "scuttlebutt/envelope.hpp"

#include "support/shared_data.hpp"

#include <simdjson.h>

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sluice::scuttlebutt {
namespace {

using namespace sluice::test;

Bytes32 key_of(unsigned char byte) {
    Bytes32 key;
    key.fill(byte);
    return key;
}

const EnvelopePlace kPlace{std::string(34, '\2'), std::string(34, '\3')};
constexpr std::string_view kText = R"({"type":"post","text":"ahoj"})";

std::vector<EnvelopeKey> recipients_of(std::size_t count) {
    std::vector<EnvelopeKey> keys;
    for (std::size_t i = 0; i < count; ++i) {
        keys.push_back({key_of(static_cast<unsigned char>(10 + i)), kGroupScheme});
    }
    return keys;
}

TEST(Envelope, OpensForEachRecipientAndNobodyElse) {
    for (std::size_t count = 1; count <= kEnvelopeSlotsMax; ++count) {
        const auto recipients = recipients_of(count);
        const std::string box = envelope_box(kText, kPlace, key_of(9), recipients).value();
        for (const EnvelopeKey& recipient : recipients) {
            const auto opened = envelope_unbox(box, kPlace, {&recipient, 1});
            ASSERT_TRUE(opened);
            EXPECT_EQ(opened->plaintext, kText);
        }
        const EnvelopeKey stranger{key_of(77), kGroupScheme};
        EXPECT_FALSE(envelope_unbox(box, kPlace, {&stranger, 1}));
        EXPECT_FALSE(envelope_unbox(box, kPlace, {}));
        const std::vector<EnvelopeKey> ring{stranger, stranger, recipients.back()};
        EXPECT_EQ(envelope_unbox(box, kPlace, ring)->key, 2u);
    }
}

TEST(Envelope, OpensAtItsPlaceAndByItsSchemeOnly) {
    const auto recipients = recipients_of(1);
    const std::string box = envelope_box(kText, kPlace, key_of(9), recipients).value();
    EnvelopePlace elsewhere = kPlace;
    elsewhere.previous.back() = '\4';
    EXPECT_FALSE(envelope_unbox(box, elsewhere, recipients));
    elsewhere = kPlace;
    elsewhere.feed.back() = '\4';
    EXPECT_FALSE(envelope_unbox(box, elsewhere, recipients));
    const EnvelopeKey other_scheme{recipients[0].key, kSelfScheme};
    EXPECT_FALSE(envelope_unbox(box, kPlace, {&other_scheme, 1}));
}

TEST(Envelope, NeedsSomethingToBoxAndOneToSixteenRecipients) {
    EXPECT_EQ(envelope_box("", kPlace, key_of(9), recipients_of(1)).error().code,
              Errc::invalid_argument);
    EXPECT_EQ(envelope_box("x", kPlace, key_of(9), {}).error().code, Errc::invalid_argument);
    EXPECT_EQ(envelope_box("x", kPlace, key_of(9), recipients_of(17)).error().code,
              Errc::invalid_argument);
}

TEST(Envelope, ChangedOrCutOffAnywhereDoesNotOpen) {
    const auto recipients = recipients_of(1);
    const std::string box = envelope_box(kText, kPlace, key_of(9), recipients).value();
    const std::string bytes = *from_base64(std::string_view(box).substr(0, box.size() - 5));
    const auto boxed = [](std::string_view some) {
        return to_base64({reinterpret_cast<const unsigned char*>(some.data()), some.size()}) +
               ".box2";
    };
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        std::string changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        EXPECT_FALSE(envelope_unbox(boxed(changed), kPlace, recipients)) << at;
        EXPECT_FALSE(
            envelope_unbox(boxed(std::string_view(bytes).substr(0, at)), kPlace, recipients))
            << at;
    }
    for (const std::string_view none : {"", ".box2", "AAAA.box2", "!!!!.box2", "AAAA.box"}) {
        EXPECT_FALSE(envelope_unbox(none, kPlace, recipients)) << none;
    }
}

TEST(Envelope, KnowsItsPlaceByIds) {
    const std::string feed = "@" + to_base64(key_of(1)) + ".ed25519";
    const std::string message = "%" + to_base64(key_of(2)) + ".sha256";
    const auto place = envelope_place(feed, message);
    ASSERT_TRUE(place);
    EXPECT_EQ(place->feed, std::string(2, '\0') + std::string(32, '\1'));
    EXPECT_EQ(place->previous, std::string("\1\0", 2) + std::string(32, '\2'));
    EXPECT_EQ(envelope_place(feed, "")->previous, std::string("\1\0", 2) + std::string(32, '\0'));
    EXPECT_FALSE(envelope_place(message, message));
    EXPECT_FALSE(envelope_place(feed, feed));
    EXPECT_FALSE(envelope_place("@AAAA.ed25519", ""));
}

TEST(DirectMessageKey, IsTheSameForBoth) {
    const BoxKeys ann = box_keys_of(key_pair_from_seed(key_of(1)));
    const BoxKeys bo = box_keys_of(key_pair_from_seed(key_of(2)));
    EXPECT_EQ(direct_message_key(ann, "ann's feed", bo.public_key, "bo's feed"),
              direct_message_key(bo, "bo's feed", ann.public_key, "ann's feed"));
    EXPECT_EQ(direct_message_key(ann, "ann's feed", Bytes32{}, "nobody's feed"), std::nullopt);
    EXPECT_NE(direct_message_key(ann, "ann's feed", bo.public_key, "bo's feed"),
              direct_message_key(ann, "ann's feed", bo.public_key, "another feed"));
}

/// The test vectors of the public packages envelope-spec and private-group-spec.
class EnvelopeVectors : public ::testing::Test {
protected:
    using Json = simdjson::dom::element;
    void SetUp() override {
        const std::string path = shared_data("data/crypto_vectors.json");
        if (path.empty()) GTEST_SKIP() << "the published vectors are not on this machine";
        vectors = parser.load(path).value();
    }
    static std::string text(Json json) { return std::string(json.get_string().value()); }
    static std::string raw(Json base64) { return from_base64(text(base64)).value(); }
    static Bytes32 key(std::string_view bytes) {
        Bytes32 key{};
        std::copy_n(bytes.end() - 32, 32, key.begin());
        return key;
    }
    static EnvelopePlace place(Json input) {
        return {raw(input["feed_id"].value()), raw(input["prev_msg_id"].value())};
    }
    /// Keeps the names of the schemes.
    std::vector<EnvelopeKey> keys(simdjson::dom::array listed) {
        std::vector<EnvelopeKey> found;
        for (const Json each : listed) {
            found.push_back({key(raw(each["key"].value())), each["scheme"].get_string().value()});
        }
        return found;
    }
    simdjson::dom::parser parser;
    Json vectors;
};

TEST_F(EnvelopeVectors, AreBoxedAndUnboxedAsPublished) {
    const Json box = vectors["envelope_spec"]["box1"].value();
    const Json input = box["input"].value();
    EXPECT_EQ(envelope_box(raw(input["plain_text"].value()), place(input),
                           key(raw(input["msg_key"].value())),
                           keys(input["recp_keys"].get_array().value()))
                  .value(),
              text(box["output"]["ciphertext"].value()) + ".box2");

    const Json unbox = vectors["envelope_spec"]["unbox1"].value();
    const Json boxed = unbox["input"].value();
    const EnvelopeKey recipient{key(raw(boxed["recipient"]["key"].value())),
                                boxed["recipient"]["scheme"].get_string().value()};
    const auto opened =
        envelope_unbox(text(boxed["ciphertext"].value()) + ".box2", place(boxed), {&recipient, 1});
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->plaintext, raw(unbox["output"]["plain_text"].value()));
}

TEST_F(EnvelopeVectors, AreOpenedInTheirMessages) {
    for (const char* const name : {"unbox1.classic", "unbox2.classic"}) {
        const Json vector = vectors["private_group_spec"][name].value();
        const Json value = vector["input"]["msgs"].at(0)["value"].value();
        const bool is_first = value["previous"].is_null(); // Of its feed.
        const auto at = envelope_place(text(value["author"].value()),
                                       is_first ? "" : text(value["previous"].value()));
        ASSERT_TRUE(at);
        const auto opened = envelope_unbox(text(value["content"].value()), *at,
                                           keys(vector["input"]["trial_keys"].get_array().value()));
        ASSERT_TRUE(opened) << name;
        const std::string expected =
            simdjson::minify(vector["output"]["msgsContent"].at(0).value());
        EXPECT_EQ(opened->plaintext, expected) << name;
    }
}

TEST_F(EnvelopeVectors, NameGroupsAsPublished) {
    const Json cloaked = vectors["envelope_spec"]["cloaked_id1"].value();
    const std::string id = raw(cloaked["input"]["public_msg_id"].value());
    EXPECT_EQ(to_base64(cloaked_message_id(key(raw(cloaked["input"]["read_key"].value())), id)),
              text(cloaked["output"]["cloaked_msg_id"].value()));
}

TEST_F(EnvelopeVectors, NameAGroupByItsFirstMessage) {
    const Json vector = vectors["private_group_spec"]["group-id1"].value();
    const Json message = vector["input"]["group_init_msg"].value();
    const auto key_in_uri = [](const std::string& uri) {
        std::string base64 = uri.substr(uri.rfind('/') + 1);
        std::replace(base64.begin(), base64.end(), '-', '+');
        std::replace(base64.begin(), base64.end(), '_', '/');
        return from_base64(base64).value();
    };
    const auto id = [&](std::string_view type, Json uri) {
        return std::string(type) + key_in_uri(text(uri));
    };
    const std::string_view feed("\0\0", 2), classic_message("\1\0", 2);
    const EnvelopePlace at{id(feed, message["value"]["author"].value()),
                           id(classic_message, message["value"]["previous"].value())};
    const EnvelopeKey group{key(raw(vector["input"]["group_key"].value())), kGroupScheme};
    const auto opened = envelope_unbox(text(message["value"]["content"].value()), at, {&group, 1});
    ASSERT_TRUE(opened);
    const Bytes32 named =
        cloaked_message_id(opened->read_key, id(classic_message, message["key"].value()));
    EXPECT_EQ(named, key(key_in_uri(text(vector["output"]["group_id"].value()))));
}

TEST_F(EnvelopeVectors, ShareKeysAsPublished) {
    const auto shared = [&](const char* name, const char* their_key, const char* their_id,
                            auto function) {
        const Json vector = vectors["private_group_spec"][name].value();
        const Json input = vector["input"].value();
        const BoxKeys mine{key(raw(input["my_dh_public"].value())),
                           key(raw(input["my_dh_secret"].value()))};
        const std::optional<Bytes32> computed =
            function(mine, raw(input["my_feed_id"].value()), key(raw(input[their_key].value())),
                     raw(input[their_id].value()));
        EXPECT_EQ(to_base64(computed.value()), text(vector["output"]["shared_key"].value()))
            << name;
    };
    shared("direct-message-key1", "your_dh_public", "your_feed_id", direct_message_key);
    shared("po-box-key1", "po_box_dh_public", "po_box_id", po_box_key);
}

} // namespace
} // namespace sluice::scuttlebutt
