// A real Scuttlebutt log, counted by an independent reader.
#include "sandbox.hpp"

#include "base/json.hpp"
#include "support/shared_data.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

namespace sluice::test {
namespace {

class ScuttlebuttLog : public ::testing::Test {
protected:
    void SetUp() override {
        log = shared_data("data/scuttlebutt-20k/log.offset");
        if (log.empty()) GTEST_SKIP() << "the 20,000 message log is not on this machine";
        box.ok("sluice import db " + log);
        box.ok(R"(sluice view add db by_author --json '{"kind":"index","key":["/value/author"]}')");
        box.ok(R"(sluice view add db by_type_time --json )"
               R"('{"kind":"index","key":["/value/content/type","/value/timestamp"]}')");
        box.ok(R"(sluice view add db by_key --json '{"kind":"index","key":["/key"]}')");
        box.ok(R"(sluice view add db per_type --json )"
               R"('{"kind":"aggregate","group":["/value/content/type"],"value":{"count":true}}')");
        box.ok(R"(sluice view add db per_author --json )"
               R"('{"kind":"aggregate","group":["/value/author"],"value":{"count":true}}')");
    }
    std::uint64_t count(const std::string& read) {
        return std::stoull(box.ok("sluice read db " + read + " --count"));
    }
    Sandbox box;
    std::string log;
};

TEST_F(ScuttlebuttLog, IsCountedAsByAnIndependentReader) {
    EXPECT_EQ(box.ok("sluice read db per_type --json"),
              "{\"key\":[\"about\"],\"value\":{\"count\":333}}\n"
              "{\"key\":[\"contact\"],\"value\":{\"count\":1788}}\n"
              "{\"key\":[\"other\"],\"value\":{\"count\":1780}}\n"
              "{\"key\":[\"post\"],\"value\":{\"count\":4971}}\n"
              "{\"key\":[\"vote\"],\"value\":{\"count\":8639}}\n");
    EXPECT_EQ(count("per_author"), 300U);
    EXPECT_EQ(count("by_key"), 20000U);
    EXPECT_EQ(count("by_type_time --prefix '[\"post\"]'"), 4971U);
    // Private messages are texts, which have no type.
    EXPECT_EQ(count("by_author") - count("by_type_time"), 2489U);
}

TEST_F(ScuttlebuttLog, KeepsNothingOfAnErasedAuthor) {
    std::ifstream secrets(shared_data("data/scuttlebutt-20k/secrets.jsonl"));
    std::string line;
    ASSERT_TRUE(std::getline(secrets, line));
    JsonParser parser;
    const std::string author(*parser.parse(line)->at("/id")->as_string());
    const std::string theirs = "by_author --prefix '[\"" + author + "\"]'";

    std::vector<std::string> needles;
    for (const std::string& row :
         lines_of(box.ok("sluice read db " + theirs + " --values --json"))) {
        const Value* const message = parser.parse(row)->at("/value");
        needles.emplace_back(*message->at("/value/signature")->as_string());
        const Value* const text = message->at("/value/content/text");
        const bool plain = text != nullptr && text->as_string()->size() >= 20 &&
                           text->as_string()->find_first_of("\\\"\n/") == std::string_view::npos;
        if (plain) needles.emplace_back(*text->as_string());
    }
    ASSERT_GE(needles.size(), 500U);
    const std::uint64_t messages = count(theirs);
    const std::string before = box.all_bytes("db");
    for (const std::string& needle : needles) ASSERT_NE(before.find(needle), std::string::npos);

    box.ok("sluice erase db --view " + theirs + " --reason request --yes");
    // A few texts of three words are in messages of others, too.
    const std::string others = box.ok("sluice export db");
    const auto by_others = [&](const std::string& needle) {
        return others.find(needle) != std::string::npos;
    };
    EXPECT_LE(std::erase_if(needles, by_others), 10U);
    const std::string after = box.all_bytes("db");
    for (const std::string& needle : needles) EXPECT_EQ(after.find(needle), std::string::npos);
    EXPECT_EQ(count(theirs), 0U);
    EXPECT_EQ(count("by_key"), 20000U - messages);
    EXPECT_EQ(count("per_author"), 299U);
    EXPECT_EQ(box.run("sluice verify db").status, 0);

    // Taken out once, it does not come back with the file.
    box.ok("sluice import db " + log);
    EXPECT_EQ(count("by_key"), 20000U - messages);
}

} // namespace
} // namespace sluice::test
