#include "scuttlebutt/js_json.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sluice::scuttlebutt {
namespace {

struct Sample {
    std::string_view text;
    std::string_view pretty;
};

// What Node 20 answers to JSON.stringify(JSON.parse(text), null, 2).
const Sample kSamples[] = {
    {R"js({"a":1})js",
     R"js({
  "a": 1
})js"},
    {R"js({"b":[],"a":{},"2":1,"1":[1,[]],"a":"last"})js",
     R"js({
  "1": [
    1,
    []
  ],
  "2": 1,
  "b": [],
  "a": "last"
})js"},
    {R"js([1e21,1e20,123456789012345680000,1e-7,0.000001,-0,-0.0,1.50,1E3,12345678901234567890,1e400,-1e400,1e-400,5e-324,1.7976931348623157e308,0.1,100,4294967295,1234567890123456,0.00000123,123456.789e3,-12.5e-9,0.0001e400,10000e-400,1e99999999999999999999,1e-99999999999999999999,0e999])js",
     R"js([
  1e+21,
  100000000000000000000,
  123456789012345680000,
  1e-7,
  0.000001,
  0,
  0,
  1.5,
  1000,
  12345678901234567000,
  null,
  null,
  0,
  5e-324,
  1.7976931348623157e+308,
  0.1,
  100,
  4294967295,
  1234567890123456,
  0.00000123,
  123456789,
  -1.25e-8,
  null,
  0,
  null,
  0,
  0
])js"},
    {R"js("\u0041\u00e9\uD83D\ude00\ud800x\udc00\u0000\u001f\u007f\u2028\/\b\f\n\r\t\"\\\ud83d\u0041")js",
     R"js("Aé😀\ud800x\udc00\u0000\u001f /\b\f\n\r\t\"\\\ud83dA")js"},
    {R"js({"4294967294":1,"4294967295":2,"01":3,"-1":4,"0":5,"":6,"1.5":7,"10":8,"9":9})js",
     R"js({
  "0": 5,
  "9": 9,
  "10": 8,
  "4294967294": 1,
  "4294967295": 2,
  "01": 3,
  "-1": 4,
  "": 6,
  "1.5": 7
})js"},
    {R"js( [ true , false , null , "" , { "x" : { "y" : [ { } ] } } ]
)js",
     R"js([
  true,
  false,
  null,
  "",
  {
    "x": {
      "y": [
        {}
      ]
    }
  }
])js"},
    {R"js({"k\u0065y":1,"key":2})js",
     R"js({
  "key": 2
})js"},
    {R"js({"10":1,"x":2,"10":3,"9":{"b":1,"0":2}})js",
     R"js({
  "9": {
    "0": 2,
    "b": 1
  },
  "10": 3,
  "x": 2
})js"},
    {R"js([9007199254740993,99999999999999999,0.00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001e300,0.000000000000000000001e300])js",
     R"js([
  9007199254740992,
  100000000000000000,
  0,
  1e+279
])js"},
    {R"js({"a":1,"4294967295":2,"5":3,"4294967294":4})js",
     R"js({
  "5": 3,
  "4294967294": 4,
  "a": 1,
  "4294967295": 2
})js"},
    {R"js(7)js", R"js(7)js"},
    {R"js({})js", R"js({})js"},
};

TEST(JsJson, IsWhatJavaScriptPrints) {
    for (const Sample& sample : kSamples) {
        const auto pretty = to_pretty_json(sample.text);
        ASSERT_TRUE(pretty) << sample.text;
        EXPECT_EQ(pretty->text, sample.pretty);
    }
}

TEST(JsJson, PrintedAgainIsTheSame) {
    for (const Sample& sample : kSamples)
        EXPECT_EQ(to_pretty_json(sample.pretty)->text, sample.pretty);
}

TEST(JsJson, RefusesWhatJavaScriptRefuses) {
    for (const std::string_view text : {"",
                                        " ",
                                        "{",
                                        "}",
                                        "[",
                                        "[1",
                                        "[1,",
                                        "[1,]",
                                        "[,1]",
                                        "{\"a\"}",
                                        "{\"a\":}",
                                        "{\"a\":1,}",
                                        "{a:1}",
                                        "{\"a\":1",
                                        "{1:1}",
                                        "01",
                                        "-",
                                        "+1",
                                        "1.",
                                        ".5",
                                        "1e",
                                        "1e+",
                                        "0x1",
                                        "NaN",
                                        "Infinity",
                                        "-Infinity",
                                        "nul",
                                        "nullx",
                                        "True",
                                        "\"",
                                        "\"\\x\"",
                                        "\"\\u12\"",
                                        "\"\\u12g4\"",
                                        "\"\\ud83d\\u\"",
                                        "\"a\nb\"",
                                        "\"\x01\"",
                                        "1 2",
                                        "[] []",
                                        "'a'",
                                        "\xEF\xBB\xBF{}",
                                        "\"\xFF\"",
                                        "\"\xED\xA0\x80\"",
                                        "\"\xC0\x80\"",
                                        "/**/1",
                                        "--1",
                                        "[1}"}) {
        EXPECT_FALSE(to_pretty_json(text)) << text;
    }
    EXPECT_FALSE(to_pretty_json(std::string_view("\0", 1)));
    EXPECT_FALSE(to_pretty_json(std::string_view("1\0", 2)));
}

TEST(JsJson, RefusesWhatIsNestedTooDeep) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    EXPECT_TRUE(to_pretty_json(nested(512)));
    EXPECT_FALSE(to_pretty_json(nested(514)));
    EXPECT_FALSE(to_pretty_json(nested(10'000'000)));
}

// 4 MB of numbers, each to be printed on a line of 1,000 spaces.
TEST(JsJson, RefusesWhatWouldGrowWithoutBound) {
    std::string text(500, '[');
    for (int i = 0; i < 2'000'000; ++i) text += "1,";
    text += "1" + std::string(500, ']');
    EXPECT_FALSE(to_pretty_json(text));
}

TEST(JsJson, FindsAndLeavesOutMembers) {
    const PrettyJson object = *to_pretty_json(R"({"a":"x","b":{"a":2},"c":[]})");
    EXPECT_EQ(object.find("a"), R"("x")");
    EXPECT_EQ(object.find("b"), "{\n    \"a\": 2\n  }");
    EXPECT_EQ(object.find("c"), "[]");
    EXPECT_EQ(object.find("d"), std::nullopt);
    EXPECT_EQ(object.without("a"), to_pretty_json(R"({"b":{"a":2},"c":[]})")->text);
    EXPECT_EQ(object.without("b"), to_pretty_json(R"({"a":"x","c":[]})")->text);
    EXPECT_EQ(object.without("c"), to_pretty_json(R"({"a":"x","b":{"a":2}})")->text);
    EXPECT_EQ(object.without("d"), object.text);
    EXPECT_EQ(to_pretty_json(R"({"a":1})")->without("a"), "{}");
    EXPECT_TRUE(to_pretty_json(R"([{"a":1}])")->members.empty());
}

TEST(JsJson, FindsMembersThatJavaScriptMoved) {
    const PrettyJson object = *to_pretty_json(R"({"b":1,"7":2,"b":{"c":[3]}})");
    EXPECT_EQ(object.find("7"), "2");
    EXPECT_EQ(object.find("b"), "{\n    \"c\": [\n      3\n    ]\n  }");
    EXPECT_EQ(object.without("7"), to_pretty_json(R"({"b":{"c":[3]}})")->text);
    EXPECT_EQ(object.without("b"), to_pretty_json(R"({"7":2})")->text);
}

TEST(JsJson, QuotesStrings) {
    std::string quoted;
    append_js_string(quoted, "a\"\\\b\f\n\r\t\x01\x1F/\x7F é 🌊");
    EXPECT_EQ(quoted, R"("a\"\\\b\f\n\r\t\u0001\u001f/)"
                      "\x7F é 🌊\"");
}

// Buffer.from('aé世🌊', 'binary') in Node: 61 e9 16 3c 0a.
TEST(JsJson, InBinaryEncodingHasTheLowBytesOfItsUtf16) {
    EXPECT_EQ(to_binary_encoding("aé世🌊"), "a\xE9\x16\x3C\x0A");
}

} // namespace
} // namespace sluice::scuttlebutt
