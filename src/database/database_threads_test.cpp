// Many threads on one database with its own threads running. On a real file system: there an
// erasure overwrites what a reader has mapped, which the simulated disk cannot do without a data
// race that is its own.
#include "database/subscription_test_support.hpp"
#include "database/transform_test_support.hpp"
#include "support/temporary_directory.hpp"

#include <atomic>
#include <functional>
#include <random>
#include <set>
#include <thread>

namespace sluice::test {
namespace {

constexpr const char* kByNumber = R"({"kind":"index","key":["/n"]})";
constexpr const char* kCountOfAll = R"({"kind":"aggregate","group":[],"value":{"count":true}})";

std::set<Seq> seqs_in(const Snapshot& snapshot, const std::string& view) {
    std::set<Seq> seqs;
    auto cursor = snapshot.read(view).value();
    while (cursor.next()) seqs.insert(cursor.seq());
    cursor.status().value();
    return seqs;
}

// P3: whatever the writers do, each view of one snapshot has exactly the messages that are live in
// it, and the count of them is theirs.
void expect_one_moment(const Snapshot& snapshot) {
    const std::set<Seq> authors = seqs_in(snapshot, "authors");
    EXPECT_EQ(seqs_in(snapshot, "numbers"), authors);
    std::set<Seq> live;
    auto cursor = snapshot.log({});
    while (auto record = cursor.next().value()) live.insert(record->seq);
    // What was erased behind the snapshot has no bytes left, and is no longer live in its log.
    EXPECT_TRUE(std::includes(authors.begin(), authors.end(), live.begin(), live.end()));
    auto count = snapshot.read("count").value();
    const std::string expected =
        authors.empty() ? "" : R"({"count":)" + std::to_string(authors.size()) + '}';
    EXPECT_EQ(count.next() ? count.value() : "", expected);
    if (const auto extra = snapshot.read("extra")) {
        EXPECT_EQ(seqs_in(snapshot, "extra"), authors);
    }
    for (const Seq seq : live) {
        const auto record = snapshot.get(seq);
        if (record && record->state == Record::State::erased) continue;
        ASSERT_TRUE(record) << record.error().context;
        EXPECT_TRUE(record->body.starts_with("{\"author\"")) << record->body;
        EXPECT_TRUE(record->body.ends_with("\"}")) << record->body;
    }
}

TEST(DatabaseThreads, ReadersSeeOneMomentWhileWritersWrite) {
    constexpr int kMessages = 150;
    const TemporaryDirectory directory;
    Options options = small_files();
    options.background = true;
    options.log_segment_size_bytes = 16 * 1024;
    options.view_memory_bytes_max = 8 * 1024;
    options.durability = Durability::interval;
    options.sync_interval = std::chrono::milliseconds(2);
    options.erase_patience = std::chrono::milliseconds(60'000);
    Database::create(directory.path()).value();
    {
        const auto database = Database::open(directory.path(), options).value();
        database->add_view("authors", kByAuthor).value();
        database->add_view("numbers", kByNumber).value();
        database->add_view("count", kCountOfAll).value();

        std::atomic<int> writing = 4;
        const auto append = [&](const std::string& author) {
            for (int i = 0; i < kMessages; ++i) {
                const std::string key = author + std::to_string(i), body = body_of(author, i, key);
                database->append(NewMessage{body, key}).value();
            }
            --writing;
        };
        const auto change = [&] {
            std::mt19937 random(1);
            for (int i = 0; i < kMessages / 3; ++i) {
                const std::vector<Seq> live =
                    database->select(SelectWhere{"/n >= " + std::to_string(i)}).value();
                if (live.empty()) continue;
                const Seqs some = {live[random() % live.size()]};
                switch (random() % 4) {
                case 0: database->delete_messages(some).value(); break;
                case 1: database->erase(some).value(); break;
                case 2: database->replace(some[0], body_of("cy", i)).value(); break;
                default: database->restore(some).value(); break;
                }
            }
            --writing;
        };
        const auto change_views = [&] {
            for (int i = 0; i < 8; ++i) {
                database->add_view("extra", i % 2 == 0 ? kByAuthor : kByNumber).value();
                database->merge_views().value();
                if (i % 3 == 0) database->drop_view("extra").value();
            }
            --writing;
        };
        const auto read = [&] {
            while (writing > 0) {
                expect_one_moment(database->snapshot());
                static_cast<void>(database->stats());
                static_cast<void>(database->views());
                const Seq last = database->last();
                EXPECT_LE(last, database->wait_for_entry(last, std::chrono::milliseconds(1)));
            }
        };
        std::vector<std::thread> threads;
        threads.emplace_back(append, "ada");
        threads.emplace_back(append, "bo");
        threads.emplace_back(change);
        threads.emplace_back(change_views);
        for (int i = 0; i < 3; ++i) threads.emplace_back(read);
        for (std::thread& thread : threads) thread.join();

        expect_one_moment(database->snapshot());
        EXPECT_TRUE(database->verify().value().equal());
    }
    const auto again = Database::open(directory.path(), options).value();
    EXPECT_EQ(again->stats().last.value - again->stats().changes, 2u * kMessages);
    EXPECT_TRUE(again->verify().value().equal());
}

/// A view in code that shows what the declared view "said" shows.
CodeView said_by_app(std::uint32_t version) {
    CodeView view;
    view.app = "app";
    view.version = version;
    view.map = [](const Message& message, Emit& emit) {
        const Value* const text = message.json == nullptr ? nullptr : message.json->find("text");
        if (text != nullptr) emit(Key(*text->as_string()));
    };
    return view;
}

// P3 and P5: messages are derived again in parts, apps open and close, views are filled from the
// log, snapshots pin what is erased, and the database is closed in the middle of what its own
// threads do.
TEST(DatabaseThreads, ReadersSeeOneMomentWhileAppsAndFactsComeAndGo) {
    constexpr int kRounds = 3, kMessages = 60, kVersions = 6;
    const TemporaryDirectory directory;
    Options options = small_files();
    options.background = true;
    options.durability = Durability::none;
    options.erase_patience = std::chrono::milliseconds(60'000);
    options.transforms.add({"unbox", 1, unbox});
    Database::create(directory.path()).value();
    for (int round = 0; round < kRounds; ++round) {
        const auto database = Database::open(directory.path(), options).value();
        if (round == 0) database->add_view("said", kSaid).value();
        if (round == 0) database->use_transforms(options.transforms.names()).value();
        database->add_view("app", said_by_app(kVersions - 1)).value(); // Else it is behind.
        std::atomic<int> writing = 5;
        std::vector<std::thread> threads;
        const auto write = [&](int times, const std::function<void(int)>& one) {
            threads.emplace_back([&writing, times, one] {
                for (int i = 0; i < times; ++i) one(i);
                --writing;
            });
        };
        write(kMessages, [&](int i) {
            const std::string said = says("said in " + std::to_string(i));
            database->append(NewMessage{i % 2 == 0 ? said : boxed("k1", said)}).value();
        });
        write(6, [&](int i) {
            if (i % 2 == 0) database->put_fact({kKey1, std::to_string(i)}).value();
            if (i % 2 == 1) database->drop_fact(kKey1).value();
        });
        write(kVersions, [&](int i) {
            database->add_view("app", said_by_app(static_cast<std::uint32_t>(i))).value();
            if (i % 3 == 1) database->drop_view("app").value();
        });
        write(4, [&](int i) {
            database->add_view("late", i % 2 == 0 ? kCountOfAll : kSaid).value();
            if (i % 2 == 1) database->drop_view("late").value();
        });
        write(12, [&](int i) {
            const auto live = database->select(SelectView{"said", {}}).value();
            if (live.empty()) return;
            const Seqs some{live[static_cast<std::size_t>(i) % live.size()]};
            if (i % 2 == 0) database->erase(some).value();
            if (i % 2 == 1) database->delete_messages(some).value();
        });
        for (int i = 0; i < 2; ++i) {
            threads.emplace_back([&] {
                while (writing > 0) {
                    const Snapshot snapshot = database->snapshot();
                    const std::set<Seq> said = seqs_in(snapshot, "said");
                    if (snapshot.read("app")) {
                        EXPECT_EQ(seqs_in(snapshot, "app"), said);
                    }
                    std::set<Seq> seen;
                    auto log = snapshot.log({.seen = true});
                    while (const auto record = log.next().value()) {
                        if (record->body.starts_with("{\"text\"")) seen.insert(record->seq);
                    }
                    // What was erased behind the snapshot has no bytes left.
                    EXPECT_TRUE(std::includes(said.begin(), said.end(), seen.begin(), seen.end()));
                    std::this_thread::sleep_for(std::chrono::milliseconds(1)); // Pins the files.
                    EXPECT_EQ(seqs_in(snapshot, "said"), said);
                }
            });
        }
        for (std::thread& thread : threads) thread.join();
        if (round + 1 == kRounds) {
            EXPECT_EQ(first_difference(*database), "");
        }
    }
    EXPECT_EQ(first_difference(*Database::open(directory.path(), options).value()), "");
}

// An erasure waits for whoever holds a snapshot: nothing that he asks may wait for the erasure.
TEST(DatabaseThreads, AskWhileAnErasureWaitsForTheirSnapshot) {
    const TemporaryDirectory directory;
    Database::create(directory.path()).value();
    Options options;
    options.erase_patience = std::chrono::seconds(60);
    const auto database = Database::open(directory.path(), options).value();
    database->add_view("said", kSaid).value();
    database->put_fact({kKey1, "value"}).value();
    const Seq first = database->append(NewMessage{says("gone soon")}).value();
    const Seq second = database->append(NewMessage{says("stays")}).value();
    database->merge_views().value();

    auto pinned = std::make_unique<Snapshot>(database->snapshot());
    std::thread eraser([&] { EXPECT_TRUE(database->erase(Seqs{first}).has_value()); });
    while (database->select(SelectView{"said", {}}).value() != Seqs{second}) {
        std::this_thread::yield();
    }
    EXPECT_EQ(database->views().size(), 1u);
    EXPECT_EQ(database->stats().erased, 1u);
    EXPECT_EQ(database->facts().size(), 1u);
    EXPECT_EQ(database->imported_up_to("nothing"), 0u);
    EXPECT_FALSE(database->receipts()[0].finished());
    pinned.reset();
    eraser.join();
    EXPECT_TRUE(database->receipts()[0].finished());
}

// Threads that append together share an fdatasync, and each finds its own message durable.
TEST(DatabaseThreads, ShareOneSync) {
    DatabaseOnDisk on([] {
        Options options;
        options.background = false;
        return options;
    }());
    const std::uint64_t before = on.disk.syncs();
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&, i] {
            for (int k = 0; k < 100; ++k) {
                on.append("message " + std::to_string(i) + '/' + std::to_string(k));
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_LE(on.disk.syncs() - before, 400u);
    on.crash(Fate::lost);
    EXPECT_EQ(on.database->stats().live, 400u);
}

// P7: what the views cannot follow, because their own thread met a disk that failed, is refused
// before the log has it.
TEST(DatabaseThreads, RefuseToWriteTheLogBehindAFailureInTheBackground) {
    for (const bool by_append : {true, false}) {
        Options options = small_files();
        options.background = true;
        options.durability = Durability::none;
        options.log_segment_size_bytes = 1 << 20;
        DatabaseOnDisk on(options);
        on.database->add_view("authors", kByAuthor).value();
        std::atomic<std::uint64_t> failing_from{0};
        on.disk.observe([&, writer = std::this_thread::get_id()] {
            if (std::this_thread::get_id() == writer || failing_from != 0) return;
            on.disk.fail_after(0);
            failing_from = on.disk.operations();
        });
        const std::string body = body_of("ada", 1);
        const std::vector<NewMessage> many(500, NewMessage{body});
        on.database->append(many).value();
        while (failing_from == 0 || on.disk.operations() == failing_from) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20)); // It hears of its failure.
        on.disk.stop_failing();
        const std::uint64_t operations = on.disk.operations();
        const Errc code = by_append ? code_of(on.database->append(NewMessage{"more"}))
                                    : code_of(on.database->delete_messages(Seqs{{1}}));
        EXPECT_EQ(code, Errc::io);
        EXPECT_EQ(code_of(on.database->append(NewMessage{"more"})), Errc::latched);
        EXPECT_EQ(on.disk.operations(), operations);
        EXPECT_EQ(on.body({1}), body);
        on.disk.observe({});
        on.reopen();
        EXPECT_EQ(on.database->last(), Seq{500});
        on.expect_verified();
    }
}

// P6: an erasure overwrites what a reader is copying.
TEST(DatabaseThreads, ReadABodyWholeOrNotAtAllWhileItIsErased) {
    TemporaryDirectory directory;
    Database::create(directory.path()).value();
    const auto database = Database::open(directory.path()).value();
    const std::string body(4 << 20, 'x');
    for (std::uint64_t round = 0; round < 6; ++round) {
        const bool is_replaced = round % 2 == 1;
        const Seq seq = database->append(NewMessage{is_replaced ? "x" : body}).value();
        if (is_replaced) database->replace(seq, body).value();
        std::atomic<bool> erased{false};
        std::thread reader([&] {
            while (!erased) {
                const Record record = database->snapshot().get(seq).value();
                EXPECT_TRUE(record.body.empty() || record.body == body);
                if (!is_replaced) continue;
                EXPECT_EQ(database->snapshot().get(seq.next()).value().state,
                          Record::State::change);
            }
        });
        database->erase(std::vector<Seq>{seq}).value();
        erased = true;
        reader.join();
    }
}

// F1 and F4 while writers write: who follows has in the end what there is, and sees each difference
// once.
TEST(DatabaseThreads, FollowersKeepUpWithWriters) {
    constexpr int kMessages = 300;
    const TemporaryDirectory directory;
    Options options = small_files();
    options.background = true;
    options.view_memory_bytes_max = 8 * 1024;
    options.durability = Durability::none;
    options.erase_patience = std::chrono::seconds(10);
    Database::create(directory.path()).value();
    const auto database = Database::open(directory.path(), options).value();
    database->add_view("numbers", kByNumber).value();
    database->add_view("count", kCountOfAll).value();

    std::atomic<bool> is_done = false;
    const auto subscribe = [&](const std::string& view, std::size_t waiting, std::string& rows) {
        Replica replica(database->subscribe(view, {}, {.rows_waiting_max = waiting}).value());
        while (!is_done) {
            const auto difference = replica.subscription().next(std::chrono::milliseconds(5));
            if (!difference) {
                EXPECT_EQ(code_of(difference), Errc::ended);
            } else if (*difference) {
                replica.apply(**difference);
            }
        }
        replica.take();
        rows = replica.rows();
    };
    std::string numbers, counted, slow;
    std::set<Seq> fed;
    std::vector<std::thread> threads;
    threads.emplace_back([&] { subscribe("numbers", 100000, numbers); });
    threads.emplace_back([&] { subscribe("count", 100000, counted); });
    threads.emplace_back([&] { subscribe("numbers", 2, slow); });
    threads.emplace_back([&] {
        Feed feed = database->consumer("thread").value();
        for (bool is_last = false; !is_last;) {
            is_last = is_done;
            for (;;) {
                const FeedBatch batch =
                    feed.next(std::chrono::milliseconds(5), {.changes_max = 7}).value();
                for (const FeedChange& each : batch.changes) {
                    if (each.kind == FeedChange::Kind::gone) {
                        fed.erase(each.seq);
                    } else {
                        fed.insert(each.seq);
                    }
                }
                if (batch.changes.empty()) break;
            }
            feed.acknowledge().value();
        }
    });
    std::mt19937_64 random(7);
    for (int n = 0; n < kMessages; ++n) {
        database->append({body_of("ada", n)}).value();
        const Seq some{1 + random() % database->last().value};
        const auto record = database->snapshot().get(some);
        if (!record || record->state != Record::State::live) continue;
        if (n % 5 == 0) database->delete_messages(Seqs{some}).value();
        if (n % 7 == 0) database->restore(SelectWhere{"/author=ada"}).value();
        ChangeOptions how; // Those who follow read in snapshots, too.
        how.end_snapshots = n % 20 != 0;
        if (n % 10 == 0) database->erase(Seqs{some}, how).value();
    }
    is_done = true;
    for (std::thread& thread : threads) thread.join();

    const std::string rows = DatabaseOnDisk::rows_in(database->snapshot(), "numbers");
    EXPECT_EQ(numbers, rows);
    EXPECT_EQ(slow, rows);
    EXPECT_EQ(counted, DatabaseOnDisk::rows_in(database->snapshot(), "count"));
    EXPECT_EQ(fed, seqs_in(database->snapshot(), "numbers"));
}

// F1: a batch that is being put together when its snapshot is ended is none.
TEST(DatabaseThreads, FeedsAreNotMisledByEndedSnapshots) {
    const TemporaryDirectory directory;
    Options options;
    options.durability = Durability::none;
    Database::create(directory.path()).value();
    const auto database = Database::open(directory.path(), options).value();
    for (int n = 0; n < 3000; ++n) database->append({body_of("ada", n)}).value();

    std::atomic<bool> is_done = false;
    std::thread eraser([&] {
        ChangeOptions how;
        how.end_snapshots = true;
        for (std::uint64_t n = 1; n <= 60; ++n) database->erase(Seqs{{n * 50}}, how).value();
        is_done = true;
    });
    const auto take_all = [](Feed& feed, std::set<Seq>& fed) {
        for (;;) {
            const FeedBatch batch = feed.next({}, {.changes_max = 1000}).value();
            for (const FeedChange& each : batch.changes) {
                each.kind == FeedChange::Kind::gone ? void(fed.erase(each.seq))
                                                    : void(fed.insert(each.seq));
            }
            if (batch.changes.empty()) return;
        }
    };
    std::vector<std::pair<Feed, std::set<Seq>>> told;
    do {
        told.emplace_back(database->feed().value(), std::set<Seq>());
        take_all(told.back().first, told.back().second);
    } while (!is_done);
    eraser.join();
    std::set<Seq> live;
    const Snapshot snapshot = database->snapshot();
    auto cursor = snapshot.log({});
    while (auto record = cursor.next().value()) live.insert(record->seq);
    EXPECT_EQ(live.size(), 2940u);
    for (auto& [feed, fed] : told) {
        take_all(feed, fed);
        EXPECT_EQ(fed, live);
    }
}

} // namespace
} // namespace sluice::test
