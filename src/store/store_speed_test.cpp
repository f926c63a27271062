// Figures for docs/performance.md: sluice_store_test --gtest_also_run_disabled_tests
// --gtest_filter='StoreSpeed*'. They print and judge nothing.
#include "store/segment_store.hpp"
#include "store/store_test_support.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <ctime>
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

    /// Wall clock, and beside it the processor time of all threads: on a machine with other work
    /// only the second says something about the code.
    struct Cost {
        double seconds = 0;
        double processor_seconds = 0;
    };
    class Watch {
    public:
        Cost cost() const {
            return {std::chrono::duration<double>(Clock::now() - begin_).count(),
                    static_cast<double>(std::clock() - processor_begin_) / CLOCKS_PER_SEC};
        }

    private:
        Clock::time_point begin_ = Clock::now();
        std::clock_t processor_begin_ = std::clock();
    };
    static void say(const char* what, double rows, const Cost& cost) {
        std::printf("%-42s %7.3f s %12.0f /s   processor %7.3f s %12.0f /s\n", what, cost.seconds,
                    rows / cost.seconds, cost.processor_seconds, rows / cost.processor_seconds);
        std::fflush(stdout);
    }

    static void emit(RowBatch& batch, ViewId view, std::uint64_t seq) {
        batch.begin_row({seq});
        if (view == kAuthors || view == kCounts) batch.emit(author_of(seq));
        if (view == kTypes) batch.emit(type_of(seq));
        if (view == kKeys) batch.emit(key_of(seq));
    }

    /// Makes the rows first, so that making them is not measured.
    Cost fill(std::initializer_list<ViewId> views) {
        Cost sum;
        const auto add = [&sum](const Cost& cost) {
            sum.seconds += cost.seconds;
            sum.processor_seconds += cost.processor_seconds;
        };
        for (std::uint64_t from = 1; from <= kRows; from += kRowsPerCommit) {
            StoreCommit commit;
            commit.position = {from + kRowsPerCommit - 1};
            for (const ViewId view : views) {
                StoreCommit::Rows rows{view, {}, {}};
                for (std::uint64_t i = 0; i < kRowsPerCommit; ++i) emit(rows.batch, view, from + i);
                commit.rows.push_back(std::move(rows));
            }
            const Watch watch;
            store_->commit(std::move(commit), gone_).value();
            add(watch.cost());
        }
        const Watch watch;
        store_->save().value();
        add(watch.cost());
        return sum;
    }

    void scan(const char* what, ViewId view) {
        const Watch watch;
        const auto snapshot = store_->snapshot();
        const auto cursor = snapshot->scan(view, {});
        std::uint64_t rows = 0, sum = 0;
        for (; cursor->next(); ++rows) sum += cursor->seq().value;
        say(what, static_cast<double>(rows), watch.cost());
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
        const Watch watch;
        std::uint64_t found = 0;
        for (const ScanRange& range : ranges) {
            if (snapshot->scan(view, range)->next()) ++found;
        }
        say(what, kReads, watch.cost());
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
    const Cost cost = fill({kAuthors, kTypes, kKeys, kCounts});
    say("build, rows of four views", 4.0 * kRows, cost);
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
    Watch watch;
    store_->commit(std::move(commit), gone_).value();
    say("retract and add 10,000 rows", 10'000, watch.cost());

    std::vector<Seq> erased;
    watch = {};
    for (std::uint64_t i = 0; i < kRows / 100; ++i) {
        const Seq seq{1 + mix(i + 12345) % kRows};
        gone_.deleted.insert(seq);
        gone_.erased.insert(seq);
        erased.push_back(seq);
    }
    store_->commit({{kRows}, {}, {}}, gone_).value();
    say("delete 10,000 messages in four views", 10'000, watch.cost());
    scan("scan with 1 % deleted", kAuthors);
    watch = {};
    const auto snapshot = store_->snapshot();
    const auto groups = snapshot->groups(kCounts, {});
    std::uint64_t count = 0;
    while (groups->next()) ++count;
    say("groups with 1 % deleted", static_cast<double>(count), watch.cost());
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
    const Watch watch;
    const auto purged = store_->purge(erased, {}, std::chrono::milliseconds(1000)).value();
    const Cost cost = watch.cost();
    say("purge 1 % of four views", 10'000, cost);
    std::printf("  %llu segments, %.1f MB destroyed\n",
                static_cast<unsigned long long>(purged.segments_rewritten),
                static_cast<double>(purged.bytes_destroyed) / 1e6);
}

} // namespace
} // namespace sluice
