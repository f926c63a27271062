#include "scuttlebutt/secret_file.hpp"

#include "support/shared_data.hpp"

#include <sluice/scuttlebutt.hpp>

#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

namespace sluice::scuttlebutt {
namespace {

using namespace sluice::test;

KeyPair pair_of(unsigned char byte) {
    Bytes32 seed;
    seed.fill(byte);
    return key_pair_from_seed(seed);
}

std::string json_of(const KeyPair& pair, std::string_view between = "") {
    std::string json = R"({"curve":"ed25519",)";
    json.append(between).append(R"("public":")").append(pair.id.substr(1)).append(R"(",)");
    json.append(between).append(R"("private":")").append(to_base64(pair.secret_key));
    return json.append(R"(.ed25519","id":")").append(pair.id).append("\"}");
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(SecretFile, IsReadAsPublishedProgramsWriteIt) {
    const std::string file =
        "# WARNING: Never show this to anyone.\n#\n\n" + json_of(pair_of(1), "\n  ") +
        "\n# The only part of this file that's safe to share:\n#   " + pair_of(1).id + "\n";
    const auto pairs = parse_secret_file(file).value();
    ASSERT_EQ(pairs.size(), 1u);
    EXPECT_EQ(pairs[0].id, pair_of(1).id);
    EXPECT_EQ(pairs[0].secret_key, pair_of(1).secret_key);
}

TEST(SecretFile, MayHaveOneKeyALine) {
    const auto pairs = parse_secret_file(json_of(pair_of(1)) + "\r\n" + json_of(pair_of(2)) +
                                         " # Bo\n" + json_of(pair_of(3)))
                           .value();
    ASSERT_EQ(pairs.size(), 3u);
    EXPECT_EQ(pairs[2].id, pair_of(3).id);
}

TEST(SecretFile, ThatIsWrongSaysWhereAndNeverTheKey) {
    const std::string good = json_of(pair_of(1));
    const std::string secret = to_base64(pair_of(1).secret_key);
    const std::string half = secret.substr(0, 20);
    for (const auto& [text, says] : {
             std::pair{std::string(), "there is none"},
             std::pair{std::string("# nothing\n"), "there is none"},
             std::pair{std::string("[]"), "no JSON object"},
             std::pair{secret, "neither one JSON object"},
             std::pair{replaced(good, "ed25519", "k256"), "curve is not ed25519"},
             std::pair{replaced(good, "\"private\"", "\"p\""), "no string \"private\""},
             std::pair{replaced(good, "\"public\"", "\"p\""), "no string \"public\""},
             std::pair{replaced(good, half, half.substr(4)), "\"private\" has 61 bytes, not 64"},
             std::pair{replaced(good, half, "!!!!"), "\"private\" is not base64"},
             std::pair{replaced(good, half.substr(0, 4), "AAAA"), "halves of \"private\""},
             std::pair{replaced(good, pair_of(1).id.substr(1), pair_of(2).id.substr(1)),
                       "\"public\" does not fit"},
             std::pair{replaced(good, pair_of(1).id, pair_of(2).id), "\"id\" does not fit"},
             std::pair{replaced(good, secret + ".ed25519", secret), "does not end in .ed25519"},
             std::pair{good + "\n" + replaced(good, half, "!!!!"), "(key 2 of the file)"},
         }) {
        const auto pairs = parse_secret_file(text);
        ASSERT_FALSE(pairs) << says;
        EXPECT_EQ(pairs.error().code, Errc::invalid_argument);
        EXPECT_NE(pairs.error().context.find(says), std::string::npos) << pairs.error().context;
        EXPECT_EQ(pairs.error().context.find(half.substr(4, 8)), std::string::npos);
    }
}

TEST(SecretFile, OfTheSharedLogIsRead) {
    const std::string one = shared_data("data/scuttlebutt-20k/secret");
    const std::string many = shared_data("data/scuttlebutt-20k/secrets.jsonl");
    if (one.empty() || many.empty()) GTEST_SKIP() << "the shared log is not on this machine";
    const auto read = [](const std::string& path) {
        std::ifstream file(path);
        return std::string(std::istreambuf_iterator<char>(file), {});
    };
    EXPECT_EQ(parse_secret_file(read(one)).value().at(0).id,
              "@m5ZQhNuV6nC/a30mjt3HogGLWd8YSXC3r3XELLC5PxA=.ed25519");
    EXPECT_EQ(parse_secret_file(read(many)).value().size(), 299u);
}

TEST(GroupKey, IsReadFromBase64HexadecimalAndJson) {
    const Bytes32 key = pair_of(1).public_key;
    const std::string base64 = to_base64(key);
    const std::string hex = "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c";
    for (const std::string& text :
         {base64, " " + base64 + "\n", hex, R"({"key":")" + base64 + "\"}",
          R"({"groupKey":")" + hex + "\"}"}) {
        const auto group = parse_group_key(text);
        ASSERT_TRUE(group) << group.error().context;
        EXPECT_EQ(group->key, key);
        EXPECT_EQ(group->group, "");
    }
    const auto named = parse_group_key(R"({"key":")" + base64 + R"(","groupId":"%g.cloaked"})");
    EXPECT_EQ(named.value().group, "%g.cloaked");
}

TEST(GroupKey, ThatIsNoneSaysWhy) {
    const std::string base64 = to_base64(pair_of(1).public_key);
    for (const auto& [text, says] : {
             std::pair{std::string(), "has 0 bytes"},
             std::pair{std::string("AAAA"), "has 3 bytes"},
             std::pair{std::string(64, 'x'), "neither base64 nor hexadecimal"},
             std::pair{std::string("{"), "not JSON"},
             std::pair{std::string("{}"), "no string \"groupKey\""},
             std::pair{R"({"key":")" + base64 + R"(","id":1})", "no string \"id\""},
             std::pair{R"({"key":")" + base64 + R"(","id":")" + std::string(201, 'x') + "\"}",
                       "over 200 bytes"},
         }) {
        const auto group = parse_group_key(text);
        ASSERT_FALSE(group) << says;
        EXPECT_NE(group.error().context.find(says), std::string::npos) << group.error().context;
    }
}

} // namespace
} // namespace sluice::scuttlebutt
