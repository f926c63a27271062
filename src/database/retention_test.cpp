// Retention: what goes, what stays, and that nothing but the rule and the messages decide.
#include "base/json.hpp"
#include "database/retention_rule.hpp"
#include "database/retention_test_support.hpp"
#include "database/transform_test_support.hpp"

namespace sluice::test {
namespace {

std::optional<std::int64_t> time_of(const std::string& json) {
    JsonParser parser;
    return time_in(*parser.parse(json));
}

TEST(RetentionTime, IsSecondsMillisecondsOrRfc3339) {
    EXPECT_EQ(time_of("1500000000"), 1500000000000);
    EXPECT_EQ(time_of("1500000000000"), 1500000000000);
    EXPECT_EQ(time_of("1500000000000.75"), 1500000000000);
    EXPECT_EQ(time_of("1500000000.5"), 1500000000500);
    EXPECT_EQ(time_of("\"2017-07-14T02:40:00Z\""), 1500000000000);
    EXPECT_EQ(time_of("\"2017-07-14t02:40:00.1239z\""), 1500000000123);
    EXPECT_EQ(time_of("\"2017-07-14 04:10:00.5+01:30\""), 1500000000500);
    EXPECT_EQ(time_of("\"2017-07-13T22:40:00-04:00\""), 1500000000000);
    EXPECT_EQ(time_of("\"2016-12-31T23:59:60Z\""), 1483228800000);
}

TEST(RetentionTime, IsUnknownWhereItIsAnythingElse) {
    for (const char* const json : {"null",
                                   "true",
                                   "0",
                                   "-1",
                                   "-1500000000",
                                   "1e300",
                                   "1e999",
                                   "[]",
                                   "{}",
                                   "[1500000000]",
                                   "\"\"",
                                   "\"1500000000\"",
                                   "\"2017-07-14\"",
                                   "\"2017-07-14T02:40:00\"",
                                   "\"2017-02-29T00:00:00Z\"",
                                   "\"2017-13-01T00:00:00Z\"",
                                   "\"2017-07-14T24:00:00Z\"",
                                   "\"2017-07-14T02:60:00Z\"",
                                   "\"2017-07-14T02:40:61Z\"",
                                   "\"2017-07-14T02:40:00.Z\"",
                                   "\"2017-07-14T02:40:00+1:00\"",
                                   "\"2017-07-14T02:40:00+24:00\"",
                                   "\"2017-07-14T02:40:00Z \"",
                                   "\"1969-12-31T23:59:59Z\"",
                                   "\"0000-00-00T00:00:00Z\""}) {
        EXPECT_EQ(time_of(json), std::nullopt) << json;
    }
    // Any byte of a date that is another one, and any beginning of it.
    const std::string date = "2017-07-14T02:40:00.5+01:30";
    for (std::size_t at = 0; at < date.size(); ++at) {
        std::string another = date;
        another[at] = '/';
        EXPECT_EQ(time_of('"' + another + '"'), std::nullopt) << another;
        EXPECT_EQ(time_of('"' + date.substr(0, at) + '"'), std::nullopt) << at;
    }
    EXPECT_EQ(time_of("\"2017-07-14T02:40:00+01:60\""), std::nullopt);
}

TEST(RetentionRule, IsReadFromItsDefinitionOrRefused) {
    const auto refused = [](std::string_view definition) {
        return code_of(Retention::from_definition("x", definition));
    };
    EXPECT_EQ(refused("no JSON"), Errc::invalid_argument);
    EXPECT_EQ(refused("{}"), Errc::invalid_argument);
    EXPECT_EQ(refused(R"({"keep_last":-1,"action":"delete"})"), Errc::invalid_argument);
    EXPECT_EQ(refused(R"({"keep_last":2.5,"action":"delete"})"), Errc::invalid_argument);
    EXPECT_EQ(refused(R"({"keep_last":2,"action":"burn"})"), Errc::invalid_argument);
    EXPECT_EQ(refused(R"({"keep_last":2,"per":"room","action":"delete"})"), Errc::invalid_argument);
    EXPECT_EQ(refused(R"({"keep_last":2,"view":"v","view_definition":{},"action":"delete"})"),
              Errc::invalid_argument);
    EXPECT_TRUE(Retention::from_definition("x", R"({"keep_last":2,"action":"delete"})"));
}

TEST(RetentionRule, ReadsOnlyRowsThatItHasWritten) {
    const std::string group = Key("g").encoded(), number = Key(std::int64_t{7}).encoded();
    const std::string row = group + number + number + number;
    ASSERT_TRUE(Retention::decode(row, group.size()));
    for (const std::string& bad :
         {std::string("g"), group, group + number + number, row + number, row + 'x',
          group + number + group + number, group + number + Key(2.5).encoded() + number}) {
        EXPECT_EQ(code_of(Retention::decode(bad, group.size())), Errc::corrupt);
    }
}

TEST(Retention, DeletesWhatIsOlderThanAnAge) {
    RetainingDatabase on;
    for (const int days : {10, 90, 91, 89, 200}) on.append_aged(days);
    on.add(older_than_days(90));
    EXPECT_EQ(on.would_apply(), (Seqs{{2}, {3}, {5}}));
    EXPECT_EQ(on.body({2}).substr(0, 1), "{") << "a dry run changes nothing";
    EXPECT_EQ(on.apply(), (Seqs{{2}, {3}, {5}}));
    EXPECT_EQ(on.body({2}), "deleted");
    EXPECT_EQ(on.apply(), Seqs{});
    *on.now += kDayMs - 1;
    EXPECT_EQ(on.apply(), Seqs{}) << "a millisecond too young";
    *on.now += 1;
    EXPECT_EQ(on.apply(), (Seqs{{4}}));
    on.expect_verified();
}

TEST(Retention, LeavesWhatHasNoTimeOrOneThatLiesAhead) {
    RetainingDatabase on;
    on.add(older_than_days(1));
    for (const char* const body :
         {"{}", R"({"time":null})", R"({"time":"yesterday"})", R"({"time":0})", "no JSON",
          R"({"time":[1]})", R"({"time":-5})", R"({"time":1e17})"}) {
        on.append(body);
    }
    on.append_aged(-1);
    EXPECT_EQ(on.apply(), Seqs{});
    on.append_aged(2);
    EXPECT_EQ(on.apply(), (Seqs{{10}}));
}

TEST(Retention, KeepsTheNewestOfEachGroup) {
    RetainingDatabase on;
    on.add({.name = "few", .per = "/room", .keep_last = 2});
    for (int i = 0; i < 3; ++i) {
        on.append_aged(1, "a");
        on.append_aged(1, "ab");
    }
    on.append(R"({"no":"room"})");
    EXPECT_EQ(on.apply(), (Seqs{{1}, {2}}));
    on.append_aged(1, "ab");
    on.append_aged(1, "ab");
    EXPECT_EQ(on.apply(), (Seqs{{4}, {6}}));
    on.expect_verified();
}

TEST(Retention, GoesByTimeAndNotByArrivalIfItIsToldWhereTheTimeIs) {
    RetainingDatabase on;
    for (const int days : {3, 9, 1, 5}) on.append_aged(days);
    on.add({.name = "few", .time = "/time", .keep_last = 2});
    EXPECT_EQ(on.apply(), (Seqs{{2}, {4}}));
}

TEST(Retention, KeepsAsManyBytesOfTheNewest) {
    RetainingDatabase on;
    const std::string ten = R"({"k":"xx"})";
    ASSERT_EQ(ten.size(), 10u);
    for (int i = 0; i < 5; ++i) on.append(ten);
    on.add({.name = "small", .keep_bytes = 29});
    EXPECT_EQ(on.apply(), (Seqs{{1}, {2}, {3}}));
    on.append(ten);
    EXPECT_EQ(on.apply(), (Seqs{{4}}));
    ASSERT_TRUE(on.database->replace({5}, R"({"k":"xxxxxxxxxxxxxxxxx"})"));
    EXPECT_EQ(on.apply(), (Seqs{{5}})) << "it grew";
    on.expect_verified();
}

TEST(Retention, ConcernsOnlyWhatItsConditionAndViewName) {
    RetainingDatabase on;
    ASSERT_TRUE(on.database->add_view("rooms", R"({"kind":"index","key":["/room"]})"));
    on.append_aged(9, "a");
    on.append_aged(9, "b");
    on.append(R"({"time":)" + std::to_string(kToday - 9 * kDayMs) + "}");
    RetentionRule rule = older_than_days(5);
    rule.where = "not /room=b";
    rule.view = "rooms";
    on.add(rule);
    ASSERT_TRUE(on.database->drop_view("rooms"));
    on.reopen();
    on.append(R"({"time":)" + std::to_string(kToday - 9 * kDayMs) + "}");
    EXPECT_EQ(on.apply(), (Seqs{{1}})) << "as the view was when the rule was made";
}

// P6, by a rule, with the receipt.
TEST(Retention, ErasesWithAReceiptThatNamesTheRule) {
    RetainingDatabase on;
    on.append_aged(99, "a", "a text that must not be found in any file");
    on.append_aged(1);
    on.add(erasing(older_than_days(90)));
    EXPECT_EQ(on.apply(), (Seqs{{1}}));
    EXPECT_EQ(on.body({1}), "erased");
    const auto receipts = on.database->receipts();
    ASSERT_EQ(receipts.size(), 1u);
    EXPECT_TRUE(receipts[0].finished());
    EXPECT_EQ(receipts[0].reason, "retention rule old");
    EXPECT_EQ(receipts[0].seqs, (Seqs{{1}}));
    EXPECT_TRUE(on.disk.find("must not be found").empty());
    on.expect_verified();
}

// Deleted after 30 days, erased after 90: no view shows the second rule what the first one took.
TEST(Retention, ErasesWhatWasDeletedOnceItIsOldEnough) {
    for (const bool reopens : {false, true}) {
        RetainingDatabase on;
        on.append_aged(40);
        on.append_aged(100);
        on.append_aged(50);
        RetentionRule first = older_than_days(30);
        first.name = "delete";
        on.add(first);
        on.add(erasing(older_than_days(90)));
        EXPECT_EQ(on.apply(), (Seqs{{2}, {1}, {3}}));
        EXPECT_EQ(on.apply("old"), Seqs{}) << "but it has looked when they are due";
        ASSERT_TRUE(on.database->restore(Seqs{{3}}));
        ASSERT_TRUE(
            on.database->replace({3}, R"({"time":)" + std::to_string(kToday + 9 * kDayMs) + "}"));
        ASSERT_TRUE(on.database->delete_messages(Seqs{{3}}));
        if (reopens) on.reopen();
        *on.now += 50 * kDayMs;
        EXPECT_EQ(on.would_apply("old"), (Seqs{{1}}));
        EXPECT_EQ(on.apply(), (Seqs{{1}})) << "the other has another time now";
        *on.now += 50 * kDayMs;
        EXPECT_EQ(on.apply(), (Seqs{{3}}));
        EXPECT_EQ(on.body({3}), "erased");
        on.expect_verified();
    }
}

// What is done with it between the day on which a rule has looked at it and the one on which it is
// due.
TEST(Retention, ErasesOfWhatWasDeletedOnlyWhatIsDeletedStill) {
    RetainingDatabase on;
    for (int i = 0; i < 5; ++i) on.append_aged(50);
    on.add(erasing(older_than_days(90)));
    ASSERT_TRUE(on.database->delete_messages(Seqs{{1}, {2}, {3}, {4}}));
    EXPECT_EQ(on.apply(), Seqs{}) << "but it has looked when they are due";
    ASSERT_TRUE(on.database->erase(Seqs{{1}}));
    ASSERT_TRUE(on.database->restore(Seqs{{2}, {3}}));
    ASSERT_TRUE(on.database->hold(Seqs{{2}}));
    ASSERT_TRUE(on.database->replace({3}, R"({"time":"none any more"})"));
    ASSERT_TRUE(on.database->delete_messages(Seqs{{3}}));
    *on.now += 50 * kDayMs;
    EXPECT_EQ(on.apply(), (Seqs{{4}, {5}}));
    EXPECT_EQ(on.body({2}).substr(0, 1), "{");
    EXPECT_EQ(on.body({3}), "deleted");
    on.expect_verified();
}

TEST(Retention, FindsNothingOlderThanTimeItself) {
    RetainingDatabase on;
    on.append(R"({"time":1})");
    on.append(R"({"time":1})");
    ASSERT_TRUE(on.database->delete_messages(Seqs{{2}}));
    on.add(erasing(older_than_days(20001)));
    EXPECT_EQ(on.apply(), Seqs{});
    *on.now += 2 * kDayMs;
    EXPECT_EQ(on.apply(), (Seqs{{1}, {2}}));
}

TEST(Retention, LeavesWhatBelongsToNoGroup) {
    RetainingDatabase on;
    on.add({.name = "few", .per = "/room", .keep_last = 1});
    for (int i = 0; i < 2; ++i) {
        on.append(R"({"room":{"a":1}})");
        on.append(R"({"room":[{}]})");
        on.append("{}");
    }
    EXPECT_EQ(on.apply(), Seqs{});
    on.expect_verified();
}

// A change holds some ten thousand messages at most, so that others write between two of them.
TEST(Retention, TakesAnyNumberOfMessagesInParts) {
    constexpr std::size_t kCount = 16'500;
    RetainingDatabase on(Options{.durability = Durability::none, .background = false});
    const auto append = [&](const std::string& room, std::size_t count) {
        const std::string body =
            R"({"room":")" + room + R"(","time":)" + std::to_string(kToday - 99 * kDayMs) + '}';
        ASSERT_TRUE(on.database->append(std::vector<NewMessage>(count, NewMessage{body})));
    };
    append("a", kCount);
    append("b", 3);
    on.add({.name = "few", .per = "/room", .keep_last = 1});
    const std::vector<RetentionRun> few = on.database->apply_retention({}).value();
    EXPECT_EQ(few.at(0).seqs.size(), kCount - 1 + 2);
    EXPECT_EQ(few.at(0).changes.size(), 2u);
    ASSERT_TRUE(on.database->drop_retention("few"));

    append("c", kCount);
    on.add(older_than_days(90));
    const std::vector<RetentionRun> old = on.database->apply_retention({}).value();
    EXPECT_EQ(old.at(0).seqs.size(), kCount + 2);
    EXPECT_EQ(old.at(0).changes.size(), 2u);
    on.expect_verified();
}

TEST(Retention, NeverTakesWhatIsHeldAndTakesItWhenReleased) {
    for (const bool erases : {false, true}) {
        RetainingDatabase on;
        for (int i = 0; i < 4; ++i) on.append_aged(99);
        RetentionRule age = older_than_days(90), count{.name = "few", .keep_last = 1};
        on.add(erases ? erasing(age) : age);
        on.add(erases ? erasing(count) : count);
        ASSERT_TRUE(on.database->hold(Seqs{{1}, {3}}));
        if (erases) {
            ASSERT_TRUE(on.database->delete_messages(Seqs{{3}}));
        }
        EXPECT_EQ(on.apply("few"), (Seqs{{2}}));
        EXPECT_EQ(on.apply("old"), (Seqs{{4}}));
        EXPECT_EQ(on.database->retention()[1].held, 2u);
        ASSERT_TRUE(on.database->release(Seqs{{1}, {3}}));
        EXPECT_EQ(on.would_apply("few"), erases ? Seqs{} : Seqs{{1}});
        EXPECT_EQ(on.apply(), (Seqs{{1}, {3}}));
        on.expect_verified();
    }
}

TEST(Retention, KnowsItsRulesAndGroupsAfterAnOpening) {
    RetainingDatabase on;
    on.add({.name = "few", .per = "/room", .keep_last = 1});
    RetentionRule old = older_than_days(90);
    old.where = "/room = a";
    on.add(old);
    on.append_aged(1, "a");
    on.append_aged(1, "a");
    on.append_aged(99, "b");
    on.reopen();
    const auto rules = on.database->retention();
    ASSERT_EQ(rules.size(), 2u);
    EXPECT_EQ(rules[0].rule.keep_last, 1u);
    EXPECT_EQ(rules[0].rule.per, "/room");
    EXPECT_EQ(rules[1].rule.where, R"(/room="a")");
    EXPECT_EQ(rules[1].rule.older_than, hours(24 * 90));
    EXPECT_EQ(on.apply(), (Seqs{{1}}));
    ASSERT_TRUE(on.database->drop_retention("few"));
    EXPECT_EQ(code_of(on.database->drop_retention("few")), Errc::not_found);
    on.append_aged(1, "a");
    on.reopen();
    EXPECT_EQ(on.apply(), Seqs{});
    on.expect_verified();
}

TEST(Retention, IsNoViewToOthers) {
    RetainingDatabase on;
    on.append_aged(99);
    on.add({.name = "few", .keep_last = 1});
    EXPECT_TRUE(on.database->views().empty());
    EXPECT_TRUE(on.database->why({1})->views.empty());
    const std::string own = "\x03"
                            "few";
    EXPECT_EQ(code_of(on.database->drop_view(own)), Errc::not_found);
    EXPECT_EQ(code_of(on.database->snapshot().read(own)), Errc::not_found);
    EXPECT_EQ(code_of(on.database->feed({.view = own})), Errc::not_found);
    EXPECT_EQ(code_of(on.database->subscribe(own)), Errc::not_found);
    EXPECT_EQ(code_of(on.database->select(SelectView{own, {}})), Errc::not_found);
    bool is_verified = false;
    const VerifyReport report = on.database->verify().value();
    for (const auto& view : report.views) {
        is_verified = is_verified || (view.name == "retention rule few" && view.checked);
    }
    EXPECT_TRUE(is_verified);
}

// The catalog has an entry of the engine's own that is called so.
TEST(Retention, HasARuleOfAnyName) {
    Transforming on;
    on.append(says("one"));
    on.crash(Fate::lost); // Rows are derived anew, which is noted in that entry.
    on.append(says("two"));
    on.append(says("three"));
    on.database->add_retention({.name = "derivations", .keep_last = 1}).value();
    on.crash(Fate::lost);
    ASSERT_EQ(on.database->retention().size(), 1u);
    EXPECT_EQ(on.database->retention()[0].rule.name, "derivations");
    on.database->apply_retention().value();
    EXPECT_EQ(on.said(), R"(["three"]=4)");
    on.database->drop_retention("derivations").value();
    on.reopen();
    EXPECT_TRUE(on.database->retention().empty());
    on.expect_verified();
}

// More than are looked at in one go.
TEST(Retention, SaysOfAllThatIsDeletedWhatIsDue) {
    RetainingDatabase on(Options{.background = false});
    const std::string old = R"({"time":)" + std::to_string(kToday - 99 * kDayMs) + '}';
    constexpr std::size_t kCount = 40000;
    ASSERT_TRUE(on.database->append(std::vector<NewMessage>(kCount, NewMessage{old})));
    on.database->delete_messages(SelectWhere{"/time>0"}).value();
    on.add(erasing(older_than_days(90)));
    EXPECT_EQ(on.would_apply().size(), kCount);
    EXPECT_EQ(on.would_apply().size(), kCount) << "it changed nothing";
    EXPECT_EQ(on.apply().size(), kCount);
    EXPECT_TRUE(on.would_apply().empty());
}

TEST(Retention, RefusesRulesThatMakeNoSense) {
    RetainingDatabase on;
    const auto code = [&](const RetentionRule& rule) {
        return code_of(on.database->add_retention(rule));
    };
    EXPECT_EQ(code({.name = "x"}), Errc::invalid_argument);
    EXPECT_EQ(code({.name = "", .keep_last = 1}), Errc::invalid_argument);
    EXPECT_EQ(code({.name = "a\x02", .keep_last = 1}), Errc::invalid_argument);
    EXPECT_EQ(code({.name = "x", .keep_last = 0}), Errc::invalid_argument);
    EXPECT_EQ(code({.name = "x", .keep_bytes = 0}), Errc::invalid_argument);
    EXPECT_EQ(code({.name = "x", .keep_last = ~std::uint64_t{0}}), Errc::invalid_argument);
    EXPECT_EQ(code({.name = "x", .time = "/t", .older_than = hours(-1)}), Errc::invalid_argument);
    EXPECT_EQ(code({.name = "x", .time = "/t", .older_than = hours(24 * 366 * 1001)}),
              Errc::invalid_argument);
    EXPECT_EQ(code({.name = "x", .keep_last = 1, .keep_bytes = 1}), Errc::invalid_argument);
    EXPECT_EQ(code({.name = "x", .older_than = hours(1)}), Errc::invalid_argument) << "which time?";
    EXPECT_EQ(code({.name = "x", .time = "/t", .older_than = hours(0)}), Errc::invalid_argument);
    EXPECT_EQ(code({.name = "x", .time = "/t", .per = "/g", .older_than = hours(1)}),
              Errc::invalid_argument);
    EXPECT_EQ(code({.name = "x", .time = "t", .keep_last = 1}), Errc::invalid_argument);
    EXPECT_EQ(code({.name = "x", .where = "/a=", .keep_last = 1}), Errc::invalid_argument);
    EXPECT_EQ(code({.name = "x", .view = "none", .keep_last = 1}), Errc::not_found);
    CodeView view;
    view.app = "app";
    view.map = [](const Message&, Emit&) {};
    ASSERT_TRUE(on.database->add_view("code", view));
    EXPECT_EQ(code({.name = "x", .view = "code", .keep_last = 1}), Errc::invalid_argument);
    on.add({.name = "x", .keep_last = 1});
    on.add({.name = "x", .keep_last = 1});
    EXPECT_EQ(code({.name = "x", .keep_last = 2}), Errc::exists);
    EXPECT_EQ(code_of(on.database->apply_retention({.rule = "y"})), Errc::not_found);
}

// All or nothing for each batch, and the next run goes on.
TEST(Retention, GoesOnAfterACrashAtAnyMoment) {
    for (const bool erases : {false, true}) {
        RetainingDatabase on;
        for (int i = 0; i < 12; ++i) on.append_aged(i % 2 == 0 ? 99 : 1, "a", "content");
        const RetentionRule rule = older_than_days(90);
        std::uint64_t moments = 0;
        on.disk.observe([&] {
            const Fate fate = kEveryFate[++moments % std::size(kEveryFate)];
            const auto after = on.disk.copy_after_power_cut(fate, on.disk.operations());
            const auto root = after->root();
            const auto database = Database::open(*root, on.options).value();
            ASSERT_EQ(first_difference(*database), "");
            const std::uint64_t deleted = database->stats().deleted + database->stats().erased;
            ASSERT_TRUE(deleted == 0 || deleted == 6) << deleted;
            ASSERT_TRUE(database->add_retention(erases ? erasing(rule) : rule));
            database->apply_retention().value();
            ASSERT_EQ(database->stats().live, 6u);
            ASSERT_EQ(erases ? database->stats().erased : database->stats().deleted, 6u);
            ASSERT_EQ(first_difference(*database), "");
        });
        on.add(erases ? erasing(rule) : rule);
        on.apply();
        on.disk.observe({});
        EXPECT_GT(moments, 20u);
    }
}

} // namespace
} // namespace sluice::test
