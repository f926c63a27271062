// Those who follow a database, while messages go by themselves and while views catch up beside
// reads: the change feed, subscriptions, and readers in this process and in another.
#include "database/retention_test_support.hpp"
#include "database/subscription_test_support.hpp"
#include "support/temporary_directory.hpp"

#include <array>
#include <map>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace sluice::test {
namespace {

using std::chrono::milliseconds;

constexpr const char* kRooms = R"({"kind":"index","key":["/room"]})";
constexpr const char* kPerRoom = R"({"kind":"aggregate","group":["/room"],"value":{"count":true}})";

/// All that there is to tell, like `gone 1 2, added 3`.
std::string told(Feed& feed) {
    std::string text;
    std::optional<FeedChange::Kind> kind;
    for (;;) {
        const FeedBatch batch = feed.next().value();
        if (batch.changes.empty()) return text;
        for (const FeedChange& change : batch.changes) {
            if (kind != change.kind) {
                text += (text.empty() ? "" : ", ") + std::string(name_of(change.kind));
            }
            kind = change.kind;
            text += ' ' + std::to_string(change.seq.value);
        }
    }
}

/// Four messages, of which the first and the third are old and the third is held.
struct FollowedRetention : RetainingDatabase {
    FollowedRetention() {
        database->add_view("rooms", kRooms).value();
        database->add_view("per_room", kPerRoom).value();
        append_aged(99, "a");
        append_aged(1, "a");
        append_aged(98, "b");
        append_aged(2, "b");
        database->hold(Seqs{{3}}).value();
    }
};

TEST(FollowedRetention, IsToldByTheFeedAsWhatHasGone) {
    FollowedRetention on;
    Feed feed = on.database->feed({.view = "rooms"}).value();
    Feed all = on.database->feed().value();
    EXPECT_EQ(told(feed), "added 1 2 3 4");
    EXPECT_EQ(told(all), "added 1 2 3 4");
    on.add(older_than_days(90));
    EXPECT_EQ(told(feed), "") << "a rule that is new has done nothing";
    EXPECT_EQ(on.apply(), (Seqs{{1}}));
    EXPECT_EQ(told(feed), "gone 1");
    EXPECT_EQ(told(all), "gone 1");

    on.database->release(Seqs{{3}}).value();
    RetentionRule destroys = erasing(older_than_days(98));
    destroys.name = "destroyed";
    on.add(destroys);
    EXPECT_EQ(on.apply(), (Seqs{{1}, {3}}));
    EXPECT_EQ(told(feed), "gone 1 3");
    EXPECT_EQ(told(all), "gone 1 3");
    EXPECT_EQ(told(feed), "");
}

TEST(FollowedRetention, IsToldSubscribersAsRowsThatWent) {
    FollowedRetention on;
    Replica rooms(on.database->subscribe("rooms").value());
    Replica per_room(on.database->subscribe("per_room").value());
    rooms.take();
    per_room.take();
    on.add(older_than_days(90));
    on.apply();
    EXPECT_EQ(rooms.next(), R"(-["a"]=1)");
    EXPECT_EQ(per_room.next(), R"(-["a"]{"count":2} +["a"]{"count":1})");
    EXPECT_EQ(rooms.next(), "nothing");
    EXPECT_EQ(per_room.next(), "nothing");
    on.database->release(Seqs{{3}}).value();
    on.database->drop_retention("old").value();
    on.add(erasing(older_than_days(90)));
    on.apply();
    EXPECT_EQ(rooms.next(), R"(-["b"]=3)");
    rooms.take();
    per_room.take();
    EXPECT_EQ(rooms.rows(), on.rows("rooms"));
    EXPECT_EQ(per_room.rows(), on.rows("per_room"));
}

TEST(FollowedRetention, IsSeenByReadersWithItsRules) {
    FollowedRetention on;
    const auto reader = reader_of(on);
    EXPECT_TRUE(reader->retention().empty());
    on.add(older_than_days(90));
    reader->refresh().value();
    ASSERT_EQ(reader->retention().size(), 1u);
    EXPECT_EQ(reader->retention()[0].rule.older_than, hours(24 * 90));
    EXPECT_EQ(reader->views().size(), 2u) << "a rule's views are nobody's";

    const auto due = reader->apply_retention({.dry_run = true}).value();
    EXPECT_EQ(due[0].seqs, (Seqs{{1}}));
    EXPECT_EQ(due[0].held, 1u);
    const Snapshot before = reader->snapshot();
    on.apply();
    reader->refresh().value();
    EXPECT_EQ(DatabaseOnDisk::rows_in(reader->snapshot(), "rooms"), on.rows("rooms"));
    EXPECT_EQ(DatabaseOnDisk::rows_in(before, "rooms"), R"(["a"]=1 ["a"]=2 ["b"]=3 ["b"]=4)");
    EXPECT_TRUE(reader->apply_retention({.dry_run = true}).value()[0].seqs.empty());

    on.database->drop_retention("old").value();
    reader->refresh().value();
    EXPECT_TRUE(reader->retention().empty());
    EXPECT_EQ(code_of(reader->apply_retention({.rule = "old", .dry_run = true})), Errc::not_found);
    EXPECT_EQ(first_difference(*reader), "");
}

// What others delete while a reader follows is due under a rule that erases.
TEST(FollowedRetention, OfWhatIsDeletedIsSaidByReaders) {
    FollowedRetention on;
    on.add(erasing(older_than_days(97)));
    const auto reader = reader_of(on);
    const auto due = [&] { return reader->apply_retention({.dry_run = true}).value()[0].seqs; };
    EXPECT_EQ(due(), (Seqs{{1}}));
    on.database->release(Seqs{{3}}).value();
    on.database->delete_messages(Seqs{{1}, {3}, {4}}).value();
    reader->refresh().value();
    EXPECT_EQ(due(), (Seqs{{1}, {3}}));
    EXPECT_EQ(due(), (Seqs{{1}, {3}}));
}

// It is tried again when the reader has let go, and others write in between.
TEST(FollowedRetention, WaitsForReadersAndSaysSo) {
    FollowedRetention on;
    on.database->merge_views().value();
    const auto reader = reader_of(on);
    auto pinned = std::make_unique<Snapshot>(reader->snapshot());
    on.add(erasing(older_than_days(90)));
    EXPECT_EQ(code_of(on.database->apply_retention()), Errc::busy);
    EXPECT_EQ(on.body({1}), "erased");
    RetentionInfo info = on.database->retention()[0];
    EXPECT_NE(info.error.find("of process " + std::to_string(::getpid())), std::string::npos);
    EXPECT_EQ(info.taken, 1u) << "it is gone for every new reader";
    on.append_aged(97, "c");
    EXPECT_EQ(code_of(on.database->apply_retention()), Errc::busy) << "the first one comes first";
    EXPECT_EQ(on.body(on.database->last()).substr(0, 1), "{");

    pinned.reset();
    reader->refresh().value();
    EXPECT_EQ(on.apply().size(), 1u);
    info = on.database->retention()[0];
    EXPECT_EQ(info.error, "");
    EXPECT_EQ(info.taken, 2u);
    for (const Receipt& receipt : on.database->receipts()) EXPECT_TRUE(receipt.finished());
    EXPECT_EQ(on.database->receipts().size(), 2u);
}

// Views that catch up beside reads.

CodeView by_length(WhenBehind when_behind = WhenBehind::wait) {
    CodeView view;
    view.app = "mail";
    view.when_behind = when_behind;
    view.map = [](const Message& message, Emit& emit) { emit(Key(message.body.size())); };
    return view;
}

/// A view of three messages, of which one was then deleted and one replaced while its app was away,
/// and so many more that it catches up in several steps.
struct FarBehind : DatabaseOnDisk {
    static constexpr std::uint64_t kMore = 20000;
    static constexpr Seq kBetweenSteps{15000}; ///< Mapped when a step is done and another is not.

    FarBehind() : DatabaseOnDisk(without_background()) {
        database->add_view("lengths", by_length()).value();
        for (const char* const body : {"a", "bb", "ccc"}) append(body);
        {
            Feed feed = database->consumer("search", FeedFilter{.view = "lengths"}).value();
            EXPECT_EQ(told(feed), "added 1 2 3");
            feed.acknowledge().value();
        }
        reopen();
        database->delete_messages(Seqs{{1}}).value();
        database->replace({2}, "bbbbb").value();
        database->append(std::vector<NewMessage>(kMore, NewMessage{"dddd"})).value();
    }
    static Options without_background() {
        Options options;
        options.background = false;
        options.durability = Durability::none;
        return options;
    }
    /// Catches up, and does this between two steps, on another thread.
    void catch_up(const std::function<void()>& between) {
        const auto is_done = std::make_shared<bool>(false);
        CodeView view = by_length(WhenBehind::read_on);
        view.map = [is_done, between](const Message& message, Emit& emit) {
            emit(Key(message.body.size()));
            if (message.seq != kBetweenSteps || std::exchange(*is_done, true)) return;
            std::thread(between).join();
        };
        database->add_view("lengths", view).value();
        database->wait_for_views().value();
        EXPECT_TRUE(*is_done);
    }
    std::uint64_t count() const { return database->snapshot().read("lengths")->count_rest(); }
};

// Nothing is told before it is its entry's turn, then each message once.
TEST(FarBehind, IsToldByTheFeedWhenItHasCaughtUp) {
    FarBehind on;
    Feed feed = on.database->consumer("search").value();
    EXPECT_EQ(told(feed), "gone 1 2") << "what has gone needs nobody's code";
    std::string meanwhile;
    std::uint64_t shown = 0;
    on.catch_up([&] {
        meanwhile = told(feed);
        shown = on.count();
    });
    EXPECT_EQ(meanwhile, "");
    EXPECT_GT(shown, 1u) << "rows show as the steps add them";
    EXPECT_LT(shown, FarBehind::kMore);
    std::map<Seq, std::vector<FeedChange::Kind>> changes;
    for (;;) {
        const FeedBatch batch = feed.next().value();
        if (batch.changes.empty()) break;
        for (const FeedChange& change : batch.changes) changes[change.seq].push_back(change.kind);
    }
    using Kinds = std::vector<FeedChange::Kind>;
    EXPECT_EQ(changes.extract(Seq{1}).mapped(), Kinds{FeedChange::Kind::gone});
    EXPECT_EQ(changes.extract(Seq{2}).mapped(), Kinds{FeedChange::Kind::changed});
    EXPECT_FALSE(changes.contains(Seq{3}));
    EXPECT_EQ(changes.size(), FarBehind::kMore);
    for (const auto& [seq, kinds] : changes) ASSERT_EQ(kinds, Kinds{FeedChange::Kind::added});
    feed.acknowledge().value();
}

// The steps themselves are what it is told, and what goes between them.
TEST(FarBehind, IsToldSubscribersStepByStep) {
    FarBehind on;
    Replica lengths(on.database->subscribe("lengths", {}, {.rows_waiting_max = 100000}).value());
    EXPECT_EQ(lengths.next(), "fresh +[3]=3");
    EXPECT_EQ(lengths.next(), "nothing");
    std::size_t steps = 0;
    std::string rows;
    on.catch_up([&] {
        steps = lengths.take();
        rows = on.rows("lengths");
        EXPECT_EQ(lengths.rows(), rows);
    });
    EXPECT_GE(steps, 1u);
    EXPECT_NE(rows, "[3]=3");
    EXPECT_GE(lengths.take(), 1u);
    EXPECT_EQ(lengths.rows(), on.rows("lengths"));
    on.append("eeeeee");
    on.database->delete_messages(Seqs{{2}}).value();
    EXPECT_EQ(lengths.next(), "+[6]=" + std::to_string(on.database->last().value - 1));
    EXPECT_EQ(lengths.next(), "-[5]=2");
}

TEST(FarBehind, StartsSubscribersAnewWhoAreTooSlow) {
    FarBehind on;
    Replica lengths(on.database->subscribe("lengths", {}, {.rows_waiting_max = 10}).value());
    lengths.take();
    on.catch_up([] {});
    EXPECT_EQ(lengths.next().substr(0, 5), "fresh");
    EXPECT_EQ(lengths.rows(), on.rows("lengths"));
}

// A reader derives for itself what the files lack, and is never behind with a code that it has.
TEST(FarBehind, IsNoReaderWhoHasTheCode) {
    FarBehind on;
    CodeView view = by_length(WhenBehind::read_on);
    on.database->add_view("lengths", view).value();
    ASSERT_EQ(on.info("lengths").state, ViewInfo::State::behind);
    const auto without = reader_of(on);
    EXPECT_EQ(without->views()[0].state, ViewInfo::State::waits_for_code);
    EXPECT_EQ(DatabaseOnDisk::rows_in(without->snapshot(), "lengths"), on.rows("lengths"));

    const auto reader = reader_of(on);
    reader->add_view("lengths", view).value();
    EXPECT_EQ(reader->views()[0].state, ViewInfo::State::current);
    EXPECT_EQ(reader->views()[0].pending, 0u);
    const std::string rows = DatabaseOnDisk::rows_in(reader->snapshot(), "lengths");
    on.database->wait_for_views().value();
    EXPECT_EQ(rows, on.rows("lengths"));
    reader->wait_for_views().value();
    reader->refresh().value();
    EXPECT_EQ(DatabaseOnDisk::rows_in(reader->snapshot(), "lengths"), rows);
}

// Between two steps some of the new rows may be in files, and a reader goes on from there.
TEST(FarBehind, IsReadFromFilesOfAnyStep) {
    FarBehind on;
    std::string rows;
    on.catch_up([&] {
        const auto reader = reader_of(on);
        reader->add_view("lengths", by_length()).value();
        rows = DatabaseOnDisk::rows_in(reader->snapshot(), "lengths");
    });
    EXPECT_EQ(rows, on.rows("lengths"));
}

/// A reader in a process of its own, which says with a byte when it has done a step, and waits for
/// one before the next.
class OtherProcess {
public:
    explicit OtherProcess(const std::function<int(OtherProcess&)>& run) {
        std::array<int, 2> there{}, back{};
        if (::pipe(there.data()) != 0 || ::pipe(back.data()) != 0) std::abort();
        child_ = ::fork();
        if (child_ == 0) std::swap(there, back);
        ::close(there[0]);
        ::close(back[1]);
        out_ = there[1];
        in_ = back[0];
        if (child_ == 0) ::_exit(run(*this));
    }
    ~OtherProcess() {
        ::close(in_);
        ::close(out_); // It waits for nothing more.
        if (!is_waited_for_) static_cast<void>(status());
    }
    OtherProcess(const OtherProcess&) = delete;
    OtherProcess& operator=(const OtherProcess&) = delete;

    void tell() const { EXPECT_EQ(::write(out_, "x", 1), 1); }
    void wait_for_it() const {
        char byte = 0;
        EXPECT_EQ(::read(in_, &byte, 1), 1);
    }
    /// What run() answered; -1 if it did not.
    int status() {
        int status = -1;
        ::waitpid(child_, &status, 0);
        is_waited_for_ = true;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    pid_t id() const { return child_; }

private:
    int in_ = -1, out_ = -1;
    pid_t child_ = 0;
    bool is_waited_for_ = false;
};

// The thread that applies the rules neither hangs nor gives up, whatever another process holds.
TEST(FollowedRetention, IsSeenByAnotherProcessWhichMayKeepItWaiting) {
    const TemporaryDirectory directory;
    const TestClock clock;
    Options options;
    options.clock = [now = clock.now] { return now->load(); };
    Database::create(directory.path()).value();
    {
        const auto database = Database::open(directory.path(), options).value();
        database->add_view("rooms", kRooms).value();
        for (const char* const body : {R"({"room":"a","time":1})", R"({"room":"b"})"}) {
            database->append(NewMessage{body}).value();
        }
        database->merge_views().value();
    }
    const auto rows_of = [](const Database& database) {
        return DatabaseOnDisk::rows_in(database.snapshot(), "rooms");
    };
    OtherProcess other([&](OtherProcess& parent) {
        const auto reader = Database::open(directory.path(), to_read(Options{})).value();
        {
            const Snapshot pinned = reader->snapshot();
            parent.tell();
            parent.wait_for_it();
            const std::string pinned_rows = DatabaseOnDisk::rows_in(pinned, "rooms");
            if (pinned_rows != R"(["a"]=1 ["b"]=2)") return 1;
        }
        if (!becomes([&] { return rows_of(*reader) == R"(["b"]=2 ["c"]=4)"; })) return 2;
        return reader->retention().size() == 1 ? 0 : 3;
    });
    other.wait_for_it();
    options.retention_interval = milliseconds(1);
    options.erase_patience = std::chrono::seconds(60);
    const auto database = Database::open(directory.path(), options).value();
    database->add_retention(erasing(older_than_days(1))).value();
    const std::string holder = "process " + std::to_string(other.id());
    EXPECT_TRUE(becomes([&] {
        return database->retention()[0].error.find(holder) != std::string::npos;
    })) << database->retention()[0].error;
    database->append(NewMessage{R"({"room":"c"})"}).value();
    ASSERT_EQ(database->receipts().size(), 1u);
    EXPECT_FALSE(database->receipts()[0].finished());
    other.tell();
    EXPECT_TRUE(becomes([&] { return database->receipts()[0].finished(); }));
    EXPECT_TRUE(becomes([&] { return database->retention()[0].error.empty(); }));
    EXPECT_EQ(other.status(), 0);
}

} // namespace
} // namespace sluice::test
