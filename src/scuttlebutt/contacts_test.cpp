#include <sluice/scuttlebutt.hpp>

#include "base/json.hpp"
#include "scuttlebutt/keys.hpp"
#include "scuttlebutt/message_parts.hpp"
#include "support/shared_data.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace sluice::scuttlebutt {
namespace {

using namespace sluice::test;
using Hops = std::map<std::string, unsigned>;

constexpr auto kFollows = Relation::follows;
constexpr auto kBlocks = Relation::blocks;
constexpr auto kNone = Relation::none;

std::string feed_of(unsigned char byte) {
    Bytes32 bytes;
    bytes.fill(byte);
    return "@" + to_base64(bytes) + ".ed25519";
}

std::optional<Contact> said_by(const std::string& content) {
    const std::string body = R"({"value":{"author":"@a","content":)" + content + "}}";
    JsonParser parser;
    return contact_of({Seq{1}, {}, body, parser.parse(body)});
}

TEST(Contact, IsReadAsPublishedProgramsReadIt) {
    const std::string bo = feed_of(2);
    const auto said = [&bo](const std::string& more) {
        return said_by(R"({"type":"contact","contact":")" + bo + "\"" + more + "}")
            .value()
            .relation;
    };
    EXPECT_EQ(said(R"(,"following":true)"), kFollows);
    EXPECT_EQ(said(R"(,"following":false)"), kNone);
    EXPECT_EQ(said(R"(,"blocking":true)"), kBlocks);
    EXPECT_EQ(said(R"(,"blocking":false)"), kNone);
    EXPECT_EQ(said(R"(,"following":true,"blocking":true)"), kBlocks);
    EXPECT_EQ(said(R"(,"following":true,"blocking":false)"), kFollows);
    EXPECT_EQ(said(R"(,"flagged":{"reason":"spam"})"), kBlocks);
    EXPECT_EQ(said(R"(,"flagged":false)"), kNone);
    EXPECT_EQ(said(R"(,"following":"true")"), kNone);
    EXPECT_EQ(said(""), kNone);
    EXPECT_EQ(said_by(R"({"type":"contact","contact":")" + bo + R"(","following":true})"),
              (Contact{"@a", bo, kFollows}));
    for (const std::string& none :
         {R"({"type":"post","contact":")" + bo + "\"}", std::string(R"({"type":"contact"})"),
          std::string(R"({"type":"contact","contact":"bo"})"), std::string("\"x.box\"")}) {
        EXPECT_FALSE(said_by(none)) << none;
    }
}

TEST(Hops, CountFollowsFromTheNearestPath) {
    const std::vector<Contact> contacts = {
        {"a", "b", kFollows}, {"b", "c", kFollows}, {"c", "d", kFollows}, {"d", "e", kFollows},
        {"a", "c", kFollows}, {"x", "y", kFollows}, {"c", "a", kFollows}};
    EXPECT_EQ(hops_from("a", contacts), (Hops{{"a", 0}, {"b", 1}, {"c", 1}, {"d", 2}, {"e", 3}}));
    EXPECT_EQ(hops_from("a", contacts, {.hops_max = 1}), (Hops{{"a", 0}, {"b", 1}, {"c", 1}}));
    EXPECT_EQ(hops_from("a", contacts, {.feeds_max = 2}), (Hops{{"a", 0}, {"b", 1}}));
    EXPECT_EQ(hops_from("z", contacts), (Hops{{"z", 0}}));
}

TEST(Contact, KnowsWhereItsAuthorPutIt) {
    const auto numbers = [](const std::string& members) {
        const std::string body = R"({"value":{"author":"@a",)" + members +
                                 R"("content":{"type":"contact","contact":")" + feed_of(2) +
                                 "\"}}}";
        JsonParser parser;
        const Contact said = contact_of({Seq{1}, {}, body, parser.parse(body)}).value();
        return std::pair{said.sequence, said.timestamp};
    };
    EXPECT_EQ(numbers(R"("sequence":7,"timestamp":1449201687163.5,)"),
              (std::pair{std::int64_t{7}, 1449201687163.5}));
    EXPECT_EQ(numbers(""), (std::pair{std::int64_t{0}, 0.0}));
    EXPECT_EQ(numbers(R"("sequence":"7","timestamp":null,)"), (std::pair{std::int64_t{0}, 0.0}));
}

// Messages arrive in any order, and are imported in another one elsewhere.
TEST(Hops, GoByTheAuthorsLastWordWhicheverArrivedFirst) {
    const auto reached = [](std::vector<Contact> contacts) {
        const bool in_order = hops_from("a", contacts).contains("b");
        std::reverse(contacts.begin(), contacts.end());
        EXPECT_EQ(hops_from("a", contacts).contains("b"), in_order);
        return in_order;
    };
    EXPECT_FALSE(reached({{"a", "b", kFollows, 1, 9}, {"a", "b", kNone, 2, 1}}));
    EXPECT_TRUE(reached({{"a", "b", kBlocks, 9, 1}, {"a", "b", kFollows, 10, 1}}));
    // Of a feed that has forked.
    EXPECT_FALSE(reached({{"a", "b", kFollows, 3, 5}, {"a", "b", kNone, 3, 6}}));
    EXPECT_FALSE(reached({{"a", "b", kFollows, 3, 5}, {"a", "b", kBlocks, 3, 5}}));
    EXPECT_TRUE(reached({{"a", "b", kFollows, 3, 5}, {"a", "b", kNone, 3, 5}}));
    // Each feed has its own numbers.
    EXPECT_TRUE(reached({{"a", "b", kFollows, 1, 1}, {"c", "b", kNone, 2, 2}}));
}

TEST(Hops, EndAtOnesOwnBlocksAndNotAtThoseOfOthers) {
    std::vector<Contact> contacts = {{"a", "b", kFollows},
                                     {"b", "c", kFollows},
                                     {"c", "d", kFollows},
                                     {"a", "x", kFollows},
                                     {"x", "c", kBlocks}};
    const Hops before = hops_from("a", contacts);
    EXPECT_EQ(before, (Hops{{"a", 0}, {"b", 1}, {"x", 1}, {"c", 2}, {"d", 3}}));
    contacts.push_back({"a", "c", kBlocks, 2, 2});
    contacts.push_back({"x", "y", kFollows});
    const HopsChange change = hops_change(before, hops_from("a", contacts));
    EXPECT_EQ(change.left, (std::vector<std::string>{"c", "d"}));
    EXPECT_EQ(change.entered, (std::vector<std::string>{"y"}));
}

TEST(Blocks, AreFacts) {
    const std::string bo = feed_of(2);
    const auto has = [&bo](const FactName& name) {
        return name.collection == "scuttlebutt.blocks" && name.key == Key{bo};
    };
    const auto is_kept_out = [&has](const std::string& author) {
        return is_of_blocked_feed({R"({"value":{"author":")" + author + "\"}}"}, has);
    };
    EXPECT_EQ(block_name(bo).collection, kBlocksCollection);
    EXPECT_TRUE(is_kept_out(bo));
    EXPECT_FALSE(is_kept_out(feed_of(3)));
}

TEST(ContactsSharedLog, AreAsManyAsAnIndependentCountSays) {
    const std::string path = shared_data("data/scuttlebutt-20k/log.offset");
    if (path.empty()) GTEST_SKIP() << "the shared log is not on this machine";
    std::ifstream file(path, std::ios::binary);
    const std::string log(std::istreambuf_iterator<char>(file), {});
    std::vector<Contact> contacts;
    std::set<std::string> authors;
    JsonParser parser;
    for (std::size_t at = 0; at + 12 <= log.size();) {
        std::size_t size = 0;
        for (std::size_t i = 0; i < 4; ++i)
            size = size << 8 | static_cast<unsigned char>(log[at + i]);
        const std::string_view body = std::string_view(log).substr(at + 4, size);
        if (const auto said = contact_of({Seq{1}, {}, body, parser.parse(body)}))
            contacts.push_back(*said);
        authors.emplace(author_of(body).value());
        at += size + 12;
    }
    EXPECT_EQ(contacts.size(), 1'788u); // facts.json: types.contact.
    EXPECT_EQ(authors.size(), 300u);    // facts.json: authorsWithMsgs.
    const Hops hops = hops_from("@m5ZQhNuV6nC/a30mjt3HogGLWd8YSXC3r3XELLC5PxA=.ed25519", contacts);
    EXPECT_GT(hops.size(), 1u);
    EXPECT_LE(hops.size(), 300u);
}

} // namespace
} // namespace sluice::scuttlebutt
