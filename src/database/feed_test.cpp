// F1 to F3: the change feed.
#include "database/transform_test_support.hpp"

#include <sluice/check.hpp>

namespace sluice::test {
namespace {

/// Like `added 1, gone 2`.
std::string told(Feed& feed, const FeedLimits& limits = FeedLimits()) {
    std::string text;
    for (const FeedChange& change : feed.next({}, limits).value().changes) {
        text += (text.empty() ? "" : ", ") + std::string(name_of(change.kind)) + ' ' +
                std::to_string(change.seq.value);
    }
    return text;
}

struct Fed : DatabaseOnDisk {
    Fed() {
        database->add_view("by_author", kByAuthor).value();
        append_some(4);
    }
    Feed feed(const FeedFilter& filter = {}, const FeedStart& start = {}) const {
        return database->feed(filter, start).value();
    }
};
constexpr FeedStart kNow{.at = FeedStart::At::now};

// F1.
TEST(Feed, TellsWhatEntriesDidAsItIsNow) {
    Fed on;
    Feed feed = on.feed();
    EXPECT_EQ(told(feed), "added 1, added 2, added 3, added 4");
    EXPECT_EQ(told(feed), "");
    on.database->delete_messages(Seqs{{1}, {2}}).value();
    on.database->replace({3}, body_of("ada", 33)).value();
    on.database->hold(Seqs{{4}}).value();
    EXPECT_EQ(told(feed), "gone 1, gone 2, changed 3");
    on.database->rederive(Seqs{{4}}).value();
    EXPECT_EQ(told(feed), "changed 4");
    on.database->restore(Seqs{{1}}).value();
    on.database->replace({1}, body_of("ada", 11)).value();
    const FeedBatch batch = feed.next().value();
    ASSERT_EQ(batch.changes.size(), 1u) << "each message once";
    EXPECT_EQ(batch.changes[0].kind, FeedChange::Kind::added);
    EXPECT_EQ(batch.changes[0].body, body_of("ada", 11));
    on.database->erase(Seqs{{2}}).value();
    EXPECT_EQ(told(feed), "gone 2");
}

TEST(Feed, TellsOfAViewWithThePrefixAndItsKeys) {
    Fed on;
    Feed feed = on.feed({.view = "by_author", .prefix = Key("ada")});
    const FeedBatch batch = feed.next().value();
    ASSERT_EQ(batch.changes.size(), 2u);
    EXPECT_EQ(batch.changes[1].seq, Seq{3});
    EXPECT_EQ(batch.changes[1].rows, std::vector{Key("ada", 3)});
    on.database->replace({1}, body_of("bo", 1)).value();
    on.database->replace({2}, body_of("ada", 2)).value();
    on.append(body_of("bo", 5));
    EXPECT_EQ(told(feed), "gone 1, changed 2");
}

TEST(Feed, TellsOfACondition) {
    Fed on;
    Feed feed = on.feed({.where = "/n>=3"}, kNow);
    on.append(body_of("ada", 3));
    on.append(body_of("ada", 2));
    on.database->replace({3}, body_of("ada", 1)).value();
    EXPECT_EQ(told(feed), "added 5, gone 3");
    EXPECT_EQ(code_of(on.database->feed({.where = "/n>"})), Errc::invalid_argument);
}

TEST(Feed, BeginsAtAnEntryAndGoesOnFromAPosition) {
    Fed on;
    const Seq next = on.database->last().next();
    EXPECT_TRUE(on.database->feed({}, {.at = FeedStart::At::entry, .entry = next}));
    EXPECT_EQ(code_of(on.database->feed({}, {.at = FeedStart::At::entry, .entry = next.next()})),
              Errc::invalid_argument);
    Feed feed = on.feed({}, {.at = FeedStart::At::entry, .entry = {3}});
    EXPECT_EQ(told(feed, {.changes_max = 1}), "added 3");
    const std::string kept = feed.position().text();
    FeedStart start{.at = FeedStart::At::position};
    start.position = FeedPosition::from_text(kept).value();
    on.database->delete_messages(Seqs{{1}, {2}, {3}, {4}}).value();
    Feed later = on.feed({}, start);
    EXPECT_EQ(told(later, {.changes_max = 3}), "gone 1, gone 2, gone 3");
    EXPECT_EQ(told(later), "gone 4");
    for (const char* text : {"", "1.2", "1.2.3.4.5.6.7.8", "a.2.3.4.5.6.7", "1.2.3.4.5.6.-7",
                             "1.2.3.4.5.99999999999.1", "99999999999999999999.2.3.4.5.6.7",
                             "1.2.3.4.5.6.4294967296", "1.2.3-4.5.6.7"}) {
        EXPECT_EQ(code_of(FeedPosition::from_text(text)), Errc::invalid_argument) << text;
    }
}

TEST(Feed, BeginsWithTheFirstEntryWhereverThatIs) {
    Fed on;
    Feed feed = on.feed({}, {.at = FeedStart::At::entry, .entry = {}});
    EXPECT_EQ(told(feed, {.changes_max = 1}), "added 1");
}

// Of entries that an older copy of the database does not have, everything that was told is in
// doubt.
TEST(Feed, GoesOnFromAPositionInAnOlderCopy) {
    Fed on;
    Fed older;
    on.append_some(3);
    on.database->delete_messages(Seqs{{1}}).value();
    Feed feed = on.feed();
    EXPECT_EQ(told(feed), "gone 1, added 2, added 3, added 4, added 5, added 6, added 7");
    FeedStart start{.at = FeedStart::At::position, .position = feed.position()};
    Feed again = older.feed({}, start);
    EXPECT_EQ(told(again, {.changes_max = 2}), "gone 8, gone 7");
    EXPECT_EQ(told(again, {.changes_max = 3}), "gone 6, gone 5, added 1");
    EXPECT_EQ(told(again), "added 2, added 3, added 4");
    EXPECT_EQ(told(again), "");
}

TEST(Feed, OfAViewForSearchingTellsNoKeys) {
    Fed on;
    on.database->add_view("words", R"({"kind":"search","text":["/text"]})").value();
    on.append(R"({"text":"hello"})");
    Feed feed = on.feed({.view = "words"});
    const FeedBatch batch = feed.next().value();
    ASSERT_FALSE(batch.changes.empty());
    for (const FeedChange& change : batch.changes) EXPECT_TRUE(change.rows.empty());
}

// What happens behind the entry up to which a view has come is looked at for what has gone only.
TEST(Feed, GoesALongWayAheadOfAViewWhoseCodeIsAway) {
    Fed on;
    CodeView view;
    view.app = "reader";
    view.map = [](const Message&, Emit& emit) { emit(Key()); };
    on.database->add_view("all", view).value();
    on.reopen();
    on.database->delete_messages(Seqs{{1}, {2}}).value();
    on.database->restore(Seqs{{1}}).value();
    on.database->append(std::vector<NewMessage>(70'000, NewMessage{"{}"})).value();
    on.database->delete_messages(Seqs{{3}}).value();
    Feed feed = on.feed({.view = "all"}, {.at = FeedStart::At::entry, .entry = {4}});
    EXPECT_EQ(told(feed), "added 4, gone 1, gone 2")
        << "1 is in the view again when its code is here";
    EXPECT_EQ(told(feed), "gone 3");
    EXPECT_EQ(told(feed), "");
}

// It looks at so many entries for one snapshot, and goes on with the next.
TEST(Feed, GoesAlongWayWithoutAMatch) {
    Fed on;
    on.database->append(std::vector<NewMessage>(70'000, NewMessage{"{}"})).value();
    const Seq last = on.append(body_of("ada", 99));
    Feed feed = on.feed({.where = "/n=99"});
    EXPECT_EQ(told(feed), "added " + std::to_string(last.value));
    Feed behind = on.feed({.view = "by_author"}, kNow);
    EXPECT_EQ(told(behind), "");
}

TEST(Feed, BoundsItsBatchesByBytes) {
    Fed on;
    Feed feed = on.feed({}, kNow);
    for (int i = 0; i < 4; ++i) on.append(body_of("ada", i, std::string(1000, 'x')));
    EXPECT_EQ(told(feed, {.bytes_max = 1500}), "added 5, added 6");
    EXPECT_EQ(told(feed, {.bytes_max = 1500}), "added 7, added 8");
}

// F2, in its own words.
TEST(Feed, NeverTellsWhatIsErasedAndAlwaysThatItHasGone) {
    Fed on;
    Feed behind = on.feed();  // Has been told nothing,
    Feed between = on.feed(); // something,
    EXPECT_EQ(told(between, {.changes_max = 2}), "added 1, added 2");
    Feed ahead = on.feed({}, kNow); // and all of it.
    on.database->erase(Seqs{{1}, {4}}).value();
    for (Feed* const feed : {&behind, &between, &ahead}) {
        std::set<Seq> gone;
        for (FeedBatch batch = feed->next().value(); !batch.changes.empty();
             batch = feed->next().value()) {
            for (const FeedChange& change : batch.changes) {
                EXPECT_EQ(change.body.find("said in 1!"), std::string::npos);
                EXPECT_EQ(change.body.find("said in 4!"), std::string::npos);
                if (change.kind == FeedChange::Kind::gone) gone.insert(change.seq);
            }
        }
        EXPECT_EQ(gone, (std::set<Seq>{{1}, {4}}));
    }
}

/// What a consumer with an index of its own does until it is told nothing more.
Result<void> keep_index(Database& database, std::set<Seq>& index) {
    auto feed = database.consumer("pg");
    if (!feed) return feed.error();
    while (true) {
        const auto batch = feed->next({}, {.changes_max = 2});
        if (!batch) return batch.error();
        if (batch->changes.empty()) return {};
        for (const FeedChange& change : batch->changes) {
            if (change.kind == FeedChange::Kind::gone) {
                index.erase(change.seq);
            } else {
                index.insert(change.seq);
            }
        }
        const auto acknowledged = feed->acknowledge();
        if (!acknowledged) return acknowledged.error();
    }
}

// F3, whichever operation fails.
TEST(Feed, TellsAgainWhatWasNotAcknowledgedWhateverFails) {
    std::uint64_t failures = 0;
    for (std::uint64_t operations = 0;; ++operations) {
        Fed on;
        std::set<Seq> index;
        ASSERT_TRUE(keep_index(*on.database, index));
        on.append_some(4);
        on.database->delete_messages(Seqs{{1}, {6}}).value();
        const std::uint64_t end = on.disk.operations() + operations;
        on.disk.fail_after(operations, operations % 2 == 0 ? Errc::io : Errc::no_space);
        const auto kept = keep_index(*on.database, index);
        if (kept && on.disk.operations() <= end) break;
        if (!kept) {
            ++failures;
            const Errc code = kept.error().code;
            EXPECT_TRUE(code == Errc::io || code == Errc::no_space) << kept.error().context;
        }
        on.disk.stop_failing();
        on.crash(kEveryFate[operations % std::size(kEveryFate)], operations);
        const auto again = keep_index(*on.database, index);
        ASSERT_TRUE(again) << again.error().context;
        EXPECT_EQ(index, (std::set<Seq>{{2}, {3}, {4}, {5}, {7}, {8}})) << operations;
    }
    EXPECT_GT(failures, 5u);
}

CodeView by_length() {
    CodeView view;
    view.app = "lengths";
    view.map = [](const Message& message, Emit& emit) { emit(Key(message.body.size())); };
    return view;
}

TEST(Feed, TellsWhatHasGoneWhileTheCodeOfItsViewIsAway) {
    Fed on;
    on.database->add_view("lengths", by_length()).value();
    {
        Feed feed = on.database->consumer("pg", FeedFilter{.view = "lengths"}).value();
        EXPECT_EQ(told(feed), "added 1, added 2, added 3, added 4");
        feed.acknowledge().value();
    }
    on.reopen();
    on.database->delete_messages(Seqs{{2}}).value();
    on.append(body_of("ada", 9));
    on.database->replace({3}, body_of("ada", 3)).value();
    {
        Feed feed = on.database->consumer("pg").value();
        EXPECT_EQ(told(feed, {.changes_max = 1}), "gone 2");
        EXPECT_EQ(told(feed), "gone 3") << "what it says now is for the code to tell";
        EXPECT_EQ(told(feed), "");
        feed.acknowledge().value();
    }
    on.database->add_view("lengths", by_length()).value();
    Feed feed = on.database->consumer("pg").value();
    EXPECT_EQ(told(feed), "gone 2, added 6, changed 3");
}

TEST(Feed, TellsWhatIsDerivedAgain) {
    Transforming on;
    on.append(boxed("k1", says("secret")));
    on.append(says("open"), "m1");
    Feed feed = on.database->feed({.view = "said"}).value();
    EXPECT_EQ(told(feed), "added 3");
    on.put(kKey1);
    on.append(edits("m1", "edited"));
    EXPECT_EQ(told(feed), "changed 2, changed 3, added 5");
    on.database->drop_fact(kKey1).value();
    EXPECT_EQ(told(feed), "gone 2");
}

// Nobody knows what a message says while the code of the transforms is away.
TEST(Feed, TellsWhatWaitsForTransformsWhenTheirCodeIsThere) {
    Transforming on;
    on.append(boxed("k1", says("inside")));
    on.reopen_without_code();
    on.put(kKey1);
    {
        Feed feed = on.database->consumer("pg").value();
        EXPECT_EQ(told(feed), "");
        feed.acknowledge().value();
    }
    on.reopen_with_code();
    const FeedBatch batch = on.database->consumer("pg").value().next().value();
    ASSERT_EQ(batch.changes.size(), 1u);
    EXPECT_EQ(batch.changes[0].body, says("inside"));
}

// What a crash takes of the rows is derived again from the log as it is: with the edit.
TEST(Feed, TellsAgainWhatACrashDerivedAnew) {
    Transforming on;
    on.append(says("first"), "m1");
    std::string kept;
    {
        Feed feed = on.database->consumer("pg", FeedFilter{.view = "said"}).value();
        EXPECT_EQ(told(feed), "added 2");
        feed.acknowledge().value();
    }
    on.append(edits("m1", "edited"));
    on.crash(Fate::lost);
    Feed feed = on.database->consumer("pg").value();
    std::string body;
    for (const FeedChange& change : feed.next().value().changes) {
        if (change.seq == Seq{2}) body = change.body;
    }
    EXPECT_EQ(body, says("edited"));
}

// What was read with it was never derived by whoever opens: nobody knows whom it had concerned.
TEST(Feed, TellsAgainWhatWasShownWithAnEditThatIsDeletedBeforeACrash) {
    Transforming on;
    const Seq first = on.append(says("first"), "m1");
    on.reopen_with_code(); // Its rows are in a file.
    const Seq edit = on.append(edits("m1", "edited"));
    std::string told_last;
    {
        Feed feed = on.database->consumer("pg", FeedFilter{.view = "said"}).value();
        for (const FeedChange& change : feed.next().value().changes) {
            if (change.seq == first) told_last = change.body;
        }
        EXPECT_EQ(told_last, says("edited"));
        feed.acknowledge().value();
    }
    on.database->delete_messages(Seqs{{edit}}).value();
    on.crash(Fate::lost);
    Feed feed = on.database->consumer("pg").value();
    for (const FeedChange& change : feed.next().value().changes) {
        if (change.seq == first) told_last = change.body;
    }
    EXPECT_EQ(told_last, says("first"));
}

TEST(Feed, TellsAgainWhatAViewShowedByAFactThatIsDroppedBeforeACrash) {
    DatabaseOnDisk on;
    const auto add_known = [&] {
        CodeView known;
        known.app = "reader";
        known.map_reading = [](Context& context, const Message&, Emit& emit) {
            if (context.has(Source::facts("keys"), kKey1.key)) emit(Key("known"));
        };
        on.database->add_view("known", known).value();
    };
    add_known();
    on.append(body_of("ada", 1));
    on.reopen(); // Its rows are in a file.
    add_known();
    on.database->put_fact({kKey1, "v"}).value();
    {
        Feed feed = on.database->consumer("pg", FeedFilter{.view = "known"}).value();
        EXPECT_EQ(told(feed), "added 1");
        feed.acknowledge().value();
    }
    on.database->drop_fact(kKey1).value();
    on.crash(Fate::lost);
    add_known();
    Feed feed = on.database->consumer("pg").value();
    EXPECT_EQ(told(feed), "gone 1");
}

TEST(Feed, TellsNothingOfWhatIsDerivedAgainWhereItCannotBePutIntoFiles) {
    Transforming on;
    on.append(says("first"), "m1");
    on.reopen_with_code(); // Its rows are in a file.
    {
        Feed feed = on.database->consumer("pg", FeedFilter{.view = "said"}).value();
        EXPECT_EQ(told(feed), "added 2");
        feed.acknowledge().value();
        on.append(edits("m1", "edited"));
        on.disk.fail_after(0);
        const auto refused = feed.next();
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Errc::io);
    }
    on.close();
    on.disk.stop_failing();
    on.open();
    Feed feed = on.database->consumer("pg").value();
    EXPECT_EQ(told(feed), "changed 2, added 3");
}

TEST(Feed, TellsNothingThatAPowerCutTakesBack) {
    Options options = small_files();
    options.durability = Durability::none;
    DatabaseOnDisk on(options);
    Feed feed = on.database->feed().value();
    on.append(says("one"));
    EXPECT_EQ(told(feed), "added 1");
    { const Feed gone = std::move(feed); }
    on.crash(Fate::lost);
    EXPECT_EQ(on.body({1}), says("one"));
}

TEST(Feed, WaitsForWhatComes) {
    Fed on;
    Feed feed = on.feed({}, kNow);
    std::thread writer([&] { on.append(body_of("ada", 9)); });
    const FeedBatch batch = feed.next(std::chrono::seconds(20)).value();
    writer.join();
    EXPECT_EQ(batch.changes.size(), 1u);
}

// F3.
TEST(Consumer, GoesOnBehindWhatItAcknowledged) {
    Fed on;
    {
        Feed feed = on.database->consumer("pg").value();
        EXPECT_EQ(told(feed, {.changes_max = 2}), "added 1, added 2");
        feed.acknowledge().value();
        EXPECT_EQ(told(feed, {.changes_max = 1}), "added 3");
        EXPECT_EQ(code_of(on.database->consumer("pg")), Errc::busy);
    }
    on.crash(Fate::lost);
    Feed feed = on.database->consumer("pg").value();
    EXPECT_EQ(told(feed), "added 3, added 4");
}

TEST(Consumer, WithAnotherFilterIsToldAllOfItAndWhatThatOneLeavesOut) {
    Fed on;
    {
        Feed feed = on.database->consumer("pg", FeedFilter{.where = "/author=ada"}).value();
        EXPECT_EQ(told(feed), "added 1, added 3");
    }
    Feed feed = on.database->consumer("pg", FeedFilter{.where = "/n>=3"}).value();
    EXPECT_EQ(told(feed), "gone 1, gone 2, added 3, added 4");
}

TEST(Consumer, HasANameThatAFileMayHave) {
    Fed on;
    EXPECT_EQ(code_of(on.database->consumer("../identity")), Errc::invalid_argument);
    EXPECT_EQ(code_of(on.database->drop_consumer("../identity")), Errc::invalid_argument);
}

TEST(Consumer, BeginsAnewWhereItIsTold) {
    Fed on;
    {
        Feed feed = on.database->consumer("pg").value();
        told(feed);
        feed.acknowledge().value();
    }
    const FeedStart third{.at = FeedStart::At::entry, .entry = {3}};
    Feed feed = on.database->consumer("pg", {}, third).value();
    EXPECT_EQ(told(feed), "added 3, added 4");
}

TEST(Consumer, IsListedWithItsLagAndDropped) {
    Fed on;
    {
        Feed feed = on.database->consumer("pg", FeedFilter{.view = "by_author"}).value();
        told(feed, {.changes_max = 3});
        feed.acknowledge().value();
        EXPECT_EQ(code_of(on.database->drop_consumer("pg")), Errc::busy);
    }
    const auto listed = on.database->consumers().value();
    ASSERT_EQ(listed.size(), 1u);
    EXPECT_EQ(listed[0].name, "pg");
    EXPECT_EQ(listed[0].filter.view, "by_author");
    EXPECT_EQ(listed[0].lag, 1u);
    on.database->drop_consumer("pg").value();
    EXPECT_TRUE(on.database->consumers()->empty());
    EXPECT_EQ(code_of(on.database->drop_consumer("pg")), Errc::not_found);
    EXPECT_EQ(code_of(on.database->consumer("no name")), Errc::invalid_argument);
    Feed again = on.database->consumer("pg").value();
    EXPECT_EQ(told(again), "added 1, added 2, added 3, added 4");
}

// F3 through the whole: the power goes at every operation of an acknowledgment.
TEST(Consumer, IsToldAgainAtMostWhatItAcknowledgedLast) {
    Fed on;
    Feed feed = on.database->consumer("pg").value();
    told(feed, {.changes_max = 2});
    feed.acknowledge().value();
    told(feed);
    std::set<std::string> then;
    on.disk.observe([&] {
        for (const Fate fate : kEveryFate) {
            const auto found = on.disk.copy_after_power_cut(fate, on.disk.operations());
            const auto root = found->root();
            const auto database = Database::open(*root, small_files(), {}).value();
            Feed again = database->consumer("pg").value();
            then.insert(told(again));
        }
    });
    feed.acknowledge().value();
    on.disk.observe({});
    EXPECT_EQ(then, (std::set<std::string>{"", "added 3, added 4"}));
}

TEST(Consumer, WhoseFileIsDamagedSaysSo) {
    Fed on;
    on.database->consumer("pg").value();
    const auto directory = on.root->subdirectory("log", Create::if_missing).value();
    directory->open("consumer-pg", Create::never).value()->write_at(20, "?").value();
    EXPECT_EQ(code_of(on.database->consumer("pg")), Errc::corrupt);
    EXPECT_FALSE(on.database->consumers().value()[0].is_readable);
    on.database->drop_consumer("pg").value();
}

TEST(Feed, RefusesViewsOfGroups) {
    Fed on;
    on.database->add_view("counts", kCounts).value();
    EXPECT_EQ(code_of(on.database->feed({.view = "counts"})), Errc::invalid_argument);
    EXPECT_EQ(code_of(on.database->feed({.view = "none"})), Errc::not_found);
    EXPECT_EQ(code_of(on.database->feed({.prefix = Key("ada")})), Errc::invalid_argument);
    Feed feed = on.feed({.view = "by_author"});
    on.database->drop_view("by_author").value();
    EXPECT_EQ(code_of(feed.next()), Errc::not_found);
}

} // namespace
} // namespace sluice::test
