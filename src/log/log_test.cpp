// L1, L2, L6 of log.hpp in their own words.
#include "log/log.hpp"

#include <gtest/gtest.h>

#include "log/log_test_support.hpp"

#include <thread>

namespace sluice::test {
namespace {

TEST(Log, GivesBackWhatWasAppendedBySeqFromOneOn) {
    SimulatedDisk disk;
    LogOnDisk on(disk);
    EXPECT_EQ(on.append("first", "key"), Seq{1});
    EXPECT_EQ(on.append(""), Seq{2}); // Any bytes, also none.
    EXPECT_EQ(on.append(std::string("\0\xff", 2)), Seq{3});
    EXPECT_EQ(on.body({1}), "first");
    EXPECT_EQ(on.log->read({1})->key, "key");
    EXPECT_EQ(on.body({2}), "");
    EXPECT_EQ(on.body({3}), std::string("\0\xff", 2));
    EXPECT_EQ(on.log->last(), Seq{3});
}

TEST(Log, NamesTheSeqThatItDoesNotHave) {
    SimulatedDisk disk;
    LogOnDisk on(disk);
    on.append("one");
    for (const Seq seq : {Seq{0}, Seq{2}, Seq{~std::uint64_t{0}}}) {
        const auto entry = on.log->read(seq);
        ASSERT_FALSE(entry);
        EXPECT_EQ(entry.error().code, Errc::not_found);
        EXPECT_NE(entry.error().context.find(std::to_string(seq.value)), std::string::npos);
    }
}

// L1
TEST(Log, KeepsEverySeqOverManySegmentsAndOpenings) {
    SimulatedDisk disk;
    std::vector<std::string> bodies;
    for (int opening = 0; opening < 4; ++opening) {
        LogOnDisk on(disk);
        for (int i = 0; i < 50; ++i) {
            bodies.push_back("body " + std::to_string(bodies.size()) +
                             std::string(static_cast<std::size_t>(i), 'x'));
            EXPECT_EQ(on.append(bodies.back()), Seq{bodies.size()});
        }
        for (std::size_t i = 0; i < bodies.size(); ++i) EXPECT_EQ(on.body({i + 1}), bodies[i]);
        EXPECT_GT(on.log->segment_count(), std::size_t{1});
    }
}

TEST(Log, TakesAnEntryLargerThanASegment) {
    SimulatedDisk disk;
    const std::string large(10 * kSmallSegment, 'L');
    {
        LogOnDisk on(disk);
        on.append("small");
        on.append(large);
        on.append("small again");
    }
    LogOnDisk on(disk);
    EXPECT_EQ(on.body({2}), large);
    EXPECT_EQ(on.body({3}), "small again");
}

TEST(Log, RefusesWhatIsTooLargeAndAppendsNothing) {
    SimulatedDisk disk;
    LogOnDisk on(disk);
    const std::string body(Log::kBodySizeBytesMax + 1, 'x');
    const std::string key(Log::kKeySizeBytesMax + 1, 'k');
    for (const Log::Draft& draft :
         {Log::Draft{Log::Kind::message, {}, body}, Log::Draft{Log::Kind::message, key, "body"}}) {
        const auto appended = on.log->append(std::span(&draft, 1));
        ASSERT_FALSE(appended);
        EXPECT_EQ(appended.error().code, Errc::invalid_argument);
    }
    EXPECT_EQ(on.log->last(), Seq{0});
    EXPECT_EQ(on.append("fits"), Seq{1});
}

TEST(Log, IsMadeOnlyInAnEmptyDirectoryAndOpenedOnlyWhereItIs) {
    SimulatedDisk disk;
    const auto directory = disk.root();
    EXPECT_EQ(Log::open(*directory, {}).error().code, Errc::not_found);
    ASSERT_TRUE(Log::create(*directory));
    EXPECT_EQ(Log::create(*directory).error().code, Errc::exists);
    EXPECT_TRUE(Log::open(*directory, {}));
}

TEST(Log, IsThereOnceCreateHasReturned) {
    for (const Fate fate : kEveryFate) {
        SimulatedDisk disk;
        ASSERT_TRUE(Log::create(*disk.root()));
        disk.cut_power(fate);
        EXPECT_TRUE(Log::open(*disk.root(), {})) << static_cast<int>(fate);
    }
}

// L2: one sync for a commit, none where nothing is new.
TEST(Log, SyncsOnceForManyAppendsAndNotAgain) {
    SimulatedDisk disk;
    LogOnDisk on(disk, 1024 * 1024);
    for (int i = 0; i < 100; ++i) on.append("message");
    const std::uint64_t before = disk.syncs();
    ASSERT_TRUE(on.log->sync());
    ASSERT_TRUE(on.log->sync());
    EXPECT_EQ(disk.syncs() - before, 1u);
}

// L6
TEST(Log, LatchesAfterAFailedWriteUntilItIsOpenedAgain) {
    SimulatedDisk disk;
    {
        LogOnDisk on(disk);
        on.append("acknowledged");
        ASSERT_TRUE(on.log->sync());
        disk.fail_after(0);
        const Log::Draft draft{Log::Kind::message, {}, "lost"};
        EXPECT_FALSE(on.log->append(std::span(&draft, 1)));
        disk.stop_failing();
        EXPECT_EQ(on.log->append(std::span(&draft, 1)).error().code, Errc::latched);
        EXPECT_EQ(on.body({1}), "acknowledged");
    }
    LogOnDisk on(disk);
    EXPECT_EQ(on.body({1}), "acknowledged");
    EXPECT_EQ(on.append("goes on"), Seq{2});
}

TEST(Log, LatchesWhicheverOperationOfANewSegmentFails) {
    std::uint64_t operations = 0;
    for (;; ++operations) {
        SimulatedDisk disk;
        LogOnDisk on(disk);
        on.append(std::string(kSmallSegment, '1'));
        const Log::Draft draft{Log::Kind::message, {}, "in the next one"};
        disk.fail_after(operations);
        const auto appended = on.log->append(std::span(&draft, 1));
        disk.stop_failing();
        if (appended) break;
        const auto again = on.log->append(std::span(&draft, 1));
        ASSERT_FALSE(again) << operations;
        EXPECT_EQ(again.error().code, Errc::latched) << operations;
    }
    EXPECT_GT(operations, 5u);
}

TEST(Log, LatchesAfterAFailedSyncToo) {
    SimulatedDisk disk;
    LogOnDisk on(disk);
    on.append("one");
    disk.fail_after(0);
    EXPECT_FALSE(on.log->sync());
    disk.stop_failing();
    EXPECT_EQ(on.log->sync().error().code, Errc::latched);
}

TEST(Log, NeedsSomethingToAppend) {
    SimulatedDisk disk;
    LogOnDisk on(disk);
    EXPECT_EQ(on.log->append({}).error().code, Errc::invalid_argument);
}

TEST(LogThreads, ReadWhileOneWritesAndShareTheirSyncs) {
    SimulatedDisk disk;
    LogOnDisk on(disk, 64 * 1024);
    constexpr std::uint64_t kCount = 2000;
    std::atomic<bool> done{false};
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i) {
        readers.emplace_back([&] {
            while (!done) {
                const Seq last = on.log->last();
                for (Seq seq{1}; seq <= last; seq = {seq.value + 7}) {
                    ASSERT_EQ(on.body(seq), std::to_string(seq.value));
                }
                ASSERT_TRUE(on.log->sync());
            }
        });
    }
    for (std::uint64_t i = 1; i <= kCount; ++i) on.append(std::to_string(i));
    done = true;
    for (std::thread& reader : readers) reader.join();
}

/// A log that another process writes.
std::unique_ptr<Log> follower_of(LogOnDisk& on, std::uint64_t segment_size_bytes = kSmallSegment) {
    return Log::open(*on.directory, {segment_size_bytes, /*read_only=*/true, /*follows=*/true})
        .value();
}

TEST(LogFollowed, HasWhatWasAppendedOverSegments) {
    SimulatedDisk disk;
    LogOnDisk on(disk);
    on.append("before");
    const auto follower = follower_of(on);
    EXPECT_TRUE(follower->follow(follower->last()).value().changes.empty());
    const Log::Draft change{Log::Kind::change, {}, "a change"};
    for (int i = 0; i < 40; ++i) {
        on.append(std::string(100, 'x'));
        if (i % 10 == 3) on.log->append(std::span(&change, 1)).value();
    }
    const std::vector<Seq> changes = follower->follow(follower->last()).value().changes;
    EXPECT_EQ(changes, (std::vector<Seq>{{6}, {17}, {28}, {39}}));
    EXPECT_EQ(follower->last(), on.log->last());
    EXPECT_GT(follower->segment_count(), 3u);
    for (Seq seq{1}; seq <= on.log->last(); seq = seq.next()) {
        EXPECT_EQ(follower->read(seq).value().body, on.log->read(seq).value().body);
    }
    EXPECT_TRUE(follower->follow(follower->last()).value().changes.empty());
    // Whoever failed behind an earlier call is told again.
    EXPECT_EQ(follower->follow({17}).value().changes, (std::vector<Seq>{{28}, {39}}));
}

// A segment may be begun and have no entry yet; another process may make it larger than this one
// would.
TEST(LogFollowed, GoesIntoSegmentsThatAreEmptyOrLarge) {
    SimulatedDisk disk;
    LogOnDisk on(disk, 64 * 1024);
    on.append("first");
    LogSegment::create({on.directory.get(), on.log->identity().id, {2}, 4096}).value();
    const auto follower = follower_of(on);
    follower->follow(follower->last()).value();
    EXPECT_EQ(follower->last(), Seq{1});
    const std::string_view body = follower->read({1}).value().body;
    for (int i = 0; i < 30; ++i) follower->follow(follower->last()).value();
    EXPECT_EQ(follower->segment_count(), 2u);

    SimulatedDisk other_disk;
    LogOnDisk large(other_disk, 64 * 1024);
    large.append("first");
    const auto small = follower_of(large);
    const std::string_view first = small->read({1}).value().body;
    for (int i = 0; i < 20; ++i) large.append(std::string(1000, 'x'));
    small->follow(small->last()).value();
    EXPECT_EQ(small->last(), large.log->last());
    EXPECT_EQ(small->segment_count(), 1u);
    EXPECT_EQ(first, "first"); // Where it was read.
    EXPECT_EQ(body, "first");
}

// L2 for whoever looks while a batch is being written.
TEST(LogFollowed, HasABatchWholeOrNotAtAll) {
    SimulatedDisk disk;
    LogOnDisk on(disk);
    const std::string file = LogSegment::file_name({1});
    on.append("first");
    const std::size_t first_size = disk.all_bytes().at(file).size();
    on.append_batch({"second", "third", "fourth"});
    const std::string bytes = disk.all_bytes().at(file);
    for (std::size_t size = first_size; size <= bytes.size(); ++size) {
        SimulatedDisk found;
        const auto directory = found.root();
        for (const auto& [name, content] : disk.all_bytes()) {
            directory->open(name, Create::must)
                .value()
                ->write_at(0, name == file ? content.substr(0, first_size) : content)
                .value();
        }
        const auto follower = Log::open(*directory, {kSmallSegment, true, true}).value();
        directory->open(file, Create::never)
            .value()
            ->write_at(first_size, std::string_view(bytes).substr(first_size, size - first_size))
            .value();
        follower->follow(follower->last()).value();
        EXPECT_EQ(follower->last(), size == bytes.size() ? Seq{4} : Seq{1}) << size;
    }
}

TEST(LogFollowed, IsTakenInPiecesOfWholeBatches) {
    SimulatedDisk disk;
    LogOnDisk on(disk, 64 * 1024);
    const auto follower = follower_of(on, 64 * 1024);
    for (int i = 0; i < 10; ++i) on.append_batch({std::string(100, 'x'), std::string(100, 'y')});
    std::uint64_t left = ~std::uint64_t{0};
    for (std::uint64_t seq = 2; seq <= 20; seq += 2) {
        const std::uint64_t now = follower->follow(follower->last(), 300).value().bytes_left;
        EXPECT_LT(now, left);
        left = now;
        EXPECT_EQ(follower->last(), Seq{seq});
    }
    EXPECT_EQ(left, 0u);
    on.append(std::string(5000, 'x'));
    EXPECT_EQ(follower->follow(follower->last(), 300).value().bytes_left, 0u);
    EXPECT_EQ(follower->last(), Seq{21});
}

TEST(LogFollowed, SaysWhenItBecameShorter) {
    SimulatedDisk disk;
    LogOnDisk on(disk);
    on.append("first");
    const auto follower = follower_of(on);
    on.directory->open(LogSegment::file_name({1}), Create::never).value()->truncate(64).value();
    EXPECT_EQ(follower->follow(follower->last()).error().code, Errc::corrupt);
}

} // namespace
} // namespace sluice::test
