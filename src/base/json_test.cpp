#include "base/json.hpp"

#include "base/json_text.hpp"

#include <gtest/gtest.h>

#include <simdjson.h>

#include <random>

namespace sluice {
namespace {

/// Everything a Value shows, as JSON with numbers as written.
void append_json(std::string& to, const Value& value) {
    switch (value.type()) {
    case Value::Type::null: to += "null"; return;
    case Value::Type::boolean: to += *value.as_bool() ? "true" : "false"; return;
    case Value::Type::number: to += value.number_text(); return;
    case Value::Type::string: append_json_string(to, *value.as_string()); return;
    case Value::Type::array:
        to += '[';
        for (const Value& element : value.elements()) {
            if (to.back() != '[') to += ',';
            append_json(to, element);
        }
        to += ']';
        return;
    case Value::Type::object:
        to += '{';
        for (const auto& [name, member] : value.members()) {
            if (to.back() != '{') to += ',';
            append_json_string(to, name);
            to += ':';
            append_json(to, member);
        }
        to += '}';
    }
}

std::string json_of(const Value* value) {
    if (value == nullptr) return "nothing";
    std::string json;
    append_json(json, *value);
    return json;
}

std::string parsed(std::string_view text) {
    JsonParser parser;
    return json_of(parser.parse(text));
}

Pointer pointer(std::string_view text) {
    return Pointer::parse(text).value();
}

PathSet paths_of(const std::vector<std::string>& pointers) {
    PathSet paths;
    for (const std::string& text : pointers) paths.add(pointer(text));
    return paths;
}

TEST(JsonParse, KeepsAllOfAValue) {
    const char* const texts[] = {"null",
                                 "true",
                                 "false",
                                 "0",
                                 "-0",
                                 "-12.50e+3",
                                 "1E400",
                                 "\"\"",
                                 "\"a\"",
                                 "[]",
                                 "{}",
                                 "[1,[2,[]],{}]",
                                 R"({"a":{"b":[true,null]},"c":"d"})",
                                 R"({"":1})",
                                 "123456789012345678901234567890.123456789012345678901234567890"};
    for (const std::string text : texts) {
        EXPECT_EQ(parsed(text), text);
        EXPECT_EQ(parsed(" \n\t\r" + text + " \n\t\r"), text);
    }
    EXPECT_EQ(parsed("[ 1 , { \"a\" : \"b\" } , [ ] , { } ]"), R"([1,{"a":"b"},[],{}])");
}

TEST(JsonParse, UnescapesStrings) {
    EXPECT_EQ(parsed(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\uDE00")"),
              "\"\\\"\\\\/\\b\\f\\n\\r\\tAé€😀\"");
    EXPECT_EQ(parsed(R"({"\u0061\n":"x"})"), R"({"a\n":"x"})");
    // Halves of pairs, which JavaScript writes, read as the replacement character.
    EXPECT_EQ(parsed(R"("\ud83d")"), "\"\uFFFD\"");
    EXPECT_EQ(parsed(R"("\ude00\ud83dx")"), "\"\uFFFD\uFFFDx\"");
    EXPECT_EQ(parsed(R"("\ud83d\ud83d\ude00")"), "\"\uFFFD😀\"");
    EXPECT_EQ(parsed(R"("\ud83d\n")"), "\"\uFFFD\\n\"");
}

TEST(JsonParse, LeavesTheLastOfMembersOfOneName) {
    EXPECT_EQ(parsed(R"({"a":1,"b":2,"a":{"a":3,"\u0061":4}})"), R"({"b":2,"a":{"a":4}})");
    std::string many = "{", last;
    for (int i = 0; i < 100; ++i) {
        many += '"' + std::to_string(i % 40) + "\":" + std::to_string(i) + ',';
        if (i >= 60) last += '"' + std::to_string(i % 40) + "\":" + std::to_string(i) + ',';
    }
    many.back() = last.back() = '}';
    EXPECT_EQ(parsed(many), '{' + last);
}

const std::vector<std::string>& broken_texts() {
    static const std::vector<std::string> texts = {"",
                                                   " ",
                                                   "\xEF\xBB\xBF{}",
                                                   "nul",
                                                   "nulll",
                                                   "True",
                                                   "truefalse",
                                                   "true false",
                                                   "t",
                                                   "01",
                                                   "-",
                                                   "+1",
                                                   "1.",
                                                   ".5",
                                                   "1e",
                                                   "1e+",
                                                   "0x1",
                                                   "1_0",
                                                   "--1",
                                                   "1.2.3",
                                                   "Infinity",
                                                   "NaN",
                                                   "1a",
                                                   "\"",
                                                   "\"a",
                                                   "a\"",
                                                   "'a'",
                                                   "\"a\"b",
                                                   "\"a\"\"b\"",
                                                   "1\"a\"",
                                                   "true\"a\"",
                                                   "\"\\x\"",
                                                   "\"\\u12\"",
                                                   "\"\\u12G4\"",
                                                   "\"\\ud83d\\u12\"",
                                                   "\"\\",
                                                   "\"\\\"",
                                                   "\"\n\"",
                                                   "\"\x01\"",
                                                   "\"\xFF\"",
                                                   "\"\xC0\x80\"",
                                                   "\"\xED\xA0\x80\"",
                                                   "\"\xF5\x80\x80\x80\"",
                                                   "\"\xE2\x82\"",
                                                   "[",
                                                   "]",
                                                   "[1",
                                                   "[1,",
                                                   "[,1]",
                                                   "[1,]",
                                                   "[1 2]",
                                                   "[1:2]",
                                                   "[1}",
                                                   "[[]",
                                                   "[]]",
                                                   "[],",
                                                   "{",
                                                   "}",
                                                   "{]",
                                                   "{\"a\"}",
                                                   "{\"a\":}",
                                                   "{\"a\":1",
                                                   "{\"a\":1,",
                                                   "{\"a\":1,}",
                                                   "{,}",
                                                   "{:1}",
                                                   "{a:1}",
                                                   "{1:1}",
                                                   "{\"a\" 1}",
                                                   "{\"a\",1}",
                                                   "{\"a\":1 \"b\":2}",
                                                   "{\"a\":1]",
                                                   "{}{}",
                                                   "{} x",
                                                   "{\"a\\q\":1}",
                                                   "/**/{}",
                                                   "{\"a\":1}\x0C",
                                                   "[1\x0C"
                                                   "2]",
                                                   "{\"a\"\x1A"
                                                   "1}",
                                                   "[1]\x01",
                                                   "\\",
                                                   "{\"a\":\\\"b\"}",
                                                   "[\\\"a\"]",
                                                   std::string("[1]\0", 4),
                                                   std::string("\0", 1),
                                                   "[1\x0B]",
                                                   "\xA0[1]"};
    return texts;
}

// J1 and J2: what nobody asks for is checked as well.
TEST(JsonParse, RefusesWhatIsNotJsonWhereverItStandsAndWhoeverLooks) {
    const PathSet none, elsewhere = paths_of({"/elsewhere"}), inside = paths_of({"/b/0", "/a/b"}),
                        all = paths_of({"", "/a"});
    JsonParser parser;
    for (const std::string& text : broken_texts()) {
        for (const std::string& around :
             {text, "[" + text + "]", "{\"b\":" + text + "}",
              "{\"b\":[{\"x\":" + text + "}],\"a\":1}", "[[1," + text + ",2]]"}) {
            // Some of them can be mended by what stands around them.
            simdjson::dom::parser judge;
            if (judge.parse(around).error() == simdjson::SUCCESS) continue;
            EXPECT_EQ(parser.parse(around), nullptr) << around;
            for (const PathSet* paths : {&none, &elsewhere, &inside, &all}) {
                EXPECT_FALSE(parser.extract(around, *paths)) << around;
            }
        }
    }
}

TEST(JsonParse, GoesDownToItsDepthAndNoFurther) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    const auto objects = [](std::size_t depth) {
        std::string text;
        for (std::size_t i = 0; i < depth; ++i) text += "{\"a\":";
        return text + '1' + std::string(depth, '}');
    };
    const PathSet none, some = paths_of({"/a/a", "/0"});
    JsonParser parser;
    for (const auto& text : {nested(JsonParser::kDepthMax), objects(JsonParser::kDepthMax)}) {
        EXPECT_NE(parser.parse(text), nullptr);
        EXPECT_TRUE(parser.extract(text, none));
        EXPECT_TRUE(parser.extract(text, some));
    }
    for (const auto& text : {nested(JsonParser::kDepthMax + 1), objects(JsonParser::kDepthMax + 1),
                             std::string(1'000'000, '[')}) {
        EXPECT_EQ(parser.parse(text), nullptr);
        EXPECT_FALSE(parser.extract(text, none));
        EXPECT_FALSE(parser.extract(text, some));
    }
}

/// What extract() and extract_parsed() both give.
std::string extracted(std::string_view text, const std::vector<std::string>& pointers) {
    const PathSet paths = paths_of(pointers);
    const auto print = [&](std::span<const Value* const> slots) {
        std::string all;
        for (const Value* slot : slots) all += json_of(slot) + ' ';
        return all;
    };
    JsonParser parser;
    const std::string direct = print(*parser.extract(text, paths));
    EXPECT_EQ(direct, print(parser.extract_parsed(*parser.parse(text), paths)));
    return direct;
}

TEST(JsonExtract, FollowsPointers) {
    const char* text = R"({"a":{"b":[10,{"c":"x"},[30]],"":1,"a/b":2,"m~n":3,"01":4},"d":null})";
    EXPECT_EQ(
        extracted(text, {"/a/b/0", "/a/b/1/c", "/a/b/2/0", "/a/", "/a/a~1b", "/a/m~0n", "/d"}),
        "10 \"x\" 30 1 2 3 null ");
    EXPECT_EQ(extracted(text, {"/a/b/3", "/a/b/00", "/a/b/-", "/a/b/c", "/d/x", "/a/01", "/a/1"}),
              "nothing nothing nothing nothing nothing 4 nothing ");
    EXPECT_EQ(extracted(text, {"/a/b/1", "/a/b/1/c", "/a/b"}),
              R"({"c":"x"} "x" [10,{"c":"x"},[30]] )");
    EXPECT_EQ(extracted("[1,2]", {"", "/1"}), "[1,2] 2 ");
    EXPECT_EQ(extracted("7", {"", "/1", "/a"}), "7 nothing nothing ");
}

TEST(JsonExtract, TakesTheLastMemberOfANameAndForgetsTheFirst) {
    EXPECT_EQ(extracted(R"({"a":{"b":1,"c":2},"a":{"c":3}})", {"/a/b", "/a/c"}), "nothing 3 ");
    EXPECT_EQ(extracted(R"({"a":{"b":1},"\u0061":5})", {"/a/b", "/a"}), "nothing 5 ");
    EXPECT_EQ(extracted(R"({"a":5,"a":[{"b":1}]})", {"/a/0/b"}), "1 ");
    EXPECT_EQ(extracted(R"({"a":{"x":{"b":1},"x":[]}})", {"/a/x/b"}), "nothing ");
}

TEST(JsonExtract, SharesTheSlotOfEqualPointers) {
    PathSet paths;
    const std::size_t a = paths.add(pointer("/a")), b = paths.add(pointer("/a/b"));
    EXPECT_NE(a, b);
    EXPECT_EQ(paths.add(pointer("/a")), a);
    EXPECT_EQ(paths.slot_count(), 2U);
}

/// Texts that are JSON, or are nearly.
class Texts {
public:
    explicit Texts(unsigned seed) : random_(seed) {}
    std::string next() {
        std::string text = value(0);
        static constexpr std::string_view kNoise = "{}[]:,\"\\ 0a\xC3\x01u";
        for (unsigned i = below(3) == 0 ? 1 + below(2) : 0; i > 0; --i) {
            const std::size_t at = below(static_cast<unsigned>(text.size()));
            if (below(2) == 0)
                text.erase(at, 1);
            else
                text.insert(at, 1, kNoise[below(kNoise.size())]);
            if (text.empty()) text = "1";
        }
        return text;
    }

private:
    unsigned below(std::size_t end) { return static_cast<unsigned>(random_() % end); }
    std::string space() { return below(6) == 0 ? " " : ""; }
    std::string name() {
        static constexpr const char* kNames[] = {"a", "b", "0", "1", "", "\\u0061", "x/y"};
        return std::string("\"") + kNames[below(7)] + '"';
    }
    std::string value(int depth) {
        static constexpr const char* kScalars[] = {
            "null", "true", "12", "-0.25", "\"\"", "\"\\n\"", "\"\xC3\xA9\"", "\"\\u00e9\""};
        const unsigned choice = below(depth < 4 ? 14 : 8);
        if (choice < 8) return kScalars[choice];
        const bool is_object = choice > 10;
        std::string text = is_object ? "{" : "[";
        for (unsigned i = below(4); i > 0; --i) {
            if (text.size() > 1) text += ',' + space();
            if (is_object) text += name() + space() + ':' + space();
            text += value(depth + 1);
        }
        return text + space() + (is_object ? '}' : ']');
    }
    std::mt19937 random_;
};

// J2, and that the two ways to a slot are one: what a pointer gives is the same whichever other
// pointers there are, and the same as in the tree of the whole text.
TEST(JsonExtract, GivesTheSameWhoeverElseAsks) {
    const std::vector<std::string> pointers = {"",   "/a",   "/a/b",   "/b", "/a/0",
                                               "/0", "/0/a", "/a/b/0", "/",  "/b/x~1y"};
    Texts texts(7);
    std::mt19937 random(8);
    JsonParser parser, tree;
    int valid = 0;
    for (int i = 0; i < 60'000; ++i) {
        const std::string text = texts.next();
        const Value* const root = tree.parse(text);
        simdjson::dom::parser judge;
        ASSERT_EQ(root != nullptr, judge.parse(text).error() == simdjson::SUCCESS) << text;
        std::vector<Pointer> asked;
        PathSet paths;
        for (const std::string& one : pointers) {
            if (random() % 3 != 0) continue;
            paths.add(pointer(one));
            asked.push_back(pointer(one));
        }
        const auto slots = parser.extract(text, paths);
        ASSERT_EQ(slots.has_value(), root != nullptr) << text;
        if (!slots) continue;
        ++valid;
        for (std::size_t slot = 0; slot < asked.size(); ++slot) {
            ASSERT_EQ(json_of((*slots)[slot]), json_of(asked[slot].find(*root))) << text;
        }
    }
    EXPECT_GT(valid, 20'000);
}

TEST(Pointers, AreReadAndWrittenAsRfc6901Says) {
    for (const char* text : {"", "/", "/a", "/a~0b/c~1d", "/0//x"}) {
        EXPECT_EQ(pointer(text).text(), text);
    }
    for (const char* text : {"a", "/~", "/~2", "/a~", "#/a"}) {
        ASSERT_FALSE(Pointer::parse(text));
        EXPECT_EQ(Pointer::parse(text).error().code, Errc::invalid_argument);
    }
}

TEST(Values, AnswerOnlyForTheirType) {
    JsonParser parser;
    const Value& root =
        *parser.parse(R"({"n":12,"d":1.5,"e":1e3,"big":1e19,"s":"x","b":false,"z":null,"a":[1]})");
    EXPECT_EQ(root.at("/n")->as_int64(), 12);
    EXPECT_EQ(root.at("/e")->as_int64(), 1000);
    EXPECT_EQ(root.at("/d")->as_int64(), std::nullopt);
    EXPECT_EQ(root.at("/big")->as_int64(), std::nullopt);
    EXPECT_EQ(root.at("/d")->as_double(), 1.5);
    EXPECT_EQ(root.at("/s")->as_string(), "x");
    EXPECT_EQ(root.at("/s")->as_double(), std::nullopt);
    EXPECT_EQ(root.at("/b")->as_bool(), false);
    EXPECT_TRUE(root.at("/z")->is_null());
    EXPECT_EQ(root.at("/z")->as_bool(), std::nullopt);
    EXPECT_EQ(root.at("/a/0")->as_int64(), 1);
    EXPECT_EQ(root.at("/a/1"), nullptr);
    EXPECT_EQ(root.at("bad"), nullptr);
    EXPECT_EQ(root.find("none"), nullptr);
    EXPECT_TRUE(root.elements().empty());
    EXPECT_TRUE(root.at("/n")->members().empty());
    EXPECT_EQ(root.at("/s")->number_text(), "");
}

} // namespace
} // namespace sluice
