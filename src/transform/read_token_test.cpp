// A token is wrong when what it was made for would be answered otherwise, and the ranges find
// exactly these: held against asking again, over random cells.
#include "transform/read_token.hpp"

#include <sluice/key.hpp>

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace sluice {
namespace {

std::mt19937_64 seeded(std::uint64_t seed) {
    return std::mt19937_64(seed);
}

/// Few different ones, of up to three elements, some the beginning of others.
Key random_key(std::mt19937_64& random) {
    const auto text = [&] { return std::string(1, static_cast<char>('a' + random() % 3)); };
    switch (random() % 6) {
    case 0: return Key(text());
    case 1: return Key(text(), static_cast<std::int64_t>(random() % 3));
    case 2: return Key(text(), text(), text());
    case 3: return Key(text() + '\0');
    case 4: return Key(static_cast<std::int64_t>(random() % 3) - 1);
    default: return Key(text(), text());
    }
}

bool is_in(const std::vector<ScanRange>& ranges, const std::string& token) {
    return std::any_of(ranges.begin(), ranges.end(), [&](const ScanRange& range) {
        return token >= range.from && (!range.to || token < *range.to);
    });
}

using Facts = std::set<std::string>; // Encoded keys.

bool begins(const std::string& key, const std::string& prefix) {
    const auto of_elements = [&] {
        bool found = false;
        for_each_prefix(key, [&](std::string_view each) { found |= each == prefix; });
        return found;
    };
    return key.starts_with(prefix) && of_elements();
}

std::optional<std::string> first_of(const Facts& facts, const std::string& prefix) {
    for (const std::string& key : facts) {
        if (begins(key, prefix)) return key;
    }
    return std::nullopt;
}

std::optional<std::string> last_of(const Facts& facts, const std::string& prefix) {
    for (auto key = facts.rbegin(); key != facts.rend(); ++key) {
        if (begins(*key, prefix)) return *key;
    }
    return std::nullopt;
}

TEST(ReadTokens, AreFoundWhenAFactComesOrGoesExactlyIfTheAnswerIsAnother) {
    auto random = seeded(1);
    std::size_t wrong_count = 0;
    for (int round = 0; round < 20000; ++round) {
        const ReadTokens make({{}, "facts"});
        Facts facts;
        for (std::size_t n = random() % 6; n > 0; --n) facts.insert(random_key(random).encoded());
        const std::string asked = random() % 8 == 0 ? "" : random_key(random).encoded();
        const std::string changed = random_key(random).encoded();
        Facts after = facts;
        if (!after.erase(changed)) after.insert(changed);
        const auto ranges = make.made_wrong_by_presence(changed);
        const std::string when =
            Key::from_encoded(asked)->to_json() + " and " + Key::from_encoded(changed)->to_json();

        const bool is_asked = asked == changed;
        EXPECT_EQ(is_in(ranges, make.exact(asked)), is_asked) << when;
        EXPECT_EQ(is_in(ranges, make.presence(asked)), is_asked) << when;
        EXPECT_EQ(is_in(ranges, make.prefix(asked)), begins(changed, asked)) << when;
        const bool first_is_wrong = first_of(facts, asked) != first_of(after, asked);
        const bool last_is_wrong = last_of(facts, asked) != last_of(after, asked);
        EXPECT_EQ(is_in(ranges, make.first(asked, first_of(facts, asked))), first_is_wrong) << when;
        EXPECT_EQ(is_in(ranges, make.last(asked, last_of(facts, asked))), last_is_wrong) << when;
        EXPECT_FALSE(is_in(ranges, make.any(asked))) << when;
        EXPECT_EQ(is_in(make.made_wrong_by_candidate(changed), make.any(asked)),
                  begins(changed, asked))
            << when;
        const auto by_value = make.made_wrong_by_value(changed);
        EXPECT_EQ(is_in(by_value, make.exact(asked)), is_asked) << when;
        EXPECT_EQ(is_in(by_value, make.prefix(asked)), begins(changed, asked)) << when;
        EXPECT_FALSE(is_in(by_value, make.presence(asked))) << when;
        wrong_count += first_is_wrong + last_is_wrong;
    }
    EXPECT_GT(wrong_count, 3000u);
}

TEST(ReadTokens, OfACellAreFoundByItsOwnerAndKeyOnly) {
    auto random = seeded(2);
    for (int round = 0; round < 5000; ++round) {
        const ReadTokens make(SourceId{ViewId{100}});
        const Seq owner{random() % 300}, changed{random() % 300};
        const std::string key = random_key(random).encoded(), other = random_key(random).encoded();
        const bool same = owner == changed && key == other;
        EXPECT_EQ(is_in(make.made_wrong_by_value(changed, other), make.seen(owner, key)), same);
        EXPECT_FALSE(is_in(make.made_wrong_by_value(changed, other), make.seen_there(owner, key)));
        EXPECT_EQ(is_in(make.made_wrong_by_gone(changed, other), make.seen(owner, key)), same);
        EXPECT_EQ(is_in(make.made_wrong_by_gone(changed, other), make.seen_there(owner, key)),
                  same);
        EXPECT_EQ(is_in(make.made_wrong_by_gone(changed), make.seen(owner, key)), owner == changed);
        EXPECT_EQ(is_in(make.made_wrong_by_gone(changed), make.seen_there(owner, key)),
                  owner == changed);
    }
}

TEST(ReadTokens, OfOneSourceAreNotThoseOfAnother) {
    const std::string long_name(255, 'a');
    const SourceId ids[] = {{{}, "a"}, {{}, "ab"}, {{}, long_name}, {{1}}, {{256}}, {{0x01000000}}};
    for (const SourceId& one : ids) {
        for (const SourceId& other : ids) {
            const bool same = one.view == other.view && one.collection == other.collection;
            const std::string token = ReadTokens(one).prefix("");
            EXPECT_EQ(is_in({ReadTokens(other).all()}, token), same);
            EXPECT_EQ(is_in(ReadTokens(other).made_wrong_by_presence(Key("k").encoded()), token),
                      same);
        }
    }
}

TEST(ReadTokens, SayWhatWasRead) {
    const std::string key = Key("k", 7).encoded();
    const ReadTokens facts({{}, "keys"});
    const ReadTokens cells(SourceId{ViewId{0x01020304}});
    for (const std::string& token :
         {facts.exact(key), facts.presence(key), facts.prefix(key), facts.any(key)}) {
        const auto read = describe_read(token);
        ASSERT_TRUE(read);
        EXPECT_EQ(read->collection, "keys");
        EXPECT_EQ(read->key, key);
    }
    const auto seen = describe_read(cells.seen_there({0x0102030405}, key));
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->kind, Read::seen_there);
    EXPECT_EQ(seen->view, ViewId{0x01020304});
    EXPECT_EQ(seen->owner, Seq{0x0102030405});
    EXPECT_EQ(seen->key, key);
    const auto first = describe_read(cells.first(Key("k").encoded(), std::nullopt));
    ASSERT_TRUE(first);
    EXPECT_EQ(first->key, Key("k").encoded());
    EXPECT_FALSE(first->found);
    EXPECT_TRUE(describe_read(cells.first(Key("k").encoded(), key))->found);
    EXPECT_TRUE(describe_read(cells.last(Key("k").encoded(), key))->found);
    EXPECT_FALSE(describe_read(cells.last(Key("k").encoded(), std::nullopt))->found);
}

std::string hex(std::string_view bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const char byte : bytes) {
        text.push_back(kDigits[static_cast<unsigned char>(byte) >> 4]);
        text.push_back(kDigits[static_cast<unsigned char>(byte) & 15]);
    }
    return text;
}

// Golden: docs/format/transforms.md, version 1. Whoever changes these bytes changes the version.
TEST(ReadTokens, AreTheBytesOfVersionOne) {
    const std::string key = Key("ab").encoded();
    const ReadTokens facts({{}, "keys"});
    const ReadTokens cells(SourceId{ViewId{0x01020304}});
    EXPECT_EQ(hex(key), "40616200");
    EXPECT_EQ(hex(facts.exact(key)), "00000000046b6579733d40616200");
    EXPECT_EQ(hex(facts.presence(key)), "00000000046b6579733f40616200");
    EXPECT_EQ(hex(facts.any("")), "00000000046b65797361");
    EXPECT_EQ(hex(cells.prefix(key)), "010203043c40616200");
    EXPECT_EQ(hex(cells.first("", key)), "01020304660040616200");
    EXPECT_EQ(hex(cells.first(key, std::nullopt)), "010203046604" + hex(key) + "ff");
    EXPECT_EQ(hex(cells.last(key, key)), "010203046c04" + hex(key));
    EXPECT_EQ(hex(cells.seen({7}, key)), "0102030440000000000000000740616200");
    EXPECT_EQ(hex(cells.seen_there({7}, key)), "0102030423000000000000000740616200");
}

TEST(ReadTokens, SurviveBytesOfAnySort) {
    auto random = seeded(3);
    for (int i = 0; i < 20000; ++i) {
        std::string bytes = ReadTokens({{}, "keys"}).first("abc", "abcdef");
        bytes.resize(random() % (bytes.size() + 1));
        for (char& byte : bytes) {
            if (random() % 4 == 0) byte = static_cast<char>(random());
        }
        static_cast<void>(describe_read(bytes));
    }
    EXPECT_FALSE(describe_read(""));
}

} // namespace
} // namespace sluice
