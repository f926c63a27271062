#include "scuttlebutt/blobs.hpp"

#include "base/json.hpp"
#include "scuttlebutt/context_test_support.hpp"
#include "support/shared_data.hpp"

#include <sluice/scuttlebutt.hpp>

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

std::string id_of(std::string_view bytes) {
    return BlobId::of(bytes).text();
}
std::string message_of(const std::string& content) {
    return R"({"key":"%k","value":{"author":"@ann","content":)" + content + R"(},"timestamp":1})";
}
std::vector<std::string> named_by(const std::string& content,
                                  std::size_t count_max = static_cast<std::size_t>(-1)) {
    const std::string body = message_of(content);
    JsonParser parser;
    return blobs_named_by({Seq{1}, {}, body, parser.parse(body)}, count_max);
}
std::string with_blobs(std::string message, const std::string& blobs) {
    message.pop_back();
    return message + R"(,"blobs":)" + blobs + "}";
}
Transforms blobs_alone() {
    Transforms all;
    all.add(blobs_transform());
    return all;
}

TEST(Blobs, ShowWhetherTheyArePresentAndWhatTheyAre) {
    const std::string text = "ahoj \xF0\x9F\x8C\x8A";
    const std::string message = message_of(R"({"mentions":[{"link":")" + id_of(text) + "\"}]}");
    World world;
    world.append(message);
    EXPECT_EQ(world.derive(blobs_alone())[0],
              with_blobs(message, "{\"" + id_of(text) + R"(":{"present":false}})"));
    const PreparedFact fact = blob_fact(BlobId::of(text), text);
    world.put(fact.fact());
    EXPECT_EQ(world.derive(blobs_alone())[0],
              with_blobs(message, "{\"" + id_of(text) +
                                      R"(":{"present":true,"size":9,"type":"text/plain","text":")" +
                                      text + "\"}}"));
    world.drop(fact.name);
    EXPECT_EQ(world.derive(blobs_alone())[0],
              with_blobs(message, "{\"" + id_of(text) + R"(":{"present":false}})"));
}

TEST(Blobs, AreFoundWhereverTheContentNamesThem) {
    const std::string a = id_of("a"), b = id_of("b"), c = id_of("c"), d = id_of("d");
    EXPECT_EQ(named_by(R"({"image":")" + b + R"(","blob":{"link":")" + a +
                       R"(?unbox=x"},"text":"see ![](&amp; )" + c + "&" + a + R"() \u0026)" +
                       d.substr(1) + R"(","x":[[{")" + b + R"(":1}]]})"),
              (std::vector{b, a, c, d}));
    EXPECT_EQ(named_by("\"" + a + "\""), std::vector{a});
    EXPECT_EQ(named_by(R"({"a":")" + a + R"(","b":")" + b + "\"}", 1), std::vector{a});
    for (const std::string& none :
         {std::string("{}"), std::string("null"), std::string("\"&\""), "\"%" + a.substr(1) + "\"",
          "\"" + a.substr(0, 51) + "\"", "\"&!" + a.substr(2) + "\""}) {
        EXPECT_TRUE(named_by(none).empty()) << none;
    }
}

TEST(Blobs, LeaveMessagesThatNameNoneAlone) {
    World world;
    for (const std::string& body : {message_of("{}"), std::string("no JSON"), std::string("[]")}) {
        world.append(body);
    }
    const auto bodies = world.derive(blobs_alone());
    EXPECT_EQ(bodies[0], message_of("{}"));
    EXPECT_EQ(bodies[1], "no JSON");
    EXPECT_EQ(world.reads, 0u);
}

TEST(Blobs, ShowSixtyFourAndNoMore) {
    std::string content = "[";
    for (int i = 0; i < 100; ++i) {
        content.append(i == 0 ? "\"" : ",\"").append(id_of(std::to_string(i))).append("\"");
    }
    content += "]";
    World world;
    world.append(message_of(content));
    const std::string body = *world.derive(blobs_alone())[0];
    EXPECT_EQ(world.reads, kBlobsShownMax);
    EXPECT_EQ(named_by(content).size(), 100u); // What is garbage is another question.
    JsonParser parser;
    EXPECT_EQ(parser.parse(body)->find("blobs")->members().size(), kBlobsShownMax);
}

TEST(Blobs, OfFactsThatAreNotWhatTheyShouldBeAreJustPresent) {
    const std::string id = id_of("x");
    const std::string message = message_of("\"" + id + "\"");
    for (const std::string& value :
         {std::string(), std::string("yes"), std::string("[1]"), std::string(R"({"size":"1"})"),
          std::string(R"({"size":1.5,"type":2,"text":{}})"),
          R"({"text":")" + std::string(kBlobTextSizeBytesMax + 1, 'x') + "\"}"}) {
        World world;
        world.append(message);
        world.put({{std::string(kBlobsCollection), Key{id}}, value});
        EXPECT_EQ(world.derive(blobs_alone())[0],
                  with_blobs(message, "{\"" + id + R"(":{"present":true}})"));
    }
}

TEST(Blobs, OfAnEditedMessageAreThoseOfTheEdit) {
    const std::string old_blob = id_of("old"), new_blob = id_of("new");
    const std::string a = "%" + old_blob.substr(1), b = "%" + new_blob.substr(1);
    World world;
    world.append(R"({"key":")" + a + R"(","value":{"author":"@ann","sequence":1,"content":)" +
                 R"({"image":")" + old_blob + "\"}}}");
    world.append(R"({"key":")" + b + R"(","value":{"author":"@ann","sequence":2,"content":)" +
                 R"({"type":"edit","original":")" + a + R"(","image":")" + new_blob + "\"}}}");
    const std::string body = *world.derive(transforms())[0];
    JsonParser parser;
    const Value* const blobs = parser.parse(body)->find("blobs");
    ASSERT_EQ(blobs->members().size(), 1u);
    EXPECT_EQ(blobs->members()[0].name, new_blob);
}

TEST(BlobFact, SaysWhatTheBytesAre) {
    using namespace std::string_view_literals;
    for (const auto& [bytes, type] : {
             std::pair{""sv, "text/plain"sv},
             std::pair{"one\r\n\ttwo"sv, "text/plain"sv},
             std::pair{"\xC3\xA9"sv, "text/plain"sv},
             std::pair{"\xC3"sv, "application/octet-stream"sv},
             std::pair{"a\0b"sv, "application/octet-stream"sv},
             std::pair{"\x89PNG\r\n\x1a\n..."sv, "image/png"sv},
             std::pair{"\xFF\xD8\xFF\xE0"sv, "image/jpeg"sv},
             std::pair{"GIF89a"sv, "image/gif"sv},
             std::pair{"RIFF1234WEBPVP8 "sv, "image/webp"sv},
             std::pair{"%PDF-1.7"sv, "application/pdf"sv},
             std::pair{"\0\0\0\x20"
                       "ftypisom"sv,
                       "video/mp4"sv},
             std::pair{"OggS\0"sv, "audio/ogg"sv},
         }) {
        EXPECT_EQ(blob_type(bytes), type);
    }
    const BlobId id = BlobId::of("\xFF\xD8\xFF");
    const PreparedFact fact = blob_fact(id, "\xFF\xD8\xFF");
    EXPECT_EQ(fact.name.collection, "scuttlebutt.blobs");
    EXPECT_EQ(fact.name.key, Key{id.text()});
    EXPECT_EQ(blob_name(id).key, fact.name.key);
    EXPECT_EQ(fact.value, R"({"size":3,"type":"image/jpeg"})");
    EXPECT_FALSE(fact.is_secret);
}

TEST(BlobFact, CutsALongTextBetweenCharacters) {
    for (const std::size_t before : {kBlobTextSizeBytesMax - 4, kBlobTextSizeBytesMax - 3,
                                     kBlobTextSizeBytesMax - 1, kBlobTextSizeBytesMax}) {
        std::string text(before, 'x');
        const bool fits = text.size() + 4 <= kBlobTextSizeBytesMax;
        text += "\xF0\x9F\x8C\x8A";
        const std::string kept = fits ? text : std::string(before, 'x');
        text += "more";
        EXPECT_EQ(blob_fact(BlobId::of(text), text).value,
                  R"({"size":)" + std::to_string(text.size()) + R"(,"type":"text/plain","text":")" +
                      kept + R"(","truncated":true})");
    }
}

TEST(BlobsSharedLog, AreAllFound) {
    const std::string path = shared_data("data/scuttlebutt-20k/log.offset");
    if (path.empty()) GTEST_SKIP() << "the shared log is not on this machine";
    std::ifstream file(path, std::ios::binary);
    const std::string log(std::istreambuf_iterator<char>(file), {});
    std::set<std::string> distinct;
    JsonParser parser;
    for (std::size_t at = 0; at + 12 <= log.size();) {
        std::size_t size = 0;
        for (std::size_t i = 0; i < 4; ++i)
            size = size << 8 | static_cast<unsigned char>(log[at + i]);
        const std::string_view body = std::string_view(log).substr(at + 4, size);
        for (const std::string& id : blobs_named_by({Seq{1}, {}, body, parser.parse(body)}))
            distinct.insert(id);
        at += size + 12;
    }
    EXPECT_EQ(distinct.size(), 2'398u); // facts.json: distinctBlobs.
}

} // namespace
} // namespace sluice::scuttlebutt
