#include "views/view.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <stdexcept>

namespace sluice {
namespace {

using Views = std::vector<std::shared_ptr<const View>>;

std::shared_ptr<const View> declared(std::string_view definition) {
    auto view = compile_view(definition);
    if (!view) ADD_FAILURE() << view.error().context;
    return view.value();
}

std::shared_ptr<const View> code(ViewFunction map, std::string definition = R"({"kind":"index"})") {
    return compile_view(CodeView{"test", 1, std::move(definition), std::move(map)}).value();
}

/// A row as text: its terms as JSON, for an aggregate with the answer that its value alone gives.
std::string row_text(const View& view, const RowBatch& batch) {
    std::vector<std::string> emissions;
    for (const RowBatch::Row& row : batch.rows()) {
        for (std::size_t i = 0; i < row.emission_count; ++i) {
            const auto [term, value] = batch.emission(row.first_emission + i);
            std::string text = Key::from_encoded(term).value().to_json();
            if (kind_of(view) == ViewKind::aggregate) text += aggregate_to_json(view, 1, value);
            emissions.push_back(text);
        }
    }
    std::sort(emissions.begin(), emissions.end());
    // As a store does: a term of a row counts once.
    emissions.erase(std::unique(emissions.begin(), emissions.end()), emissions.end());
    std::string all;
    for (const std::string& emission : emissions) all += emission + ' ';
    return all;
}

std::vector<std::string> map_rows(const Views& views, std::string_view body) {
    Mapper mapper(views);
    std::vector<RowBatch> batches(views.size());
    mapper.map(Seq{1}, "", body, batches);
    std::vector<std::string> rows;
    for (std::size_t i = 0; i < views.size(); ++i) rows.push_back(row_text(*views[i], batches[i]));
    return rows;
}

std::string map_one(std::string_view definition, std::string_view body) {
    return map_rows({declared(definition)}, body)[0];
}

/// What a group holds after all of `bodies`, folded through the store's interface in random blocks.
std::map<std::string, std::string> fold(const View& view, const std::vector<std::string>& bodies,
                                        std::mt19937& random) {
    Mapper mapper(Views{std::shared_ptr<const View>(&view, [](const View*) {})});
    std::vector<RowBatch> batches(1);
    std::uint64_t seq = 0;
    for (const std::string& body : bodies) mapper.map(Seq{++seq}, "", body, batches);

    std::map<std::string, std::vector<std::string>> values;
    for (const RowBatch::Row& row : batches[0].rows()) {
        for (std::size_t i = 0; i < row.emission_count; ++i) {
            const auto [term, value] = batches[0].emission(row.first_emission + i);
            values[std::string(term)].emplace_back(value);
        }
    }
    std::map<std::string, std::string> answers;
    for (auto& [term, group] : values) {
        std::string partial;
        if (const auto reducer = reducer_of(view)) {
            const auto total = reducer->accumulator(), block = reducer->accumulator();
            std::shuffle(group.begin(), group.end(), random);
            for (std::size_t i = 0; i < group.size(); ++i) {
                block->add_value(group[i]);
                if (random() % 3 != 0 && i + 1 < group.size()) continue;
                total->add_partial(block->partial());
                block->clear();
            }
            partial = total->partial();
        }
        answers[Key::from_encoded(term).value().to_json()] =
            aggregate_to_json(view, group.size(), partial);
    }
    return answers;
}

TEST(IndexView, GivesARowForTheKeyOfAMessage) {
    EXPECT_EQ(map_one(R"({"kind":"index","key":["/a","/b/c"]})", R"({"a":"x","b":{"c":[1,null]}})"),
              R"(["x",[1,null]] )");
    EXPECT_EQ(map_one(R"({"kind":"index","key":["/a"]})", R"({"a":null})"), "[null] ");
    EXPECT_EQ(map_one(R"({"kind":"index","key":[""]})", "7"), "[7] ");
    EXPECT_EQ(map_one(R"({"kind":"index","key":[]})", "{}"), "[] ");
}

TEST(IndexView, GivesNoRowWithoutAPartOfItsKeyOrForAnObject) {
    const char* definition = R"({"kind":"index","key":["/a","/b"]})";
    EXPECT_EQ(map_one(definition, R"({"a":1})"), "");
    EXPECT_EQ(map_one(definition, R"({"a":1,"b":{}})"), "");
    EXPECT_EQ(map_one(definition, R"({"a":1,"b":[{}]})"), "");
    EXPECT_EQ(map_one(definition, R"({"a":1,"b":2)"), "");
    EXPECT_EQ(map_one(definition, "not json"), "");
    EXPECT_EQ(map_one(definition, ""), "");
}

TEST(IndexView, GivesARowForEachElement) {
    const char* definition = R"({"kind":"index","each":"/m","key":["/link","/n"]})";
    EXPECT_EQ(map_one(definition, R"({"m":[{"link":"a","n":1},{"link":"b"},{"link":"a","n":1},
                                           {"link":"c","n":{}},7,{"link":"d","n":2}],"link":"no"})"),
              R"(["a",1] ["d",2] )");
    EXPECT_EQ(map_one(definition, R"({"m":{"x":{"link":"a","n":1},"y":{"link":"b","n":2}}})"),
              R"(["a",1] ["b",2] )");
    EXPECT_EQ(map_one(definition, R"({"m":{"x":{"link":"a","n":1},"x":{"link":"b","n":2}}})"),
              R"(["b",2] )");
    EXPECT_EQ(map_one(definition, R"({"m":"link"})"), "");
    EXPECT_EQ(map_one(definition, "{}"), "");
    EXPECT_EQ(map_one(R"({"kind":"index","each":"/m","key":[""]})", R"({"m":["x",1,{},"x",[2]]})"),
              R"(["x"] [1] [[2]] )");
}

TEST(IndexView, AsksTheWholeMessageWhetherItIsMeant) {
    const char* definition =
        R"({"kind":"index","where":{"/type":"post"},"each":"/m","key":["/type"]})";
    EXPECT_EQ(map_one(definition, R"({"type":"post","m":[{"type":"x"}]})"), R"(["x"] )");
    EXPECT_EQ(map_one(definition, R"({"type":"x","m":[{"type":"post"}]})"), "");
    EXPECT_EQ(
        map_one(R"({"kind":"index","where":"/n > 3 or not /n","key":["/a"]})", R"({"a":1,"n":4})"),
        "[1] ");
    EXPECT_EQ(map_one(R"({"kind":"index","where":"/n > 3 or not /n","key":["/a"]})", R"({"a":1})"),
              "[1] ");
    EXPECT_EQ(
        map_one(R"({"kind":"index","where":"/n > 3 or not /n","key":["/a"]})", R"({"a":1,"n":3})"),
        "");
}

constexpr const char* kEverything =
    R"({"kind":"aggregate","group":["/g"],"value":{"count":true,"sum":"/n","average":"/n","min":"/n","max":"/n"}})";

TEST(AggregateView, AnswersForEachGroup) {
    std::mt19937 random(1);
    const auto answers =
        fold(*declared(kEverything),
             {R"({"g":"a","n":0.1})", R"({"g":"a","n":0.2})", R"({"g":"a","n":"text"})",
              R"({"g":"b","n":7})", R"({"g":"c"})", R"({"g":{}})", R"({"g":"c","n":[1]})",
              R"({"g":"d","n":1e999})", R"({"n":1})", R"({"g":"a","n":null})"},
             random);
    const std::map<std::string, std::string> expected = {
        {R"(["a"])", R"({"count":4,"sum":0.3,"average":0.15,"min":null,"max":"text"})"},
        {R"(["b"])", R"({"count":1,"sum":7,"average":7,"min":7,"max":7})"},
        {R"(["c"])", R"({"count":2,"sum":null,"average":null,"min":null,"max":null})"},
        {R"(["d"])", R"({"count":1,"sum":null,"average":null,"min":1e999,"max":1e999})"}};
    EXPECT_EQ(answers, expected);
}

TEST(AggregateView, KeepsALeastOrAGreatestAlone) {
    std::mt19937 random(1);
    const auto answer_of = [&](const char* value) {
        const auto view =
            declared(R"({"kind":"aggregate","group":[],"value":)" + std::string(value) + "}");
        return fold(*view, {R"({"n":3})", R"({"n":1})", R"({"m":1})", R"({"n":2})"}, random)["[]"];
    };
    EXPECT_EQ(answer_of(R"({"min":"/n"})"), R"({"min":1})");
    EXPECT_EQ(answer_of(R"({"max":"/n"})"), R"({"max":3})");
    EXPECT_EQ(answer_of(R"({"sum":"/n"})"), R"({"sum":6})");
}

TEST(AggregateView, HasOneGroupOfAllMessagesIfItsGroupIsEmpty) {
    std::mt19937 random(1);
    const auto view = declared(R"({"kind":"aggregate","group":[],"value":{"count":true}})");
    const std::map<std::string, std::string> expected = {{"[]", R"({"count":3})"}};
    EXPECT_EQ(fold(*view, {"1", "{}", "[]", "no"}, random), expected);
}

TEST(AggregateView, CountsElementsOfOneMessageUnderOneGroup) {
    std::mt19937 random(2);
    const std::vector<std::string> bodies = {
        R"({"m":[{"g":"a","n":1,"k":0.5},{"g":"b","n":2},{"g":"a","n":3},{"g":"a"}],"g":"no"})",
        R"({"m":[{"g":"a","n":10,"k":2}]})"};
    const std::map<std::string, std::string> expected = {
        {R"(["a"])", R"({"count":4,"sum":14,"average":1.25,"min":1,"max":10})"},
        {R"(["b"])", R"({"count":1,"sum":2,"average":null,"min":2,"max":2})"}};
    EXPECT_EQ(fold(*declared(R"({"kind":"aggregate","each":"/m","group":["/g"],"value":
                 {"count":true,"sum":"/n","average":"/k","min":"/n","max":"/n"}})"),
                   bodies, random),
              expected);
    const std::map<std::string, std::string> counts = {{R"(["a"])", R"({"count":4})"},
                                                       {R"(["b"])", R"({"count":1})"}};
    EXPECT_EQ(
        fold(*declared(R"({"kind":"aggregate","each":"/m","group":["/g"],"value":{"count":true}})"),
             bodies, random),
        counts);
}

TEST(AggregateView, ThatOnlyCountsCostsNoByteForAMessage) {
    Mapper mapper(
        {declared(R"({"kind":"aggregate","group":["/g"],"value":{"count":true}})"),
         declared(R"({"kind":"aggregate","each":"","group":["/g"],"value":{"count":true}})"),
         declared(R"({"kind":"aggregate","group":["/g"],"value":{"count":true,"sum":"/n"}})")});
    std::vector<RowBatch> batches(3);
    const std::string_view body = R"({"g":{"g":1}})";
    mapper.map(Seq{1}, "", R"({"g":1})", batches);
    mapper.map(Seq{2}, "", body, batches);
    ASSERT_EQ(batches[0].rows().size(), 1U);
    EXPECT_EQ(batches[0].emission(0).value, "");
    ASSERT_EQ(batches[1].rows().size(), 1U);
    EXPECT_EQ(batches[1].emission(0).value, "");
    EXPECT_EQ(batches[2].emission(0).value, "");
    EXPECT_EQ(reducer_of(*declared(R"({"kind":"aggregate","group":[],"value":{"count":true}})")),
              nullptr);
    EXPECT_EQ(reducer_of(*declared(R"({"kind":"index","key":[]})")), nullptr);
}

// The sentence for every view kind: after any additions in any order and grouping, the view equals
// its definition. Here the definition of count, sum, min and max is a loop over plain integers.
TEST(AggregateView, EqualsItsPlainDefinitionInAnyOrderAndGrouping) {
    std::mt19937 random(3);
    const auto view = declared(kEverything);
    for (int round = 0; round < 200; ++round) {
        struct Plain {
            int count = 0;
            std::vector<int> numbers;
        };
        std::map<std::string, Plain> plain;
        std::vector<std::string> bodies;
        for (auto n = random() % 50; n > 0; --n) {
            const int group = static_cast<int>(random() % 4);
            const int number = static_cast<int>(random() % 2001) - 1000;
            const bool has_number = random() % 4 != 0;
            Plain& of_group = plain["[" + std::to_string(group) + "]"];
            ++of_group.count;
            if (has_number) of_group.numbers.push_back(number);
            // Tenths, written in one way or another.
            std::string text =
                std::to_string(number) + (number == 0 || random() % 2 == 0 ? "e-1" : "0e-2");
            bodies.push_back("{\"g\":" + std::to_string(group) +
                             (has_number ? ",\"n\":" + text + "}" : "}"));
        }
        const auto tenths = [](int number) {
            const int size = std::abs(number);
            return (number < 0 ? "-" : "") + std::to_string(size / 10) +
                   (size % 10 == 0 ? "" : "." + std::to_string(size % 10));
        };
        for (const auto& [group, answer] : fold(*view, bodies, random)) {
            const auto& [count, numbers] = plain[group];
            std::string expected = "{\"count\":" + std::to_string(count);
            int sum = 0;
            for (const int number : numbers) sum += number;
            expected += ",\"sum\":" + (numbers.empty() ? "null" : tenths(sum)) + ",\"average\":";
            ASSERT_EQ(answer.find(expected), 0U) << answer << " is not " << expected;
            const std::string bounds =
                numbers.empty()
                    ? "\"min\":null,\"max\":null}"
                    : "\"min\":" + tenths(*std::min_element(numbers.begin(), numbers.end())) +
                          ",\"max\":" + tenths(*std::max_element(numbers.begin(), numbers.end())) +
                          "}";
            ASSERT_TRUE(answer.ends_with(bounds)) << answer << " is not " << bounds;
        }
    }
}

TEST(CodeView, EmitsWhatItsFunctionSays) {
    const auto view = code([](const Message& message, Emit& emit) {
        EXPECT_EQ(message.seq, Seq{1});
        emit(Key("body", message.body));
        if (message.json == nullptr) return;
        for (const auto& [name, value] : message.json->members()) emit(Key(name));
    });
    EXPECT_EQ(map_rows({view}, R"({"a":1,"b":2})")[0],
              R"(["a"] ["b"] ["body","{\"a\":1,\"b\":2}"] )");
    EXPECT_EQ(map_rows({view}, "{")[0], R"(["body","{"] )");
}

TEST(CodeView, AggregatesIntegersDoublesAndValues) {
    const auto view = code(
        [](const Message& message, Emit& emit) {
            emit(Key("all"));
            emit(Key("n"), std::int64_t{2});
            emit(Key("n"), 0.1);
            emit(Key("n"), *message.json);
            emit(Key("odd"), std::nan(""));
            emit(Key("odd"), HUGE_VAL);
        },
        R"({"kind":"aggregate","value":{"count":true,"sum":true,"average":true,"min":true,"max":true}})");
    EXPECT_EQ(map_rows({view}, "0.3")[0],
              R"(["all"]{"count":1,"sum":null,"average":null,"min":null,"max":null} )"
              R"(["n"]{"count":3,"sum":2.4,"average":0.8,"min":0.1,"max":2} )"
              R"(["odd"]{"count":2,"sum":null,"average":null,"min":null,"max":null} )");
    EXPECT_EQ(map_rows({view}, "\"x\"")[0],
              R"(["all"]{"count":1,"sum":null,"average":null,"min":null,"max":null} )"
              R"(["n"]{"count":3,"sum":2.1,"average":1.05,"min":0.1,"max":"x"} )"
              R"(["odd"]{"count":2,"sum":null,"average":null,"min":null,"max":null} )");
}

TEST(CodeView, ThatThrowsLosesThatMessageOnly) {
    const auto throws_at = [](std::string definition) {
        return code(
            [](const Message& message, Emit& emit) {
                emit(Key(message.body));
                if (message.body == "2") throw std::runtime_error("two");
                if (message.body == "3") throw 3;
            },
            std::move(definition));
    };
    Mapper mapper({throws_at(R"({"kind":"index"})"), declared(R"({"kind":"index","key":[""]})"),
                   throws_at(R"({"kind":"aggregate","value":{"count":true}})")});
    std::vector<RowBatch> batches(3);
    std::uint64_t seq = 0;
    for (const std::string_view body : {"1", "2", "3", "4"})
        mapper.map(Seq{++seq}, "", body, batches);
    ASSERT_EQ(batches[0].rows().size(), 2U);
    EXPECT_EQ(batches[0].rows()[0].seq, Seq{1});
    EXPECT_EQ(batches[0].rows()[1].seq, Seq{4});
    EXPECT_EQ(batches[0].rows()[1].emission_count, 1U);
    EXPECT_EQ(batches[1].rows().size(), 4U);
    ASSERT_EQ(batches[2].rows().size(), 2U);
    EXPECT_EQ(batches[2].rows()[1].emission_count, 1U);
    EXPECT_EQ(mapper.take_errors(), (std::vector<std::uint64_t>{2, 0, 2}));
    EXPECT_TRUE(mapper.take_errors().empty());
}

TEST(CodeView, ThatGivesAnIndexAValueIsAnError) {
    Mapper mapper({code([](const Message&, Emit& emit) { emit(Key("a"), std::int64_t{1}); })});
    std::vector<RowBatch> batches(1);
    mapper.map(Seq{1}, "", "{}", batches);
    EXPECT_TRUE(batches[0].empty());
    EXPECT_EQ(mapper.take_errors(), std::vector<std::uint64_t>{1});
}

TEST(CodeView, WithoutItsFunctionReadsButDoesNotMap) {
    const auto view = compile_unloaded_view(R"({"kind":"aggregate","value":{"sum":true}})").value();
    EXPECT_FALSE(can_map(*view));
    EXPECT_NE(reducer_of(*view), nullptr);
    EXPECT_EQ(map_rows({view}, "{}")[0], "");
    EXPECT_TRUE(can_map(*code([](const Message&, Emit&) {})));
    EXPECT_FALSE(compile_view(CodeView{}));
}

TEST(Mapper, GivesAViewTheSameRowsWhicheverOthersThereAre) {
    const Views all = {
        declared(R"({"kind":"index","key":["/a"]})"),
        declared(R"({"kind":"index","key":["/a/b","/c"]})"),
        declared(R"({"kind":"index","where":"/a/b or /c=1","key":["/c"]})"),
        declared(R"({"kind":"index","each":"/a","key":[""]})"),
        declared(
            R"({"kind":"aggregate","each":"/c","group":["/b"],"value":{"count":true,"sum":"/b"}})"),
        declared(R"({"kind":"aggregate","group":[],"value":{"max":"/a/b"}})"),
        code([](const Message& message, Emit& emit) { emit(Key(message.json != nullptr)); })};
    const char* const bodies[] = {R"({"a":{"b":1},"c":1})",
                                  R"({"a":{"b":1},"a":2,"c":3})",
                                  R"({"a":[1,"x",{}],"c":[{"b":1},{"b":1}]})",
                                  R"({"a":{"b":1},"c":1,"d":[1,2})",
                                  R"({"a":1,"z":"\q"})",
                                  R"({"a":1,"z":01})",
                                  R"({"a":1} )",
                                  R"({"a":1}x)",
                                  "{\"a\":1,\"z\":\"\xFF\"}",
                                  R"({"\u0061":{"\u0062":"\ud800"},"c":null})",
                                  "",
                                  "[]",
                                  "1"};
    std::mt19937 random(4);
    for (const char* body : bodies) {
        for (int round = 0; round < 20; ++round) {
            Views some = all;
            std::shuffle(some.begin(), some.end(), random);
            some.resize(1 + random() % all.size());
            const auto together = map_rows(some, body);
            for (std::size_t i = 0; i < some.size(); ++i) {
                EXPECT_EQ(together[i], map_rows({some[i]}, body)[0])
                    << canonical_definition(*some[i]) << " of " << body;
            }
        }
    }
}

TEST(Definition, HasOneTextForEachMeaning) {
    const std::pair<const char*, const char*> texts[] = {
        {R"( { "key" : [ "/a", "/b~1c" ] , "kind" : "index" } )",
         R"({"kind":"index","key":["/a","/b~1c"]})"},
        {R"({"key":["/a"],"each":"/m","where":{"/y":1.0,"/x":"a"},"kind":"index"})",
         R"({"kind":"index","where":{"/x":"a","/y":1},"each":"/m","key":["/a"]})"},
        {R"~({"kind":"index","where":"( /x = 1 )","key":[]})~",
         R"({"kind":"index","where":"/x=1","key":[]})"},
        {R"({"value":{"max":"/m","average":"/a","count":true,"sum":"/s","min":"/i"},"group":[],"kind":"aggregate"})",
         R"({"kind":"aggregate","group":[],"value":{"count":true,"sum":"/s","average":"/a","min":"/i","max":"/m"}})"}};
    for (const auto& [text, expected] : texts) {
        EXPECT_EQ(canonical_definition(*declared(text)), expected);
        EXPECT_EQ(canonical_definition(*declared(expected)), expected);
    }
    EXPECT_EQ(
        canonical_definition(*code([](const Message&, Emit&) {},
                                   R"({"value":{"sum":true,"count":true},"kind":"aggregate"})")),
        R"({"kind":"aggregate","value":{"count":true,"sum":true}})");
    const auto canonical = [](const char* text) { return canonical_definition(*declared(text)); };
    EXPECT_EQ(canonical(R"({"value":"/v","fold":"last","group":["/g"],"kind":"fold"})"),
              R"({"kind":"fold","group":["/g"],"fold":"last","value":"/v"})");
    EXPECT_EQ(
        canonical(R"({"state":"/s","relation":"likes","target":"/t","each":"/e",
                            "source":"/a","kind":"links"})"),
        R"({"kind":"links","each":"/e","source":"/a","target":"/t","relation":"likes","state":"/s"})");
    EXPECT_EQ(canonical(R"({"kind":"links","relation":"/r","target":""})"),
              R"({"kind":"links","target":"","relation":"/r"})");
    EXPECT_EQ(canonical(R"({"language":"none","text":["/a","/b"],"kind":"search"})"),
              R"({"kind":"search","text":["/a","/b"]})");
    EXPECT_EQ(canonical(R"({"language":"german","text":["/a"],"kind":"search"})"),
              R"({"kind":"search","text":["/a"],"language":"german"})");
}

TEST(Definition, ThatIsWrongIsRefusedByTheNameOfThePart) {
    const std::pair<const char*, const char*> wrong[] = {
        {"", "a JSON object"},
        {"[]", "a JSON object"},
        {"{}", "\"kind\" is \"index\", \"aggregate\", \"fold\", \"links\" or"},
        {R"({"kind":"heap"})", "\"kind\" is \"index\", \"aggregate\", \"fold\", \"links\" or"},
        {R"({"kind":1})", "\"kind\" is \"index\", \"aggregate\", \"fold\", \"links\" or"},
        {R"({"kind":"fold"})", "\"group\" is an array"},
        {R"({"kind":"fold","group":[],"fold":"sum","value":""})",
         "\"fold\" is \"first\", \"last\""},
        {R"({"kind":"fold","group":[],"fold":"last"})", "\"value\" is a JSON Pointer"},
        {R"({"kind":"fold","group":[],"key":[]})", "\"key\" is unknown: a fold view has"},
        {R"({"kind":"links"})", "\"target\" is a JSON Pointer"},
        {R"({"kind":"links","target":"/a","relation":""})", "\"relation\" is a JSON Pointer or"},
        {R"({"kind":"links","target":"/a","relation":"/~"})", "\"relation\" is no JSON Pointer"},
        {R"({"kind":"links","target":"/a","source":1})", "\"source\" is a JSON Pointer"},
        {R"({"kind":"links","target":"/a","state":true})", "\"state\" is a JSON Pointer"},
        {R"({"kind":"search"})", "\"text\" is an array"},
        {R"({"kind":"search","text":[]})", "\"text\" is at least one"},
        {R"({"kind":"search","text":[""],"each":""})", "\"each\" is unknown"},
        {R"({"kind":"search","text":[""],"language":"klingon"})",
         "\"language\" is one of \"none\", \"arabic\""},
        {R"({"kind":"index"})", "\"key\" is an array"},
        {R"({"kind":"index","key":"/a"})", "\"key\" is an array"},
        {R"({"kind":"index","key":[1]})", "an element of \"key\" is a JSON Pointer in a string"},
        {R"({"kind":"index","key":["a"]})", "an element of \"key\" is no JSON Pointer"},
        {R"({"kind":"index","keys":["/a"]})",
         "\"keys\" is unknown: an index view has \"kind\", \"where\""},
        {R"({"kind":"index","key":[],"group":[]})", "\"group\" is unknown"},
        {R"({"kind":"index","key":[],"each":1})", "\"each\" is a JSON Pointer in a string"},
        {R"({"kind":"index","key":[],"where":7})", "\"where\" is an object"},
        {R"({"kind":"index","key":[],"where":{}})", "\"where\" is an object"},
        {R"({"kind":"index","key":[],"where":"/a="})", "column 4"},
        {R"({"kind":"aggregate","value":{"count":true}})", "\"group\" is an array"},
        {R"({"kind":"aggregate","group":[]})", "\"value\" is an object"},
        {R"({"kind":"aggregate","group":[],"value":{}})", "\"value\" is an object"},
        {R"({"kind":"aggregate","group":[],"value":{"count":false}})",
         "\"count\" of \"value\" is true, or left out"},
        {R"({"kind":"aggregate","group":[],"value":{"sum":true}})",
         "\"sum\" of \"value\" is a JSON Pointer"},
        {R"({"kind":"aggregate","group":[],"value":{"median":"/a"}})",
         "\"median\" is unknown: \"value\" has \"count\""},
    };
    for (const auto& [text, message] : wrong) {
        const auto view = compile_view(text);
        ASSERT_FALSE(view) << text;
        EXPECT_EQ(view.error().code, Errc::invalid_argument);
        EXPECT_NE(view.error().context.find(message), std::string::npos) << view.error().context;
    }
    for (const char* text : {R"({"kind":"index","key":[]})", R"({"kind":"aggregate"})",
                             R"({"kind":"aggregate","value":{"sum":"/a"}})",
                             R"({"kind":"aggregate","group":[],"value":{"sum":true}})"}) {
        EXPECT_FALSE(compile_unloaded_view(text)) << text;
    }
}

TEST(Mapper, TellsAFunctionOfManyMessagesBeforeItAsksForTheirRows) {
    std::vector<std::size_t> told; // How many messages at a time.
    std::uint64_t next = 0;
    CodeView view;
    view.app = "test";
    view.before_map = [&](std::span<const Message> messages) {
        told.push_back(messages.size());
        next = messages.front().seq.value;
    };
    view.map = [&](const Message& message, Emit& emit) {
        EXPECT_EQ(message.seq.value, next++);
        EXPECT_EQ(message.json, nullptr);
        if (message.seq.value % 2 == 0) throw std::runtime_error("even");
        emit(Key(message.seq.value, message.key, message.body));
    };
    const auto plain = declared(R"({"kind":"index","key":["/n"]})");
    Mapper mapper({compile_view(view).value(), plain});
    std::vector<RowBatch> batches(2);
    constexpr std::uint64_t kCount = 5000;
    for (std::uint64_t i = 1; i <= kCount; ++i) {
        mapper.map({i}, "key", R"({"n":1})", batches);
    }
    mapper.settle(batches);
    mapper.settle(batches); // Nothing is left.

    EXPECT_EQ(batches[0].rows().size(), kCount / 2);
    EXPECT_EQ(batches[1].rows().size(), kCount);
    EXPECT_EQ(Key::from_encoded(batches[0].emission(0).term).value().to_json(),
              R"([1,"key","{\"n\":1}"])");
    EXPECT_EQ(mapper.take_errors(), (std::vector<std::uint64_t>{kCount / 2, 0}));
    EXPECT_LT(told.size(), 5U);
    EXPECT_EQ(std::accumulate(told.begin(), told.end(), std::size_t{0}), kCount);
}

TEST(Mapper, ForgetsMessagesOfACallThatFailed) {
    CodeView view;
    view.app = "test";
    view.before_map = [](std::span<const Message>) {};
    view.map = [](const Message& message, Emit& emit) { emit(Key(message.seq.value)); };
    Mapper mapper({compile_view(view).value()});
    RowBatch batch;
    mapper.map({1}, "", "one", std::span(&batch, 1));
    mapper.discard_unsettled();
    mapper.map({2}, "", "two", std::span(&batch, 1));
    mapper.settle(std::span(&batch, 1));
    ASSERT_EQ(batch.rows().size(), 1U);
    EXPECT_EQ(batch.rows()[0].seq, Seq{2});
}

} // namespace
} // namespace sluice
