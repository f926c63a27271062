#include "facts/facts.hpp"

#include <gtest/gtest.h>

namespace sluice {
namespace {

const FactId kOne{"keys", "one"};

Change put(const FactId& id, std::string_view value) {
    Change change;
    change.kind = ChangeKind::put_fact;
    change.collection = id.collection;
    change.fact_key = id.key;
    change.body = value;
    return change;
}

Change drop(const FactId& id) {
    Change change = put(id, {});
    change.kind = ChangeKind::drop_fact;
    return change;
}

Change erase(std::vector<Seq> entries) {
    Change change;
    change.kind = ChangeKind::erase;
    change.replacements = std::move(entries);
    return change;
}

std::string value_of(const Facts& facts, const FactId& id) {
    const Facts::Fact* const fact = facts.find(id);
    return std::string(fact == nullptr ? "(none)" : fact->value.bytes());
}

TEST(Facts, HaveTheValueThatWasPutLast) {
    Facts facts;
    EXPECT_EQ(value_of(facts, kOne), "(none)");
    facts.apply({1}, put(kOne, "a"));
    facts.apply({2}, put({"keys", "two"}, "b"));
    facts.apply({3}, put({"blocks", "one"}, "c"));
    facts.apply({4}, put(kOne, "d"));
    EXPECT_EQ(value_of(facts, kOne), "d");
    EXPECT_EQ(facts.find(kOne)->at, Seq{4});
    EXPECT_EQ(facts.all().size(), 3u);
    EXPECT_EQ(facts.all().begin()->first.collection, "blocks");
}

TEST(Facts, AreGoneWhenDroppedAndComeBackWhenPut) {
    Facts facts;
    facts.apply({1}, put(kOne, "a"));
    facts.apply({2}, drop(kOne));
    EXPECT_EQ(value_of(facts, kOne), "(none)");
    facts.apply({3}, put(kOne, "b"));
    EXPECT_EQ(value_of(facts, kOne), "b");
    EXPECT_EQ(facts.entries_of(kOne), (std::vector<Seq>{{1}, {2}, {3}}));
    EXPECT_TRUE(facts.entries_of({"keys", "two"}).empty());
}

TEST(Facts, AreGoneWithTheEntriesThatAnErasureNames) {
    Facts facts;
    facts.apply({1}, put(kOne, "a"));
    facts.apply({2}, put(kOne, "b"));
    facts.apply({3}, put({"keys", "two"}, "c"));
    facts.apply({4}, erase({{1}, {2}}));
    EXPECT_EQ(value_of(facts, kOne), "(none)");
    EXPECT_EQ(value_of(facts, {"keys", "two"}), "c");
    EXPECT_TRUE(facts.entries_of(kOne).empty());
    facts.apply({5}, put(kOne, "d"));
    EXPECT_EQ(value_of(facts, kOne), "d");
}

TEST(Facts, StayWhenAnErasureNamesOldEntriesOnly) {
    Facts facts;
    facts.apply({1}, put(kOne, "a"));
    facts.apply({2}, put(kOne, "b"));
    facts.apply({3}, erase({{1}}));
    EXPECT_EQ(value_of(facts, kOne), "b");
}

TEST(Facts, KnowWhichDropsLeaveWhatASecretOpened) {
    Facts facts;
    Change secret = put(kOne, "a");
    secret.is_secret = true;
    facts.apply({1}, secret);
    facts.apply({2}, put(kOne, "no secret any more"));
    facts.apply({3}, put({"keys", "two"}, "never one"));
    facts.apply({4}, drop({"keys", "two"}));
    EXPECT_TRUE(facts.secret_drops().empty());
    facts.apply({5}, drop(kOne));
    EXPECT_EQ(facts.secret_drops(), std::set<Seq>{{5}});
    Change receipt;
    receipt.kind = ChangeKind::receipt;
    receipt.receipt.erasure = {5};
    facts.apply({6}, receipt);
    EXPECT_TRUE(facts.secret_drops().empty());
    facts.apply({7}, put(kOne, "b"));
    facts.apply({8}, drop(kOne));
    EXPECT_TRUE(facts.secret_drops().empty()) << "the secret had been dropped before";
}

} // namespace
} // namespace sluice
