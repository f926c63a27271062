// L2 and L5 of log.hpp under power cuts and damage.
#include <gtest/gtest.h>

#include "log/log_segment.hpp"
#include "log/log_test_support.hpp"

#include <set>

namespace sluice::test {
namespace {

/// What a story has written and been promised, told step by step.
struct Story {
    std::vector<std::string> bodies;          ///< By seq - 1.
    std::vector<std::pair<Seq, Seq>> batches; ///< First and last of each.
    Seq acknowledged;                         ///< Synced up to here.
};

/// Appends batches of different sizes over several segments, and syncs after some.
void tell(LogOnDisk& on, Story& story) {
    for (std::size_t i = 0; i < 24; ++i) {
        std::vector<std::string> batch;
        for (std::size_t k = 0; k <= i % 4; ++k) {
            batch.push_back("batch " + std::to_string(i) + " part " + std::to_string(k) +
                            std::string(i * 7 % 90, '.'));
        }
        story.bodies.insert(story.bodies.end(), batch.begin(), batch.end());
        story.batches.push_back({{story.bodies.size() - batch.size() + 1}, {story.bodies.size()}});
        on.append_batch(batch);
        if (i % 3 != 1) {
            ASSERT_TRUE(on.log->sync());
            story.acknowledged = on.log->last();
        }
    }
}

void expect_kept(SimulatedDisk& disk, const Story& story, const std::string& when) {
    LogOnDisk on(disk);
    const Seq last = on.log->last();
    ASSERT_GE(last, story.acknowledged) << when;
    ASSERT_LE(last.value, story.bodies.size()) << when;
    for (Seq seq{1}; seq <= last; seq = seq.next()) {
        ASSERT_EQ(on.body(seq), story.bodies[seq.value - 1]) << when << ", seq " << seq.value;
    }
    for (const auto& [first, end] : story.batches) {
        ASSERT_TRUE(last < first || last >= end) << when << ": half of a batch is there";
    }
    // What was cut off does not come back under new entries.
    EXPECT_EQ(on.append("after"), last.next()) << when;
    ASSERT_TRUE(on.log->sync());
    EXPECT_EQ(on.body(last.next()), "after") << when;
}

// L2
TEST(LogRecovery, KeepsWhatWasAcknowledgedAndWholeBatchesAtEveryPowerCut) {
    SimulatedDisk disk;
    LogOnDisk on(disk);
    Story story;
    std::uint64_t states = 0;
    disk.observe([&] {
        for (const Fate fate : kEveryFate) {
            const auto after = disk.copy_after_power_cut(fate, disk.operations());
            expect_kept(*after, story,
                        "operation " + std::to_string(disk.operations()) + ", fate " +
                            std::to_string(static_cast<int>(fate)));
            ++states;
        }
    });
    tell(on, story);
    disk.observe({});
    EXPECT_GT(states, 200u);
}

TEST(LogRecovery, SurvivesASecondPowerCutWhileItRecovers) {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        SimulatedDisk disk;
        Story story;
        {
            LogOnDisk on(disk);
            tell(on, story);
            on.append("unfinished");
            story.bodies.push_back("unfinished");
            story.batches.push_back({on.log->last(), on.log->last()});
            disk.cut_power(Fate::torn, seed);
        }
        disk.observe([&] {
            const auto after = disk.copy_after_power_cut(Fate::torn, seed + disk.operations());
            expect_kept(*after, story, "seed " + std::to_string(seed));
        });
        LogOnDisk again(disk);
        disk.observe({});
    }
}

// A process that is killed leaves what it wrote to the system, which has promised nothing yet.
TEST(LogRecovery, MakesDurableWhatAKilledProcessLeftToTheSystem) {
    SimulatedDisk disk;
    {
        LogOnDisk on(disk);
        on.append("written");
        disk.fail_after(0); // So that closing does not sync.
    }
    disk.stop_failing();
    LogOnDisk on(disk);
    ASSERT_EQ(on.body({1}), "written");
    ASSERT_TRUE(on.log->sync());
    const auto after = disk.copy_after_power_cut(Fate::lost);
    EXPECT_EQ(LogOnDisk(*after).body({1}), "written");
}

std::string segment_holding(SimulatedDisk& disk, std::string_view text) {
    const auto found = disk.find(text);
    EXPECT_FALSE(found.empty());
    return found.empty() ? "" : found.front().where;
}

void flip(SimulatedDisk& disk, std::string_view text, std::uint64_t before = 0) {
    const std::string where = segment_holding(disk, text);
    const auto root = disk.root();
    const auto file = root->open(where, Create::never).value();
    const std::uint64_t at = disk.find(text).front().position - before;
    char byte = 0;
    ASSERT_TRUE(file->read_at(at, &byte, 1));
    byte = static_cast<char>(byte ^ 0x10);
    ASSERT_TRUE(file->write_at(at, {&byte, 1}));
    ASSERT_TRUE(file->sync());
}

void remove_indexes(Directory& directory) {
    for (const std::string& name : directory.list().value()) {
        if (name.ends_with(".idx")) {
            ASSERT_TRUE(directory.remove(name));
        }
    }
}

/// 40 messages in several segments, and the name of the first one's index.
std::string forty_messages(SimulatedDisk& disk) {
    LogOnDisk on(disk);
    for (int i = 1; i <= 40; ++i) on.append("message number " + std::to_string(i) + "!");
    return LogSegment::index_name({1});
}

TEST(LogRecovery, MakesTheIndexOfAClosedSegmentAgainWhenItIsGone) {
    SimulatedDisk disk;
    const std::string name = forty_messages(disk);
    const auto root = disk.root();
    const std::string index = read_whole(*root->open(name, Create::never).value()).value();
    ASSERT_TRUE(root->remove(name));
    { const LogOnDisk on(disk); }
    EXPECT_TRUE(read_whole(*root->open(name, Create::never).value()).value() == index);
}

TEST(LogRecovery, ReadsPastAnIndexThatLeadsElsewhereAndNamesIt) {
    SimulatedDisk disk;
    const std::string name = forty_messages(disk);
    const auto root = disk.root();
    const auto index = root->open(name, Create::never).value();
    std::string offsets(8, '\0');
    index->read_at(log_format::kIndexHeaderSize, offsets.data(), offsets.size()).value();
    index->write_at(log_format::kIndexHeaderSize, offsets.substr(4)).value();
    const LogOnDisk on(disk);
    EXPECT_EQ(on.body({1}), "message number 1!");
    EXPECT_EQ(on.body({2}), "message number 2!");
    EXPECT_EQ(on.log->damaged_indexes(), (std::vector{name}));
}

// L5
TEST(LogRecovery, NamesADamagedEntryAndReadsItsNeighbours) {
    constexpr std::uint64_t kHeader = log_format::kEntryHeaderSize;
    for (const bool keep_index : {true, false}) {
        for (const std::uint64_t before :
             {std::uint64_t{0}, kHeader, kHeader - 8, kHeader - log_format::kStatePosition,
              kHeader - log_format::kPayloadCheckPosition}) {
            SimulatedDisk disk;
            {
                LogOnDisk on(disk);
                for (int i = 1; i <= 40; ++i) {
                    on.append("message number " + std::to_string(i) + "!");
                    ASSERT_TRUE(on.log->sync());
                }
            }
            flip(disk, "message number 7!", before);  // In a segment that is closed.
            flip(disk, "message number 38!", before); // In the last one.
            if (!keep_index) {
                const auto root = disk.root();
                remove_indexes(*root);
            }
            LogOnDisk on(disk);
            EXPECT_EQ(on.log->last(), Seq{40});
            for (std::uint64_t i = 1; i <= 40; ++i) {
                const std::string expected = i == 7 || i == 38
                                                 ? "error: corrupt"
                                                 : "message number " + std::to_string(i) + "!";
                EXPECT_EQ(on.body({i}), expected) << i << " flipped " << before << " before";
            }
            const auto damage = on.log->check();
            ASSERT_EQ(damage.size(), 2u);
            EXPECT_EQ(damage[0].first, Seq{7});
            EXPECT_EQ(damage[1].first, Seq{38});
            EXPECT_EQ(damage[1].last, Seq{38});
            EXPECT_TRUE(on.directory->open(damage[1].file, Create::never)) << damage[1].file;
            EXPECT_EQ(on.append("goes on"), Seq{41});
        }
    }
}

// L5, where no header behind the damage says what was durable: a segment that is not the last was.
TEST(LogRecovery, LosesOneEntryOfAClosedSegmentThatWasNeverSyncedOtherwise) {
    SimulatedDisk disk;
    {
        LogOnDisk on(disk);
        for (int i = 1; i <= 40; ++i) on.append("message number " + std::to_string(i) + "!");
        ASSERT_GE(on.log->segment_count(), 2u);
    }
    flip(disk, "message number 2!");
    remove_indexes(*disk.root());
    LogOnDisk on(disk);
    EXPECT_EQ(on.log->last(), Seq{40});
    EXPECT_EQ(on.log->damaged_at_open(), std::vector<Seq>{{2}});
    for (std::uint64_t i = 3; i <= 40; ++i) {
        EXPECT_EQ(on.body({i}), "message number " + std::to_string(i) + "!");
    }
}

// L1, L5: the last entry that was durable keeps its seq, whatever becomes of it.
TEST(LogRecovery, KeepsTheSeqOfTheLastDurableEntryWhenItIsDamaged) {
    for (const std::uint64_t before : {std::uint64_t{0}, log_format::kEntryHeaderSize}) {
        SimulatedDisk disk;
        {
            LogOnDisk on(disk);
            on.append("message number 1!");
            on.append("message number 2!");
            ASSERT_TRUE(on.log->sync());
            on.append("message number 3!");
        }
        flip(disk, "message number 2!", before);
        remove_indexes(*disk.root());
        LogOnDisk on(disk);
        EXPECT_EQ(on.body({2}), "error: corrupt");
        EXPECT_EQ(on.body({3}), "message number 3!");
        EXPECT_EQ(on.append("goes on"), Seq{4});
    }
}

// L2: what was torn before any sync said that it was durable goes, and all behind it, whole or not.
TEST(LogRecovery, CutsOffAllFromATornEntryOnThatWasNeverDurable) {
    for (const std::uint64_t before : {std::uint64_t{0}, log_format::kEntryHeaderSize}) {
        SimulatedDisk disk;
        {
            LogOnDisk on(disk, 64 * 1024);
            on.append("message number 1!");
            ASSERT_TRUE(on.log->sync());
            on.append("message number 2!");
            on.append("message number 3!");
            disk.fail_after(0); // So that closing does not sync.
        }
        disk.stop_failing();
        flip(disk, "message number 2!", before);
        LogOnDisk on(disk, 64 * 1024);
        EXPECT_EQ(on.log->last(), Seq{1}) << before;
        EXPECT_TRUE(disk.find_on_device("message number 3!").empty()) << before;
        EXPECT_EQ(on.append("goes on"), Seq{2}) << before;
    }
}

TEST(LogRecovery, RefusesASegmentOfANewerVersion) {
    SimulatedDisk disk;
    {
        LogOnDisk on(disk);
        on.append("an entry");
    }
    const auto root = disk.root();
    const auto file = root->open(LogSegment::file_name({1}), Create::never).value();
    ASSERT_TRUE(file->write_at(12, std::string("\x02\0\0\0", 4)));
    EXPECT_EQ(Log::open(*root, {kSmallSegment}).error().code, Errc::unsupported_version);
}

TEST(LogRecovery, RefusesADirectoryThatLostAllItsSegments) {
    SimulatedDisk disk;
    { const LogOnDisk on(disk); }
    const auto root = disk.root();
    ASSERT_TRUE(root->remove(LogSegment::file_name({1})));
    EXPECT_EQ(Log::open(*root, {kSmallSegment}).error().code, Errc::corrupt);
}

TEST(LogRecovery, DoesNotFollowAnIndexBehindTheEndOfItsSegment) {
    SimulatedDisk disk;
    {
        LogOnDisk on(disk, 1024 * 1024);
        for (int i = 1; i <= 200; ++i) on.append("message number " + std::to_string(i) + "!");
    }
    {
        const auto file = disk.root()->open(LogSegment::file_name({1}), Create::never).value();
        ASSERT_GT(file->size_bytes(), 8192u);
        ASSERT_TRUE(file->truncate(4000));
        ASSERT_TRUE(file->sync());
    }
    LogOnDisk on(disk, 1024 * 1024);
    const Seq last = on.log->last();
    EXPECT_LT(last, Seq{200});
    EXPECT_EQ(on.body({50}), "message number 50!");
    EXPECT_EQ(on.append("goes on"), last.next());
}

TEST(LogRecovery, NamesTheEntriesOfALostSegment) {
    SimulatedDisk disk;
    std::string second;
    {
        LogOnDisk on(disk);
        for (int i = 1; i <= 40; ++i) on.append("message number " + std::to_string(i) + "!");
        ASSERT_GE(on.log->segment_count(), 3u);
    }
    const auto root = disk.root();
    std::vector<std::string> segments;
    for (const std::string& name : root->list().value()) {
        if (name.ends_with(".log")) segments.push_back(name);
    }
    ASSERT_TRUE(root->remove(segments[1]));
    LogOnDisk on(disk);
    EXPECT_EQ(on.log->last(), Seq{40});
    std::set<std::string> answers;
    for (std::uint64_t i = 1; i <= 40; ++i) {
        const std::string body = on.body({i});
        EXPECT_TRUE(body == "error: corrupt" ||
                    body == "message number " + std::to_string(i) + "!");
        answers.insert(body);
    }
    EXPECT_TRUE(answers.contains("error: corrupt"));
    EXPECT_TRUE(answers.contains("message number 1!"));
    EXPECT_TRUE(answers.contains("message number 40!"));
}

TEST(LogRecovery, WipesWhatIsLeftOfTheLastEntryWhenItsHeaderIsDamaged) {
    SimulatedDisk disk;
    {
        LogOnDisk on(disk, 64 * 1024);
        on.append("message number 1!");
        on.append("message number 2!");
    }
    flip(disk, "message number 2!", log_format::kEntryHeaderSize);
    LogOnDisk on(disk, 64 * 1024);
    const Seq last{2};
    ASSERT_EQ(on.body(last), "error: corrupt");
    ASSERT_TRUE(on.log->wipe(std::span(&last, 1)));
    EXPECT_TRUE(disk.find_on_device("message number 2!").empty());
    EXPECT_EQ(on.body({1}), "message number 1!");
    EXPECT_EQ(on.append("goes on"), Seq{3});
}

TEST(LogRecovery, CannotWipeWhatIsLostWithItsSegment) {
    SimulatedDisk disk;
    {
        LogOnDisk on(disk);
        for (int i = 1; i <= 40; ++i) on.append("message number " + std::to_string(i) + "!");
        ASSERT_GE(on.log->segment_count(), 3u);
    }
    std::vector<std::string> segments;
    const auto root = disk.root();
    for (const std::string& name : root->list().value()) {
        if (name.ends_with(".log")) segments.push_back(name);
    }
    ASSERT_TRUE(root->remove(segments[1]));
    LogOnDisk on(disk);
    const Seq lost{std::stoull(segments[1])};
    ASSERT_EQ(on.body(lost), "error: corrupt");
    EXPECT_EQ(on.log->wipe(std::span(&lost, 1)).error().code, Errc::corrupt);
    EXPECT_EQ(on.append("goes on"), Seq{41});
}

TEST(LogRecovery, RefusesASegmentUnderTheNameOfAnother) {
    for (const bool earlier : {true, false}) {
        SimulatedDisk disk;
        {
            LogOnDisk on(disk);
            for (int i = 1; i <= 40; ++i) on.append("message number " + std::to_string(i) + "!");
        }
        const auto root = disk.root();
        std::vector<std::string> segments;
        for (const std::string& name : root->list().value()) {
            if (name.ends_with(".log")) segments.push_back(name);
        }
        const std::string behind = LogSegment::file_name({1000});
        ASSERT_TRUE(earlier ? root->rename(segments[1], segments[0])
                            : root->rename(segments[1], behind));
        EXPECT_EQ(Log::open(*root, {kSmallSegment}).error().code, Errc::corrupt);
    }
}

// Bytes that look like an entry, sent by a stranger inside a message, are not taken for one when
// the entry around them is damaged.
TEST(LogRecovery, IsNotFooledByAnEntryInsideAMessage) {
    SimulatedDisk disk;
    {
        LogOnDisk on(disk, 64 * 1024);
        on.append("before");
        std::string forged(5, 'x'); // The body begins at a multiple of 8.
        for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}}) {
            forged.resize((forged.size() + 7) / 8 * 8);
            log_format::EntryHeader header;
            header.seq = {3};
            log_format::append_entry_header(forged, header, seed);
        }
        on.append(forged);
        on.append("behind");
        ASSERT_TRUE(on.log->sync());
        on.append("the last");
        ASSERT_TRUE(on.log->sync());
    }
    flip(disk, "xxxxx", log_format::kEntryHeaderSize);
    remove_indexes(*disk.root());
    LogOnDisk on(disk, 64 * 1024);
    EXPECT_EQ(on.body({2}), "error: corrupt");
    EXPECT_EQ(on.body({3}), "behind");
    EXPECT_EQ(on.body({4}), "the last");
}

// Nor by one that was this log's own, such as a message that holds a copy of a segment.
TEST(LogRecovery, DoesNotBelieveASeqForWhichThereWasNoRoom) {
    SimulatedDisk disk;
    {
        LogOnDisk on(disk, 64 * 1024);
        on.append("before");
        std::string copied(8, 'x');
        log_format::EntryHeader header;
        header.seq = {std::uint64_t{1} << 40};
        const std::uint64_t seed = log_format::check_seed(on.log->identity().id);
        log_format::append_entry_header(copied, header, seed);
        on.append(copied);
        ASSERT_TRUE(on.log->sync());
        on.append("behind");
    }
    flip(disk, "xxxxxxxx", log_format::kEntryHeaderSize);
    remove_indexes(*disk.root());
    LogOnDisk on(disk, 64 * 1024);
    EXPECT_EQ(on.log->last(), Seq{3});
    EXPECT_EQ(on.body({2}), "error: corrupt");
    EXPECT_EQ(on.body({3}), "behind");
}

TEST(LogRecovery, OpensWithoutScanningWhatItsIndexCovers) {
    SimulatedDisk disk;
    {
        LogOnDisk on(disk, 1024 * 1024);
        for (int i = 1; i <= 1000; ++i) on.append("message number " + std::to_string(i) + "!");
    }
    // Damage that a scan would report shows that there was none.
    flip(disk, "message number 500!");
    LogOnDisk on(disk, 1024 * 1024);
    EXPECT_TRUE(on.log->damaged_at_open().empty());
    EXPECT_EQ(on.body({500}), "error: corrupt");
}

// L1, L5: the index saves a scan, and is not part of the truth.
TEST(LogRecovery, ReadsTheSameWhicheverByteOfAnIndexIsDamaged) {
    // Entries of 128 bytes, so that some damaged offsets are those of another entry.
    const auto body_of = [](std::uint64_t i) { return std::to_string(i) + std::string(95, '!'); };
    SimulatedDisk disk;
    {
        LogOnDisk on(disk, 1024 * 1024);
        for (std::uint64_t i = 1; i <= 9; ++i) on.append(body_of(i));
        const Log::Draft change{Log::Kind::change, {}, "a change"};
        on.log->append(std::span(&change, 1)).value();
    }
    const auto root = disk.root();
    const std::string name = LogSegment::index_name({1});
    const std::uint64_t size_bytes = root->open(name, Create::never).value()->size_bytes();
    ASSERT_EQ(size_bytes, 64u + 8u + 10u * 4u);
    for (std::uint64_t at = 0; at < size_bytes; ++at) {
        const auto found = disk.copy_after_power_cut(Fate::kept);
        {
            const auto file = found->root()->open(name, Create::never).value();
            char byte = 0;
            ASSERT_TRUE(file->read_at(at, &byte, 1));
            byte = static_cast<char>(byte ^ 0x80);
            ASSERT_TRUE(file->write_at(at, {&byte, 1}));
        }
        LogOnDisk on(*found, 1024 * 1024);
        ASSERT_EQ(on.log->last(), Seq{10}) << at;
        EXPECT_EQ(on.log->changes_at_open(), std::vector<Seq>{{10}}) << at;
        for (std::uint64_t i = 1; i <= 9; ++i) {
            EXPECT_EQ(on.body({i}), body_of(i)) << at;
        }
        EXPECT_EQ(on.append("goes on"), Seq{11}) << at;
    }
}

// Its checksum does not say that whoever wrote the index was right.
TEST(LogRecovery, ReadsTheSameWhateverAnIndexWithARightChecksumSays) {
    using log_format::IndexHeader;
    SimulatedDisk disk;
    {
        LogOnDisk on(disk, 1024 * 1024);
        for (int i = 1; i <= 9; ++i) on.append("message number " + std::to_string(i) + "!");
    }
    const std::string name = LogSegment::index_name({1});
    const auto root = disk.root();
    const std::uint64_t covered_size =
        root->open(LogSegment::file_name({1}), Create::never).value()->size_bytes();
    const std::string offsets(9 * 4, '\0');
    const IndexHeader kRight{{1}, 9, covered_size, 0};
    const auto index = [](const IndexHeader& header, const std::string& rest) {
        return log_format::encode_index_head(header, {}) + rest;
    };
    for (const std::string& bytes :
         {std::string(), index(kRight, {}).substr(1), index(kRight, offsets.substr(1)),
          index(kRight, offsets + '\0'), index({{2}, 9, covered_size, 0}, offsets),
          index({{1}, 9, covered_size + 8, 0}, offsets),
          index({{1}, 9, covered_size - 1, 0}, offsets), index({{1}, 0, 8, 0}, {}),
          index({{1}, covered_size, covered_size, 0}, std::string(covered_size * 4, '\0')),
          index({{1}, 9, covered_size, 10}, std::string(80, '\0') + offsets)}) {
        const auto found = disk.copy_after_power_cut(Fate::kept);
        {
            const auto file = found->root()->open(name, Create::never).value();
            ASSERT_TRUE(file->truncate(0));
            ASSERT_TRUE(file->write_at(0, bytes));
        }
        LogOnDisk on(*found, 1024 * 1024);
        EXPECT_EQ(on.log->last(), Seq{9});
        EXPECT_EQ(on.body({9}), "message number 9!");
        EXPECT_TRUE(on.log->check().empty());
        EXPECT_TRUE(on.log->damaged_at_open().empty());
    }
}

TEST(LogRecovery, RemembersDamageInTheIndex) {
    SimulatedDisk disk;
    {
        LogOnDisk on(disk, 1024 * 1024);
        for (int i = 1; i <= 9; ++i) {
            on.append("message number " + std::to_string(i) + "!");
            ASSERT_TRUE(on.log->sync());
        }
    }
    flip(disk, "message number 7!", log_format::kEntryHeaderSize);
    remove_indexes(*disk.root());
    for (int opening = 0; opening < 2; ++opening) { // Scans, and saves an index; reads it.
        const LogOnDisk on(disk, 1024 * 1024);
        EXPECT_EQ(on.log->damaged_at_open(), std::vector<Seq>{{7}});
        EXPECT_EQ(on.body({8}), "message number 8!");
    }
}

// L6: the tail that is cut off is not worth more than the rest.
TEST(LogRecovery, IsBegunAgainWhicheverOfItsOperationsFails) {
    SimulatedDisk disk;
    {
        LogOnDisk on(disk, 64 * 1024);
        on.append("durable");
        ASSERT_TRUE(on.log->sync());
        on.append("whole");
        on.append("torn");
        disk.fail_after(0); // So that closing does not sync.
    }
    disk.stop_failing();
    flip(disk, "torn");
    std::uint64_t failed = 0;
    for (std::uint64_t operations = 0;; ++operations) {
        const auto found = disk.copy_after_power_cut(Fate::kept);
        found->fail_once_after(operations);
        const auto directory = found->root();
        const auto opened = Log::open(*directory, {64 * 1024});
        found->stop_failing();
        if (opened) break;
        EXPECT_EQ(opened.error().code, Errc::io);
        ++failed;
        LogOnDisk on(*found, 64 * 1024);
        EXPECT_EQ(on.log->last(), Seq{2});
        EXPECT_EQ(on.body({2}), "whole");
    }
    EXPECT_GE(failed, 5u); // Zeros, their sync, the cut, its sync, the whole entry.
}

TEST(LogRecovery, ReadsTheSameWhereverSavingAnIndexWasCutShort) {
    SimulatedDisk disk;
    std::vector<std::unique_ptr<SimulatedDisk>> left;
    {
        LogOnDisk on(disk, 1024 * 1024);
        for (int i = 1; i <= 400; ++i) on.append("message number " + std::to_string(i) + "!");
        ASSERT_TRUE(on.log->sync());
        disk.observe([&] {
            for (const Fate fate : kEveryFate) {
                for (std::uint64_t seed = 0; seed < 120; ++seed) {
                    left.push_back(disk.copy_after_power_cut(fate, seed));
                }
            }
        });
    }
    disk.observe({});
    ASSERT_FALSE(left.empty());
    for (const auto& each : left) {
        LogOnDisk on(*each, 1024 * 1024);
        ASSERT_EQ(on.log->last(), Seq{400});
        EXPECT_TRUE(on.log->check().empty());
    }
}

// ext4 and xfs count the pages of a failed sync as written: they can be read, and are gone with the
// power however often others are synced behind them.
TEST(LogRecovery, WritesAgainWhatAFailedSyncLeftInMemoryOnly) {
    for (std::uint64_t luck = 0; luck < 20; ++luck) {
        SimulatedDisk disk;
        const std::string body(9000, 'b'); // Of several pages.
        {
            LogOnDisk on(disk, 1024 * 1024);
            on.append("durable");
            ASSERT_TRUE(on.log->sync());
            for (std::uint64_t i = 0; i < luck; ++i) on.append("an entry");
            on.append(body);
            disk.fail_once_after(0, Errc::io, FailedSync::kept_clean);
            ASSERT_FALSE(on.log->sync());
        }
        const Seq last{2 + luck};
        {
            // An opening whose own sync fails has not made it durable either, and must not say so.
            const auto directory = disk.root();
            disk.fail_once_after(luck % 4, Errc::io, FailedSync::kept_clean);
            static_cast<void>(Log::open(*directory, {1024 * 1024}).has_value());
            disk.stop_failing();
        }
        {
            LogOnDisk on(disk, 1024 * 1024);
            ASSERT_EQ(on.body(last), body);
            on.append("behind it");
            ASSERT_TRUE(on.log->sync());
        }
        disk.cut_power(Fate::lost);
        LogOnDisk on(disk, 1024 * 1024);
        EXPECT_EQ(on.body(last), body) << luck;
        EXPECT_TRUE(on.log->check().empty()) << luck;
    }
}

TEST(LogRecovery, SaysWhatItCutOff) {
    SimulatedDisk disk;
    {
        LogOnDisk on(disk);
        on.append("kept");
        ASSERT_TRUE(on.log->sync());
        on.append("never synced, and torn: the power is cut while it is written");
        disk.cut_power(Fate::lost);
    }
    const auto root = disk.root();
    const auto file = root->open(LogSegment::file_name({1}), Create::never).value();
    ASSERT_TRUE(file->write_at(file->size_bytes(), "half an entry"));
    ASSERT_TRUE(file->sync());
    LogOnDisk on(disk);
    EXPECT_EQ(on.log->last(), Seq{1});
    EXPECT_TRUE(disk.find_on_device("half an entry").empty());
    ASSERT_EQ(on.log->recovery_notes().size(), 1U);
    EXPECT_NE(on.log->recovery_notes()[0].find("behind seq 1"), std::string::npos);
}

} // namespace
} // namespace sluice::test
