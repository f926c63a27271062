// Reading beside the process that writes: Options::read_only. tests/model has a reader beside the
// writer of every third history, which must say the same.
#include "database/transform_test_support.hpp"
#include "support/file_bytes.hpp"
#include "support/temporary_directory.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace sluice::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string rows_of(const Database& database, const std::string& view) {
    return DatabaseOnDisk::rows_in(database.snapshot(), view);
}

/// 20 messages, of which a file of a view shows the texts.
struct WordsInFiles : DatabaseOnDisk {
    WordsInFiles() {
        database->add_view("words", R"({"kind":"index","key":["/text"]})").value();
        append_some(20);
        database->merge_views().value();
    }
};

TEST(Reader, SeesWhatIsInFilesAndWhatIsNot) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    on.append_some(20);
    on.database->merge_views().value();
    on.append(body_of("eve", 21));
    const auto reader = reader_of(on);
    EXPECT_EQ(reader->last(), on.database->last());
    EXPECT_EQ(rows_of(*reader, "authors"), on.rows("authors"));
    EXPECT_EQ(reader->views()[0].since, on.database->last());
    EXPECT_EQ(first_difference(*reader), "");
}

TEST(Reader, ChangesNoFile) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    on.append_some(100);
    on.crash(Fate::kept); // Leaves rows that no file has.
    on.append_some(30);
    const auto before = on.disk.all_bytes();
    const std::uint64_t operations = on.disk.operations();
    {
        const auto reader = reader_of(on);
        EXPECT_EQ(rows_of(*reader, "authors"), on.rows("authors"));
        reader->refresh().value();
    }
    EXPECT_EQ(on.disk.operations(), operations);
    EXPECT_EQ(on.disk.all_bytes(), before);
}

TEST(Reader, DerivesInMemoryWhatIsDamagedOrMissing) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    on.append_some(60);
    on.database->merge_views().value();
    const std::string rows = on.rows("authors");
    on.close();
    const auto views = on.root->subdirectory("views", Create::if_missing).value();
    for (const std::string& name : views->list().value()) {
        if (name.starts_with("segment")) {
            views->open(name, Create::never).value()->write_at(100, "damage").value();
        }
    }
    EXPECT_EQ(rows_of(*reader_of(on), "authors"), rows);
    for (const std::string& name : views->list().value()) views->remove(name).value();
    EXPECT_EQ(rows_of(*reader_of(on), "authors"), rows);
    EXPECT_TRUE(views->list().value().empty());
}

TEST(Reader, FollowsWhenItIsAsked) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    const auto reader = reader_of(on);
    const Snapshot before = reader->snapshot();
    on.append_some(30); // Several segments of the log, and several files of the view.
    on.database->delete_messages(Seqs{{3}}).value();
    on.database->replace({4}, body_of("eve", 4)).value();
    on.database->add_view("counts", kCounts).value();
    EXPECT_EQ(reader->last(), Seq{});
    reader->refresh().value();
    EXPECT_EQ(reader->last(), on.database->last());
    for (const char* const view : {"authors", "counts"}) {
        EXPECT_EQ(rows_of(*reader, view), on.rows(view));
    }
    EXPECT_EQ(reader->stats().deleted, 1u);
    EXPECT_EQ(before.position(), Seq{}); // P3
    EXPECT_EQ(DatabaseOnDisk::rows_in(before, "authors"), "");
    EXPECT_EQ(first_difference(*reader), "");
}

// Which changes the catalog, and no file of views.
TEST(Reader, LearnsWhoUsesAView) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    on.append_some(3);
    const auto reader = reader_of(on);
    EXPECT_TRUE(reader->apps().empty());
    const std::vector<Database::NewView> again = {{"authors", kByAuthor, "forum"}};
    on.database->add_views(again).value();
    reader->refresh().value();
    ASSERT_EQ(reader->apps().size(), 1u);
    EXPECT_EQ(reader->apps()[0].name, "forum");
}

TEST(Reader, IsRefusedWhateverWouldWrite) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    on.append_some(3);
    const auto reader = reader_of(on);
    EXPECT_EQ(code_of(reader->append(NewMessage{"more"})), Errc::read_only);
    EXPECT_EQ(code_of(reader->delete_messages(Seqs{{1}})), Errc::read_only);
    EXPECT_EQ(code_of(reader->erase(Seqs{{1}})), Errc::read_only);
    EXPECT_EQ(code_of(reader->put_fact({{"facts", Key("a")}, "value"})), Errc::read_only);
    EXPECT_EQ(code_of(reader->add_view("more", kCounts)), Errc::read_only);
    EXPECT_EQ(code_of(reader->drop_view("authors")), Errc::read_only);
    CodeView senseless;
    senseless.app = "app";
    senseless.definition = "no definition";
    EXPECT_EQ(code_of(reader->add_view("authors", senseless)), Errc::invalid_argument);
    EXPECT_EQ(code_of(reader->use_transforms(std::vector<std::string>{"none"})), Errc::read_only);
    EXPECT_EQ(code_of(reader->merge_views()), Errc::read_only);
    EXPECT_EQ(code_of(reader->flush()), Errc::read_only);
    EXPECT_EQ(code_of(reader->add_retention({.name = "few", .keep_last = 1})), Errc::read_only);
    EXPECT_EQ(code_of(reader->drop_retention("few")), Errc::read_only);
    EXPECT_EQ(code_of(reader->apply_retention()), Errc::read_only);
    EXPECT_EQ(code_of(reader->forget_app("mail")), Errc::read_only);
    EXPECT_EQ(reader->last(), on.database->last());
    EXPECT_EQ(code_of(on.database->refresh()), Errc::invalid_argument);
}

CodeView first_words(std::uint32_t version) {
    CodeView view;
    view.app = "words";
    view.version = version;
    view.map = [version](const Message& message, Emit& emit) {
        emit(Key(version, message.body.substr(0, 12)));
    };
    return view;
}

TEST(Reader, ReadsACodeViewWithItsCodeOrAsFarAsTheWriterSavedIt) {
    DatabaseOnDisk on;
    on.append_some(5);
    on.database->add_view("words", first_words(1)).value(); // Saves it.
    on.append_some(2);
    const auto reader = reader_of(on);
    const auto info = [&] { return reader->views()[0]; };
    EXPECT_FALSE(info().loaded);
    EXPECT_EQ(info().since, Seq{5});
    EXPECT_EQ(code_of(reader->add_view("words", first_words(2))), Errc::read_only);
    EXPECT_EQ(code_of(reader->add_view("others", first_words(1))), Errc::read_only);
    reader->add_view("words", first_words(1)).value();
    EXPECT_TRUE(info().loaded);
    EXPECT_EQ(rows_of(*reader, "words"), on.rows("words"));

    on.append_some(3);
    on.database->merge_views().value(); // The writer's files are others now.
    on.append_some(1);
    reader->refresh().value();
    EXPECT_EQ(rows_of(*reader, "words"), on.rows("words"));
    on.database->add_view("words", first_words(2)).value();
    reader->refresh().value();
    EXPECT_FALSE(info().loaded);
    EXPECT_EQ(info().version, 2u);
}

/// A function that is told of its messages beforehand.
class Ahead final : public MapAhead {
public:
    explicit Ahead(std::function<void(const Message&, Emit&)> function)
        : function_(std::move(function)) {}
    void expect(std::span<const Message>) override {}
    void map(const Message& message, Emit& emit) override { function_(message, emit); }

private:
    std::function<void(const Message&, Emit&)> function_;
};

class ReaderBehindAFailure : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(OneByOneAndAhead, ReaderBehindAFailure, testing::Bool());

// Whatever fails on the way, readers see what they saw, and the next call mends it.
TEST_P(ReaderBehindAFailure, GoesOn) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    on.append_some(5);
    bool has_memory = true;
    CodeView words = first_words(1);
    words.map = [&has_memory](const Message& message, Emit& emit) {
        if (!has_memory) throw std::bad_alloc();
        emit(Key(message.body.substr(0, 12)));
    };
    if (GetParam()) {
        words.map_ahead = [map = std::exchange(words.map, {})] {
            return std::make_unique<Ahead>(map);
        };
    }
    on.database->add_view("words", words).value();
    const auto reader = reader_of(on);
    reader->add_view("words", words).value();
    for (const bool other_files : {false, true}) {
        on.append_some(3);
        if (other_files) on.database->merge_views().value();
        on.append_some(2);
        const Seq known = reader->last();
        has_memory = false;
        EXPECT_EQ(code_of(reader->refresh()), Errc::io);
        EXPECT_EQ(code_of(reader->refresh()), Errc::io);
        EXPECT_EQ(reader->last(), known);
        has_memory = true;
        reader->refresh().value();
        EXPECT_EQ(reader->last(), on.database->last());
        for (const char* const view : {"authors", "words"}) {
            EXPECT_EQ(rows_of(*reader, view), on.rows(view));
        }
    }
    EXPECT_EQ(first_difference(*reader), "");
}

// What is said about an opening is not said again each time that files are taken over.
TEST(Reader, KeepsItsNotesOfTheOpening) {
    Transforming on(sealed_transforms);
    on.use_all();
    on.append(says("original"), "m1");
    Options options = to_read(on.options);
    options.transforms = {};
    const auto reader = Database::open(*on.root, options).value();
    const auto notes = reader->recovery_notes();
    EXPECT_EQ(notes.size(), 1u);
    for (int i = 0; i < 3; ++i) {
        on.append(says("more"));
        on.database->merge_views().value();
        reader->refresh().value();
    }
    EXPECT_EQ(reader->recovery_notes(), notes);
}

TEST(Reader, WithoutTheCodeOfATransformLeavesTheViewsWhereTheyAre) {
    Transforming on(sealed_transforms);
    on.use_all();
    on.put(kKey1, "v");
    on.append(sealed("a secret", "m1"));
    on.append(says("original"), "m1");
    const auto with_code = reader_of(on);
    EXPECT_EQ(rows_of(*with_code, "said"), on.rows("said"));
    Options options = to_read(on.options);
    options.transforms = {};
    const auto without = Database::open(*on.root, options).value();
    EXPECT_EQ(first_difference(*without), "");
    on.database->delete_messages(Seqs{on.database->last()}).value();
    without->refresh().value();
    EXPECT_EQ(first_difference(*without), "");
    EXPECT_EQ(without->last(), on.database->last());
}

// P6 across processes.
TEST(Reader, KeepsAnErasureWaitingUntilItHasMovedOn) {
    WordsInFiles on;
    const auto reader = reader_of(on);
    auto pinned = std::make_unique<Snapshot>(reader->snapshot());
    const std::string shown = DatabaseOnDisk::rows_in(*pinned, "words");

    const auto erased = on.database->erase(Seqs{{7}});
    ASSERT_EQ(code_of(erased), Errc::busy);
    EXPECT_NE(erased.error().context.find("of process " + std::to_string(::getpid())),
              std::string::npos);
    EXPECT_FALSE(on.database->receipts()[0].finished());
    EXPECT_EQ(DatabaseOnDisk::rows_in(*pinned, "words"), shown);
    reader->refresh().value();
    EXPECT_EQ(code_of(on.database->resume_erasures()), Errc::busy); // There is the snapshot.
    pinned.reset();
    on.database->resume_erasures().value();
    EXPECT_TRUE(on.database->receipts()[0].finished());
    EXPECT_TRUE(on.disk.find("said in 7!").empty());
    EXPECT_TRUE(on.disk.find_on_device("said in 7!").empty());
    reader->refresh().value();
    EXPECT_EQ(rows_of(*reader, "words"), on.rows("words"));
}

// What an erasure has overwritten already, it has not told the reader yet.
TEST(Reader, VerifiesAtEveryOperationOfAnErasure) {
    WordsInFiles on;
    on.append_some(5);
    const auto reader = reader_of(on);
    int verified = 0, moved = 0;
    on.disk.observe([&] {
        const Seq known = reader->last();
        const VerifyReport report = reader->verify().value();
        ++verified;
        if (reader->last() > known) ++moved;
        for (const VerifyReport::View& view : report.views) {
            EXPECT_EQ(view.difference_count, 0u) << view.name;
        }
    });
    on.database->erase(Seqs{{3}, {22}}).value();
    on.disk.observe({});
    EXPECT_GT(verified, 10);
    EXPECT_GT(moved, 0); // When the first was overwritten.
}

// What a reader still has is not destroyed by whoever opens the database next.
TEST(Reader, KeepsItsFilesFromTheNextWriter) {
    WordsInFiles on;
    const auto reader = reader_of(on);
    auto pinned = std::make_unique<Snapshot>(reader->snapshot());
    const std::string shown = DatabaseOnDisk::rows_in(*pinned, "words");
    EXPECT_EQ(code_of(on.database->erase(Seqs{{7}})), Errc::busy);
    on.reopen();
    EXPECT_FALSE(on.database->receipts()[0].finished());
    EXPECT_EQ(DatabaseOnDisk::rows_in(*pinned, "words"), shown);
    pinned.reset();
    reader->refresh().value();
    on.database->resume_erasures().value();
    EXPECT_TRUE(on.disk.find("said in 7!").empty());
}

// Those of this process and of others.
TEST(Snapshots, EndWhenAnErasureDoesNotWaitForThem) {
    WordsInFiles on;
    const Snapshot pinned = on.database->snapshot();
    ViewCursor walk = pinned.read("words").value();
    ViewCursor whole = pinned.read("words").value();
    LogCursor log = pinned.log({});
    EXPECT_TRUE(walk.next());

    ChangeOptions how;
    how.end_snapshots = true;
    const Changed erased = on.database->erase(Seqs{{7}}, how).value();
    EXPECT_TRUE(erased.receipt->finished());
    EXPECT_TRUE(on.disk.find("said in 7!").empty());
    EXPECT_TRUE(on.disk.find_on_device("said in 7!").empty());
    EXPECT_FALSE(walk.next());
    EXPECT_EQ(code_of(walk.status()), Errc::ended);
    EXPECT_EQ(walk.count_rest(), 0u);
    EXPECT_EQ(whole.count_rest(), 0u);
    EXPECT_EQ(code_of(log.next()), Errc::ended);
    EXPECT_EQ(code_of(pinned.get({1})), Errc::ended);
    EXPECT_EQ(code_of(pinned.get("key")), Errc::ended);
    EXPECT_EQ(code_of(pinned.seen({1})), Errc::ended);
    EXPECT_EQ(code_of(pinned.read("words")), Errc::ended);
    EXPECT_EQ(code_of(pinned.search("words", {})), Errc::ended);
    EXPECT_EQ(code_of(pinned.links("words")), Errc::ended);
    EXPECT_EQ(code_of(pinned.walk("words", {})), Errc::ended);
    EXPECT_EQ(on.body({1}), body_of("ada", 1, "said in 1!"));
    on.expect_verified();

    const Snapshot waited_for = on.database->snapshot();
    EXPECT_EQ(code_of(on.database->erase(Seqs{{8}})), Errc::busy);
    EXPECT_EQ(waited_for.get({1}).value().body, on.body({1}));
}

/// A database on a real file system, with readers that follow by themselves.
class FollowedThreads : public testing::Test {
protected:
    void SetUp() override {
        Database::create(directory_.path()).value();
        open();
        database_->add_view("said", kSaid).value();
        reader_ = Database::open(directory_.path(), to_read(Options{})).value();
    }
    void open() { database_ = Database::open(directory_.path()).value(); }
    Seq say(const std::string& text) { return database_->append(NewMessage{says(text)}).value(); }
    void expect_followed() {
        const Seq last = database_->last();
        Seq seen;
        while (seen < last) {
            const Seq next = reader_->wait_for_entry(seen, seconds(10));
            ASSERT_GT(next, seen);
            seen = next;
        }
        EXPECT_EQ(rows_of(*reader_, "said"), rows_of(*database_, "said"));
    }

    TemporaryDirectory directory_;
    std::unique_ptr<Database> database_;
    std::unique_ptr<Database> reader_;
};

TEST_F(FollowedThreads, FollowByThemselves) {
    for (int i = 0; i < 20; ++i) {
        say("said " + std::to_string(i));
        expect_followed();
    }
    database_->delete_messages(Seqs{{4}}).value();
    expect_followed();
    database_->merge_views().value();
    database_->erase(Seqs{{5}}).value(); // Without waiting until its patience ends.
    expect_followed();
    database_->add_view("counts", kCounts).value();
    while (reader_->views().size() < 2) std::this_thread::sleep_for(milliseconds(1));
    say("the last");
    expect_followed();
    database_->drop_view("counts").value();
    while (reader_->views().size() > 1) std::this_thread::sleep_for(milliseconds(1));
}

// Twenty times as much as they take at once.
TEST_F(FollowedThreads, GoALongWayInPieces) {
    const std::string padding(100'000, 'x');
    for (int i = 0; i < 100; ++i) {
        const std::string body =
            R"({"text":")" + std::to_string(i) + R"(","padding":")" + padding + "\"}";
        database_->append(NewMessage{body}).value();
    }
    expect_followed();
}

TEST_F(FollowedThreads, EndTheirSnapshotsWhenTheyAreAsked) {
    for (int i = 0; i < 50; ++i) say("said " + std::to_string(i));
    database_->merge_views().value();
    expect_followed();
    // Before it has the new files, its snapshots keep nothing from being erased.
    while (reader_->stats().not_in_files > 0) std::this_thread::sleep_for(milliseconds(1));
    const Snapshot pinned = reader_->snapshot();
    const Snapshot own = database_->snapshot();
    std::atomic<bool> erased = false;
    std::uint64_t rows = 0;
    std::thread walker([&] { // In the middle of it all.
        while (!erased) {
            auto walk = pinned.read("said");
            while (walk && walk->next()) rows += walk->encoded_key().size();
        }
    });
    ChangeOptions how;
    how.end_snapshots = true;
    const auto changed = database_->erase(Seqs{{7}}, how);
    erased = true;
    walker.join();
    ASSERT_TRUE(changed) << changed.error().context;
    EXPECT_TRUE(changed->receipt->finished());
    EXPECT_EQ(FileBytes(directory_.path()).find("said 6\""), "");
    for (const Snapshot* const each : {&pinned, &own}) {
        EXPECT_EQ(code_of(each->read("said")), Errc::ended);
    }
    expect_followed();
    EXPECT_TRUE(reader_->snapshot().get({1}).has_value());
}

// What a subscriber was told, applied to what it had, is the view.
TEST_F(FollowedThreads, TellSubscribersWhatTheWriterDoes) {
    auto subscription = reader_->subscribe("said").value();
    std::vector<std::string> told;
    int fresh = 0;
    Seq at;
    const auto take_all = [&] {
        const Seq last = database_->last();
        while (reader_->last() < last) std::this_thread::sleep_for(milliseconds(1));
        while (auto difference = subscription.next(milliseconds(20)).value()) {
            if (difference->is_fresh) {
                told.clear();
                ++fresh;
            }
            for (const ViewRow& row : difference->gone) {
                const auto known = std::ranges::find(told, row.key.to_json());
                ASSERT_NE(known, told.end());
                told.erase(known);
            }
            for (const ViewRow& row : difference->added) told.push_back(row.key.to_json());
            EXPECT_GE(difference->at, at);
            at = difference->at;
        }
        std::ranges::sort(told);
        std::vector<std::string> rows;
        const Snapshot snapshot = database_->snapshot();
        auto walk = snapshot.read("said").value();
        while (walk.next()) rows.push_back(walk.key().to_json());
        std::ranges::sort(rows);
        EXPECT_EQ(told, rows);
    };
    for (int i = 0; i < 12; ++i) {
        const Seq seq = say("said " + std::to_string(i));
        if (i % 3 == 1) database_->delete_messages(Seqs{seq}).value();
        if (i % 4 == 3) database_->merge_views().value();
        take_all();
    }
    EXPECT_GE(fresh, 3);
    database_->erase(Seqs{{1}}).value();
    take_all();
    EXPECT_EQ(code_of(reader_->feed()), Errc::read_only);
}

/// Not under ThreadSanitizer, which knows no processes that are copied.
class FollowedProcesses : public FollowedThreads {};

TEST_F(FollowedProcesses, GoOnWithWhoeverWritesNext) {
    say("by the first");
    expect_followed();
    database_.reset();
    EXPECT_EQ(reader_->snapshot().position(), Seq{1});
    open();
    say("by the second");
    expect_followed();
    database_.reset();

    const pid_t writer = ::fork();
    if (writer == 0) {
        const auto database = Database::open(directory_.path());
        if (!database || !(*database)->append(NewMessage{says("by one who dies")})) ::_exit(1);
        ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ::waitpid(writer, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    ASSERT_EQ(reader_->wait_for_entry({2}, seconds(10)), Seq{3});
    open();
    say("by the last");
    expect_followed();
    EXPECT_EQ(first_difference(*reader_), "");
}

TEST_F(FollowedThreads, ReadWhatASlowerProcessReadsToo) {
    std::atomic<bool> writing = true;
    std::vector<std::thread> others;
    for (int i = 0; i < 3; ++i) {
        others.emplace_back([&] {
            const auto other = Database::open(directory_.path(), to_read(Options{})).value();
            while (writing) {
                const Snapshot snapshot = other->snapshot();
                const std::string said = DatabaseOnDisk::rows_in(snapshot, "said");
                std::this_thread::sleep_for(milliseconds(2));
                EXPECT_EQ(DatabaseOnDisk::rows_in(snapshot, "said"), said);
            }
            while (other->last() < database_->last()) std::this_thread::yield();
            EXPECT_EQ(rows_of(*other, "said"), rows_of(*database_, "said"));
        });
    }
    for (int i = 0; i < 60; ++i) {
        const Seq seq = say("said " + std::to_string(i));
        if (i % 7 == 0) database_->delete_messages(Seqs{seq}).value();
        if (i % 11 == 0) database_->erase(Seqs{seq}).value();
        if (i % 13 == 0) database_->merge_views().value();
    }
    writing = false;
    for (std::thread& other : others) other.join();
    expect_followed();
}

} // namespace
} // namespace sluice::test
