// Figures for docs/performance.md: sluice_store_test --gtest_also_run_disabled_tests
// --gtest_filter='StoreSpeed*'. They print and judge nothing.
#include "store/segment_store.hpp"
#include "store/store_test_support.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <random>

namespace sluice {
namespace {

using namespace test;

constexpr std::uint64_t kRows = 1'000'000;
constexpr std::uint64_t kRowsPerCommit = 10'000;
constexpr ViewId kAuthors{1}, kTypes{2}, kKeys{3}, kCounts{4};

std::uint64_t mix(std::uint64_t x) {
    x += 0x9E3779B97F4A7C15U;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31);
}

std::string spelled(std::uint64_t number, std::size_t length) {
    static constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::uint64_t x = mix(number); text.size() < length; x = mix(x)) {
        for (int i = 0; i < 8 && text.size() < length; ++i) text += kAlphabet[x >> (8 * i) & 63];
    }
    return text;
}

std::string author_of(std::uint64_t seq) {
    return "@" + spelled(mix(seq) % 1000, 43) + "=.ed25519";
}
std::string key_of(std::uint64_t seq) {
    return "%" + spelled(seq + 7777, 44) + ".sha256";
}
std::string type_of(std::uint64_t seq) {
    char text[64];
    std::snprintf(text, sizeof text, "post-type-%02d/%016llu", static_cast<int>(mix(seq) % 5),
                  static_cast<unsigned long long>(1'500'000'000'000 + seq * 60));
    return text;
}

class StoreSpeed : public testing::Test {
protected:
    using Clock = std::chrono::steady_clock;

    StoreSpeed() {
        std::filesystem::remove_all(path_);
        directory_ = open_directory(path_, Create::must).value();
        store_ = SegmentStore::open(*directory_, {}).value();
        for (const ViewId view : {kAuthors, kTypes, kKeys})
            store_->add_view({view, nullptr, false});
        store_->add_view({kCounts, std::make_shared<SumAndMax>(), false});
    }
    ~StoreSpeed() override {
        store_.reset();
        std::filesystem::remove_all(path_);
    }

    static double seconds_since(Clock::time_point begin) {
        return std::chrono::duration<double>(Clock::now() - begin).count();
    }
    static void say(const char* what, double rows, double seconds) {
        std::printf("%-44s %9.3f s %12.0f /s\n", what, seconds, rows / seconds);
        std::fflush(stdout);
    }

    static void emit(RowBatch& batch, ViewId view, std::uint64_t seq) {
        batch.begin_row({seq});
        if (view == kAuthors || view == kCounts) batch.emit(author_of(seq));
        if (view == kTypes) batch.emit(type_of(seq));
        if (view == kKeys) batch.emit(key_of(seq));
    }

    /// Makes the rows first, so that making them is not measured.
    double fill(std::initializer_list<ViewId> views) {
        double seconds = 0;
        for (std::uint64_t from = 1; from <= kRows; from += kRowsPerCommit) {
            StoreCommit commit;
            commit.position = {from + kRowsPerCommit - 1};
            for (const ViewId view : views) {
                StoreCommit::Rows rows{view, {}, {}};
                for (std::uint64_t i = 0; i < kRowsPerCommit; ++i) emit(rows.batch, view, from + i);
                commit.rows.push_back(std::move(rows));
            }
            const auto begin = Clock::now();
            store_->commit(std::move(commit), gone_).value();
            seconds += seconds_since(begin);
        }
        const auto begin = Clock::now();
        store_->save("").value();
        return seconds + seconds_since(begin);
    }

    void scan(const char* what, ViewId view) {
        const auto begin = Clock::now();
        const auto snapshot = store_->snapshot();
        const auto cursor = snapshot->scan(view, {});
        std::uint64_t rows = 0, sum = 0;
        for (; cursor->next(); ++rows) sum += cursor->seq().value;
        say(what, static_cast<double>(rows), seconds_since(begin));
        EXPECT_GT(sum, 0u);
    }

    void point_reads(const char* what, std::string (*term_of)(std::uint64_t), ViewId view) {
        constexpr std::uint64_t kReads = 200'000;
        std::vector<ScanRange> ranges;
        for (std::uint64_t i = 0; i < kReads; ++i) {
            ranges.push_back(ScanRange::exact(term_of(1 + mix(i) % kRows)));
        }
        const auto snapshot = store_->snapshot();
        snapshot->scan(view, ranges[0])->next();
        const auto begin = Clock::now();
        std::uint64_t found = 0;
        for (const ScanRange& range : ranges) {
            if (snapshot->scan(view, range)->next()) ++found;
        }
        say(what, kReads, seconds_since(begin));
        EXPECT_EQ(found, kReads);
    }

    std::string path_ = std::filesystem::temp_directory_path() / "sluice_store_speed";
    std::unique_ptr<Directory> directory_;
    std::unique_ptr<SegmentStore> store_;
    Gone gone_;
};

TEST_F(StoreSpeed, DISABLED_OneView) {
    say("build, unique 52-byte terms", kRows, fill({kKeys}));
    scan("scan unique terms, first (verifies)", kKeys);
    scan("scan unique terms", kKeys);
    point_reads("point reads, unique terms", key_of, kKeys);
}

TEST_F(StoreSpeed, DISABLED_FourViews) {
    const double seconds = fill({kAuthors, kTypes, kKeys, kCounts});
    say("build, rows of four views", 4.0 * kRows, seconds);
    store_->maintain().value();
    scan("scan 1,000 terms, first (verifies)", kAuthors);
    scan("scan 1,000 terms, full segments", kAuthors);
    point_reads("first row of a term among 1,000", author_of, kAuthors);
    point_reads("point reads, unique terms", key_of, kKeys);

    std::vector<Seq> re_derived;
    for (std::uint64_t i = 0; i < 10'000; ++i) re_derived.push_back({1 + mix(i + 99) % kRows});
    StoreCommit commit;
    commit.position = {kRows};
    commit.rows.push_back({kKeys, re_derived, {}});
    for (const Seq seq : re_derived) emit(commit.rows[0].batch, kKeys, seq.value);
    auto begin = Clock::now();
    store_->commit(std::move(commit), gone_).value();
    say("retract and add 10,000 rows", 10'000, seconds_since(begin));

    std::vector<Seq> erased;
    begin = Clock::now();
    for (std::uint64_t i = 0; i < kRows / 100; ++i) {
        const Seq seq{1 + mix(i + 12345) % kRows};
        gone_.deleted.insert(seq);
        gone_.erased.insert(seq);
        erased.push_back(seq);
    }
    store_->commit({{kRows}, {}, {}}, gone_).value();
    say("delete 10,000 messages in four views", 10'000, seconds_since(begin));
    scan("scan with 1 % deleted", kAuthors);
    begin = Clock::now();
    const auto snapshot = store_->snapshot();
    const auto groups = snapshot->groups(kCounts, {});
    std::uint64_t count = 0;
    while (groups->next()) ++count;
    say("groups with 1 % deleted", static_cast<double>(count), seconds_since(begin));
}

TEST_F(StoreSpeed, DISABLED_Purge) {
    fill({kAuthors, kTypes, kKeys, kCounts});
    store_->maintain().value();
    std::vector<Seq> erased;
    for (std::uint64_t i = 0; i < kRows / 100; ++i) {
        const Seq seq{1 + mix(i + 12345) % kRows};
        gone_.deleted.insert(seq);
        gone_.erased.insert(seq);
        erased.push_back(seq);
    }
    store_->commit({{kRows}, {}, {}}, gone_).value();
    const auto begin = Clock::now();
    const auto purged = store_->purge(erased, std::chrono::milliseconds(1000)).value();
    const double seconds = seconds_since(begin);
    say("purge 1 % of four views", 10'000, seconds);
    std::printf("  %llu segments, %.1f MB destroyed\n",
                static_cast<unsigned long long>(purged.segments_rewritten),
                static_cast<double>(purged.bytes_destroyed) / 1e6);
}

} // namespace
} // namespace sluice
