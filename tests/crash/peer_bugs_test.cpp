// What was seen to go wrong in the logs that Scuttlebutt programs keep, told to this one.
// docs/design/reliability.md has what each of them did.
#include "crash/crash_points.hpp"
#include "database/database_test_support.hpp"

#include <algorithm>

namespace sluice::test {
namespace {

std::string numbered(std::uint64_t number, std::uint64_t size_bytes) {
    std::string body = R"({"n":)" + std::to_string(number) + R"(,"text":")";
    body.resize(size_bytes - 2, 'A');
    return body + "\"}";
}

constexpr const char* kNumbers = R"({"kind":"index","key":["/n"]})";

/// Numbered from 1, as their seqs are, in one batch; a view shows the numbers.
template <typename SizeOf>
void append_numbered(Database& database, std::uint64_t count, const SizeOf& size_of) {
    database.add_view("numbers", kNumbers).value();
    std::vector<std::string> bodies;
    for (std::uint64_t n = 1; n <= count; ++n) bodies.push_back(numbered(n, size_of(n)));
    std::vector<NewMessage> batch;
    for (const std::string& body : bodies) batch.push_back({body, {}});
    database.append(batch).value();
}

Seqs live_in(const Snapshot& snapshot) {
    Seqs seqs;
    auto log = snapshot.log({});
    while (const auto record = log.next().value()) seqs.push_back(record->seq);
    return seqs;
}

/// What the log shows is what is expected, each once, and so it is in the view.
std::string wrong_with(const Database& database, const Seqs& expected) {
    const Snapshot snapshot = database.snapshot();
    const Seqs live = live_in(snapshot);
    if (live != expected) {
        return std::to_string(live.size()) + " messages instead of " +
               std::to_string(expected.size());
    }
    auto rows = snapshot.read("numbers").value();
    for (const Seq seq : expected) {
        if (!rows.next() || rows.seq() != seq) return "the view lacks a message";
    }
    return rows.next() ? "the view has a message too many" : "";
}

struct Division {
    Seqs victims;
    Seqs survivors;
};
template <typename IsVictim> Division divide(std::uint64_t count, const IsVictim& is_victim) {
    Division all;
    for (Seq seq{1}; seq <= Seq{count}; seq = seq.next()) {
        (is_victim(seq.value) ? all.victims : all.survivors).push_back(seq);
    }
    return all;
}

// async-append-only-log: a compaction that the power interrupts loses records and doubles others.
TEST(PeerBugs, ACrashWhileDeletedMessagesAreRemovedLosesNoneAndDoublesNone) {
    constexpr std::uint64_t kCount = 360;
    const Division all = divide(kCount, [](std::uint64_t n) { return n % 10 == 4; });
    DatabaseOnDisk on;
    append_numbered(*on.database, kCount, [](std::uint64_t n) { return 100 + n * 37 % 120; });
    on.database->delete_messages(all.victims).value();
    Trials trials("crash while deleted messages are removed");
    on.disk.observe([&] {
        const std::uint64_t turn = on.disk.operations() + round_number();
        if (turn % stride() != 0 || trials.have_failed_enough()) return;
        each_disk_after_power_cut(on.disk, [&](SimulatedDisk& found, const std::string& when) {
            const auto root = found.root();
            const auto database = Database::open(*root, on.options).value();
            Verdict verdict;
            verdict.loss = wrong_with(*database, all.survivors);
            trials.count_state(verdict, when);
        });
    });
    on.database->merge_views().value();
    on.database->erase(all.victims).value();
    on.disk.observe({});
    EXPECT_EQ(wrong_with(*on.database, all.survivors), "");
    EXPECT_GT(trials.states(), 500 / stride());
}

// async-append-only-log: records that are deleted while somebody reads come back when the log has
// more blocks than its cache, and stay when it is compacted.
TEST(PeerBugs, WhatIsDeletedWhileSomebodyReadsDoesNotComeBack) {
    constexpr std::uint64_t kCount = 4 * 1260;
    const Division all = divide(kCount, [](std::uint64_t n) { return n % 40 == 8; });
    DatabaseOnDisk on;
    append_numbered(*on.database, kCount, [](std::uint64_t) { return std::uint64_t{250}; });
    on.reopen();
    {
        const Snapshot snapshot = on.database->snapshot();
        auto reader = snapshot.log({});
        for (const Seq victim : all.victims) {
            on.database->delete_messages(Seqs{victim}).value();
            for (int i = 0; i < 40; ++i) static_cast<void>(reader.next().value());
        }
    }
    EXPECT_EQ(wrong_with(*on.database, all.survivors), "");
    on.database->merge_views().value();
    EXPECT_EQ(wrong_with(*on.database, all.survivors), "");
    on.database->erase(all.victims).value();
    on.crash(Fate::lost);
    EXPECT_EQ(wrong_with(*on.database, all.survivors), "");
    on.expect_verified();
}

// flumelog-offset: behind the deletion of a record that lies across the border of two blocks,
// reading it throws, because one of the blocks is stale. Here each of 200 is deleted, so that some
// lie across the border of two blocks, pages or sectors.
TEST(PeerBugs, WhatIsDeletedAcrossTheBorderOfBlocksIsDeletedForEveryReader) {
    constexpr std::uint64_t kCount = 200;
    Options options = small_files();
    options.log_segment_size_bytes = 1 << 20;
    DatabaseOnDisk on(options);
    append_numbered(*on.database, kCount, [](std::uint64_t) { return std::uint64_t{560}; });
    Seqs left = live_in(on.database->snapshot());
    ASSERT_EQ(left.size(), kCount);
    while (!left.empty()) {
        const Seq victim = left[left.size() / 2];
        std::erase(left, victim);
        on.database->delete_messages(Seqs{victim}).value();
        EXPECT_EQ(on.body(victim), "deleted");
        EXPECT_EQ(wrong_with(*on.database, left), "");
        on.database->erase(Seqs{victim}).value();
        EXPECT_EQ(on.body(victim), "erased");
        EXPECT_EQ(wrong_with(*on.database, left), "");
    }
    on.reopen();
    EXPECT_EQ(wrong_with(*on.database, {}), "");
    EXPECT_EQ(on.database->stats().erased, kCount);
}

} // namespace
} // namespace sluice::test
