#include "scuttlebutt/read_keys.hpp"

#include "scuttlebutt/secret_file.hpp"

#include <string>

#include <gtest/gtest.h>

namespace sluice::scuttlebutt {
namespace {

Bytes32 bytes_of(unsigned char byte) {
    Bytes32 bytes;
    bytes.fill(byte);
    return bytes;
}

Fact stored(const PreparedFact& fact) {
    return {fact.name, fact.value, fact.is_secret, Seq{1}};
}

TEST(ReadKeys, HoldAllThatOpeningNeeds) {
    const KeyPair pair = key_pair_from_seed(bytes_of(1));
    ReadKey key;
    ASSERT_TRUE(read_key(identity_fact(pair).value, key));
    EXPECT_EQ(key.kind, ReadKeyKind::identity);
    EXPECT_EQ(key.box_keys.secret_key, box_keys_of(pair).secret_key);
    EXPECT_EQ(key.box_keys.public_key, box_keys_of(pair).public_key);
    EXPECT_EQ(key.feed, envelope_place(pair.id, "")->feed);

    ReadKey group;
    ASSERT_TRUE(read_key(group_fact({bytes_of(2), "%g.cloaked"}).value, group));
    EXPECT_EQ(group.kind, ReadKeyKind::group);
    EXPECT_EQ(group.key, bytes_of(2));
    ReadKey own;
    ASSERT_TRUE(read_key(own_fact(bytes_of(3)).value, own));
    EXPECT_EQ(own.kind, ReadKeyKind::own);
    EXPECT_EQ(own.key, bytes_of(3));
}

TEST(ReadKeys, AreSecretAndNamedByWhatIsNoSecret) {
    const KeyPair pair = key_pair_from_seed(bytes_of(1));
    const PreparedFact identity = identity_fact(pair);
    EXPECT_EQ(identity.name.collection, "scuttlebutt.keys");
    EXPECT_EQ(identity.name.key, (Key{"identity", pair.id}));
    EXPECT_EQ(identity_fact(pair).fact().value, identity.value);
    for (const PreparedFact& fact : {identity, group_fact({bytes_of(2), "%g.cloaked"}),
                                     group_fact({bytes_of(2), ""}), own_fact(bytes_of(3))}) {
        EXPECT_TRUE(fact.fact().is_secret);
        const auto text = read_key_text(stored(fact));
        ASSERT_TRUE(text);
        for (const std::string& shown : {text->id, fact.name.key.to_json()}) {
            EXPECT_EQ(shown.find(to_base64(bytes_of(2)).substr(0, 8)), std::string::npos);
            EXPECT_EQ(shown.find("02020202"), std::string::npos);
            EXPECT_EQ(shown.find("03030303"), std::string::npos);
        }
    }
    EXPECT_EQ(read_key_text(stored(identity))->id, pair.id);
    EXPECT_EQ(read_key_text(stored(group_fact({bytes_of(2), "%g.cloaked"})))->id, "%g.cloaked");
    EXPECT_EQ(read_key_text(stored(group_fact({bytes_of(2), ""})))->id,
              key_fingerprint(bytes_of(2)));
    EXPECT_EQ(read_key_text(stored(own_fact(bytes_of(3))))->kind, "own");
}

TEST(ReadKeys, OfASecretFileAreAFactEach) {
    const KeyPair first = key_pair_from_seed(bytes_of(1)), second = key_pair_from_seed(bytes_of(2));
    const std::string file = secret_line(first) + "\n" + secret_line(second) + "\n";
    const auto facts = identity_facts(file).value();
    const auto to_put = facts_of(facts);
    ASSERT_EQ(to_put.size(), 2u);
    EXPECT_EQ(to_put[0].name.key, identity_fact(first).name.key);
    EXPECT_EQ(to_put[1].value, identity_fact(second).value);
    EXPECT_TRUE(to_put[0].is_secret);
    EXPECT_EQ(identity_facts("no secret").error().code, Errc::invalid_argument);
}

// After a change of members a group has a second key, and the first still opens what was.
TEST(ReadKeys, OfOneGroupAreSeveralFacts) {
    EXPECT_NE(group_fact({bytes_of(2), "g"}).name.key, group_fact({bytes_of(3), "g"}).name.key);
    EXPECT_EQ(group_fact({bytes_of(2), "g"}).name.key, group_fact({bytes_of(2), ""}).name.key);
}

TEST(ReadKeys, ThatAreNoneAreRefused) {
    for (const PreparedFact& fact : {identity_fact(key_pair_from_seed(bytes_of(1))),
                                     group_fact({bytes_of(2), "g"}), own_fact(bytes_of(3))}) {
        for (std::size_t size = 0; size < fact.value.size(); ++size) {
            ReadKey key;
            EXPECT_FALSE(read_key(std::string_view(fact.value).substr(0, size), key));
        }
        ReadKey key;
        EXPECT_FALSE(read_key(fact.value + "x", key));
        std::string other = fact.value;
        other[0] = 2; // A version to come.
        EXPECT_FALSE(read_key(other, key));
        other = fact.value;
        other[1] = 9;
        EXPECT_FALSE(read_key(other, key));
        Fact elsewhere = stored(fact);
        elsewhere.name.collection = "keys";
        EXPECT_FALSE(read_key_text(elsewhere));
    }
}

} // namespace
} // namespace sluice::scuttlebutt
