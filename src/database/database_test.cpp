// Appending, reading, opening: what database.hpp says of each function, in its own words. Changes
// of the past are in change_test.cpp, views in views_test.cpp, the promises in promises_test.cpp.
#include "database/database_test_support.hpp"

#include <thread>

namespace sluice::test {
namespace {

using State = Record::State;

TEST(Database, GivesBackWhatWasAppended) {
    DatabaseOnDisk on;
    EXPECT_EQ(on.database->last(), Seq{0});
    EXPECT_EQ(on.append("any bytes: \0 \xFF"), Seq{1});
    EXPECT_EQ(on.append("second", "<its key>"), Seq{2});
    EXPECT_EQ(on.database->last(), Seq{2});
    const Record record = on.database->snapshot().get(Seq{2}).value();
    EXPECT_EQ(record.seq, Seq{2});
    EXPECT_EQ(record.state, State::live);
    EXPECT_EQ(record.key, "<its key>");
    EXPECT_EQ(record.body, "second");
    EXPECT_FALSE(record.replaced || record.held);
    EXPECT_EQ(on.database->snapshot().get("<its key>").value().seq, Seq{2});
    EXPECT_EQ(code_of(on.database->snapshot().get("<no key>")), Errc::not_found);
    for (const Seq nothing : {Seq{0}, Seq{3}}) {
        EXPECT_EQ(code_of(on.database->snapshot().get(nothing)), Errc::not_found);
    }
    on.reopen();
    EXPECT_EQ(on.body({2}), "second");
    EXPECT_EQ(on.database->snapshot().get("<its key>").value().seq, Seq{2});
}

TEST(Database, TakesABatchWholeOrNotAtAll) {
    DatabaseOnDisk on;
    const std::vector<NewMessage> batch = {{"one", "<1>"}, {"two", ""}, {"three", "<3>"}};
    EXPECT_EQ(on.database->append(batch).value(), Seq{1});
    EXPECT_EQ(on.body({3}), "three");
    const std::vector<NewMessage> with_known_key = {{"four", "<4>"}, {"again", "<3>"}};
    EXPECT_EQ(code_of(on.database->append(with_known_key)), Errc::exists);
    const std::vector<NewMessage> same_key_twice = {{"four", "<4>"}, {"again", "<4>"}};
    EXPECT_EQ(code_of(on.database->append(same_key_twice)), Errc::exists);
    const std::string too_large(16 * 1024 * 1024 + 1, 'x');
    const std::vector<NewMessage> with_large = {{"four", "<4>"}, {too_large, ""}};
    EXPECT_EQ(code_of(on.database->append(with_large)), Errc::invalid_argument);
    const std::string long_key(65536, 'k');
    EXPECT_EQ(code_of(on.database->append(NewMessage{"four", long_key})), Errc::invalid_argument);
    EXPECT_EQ(code_of(on.database->append(std::span<const NewMessage>{})), Errc::invalid_argument);
    EXPECT_EQ(on.database->last(), Seq{3});
    EXPECT_EQ(on.append("four", "<4>"), Seq{4});
}

TEST(Database, RefusesTheKeyOfWhatIsGoneUnlessAskedToReadmitIt) {
    DatabaseOnDisk on;
    on.append("deleted", "<d>");
    on.append("erased", "<e>");
    on.database->delete_messages(Seqs{{1}}).value();
    on.database->erase(Seqs{{2}}).value();
    on.reopen();
    for (const char* const key : {"<d>", "<e>"}) {
        EXPECT_EQ(code_of(on.database->append(NewMessage{"back", key})), Errc::refused) << key;
        const NewMessage back{"back", key};
        EXPECT_EQ(on.database->offer(std::span(&back, 1)).value().outcomes,
                  std::vector{Offered::refused});
        AppendOptions how;
        how.readmit = true;
        const Seq seq = on.database->append(back, how).value();
        EXPECT_EQ(on.database->snapshot().get(key).value().seq, seq);
        EXPECT_EQ(code_of(on.database->append(back, how)), Errc::exists) << key;
    }
    on.expect_verified();
}

TEST(Database, TakesOfAnOfferWhoseKeysAreFree) {
    DatabaseOnDisk on;
    on.append("here", "<here>");
    on.append("gone", "<gone>");
    on.database->delete_messages(Seqs{{2}}).value();
    const std::vector<NewMessage> messages = {{"a", "<here>"}, {"b", "<b>"},    {"c", ""},
                                              {"d", "<gone>"}, {"e", "<gone>"}, {"f", "<b>"}};
    const ImportMark mark{"the first bytes of a file", 1234};
    const Offer offer = on.database->offer(messages, {}, mark).value();
    EXPECT_EQ(offer.first, Seq{4});
    EXPECT_EQ(offer.outcomes, (std::vector{Offered::exists, Offered::appended, Offered::appended,
                                           Offered::refused, Offered::refused, Offered::exists}));
    EXPECT_EQ(on.body({4}) + on.body({5}), "bc");
    on.crash(Fate::lost);
    EXPECT_EQ(on.database->imported_up_to("the first bytes of a file"), 1234u);
    EXPECT_EQ(on.database->imported_up_to("another file"), 0u);
    // A mark of nothing new is kept as well.
    on.database->offer({}, {}, ImportMark{"the first bytes of a file", 2000}).value();
    EXPECT_EQ(on.database->imported_up_to("the first bytes of a file"), 2000u);
    EXPECT_EQ(on.database->offer({}).value().first, Seq{0});
    on.expect_verified();
}

std::string walk(const Snapshot& snapshot, const LogRange& range) {
    auto cursor = snapshot.log(range);
    std::string text;
    while (const auto record = cursor.next().value()) {
        text += (text.empty() ? "" : " ") + std::to_string(record->seq.value);
        if (record->state != State::live) text += std::string(name_of(record->state));
    }
    return text;
}

TEST(Database, WalksTheLogEitherWayBetweenBounds) {
    DatabaseOnDisk on;
    on.append_some(6);
    on.database->delete_messages(Seqs{{2}}).value();
    on.database->erase(Seqs{{4}}).value();
    on.append("ten");
    const Snapshot snapshot = on.database->snapshot();
    EXPECT_EQ(walk(snapshot, {}), "1 3 5 6 10");
    EXPECT_EQ(walk(snapshot, {.from = {2}, .to = Seq{5}}), "3 5");
    EXPECT_EQ(walk(snapshot, {.from = {6}, .to = Seq{99}}), "6 10");
    EXPECT_EQ(walk(snapshot, {.from = {11}}), "");
    EXPECT_EQ(walk(snapshot, {.from = {5}, .to = Seq{3}}), "");
    EXPECT_EQ(walk(snapshot, {.from = {0}, .reverse = true}), "10 6 5 3 1");
    EXPECT_EQ(walk(snapshot, {.from = {5}, .to = Seq{2}, .reverse = true}), "5 3");
    EXPECT_EQ(walk(snapshot, {.from = {99}, .to = Seq{6}, .reverse = true}), "10 6");
    EXPECT_EQ(walk(snapshot, {.include_changes = true}),
              "1 2deleted 3 4erased 5 6 7change 8change 9change 10");
    EXPECT_EQ(walk(snapshot, {.from = {8}, .to = Seq{4}, .reverse = true, .include_changes = true}),
              "8change 7change 6 5 4erased");
}

TEST(Database, KeepsOutWhatItsProgramSays) {
    Options options = small_files();
    options.keep_out = [](const NewMessage& message, const auto& has_fact) {
        return message.body.find("bo") != std::string_view::npos && has_fact({"blocks", Key("bo")});
    };
    DatabaseOnDisk on(options);
    const std::string ada = body_of("ada", 1), bo = body_of("bo", 1);
    on.append(bo);
    on.database->put_fact({{"blocks", Key("bo")}, ""}).value();
    EXPECT_EQ(code_of(on.database->append(NewMessage{bo, "<key>"})), Errc::refused);
    const std::vector<NewMessage> messages = {{ada, {}}, {bo, "<key>"}};
    EXPECT_EQ(on.database->offer(messages).value().outcomes,
              (std::vector<Offered>{Offered::appended, Offered::kept_out}));
    EXPECT_EQ(on.append(ada, "<key>"), Seq{4}) << "it was never taken";
}

TEST(Database, FindsADeletedMessageByItsKeyIfNoOtherHasIt) {
    DatabaseOnDisk on;
    on.append("one", "<key>");
    on.database->delete_messages(Seqs{{1}}).value();
    EXPECT_EQ(on.database->snapshot().get("<key>").value().state, Record::State::deleted);
    on.database->append(NewMessage{"two", "<key>"}, {.readmit = true}).value();
    EXPECT_EQ(on.database->snapshot().get("<key>").value().body, "two");
}

TEST(Database, WalksNothingBetweenBoundsTheWrongWayRound) {
    DatabaseOnDisk on;
    on.append_some(5);
    const Snapshot snapshot = on.database->snapshot();
    for (const LogRange& range : {LogRange{.from = {4}, .to = Seq{2}},
                                  LogRange{.from = {2}, .to = Seq{4}, .reverse = true}}) {
        EXPECT_FALSE(snapshot.log(range).next().value());
    }
}

TEST(Database, SaysWhatAChangeDid) {
    DatabaseOnDisk on;
    on.append_some(3);
    ChangeOptions why;
    why.reason = "asked to";
    on.database->delete_messages(Seqs{{2}}, why).value();
    on.database->replace({1}, "new").value();
    on.database->erase(Seqs{{1}, {2}}).value();
    const Snapshot snapshot = on.database->snapshot();
    EXPECT_EQ(snapshot.get(Seq{4}).value().change, "delete 2: asked to");
    EXPECT_EQ(snapshot.get(Seq{5}).value().change, "replace, erased");
    EXPECT_EQ(snapshot.get(Seq{6}).value().change, "erase 2 messages");
    EXPECT_EQ(snapshot.get(Seq{7}).value().change, "receipt for the erasure at 6");
}

TEST(Database, WaitsForAnEntry) {
    DatabaseOnDisk on;
    on.append("one");
    using std::chrono::milliseconds;
    EXPECT_EQ(on.database->wait_for_entry({0}, milliseconds(0)), Seq{1});
    EXPECT_EQ(on.database->wait_for_entry({1}, milliseconds(5)), Seq{1});
    std::thread appending([&] { on.append("two"); });
    EXPECT_EQ(on.database->wait_for_entry({1}, milliseconds(60'000)), Seq{2});
    appending.join();
}

TEST(Database, CountsInItsStatistics) {
    DatabaseOnDisk on;
    on.append_some(9);
    on.database->delete_messages(Seqs{{1}, {2}, {3}}).value();
    on.database->restore(Seqs{{3}}).value();
    on.database->hold(Seqs{{5}}).value();
    on.database->erase(Seqs{{2}, {4}}).value();
    const Stats stats = on.database->stats();
    EXPECT_EQ(stats.last, Seq{14});
    EXPECT_EQ(stats.live, 6u);
    EXPECT_EQ(stats.deleted, 1u);
    EXPECT_EQ(stats.erased, 2u);
    EXPECT_EQ(stats.held, 1u);
    EXPECT_EQ(stats.changes, 5u);
    EXPECT_GT(stats.log_bytes, 0u);
    EXPECT_EQ(stats.durability, "every-commit");
    EXPECT_EQ(stats.assurance, "device");
}

TEST(DatabaseOpening, IsOneProcessAtATime) {
    DatabaseOnDisk on;
    EXPECT_EQ(code_of(Database::open(*on.root, on.options)), Errc::busy);
    on.reopen();
}

TEST(DatabaseOpening, FindsADatabaseOrSaysThatThereIsNone) {
    SimulatedDisk disk;
    const auto root = disk.root();
    EXPECT_EQ(code_of(Database::open(*root, small_files())), Errc::not_found);
    // Whoever has mistyped a name finds nothing made there.
    EXPECT_EQ(code_of(root->subdirectory("log", Create::never)), Errc::not_found);
    EXPECT_TRUE(Database::create(*root));
    EXPECT_EQ(code_of(Database::create(*root)), Errc::exists);
    EXPECT_TRUE(Database::open(*root, small_files()));
}

TEST(DatabaseOpening, ByTwoAtOnceMakesOneDatabase) {
    SimulatedDisk disk;
    const auto root = disk.root();
    {
        const auto by_another =
            root->subdirectory("log", Create::if_missing).value()->lock("lock").value();
        EXPECT_EQ(code_of(Database::create(*root)), Errc::busy);
        EXPECT_EQ(code_of(Database::open(*root, small_files())), Errc::not_found);
    }
    EXPECT_TRUE(Database::create(*root));
    const auto open = Database::open(*root, small_files()).value();
    EXPECT_EQ(code_of(Database::create(*root)), Errc::exists);
}

TEST(DatabaseOpening, MayKeepNoRowsInMemory) {
    Options options = small_files();
    options.background = true; // That has nothing to write then, and waits.
    options.view_memory_bytes_max = 0;
    DatabaseOnDisk on(options);
    on.database->add_view("authors", kByAuthor).value();
    on.append_some(2);
    EXPECT_EQ(on.rows("authors"), R"(["ada",1]=1 ["bo",2]=2)");
    on.reopen();
    on.expect_verified();
}

TEST(DatabaseOpening, ByPathSaysWhatIsNotThere) {
    const std::string nowhere = "/proc/no such directory/database";
    EXPECT_FALSE(Database::create(nowhere));
    EXPECT_FALSE(Database::open(nowhere));
}

TEST(DatabaseOpening, MakesNoDatabaseAmongOtherFiles) {
    SimulatedDisk disk;
    const auto root = disk.root();
    root->open("a file", Create::must).value();
    EXPECT_EQ(code_of(Database::create(*root)), Errc::exists);
    EXPECT_EQ(root->list().value(), std::vector<std::string>{"a file"});
}

TEST(DatabaseOpening, SaysWhatItHadToRepair) {
    DatabaseOnDisk on;
    on.append("one");
    on.close();
    const auto log = on.root->subdirectory("log", Create::if_missing).value();
    for (const std::string& name : log->list().value()) {
        if (!name.ends_with(".log")) continue;
        const auto file = log->open(name, Create::never).value();
        file->write_at(file->size_bytes(), "half an entry that never became whole").value();
    }
    on.open();
    ASSERT_EQ(on.database->recovery_notes().size(), 1u);
    EXPECT_EQ(on.body({1}), "one");
    on.reopen();
    EXPECT_TRUE(on.database->recovery_notes().empty());
}

// A call that failed in its last sync has left names that can be seen and are not durable. Whoever
// goes on with what is there must not lose it.
TEST(DatabaseOpening, MakesDurableWhichNamesThereAre) {
    std::uint64_t failures = 0;
    for (std::uint64_t operations = 0;; ++operations) {
        SimulatedDisk disk;
        {
            const auto root = disk.root();
            disk.fail_once_after(operations);
            if (Database::create(*root)) break;
            ++failures;
            // Is there one now? Then it is used.
            if (!Database::open(*root, small_files())) Database::create(*root).value();
            const auto database = Database::open(*root, small_files()).value();
            database->append(NewMessage{"acknowledged"}).value();
            disk.cut_power(Fate::lost);
        }
        const auto root = disk.root();
        const auto database = Database::open(*root, small_files());
        ASSERT_TRUE(database) << operations << ": " << database.error().context;
        EXPECT_EQ((*database)->last(), Seq{1}) << operations;
    }
    EXPECT_GT(failures, 8u);
}

TEST(DatabaseOpening, MakesDurableWhichViewsThereAre) {
    for (std::uint64_t operations = 0;; ++operations) {
        DatabaseOnDisk on;
        on.append_some(3);
        on.disk.fail_once_after(operations);
        const bool is_added = on.database->add_view("authors", kByAuthor).has_value();
        on.disk.stop_failing();
        on.reopen();
        on.database->add_view("authors", kByAuthor).value(); // It may be there.
        on.crash(Fate::lost);
        EXPECT_EQ(on.database->views().size(), 1u) << operations;
        on.expect_verified();
        if (is_added) break;
    }
}

TEST(DatabaseOpening, MapsNothingAgainBehindACleanClose) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    on.append_some(40);
    on.close();
    const std::uint64_t before = on.disk.operations();
    on.open();
    const std::string shown = on.rows("authors");
    on.close();
    EXPECT_LT(on.disk.operations() - before, 20u); // Lock, indexes, one record. No rows.
    on.open();
    EXPECT_EQ(on.rows("authors"), shown);
}

// What it costs to be durable: an append one fdatasync, a delete not more than two.
TEST(DatabaseDurability, OfEveryCommitCostsOneSync) {
    Options options = small_files();
    options.log_segment_size_bytes = 1 << 20;
    options.view_segment_rows_max = 1 << 16;
    options.view_memory_bytes_max = 1 << 20;
    DatabaseOnDisk on(options);
    on.database->add_view("authors", kByAuthor).value();
    const auto syncs_of = [&](const auto& act) {
        const std::uint64_t before = on.disk.syncs();
        act();
        return on.disk.syncs() - before;
    };
    EXPECT_EQ(syncs_of([&] { on.append("one"); }), 1u);
    const std::vector<NewMessage> batch(100, NewMessage{"many"});
    EXPECT_EQ(syncs_of([&] { on.database->append(batch).value(); }), 1u);
    EXPECT_LE(syncs_of([&] { on.database->delete_messages(Seqs{{1}, {7}}).value(); }), 2u);
    EXPECT_LE(syncs_of([&] { on.database->restore(Seqs{{7}}).value(); }), 2u);
    EXPECT_LE(syncs_of([&] { on.database->replace({7}, "new").value(); }), 2u);
}

TEST(DatabaseDurability, OfNoneIsLeftToFlush) {
    Options options = small_files();
    options.durability = Durability::none;
    options.log_segment_size_bytes = 1 << 20;
    options.view_memory_bytes_max = 1 << 20;
    DatabaseOnDisk on(options);
    const std::uint64_t before = on.disk.syncs();
    EXPECT_EQ(on.database->stats().durability, "none");
    on.append("flushed");
    EXPECT_EQ(on.disk.syncs(), before);
    on.database->flush().value();
    EXPECT_EQ(on.disk.syncs(), before + 1);
    on.append("not flushed");
    on.crash(Fate::lost);
    EXPECT_EQ(on.database->last(), Seq{1});
    on.append("closed");
    on.close();
    on.disk.cut_power(Fate::lost);
    on.root = on.disk.root();
    on.open();
    EXPECT_EQ(on.body({2}), "closed");
}

TEST(DatabaseDurability, OfAnAppendThatDoesNotWaitIsLeftToFlush) {
    Options options = small_files();
    options.log_segment_size_bytes = 1 << 20;
    options.view_memory_bytes_max = 1 << 20;
    DatabaseOnDisk on(options);
    const std::uint64_t before = on.disk.syncs();
    AppendOptions how;
    how.wait_until_durable = false;
    on.database->append(NewMessage{"flushed"}, how).value();
    EXPECT_EQ(on.body({1}), "flushed");
    EXPECT_EQ(on.disk.syncs(), before);
    on.database->flush().value();
    EXPECT_EQ(on.disk.syncs(), before + 1);
    on.database->append(NewMessage{"not flushed"}, how).value();
    on.crash(Fate::lost);
    EXPECT_EQ(on.database->last(), Seq{1});
}

TEST(DatabaseDurability, OfAnIntervalIsLeftToFlushWhereThereIsNoThread) {
    Options options = small_files();
    options.durability = Durability::interval;
    options.sync_interval = std::chrono::milliseconds(0);
    DatabaseOnDisk on(options);
    on.append("one");
    on.database->flush().value();
    on.crash(Fate::lost);
    EXPECT_EQ(on.body({1}), "one");
    EXPECT_EQ(on.database->stats().durability, "interval");
}

TEST(DatabaseDurability, OfAnIntervalComesByItself) {
    Options options = small_files();
    options.durability = Durability::interval;
    options.sync_interval = std::chrono::milliseconds(1);
    options.background = true;
    DatabaseOnDisk on(options);
    const std::uint64_t before = on.disk.syncs();
    on.append("one");
    for (int i = 0; i < 10'000 && on.disk.syncs() == before; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_GT(on.disk.syncs(), before);
}

// P7
TEST(DatabaseDamage, OfAnEntryIsNamedAndItsNeighboursAreIntact) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    on.append_some(9);
    on.close();
    damage(on, "said in 4!");
    on.open();
    EXPECT_EQ(on.body({4}), "error: corrupt");
    EXPECT_EQ(on.body({3}), body_of("ada", 3, "said in 3!"));
    EXPECT_EQ(on.body({5}), body_of("ada", 5, "said in 5!"));
    auto cursor = on.database->snapshot().log({.from = {3}});
    EXPECT_EQ(cursor.next().value()->seq, Seq{3});
    const auto broken = cursor.next();
    ASSERT_FALSE(broken);
    EXPECT_NE(broken.error().context.find("entry 4"), std::string::npos);
    EXPECT_EQ(cursor.next().value()->seq, Seq{5});
    const VerifyReport report = on.database->verify().value();
    EXPECT_FALSE(report.equal());
    ASSERT_FALSE(report.problems.empty());
    EXPECT_NE(report.problems.front().find("entry 4"), std::string::npos);
}

// P6: an entry whose header is damaged lies between its neighbours.
TEST(DatabaseDamage, OfAHeaderKeepsNothingFromBeingErased) {
    for (const std::uint64_t seq : {1u, 4u, 9u}) {
        DatabaseOnDisk on;
        on.append_some(9);
        on.close();
        const std::string text = "said in " + std::to_string(seq) + '!';
        damage(on, body_of(seq % 2 == 1 ? "ada" : "bo", static_cast<int>(seq), text), 24);
        on.open();
        EXPECT_EQ(on.body({seq}), "error: corrupt");
        EXPECT_TRUE(on.database->erase(Seqs{{seq}}).value().receipt->finished());
        EXPECT_TRUE(on.disk.find_on_device(text).empty());
        on.reopen();
        EXPECT_EQ(on.body({seq}), "erased");
        EXPECT_EQ(on.database->stats().live, 8u);
        EXPECT_TRUE(on.database->verify().value().equal());
    }
}

// P6: of entries without headers that follow each other nobody can say where one ends. What lies
// between their neighbours goes with the one that is erased.
TEST(DatabaseDamage, OfHeadersThatFollowEachOtherKeepsNothingFromBeingErased) {
    DatabaseOnDisk on;
    on.database->add_view("words", R"({"kind":"index","key":["/text"]})").value();
    on.append_some(9);
    on.close();
    damage(on, body_of("bo", 4, "said in 4!"), 24);
    damage(on, body_of("ada", 5, "said in 5!"), 24);
    on.open();
    EXPECT_TRUE(on.database->erase(Seqs{{3}, {4}, {7}}).value().receipt->finished());
    for (const char* const needle : {"said in 3!", "said in 4!", "said in 7!"}) {
        EXPECT_TRUE(on.disk.find_on_device(needle).empty()) << needle;
    }
    for (const auto& found : on.disk.find_on_device("said in 5!")) {
        EXPECT_FALSE(found.where.starts_with("log/")) << found.where;
    }
    on.append("goes on");
    on.reopen();
    EXPECT_EQ(on.body({4}), "erased");
    EXPECT_EQ(on.body({5}), "error: corrupt") << "nobody ordered its erasure";
    EXPECT_EQ(on.body({6}), body_of("bo", 6, "said in 6!"));
    on.append("goes on");
}

// An entry that cannot be found must not take the rest of an erasure, or the database, with it: as
// those that are lost with their segment.
TEST(DatabaseDamage, OfAWholeSegmentLeavesTheRestOfAnErasureDone) {
    DatabaseOnDisk on;
    on.database->add_view("words", R"({"kind":"index","key":["/text"]})").value();
    on.append_some(120);
    ASSERT_GE(on.database->stats().log_segments, 3u);
    on.close();
    const auto log = on.root->subdirectory("log", Create::if_missing).value();
    log->remove("00000000000000000001.log").value();
    on.open();
    ASSERT_FALSE(on.database->recovery_notes().empty());
    EXPECT_NE(on.database->recovery_notes().front().find("the first is 1;"), std::string::npos);
    EXPECT_EQ(code_of(on.database->erase(Seqs{{1}, {2}, {120}})), Errc::corrupt);
    for (const char* const needle : {"said in 1!", "said in 2!", "said in 120!"}) {
        EXPECT_TRUE(on.disk.find(needle).empty()) << needle;
    }
    EXPECT_EQ(on.body({1}), "erased");
    EXPECT_EQ(on.body({120}), "erased");
    EXPECT_FALSE(on.database->receipts().front().finished());
    on.append("goes on");
}

// P6: damage that spares the header takes nothing from an erasure.
TEST(DatabaseDamage, OfAMessageKeepsNeitherItsBytesNorItsKeyFromBeingErased) {
    DatabaseOnDisk on;
    on.append(body_of("ada", 1, "fourteen harbour street"), "<key>");
    on.append(body_of("bo", 2));
    on.close();
    damage(on, "fourteen");
    on.open();
    EXPECT_EQ(on.body({1}), "error: corrupt");
    const Changed erased = on.database->erase(Seqs{{1}}).value();
    EXPECT_TRUE(erased.receipt->finished());
    EXPECT_TRUE(on.disk.find_on_device("harbour street").empty());
    EXPECT_EQ(code_of(on.database->append(NewMessage{"back", "<key>"})), Errc::refused);
    on.expect_verified();
}

// Whoever replaced a message does not want to read the old one again because the new one is
// damaged; and the new one's bytes are the message's too.
TEST(DatabaseDamage, OfAReplacementHidesTheVersionBeforeAndGoesWithItsMessage) {
    DatabaseOnDisk on;
    on.append(body_of("ada", 1, "the first words"));
    on.database->replace({1}, body_of("ada", 1, "fourteen harbour street")).value();
    on.append(body_of("bo", 3));
    on.close();
    damage(on, "fourteen");
    on.open();
    ASSERT_EQ(on.database->recovery_notes().size(), 1u);
    EXPECT_NE(on.database->recovery_notes().front().find("the first is 2;"), std::string::npos);
    EXPECT_EQ(on.body({1}), "error: corrupt");
    EXPECT_EQ(on.body({3}), body_of("bo", 3));
    const Changed erased = on.database->erase(Seqs{{1}}).value();
    EXPECT_EQ(erased.receipt->entries_wiped, 2u);
    EXPECT_TRUE(on.disk.find_on_device("harbour street").empty());
    EXPECT_TRUE(on.disk.find_on_device("first words").empty());
    on.reopen();
    EXPECT_TRUE(on.database->recovery_notes().empty());
    on.expect_verified();
}

TEST(DatabaseDamage, OfAViewsFileIsSaidAndHealedFromTheLog) {
    DatabaseOnDisk on;
    on.database->add_view("words", R"({"kind":"index","key":["/text"]})").value();
    on.append_some(12);
    on.database->merge_views().value();
    const std::string shown = on.rows("words");
    on.close();
    damage(on, "said in 4!", 0, "views");
    on.open();
    // Never a part that looks like the whole.
    auto cursor = on.database->snapshot().read("words").value();
    EXPECT_FALSE(cursor.next());
    EXPECT_EQ(code_of(cursor.status()), Errc::corrupt);
    EXPECT_FALSE(on.database->verify().value().equal());
    on.append(body_of("ada", 13, "said in 13!"));
    on.reopen();
    on.database->delete_messages(Seqs{{13}}).value();
    EXPECT_EQ(on.rows("words"), shown);
    on.expect_verified();
}

// P7: the power went before any view had heard that a message was replaced, and one has lost a
// file.
TEST(DatabaseDamage, OfAViewsFileIsHealedBehindAChangeThatNoViewHasHeardOf) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    on.database->add_view("words", R"({"kind":"index","key":["/text"]})").value();
    on.append_some(12);
    on.database->merge_views().value();
    on.database->replace({4}, body_of("bo", 4, "said anew")).value();
    const std::string authors = on.rows("authors"), words = on.rows("words");
    std::size_t damaged = 0;
    for (const auto& [name, bytes] : on.disk.all_bytes()) {
        if (!name.starts_with("views/segment")) continue;
        const auto disk = on.disk.copy_after_power_cut(Fate::lost);
        const auto root = disk->root();
        const auto views = root->subdirectory("views", Create::if_missing).value();
        views->open(name.substr(6), Create::never).value()->truncate(0).value();
        const auto database = Database::open(*root, on.options);
        ASSERT_TRUE(database) << name << ": " << database.error().context;
        EXPECT_EQ(DatabaseOnDisk::rows_in((*database)->snapshot(), "authors"), authors);
        EXPECT_EQ(DatabaseOnDisk::rows_in((*database)->snapshot(), "words"), words);
        const VerifyReport report = (*database)->verify().value();
        for (const std::string& problem : report.problems) ADD_FAILURE() << name << ": " << problem;
        for (const VerifyReport::View& view : report.views) {
            EXPECT_EQ(view.difference_count, 0u) << name << ": " << view.name;
        }
        ++damaged;
    }
    EXPECT_EQ(damaged, 2u); // One of each view; keys there are none.
}

// P7: a key that nobody can look up is not free.
// What is replayed from the log meets views that the store has given up.
TEST(DatabaseDamage, OfAViewsFileIsHealedAlsoWhenMessagesWereReplacedSince) {
    for (std::size_t lost = 0;; ++lost) {
        DatabaseOnDisk on;
        on.database->add_view("authors", kByAuthor).value();
        on.database->add_view("counts", kCounts).value();
        on.append_some(10);
        on.database->merge_views().value();
        on.database->replace({3}, body_of("cy", 3)).value();
        on.disk.cut_power(Fate::kept);
        on.close();
        on.root = on.disk.root();
        const auto folder = on.root->subdirectory("views", Create::if_missing).value();
        std::vector<std::string> segments = folder->list().value();
        std::erase_if(segments, [](const auto& name) { return !name.starts_with("segment-"); });
        if (lost == segments.size()) break;
        folder->remove(segments[lost]).value();
        on.open();
        on.expect_verified();
        EXPECT_EQ(on.database->snapshot().read("authors").value().count_rest(), 10u);
    }
}

TEST(DatabaseDamage, OfTheRegisterOfKeysLetsNoKeyInTwice) {
    DatabaseOnDisk on;
    for (int i = 1; i <= 12; ++i) on.append("body", "<key " + std::to_string(i) + '>');
    on.database->merge_views().value();
    on.close();
    const auto is_segment = [](const auto& each) {
        return each.first.starts_with("views/") && each.first.find("manifest") == std::string::npos;
    };
    std::uint64_t damaged = 0;
    for (const auto& [name, bytes] : on.disk.all_bytes()) {
        if (!is_segment(std::pair(name, bytes))) continue;
        for (std::uint64_t at = 0; at < bytes.size(); at += 5) {
            const auto disk = on.disk.copy_after_power_cut(Fate::kept);
            const auto root = disk->root();
            const char byte = static_cast<char>(bytes[at] ^ 0x10);
            const auto views = root->subdirectory("views", Create::if_missing).value();
            views->open(name.substr(6), Create::never).value()->write_at(at, {&byte, 1}).value();
            const auto database = Database::open(*root, on.options).value();
            const Errc code = code_of(database->append(NewMessage{"again", "<key 7>"}));
            EXPECT_TRUE(code == Errc::exists || code == Errc::corrupt) << name << ' ' << at;
            if (code != Errc::corrupt) continue;
            ++damaged;
            EXPECT_EQ(code_of(database->snapshot().get("<key 7>")), Errc::corrupt);
            EXPECT_EQ(code_of(database->select(SelectKeys{{"<key 7>"}})), Errc::corrupt);
        }
    }
    EXPECT_GT(damaged, 0u);
}

// Whatever it was that is not legible, it is said, and what else there is stays.
TEST(DatabaseDamage, OfAChangesHeaderIsNamedAndTheRestIsIntact) {
    DatabaseOnDisk on;
    on.append_some(3);
    on.database->delete_messages(Seqs{{2}}, {.reason = "a reason to delete"}).value();
    on.append_some(1);
    on.close();
    // Kind, time and the length of the reason stand between header and reason.
    for (const std::uint64_t before : {std::uint64_t{1}, std::uint64_t{24}}) {
        damage(on, "a reason to delete", before);
        on.open();
        ASSERT_EQ(on.database->recovery_notes().size(), 1u);
        EXPECT_NE(on.database->recovery_notes().front().find("the first is 4;"), std::string::npos);
        EXPECT_EQ(on.body({2}), body_of("bo", 2, "said in 2!"));
        EXPECT_EQ(on.body({5}), body_of("ada", 1, "said in 1!"));
        on.close();
    }
}

// What cannot be read gives no rows, whenever its turn comes.
TEST(DatabaseDamage, OfAnEntryIsPassedOverByAViewThatCatchesUp) {
    DatabaseOnDisk on;
    CodeView view;
    view.app = "reader";
    view.map = [](const Message& message, Emit& emit) {
        emit(Key(message.json->find("n")->as_int64().value()));
    };
    on.database->add_view("numbers", view).value();
    on.append_some(3);
    on.reopen();
    on.append_some(3);
    on.database->replace({2}, body_of("bo", 20, "replaced")).value();
    on.append_some(1);
    on.close();
    damage(on, "said in 1!");
    damage(on, "replaced");
    on.open();
    on.database->add_view("numbers", view).value();
    EXPECT_EQ(on.rows("numbers"), "[1]=1 [2]=5 [3]=3 [3]=6");
}

// The same of a view whose code is not here; and only what the file had is derived again.
TEST(DatabaseDamage, OfACodeViewsFileIsHealedWhenItsCodeIsLoaded) {
    DatabaseOnDisk on;
    int mapped = 0;
    CodeView view;
    view.app = "reader";
    view.map = [&](const Message& message, Emit& emit) {
        ++mapped;
        emit(Key(message.json->find("text")->as_string().value()));
    };
    on.database->add_view("words", view).value();
    on.append_some(120);
    on.database->merge_views().value();
    const std::string shown = on.rows("words");
    on.close();
    damage(on, "said in 4!", 0, "views");
    on.open();
    auto cursor = on.database->snapshot().read("words").value();
    EXPECT_FALSE(cursor.next());
    on.append(body_of("ada", 121, "said in 121!"));
    on.reopen();
    mapped = 0;
    on.database->add_view("words", view).value();
    EXPECT_GT(mapped, 0);
    EXPECT_LT(mapped, 40) << "the other files are whole";
    on.database->delete_messages(Seqs{{121}}).value();
    EXPECT_EQ(on.rows("words"), shown);
    on.expect_verified();
}

} // namespace
} // namespace sluice::test
