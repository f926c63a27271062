// Views: what database.hpp says of each function, in its own words.
#include "database/database_test_support.hpp"

#include <map>
#include <stdexcept>

namespace sluice::test {
namespace {

/// An index by text, which counts how often it was called for each message.
struct CountingView {
    CodeView code(std::uint32_t version = 1) {
        CodeView view;
        view.app = "reader";
        view.version = version;
        view.map = [this](const Message& message, Emit& emit) {
            ++calls[message.seq];
            if (message.json == nullptr) throw std::runtime_error("not JSON");
            emit(Key(message.json->find("author")->as_string().value(), message.key));
        };
        return view;
    }
    std::uint64_t count() const {
        std::uint64_t sum = 0;
        for (const auto& [seq, each] : calls) sum += each;
        return sum;
    }
    std::map<Seq, std::uint64_t> calls;
};

TEST(Views, AreDerivedFromAFullLogAndStayComplete) {
    DatabaseOnDisk on;
    on.append_some(40);
    on.database->delete_messages(Seqs{{2}}).value();
    std::uint64_t told = 0;
    on.database->add_view("counts", kCounts, [&](const Progress&) { ++told; }).value();
    EXPECT_GT(told, 0u);
    EXPECT_EQ(on.rows("counts"), R"(["ada"]{"count":20,"sum":400} ["bo"]{"count":19,"sum":418})");
    on.append_some(2);
    EXPECT_EQ(on.rows("counts"), R"(["ada"]{"count":21,"sum":401} ["bo"]{"count":20,"sum":420})");
    EXPECT_EQ(on.info("counts").since, on.database->last());
    EXPECT_EQ(on.info("counts").kind, "aggregate");
    EXPECT_EQ(code_of(on.database->snapshot().read("no such view")), Errc::not_found);
    EXPECT_EQ(code_of(on.database->add_view("bad", "{}")), Errc::invalid_argument);
    EXPECT_EQ(code_of(on.database->add_view("", kCounts)), Errc::invalid_argument);
    EXPECT_EQ(code_of(on.database->add_view("a\nb", kCounts)), Errc::invalid_argument);
    CodeView without_app;
    without_app.map = [](const Message&, Emit&) {};
    EXPECT_EQ(code_of(on.database->add_view("code", without_app)), Errc::invalid_argument);
    EXPECT_EQ(on.database->views().size(), 1u);
}

TEST(Views, HaveDefinitionsOfAtMost64KiB) {
    DatabaseOnDisk on;
    std::string definition = kCounts;
    definition.resize(64 * 1024, ' ');
    on.database->add_view("long", definition).value();
    EXPECT_EQ(code_of(on.database->add_view("too long", definition + ' ')), Errc::invalid_argument);
}

TEST(Views, TellHowFarTheirDerivingIs) {
    DatabaseOnDisk on;
    on.append_some(40);
    std::vector<std::string> told;
    on.database
        ->add_view("authors", kByAuthor,
                   [&](const Progress& progress) {
                       told.emplace_back(progress.what);
                       EXPECT_LE(progress.done, progress.total);
                   })
        .value();
    ASSERT_FALSE(told.empty());
    EXPECT_EQ(told.back(), "deriving views");
}

TEST(Views, HaveNamesThatCanBeShown) {
    DatabaseOnDisk on;
    for (const std::string& name :
         {std::string(), std::string(201, 'n'), std::string("a\nb"), std::string("a\x7F")}) {
        EXPECT_EQ(code_of(on.database->add_view(name, kByAuthor)), Errc::invalid_argument);
    }
    CodeView code;
    code.app = "reader";
    code.map = [](const Message&, Emit&) {};
    EXPECT_EQ(code_of(on.database->add_view("", code)), Errc::invalid_argument);
    on.database->add_view(std::string(200, 'n'), kByAuthor).value();
}

TEST(Views, AreAddedSeveralAtOnce) {
    DatabaseOnDisk on;
    on.append_some(3);
    const std::vector<Database::NewView> wanted = {{"authors", kByAuthor}, {"counts", kCounts}};
    on.database->add_views(wanted).value();
    EXPECT_EQ(on.rows("authors"), R"(["ada",1]=1 ["ada",3]=3 ["bo",2]=2)");
    EXPECT_EQ(on.rows("counts"), R"(["ada"]{"count":2,"sum":4} ["bo"]{"count":1,"sum":2})");
    const std::vector<Database::NewView> with_bad = {{"more", kByAuthor}, {"bad", "{}"}};
    EXPECT_EQ(code_of(on.database->add_views(with_bad)), Errc::invalid_argument);
    EXPECT_EQ(on.database->views().size(), 2u);
}

TEST(Views, OfTheSameDefinitionAreLeftAloneAndOfAnotherSwitched) {
    DatabaseOnDisk on;
    on.append_some(3);
    on.database->add_view("view", kByAuthor).value();
    const Snapshot before = on.database->snapshot();
    const std::uint64_t operations = on.disk.operations();
    on.database->add_view("view", R"({ "key":["/author","/n"], "kind":"index" })").value();
    EXPECT_EQ(on.disk.operations(), operations);
    on.database->add_view("view", R"({"kind":"index","key":["/n"]})").value();
    EXPECT_EQ(on.rows("view"), "[1]=1 [2]=2 [3]=3");
    EXPECT_EQ(on.database->views().size(), 1u);
    EXPECT_EQ(DatabaseOnDisk::rows_in(before, "view"), R"(["ada",1]=1 ["ada",3]=3 ["bo",2]=2)");
    on.crash(Fate::lost);
    EXPECT_EQ(on.rows("view"), "[1]=1 [2]=2 [3]=3");
    EXPECT_EQ(on.info("view").definition, R"({"kind":"index","key":["/n"]})");
}

TEST(Views, AreDroppedWithTheirFiles) {
    DatabaseOnDisk on;
    on.append_some(40);
    on.database->add_view("words", R"({"kind":"index","key":["/text"]})").value();
    const auto in_views = [&] {
        std::size_t count = 0;
        for (const auto& found : on.disk.find("said in 7!")) {
            if (found.where.starts_with("views/")) ++count;
        }
        return count;
    };
    EXPECT_GT(in_views(), 0u);
    on.database->add_view("words", R"({"kind":"index","key":["/n"]})").value();
    EXPECT_EQ(in_views(), 0u); // Switched: dropped as well.
    on.database->add_view("words", R"({"kind":"index","key":["/text"]})").value();
    EXPECT_GT(in_views(), 0u);
    on.database->drop_view("words").value();
    EXPECT_EQ(in_views(), 0u);
    EXPECT_TRUE(on.database->views().empty());
    EXPECT_EQ(on.rows("words"), "error: not_found");
    EXPECT_EQ(code_of(on.database->drop_view("words")), Errc::not_found);
    on.crash(Fate::lost);
    EXPECT_TRUE(on.database->views().empty());
}

// P6, P7: rows that no name leads to are not forgotten, and a full disk is a failed write.
TEST(Views, WhoseAddingFailedLeaveNothingBehindAndNothingIsWrittenBehindThem) {
    for (const Errc code : {Errc::io, Errc::no_space}) {
        for (std::uint64_t operations = 0;; ++operations) {
            DatabaseOnDisk on;
            on.append_some(40);
            on.disk.fail_after(operations, code);
            const auto added =
                on.database->add_view("words", R"({"kind":"index","key":["/text"]})");
            on.disk.stop_failing();
            if (added) break;
            EXPECT_EQ(added.error().code, code) << operations;
            const std::uint64_t before = on.disk.operations();
            EXPECT_EQ(code_of(on.database->append(NewMessage{"more"})), Errc::latched);
            EXPECT_EQ(on.disk.operations(), before) << operations;
            on.reopen();
            on.database->erase(Seqs{{7}}).value();
            EXPECT_TRUE(on.disk.find_on_device("said in 7!").empty()) << operations;
            on.expect_verified();
        }
    }
}

TEST(Views, CatchUpOnceWithWhatWasReplacedSince) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    on.database->add_view("counts", kCounts).value();
    on.append_some(2);
    on.database->merge_views().value();
    const Seq seq = on.append(body_of("ada", 10));
    on.database->replace(seq, body_of("ada", 20)).value();
    on.crash(Fate::lost);
    EXPECT_EQ(on.rows("authors"), R"(["ada",1]=1 ["ada",20]=3 ["bo",2]=2)");
    EXPECT_EQ(on.rows("counts"), R"(["ada"]{"count":2,"sum":21} ["bo"]{"count":1,"sum":2})");
    on.expect_verified();
}

// A log that was put back from a copy is shorter than what the views have seen.
TEST(Views, OfALongerLogBeginAnew) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    on.append_some(10);
    on.close();
    const auto copy = on.disk.all_bytes();
    on.open();
    on.append_some(10);
    on.close();
    const auto log = on.root->subdirectory("log", Create::if_missing).value();
    for (const std::string& name : log->list().value()) {
        const auto file = log->open(name, Create::never).value();
        file->truncate(0).value();
        const auto found = copy.find("log/" + name);
        if (found != copy.end()) file->write_at(0, found->second).value();
    }
    on.open();
    EXPECT_EQ(on.database->last(), Seq{10});
    on.append(body_of("cy", 11));
    EXPECT_EQ(on.rows("authors", {.reverse = true, .limit = 1}), R"(["cy",11]=11)");
    on.expect_verified();
}

TEST(Views, ComeBackFromTheLogWhenTheyAreThrownAway) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    on.database->add_view("counts", kCounts).value();
    on.append_some(40);
    on.append("with a key", "<key>");
    on.database->delete_messages(Seqs{{5}}).value();
    on.database->replace({6}, body_of("cy", 6)).value();
    on.database->erase(Seqs{{8}}).value();
    const std::string authors = on.rows("authors"), counts = on.rows("counts");
    on.close();
    const auto views = on.root->subdirectory("views", Create::if_missing).value();
    for (const std::string& name : views->list().value()) views->remove(name).value();
    on.open();
    EXPECT_EQ(on.rows("authors"), authors);
    EXPECT_EQ(on.rows("counts"), counts);
    EXPECT_EQ(on.database->snapshot().get("<key>").value().seq, Seq{41});
    EXPECT_EQ(code_of(on.database->append(NewMessage{"x", "<key>"})), Errc::exists);
    on.expect_verified();
}

TEST(Reading, IsByKeyPrefixAndRangeEitherWayAndGoesOn) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    on.append_some(7); // ada 1 3 5 7, bo 2 4 6
    on.append(body_of("ada", 3));
    const auto keys = [&](const ReadOptions& how) { return on.rows("authors", how); };
    EXPECT_EQ(keys({.exact = Key("ada", 3)}), R"(["ada",3]=3 ["ada",3]=8)");
    EXPECT_EQ(keys({.exact = Key("ada")}), "");
    EXPECT_EQ(keys({.prefix = Key("bo")}), R"(["bo",2]=2 ["bo",4]=4 ["bo",6]=6)");
    EXPECT_EQ(keys({.prefix = Key("b")}), "");
    EXPECT_EQ(keys({.from = Key("ada", 5), .to = Key("bo", 4)}),
              R"(["ada",5]=5 ["ada",7]=7 ["bo",2]=2)");
    EXPECT_EQ(keys({.prefix = Key("ada"), .from = Key("ada", 4), .reverse = true}),
              R"(["ada",7]=7 ["ada",5]=5)");
    EXPECT_EQ(keys({.reverse = true, .limit = 2}), R"(["bo",6]=6 ["bo",4]=4)");
    EXPECT_EQ(keys({.limit = 0}), "");
    EXPECT_EQ(code_of(on.database->snapshot().read("authors", {.after = "xyz"})),
              Errc::invalid_argument);

    for (const bool reverse : {false, true}) {
        const std::string whole = keys({.reverse = reverse});
        std::string paged, after;
        for (;;) {
            const Snapshot snapshot = on.database->snapshot();
            auto cursor =
                snapshot.read("authors", {.reverse = reverse, .limit = 3, .after = after}).value();
            std::size_t rows = 0;
            for (; cursor.next(); ++rows) {
                paged += (paged.empty() ? "" : " ") + cursor.key().to_json() + '=' +
                         std::to_string(cursor.seq().value);
                after = cursor.position();
            }
            if (rows == 0) break;
        }
        EXPECT_EQ(paged, whole);
    }
    // A position stays good when its row is gone.
    auto first = on.database->snapshot().read("authors").value();
    ASSERT_TRUE(first.next());
    const std::string after = first.position();
    on.database->delete_messages(Seqs{{1}}).value();
    EXPECT_EQ(keys({.limit = 1, .after = after}), R"(["ada",3]=3)");

    EXPECT_EQ(on.database->snapshot().read("authors").value().count_rest(), 7u);
    EXPECT_EQ(on.database->snapshot().read("authors", {.limit = 4}).value().count_rest(), 4u);
    auto cursor = on.database->snapshot().read("authors", {.prefix = Key("bo")}).value();
    ASSERT_TRUE(cursor.next());
    EXPECT_EQ(cursor.message().value().body, body_of("bo", 2, "said in 2!"));
    EXPECT_EQ(cursor.value(), "");
    EXPECT_EQ(cursor.count_rest(), 2u);
    EXPECT_FALSE(cursor.next());
}

TEST(Reading, RefusesBoundsThatContradictEachOtherAndPositionsThatAreNone) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    on.append_some(3);
    const Snapshot snapshot = on.database->snapshot();
    const Key ada("ada");
    for (const ReadOptions& how :
         {ReadOptions{.exact = ada, .prefix = ada}, ReadOptions{.exact = ada, .from = ada},
          ReadOptions{.exact = ada, .to = ada}, ReadOptions{.after = "0"},
          ReadOptions{.after = "0/"}, ReadOptions{.after = "g0"}, ReadOptions{.after = "0A"},
          ReadOptions{.after = "ff"}}) {
        EXPECT_EQ(code_of(snapshot.read("authors", how)), Errc::invalid_argument) << how.after;
    }
}

TEST(Reading, EndsAtTheNearerOfTwoBounds) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    on.append_some(5);
    EXPECT_EQ(on.rows("authors", {.prefix = Key("ada"), .to = Key("ada", 3)}), R"(["ada",1]=1)");
    EXPECT_EQ(on.rows("authors", {.prefix = Key("ada"), .to = Key("bo", 3)}),
              R"(["ada",1]=1 ["ada",3]=3 ["ada",5]=5)");
}

TEST(Reading, OfAnAggregateIsByGroup) {
    DatabaseOnDisk on;
    on.database->add_view("counts", kCounts).value();
    on.append_some(5);
    EXPECT_EQ(on.rows("counts", {.exact = Key("bo")}), R"(["bo"]{"count":2,"sum":6})");
    EXPECT_EQ(on.rows("counts", {.reverse = true, .limit = 1}), R"(["bo"]{"count":2,"sum":6})");
    auto cursor = on.database->snapshot().read("counts").value();
    ASSERT_TRUE(cursor.next());
    EXPECT_EQ(cursor.seq(), Seq{0});
    EXPECT_EQ(code_of(cursor.message()), Errc::invalid_argument);
    EXPECT_EQ(on.rows("counts", {.after = cursor.position()}), R"(["bo"]{"count":2,"sum":6})");
    EXPECT_EQ(cursor.count_rest(), 1u);
}

// As when the interpreter that a view's function runs in shuts down: nothing is said of the
// message.
TEST(CodeViews, WhoseCodeIsGoneFailTheCallAndAreMappedByTheNextOpening) {
    SimulatedDisk disk;
    const auto root = disk.root();
    Database::create(*root).value();
    bool is_gone = false;
    CodeView view{"test", 1, R"({"kind":"index"})", [&](const Message& message, Emit& emit) {
                      if (is_gone) throw CodeGone();
                      emit(Key(message.body));
                  }};
    {
        const auto database = Database::open(*root, {}).value();
        database->add_view("bodies", view).value();
        database->append(NewMessage{"one"}).value();
        is_gone = true;
        const auto appended = database->append(NewMessage{"two"});
        ASSERT_FALSE(appended);
        EXPECT_EQ(appended.error().code, Errc::ended);
        EXPECT_EQ(database->append(NewMessage{"three"}).error().code, Errc::latched);
    }
    is_gone = false;
    const auto database = Database::open(*root, {}).value();
    database->add_view("bodies", view).value();
    EXPECT_EQ(database->snapshot().read("bodies").value().count_rest(), database->last().value);
    EXPECT_EQ(database->views().front().errors, 0U);
    EXPECT_TRUE(database->verify().value().equal());
}

TEST(CodeViews, MapWithTheirFunctionAndCountWhatItThrows) {
    DatabaseOnDisk on;
    on.append_some(2);
    on.append("no JSON");
    CountingView view;
    on.database->add_view("authors", view.code()).value();
    EXPECT_EQ(on.info("authors").errors, 1u);
    on.append("no JSON either");
    on.append(body_of("cy", 5), "<five>");
    EXPECT_EQ(on.rows("authors"), R"(["ada",""]=1 ["bo",""]=2 ["cy","<five>"]=5)");
    EXPECT_EQ(on.info("authors").errors, 2u);
    // Adding another view does not make it forget.
    on.database->add_view("counts", kCounts).value();
    EXPECT_EQ(on.info("authors").errors, 2u);
    EXPECT_EQ(on.info("authors").app, "reader");
    EXPECT_EQ(on.info("authors").version, 1u);
    on.expect_verified();
}

TEST(CodeViews, GiveNoRowAtAllOfAMessageOnWhichTheyThrowUntilItIsReplaced) {
    DatabaseOnDisk on;
    CodeView view;
    view.app = "reader";
    view.map = [](const Message& message, Emit& emit) {
        emit(Key("seen", message.seq.value));
        if (message.json->find("n")->as_int64().value() < 0) throw std::runtime_error("negative");
        emit(Key("good", message.seq.value));
        if (message.json->find("author")->as_string().value() == "wrong") emit(Key("bad"), 1.5);
    };
    on.append(body_of("ada", -1));
    on.database->add_view("code", view).value();
    on.append(body_of("ada", 2));
    on.append(body_of("wrong", 3)); // An index takes no values.
    EXPECT_EQ(on.rows("code"), R"(["good",2]=2 ["seen",2]=2)");
    EXPECT_EQ(on.info("code").errors, 2u);
    on.expect_verified();

    on.database->replace({1}, body_of("ada", 1)).value();
    on.database->replace({2}, body_of("ada", -2)).value();
    EXPECT_EQ(on.rows("code"), R"(["good",1]=1 ["seen",1]=1)");
    EXPECT_EQ(on.info("code").errors, 3u);
    on.database->replace({2}, body_of("ada", 2)).value();
    on.database->delete_messages(Seqs{{3}}).value();
    on.database->restore(Seqs{{3}}).value(); // It throws again.
    const std::string shown = R"(["good",1]=1 ["good",2]=2 ["seen",1]=1 ["seen",2]=2)";
    EXPECT_EQ(on.rows("code"), shown);
    EXPECT_EQ(on.info("code").errors, 4u);
    on.crash(Fate::lost);
    on.database->add_view("code", view).value();
    EXPECT_EQ(on.rows("code"), shown);
    on.database->replace({3}, body_of("ada", 3)).value();
    EXPECT_EQ(on.rows("code", {.prefix = Key("good")}),
              R"(["good",1]=1 ["good",2]=2 ["good",3]=3)");
    on.expect_verified();
}

// P4: the view loses what is gone without its code, and its code catches up when it is back.
TEST(CodeViews, LoseRowsWhileTheyAreNotLoadedAndCatchUpLater) {
    for (const bool crashes : {false, true}) {
        DatabaseOnDisk on;
        CountingView view;
        on.database->add_view("authors", view.code()).value();
        on.append_some(6);
        on.database->delete_messages(Seqs{{6}}).value();
        on.reopen();
        EXPECT_FALSE(on.info("authors").loaded);
        EXPECT_EQ(on.info("authors").since, Seq{7});
        const std::uint64_t calls = view.count();
        on.database->delete_messages(Seqs{{1}}).value();
        on.database->erase(Seqs{{2}}).value();
        on.database->replace({3}, body_of("cy", 3)).value();
        on.database->delete_messages(Seqs{{4}}).value();
        on.database->restore(Seqs{{4}, {6}}).value();
        on.append(body_of("dee", 14));
        // 4 is restored, 3 replaced: what they give now only the code can say.
        EXPECT_EQ(on.rows("authors"), R"(["ada",""]=5)");
        if (crashes) on.crash(Fate::lost);
        EXPECT_EQ(on.rows("authors"), R"(["ada",""]=5)");
        EXPECT_EQ(on.info("authors").since, Seq{7});
        EXPECT_EQ(view.count(), calls);

        on.database->add_view("authors", view.code()).value();
        EXPECT_EQ(on.rows("authors"),
                  R"(["ada",""]=5 ["bo",""]=4 ["bo",""]=6 ["cy",""]=3 ["dee",""]=14)");
        EXPECT_EQ(on.info("authors").since, on.database->last());
        // P8: it was called for those four, and not for the rest of the log.
        EXPECT_EQ(view.count(), calls + 4);
        on.reopen();
        on.database->add_view("authors", view.code()).value();
        EXPECT_EQ(view.count(), calls + 4);
        on.expect_verified();
    }
}

TEST(CodeViews, CutShortWhileTheyCatchUpCountNothingTwice) {
    CodeView view;
    view.app = "reader";
    view.definition = R"({"kind":"aggregate","value":{"count":true}})";
    view.map = [](const Message&, Emit& emit) { emit(Key("all")); };
    Options options = small_files();
    options.log_segment_size_bytes = 1 << 22;
    options.view_segment_rows_max = 4096;
    DatabaseOnDisk on(options);
    on.database->add_view("count", view).value();
    on.append("one");
    on.reopen();
    const std::vector<NewMessage> many(9000, NewMessage{"more than one step of catching up"});
    on.database->append(many).value();
    on.close();
    std::uint64_t failures = 0;
    for (std::uint64_t operations = 0;; ++operations) {
        const auto disk = on.disk.copy_after_power_cut(Fate::kept);
        const auto root = disk->root();
        auto database = Database::open(*root, options).value();
        disk->fail_after(operations);
        const bool added = database->add_view("count", view).has_value();
        database.reset();
        disk->stop_failing();
        database = Database::open(*root, options).value();
        database->add_view("count", view).value();
        EXPECT_EQ(DatabaseOnDisk::rows_in(database->snapshot(), "count"),
                  R"(["all"]{"count":9001})");
        EXPECT_TRUE(database->verify().value().equal());
        if (added) break;
        ++failures;
    }
    EXPECT_GT(failures, 3u);
}

TEST(CodeViews, OfANewVersionAreBuiltAnew) {
    DatabaseOnDisk on;
    CountingView view;
    on.append_some(4);
    on.database->add_view("authors", view.code(1)).value();
    on.reopen();
    on.database->add_view("authors", view.code(2)).value();
    EXPECT_EQ(on.info("authors").version, 2u);
    EXPECT_EQ(view.calls.at({1}), 2u);
    EXPECT_EQ(on.database->views().size(), 1u);
    on.expect_verified();
}

TEST(CodeViews, ThatAreNotLoadedAreNotVerified) {
    DatabaseOnDisk on;
    CountingView view;
    on.database->add_view("authors", view.code()).value();
    on.append_some(4);
    const auto is_checked = [&] {
        for (const auto& each : on.database->verify().value().views) {
            if (each.name == "authors") return each.checked;
        }
        return false;
    };
    EXPECT_TRUE(is_checked());
    on.reopen();
    EXPECT_FALSE(is_checked());
}

} // namespace
} // namespace sluice::test
