#include "scuttlebutt/message_parts.hpp"

#include "base/json.hpp"

#include <string>

#include <gtest/gtest.h>

namespace sluice::scuttlebutt {
namespace {

TEST(MessageParts, HaveAnIdOfTheirOwnOrThatOfTheApplication) {
    JsonParser parser;
    const std::string named = R"({"key":"%a","value":{"author":"@a","content":null}})";
    EXPECT_EQ(parts_of({Seq{1}, "%b", named, parser.parse(named)}).value().id, "%a");
    const std::string bare = R"({"value":{"author":"@a","content":null}})";
    const auto parts = parts_of({Seq{1}, "%b", bare, parser.parse(bare)});
    ASSERT_TRUE(parts);
    EXPECT_EQ(parts->id, "%b");
    EXPECT_EQ(parts->author, "@a");
    EXPECT_TRUE(parts->content->is_null());
}

TEST(MessageParts, OfWhatIsNoMessageAreNone) {
    JsonParser parser;
    for (const char* const body :
         {"", "1", "{}", R"({"value":null})", R"({"value":{"author":"@a"}})",
          R"({"value":{"content":1}})", R"({"value":{"author":1,"content":1}})",
          R"({"author":"@a","content":1})"}) {
        EXPECT_FALSE(parts_of({Seq{1}, {}, body, parser.parse(body)})) << body;
    }
}

TEST(ChangedBody, KeepsTheRestAsItWas) {
    const std::string body =
        R"({"key":"%\u0061", "value" :{"author":"@a","content":1.50,"x":[ 1 ]},"mark":1e2})";
    EXPECT_EQ(
        changed_body(body, {"{}", "new", "2"}),
        R"({"key":"%\u0061","value":{"author":"@a","content":{},"x":[ 1 ]},"mark":1e2,"new":2})");
    EXPECT_EQ(changed_body(body, {{}, "mark", "2"}),
              R"({"key":"%\u0061","value":{"author":"@a","content":1.50,"x":[ 1 ]},"mark":2})");
}

TEST(AuthorOf, AMessageIsFoundWithoutReadingTheRest) {
    EXPECT_EQ(author_of(R"({"key":"%","value":{"content":{"author":"x"},"author":"@a"}})"), "@a");
    EXPECT_EQ(author_of(R"({"value":{"author":"@a"},"value":{"author":"@b"}})"), "@b");
    for (const char* const none :
         {"", "{", "[]", "{\"value\":1}", "{\"value\":{}}", "{\"value\":{\"author\":1}}",
          "{\"author\":\"@a\"}", "{\"value\":{\"author\":\"@\\u0061\"}}",
          "{\"value\":{\"author\":\""}) {
        EXPECT_FALSE(author_of(none)) << none;
    }
}

// Whoever trusts the answer "no" must not miss what only the parser would find.
TEST(MayMention, SaysNoOnlyWhereTheParserFindsNothing) {
    EXPECT_TRUE(may_mention(R"({"type":"edit"})", "edit"));
    EXPECT_TRUE(may_mention(R"({"type":"ed\u0069t"})", "edit"));
    EXPECT_TRUE(may_mention(R"({"type":"\u0065dit"})", "edit"));
    EXPECT_FALSE(may_mention(R"({"type":"ed\nit"})", "edit"));
    EXPECT_FALSE(may_mention("", "edit"));
}

} // namespace
} // namespace sluice::scuttlebutt
