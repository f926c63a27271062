// Changing the past: what database.hpp says of each function, in its own words.
#include "database/database_test_support.hpp"
#include "log/change.hpp"
#include "log/log.hpp"

#include <algorithm>
#include <future>

namespace sluice::test {
namespace {

TEST(Deleting, TakesMessagesOutOfEveryReadUntilTheyAreRestored) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    on.database->add_view("counts", kCounts).value();
    on.append_some(4);
    const std::string rows = on.rows("authors"), counts = on.rows("counts");

    const Changed deleted = on.database->delete_messages(Seqs{{3}, {1}, {3}}).value();
    EXPECT_EQ(deleted.at, Seq{5});
    EXPECT_EQ(deleted.seqs, (Seqs{{1}, {3}}));
    EXPECT_FALSE(deleted.receipt);
    EXPECT_EQ(on.rows("authors"), R"(["bo",2]=2 ["bo",4]=4)");
    EXPECT_EQ(on.rows("counts"), R"(["bo"]{"count":2,"sum":6})");
    EXPECT_EQ(on.body({1}), "deleted");
    // Again: nothing to do, and no entry.
    EXPECT_EQ(on.database->delete_messages(Seqs{{1}}).value().at, Seq{0});
    EXPECT_EQ(on.database->last(), Seq{5});

    const Changed restored = on.database->restore(Seqs{{1}, {2}, {3}}).value();
    EXPECT_EQ(restored.seqs, (Seqs{{1}, {3}}));
    EXPECT_EQ(on.rows("authors"), rows);
    EXPECT_EQ(on.rows("counts"), counts);
    on.expect_verified();
}

TEST(Replacing, GivesAMessageNewBytesAtItsSeq) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    on.append(body_of("ada", 1), "<key>");
    on.append(body_of("bo", 2));
    const Snapshot before = on.database->snapshot();
    EXPECT_EQ(on.database->replace({1}, body_of("cy", 7)).value().at, Seq{3});
    EXPECT_EQ(on.database->replace({1}, body_of("cy", 8)).value().at, Seq{4});
    EXPECT_EQ(on.rows("authors"), R"(["bo",2]=2 ["cy",8]=1)");
    const Record record = on.database->snapshot().get("<key>").value();
    EXPECT_EQ(record.seq, Seq{1});
    EXPECT_EQ(record.body, body_of("cy", 8));
    EXPECT_TRUE(record.replaced);
    // P3, also for bytes.
    EXPECT_EQ(before.get(Seq{1}).value().body, body_of("ada", 1));
    EXPECT_FALSE(before.get(Seq{1}).value().replaced);
    on.expect_verified();

    on.database->delete_messages(Seqs{{2}}).value();
    EXPECT_EQ(code_of(on.database->replace({2}, "x")), Errc::not_found);
    EXPECT_EQ(code_of(on.database->replace({99}, "x")), Errc::not_found);
    EXPECT_EQ(code_of(on.database->replace({3}, "x")), Errc::invalid_argument);
    const std::string too_large(16 * 1024 * 1024 + 1, 'x');
    EXPECT_EQ(code_of(on.database->replace({1}, too_large)), Errc::invalid_argument);
}

/// A view of an application that gets answers elsewhere.
struct ChangingView {
    std::string answer = "closed";
    std::vector<Seq> asked;
    CodeView code() {
        CodeView view;
        view.app = "app";
        view.definition = R"({"kind":"index"})";
        view.map = [this](const Message& message, Emit& emit) {
            asked.push_back(message.seq);
            emit(Key(answer));
        };
        return view;
    }
};

TEST(DerivingAgain, AsksFunctionsAboutTheseMessagesAndNoOthers) {
    DatabaseOnDisk on;
    ChangingView view;
    on.database->add_view("answers", view.code()).value();
    on.append_some(4);
    on.database->delete_messages(Seqs{{4}}).value();
    const Snapshot before = on.database->snapshot();
    view.asked.clear();
    view.answer = "open";
    EXPECT_EQ(on.database->rederive(Seqs{{2}, {3}, {4}}).value().seqs, (Seqs{{2}, {3}}));
    EXPECT_EQ(view.asked, (Seqs{{2}, {3}}));
    EXPECT_EQ(on.rows("answers"), R"(["closed"]=1 ["open"]=2 ["open"]=3)");
    EXPECT_EQ(on.rows_in(before, "answers"), R"(["closed"]=1 ["closed"]=2 ["closed"]=3)");
    EXPECT_EQ(on.database->snapshot().get(Seq{6}).value().change, "derive again 2 messages");
    EXPECT_EQ(on.database->rederive(Seqs{{4}}).value().at, Seq{});
    EXPECT_EQ(code_of(on.database->rederive(Seqs{{6}})), Errc::invalid_argument);
    EXPECT_EQ(code_of(on.database->rederive(Seqs{{7}})), Errc::not_found);
}

TEST(DerivingAgain, ReachesApplicationsThatAreAway) {
    for (const bool crashes : {false, true}) {
        DatabaseOnDisk on;
        ChangingView view;
        on.database->add_view("answers", view.code()).value();
        on.append_some(3);
        on.reopen();
        EXPECT_EQ(on.database->rederive(Seqs{{2}}).value().seqs, (Seqs{{2}}));
        if (crashes) on.crash(Fate::lost);
        // P4: what it was made of is another thing now.
        EXPECT_EQ(on.rows("answers"), R"(["closed"]=1 ["closed"]=3)");
        view.asked.clear();
        view.answer = "open";
        on.database->add_view("answers", view.code()).value();
        EXPECT_EQ(view.asked, (Seqs{{2}}));
        EXPECT_EQ(on.rows("answers"), R"(["closed"]=1 ["closed"]=3 ["open"]=2)");
    }
}

TEST(DerivingAgain, AsksTransformsToo) {
    DatabaseOnDisk on;
    std::string answer = "closed";
    on.options.transforms.add(
        {.name = "toy.answer", .run = [&answer](Context&, const Incoming&, Transformed& made) {
             made.set_body(R"({"answer":")" + answer + "\"}");
         }});
    on.reopen();
    on.database->use_transforms(on.options.transforms.names()).value();
    on.database->add_view("answers", R"({"kind":"index","key":["/answer"]})").value();
    on.append_some(3); // Behind the entry of the transforms.
    answer = "open";
    on.database->rederive(Seqs{{3}}).value();
    EXPECT_EQ(on.rows("answers"), R"(["closed"]=2 ["closed"]=4 ["open"]=3)");
    EXPECT_EQ(on.database->snapshot().seen(Seq{3}).value().body, R"({"answer":"open"})");
}

TEST(Changing, SaysWhatItCannotDo) {
    DatabaseOnDisk on;
    on.append_some(2);
    on.database->add_view("counts", kCounts).value();
    on.database->delete_messages(Seqs{{1}}).value();
    const auto tried = [&](const Selector& selector) {
        return code_of(on.database->delete_messages(selector));
    };
    EXPECT_EQ(tried(Seqs{{0}}), Errc::not_found);
    EXPECT_EQ(tried(Seqs{{4}}), Errc::not_found);
    EXPECT_EQ(tried(Seqs{{2}, {3}}), Errc::invalid_argument); // 3 is a change.
    EXPECT_EQ(tried(SelectKeys{{"<none>"}}), Errc::not_found);
    EXPECT_EQ(tried(SelectView{"none", Key("ada")}), Errc::not_found);
    EXPECT_EQ(tried(SelectView{"counts", Key("ada")}), Errc::invalid_argument);
    EXPECT_EQ(tried(SelectWhere{"/author ="}), Errc::invalid_argument);
    EXPECT_EQ(on.database->last(), Seq{3});
    EXPECT_NE(on.body({2}), "deleted");
}

TEST(Changing, ThatFailedHasChangedNothing) {
    DatabaseOnDisk on;
    on.append_some(2);
    on.disk.fail_after(0);
    EXPECT_EQ(code_of(on.database->delete_messages(Seqs{{1}})), Errc::io);
    on.disk.stop_failing();
    EXPECT_EQ(on.database->stats().deleted, 0u);
    EXPECT_EQ(on.database->select(Seqs{{1}}, false).value(), (Seqs{{1}}));
    EXPECT_EQ(on.body({1}), body_of("ada", 1, "said in 1!"));
}

TEST(Selecting, MeansTheSameInADryRun) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    on.append_some(6);
    on.append(body_of("ada", 7), "<seven>");
    on.database->delete_messages(Seqs{{1}, {2}}).value();
    const auto selected = [&](const Selector& selector, bool deleted_too = false) {
        return on.database->select(selector, deleted_too).value();
    };
    EXPECT_EQ(selected(Seqs{{5}, {1}, {3}, {3}}), (Seqs{{3}, {5}}));
    EXPECT_EQ(selected(Seqs{{1}, {3}}, true), (Seqs{{1}, {3}}));
    EXPECT_EQ(selected(SelectKeys{{"<seven>"}}), (Seqs{{7}}));
    EXPECT_EQ(selected(SelectView{"authors", Key("ada")}), (Seqs{{3}, {5}, {7}}));
    EXPECT_EQ(selected(SelectView{"authors", Key("ada", 5)}), (Seqs{{5}}));
    EXPECT_EQ(selected(SelectWhere{"/author = \"bo\""}), (Seqs{{4}, {6}}));
    EXPECT_EQ(selected(SelectWhere{"/author = \"bo\""}, true), (Seqs{{2}, {4}, {6}}));
    EXPECT_EQ(on.database->last(), Seq{8});
    // A selector sees the latest version.
    on.database->replace({4}, body_of("ada", 4)).value();
    EXPECT_EQ(selected(SelectWhere{"/author = \"bo\""}), (Seqs{{6}}));
    EXPECT_EQ(on.database->delete_messages(SelectWhere{"/n >= 5"}).value().seqs,
              (Seqs{{5}, {6}, {7}}));
}

// A damaged message cannot be looked into, and can be named by its seq.
TEST(Selecting, PassesOverWhatIsDamaged) {
    DatabaseOnDisk on;
    on.append_some(5);
    on.close();
    damage(on, "said in 3!");
    on.open();
    EXPECT_EQ(on.database->select(SelectWhere{"/author=ada"}).value(), (Seqs{{1}, {5}}));
    EXPECT_EQ(on.database->select(Seqs{{3}}).value(), Seqs{{3}});
}

TEST(Selecting, DoesNotTakeADamagedViewForAnEmptyOne) {
    DatabaseOnDisk on;
    on.database->add_view("words", R"({"kind":"index","key":["/text"]})").value();
    on.append_some(12);
    on.database->merge_views().value();
    on.close();
    damage(on, "said in 4!", 0, "views");
    on.open();
    EXPECT_EQ(code_of(on.database->select(SelectView{"words", Key()})), Errc::corrupt);
}

TEST(Holding, ForbidsErasingAndNothingElse) {
    DatabaseOnDisk on;
    on.append_some(3);
    EXPECT_EQ(on.database->hold(Seqs{{2}, {3}}).value().seqs, (Seqs{{2}, {3}}));
    EXPECT_EQ(on.database->hold(Seqs{{2}}).value().at, Seq{0});
    EXPECT_TRUE(on.database->snapshot().get(Seq{2}).value().held);
    on.crash(Fate::lost);
    const auto refused = on.database->erase(Seqs{{1}, {2}, {3}});
    EXPECT_EQ(code_of(refused), Errc::held);
    EXPECT_NE(refused.error().context.find("message 2"), std::string::npos);
    EXPECT_EQ(on.database->stats().erased, 0u); // All or nothing: also not 1.
    on.database->delete_messages(Seqs{{2}}).value();
    EXPECT_EQ(code_of(on.database->erase(Seqs{{2}})), Errc::held);
    EXPECT_EQ(on.database->release(Seqs{{1}, {2}}).value().seqs, (Seqs{{2}}));
    EXPECT_TRUE(on.database->erase(Seqs{{1}, {2}}));
    EXPECT_EQ(code_of(on.database->erase(Seqs{{3}})), Errc::held);
}

TEST(Erasing, GivesAReceiptThatStays) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    on.append_some(30);
    on.database->replace({4}, body_of("cy", 4)).value();
    on.database->merge_views().value();
    ChangeOptions why;
    why.reason = "article 17";
    why.actor = "operator";
    const Changed changed = on.database->erase(Seqs{{4}, {6}}, why).value();
    EXPECT_EQ(changed.at, Seq{32});
    ASSERT_TRUE(changed.receipt);
    on.crash(Fate::lost);
    EXPECT_TRUE(on.database->recovery_notes().empty());
    const std::vector<Receipt> receipts = on.database->receipts();
    ASSERT_EQ(receipts.size(), 1u);
    for (const Receipt& receipt : {*changed.receipt, receipts[0]}) {
        EXPECT_TRUE(receipt.finished());
        EXPECT_EQ(receipt.erasure, Seq{32});
        EXPECT_EQ(receipt.seqs, (Seqs{{4}, {6}}));
        EXPECT_EQ(receipt.reason, "article 17");
        EXPECT_EQ(receipt.actor, "operator");
        EXPECT_EQ(receipt.assurance, "device");
        EXPECT_EQ(receipt.entries_wiped, 3u); // Two messages and a replacement.
        EXPECT_GE(receipt.segments_rewritten, 1u);
        EXPECT_GT(receipt.bytes_destroyed, 0u);
    }
    EXPECT_EQ(on.body({4}), "erased");
    // Erased ones cannot come back, and erasing again is nothing to do.
    EXPECT_EQ(on.database->restore(Seqs{{4}}).value().at, Seq{0});
    EXPECT_EQ(on.database->erase(Seqs{{4}, {6}}).value().at, Seq{0});
    EXPECT_EQ(on.database->receipts().size(), 1u);
    on.expect_verified();
}

TEST(Erasing, NamesWhatIsNotThere) {
    DatabaseOnDisk on;
    on.append("one");
    EXPECT_EQ(code_of(on.database->erase(Seqs{{2}})), Errc::not_found);
    EXPECT_EQ(code_of(on.database->erase(SelectKeys{{"<nobody's>"}})), Errc::not_found);
}

TEST(Erasing, DoesNotBeginWhereTheLogCannotBeSynced) {
    Options options = small_files();
    options.durability = Durability::none;
    DatabaseOnDisk on(options);
    on.append("one");
    on.disk.fail_after(0);
    EXPECT_EQ(code_of(on.database->erase(Seqs{{1}})), Errc::io);
    on.disk.stop_failing();
    on.reopen();
    EXPECT_EQ(on.body({1}), "one");
    EXPECT_TRUE(on.database->receipts().empty());
}

TEST(Erasing, WaitsForSnapshotsAndIsFinishedLater) {
    enum class By : std::uint8_t { opening, resuming, erasing_again, erasing_another };
    for (const By by : {By::opening, By::resuming, By::erasing_again, By::erasing_another}) {
        DatabaseOnDisk on;
        on.database->add_view("words", R"({"kind":"index","key":["/text"]})").value();
        on.append_some(20);
        on.database->merge_views().value();
        auto pinned = std::make_unique<Snapshot>(on.database->snapshot());
        const std::string shown = DatabaseOnDisk::rows_in(*pinned, "words");

        EXPECT_EQ(code_of(on.database->erase(Seqs{{7}})), Errc::busy);
        // Gone for every new reader, and owed for the files.
        EXPECT_EQ(on.body({7}), "erased");
        EXPECT_EQ(on.rows("words").find("said in 7!"), std::string::npos);
        EXPECT_EQ(DatabaseOnDisk::rows_in(*pinned, "words"), shown);
        ASSERT_EQ(on.database->receipts().size(), 1u);
        EXPECT_FALSE(on.database->receipts()[0].finished());
        EXPECT_FALSE(on.database->verify().value().equal());
        EXPECT_EQ(code_of(on.database->resume_erasures()), Errc::busy);
        EXPECT_EQ(code_of(on.database->erase(Seqs{{7}})), Errc::busy);
        on.append("goes on");

        pinned.reset();
        switch (by) {
        case By::opening:
            on.crash(Fate::torn);
            EXPECT_FALSE(on.database->recovery_notes().empty());
            break;
        case By::resuming: on.database->resume_erasures().value(); break;
        case By::erasing_again: on.database->erase(Seqs{{7}}).value(); break;
        case By::erasing_another: on.database->erase(Seqs{{8}}).value(); break;
        }
        EXPECT_TRUE(on.database->receipts()[0].finished());
        EXPECT_TRUE(on.disk.find("said in 7!").empty());
        EXPECT_TRUE(on.disk.find_on_device("said in 7!").empty());
        on.expect_verified();
    }
}

// A long replacement whose overwriting was torn no longer says what it was.
TEST(Erasing, IsFinishedWhereverOverwritingAReplacementWasTorn) {
    std::string long_text;
    for (int i = 0; i < 150; ++i) long_text += "the old address ";
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        DatabaseOnDisk on;
        on.append(body_of("ada", 1, "first"));
        on.database->replace({1}, body_of("ada", 1, long_text)).value();
        on.append(body_of("bo", 2, "another"));
        std::vector<std::unique_ptr<SimulatedDisk>> left;
        on.disk.observe([&] {
            left.push_back(on.disk.copy_after_power_cut(Fate::torn, on.disk.operations() + seed));
        });
        on.database->erase(Seqs{{1}}).value();
        on.disk.observe({});
        for (const auto& disk : left) {
            const auto root = disk->root();
            const auto database = Database::open(*root, on.options).value();
            const auto record = database->snapshot().get(Seq{1}).value();
            if (record.state == Record::State::live) continue;
            EXPECT_TRUE(disk->find("old address").empty()) << seed;
            EXPECT_EQ(database->stats().live, 1u);
            EXPECT_TRUE(database->verify().value().equal());
            for (const std::string& note : database->recovery_notes()) {
                EXPECT_EQ(note.find("damaged"), std::string::npos) << note;
            }
        }
    }
}

TEST(Erasing, IsOverForGoodWhenItReturns) {
    DatabaseOnDisk on;
    on.append_some(2);
    on.database->erase(Seqs{{1}}).value();
    const Seq last = on.database->last();
    const std::uint64_t finished_ms = on.database->receipts().front().time_ms;
    on.crash(Fate::lost);
    EXPECT_EQ(on.database->last(), last) << "it was finished again";
    EXPECT_EQ(on.database->receipts().front().time_ms, finished_ms);
}

// Step 1 of an erasure: what is about to be wiped is durable before the order says so. A half-wiped
// message that was not would pass for a torn tail, and take with it whatever lies behind it.
TEST(Erasing, LosesNothingElseWhereverOverwritingWasTorn) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        Options options = small_files();
        options.durability = Durability::none;
        options.log_segment_size_bytes = 1 << 20;
        DatabaseOnDisk on(options);
        on.append("before");
        on.append(body_of("ada", 2, std::string(3000, 's')));
        on.append("behind");
        std::vector<std::unique_ptr<SimulatedDisk>> left;
        on.disk.observe([&] {
            const auto known = on.disk.copy_after_power_cut(Fate::lost);
            if (Database::open(*known->root(), options).value()->receipts().empty()) return;
            left.push_back(on.disk.copy_after_power_cut(Fate::torn, on.disk.operations() + seed));
        });
        on.database->erase(Seqs{{2}}).value();
        on.disk.observe({});
        ASSERT_FALSE(left.empty());
        for (const auto& disk : left) {
            const auto root = disk->root();
            const auto database = Database::open(*root, options).value();
            ASSERT_GE(database->last(), Seq{4});
            EXPECT_EQ(database->snapshot().get(Seq{1})->body, "before");
            EXPECT_EQ(database->snapshot().get(Seq{2})->state, Record::State::erased);
            EXPECT_EQ(database->snapshot().get(Seq{3})->body, "behind");
        }
    }
}

// P6: a view that is being derived may have read the message already and not yet written its rows.
TEST(Erasing, WaitsForTheDerivingOfAView) {
    DatabaseOnDisk on;
    on.append_some(9);
    std::future<bool> erased;
    CodeView view;
    view.app = "reader";
    view.map = [&](const Message& message, Emit& emit) {
        emit(Key(message.json->find("text")->as_string().value()));
        if (message.seq != Seq{3} || erased.valid()) return;
        erased = std::async(std::launch::async,
                            [&] { return on.database->erase(Seqs{{2}}).has_value(); });
        erased.wait_for(std::chrono::milliseconds(100));
    };
    on.database->add_view("words", view).value();
    EXPECT_TRUE(erased.get());
    EXPECT_TRUE(on.disk.find_on_device("said in 2!").empty());
    EXPECT_NE(on.rows("words").find("said in 3!"), std::string::npos);
    on.expect_verified();
}

// Whose key is whose is not to be read off the order of their hashes.
TEST(Erasing, KeepsTheHashesOfKeysSorted) {
    DatabaseOnDisk on;
    Seqs seqs;
    for (int i = 0; i < 10; ++i) seqs.push_back(on.append("body", "<" + std::to_string(i) + ">"));
    const Seq at = on.database->erase(seqs).value().at;
    on.close();
    const auto directory = on.root->subdirectory("log", Create::if_missing).value();
    const auto log = Log::open(*directory, {}).value();
    const Change order = decode_change(log->read(at)->body, at).value();
    ASSERT_EQ(order.refused.size(), 10u);
    EXPECT_TRUE(
        std::is_sorted(order.refused.begin(), order.refused.end(),
                       [](const KeyHash& a, const KeyHash& b) { return a.bytes < b.bytes; }));
}

// A disk that failed while an opening finished an erasure has failed: nothing is written behind it.
TEST(Erasing, ThatOpeningCouldNotFinishLeavesTheDatabaseLatched) {
    DatabaseOnDisk on;
    on.database->add_view("words", R"({"kind":"index","key":["/text"]})").value();
    on.append_some(20);
    on.database->merge_views().value();
    {
        const Snapshot pinned = on.database->snapshot();
        EXPECT_EQ(code_of(on.database->erase(Seqs{{7}})), Errc::busy);
    }
    std::uint64_t latched = 0;
    for (std::uint64_t operations = 0;; ++operations) {
        const auto disk = on.disk.copy_after_power_cut(Fate::kept);
        const auto root = disk->root();
        disk->fail_after(operations);
        const auto opened = Database::open(*root, on.options);
        disk->stop_failing();
        if (!opened) continue;
        Database& database = **opened;
        if (database.receipts().front().finished()) break;
        ++latched;
        const std::uint64_t before = disk->operations();
        EXPECT_EQ(code_of(database.drop_view("words")), Errc::latched) << operations;
        EXPECT_EQ(code_of(database.append(NewMessage{"more"})), Errc::latched) << operations;
        EXPECT_EQ(code_of(database.delete_messages(Seqs{{1}})), Errc::latched) << operations;
        EXPECT_EQ(disk->operations(), before) << operations;
        EXPECT_EQ(database.snapshot().get(Seq{8})->body, body_of("bo", 8, "said in 8!"));
    }
    EXPECT_GT(latched, 2u);
}

TEST(Erasing, TakesTheHashOfAKeyOutOfTheRegister) {
    DatabaseOnDisk on;
    on.append("body", "<a key>");
    on.database->merge_views().value();
    on.database->erase(SelectKeys{{"<a key>"}}).value();
    EXPECT_EQ(code_of(on.database->snapshot().get("<a key>")), Errc::not_found);
    EXPECT_EQ(code_of(on.database->delete_messages(SelectKeys{{"<a key>"}})), Errc::not_found);
    EXPECT_TRUE(on.disk.find_on_device("<a key>").empty());
    on.expect_verified();
}

} // namespace
} // namespace sluice::test
