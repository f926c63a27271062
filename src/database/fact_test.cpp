// Facts in a database: what database.hpp says of them, in its own words.
#include "database/database_test_support.hpp"

namespace sluice::test {
namespace {

const FactName kTeam{"keys", Key("team")};

/// Like `keys ["team"]=value`.
std::string facts_of(const DatabaseOnDisk& on, std::string_view collection = {}) {
    std::string text;
    for (const Fact& fact : on.database->facts(collection)) {
        text += (text.empty() ? "" : " ") + fact.name.collection + fact.name.key.to_json() + '=' +
                fact.value;
    }
    return text;
}

TEST(Facts, AreEntriesOfTheLogAndStay) {
    DatabaseOnDisk on;
    on.append("a message");
    EXPECT_EQ(on.database->put_fact({kTeam, "sesame", true}).value().at, Seq{2});
    on.database->put_fact({{"blocks", Key("bo", 7)}, "yes"}).value();
    const std::string expected = R"(blocks["bo",7]=yes keys["team"]=sesame)";
    EXPECT_EQ(facts_of(on), expected);
    EXPECT_EQ(facts_of(on, "blocks"), R"(blocks["bo",7]=yes)");
    EXPECT_TRUE(on.database->facts("keys").front().is_secret);
    on.crash(Fate::lost);
    EXPECT_EQ(facts_of(on), expected);
    EXPECT_EQ(on.database->snapshot().get({2}).value().change, "put fact in keys");
    on.expect_verified();
}

TEST(Facts, ChangeWhenPutAgainAndGoWhenDropped) {
    DatabaseOnDisk on;
    on.database->put_fact({kTeam, "one"}).value();
    EXPECT_EQ(on.database->put_fact({kTeam, "one"}).value().at, Seq{0}) << "nothing to do";
    on.database->put_fact({kTeam, "two"}).value();
    EXPECT_EQ(facts_of(on), R"(keys["team"]=two)");
    on.database->drop_fact(kTeam).value();
    EXPECT_EQ(facts_of(on), "");
    EXPECT_EQ(code_of(on.database->drop_fact(kTeam)), Errc::not_found);
    on.reopen();
    EXPECT_EQ(facts_of(on), "");
    on.database->put_fact({kTeam, "three"}).value();
    EXPECT_EQ(facts_of(on), R"(keys["team"]=three)");
}

TEST(Facts, NeedANameAndFit) {
    DatabaseOnDisk on;
    EXPECT_EQ(code_of(on.database->put_fact({{"", Key("a")}, "x"})), Errc::invalid_argument);
    EXPECT_EQ(code_of(on.database->put_fact({{"keys", Key()}, "x"})), Errc::invalid_argument);
    EXPECT_EQ(code_of(on.database->put_fact({{std::string(256, 'c'), Key("a")}, "x"})),
              Errc::invalid_argument);
    const std::string too_large(16 * 1024 * 1024 + 1, 'x');
    EXPECT_EQ(code_of(on.database->put_fact({kTeam, too_large})), Errc::invalid_argument);
    EXPECT_EQ(code_of(on.database->erase_fact(kTeam)), Errc::not_found);
    EXPECT_EQ(on.database->last(), Seq{0});
}

TEST(Facts, HaveKeysThatFitInAnEntry) {
    DatabaseOnDisk on;
    const Key too_long(std::string(65536, 'k'));
    EXPECT_EQ(code_of(on.database->put_fact({{"keys", too_long}, "x"})), Errc::invalid_argument);
}

TEST(Facts, ThatCannotBeCannotGo) {
    DatabaseOnDisk on;
    EXPECT_EQ(code_of(on.database->drop_fact({"", Key("a")})), Errc::invalid_argument);
    EXPECT_EQ(code_of(on.database->erase_fact({"", Key("a")})), Errc::invalid_argument);
}

// What is to be erased must be durable before, or nobody could tell a torn tail from it.
TEST(Facts, AreNotErasedWhereTheLogCannotBeSynced) {
    Options options = small_files();
    options.durability = Durability::none;
    DatabaseOnDisk on(options);
    on.database->put_fact({kTeam, "value"}).value();
    on.disk.fail_after(0);
    EXPECT_EQ(code_of(on.database->erase_fact(kTeam)), Errc::io);
    on.disk.stop_failing();
    on.reopen();
    EXPECT_EQ(on.database->facts().size(), 1u);
}

TEST(Facts, BecomeSecretsWhenTheyArePutAgainAsSuch) {
    DatabaseOnDisk on;
    on.database->put_fact({kTeam, "value"}).value();
    EXPECT_EQ(on.database->put_fact({kTeam, "value"}).value().at, Seq{});
    EXPECT_EQ(on.database->put_fact({kTeam, "value", /*is_secret=*/true}).value().at, Seq{2});
    EXPECT_TRUE(on.database->facts().front().is_secret);
}

TEST(Facts, HaveNoValueRatherThanAnOlderOneWhenTheirEntryIsDamaged) {
    DatabaseOnDisk on;
    on.database->put_fact({kTeam, "the value of before"}).value();
    on.database->put_fact({kTeam, "the value of now"}).value();
    on.database->put_fact({{"keys", Key("other")}, "untouched"}).value();
    on.close();
    damage(on, "value of now");
    on.open();
    EXPECT_EQ(facts_of(on), R"(keys["other"]=untouched)");
    EXPECT_NE(on.database->recovery_notes().front().find("1 entries are damaged, the first is 2"),
              std::string::npos);
    on.database->erase_fact(kTeam).value();
    EXPECT_TRUE(on.disk.find_on_device("alue of").empty());
}

// P6, for a fact: its name and every value it ever had.
TEST(Facts, AreInNoFileWhenTheyAreErased) {
    DatabaseOnDisk on;
    const FactName secret{"keys", Key("a telling name")};
    on.database->put_fact({secret, "the first value of the fact"}).value();
    on.database->drop_fact(secret).value();
    on.database->put_fact({secret, "the second value of the fact"}).value();
    on.database->put_fact({kTeam, "another fact"}).value();
    const Changed erased = on.database->erase_fact(secret, {.reason = "asked to"}).value();
    EXPECT_TRUE(erased.seqs.empty());
    EXPECT_EQ(erased.receipt->entries_wiped, 3u);
    EXPECT_EQ(facts_of(on), R"(keys["team"]=another fact)");
    for (const char* const needle : {"telling", "first value", "second value"}) {
        EXPECT_TRUE(on.disk.find_on_device(needle).empty()) << needle;
    }
    on.reopen();
    EXPECT_EQ(facts_of(on), R"(keys["team"]=another fact)");
    EXPECT_EQ(on.database->receipts().size(), 1u);
    on.expect_verified();
}

TEST(Facts, AreErasedWhollyOrNotAtAllWhereverThePowerGoes) {
    std::string long_value;
    for (int i = 0; i < 150; ++i) long_value += "a secret value ";
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        DatabaseOnDisk on;
        on.database->put_fact({kTeam, "a secret value, an old one"}).value();
        on.database->put_fact({kTeam, long_value}).value();
        std::vector<std::unique_ptr<SimulatedDisk>> left;
        on.disk.observe([&] {
            left.push_back(on.disk.copy_after_power_cut(Fate::torn, on.disk.operations() + seed));
        });
        on.database->erase_fact(kTeam).value();
        on.disk.observe({});
        ASSERT_FALSE(left.empty());
        for (const auto& disk : left) {
            const auto root = disk->root();
            const auto database = Database::open(*root, on.options).value();
            const std::vector<Fact> facts = database->facts();
            if (!facts.empty()) {
                EXPECT_EQ(facts.front().value, long_value);
                continue;
            }
            EXPECT_TRUE(disk->find_on_device("secret value").empty()) << seed;
            EXPECT_TRUE(database->receipts().front().finished());
            EXPECT_TRUE(database->recovery_notes().empty() ||
                        database->recovery_notes().front().find("damaged") == std::string::npos);
        }
    }
}

} // namespace
} // namespace sluice::test
