#include "scuttlebutt/object_text.hpp"

#include "base/json.hpp"

#include <string>

#include <gtest/gtest.h>

namespace sluice::scuttlebutt {
namespace {

TEST(ObjectText, LeavesWhatIsNotChangedAsItWas) {
    const std::string text =
        R"( { "a" : 1.50e+01, "b":"\ud800\u0041,}", "c" : [ {"x":"]"} , 2 ] ,"d":{} } )";
    auto object = ObjectText::read(text);
    ASSERT_TRUE(object);
    object->set("d", "null");
    object->set("e", "true");
    EXPECT_EQ(object->text(),
              R"({"a":1.50e+01,"b":"\ud800\u0041,}","c":[ {"x":"]"} , 2 ],"d":null,"e":true})");
}

TEST(ObjectText, ReadsNamesAsTheParserDoes) {
    const std::string text = R"({"a":1,"\u0062\"":2,"a":3})";
    const auto object = ObjectText::read(text);
    ASSERT_TRUE(object);
    EXPECT_EQ(object->find("a"), "3");
    EXPECT_EQ(object->find("b\""), "2");
    EXPECT_EQ(object->find("c"), std::nullopt);
    EXPECT_EQ(object->members().size(), 2u);
    EXPECT_EQ(member_text(text, "a"), "3");
    EXPECT_EQ(member_text(text, "b\""), "2");
    JsonParser parser;
    EXPECT_EQ(parser.parse(object->text())->find("b\"")->as_int64(), 2);
}

TEST(ObjectText, OfAnythingButAnObjectIsNothing) {
    for (const char* const text :
         {"", "1", "[]", "\"{}\"", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}", "{\"a\":}",
          "{}x", "{\"a\":\"", "{\"", "{\"\\", "{\"a\":[[", "{\"a\":]}"}) {
        EXPECT_FALSE(ObjectText::read(text)) << text;
        EXPECT_FALSE(member_text(text, "a")) << text;
    }
    EXPECT_EQ(ObjectText::read("{}")->text(), "{}");
}

} // namespace
} // namespace sluice::scuttlebutt
