#include "log/change.hpp"

#include "log/ledger.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace sluice {
namespace {

Change some_change(ChangeKind kind) {
    Change change;
    change.kind = kind;
    change.time_ms = 1'700'000'000'123;
    change.seqs = {{1}, {2}, {9}, {10}, {11}, {300}};
    change.reason = "asked to";
    change.actor = "operator";
    if (kind == ChangeKind::erase) {
        change.refused = {hash_key("a", {}), hash_key("b", {})};
        change.replacements = {{4}, {5}, {9}};
    }
    if (kind == ChangeKind::replace) change.body = "new bytes";
    if (kind == ChangeKind::receipt) change.receipt = {{17}, true, 3, 4, 500'000};
    if (kind == ChangeKind::import_mark) change.source_offset = 77;
    if (kind == ChangeKind::put_fact || kind == ChangeKind::drop_fact) {
        change.collection = "keys";
        change.fact_key = "a key";
    }
    if (kind == ChangeKind::put_fact) {
        change.is_secret = true;
        change.body = "a value";
    }
    return change;
}

TEST(Change, ReadsBackAsItWasWritten) {
    for (int kind = 1; kind <= static_cast<int>(ChangeKind::rederive); ++kind) {
        const Change change = some_change(static_cast<ChangeKind>(kind));
        const std::string bytes = encode(change);
        const Change back = decode_change(bytes, {301}).value();
        EXPECT_EQ(encode(back), bytes);
        EXPECT_EQ(back.seqs, change.seqs);
        EXPECT_EQ(back.reason, change.reason);
        EXPECT_EQ(back.refused, change.refused);
        EXPECT_EQ(back.replacements, change.replacements);
        EXPECT_EQ(back.body, change.body);
        EXPECT_EQ(back.receipt.erasure, change.receipt.erasure);
        EXPECT_EQ(back.source_offset, change.source_offset);
        EXPECT_EQ(back.collection, change.collection);
        EXPECT_EQ(back.fact_key, change.fact_key);
        EXPECT_EQ(back.is_secret, change.is_secret);
    }
}

// `sluice log` shows it, and scripts may look for it.
TEST(Change, HasANameOfItsOwnForEachKind) {
    std::set<std::string_view> names;
    for (int kind = 1; kind <= static_cast<int>(ChangeKind::rederive); ++kind) {
        names.insert(name_of(static_cast<ChangeKind>(kind)));
    }
    EXPECT_EQ(names.size(), static_cast<std::size_t>(ChangeKind::rederive));
    EXPECT_FALSE(names.contains("unknown"));
}

TEST(Change, KeepsRunsOfSeqsSmall) {
    Change change;
    for (std::uint64_t i = 1; i <= 1'000'000; ++i) change.seqs.push_back({i});
    EXPECT_LT(encode(change).size(), 32u);
}

TEST(Change, MayOnlyNameWhatLiesBeforeIt) {
    const std::string bytes = encode(some_change(ChangeKind::remove));
    EXPECT_TRUE(decode_change(bytes, {301}));
    EXPECT_EQ(decode_change(bytes, {300}).error().code, Errc::corrupt);
}

TEST(Change, RefusesBytesThatAreNone) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 100'000; ++i) {
        constexpr auto kKinds = static_cast<std::uint64_t>(ChangeKind::transforms);
        std::string bytes = encode(some_change(static_cast<ChangeKind>(1 + random() % kKinds)));
        const std::size_t at = random() % bytes.size();
        bytes[at] = static_cast<char>(random());
        bytes.resize(random() % (bytes.size() + 1));
        const auto change = decode_change(bytes, {301}); // Must neither crash nor take memory.
        if (change) {
            for (const Seq seq : change->seqs) EXPECT_LT(seq, Seq{301});
        }
    }
    EXPECT_EQ(decode_change("\x7f", {5}).error().code, Errc::unsupported_version);
}

TEST(KeyHash, DependsOnKeyAndSecret) {
    std::array<char, 32> other{};
    other[0] = 1;
    EXPECT_EQ(hash_key("key", {}), hash_key("key", {}));
    EXPECT_NE(hash_key("key", {}).bytes, hash_key("kez", {}).bytes);
    EXPECT_NE(hash_key("key", {}).bytes, hash_key("key", other).bytes);
}

Change about(ChangeKind kind, std::vector<Seq> seqs) {
    Change change;
    change.kind = kind;
    change.seqs = std::move(seqs);
    return change;
}

TEST(Ledger, DeletesAndRestoresButNeverWhatIsErased) {
    Ledger ledger;
    ledger.apply({10}, about(ChangeKind::remove, {{1}, {2}, {3}}));
    ledger.apply({11}, about(ChangeKind::erase, {{2}, {4}}));
    ledger.apply({12}, about(ChangeKind::restore, {{1}, {2}}));
    EXPECT_FALSE(ledger.gone().deleted.contains({1}));
    EXPECT_TRUE(ledger.gone().deleted.contains({2}));
    EXPECT_TRUE(ledger.gone().erased.contains({2}));
    EXPECT_TRUE(ledger.gone().deleted.contains({3}));
    EXPECT_TRUE(ledger.gone().deleted.contains({4}));
    EXPECT_TRUE(ledger.is_change({11}));
}

TEST(Ledger, KnowsEachVersionOfAMessageAtItsTime) {
    Ledger ledger;
    ledger.apply({10}, about(ChangeKind::replace, {{1}}));
    ledger.apply({20}, about(ChangeKind::replace, {{1}}));
    EXPECT_EQ(ledger.version_at({1}, {9}), Seq{1});
    EXPECT_EQ(ledger.version_at({1}, {10}), Seq{10});
    EXPECT_EQ(ledger.version_at({1}, {19}), Seq{10});
    EXPECT_EQ(ledger.version_at({1}, {25}), Seq{20});
    EXPECT_EQ(ledger.version_at({2}, {25}), Seq{2});
    EXPECT_EQ(ledger.replacements({1}), (std::vector<Seq>{{10}, {20}}));
}

TEST(Ledger, CountsAnErasureAsUnfinishedUntilItsReceipt) {
    Ledger ledger;
    Change erase = about(ChangeKind::erase, {{1}});
    erase.refused = {hash_key("key", {})};
    ledger.apply({10}, erase);
    EXPECT_FALSE(ledger.erasures().at({10}).receipt);
    EXPECT_TRUE(ledger.is_refused(hash_key("key", {})));
    EXPECT_FALSE(ledger.is_refused(hash_key("other", {})));
    Change receipt = about(ChangeKind::receipt, {});
    receipt.receipt.erasure = {10};
    ledger.apply({11}, receipt);
    EXPECT_TRUE(ledger.erasures().at({10}).receipt);
}

TEST(Ledger, HoldsUntilReleased) {
    Ledger ledger;
    ledger.apply({10}, about(ChangeKind::hold, {{1}, {2}}));
    ledger.apply({11}, about(ChangeKind::release, {{1}}));
    EXPECT_FALSE(ledger.is_held({1}));
    EXPECT_TRUE(ledger.is_held({2}));
}

} // namespace
} // namespace sluice
