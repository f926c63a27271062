// Two threads in one order, and the same order each time: a thread is stopped in front of an
// operation on the files, and there another one has its turn. Each such moment has its own run, so
// that none is left to luck: every one with SLUICE_SCHEDULE_STRIDE=1, else every third. On a real
// file system, for the same reason as in database_threads_test.cpp.
#include "database/transform_test_support.hpp"
#include "support/temporary_directory.hpp"
#include "support/watched_directory.hpp"

#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <future>
#include <mutex>
#include <thread>

namespace sluice::test {
namespace {

using std::chrono::milliseconds;

constexpr const char* kCountOfAll = R"({"kind":"aggregate","group":[],"value":{"count":true}})";

/// A database of 40 messages, half of them in boxes, with a view of each sort that readers see.
class Watched {
public:
    explicit Watched(bool in_background = true) {
        options = small_files();
        options.background = in_background;
        options.durability = Durability::none;
        options.erase_patience = milliseconds(60'000);
        options.transforms.add({"unbox", 1, unbox});
        Database::create(*root).value();
        open();
        std::vector<std::string> bodies;
        for (int i = 1; i <= 40; ++i) {
            const std::string said = says("said in " + std::to_string(i) + '!');
            bodies.push_back(i % 2 == 0 ? boxed("k1", said) : said);
        }
        std::vector<NewMessage> messages;
        for (const std::string& body : bodies) messages.push_back({body});
        database->append(messages).value();
        database->use_transforms(options.transforms.names()).value();
        database->add_view("said", kSaid).value();
        database->add_view("count", kCountOfAll).value();
        database->merge_views().value();
    }
    ~Watched() { watch({}); } // What it refers to may be gone.
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;
    void open() { database = Database::open(*root, options).value(); }

    /// In front of each operation, on its thread. Empty: nothing.
    void watch(std::function<void()> watcher) {
        const std::lock_guard lock(mutex_);
        watcher_ = std::move(watcher);
    }
    void expect_verified() const { EXPECT_EQ(first_difference(*database), ""); }

private:
    void tell() {
        std::function<void()> watcher;
        {
            const std::lock_guard lock(mutex_);
            watcher = watcher_;
        }
        if (watcher) watcher();
    }

    std::mutex mutex_;
    std::function<void()> watcher_;
    TemporaryDirectory folder_;

public: // In the order in which they need each other.
    Options options;
    std::unique_ptr<Directory> root =
        watched(open_directory(folder_.path(), Create::never).value(), [this] { tell(); });
    std::unique_ptr<Database> database;
};

/// What readers see, but for which entry is the last.
std::string everything(const Snapshot& snapshot) {
    std::string text;
    auto log = snapshot.log({.seen = true});
    for (;;) {
        const auto record = log.next();
        if (!record) {
            text += "error " + record.error().context + '\n';
        } else if (!*record) {
            break;
        } else {
            text += std::to_string((*record)->seq.value) + (*record)->body + '\n';
        }
    }
    for (const char* const view : {"said", "count", "late"}) {
        text += std::string(view) + ": " + DatabaseOnDisk::rows_in(snapshot, view) + '\n';
    }
    return text;
}

// P3: whoever looks between any two operations of a writer sees all of what it does or nothing, and
// what it saw stays done.
TEST(ScheduledThreads, SeeOneMomentOrTheNextAtEveryOperationOfAWriter) {
    Watched on;
    Database& database = *on.database;
    const Seqs few{{7}, {8}, {21}, {22}};
    struct Step {
        const char* what;
        std::function<void()> write;
    };
    const std::vector<Step> steps = {
        {"append", [&] { database.append(NewMessage{says("one more")}).value(); }},
        {"delete", [&] { database.delete_messages(few).value(); }},
        {"restore", [&] { database.restore(few).value(); }},
        {"replace", [&] { database.replace({9}, says("something else")).value(); }},
        {"put fact",
         [&] {
             database.put_fact({kKey1, "value"}).value();
         }},
        {"add view", [&] { database.add_view("late", kSaid).value(); }},
        {"change view", [&] { database.add_view("late", kCountOfAll).value(); }},
        {"erase", [&] { database.erase(few).value(); }},
        {"merge", [&] { database.merge_views().value(); }},
        {"drop fact", [&] { database.drop_fact(kKey1).value(); }},
        {"drop view", [&] { database.drop_view("late").value(); }},
        {"flush", [&] { database.flush().value(); }},
    };
    std::size_t operations = 0;
    for (const Step& step : steps) {
        SCOPED_TRACE(step.what);
        const std::string before = everything(database.snapshot());
        std::vector<std::string> seen;
        const auto writer = std::this_thread::get_id();
        on.watch([&] {
            if (std::this_thread::get_id() != writer) return;
            std::thread([&] { seen.push_back(everything(database.snapshot())); }).join();
        });
        step.write();
        on.watch({});
        seen.push_back(everything(database.snapshot()));
        operations += seen.size();
        const std::string& after = seen.back();
        std::size_t now = 0;
        while (now < seen.size() && seen[now] == before) ++now;
        for (; now < seen.size(); ++now) EXPECT_EQ(seen[now], after) << "at operation " << now;
    }
    EXPECT_GT(operations, 60u); // Else nobody looked.
    EXPECT_EQ(first_difference(database), "");
}

/// Stops the thread that comes through as the `number`th.
class Turnstile {
public:
    explicit Turnstile(std::size_t number) : number_(number) {}
    void pass() {
        std::unique_lock lock(mutex_);
        if (++passed_ != number_ || is_open_) return;
        is_reached_ = true;
        changed_.notify_all();
        changed_.wait(lock, [this] { return is_open_; });
    }
    bool wait_until_reached(milliseconds patience) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, patience, [this] { return is_reached_; });
    }
    void let_go() {
        const std::lock_guard lock(mutex_);
        is_open_ = true;
        changed_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t number_;
    std::size_t passed_ = 0;
    bool is_reached_ = false;
    bool is_open_ = false;
};

/// From one operation that is tried to the next.
std::size_t stride() {
    const char* const text = std::getenv("SLUICE_SCHEDULE_STRIDE");
    return text == nullptr ? 3 : std::max<std::size_t>(1, std::strtoul(text, nullptr, 10));
}

enum class Stopped : std::uint8_t { writer, background };

/// `first` runs until the writer, or the database's own thread that it gave work to, stands in
/// front of its operation `number`. There `second` begins on another thread, and has ended or waits
/// for a lock of the stopped one when both go on. False: there were fewer operations.
bool interleave(Watched& on, Stopped stopped, std::size_t number,
                const std::function<void()>& first, const std::function<void()>& second) {
    constexpr milliseconds kTurn{5}, kSurely{20'000}, kMaybe{200};
    // What every case has; behind them the work may have been done already.
    const bool is_sure = number <= 3;
    Turnstile turnstile(number);
    std::promise<std::thread::id> writer_id;
    const auto is_writer = [id = writer_id.get_future().share()] {
        return std::this_thread::get_id() == id.get();
    };
    on.watch([&, is_writer] {
        if (is_writer() == (stopped == Stopped::writer)) turnstile.pass();
    });
    auto writer = std::async(std::launch::async, [&] {
        writer_id.set_value(std::this_thread::get_id());
        first();
    });
    bool is_reached = false;
    if (stopped == Stopped::background) {
        writer.get();
        is_reached = turnstile.wait_until_reached(is_sure ? kSurely : kMaybe);
    } else {
        while (!is_reached && writer.wait_for(milliseconds(0)) != std::future_status::ready) {
            is_reached = turnstile.wait_until_reached(milliseconds(1));
        }
    }
    EXPECT_TRUE(is_reached || !is_sure) << "nothing was interleaved";
    if (is_reached) {
        auto other = std::async(std::launch::async, second);
        static_cast<void>(other.wait_for(kTurn));
        turnstile.let_go();
        other.get();
    }
    turnstile.let_go();
    if (writer.valid()) writer.get();
    on.watch({});
    return is_reached;
}

/// Everything that can come between.
void change_all_sorts(Database& database) {
    database.append(NewMessage{says("came between")}).value();
    database.delete_messages(Seqs{{5}, {6}}).value();
    database.replace({11}, says("another text")).value();
    database.put_fact({kKey1, "value"}).value();
    database.erase(Seqs{{13}, {14}}).value();
    database.restore(Seqs{{6}}).value();
}

// A back-fill reads the log while it grows and changes, and catches up with what it has missed.
TEST(ScheduledThreads, ChangeAnythingAtEveryOperationOfABackFill) {
    std::size_t number = 1;
    for (bool is_reached = true; is_reached; number += stride()) {
        SCOPED_TRACE("operation " + std::to_string(number));
        Watched on(/*in_background=*/false); // Else another thread writes the back-fill's files.
        is_reached = interleave(
            on, Stopped::writer, number, [&] { on.database->add_view("late", kSaid).value(); },
            [&] { change_all_sorts(*on.database); });
        on.expect_verified();
        if (!is_reached) break;
        EXPECT_EQ(on.database->snapshot().read("late").value().count_rest(), 38u);
    }
    EXPECT_GT(number, 8u);
}

/// So many go that a file is worth writing again.
void make_a_merge_due(Database& database) {
    database.delete_messages(Seqs{{1}, {2}, {3}, {4}, {7}, {8}}).value();
}

// The background merges files out of which messages have gone; meanwhile more of them go, and rows
// that it has copied are superseded.
TEST(ScheduledThreads, ChangeAnythingAtEveryOperationOfAMergeInTheBackground) {
    std::size_t number = 1;
    for (bool is_reached = true; is_reached; number += stride()) {
        SCOPED_TRACE("operation " + std::to_string(number));
        Watched on;
        is_reached = interleave(
            on, Stopped::background, number, [&] { make_a_merge_due(*on.database); },
            [&] { change_all_sorts(*on.database); });
        on.expect_verified();
        on.database.reset();
        on.open();
        on.expect_verified();
    }
    EXPECT_GT(number, 6u);
}

// A database is closed while its own thread is at work.
TEST(ScheduledThreads, CloseAtEveryOperationOfTheBackground) {
    std::size_t number = 1;
    for (bool is_reached = true; is_reached; number += stride()) {
        SCOPED_TRACE("operation " + std::to_string(number));
        Watched on;
        is_reached = interleave(
            on, Stopped::background, number, [&] { make_a_merge_due(*on.database); },
            [&] { on.database.reset(); });
        on.database.reset();
        on.open();
        EXPECT_EQ(on.database->stats().live, 34u);
        on.expect_verified();
    }
    EXPECT_GT(number, 6u);
}

// P6 beside P3: an erasure waits for the snapshot that reads the old files, and that snapshot reads
// them to its end, whenever it was taken.
TEST(ScheduledThreads, PinASnapshotAtEveryOperationOfAnErasure) {
    std::size_t number = 1;
    for (bool is_reached = true; is_reached; number += stride()) {
        SCOPED_TRACE("operation " + std::to_string(number));
        Watched on;
        const auto read = [&](const Snapshot& snapshot) {
            return DatabaseOnDisk::rows_in(snapshot, "said");
        };
        std::optional<Snapshot> pinned;
        std::string shown;
        std::thread reader;
        is_reached = interleave(
            on, Stopped::writer, number,
            [&] {
                on.database->erase(Seqs{{3}, {17}}).value();
            },
            [&] {
                pinned = on.database->snapshot();
                shown = read(*pinned);
                reader = std::thread([&] {
                    for (int i = 0; i < 5; ++i) {
                        EXPECT_EQ(read(*pinned), shown);
                        const auto record = pinned->get({17});
                        EXPECT_TRUE(record &&
                                    (record->body.empty() || record->body == says("said in 17!")));
                        std::this_thread::sleep_for(milliseconds(1));
                    }
                    pinned.reset();
                });
            });
        if (reader.joinable()) reader.join();
        EXPECT_TRUE(on.database->receipts().at(0).finished());
        EXPECT_EQ(read(on.database->snapshot()).find("said in 17!"), std::string::npos);
        on.expect_verified();
    }
    EXPECT_GT(number, 15u);
}

} // namespace
} // namespace sluice::test
