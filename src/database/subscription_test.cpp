// F4 to F6: live differences.
#include "database/subscription_test_support.hpp"
#include "database/transform_test_support.hpp"

namespace sluice::test {
namespace {

struct Subscribed : DatabaseOnDisk {
    Subscribed() {
        database->add_view("by_author", kByAuthor).value();
        database->add_view("counts", kCounts).value();
        append_some(4);
    }
    Replica subscribe(const std::string& view, const ReadOptions& range = {},
                      const SubscribeOptions& how = {}) const {
        return Replica(database->subscribe(view, range, how).value());
    }
};

// F4.
TEST(Subscription, TellsTheRowsAndThenWhatEachCommitMakesOfThem) {
    Subscribed on;
    Replica ada = on.subscribe("by_author", {.prefix = Key("ada")});
    EXPECT_EQ(ada.next(), R"(fresh +["ada",1]=1 +["ada",3]=3)");
    EXPECT_EQ(ada.next(), "nothing");

    on.append(body_of("ada", 7));
    on.append(body_of("bo", 8)); // Not in the range.
    on.database->delete_messages(Seqs{{1}, {2}}).value();
    on.database->replace({3}, body_of("ada", 30)).value();
    on.database->restore(Seqs{{1}}).value();
    on.database->replace({5}, body_of("ada", 7, "the same key")).value();
    EXPECT_EQ(ada.next(), R"(+["ada",7]=5)");
    EXPECT_EQ(ada.next(), R"(-["ada",1]=1)");
    EXPECT_EQ(ada.next(), R"(-["ada",3]=3 +["ada",30]=3)");
    EXPECT_EQ(ada.next(), R"(+["ada",1]=1)");
    EXPECT_EQ(ada.next(), R"(-["ada",7]=5 +["ada",7]=5)");
    EXPECT_EQ(ada.next(), "nothing");
    EXPECT_EQ(ada.rows(), on.rows("by_author", {.prefix = Key("ada")}));
}

TEST(Subscription, KeepsToItsRange) {
    Subscribed on;
    Replica some = on.subscribe("by_author", {.from = Key("ada", 2), .to = Key("bo", 3)});
    EXPECT_EQ(some.next(), R"(fresh +["ada",3]=3 +["bo",2]=2)");
    on.append(body_of("ada", 1));
    on.append(body_of("bo", 3));
    on.append(body_of("bo", 1));
    EXPECT_EQ(some.next(), R"(+["bo",1]=7)");
    EXPECT_EQ(some.next(), "nothing");
}

TEST(Subscription, OfAnAggregateTellsTheAnswersOfGroups) {
    Subscribed on;
    Replica counts = on.subscribe("counts", {.prefix = Key("ada")});
    EXPECT_EQ(counts.next(), R"(fresh +["ada"]{"count":2,"sum":4})");
    on.append(body_of("ada", 10));
    EXPECT_EQ(counts.next(), R"(-["ada"]{"count":2,"sum":4} +["ada"]{"count":3,"sum":14})");
    on.database->delete_messages(Seqs{{1}, {3}, {5}}).value();
    EXPECT_EQ(counts.next(), R"(-["ada"]{"count":3,"sum":14})");
    EXPECT_EQ(counts.next(), "nothing");
}

// F5.
TEST(Subscription, ThatIsSlowIsToldAnewInsteadOfKeepingMore) {
    Subscribed on;
    Replica slow = on.subscribe("by_author", {}, {.rows_waiting_max = 3});
    slow.take();
    for (int n = 10; n < 13; ++n) on.append(body_of("ada", n));
    EXPECT_EQ(slow.next(), R"(+["ada",10]=5)");
    EXPECT_EQ(slow.take(), 2u);
    for (int n = 20; n < 24; ++n) on.append(body_of("ada", n));
    EXPECT_TRUE(slow.next().starts_with("fresh"));
    EXPECT_EQ(slow.next(), "nothing");
    EXPECT_EQ(slow.rows(), on.rows("by_author"));
}

TEST(Subscription, HoldsNoFilesAgainstAnErasure) {
    Subscribed on;
    Replica idle = on.subscribe("by_author");
    idle.take();
    on.append(body_of("ada", 9));
    on.database->merge_views().value();
    EXPECT_TRUE(on.database->erase(Seqs{{1}}).value().receipt->finished());
    idle.take();
    EXPECT_EQ(idle.rows(), on.rows("by_author"));
}

// F6.
TEST(Subscription, TellsNothingThatIsErased) {
    Subscribed on;
    Replica late = on.subscribe("by_author");
    late.take();
    const Seq secret = on.append(body_of("zoe", 1));
    on.database->erase(Seqs{secret}).value();
    const auto told = late.subscription().next().value();
    ASSERT_TRUE(told && told->is_fresh);
    for (const ViewRow& row : told->added) EXPECT_NE(row.key, Key("zoe", 1));
}

TEST(Subscription, FollowsAViewThatIsReplacedAndSaysWhenThereIsNone) {
    Subscribed on;
    Replica rows = on.subscribe("by_author");
    rows.take();
    on.database->add_view("by_author", R"({"kind":"index","key":["/n"]})").value();
    EXPECT_EQ(rows.next(), "fresh +[1]=1 +[2]=2 +[3]=3 +[4]=4");
    on.append(body_of("ada", 9));
    EXPECT_EQ(rows.next(), "+[9]=5");
    on.database->drop_view("by_author").value();
    EXPECT_EQ(code_of(rows.subscription().next()), Errc::not_found);
    on.database->add_view("by_author", kByAuthor).value();
    rows.take();
    EXPECT_EQ(rows.rows(), on.rows("by_author"));
}

// Work in parts is one commit for readers.
TEST(Subscription, IsToldOfBigWorkInOneDifference) {
    Options options = small_files();
    options.view_segment_rows_max = 4;
    Transforming on(few_transforms, options);
    for (int i = 0; i < 40; ++i) on.append(boxed("k1", says("number " + std::to_string(i))));
    Replica said(on.database->subscribe("said").value());
    EXPECT_EQ(said.next(), "fresh");
    on.put(kKey1);
    EXPECT_EQ(said.take(), 1u);
    EXPECT_EQ(said.rows(), on.said());
    on.database->drop_fact(kKey1).value();
    said.take();
    EXPECT_EQ(said.rows(), "");
}

// Who comes between two parts sees the rows from before them, and then what they all made.
TEST(Subscription, MayBeginWhileBigWorkIsDone) {
    Options options = small_files();
    options.view_segment_rows_max = 4;
    Transforming on(few_transforms, options);
    on.append(says("open"));
    for (int i = 0; i < 40; ++i) on.append(boxed("k1", says("number " + std::to_string(i))));
    std::optional<Replica> said;
    int mapped = -41; // When it is added.
    CodeView at_work;
    at_work.app = "test";
    at_work.map = [&](const Message&, Emit&) {
        if (++mapped != 30) return;
        said.emplace(on.database->subscribe("said").value());
        EXPECT_EQ(said->next(), R"(fresh +["open"]=2)");
    };
    on.database->add_view("at work", at_work).value();
    on.put(kKey1);
    ASSERT_TRUE(said);
    said->take();
    EXPECT_EQ(said->rows(), on.said());
}

TEST(Subscription, RefusesWhatIsForReadingOnce) {
    Subscribed on;
    EXPECT_EQ(code_of(on.database->subscribe("by_author", {.limit = 3})), Errc::invalid_argument);
    EXPECT_EQ(code_of(on.database->subscribe("by_author", {.reverse = true})),
              Errc::invalid_argument);
    EXPECT_EQ(code_of(on.database->subscribe("by_author", {.after = "0001"})),
              Errc::invalid_argument);
    EXPECT_EQ(code_of(on.database->subscribe("by_author", {.exact = Key(2), .from = Key(1)})),
              Errc::invalid_argument);
    EXPECT_EQ(code_of(on.database->subscribe("none")), Errc::not_found);
}

} // namespace
} // namespace sluice::test
