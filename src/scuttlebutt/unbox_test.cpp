#include "scuttlebutt/unbox.hpp"

#include "base/json.hpp"
#include "scuttlebutt/context_test_support.hpp"
#include "scuttlebutt/private_box.hpp"
#include "scuttlebutt/read_keys.hpp"
#include "scuttlebutt/secret_file.hpp"
#include "support/shared_data.hpp"

#include <sluice/scuttlebutt.hpp>

#include <simdjson.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sluice::scuttlebutt {
namespace {

using namespace sluice::test;
using test::World;

Bytes32 bytes_of(unsigned char byte) {
    Bytes32 bytes;
    bytes.fill(byte);
    return bytes;
}
KeyPair pair_of(unsigned char byte) {
    return key_pair_from_seed(bytes_of(byte));
}
PreparedFact fact_of(unsigned char byte) {
    return identity_fact(pair_of(byte));
}

constexpr std::string_view kContent = R"({"type":"post","text":"ahoj \ud83c, 1.50"})";

std::string boxed_for(std::initializer_list<unsigned char> feeds,
                      std::string_view content = kContent) {
    std::vector<Bytes32> recipients;
    for (const unsigned char feed : feeds)
        recipients.push_back(box_keys_of(pair_of(feed)).public_key);
    PrivateBoxEntropy entropy{};
    entropy.ephemeral_secret_key.fill(7);
    entropy.body_key.fill(8);
    return private_box(content, recipients, entropy).value();
}

const std::string kPrevious = "%" + to_base64(bytes_of(5)) + ".sha256";

std::string message_of(unsigned char author, std::string_view content_json,
                       const std::string& previous = "\"" + kPrevious + "\"") {
    return R"({"key":"%k","value":{"previous":)" + previous + R"(,"author":")" +
           pair_of(author).id + R"(","sequence":2,"content":)" + std::string(content_json) +
           R"(,"signature":"s"},"timestamp":1.50})";
}
std::string in_quotes(std::string_view text) {
    return "\"" + std::string(text) + "\"";
}
std::string opened_of(const std::string& message, const std::string& boxed, const char* format,
                      std::string_view content = kContent) {
    std::string text = message;
    text.replace(text.find(in_quotes(boxed)), boxed.size() + 2, content);
    text.pop_back();
    return text + R"(,"meta":{"private":true,"originalContent":")" + boxed +
           R"(","encryptionFormat":")" + format + "\"}}";
}

Transforms unbox_alone() {
    Transforms all;
    all.add(unbox_transform());
    return all;
}

std::string boxed2_by(unsigned char author, const EnvelopeKey& recipient,
                      std::string_view previous = kPrevious) {
    const auto place = envelope_place(pair_of(author).id, previous);
    return envelope_box(kContent, *place, bytes_of(9), {&recipient, 1}).value();
}

TEST(Unbox, ReadsAPrivateMessageAsIfItHadBeenSentOpen) {
    const std::string boxed = boxed_for({1, 2});
    const std::string message = message_of(3, in_quotes(boxed));
    World world;
    world.append(message);
    EXPECT_EQ(world.derive(unbox_alone())[0], message);
    world.put(fact_of(1).fact());
    EXPECT_EQ(world.derive(unbox_alone())[0], opened_of(message, boxed, "box"));
}

TEST(Unbox, DoesNotShowWhichKeyOpened) {
    const std::string boxed = boxed_for({1, 2, 4});
    std::set<std::string> seen;
    for (const std::vector<unsigned char>& keys :
         {std::vector<unsigned char>{1}, {2}, {4}, {4, 1}, {1, 2, 4, 6}}) {
        World world;
        world.append(message_of(3, in_quotes(boxed)));
        for (const unsigned char key : keys) world.put(fact_of(key).fact());
        seen.insert(*world.derive(unbox_alone())[0]);
    }
    EXPECT_EQ(seen.size(), 1u);
}

TEST(Unbox, ClosesAgainWhenTheKeyGoes) {
    const std::string message = message_of(3, in_quotes(boxed_for({1})));
    World world;
    world.append(message);
    world.put(fact_of(1).fact());
    EXPECT_NE(world.derive(unbox_alone())[0], message);
    world.drop(fact_of(1).name);
    EXPECT_EQ(world.derive(unbox_alone())[0], message);
}

TEST(Unbox, OpensEnvelopesOfGroupsFeedsAndOneself) {
    const KeyPair ann = pair_of(1), bo = pair_of(2);
    const auto feed = [](const KeyPair& pair) { return envelope_place(pair.id, "")->feed; };
    const auto shared =
        direct_message_key(box_keys_of(bo), feed(bo), box_keys_of(ann).public_key, feed(ann));
    struct Case {
        EnvelopeKey recipient;
        PreparedFact key;
    };
    for (const auto& [recipient, key] :
         {Case{{bytes_of(20), kGroupScheme}, group_fact({bytes_of(20), ""})},
          Case{{bytes_of(21), kSelfScheme}, own_fact(bytes_of(21))},
          Case{{*shared, kDirectMessageScheme}, identity_fact(ann)}}) {
        const std::string boxed = boxed2_by(2, recipient);
        const std::string message = message_of(2, in_quotes(boxed));
        World world;
        world.append(message);
        world.put(group_fact({bytes_of(30), ""}).fact());
        world.put(own_fact(bytes_of(31)).fact());
        world.put(fact_of(32).fact());
        EXPECT_EQ(world.derive(unbox_alone())[0], message) << "by a stranger";
        world.put(key.fact());
        EXPECT_EQ(world.derive(unbox_alone())[0], opened_of(message, boxed, "box2"))
            << key.name.key.to_json();
        // At another place it is no message of this feed.
        World elsewhere;
        const std::string moved = message_of(3, in_quotes(boxed));
        elsewhere.append(moved);
        elsewhere.put(key.fact());
        EXPECT_EQ(elsewhere.derive(unbox_alone())[0], moved);
    }
}

TEST(Unbox, OpensTheFirstEnvelopeOfAFeed) {
    const std::string boxed = boxed2_by(2, {bytes_of(20), kGroupScheme}, "");
    const std::string message = message_of(2, in_quotes(boxed), "null");
    World world;
    world.append(message);
    world.put(group_fact({bytes_of(20), ""}).fact());
    EXPECT_EQ(world.derive(unbox_alone())[0], opened_of(message, boxed, "box2"));
}

// Otherwise a plaintext could say what stands beside the content, or make the message no message.
TEST(Unbox, LeavesBoxedWhatIsNoContent) {
    std::string deep(126, '[');
    deep += std::string(126, ']');
    for (const std::string& plaintext :
         {std::string(" "), std::string("hello"), std::string("{"),
          std::string(R"(1,"author":"x")"), std::string("1],[2"), std::string("1]],[[2"),
          std::string("1,2"), std::string("\xFF"), "[" + deep + "]"}) {
        const std::string message = message_of(3, in_quotes(boxed_for({1}, plaintext)));
        World world;
        world.append(message);
        world.put(fact_of(1).fact());
        EXPECT_EQ(world.derive(unbox_alone())[0], message) << plaintext;
    }
    for (const std::string& plaintext : {std::string("null"), std::string("[1]"), deep}) {
        World world;
        world.append(message_of(3, in_quotes(boxed_for({1}, plaintext))));
        world.put(fact_of(1).fact());
        const auto body = world.derive(unbox_alone())[0];
        JsonParser parser;
        EXPECT_NE(parser.parse(*body), nullptr);
        EXPECT_NE(body->find(R"("content":)" + plaintext), std::string::npos);
    }
}

TEST(Unbox, AsksForKeysOnlyWhereTheyCouldOpen) {
    World world;
    for (unsigned char key = 40; key < 50; ++key) world.put(fact_of(key).fact());
    for (const std::string& message :
         {std::string("no JSON"), std::string("{}"), std::string(R"({"value":1})"),
          message_of(3, R"({"type":"post","text":"a.box"})"), message_of(3, "\"x\""),
          message_of(3, "\".box\""), message_of(3, "\"AAAA.box\""), message_of(3, "\".box2\""),
          message_of(3, in_quotes(boxed2_by(3, {bytes_of(20), kGroupScheme})), "1"),
          message_of(3, in_quotes(boxed2_by(3, {bytes_of(20), kGroupScheme})), "\"%x\"")}) {
        world.append(message);
    }
    const auto bodies = world.derive(unbox_alone());
    EXPECT_EQ(world.reads, 0u);
    EXPECT_NE(bodies[0], std::nullopt);

    world.append(message_of(3, in_quotes(boxed_for({1}))));
    static_cast<void>(world.derive(unbox_alone()));
    EXPECT_EQ(world.tries, 10u);
}

TEST(Unbox, PassesOverFactsThatAreNoKeys) {
    const std::string boxed = boxed_for({1});
    const std::string message = message_of(3, in_quotes(boxed));
    World world;
    world.append(message);
    world.put({{"scuttlebutt.keys", Key{"identity", "a"}}, "junk", true});
    world.put(
        {{"scuttlebutt.keys", Key{"identity", "b"}}, group_fact({bytes_of(1), ""}).value, true});
    EXPECT_EQ(world.derive(unbox_alone())[0], message);
    world.put(fact_of(1).fact());
    EXPECT_EQ(world.derive(unbox_alone())[0], opened_of(message, boxed, "box"));
}

// What a key is for is part of its value, whatever its fact is called.
TEST(Unbox, TriesAKeyForWhatItIsOnly) {
    const std::string message =
        message_of(2, in_quotes(boxed2_by(2, {bytes_of(20), kGroupScheme})));
    World world;
    world.append(message);
    world.put({{"scuttlebutt.keys", Key{"group", "x"}}, own_fact(bytes_of(20)).value, true});
    world.put(own_fact(bytes_of(20)).fact());
    EXPECT_EQ(world.derive(unbox_alone())[0], message);
}

TEST(Unbox, ReplacesAMetaThatWasThere) {
    const std::string boxed = boxed_for({1});
    std::string message = message_of(3, in_quotes(boxed));
    message.insert(1, R"("meta":{"private":false},)");
    World world;
    world.append(message);
    world.put(fact_of(1).fact());
    const auto body = world.derive(unbox_alone())[0];
    JsonParser parser;
    EXPECT_EQ(parser.parse(*body)->at("/meta/private")->as_bool(), true);
}

TEST(UnboxVectors, OfPublishedGroupsAreOpened) {
    const std::string path = shared_data("data/crypto_vectors.json");
    if (path.empty()) GTEST_SKIP() << "the published vectors are not on this machine";
    simdjson::dom::parser parser;
    const simdjson::dom::element vectors = parser.load(path).value();
    for (const char* const name : {"unbox1.classic", "unbox2.classic"}) {
        const simdjson::dom::element vector = vectors["private_group_spec"][name].value();
        World world;
        const simdjson::dom::array key_list = vector["input"]["trial_keys"].get_array().value();
        for (const simdjson::dom::element key : key_list) {
            const std::string text(key["key"].get_string().value());
            world.put(group_fact(parse_group_key(text).value()).fact());
        }
        world.append(simdjson::minify(vector["input"]["msgs"].at(0).value()));
        const std::string body = *world.derive(unbox_alone())[0];
        EXPECT_NE(body.find(R"("content":)" +
                            simdjson::minify(vector["output"]["msgsContent"].at(0).value())),
                  std::string::npos)
            << name;
    }
}

TEST(UnboxVectors, OfPublishedPrivateBoxesAreOpened) {
    const std::string path = shared_data("data/crypto_vectors.json");
    if (path.empty()) GTEST_SKIP() << "the published vectors are not on this machine";
    simdjson::dom::parser parser;
    const simdjson::dom::element vectors = parser.load(path).value();
    const simdjson::dom::array vector_list = vectors["private_box"].get_array().value();
    for (const simdjson::dom::element vector : vector_list) {
        const std::string boxed(vector["ciphertext"].get_string().value());
        const std::string_view plaintext = vector["plaintext_json"].get_string().value();
        const simdjson::dom::array recipient_list = vector["recipients"].get_array().value();
        for (const simdjson::dom::element recipient : recipient_list) {
            const std::string hex(recipient["seed_hex"].get_string().value());
            const Bytes32 seed = parse_group_key(hex).value().key;
            World world;
            const std::string message = message_of(3, in_quotes(boxed));
            world.append(message);
            world.put(identity_fact(key_pair_from_seed(seed)).fact());
            EXPECT_EQ(world.derive(unbox_alone())[0], opened_of(message, boxed, "box", plaintext));
        }
    }
}

/// The bodies of the shared log, read by its frames: size (4, big-endian), body, size, place.
std::vector<std::string> bodies_of_shared_log(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string log(std::istreambuf_iterator<char>(file), {});
    std::vector<std::string> bodies;
    for (std::size_t at = 0; at + 12 <= log.size();) {
        std::size_t size = 0;
        for (std::size_t i = 0; i < 4; ++i)
            size = size << 8 | static_cast<unsigned char>(log[at + i]);
        bodies.push_back(log.substr(at + 4, size));
        at += size + 12;
    }
    return bodies;
}

TEST(UnboxSharedLog, OpensWhatAnIndependentCountSays) {
    const std::string path = shared_data("data/scuttlebutt-20k/log.offset");
    if (path.empty()) GTEST_SKIP() << "the shared log is not on this machine";
    const auto read = [](const std::string& name) {
        std::ifstream file(shared_data("data/scuttlebutt-20k/" + name));
        return parse_secret_file(std::string(std::istreambuf_iterator<char>(file), {})).value();
    };
    const std::vector<std::string> bodies = bodies_of_shared_log(path);
    ASSERT_EQ(bodies.size(), 20'000u);
    const auto opened_by = [&bodies](const KeyPair& pair) {
        World world;
        world.put(identity_fact(pair).fact());
        for (const std::string& body : bodies) world.append(body);
        const auto start = std::chrono::steady_clock::now();
        const auto derived = world.derive(unbox_alone());
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        RecordProperty("messages_per_s", static_cast<int>(20'000 / took.count()));
        std::vector<std::size_t> opened;
        for (std::size_t i = 0; i < bodies.size(); ++i) {
            if (derived[i] != bodies[i]) opened.push_back(i);
        }
        EXPECT_EQ(world.tries, 2'489u);
        return opened;
    };
    EXPECT_EQ(opened_by(read("secret").at(0)).size(), 492u); // facts.json: decryptableByMain.

    // Of others no count is published: a plain loop over the boxes makes one.
    const auto others = read("secrets.jsonl");
    for (const std::size_t which : {std::size_t{0}, std::size_t{100}, others.size() - 1}) {
        const KeyPair& pair = others[which];
        std::vector<std::size_t> expected;
        for (std::size_t i = 0; i < bodies.size(); ++i) {
            const std::size_t end = bodies[i].find(".box\"");
            if (end == std::string::npos) continue;
            const std::size_t begin = bodies[i].rfind('"', end) + 1;
            if (private_unbox(bodies[i].substr(begin, end + 4 - begin),
                              box_keys_of(pair).secret_key)) {
                expected.push_back(i);
            }
        }
        EXPECT_FALSE(expected.empty());
        EXPECT_EQ(opened_by(pair), expected);
    }
}

} // namespace
} // namespace sluice::scuttlebutt
