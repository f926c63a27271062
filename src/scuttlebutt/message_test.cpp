#include "scuttlebutt/message.hpp"

#include "support/shared_data.hpp"

#include <sluice/scuttlebutt.hpp>

#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

namespace sluice::scuttlebutt {
namespace {

using namespace sluice::test;

// From the public package ssb-fixtures 4.0.1.
const std::string kPublished =
    R"({"key":"%QmJ67Po4+JOUpPDikboi772Aq9TjRGwTOBYgYt4dt8Q=.sha256","value":{"previous":null,"sequence":1,)"
    R"("author":"@m5ZQhNuV6nC/a30mjt3HogGLWd8YSXC3r3XELLC5PxA=.ed25519","timestamp":1438787025000,"hash":"sha256",)"
    R"("content":{"type":"post","text":"OLDESTMSG Veniam commodo velit mollit dolore Lorem sunt eu exercitation )"
    R"(tempor ipsum esse. Id eu eiusmod id sit mollit. Sunt commodo occaecat eiusmod exercitation incididunt velit )"
    R"(nostrud commodo duis.","channel":"est"},"signature":"So85n/wQRiC5yy6DZam+QSKweFAsLDu8WsQwM1EM4M3ZCmoSy5oUqoHN)"
    R"(WveEkKAiANQttqvPzET1Po75g2zoCA==.sig.ed25519"},"timestamp":1438787145000})";

// With text beyond Latin-1; id and signature checked with Node's crypto module.
const std::string kBeyondLatin1 =
    R"({"key":"%ktdKyLaLYkU1stuNI/fYQGR2xqgDkyb9jO0u6dDQKC0=.sha256","value":{"previous":)"
    R"("%eZDufdE7xk8xEqJPfi9K+hW22U6hhqBICsFQeSQwaOw=.sha256","sequence":3,)"
    R"("author":"@Mats4v1N0hWuUIYme/bSOcorXZjL6eJ1ZqOIK+gXZJ0=.ed25519","timestamp":1577838254355,"hash":"sha256",)"
    R"("content":{"type":"vote","vote":{"link":"%8qFI5fUHRfq7z0A7+7oV3BYCad7DAdkVCbwpkYKiqWs=.sha256","value":1,)"
    R"("expression":"❤️"}},"signature":"209V9VNOrA0r/os2SOXqvHiq9pJGkkz+g1EaYTfvchPBE8FpAO0/Bl3TVAKYF5zXugxaTzPw2F3)"
    R"(XjaqTlu3JDA==.sig.ed25519"},"timestamp":1577838258886})";

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(Message, OfPublishedImplementationsIsGenuine) {
    EXPECT_EQ(verify_message(kPublished), Verdict::genuine);
    EXPECT_EQ(verify_message(kBeyondLatin1), Verdict::genuine);
}

TEST(Message, IsGenuineHoweverItsJsonIsSpaced) {
    EXPECT_EQ(verify_message(replaced(kPublished, "{\"type\"", "\n{ \"\\u0074ype\"")),
              Verdict::genuine);
    EXPECT_EQ(verify_message(replaced(kPublished, "1438787025000", "1438787025000.0")),
              Verdict::genuine);
}

TEST(Message, ReceivedAtAnotherTimeIsTheSameMessage) {
    EXPECT_EQ(verify_message(replaced(kPublished, "1438787145000", "1")), Verdict::genuine);
}

TEST(Message, ChangedAnywhereHasAWrongId) {
    for (const auto& [from, to] :
         {std::pair{"OLDESTMSG", "NEWESTMSG"}, std::pair{"\"sequence\":1", "\"sequence\":2"},
          std::pair{"1438787025000", "1438787025001"}, std::pair{"null", "1"},
          std::pair{"\"So85", "\"So86"}, std::pair{"QmJ67", "QmJ68"}}) {
        EXPECT_EQ(verify_message(replaced(kPublished, from, to)), Verdict::wrong_id) << from;
    }
    // Another order of members is another message.
    const std::string type = R"("type":"vote",)";
    EXPECT_EQ(verify_message(replaced(replaced(kBeyondLatin1, type, ""), R"("❤️"}})",
                                      R"("❤️"},"type":"vote"})")),
              Verdict::wrong_id);
}

// Somebody who computes the id of a changed message still has no signature for it.
TEST(Message, SignedBySomebodyElseHasAWrongSignature) {
    const KeyPair ada = key_pair_from_seed({1}), eve = key_pair_from_seed({2});
    const MessageDraft draft{.content = R"({"type":"post","text":"hello"})", .received_ms = 5};
    const std::string genuine = sign_message(ada, draft)->json;
    ASSERT_EQ(verify_message(genuine), Verdict::genuine);

    const auto signature_of = [](const std::string& json) {
        const std::size_t at = json.find("\"signature\":\"") + 13;
        return json.substr(at, json.find('"', at) - at);
    };
    std::string forged =
        replaced(genuine, signature_of(genuine), signature_of(sign_message(eve, draft)->json));
    ASSERT_EQ(verify_message(forged), Verdict::wrong_id);

    // The id that goes with the forged value, from the text that is hashed.
    const std::string pretty =
        "{\n  \"previous\": null,\n  \"sequence\": 1,\n  \"author\": \"" + ada.id +
        "\",\n  \"timestamp\": 0,\n  \"hash\": \"sha256\",\n  \"content\": {\n    \"type\": "
        "\"post\",\n    \"text\": \"hello\"\n  },\n  \"signature\": \"" +
        signature_of(forged) + "\"\n}";
    EXPECT_EQ(verify_message(replaced(forged, forged.substr(8, 52), message_id(pretty))),
              Verdict::wrong_signature);
}

TEST(Message, ThatIsNoneIsMalformed) {
    for (const std::string& json :
         {std::string(), std::string("{}"), std::string("[]"), std::string("7"),
          std::string(R"({"key":"%a","value":1})"), std::string(R"({"key":"%a","value":{}})"),
          kPublished.substr(0, kPublished.size() - 1), replaced(kPublished, "\"key\"", "\"kex\""),
          replaced(kPublished, "\"value\"", "\"valux\""),
          replaced(kPublished, "\"author\":\"@", "\"author\":\"#"),
          replaced(kPublished, "\"author\"", "\"auther\""),
          replaced(kPublished, "=.ed25519", "=.ed25518"), replaced(kPublished, "PxA=", "Px=="),
          replaced(kPublished, "\"signature\"", "\"signatur\""),
          replaced(kPublished, ".sig.ed25519", ".sig.ed2551"),
          replaced(kPublished, "CA==.sig", "CA=.sig"), replaced(kPublished, "So85", "==85"),
          replaced(kPublished, "So85", "\\\\85")}) {
        EXPECT_EQ(verify_message(json), Verdict::malformed) << json;
    }
}

TEST(Message, IsTheSameEveryTimeItIsSigned) {
    const KeyPair ada = key_pair_from_seed({1});
    const SignedMessage message =
        sign_message(ada, {.previous = "%cGlnZ3k=.sha256",
                           .sequence = 7,
                           .claimed_ms = 1'577'836'800'000,
                           .content = R"({"type":"post","text":"ahoj \"世界\" 🌊"})",
                           .received_ms = 1'577'836'801'000})
            .value();
    // Id and signature checked with Node's crypto module.
    EXPECT_EQ(
        message.json,
        R"({"key":"%M6NpWrUFE1bdq39snIBVwRecsThjBkqlxBGwX3s4SMM=.sha256","value":{"previous":"%cGlnZ3k=.sha256","sequence":7,"author":"@zswVB9wd3XKVlRwpCIjwla25BE0bc9aW5t8GXWg71Pw=.ed25519",)"
        R"("timestamp":1577836800000,"hash":"sha256","content":{"type":"post","text":"ahoj \"世界\" 🌊"},)"
        R"("signature":"tgeFswQQqRa0ilB5L/h2UgHU2H9663ClN9hIea0S2w19Y++6YaiBp/cL7mCkjo4XC71g3b3x8s47mgi2jwegCA==.sig.ed25519"},"timestamp":1577836801000})");
    EXPECT_EQ(verify_message(message.json), Verdict::genuine);
}

TEST(Message, IsNotSignedWhenItsContentIsNoJson) {
    const auto message = sign_message(key_pair_from_seed({1}), {.content = "hello"});
    ASSERT_FALSE(message);
    EXPECT_EQ(message.error().code, Errc::invalid_argument);
}

TEST(Message, IsGenuineTwentyThousandTimes) {
    const std::string path = shared_data("data/scuttlebutt-20k/log.offset");
    if (path.empty()) GTEST_SKIP() << "data/scuttlebutt-20k/log.offset is not on this machine";
    std::ifstream file(path, std::ios::binary);
    const std::string log{std::istreambuf_iterator<char>(file), {}};
    std::size_t genuine = 0;
    for (std::size_t at = 0; at < log.size();) {
        std::size_t size = 0;
        for (std::size_t i = 0; i < 4; ++i)
            size = size << 8 | static_cast<unsigned char>(log[at + i]);
        if (verify_message(std::string_view(log).substr(at + 4, size)) == Verdict::genuine)
            ++genuine;
        at += size + 12; // Length, body, length, end: the import layer has the reader proper.
    }
    EXPECT_EQ(genuine, 20'000);
}

} // namespace
} // namespace sluice::scuttlebutt
