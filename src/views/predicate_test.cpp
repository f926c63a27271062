#include "views/predicate.hpp"

#include "base/json.hpp"

#include <gtest/gtest.h>

#include <random>

namespace sluice {
namespace {

constexpr std::string_view kMessage = R"({"value":{"author":"@abc=.ed25519","sequence":10,
    "content":{"type":"post","text":"and (or) not","root":null,"flag":true,"n":-1.5,
               "big":9007199254740993,"list":[1,{"a":"b"}],"a b":1,"x=y":2}}})";

bool holds(std::string_view condition) {
    const auto predicate = Predicate::parse(condition);
    if (!predicate) {
        ADD_FAILURE() << condition << ": " << predicate.error().context;
        return false;
    }
    JsonParser parser;
    const bool matches = predicate->matches(*parser.parse(kMessage));
    EXPECT_EQ(predicate->matches_body(kMessage), matches);
    // The canonical text means the same, and is its own canonical text.
    const auto again = Predicate::parse(predicate->text());
    EXPECT_TRUE(again) << predicate->text();
    if (again) {
        EXPECT_EQ(again->matches_body(kMessage), matches) << predicate->text();
        EXPECT_EQ(again->text(), predicate->text());
    }
    return matches;
}

TEST(Condition, ComparesValuesOfOneType) {
    const char* const yes[] = {"/value/author=@abc=.ed25519",
                               "/value/author=\"@abc=.ed25519\"",
                               "/value/author^=@abc",
                               "/value/author>@abb",
                               "/value/sequence=10",
                               "/value/sequence = 1e1",
                               "/value/sequence>=10",
                               "/value/sequence<10.5",
                               "/value/sequence>9",
                               "/value/content/n<-1",
                               "/value/content/n<=-1.50",
                               "/value/content/flag=true",
                               "/value/content/flag>false",
                               "/value/content/root=null",
                               "/value/content/root<=null",
                               "/value/content/big=9007199254740993",
                               "/value/content/big>9007199254740992",
                               "/value/content/list/1/a=b",
                               "/value/content/list/0=1",
                               "/value/content/text=\"and (or) not\"",
                               "\"/value/content/a b\"=1",
                               "\"/value/content/x=y\"=2",
                               "/value/content/type!=vote",
                               "/value/content/type^=\"\"",
                               "/value/content/text^=\"and (\"",
                               "/value/content/type=\"\\u0070ost\""};
    for (const char* condition : yes) EXPECT_TRUE(holds(condition)) << condition;
    const char* const no[] = {"/value/author=@abc",        "/value/sequence<10",
                              "/value/sequence>10",        "/value/sequence!=10",
                              "/value/content/flag=false", "/value/content/big=9007199254740992",
                              "/value/author^=@abd",       "/value/content/type=POST"};
    for (const char* condition : no) EXPECT_FALSE(holds(condition)) << condition;
}

TEST(Condition, OfAMissingValueOrAnotherTypeHoldsOnlyForUnequal) {
    const char* const values[] = {"post", "10", "\"10\"", "true", "null"};
    for (const char* pointer : {"/nothing", "/value/sequence/x", "/value/content/list",
                                "/value/content", "/value/content/list/9"}) {
        for (const char* value : values) {
            for (const char* op : {"=", "<", "<=", ">", ">=", "^="}) {
                EXPECT_FALSE(holds(std::string(pointer) + op + value));
            }
            EXPECT_TRUE(holds(std::string(pointer) + "!=" + value));
        }
    }
    EXPECT_FALSE(holds("/value/sequence=\"10\""));
    EXPECT_FALSE(holds("/value/sequence>=\"10\""));
    EXPECT_TRUE(holds("/value/sequence!=\"10\""));
    EXPECT_FALSE(holds("/value/sequence^=1")); // The prefix of a string, not of digits.
    EXPECT_FALSE(holds("/value/content/flag=null"));
    EXPECT_FALSE(holds("/value/content/root=false"));
}

TEST(Condition, OfAPointerAloneIsThatSomethingIsThere) {
    EXPECT_TRUE(holds("/value/content/root")); // Also null.
    EXPECT_TRUE(holds("/value/content"));
    EXPECT_TRUE(holds("\"\""));
    EXPECT_FALSE(holds("/value/content/branch"));
    EXPECT_TRUE(holds("not /value/content/branch"));
}

TEST(Condition, JoinsByAndOrNotAndParentheses) {
    const std::string t = "/value", f = "/nothing";
    EXPECT_TRUE(holds(t + " and " + t));
    EXPECT_FALSE(holds(t + " and " + f));
    EXPECT_TRUE(holds(f + " or " + t));
    EXPECT_FALSE(holds(f + " or " + f));
    EXPECT_TRUE(holds(t + " or " + t + " and " + f)); // "and" binds closer.
    EXPECT_FALSE(holds("(" + t + " or " + t + ") and " + f));
    EXPECT_FALSE(holds("not " + t + " or " + f));
    EXPECT_FALSE(holds("not (" + t + " or " + f + ")"));
    EXPECT_FALSE(holds("not(" + t + ")and(" + t + ")"));
    EXPECT_TRUE(holds("not not " + t + " and not " + f));
    EXPECT_TRUE(holds("\n(\t( " + t + " ) )\r"));
    EXPECT_TRUE(
        holds("/value/content/type=post and (/value/sequence>=10 or not /value/author^=@)"));
    EXPECT_TRUE(holds(t + " and (" + t + " and (" + t + " or " + f + "))"));
    EXPECT_FALSE(holds("not (" + t + " and " + t + ") and " + t));
}

TEST(Condition, HasOneTextForEachMeaning) {
    const std::pair<const char*, const char*> texts[] = {
        {" /a = b  and( /c>1.0 or/d )", R"(/a="b" and (/c>1 or /d))"},
        {"\"/a\"=\"1\" or /a=1", R"(/a="1" or /a=1)"},
        {"((/a and /b)) or not (/c)", "/a and /b or not /c"},
        {"not (/a and /b)", "not (/a and /b)"},
        {"\"/a b\"!=null", R"("/a b"!=null)"},
        {"/a^=12", R"(/a^="12")"},
    };
    for (const auto& [text, expected] : texts) {
        EXPECT_EQ(Predicate::parse(text).value().text(), expected);
    }
}

TEST(Condition, ThatIsWrongSaysWhereAndWhatWasExpected) {
    const std::pair<std::string, std::string> wrong[] = {
        {"", "column 1: expected a pointer"},
        {"author=x", "column 1: expected a pointer"},
        {"/a=", "column 4: expected a value"},
        {"/a= )", "column 5: expected a value"},
        {"/a=[1]", "column 4: expected a value"},
        {"/é=1 nor /b", "column 6: expected \"and\", \"or\" or the end"},
        {"/a and", "column 7: expected a pointer"},
        {"/a or or /b", "column 7: expected a pointer"},
        {"(/a", "column 4: expected \"and\", \"or\" or \")\""},
        {"/a)", "column 3: expected \"and\", \"or\" or the end"},
        {"not", "column 4: expected a pointer"},
        {"/a=\"x", "column 4: expected a complete JSON string"},
        {"/a=\"\\q\"", "column 4: expected a complete JSON string"},
        {"/a=\"x\\", "column 4: expected a complete JSON string"},
        {"/a~2=1", "column 1: expected a pointer: in a JSON Pointer"},
        {"\"a\"=1", "column 1: expected a pointer: a JSON Pointer is"},
        {"/a==1 /b", "column 7: expected"},
        {"/a=\xFF", "not UTF-8"},
        {std::string(1'000'000, '('), "column 101: expected at most 100 levels of nesting"},
    };
    for (const auto& [text, message] : wrong) {
        const auto predicate = Predicate::parse(text);
        ASSERT_FALSE(predicate) << text;
        EXPECT_EQ(predicate.error().code, Errc::invalid_argument);
        EXPECT_NE(predicate.error().context.find(message), std::string::npos)
            << predicate.error().context;
    }
}

TEST(Condition, OfAnythingNeitherCrashesNorChangesInItsText) {
    static constexpr const char* kPieces[] = {"/a",    "/b/0", "=",    "!=",   "^=", "<",
                                              " and ", " or ", "not ", "(",    ")",  "x",
                                              "1",     "\"",   "\\",   "null", " ",  "é"};
    std::mt19937 random(1);
    int parsed = 0;
    for (int i = 0; i < 300'000; ++i) {
        std::string text;
        for (auto n = random() % 9; n > 0; --n) text += kPieces[random() % std::size(kPieces)];
        const auto predicate = Predicate::parse(text);
        if (!predicate) continue;
        ++parsed;
        const auto again = Predicate::parse(predicate->text());
        ASSERT_TRUE(again) << text << " -> " << predicate->text();
        ASSERT_EQ(again->text(), predicate->text());
    }
    EXPECT_GT(parsed, 5000);
}

TEST(Condition, DoesNotHoldForABodyThatIsNotJson) {
    const auto predicate = Predicate::parse("not /a").value();
    EXPECT_TRUE(predicate.matches_body("{}"));
    EXPECT_TRUE(predicate.matches_body("7"));
    EXPECT_FALSE(predicate.matches_body("{"));
    EXPECT_FALSE(predicate.matches_body(""));
}

TEST(ConditionInJson, IsAnObjectOfEqualitiesOrAString) {
    JsonParser parser;
    const auto from = [&](std::string_view json) {
        return Predicate::from_json(*parser.parse(json));
    };
    const auto both = from(R"({"/value/sequence":1e1,"/value/content/type":"post"})").value();
    EXPECT_TRUE(both.matches_body(kMessage));
    EXPECT_EQ(both.json(), R"({"/value/content/type":"post","/value/sequence":10})");
    EXPECT_EQ(both.text(), R"(/value/content/type="post" and /value/sequence=10)");
    EXPECT_FALSE(
        from(R"({"/value/sequence":10,"/value/content/type":"vote"})")->matches_body(kMessage));
    EXPECT_TRUE(
        from(R"({"/value/content/root":null,"/value/content/flag":true})")->matches_body(kMessage));

    const auto text = from(R"("/value/sequence > 9")").value();
    EXPECT_TRUE(text.matches_body(kMessage));
    EXPECT_EQ(text.json(), R"("/value/sequence>9")");

    for (const char* wrong :
         {"{}", "[]", "1", "null", R"({"a":1})", R"({"/a":[]})", R"({"/a":{}})", R"("x")"}) {
        const auto predicate = from(wrong);
        ASSERT_FALSE(predicate) << wrong;
        EXPECT_EQ(predicate.error().code, Errc::invalid_argument);
    }
}

} // namespace
} // namespace sluice
