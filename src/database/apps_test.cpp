// Applications: whose views there are, when they were here, forgetting them, and catching up beside
// reads.
#include "database/database_test_support.hpp"

#include <atomic>
#include <chrono>
#include <random>
#include <thread>

namespace sluice::test {
namespace {

constexpr std::uint64_t kHourMs = 3600000;

CodeView by_length(const std::string& app, std::uint32_t version = 1) {
    CodeView view;
    view.app = app;
    view.version = version;
    view.map = [](const Message& message, Emit& emit) { emit(Key(message.body.size())); };
    return view;
}

struct Apps : testing::Test {
    Apps() : on(with_clock(now)) {}
    static Options with_clock(const std::atomic<std::uint64_t>& at) {
        Options options = small_files();
        options.clock = [&at] { return at.load(); };
        return options;
    }
    /// Like `forum=100 mail=200`.
    std::string uses(const std::string& view) const {
        std::string text;
        for (const ViewInfo::Use& use : on.info(view).uses) {
            text += (text.empty() ? "" : " ") + use.app + '=' + std::to_string(use.opened_ms);
        }
        return text;
    }
    Result<void> declare(const std::string& name, const std::string& app) const {
        const Database::NewView view{name, kByAuthor, app};
        return on.database->add_views(std::span(&view, 1));
    }
    using Names = std::vector<std::string>;

    std::atomic<std::uint64_t> now{1000 * kHourMs};
    DatabaseOnDisk on;
};

TEST_F(Apps, UseViewsTogetherIfTheyRegisterTheSame) {
    ASSERT_TRUE(on.database->add_view("lengths", by_length("mail")));
    const auto first = on.info("lengths");
    on.reopen();
    now = 1001 * kHourMs;
    ASSERT_TRUE(on.database->add_view("lengths", by_length("forum")));
    EXPECT_EQ(uses("lengths"), "forum=3603600000 mail=3600000000");
    EXPECT_EQ(on.info("lengths").app, "mail");
    EXPECT_EQ(on.info("lengths").version, first.version);
    ASSERT_TRUE(declare("authors", "mail"));
    ASSERT_TRUE(declare("authors", "web"));
    ASSERT_TRUE(on.database->add_view("plain", kByAuthor));
    on.reopen();
    EXPECT_EQ(uses("authors"), "mail=3603600000 web=3603600000");
    EXPECT_EQ(on.info("authors").app, "") << "it is declared all the same";
    EXPECT_EQ(uses("plain"), "");

    Names names;
    for (const AppInfo& app : on.database->apps()) {
        for (const ViewInfo& view : app.views) names.push_back(app.name + ' ' + view.name);
    }
    EXPECT_EQ(names, (Names{"forum lengths", "mail authors", "mail lengths", "web authors"}));
}

TEST_F(Apps, KeepTheNameWhenItTakesAnotherDefinition) {
    ASSERT_TRUE(on.database->add_view("lengths", by_length("mail")));
    ASSERT_TRUE(on.database->add_view("lengths", by_length("forum", 2)));
    EXPECT_EQ(uses("lengths"), "forum=3600000000 mail=3600000000");
    EXPECT_EQ(on.info("lengths").app, "forum");
}

// Reading must cost nothing: what is noted is at most some hours old, and written on closing.
TEST_F(Apps, AreNotedWhenTheyCameLastAtMostEveryFewHours) {
    ASSERT_TRUE(declare("authors", "mail"));
    const auto opened = [&] { return on.info("authors").opened_ms / kHourMs; };
    EXPECT_EQ(opened(), 1000u);
    on.reopen();
    now = 1005 * kHourMs;
    const auto syncs = on.disk.syncs();
    ASSERT_TRUE(declare("authors", "mail"));
    EXPECT_EQ(on.disk.syncs(), syncs) << "that is too soon to be noted again";
    EXPECT_EQ(opened(), 1000u);
    now = 1007 * kHourMs;
    ASSERT_TRUE(declare("authors", "mail"));
    EXPECT_EQ(uses("authors"), "mail=" + std::to_string(1007 * kHourMs));

    now = 1020 * kHourMs;
    on.reopen();
    EXPECT_EQ(opened(), 1007u) << "nobody read it";
    const auto before = on.disk.operations();
    on.rows("authors");
    EXPECT_EQ(on.disk.operations(), before);
    EXPECT_EQ(opened(), 1020u);
    on.reopen();
    EXPECT_EQ(opened(), 1020u) << "a read counts, whoever did it";
    EXPECT_EQ(uses("authors"), "mail=" + std::to_string(1007 * kHourMs)) << "but for no app";
}

// Whoever follows a view needs it as much as who reads it; a reader's reads nobody notes.
TEST_F(Apps, ReadViewsThatTheyFollow) {
    for (const char* const name : {"fed", "told", "selected", "beside"}) {
        ASSERT_TRUE(on.database->add_view(name, kByAuthor));
    }
    now = 1100 * kHourMs;
    {
        const Feed feed = on.database->feed({.view = "fed"}).value();
        const Subscription subscription = on.database->subscribe("told").value();
        on.database->select(SelectView{"selected", {}}).value();
        const auto reader = reader_of(on);
        ASSERT_TRUE(reader->snapshot().read("beside"));
        EXPECT_EQ(reader->views()[0].opened_ms, 1000 * kHourMs);
    }
    for (const char* const name : {"fed", "told", "selected"}) {
        EXPECT_EQ(on.info(name).opened_ms, 1100 * kHourMs) << name;
    }
    on.reopen();
    now = 1101 * kHourMs;
    for (const char* const name : {"fed", "told", "selected"}) {
        EXPECT_EQ(on.info(name).opened_ms, 1100 * kHourMs) << name;
    }
    EXPECT_EQ(on.info("beside").opened_ms, 1000 * kHourMs);
}

// What says how views are doing waits for nobody who writes.
TEST_F(Apps, AreListedWhileOthersWrite) {
    ASSERT_TRUE(on.database->add_view("lengths", by_length("mail")));
    std::vector<AppInfo> listed;
    CodeView view = by_length("forum");
    view.map = [&](const Message&, Emit&) {
        std::thread([&] {
            listed = on.database->apps();
            EXPECT_TRUE(on.database->retention().empty());
        }).join();
    };
    ASSERT_TRUE(on.database->add_view("other", view));
    on.append("a");
    ASSERT_EQ(listed.size(), 2u);
    EXPECT_EQ(listed[1].name, "mail");
}

TEST_F(Apps, AreForgottenWithTheViewsThatNobodyElseUses) {
    ASSERT_TRUE(declare("authors", "mail"));
    ASSERT_TRUE(declare("authors", "web"));
    ASSERT_TRUE(on.database->add_view("lengths", by_length("mail")));
    ASSERT_TRUE(on.database->add_view("shared", by_length("mail")));
    ASSERT_TRUE(on.database->add_view("shared", by_length("web")));
    ASSERT_TRUE(on.database->add_view("plain", kByAuthor));

    auto forgotten = on.database->forget_app("mail", {.dry_run = true}).value();
    EXPECT_EQ(forgotten.dropped, Names{"lengths"});
    EXPECT_EQ(forgotten.kept, (Names{"authors", "shared"}));
    EXPECT_EQ(on.database->views().size(), 4u) << "a dry run changes nothing";

    forgotten = on.database->forget_app("mail").value();
    EXPECT_EQ(forgotten.dropped, Names{"lengths"});
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(on.rows("lengths"), "error: not_found");
        EXPECT_EQ(uses("authors"), "web=3600000000");
        EXPECT_EQ(on.info("shared").app, "web");
        EXPECT_EQ(uses("plain"), "");
        on.reopen();
    }
    EXPECT_EQ(code_of(on.database->forget_app("mail")), Errc::not_found);
    ASSERT_TRUE(declare("authors", "mail"));
    EXPECT_EQ(on.database->forget_app("mail")->kept, Names{"authors"});
    EXPECT_EQ(uses("authors"), "web=3600000000");
}

TEST_F(Apps, AreNotedAnewByAClockThatWasAhead) {
    now = 5000 * kHourMs;
    ASSERT_TRUE(declare("authors", "mail"));
    now = 1000 * kHourMs;
    ASSERT_TRUE(declare("authors", "mail"));
    EXPECT_EQ(on.info("authors").opened_ms, 1000 * kHourMs);
    EXPECT_EQ(uses("authors"), "mail=3600000000");
}

TEST_F(Apps, HaveNamesOfLegibleText) {
    const Errc bad = Errc::invalid_argument;
    EXPECT_EQ(code_of(declare("authors", "a\nb")), bad);
    EXPECT_EQ(code_of(on.database->add_view("lengths", by_length("a\nb"))), bad);
    EXPECT_EQ(code_of(on.database->add_view("lengths", by_length(""))), bad);
    EXPECT_TRUE(on.database->views().empty());
}

TEST(ViewStates, AreNamedForPeople) {
    using enum ViewInfo::State;
    EXPECT_EQ(name_of(current), "current");
    EXPECT_EQ(name_of(behind), "behind");
    EXPECT_EQ(name_of(building), "building");
    EXPECT_EQ(name_of(waits_for_code), "waits for its code");
    EXPECT_EQ(name_of(damaged), "damaged");
}

TEST_F(Apps, AreNotForgottenWhileAnothersViewReadsOneOfTheirs) {
    ASSERT_TRUE(declare("authors", "mail"));
    CodeView reader;
    reader.app = "web";
    reader.reads = {on.database->rows_of("authors").value()};
    reader.map_reading = [](Context&, const Message&, Emit&) {};
    ASSERT_TRUE(on.database->add_view("reader", reader));
    const auto refused = on.database->forget_app("mail");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid_argument);
    EXPECT_NE(refused.error().context.find("view reader of app web reads authors"),
              std::string::npos);
    EXPECT_EQ(on.database->views().size(), 2u);
    ASSERT_TRUE(on.database->forget_app("web"));
    ASSERT_TRUE(on.database->forget_app("mail"));
    EXPECT_TRUE(on.database->views().empty());
}

TEST_F(Apps, AreForgottenTogetherWithWhatReadsWhat) {
    ASSERT_TRUE(declare("authors", "mail"));
    CodeView reader;
    reader.app = "mail";
    reader.reads = {on.database->rows_of("authors").value()};
    reader.map_reading = [](Context&, const Message&, Emit&) {};
    ASSERT_TRUE(on.database->add_view("reader", reader));
    EXPECT_EQ(on.database->forget_app("mail")->dropped, (Names{"authors", "reader"}));
}

// Forgetting is one moment: after a crash all of the app's views are there, or none.
TEST_F(Apps, AreForgottenInOneMoment) {
    for (const char* const name : {"a", "b", "c"}) ASSERT_TRUE(declare(name, "mail"));
    on.append_some(5);
    on.disk.observe([&] {
        for (const Fate fate : kEveryFate) {
            const auto after = on.disk.copy_after_power_cut(fate, on.disk.operations());
            const auto root = after->root();
            const auto database = Database::open(*root, on.options).value();
            const std::size_t left = database->views().size();
            ASSERT_TRUE(left == 0 || left == 3) << left;
            ASSERT_EQ(first_difference(*database), "");
        }
    });
    ASSERT_TRUE(on.database->forget_app("mail"));
    on.disk.observe({});
}

// Offline owners

TEST_F(Apps, SeeWhatWaitsForTheirCode) {
    ASSERT_TRUE(on.database->add_view("lengths", by_length("mail")));
    on.append_some(6);
    EXPECT_EQ(on.info("lengths").state, ViewInfo::State::current);
    on.reopen();
    ASSERT_TRUE(on.database->delete_messages(Seqs{{1}, {2}, {3}}));
    EXPECT_EQ(on.info("lengths").state, ViewInfo::State::current)
        << "what is gone is gone without its code";
    ASSERT_TRUE(on.database->restore(Seqs{{1}, {2}}));
    ASSERT_TRUE(on.database->replace({5}, "other"));
    ASSERT_TRUE(on.database->delete_messages(Seqs{{2}}));
    on.append("new");
    ViewInfo info = on.info("lengths");
    EXPECT_EQ(info.state, ViewInfo::State::waits_for_code);
    EXPECT_EQ(info.pending, 3u) << "1, 5 and the new one";
    EXPECT_EQ(info.since, Seq{6});
    std::uint64_t steps = 0;
    ASSERT_TRUE(on.database->add_view("lengths", by_length("mail"), [&](const Progress& progress) {
        EXPECT_EQ(progress.what, "catching up");
        ++steps;
    }));
    EXPECT_GT(steps, 0u);
    info = on.info("lengths");
    EXPECT_EQ(info.state, ViewInfo::State::current);
    EXPECT_EQ(info.pending, 0u);
    on.expect_verified();
}

// "Catches up by the entries that concern it, never a rebuild": its code sees those and no other.
TEST_F(Apps, AreAskedOnlyForWhatConcernsThem) {
    ASSERT_TRUE(on.database->add_view("lengths", by_length("mail")));
    on.append_some(50);
    on.reopen();
    ASSERT_TRUE(on.database->delete_messages(Seqs{{1}, {2}, {3}}));
    ASSERT_TRUE(on.database->erase(Seqs{{4}}));
    ASSERT_TRUE(on.database->replace({20}, "other"));
    ASSERT_TRUE(on.database->restore(Seqs{{2}}));
    const Seq fresh = on.append("new");
    const Seq gone = on.append("gone");
    ASSERT_TRUE(on.database->delete_messages(Seqs{gone}));
    std::vector<Seq> seen;
    CodeView view = by_length("mail");
    view.map = [&](const Message& message, Emit& emit) {
        seen.push_back(message.seq);
        by_length("mail").map(message, emit);
    };
    ASSERT_TRUE(on.database->add_view("lengths", view));
    EXPECT_EQ(seen, (Seqs{{2}, {20}, fresh}));
    on.expect_verified();
}

TEST_F(Apps, ReadOnAtTheOldSinceIfTheyWant) {
    ASSERT_TRUE(on.database->add_view("lengths", by_length("mail")));
    on.append("a");
    on.append("bb");
    on.reopen();
    on.append("ccc");
    ASSERT_TRUE(on.database->delete_messages(Seqs{{1}}));
    CodeView view = by_length("mail");
    view.when_behind = WhenBehind::read_on;
    ASSERT_TRUE(on.database->add_view("lengths", view));
    EXPECT_EQ(on.rows("lengths"), "[2]=2");
    ViewInfo info = on.info("lengths");
    EXPECT_EQ(info.state, ViewInfo::State::behind);
    EXPECT_EQ(info.since, Seq{2});
    EXPECT_EQ(info.pending, 1u);
    on.append("dddd"); // Which is not mapped for it before its turn.
    ASSERT_TRUE(on.database->replace({2}, "bbbbb"));
    EXPECT_EQ(on.rows("lengths"), "");
    on.expect_verified(); // It is not checked before it is as far as the log.
    std::uint64_t steps = 0;
    ASSERT_TRUE(on.database->wait_for_views([&](const Progress&) { ++steps; }));
    EXPECT_GT(steps, 0u);
    EXPECT_EQ(on.rows("lengths"), "[3]=3 [4]=5 [5]=2");
    on.append("eeeeee");
    EXPECT_EQ(on.rows("lengths"), "[3]=3 [4]=5 [5]=2 [6]=7");
    EXPECT_EQ(on.info("lengths").state, ViewInfo::State::current);
    on.expect_verified();
}

TEST_F(Apps, NeedNotCatchUpWithAViewThatIsDropped) {
    ASSERT_TRUE(on.database->add_view("lengths", by_length("mail")));
    on.reopen();
    on.append("a");
    CodeView view = by_length("mail");
    view.when_behind = WhenBehind::read_on;
    ASSERT_TRUE(on.database->add_view("lengths", view));
    ASSERT_TRUE(on.database->drop_view("lengths"));
    ASSERT_TRUE(on.database->wait_for_views());
    on.expect_verified();
}

// So many that they are more than one part of the work.
TEST_F(Apps, CatchUpInPartsWithWhatIsMuch) {
    constexpr std::size_t kCount = 9000;
    constexpr std::size_t kLarge = 9 * 1024 * 1024;
    ASSERT_TRUE(on.database->add_view("lengths", by_length("mail")));
    const Seq first = on.database->append(std::vector<NewMessage>(kCount, NewMessage{"a"})).value();
    on.reopen();
    Seqs all;
    for (Seq seq = first; all.size() < kCount; seq = seq.next()) all.push_back(seq);
    ASSERT_TRUE(on.database->delete_messages(all));
    ASSERT_TRUE(on.database->restore(all));
    for (int i = 0; i < 3; ++i) on.append(std::string(kLarge, 'x'));
    ASSERT_TRUE(on.database->add_view("lengths", by_length("mail")));
    EXPECT_EQ(on.database->snapshot().read("lengths", {.exact = Key(1)})->count_rest(), kCount);
    EXPECT_EQ(on.database->snapshot().read("lengths", {.exact = Key(kLarge)})->count_rest(), 3u);
}

// What others change between two steps of catching up, of messages that the first one had.
TEST_F(Apps, CatchUpWithWhatIsChangedMeanwhile) {
    on.options.view_segment_rows_max = 131072;
    on.options.view_memory_bytes_max = 48 << 20;
    on.options.durability = Durability::none;
    on.reopen();
    ASSERT_TRUE(on.database->add_view("lengths", by_length("mail")));
    on.reopen();
    const std::vector<NewMessage> batch(20000, NewMessage{"abc"});
    ASSERT_TRUE(on.database->append(batch));
    std::thread other;
    bool is_under_way = false;
    CodeView view = by_length("mail");
    view.when_behind = WhenBehind::read_on;
    view.map = [&](const Message& message, Emit& emit) {
        by_length("mail").map(message, emit);
        if (message.seq != Seq{100} || std::exchange(is_under_way, true)) return;
        // It waits for the lock that this step has, and gets it before the next one.
        other = std::thread([&] {
            on.database->replace({5}, "changed").value();
            on.database->append({"new"}).value();
        });
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    };
    ASSERT_TRUE(on.database->add_view("lengths", view));
    const auto caught_up = on.database->wait_for_views();
    other.join();
    ASSERT_TRUE(caught_up) << caught_up.error().context;
    EXPECT_EQ(on.rows("lengths", {.exact = Key(7)}), "[7]=5");
    EXPECT_EQ(on.database->snapshot().read("lengths")->count_rest(), 20001u);
    on.expect_verified();
}

TEST_F(Apps, StartWhereTheyWereIfTheyCloseBeforeTheyHaveCaughtUp) {
    ASSERT_TRUE(on.database->add_view("lengths", by_length("mail")));
    on.append("a");
    on.reopen();
    on.append("bb");
    CodeView view = by_length("mail");
    view.when_behind = WhenBehind::read_on;
    ASSERT_TRUE(on.database->add_view("lengths", view));
    on.reopen();
    EXPECT_EQ(on.info("lengths").since, Seq{1});
    ASSERT_TRUE(on.database->add_view("lengths", by_length("mail")));
    EXPECT_EQ(on.rows("lengths"), "[1]=1 [2]=2");
}

TEST_F(Apps, HaveANewVersionBuiltBesideTheOldOne) {
    ASSERT_TRUE(on.database->add_view("lengths", by_length("mail")));
    on.append("a");
    const Snapshot before = on.database->snapshot();
    CodeView second = by_length("mail", 2);
    std::string seen_meanwhile;
    ViewInfo::State state{};
    second.map = [&](const Message&, Emit& emit) {
        seen_meanwhile = on.rows("lengths");
        std::thread([&] { state = on.info("lengths").state; }).join();
        emit(Key("second"));
    };
    ASSERT_TRUE(on.database->add_view("lengths", second));
    EXPECT_EQ(seen_meanwhile, "[1]=1");
    EXPECT_EQ(state, ViewInfo::State::building);
    EXPECT_EQ(on.rows("lengths"), R"(["second"]=1)");
    EXPECT_EQ(DatabaseOnDisk::rows_in(before, "lengths"), "[1]=1");
}

/// A message that begins with 0 to 3 is what the key of that number says, if it is there.
void open_with_key(Context& context, const Incoming& message, Transformed& made) {
    if (message.body().empty() || message.body()[0] < '0' || message.body()[0] > '3') return;
    static const Source kKeys = Source::facts("keys");
    if (const auto key = context.get(kKeys, Key(message.body().substr(0, 1)))) {
        made.set_body(std::string(key->value));
    }
}

// P1 for applications that come and go: two of them, one that waits and one that reads on, through
// deletes, erasures, edits, keys, closings and crashes.
TEST(AppHistories, LeaveViewsThatAreRightWheneverTheirAppIsThere) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937_64 random(seed);
        const auto pick = [&](std::uint64_t below) { return random() % below; };
        Options options = small_files();
        options.transforms.add({"open", 1, open_with_key});
        DatabaseOnDisk on(options);
        if (seed % 2 == 0) {
            ASSERT_TRUE(on.database->use_transforms(std::vector<std::string>{"open"}));
        }
        bool is_here[2] = {false, false};
        const char* const names[2] = {"waits", "reads on"};
        const auto gone = [&] { is_here[0] = is_here[1] = false; };
        for (int step = 0; step < 60; ++step) {
            const Seq last = on.database->last();
            const Seqs some{{1 + pick(std::max<std::uint64_t>(last.value, 1))}};
            const FactName key{"keys", Key(std::to_string(pick(4)))};
            switch (pick(15)) {
            case 0:
            case 1:
            case 2:
            case 3: on.append(std::to_string(pick(8)) + std::string(pick(9), 'x')); break;
            case 11:
            case 12:
                ASSERT_TRUE(on.database->put_fact({key, std::string(1 + pick(9), 'k')}));
                break;
            case 13: (void)on.database->drop_fact(key).has_value(); break;
            // What is no message, or not there any more, is refused.
            case 4: (void)on.database->delete_messages(some).has_value(); break;
            case 5: (void)on.database->restore(some).has_value(); break;
            case 6: (void)on.database->erase(some).has_value(); break;
            case 7:
                (void)on.database
                    ->replace(some[0], std::to_string(pick(8)) + std::string(pick(9), 'y'))
                    .has_value();
                break;
            case 8: on.reopen(), gone(); break;
            case 9: on.crash(kEveryFate[pick(std::size(kEveryFate))], random()), gone(); break;
            case 10: ASSERT_TRUE(on.database->wait_for_views()); break;
            default: {
                const std::size_t which = pick(2);
                CodeView view = by_length(names[which]);
                if (which == 1) view.when_behind = WhenBehind::read_on;
                ASSERT_TRUE(on.database->add_view(names[which], view));
                is_here[which] = true;
            }
            }
            for (const ViewInfo& info : on.database->views()) {
                const bool is_right = info.state == ViewInfo::State::current;
                ASSERT_EQ(info.pending == 0, is_right);
                ASSERT_TRUE(is_right || info.name != "waits" || !is_here[0]);
            }
        }
        ASSERT_TRUE(on.database->add_view("waits", by_length("waits")));
        ASSERT_TRUE(on.database->add_view("reads on", by_length("reads on")));
        ASSERT_EQ(first_difference(*on.database), "");
        EXPECT_EQ(on.rows("waits"), on.rows("reads on"));
    }
}

} // namespace
} // namespace sluice::test
