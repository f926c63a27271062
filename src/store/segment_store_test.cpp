// What the segment store promises beyond the promises of every store: its files.
#include "store/segment_store.hpp"

#include "store/store_test_support.hpp"
#include "support/simulated_disk.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <utility>

namespace sluice {
namespace {

using namespace test;
using Strings = std::vector<std::string>;

constexpr ViewId kTexts{1};
constexpr ViewId kSums{2};
constexpr std::chrono::milliseconds kNoPatience{0};

SegmentStoreOptions inline_options(std::uint32_t rows_max = 8) {
    SegmentStoreOptions options;
    options.background = false;
    options.segment_rows_max = rows_max;
    return options;
}

/// A store on a disk whose rows say what they hold: "text 7" for seq 7, and "sum 7" with value 7.
struct TextStore {
    explicit TextStore(SegmentStoreOptions options = inline_options())
        : options_(std::move(options)) {
        reopen();
    }
    void reopen() {
        store.reset();
        root = disk.root();
        store = SegmentStore::open(*root, options_).value();
        name_views(*store);
    }
    static void name_views(SegmentStore& store) {
        store.add_view({kTexts, nullptr, false});
        store.add_view({kSums, std::make_shared<SumAndMax>(), false});
    }
    static std::string text_of(std::uint64_t seq) { return "text " + std::to_string(seq) + "."; }

    static StoreCommit rows(std::uint64_t first, std::uint64_t last, std::uint64_t position) {
        StoreCommit commit;
        commit.position = {position};
        commit.rows.resize(2);
        commit.rows[0].view = kTexts;
        commit.rows[1].view = kSums;
        for (std::uint64_t seq = first; seq <= last; ++seq) {
            commit.rows[0].batch.begin_row({seq});
            commit.rows[0].batch.emit(text_of(seq));
            commit.rows[1].batch.begin_row({seq});
            commit.rows[1].batch.emit("even " + std::to_string(seq % 2), std::to_string(seq));
        }
        return commit;
    }
    Result<void> append(std::uint64_t first, std::uint64_t last) {
        return store->commit(rows(first, last, last), gone);
    }
    Result<void> erase(std::uint64_t seq) {
        gone.deleted.insert({seq});
        gone.erased.insert({seq});
        return store->commit({store->snapshot()->position(), {}, {}}, gone);
    }
    std::uint64_t row_count() { return store->snapshot()->scan(kTexts, {})->count_rest(); }
    /// In a file, or in blocks of the device that a file once had.
    bool on_disk(const std::string& needle) const { return !disk.find_on_device(needle).empty(); }

    SegmentStoreOptions options_;
    SimulatedDisk disk;
    std::unique_ptr<Directory> root;
    std::unique_ptr<SegmentStore> store;
    Gone gone;
};

TEST(SegmentStore, OpensWithWhatWasSavedAndSince) {
    TextStore it;
    it.append(1, 20).value();
    it.store->commit({{20}, {}, {}, "at 20"}, it.gone).value();
    it.store->save().value();
    it.append(21, 23).value(); // In memory only, as this:
    it.store->commit({{23}, {}, {}, "at 23"}, it.gone).value();
    it.disk.cut_power(Fate::lost);
    it.reopen();
    EXPECT_EQ(it.store->snapshot()->attachment(), "at 20");
    EXPECT_EQ(it.store->stored_views(), (std::vector<ViewId>{kTexts, kSums}));
    EXPECT_EQ(it.store->snapshot()->position(), Seq{20});
    EXPECT_EQ(it.store->snapshot()->since(kSums), Seq{20});
    EXPECT_EQ(it.row_count(), 20u);
}

// P6 for the store, in its own words: after a purge neither a file, nor a block that a file once
// had, shows the rows of an erased message. Its neighbours are there.
TEST(SegmentStore, PurgesErasedRowsFromEveryFileMemoryAndFormerFile) {
    TextStore it(inline_options(64));
    it.append(1, 100).value();
    it.append(101, 103).value(); // Stays in memory.
    it.store->save().value();
    it.append(104, 106).value();
    for (const std::uint64_t seq : {7U, 70U, 102U, 105U}) it.erase(seq).value();
    ASSERT_TRUE(it.on_disk("text 7."));
    it.store->purge(std::vector<Seq>{{7}, {70}, {102}, {105}}, {}, kNoPatience).value();
    for (const auto& stats : it.store->stats()) EXPECT_EQ(stats.rows, 102u); // In memory too.
    for (const std::uint64_t seq : {7U, 70U, 102U, 105U}) {
        EXPECT_FALSE(it.on_disk(TextStore::text_of(seq)));
    }
    it.store->save().value();
    EXPECT_FALSE(it.on_disk("text 105."));
    EXPECT_TRUE(it.on_disk("text 8."));
    EXPECT_TRUE(it.on_disk("text 106."));
    EXPECT_EQ(it.row_count(), 102u);
    EXPECT_EQ(grouped(*it.store->snapshot(), kSums)[0],
              "even 0:51=" + std::to_string(53 * 54 - 70 - 102) + "/106");
}

TEST(SegmentStore, PurgesRowsThatWereSupersededBeforeTheirMessageWasErased) {
    TextStore it;
    it.append(1, 20).value();
    it.store->save().value();
    StoreCommit again;
    again.position = {21};
    again.rows.push_back({kTexts, {{5}}, batch_of({{5, {{"rewritten", ""}}}})});
    it.store->commit(std::move(again), it.gone).value();
    it.store->save().value();
    it.erase(5).value();
    it.store->purge(std::vector<Seq>{{5}}, {}, kNoPatience).value();
    EXPECT_FALSE(it.on_disk("text 5."));
    EXPECT_FALSE(it.on_disk("rewritten"));
}

TEST(SegmentStore, ASnapshotPinsFilesAndAPurgeSaysSo) {
    TextStore it;
    it.append(1, 20).value();
    it.store->save().value();
    auto pin = it.store->snapshot();
    it.erase(3).value();
    const auto purged = it.store->purge(std::vector<Seq>{{3}}, {}, kNoPatience);
    ASSERT_FALSE(purged.has_value());
    EXPECT_EQ(purged.error().code, Errc::busy);
    EXPECT_EQ(it.row_count(), 19u);
    EXPECT_EQ(listed(*pin, kTexts).size(), 20u);
    EXPECT_TRUE(it.on_disk("text 3."));
    pin.reset();
    EXPECT_GT(it.store->purge(std::vector<Seq>{{3}}, {}, kNoPatience).value().bytes_destroyed, 0u);
    EXPECT_FALSE(it.on_disk("text 3."));
}

TEST(SegmentStore, RefusesToPurgeWhatIsNotErased) {
    TextStore it;
    it.append(1, 3).value();
    EXPECT_EQ(it.store->purge(std::vector<Seq>{{2}}, {}, kNoPatience).error().code,
              Errc::invalid_argument);
}

// Wherever the power goes, the next open finds one record's state whole, and no other file:
// replayed from there, all rows are back, and after purging again nothing of the erased one is
// left.
TEST(SegmentStore, SurvivesAPowerCutAtEveryOperation) {
    for (const Fate fate : kEveryFate) {
        for (std::uint64_t operations = 0;; ++operations) {
            TextStore it(inline_options(16));
            it.disk.fail_after(operations);
            bool failed = false;
            const auto ask = [&](const auto& result) { failed = failed || !result; };
            ask(it.append(1, 40));
            ask(it.store->save());
            if (!failed) ask(it.append(41, 44));
            if (!failed) ask(it.erase(17));
            if (!failed) ask(it.store->purge(std::vector<Seq>{{17}}, {}, kNoPatience));
            if (!failed) ask(it.store->merge_all());

            const bool erased = it.gone.erased.contains({17});
            it.disk.cut_power(fate, operations);
            it.reopen();
            const Seq since = it.store->snapshot()->since(kTexts);
            ASSERT_EQ(since, it.store->snapshot()->since(kSums));
            it.store->commit(TextStore::rows(since.value + 1, 44, 44), it.gone).value();
            if (erased) it.store->purge(std::vector<Seq>{{17}}, {}, kNoPatience).value();
            it.store->save().value();
            ASSERT_EQ(it.row_count(), erased ? 43u : 44u) << "after " << operations;
            ASSERT_EQ(it.store->check(), Strings{});
            if (erased) {
                ASSERT_FALSE(it.on_disk("text 17.")) << "after " << operations;
            }
            if (!failed) break;
        }
    }
}

TEST(SegmentStore, RefusesToWriteAfterAFailedWriteAndGoesOnReading) {
    TextStore it;
    it.append(1, 4).value();
    it.disk.fail_after(0, Errc::no_space);
    EXPECT_EQ(it.store->save().error().code, Errc::no_space);
    it.disk.stop_failing();
    EXPECT_FALSE(it.append(5, 6).has_value());
    EXPECT_EQ(it.append(5, 6).error().code, Errc::latched);
    EXPECT_EQ(it.store->save().error().code, Errc::latched);
    EXPECT_EQ(it.row_count(), 4u);
}

/// What the view of texts has of message 5.
std::string text_of_five(const SegmentStore& store) {
    const auto snapshot = store.snapshot();
    const auto row = snapshot->row(kTexts, {5});
    return row.size() == 1 ? std::string(row[0].term) : std::to_string(row.size()) + " terms";
}

StoreCommit say_five_anew() {
    StoreCommit commit;
    commit.position = {99};
    commit.rows.push_back({kTexts, {}, batch_of({{5, {{"text five anew", ""}}}})});
    return commit;
}

/// Changes a byte in the middle of the newest file of a kind.
void damage_file(Directory& root, const std::string& prefix, std::uint64_t position) {
    const std::vector<std::string> names = root.list().value();
    for (const std::string& name : names) {
        if (!name.starts_with(prefix)) continue;
        const auto file = root.open(name, Create::never).value();
        char byte = 0;
        file->read_at(position, &byte, 1).value();
        byte = static_cast<char>(byte ^ 0x40);
        file->write_at(position, {&byte, 1}).value();
        return;
    }
    FAIL() << "no file " << prefix;
}

TEST(SegmentStore, ADamagedFileCostsItsViewAndNoOther) {
    for (const std::uint64_t position : {20U, 400U, 700U}) { // Header, terms, behind them.
        TextStore it(inline_options(64));
        it.append(1, 40).value();
        it.store->save().value();
        damage_file(*it.root, "segment-", position); // The first file is of kTexts.
        it.reopen();
        const auto cursor = it.store->snapshot()->scan(kTexts, {});
        EXPECT_FALSE(cursor->next());
        EXPECT_EQ(cursor->status().error().code, Errc::corrupt);
        EXPECT_EQ(it.store->damaged_views(), std::vector<ViewId>{kTexts});
        EXPECT_FALSE(it.store->check().empty());
        EXPECT_EQ(grouped(*it.store->snapshot(), kSums).size(), 2u);

        // Until somebody derives it again, it stays known that something is missing.
        it.store->save().value();
        it.reopen();
        EXPECT_EQ(it.store->damaged_views(), std::vector<ViewId>{kTexts});
        EXPECT_EQ(it.store->lost_rows(kTexts).size(), 40u);
        auto loader = it.store->load({kTexts, nullptr, false}).value();
        loader->add(std::move(TextStore::rows(1, 40, 40).rows[0].batch)).value();
        it.store->install(std::span(&loader, 1), {40}).value();
        EXPECT_EQ(it.row_count(), 40u);
        EXPECT_TRUE(it.store->damaged_views().empty());
        EXPECT_EQ(it.store->check(), Strings{});
    }
}

// Whatever is put under the name of a segment, it is not taken for it.
TEST(SegmentStore, AFileInThePlaceOfAnotherOrNoneCostsItsView) {
    for (const bool is_there : {true, false}) {
        TextStore it(inline_options(64));
        it.append(1, 40).value();
        it.store->save().value();
        std::vector<std::string> segments;
        for (const std::string& name : it.root->list().value()) {
            if (name.starts_with("segment-")) segments.push_back(name);
        }
        ASSERT_EQ(segments.size(), 2u); // Of kTexts, of kSums.
        if (is_there) {
            it.root->rename(segments[1], segments[0]).value();
        } else {
            it.root->remove(segments[0]).value();
        }
        it.reopen();
        EXPECT_FALSE(it.store->snapshot()->scan(kTexts, {})->status().has_value());
        EXPECT_EQ(it.store->snapshot()->groups(kSums, {})->next(), !is_there);
        EXPECT_FALSE(it.store->check().empty());
    }
}

TEST(SegmentStore, LeavesFilesAloneWhoseNamesAreNotItsOwn) {
    TextStore it;
    it.append(1, 20).value();
    it.store->save().value();
    const Strings others = {"segment-", "segment-01", "segment-1x", "segment-x", "manifest-1.old"};
    for (const std::string& name : others) {
        it.root->open(name, Create::must).value()->write_at(0, "somebody's").value();
    }
    it.reopen();
    EXPECT_EQ(it.row_count(), 20u);
    for (const std::string& name : others) {
        EXPECT_TRUE(it.root->open(name, Create::never).has_value()) << name;
    }
}

TEST(SegmentStore, TakesRowsAndPurgesOnlyOfViewsThatWereNamed) {
    TextStore it;
    it.append(1, 20).value();
    it.store->save().value();
    it.store.reset();
    it.store = SegmentStore::open(*it.root, inline_options()).value();
    EXPECT_EQ(it.append(21, 22).error().code, Errc::invalid_argument);
    it.erase(3).value();
    EXPECT_EQ(it.store->purge(std::vector<Seq>{{3}}, {}, kNoPatience).error().code,
              Errc::invalid_argument);
    // Nobody knows yet how to fold their values.
    it.store->merge_all().value();
    it.store->maintain().value();
    TextStore::name_views(*it.store);
    it.store->purge(std::vector<Seq>{{3}}, {}, kNoPatience).value();
    EXPECT_FALSE(it.on_disk("text 3."));
    EXPECT_EQ(it.row_count(), 19u);
}

// Which of its rows are whose, nobody can tell.
TEST(SegmentStore, PurgingGivesUpADamagedFile) {
    TextStore it(inline_options(64));
    it.append(1, 40).value();
    it.store->save().value();
    damage_file(*it.root, "segment-", 400);
    it.erase(3).value();
    it.store->purge(std::vector<Seq>{{3}}, {}, kNoPatience).value();
    EXPECT_FALSE(it.on_disk("text 4."));
    EXPECT_EQ(it.store->damaged_views(), std::vector<ViewId>{kTexts});
    it.append(41, 42).value(); // Nobody sees them before the view is mended.
    it.store->merge_all().value();
    EXPECT_EQ(it.row_count(), 0u);
    EXPECT_EQ(grouped(*it.store->snapshot(), kSums).size(), 2u);
}

TEST(SegmentStore, MergingGivesUpADamagedFile) {
    TextStore it(inline_options(64));
    for (std::uint64_t seq = 1; seq <= 8; ++seq) {
        it.append(seq, seq).value();
        it.store->save().value();
    }
    damage_file(*it.root, "segment-", 20);
    it.store->merge_all().value();
    EXPECT_EQ(it.store->damaged_views(), std::vector<ViewId>{kTexts});
    EXPECT_FALSE(it.on_disk("text 1."));
    EXPECT_TRUE(it.on_disk("text 4."));
    EXPECT_EQ(grouped(*it.store->snapshot(), kSums).size(), 2u);
}

TEST(SegmentStore, KeepsNoRunOfRowsThatAreAllGone) {
    TextStore it(inline_options(64));
    for (std::uint64_t seq = 1; seq <= 40; ++seq) {
        it.gone.deleted.insert({seq});
        it.append(seq, seq).value();
    }
    EXPECT_EQ(it.row_count(), 0u);
    for (const auto& stats : it.store->stats()) EXPECT_LT(stats.rows, 8u);
}

TEST(SegmentStore, MendsWhatADamagedFileHadAndLeavesTheOthers) {
    for (const std::uint64_t position : {20U, 400U}) { // Found when it is opened; when it is read.
        TextStore it(inline_options(64));
        for (std::uint64_t seq = 1; seq <= 30; seq += 10) {
            it.append(seq, seq + 9).value();
            it.store->save().value();
        }
        it.store->commit(say_five_anew(), it.gone).value(); // In the first file it is superseded.
        it.store->save().value();
        damage_file(*it.root, "segment-", position); // Rows 1 to 10 of kTexts.
        it.reopen();
        EXPECT_FALSE(it.store->snapshot()->scan(kTexts, {})->next());
        it.append(100, 100).value(); // Goes on beside it.
        it.store->save().value();
        it.reopen();
        EXPECT_EQ(it.store->damaged_views(), std::vector<ViewId>{kTexts});

        const SeqBitmap lost = it.store->lost_rows(kTexts);
        EXPECT_EQ(lost.size(), 9u);
        EXPECT_FALSE(lost.contains({5})) << "it was said anew";
        auto loader = it.store->load({kTexts, nullptr, false}).value();
        loader->add(std::move(TextStore::rows(1, 4, 100).rows[0].batch)).value();
        loader->add(std::move(TextStore::rows(6, 10, 100).rows[0].batch)).value();
        it.store->mend(std::span(&loader, 1)).value();
        loader.reset(); // It must not outlive the store.
        for (const bool again : {false, true}) {
            if (again) it.reopen();
            EXPECT_EQ(it.row_count(), 31u);
            EXPECT_EQ(text_of_five(*it.store), "text five anew");
            EXPECT_TRUE(it.store->damaged_views().empty());
            EXPECT_EQ(it.store->check(), Strings{});
        }
    }
}

TEST(SegmentStore, LeavesNothingOfAnErasedMessageInADamagedFileNorBesideIt) {
    TextStore it(inline_options(64));
    it.append(1, 10).value();
    it.store->save().value();
    it.append(11, 20).value();
    it.store->save().value();
    damage_file(*it.root, "segment-", 400);
    it.reopen();
    for (const Seq seq : {Seq{5}, Seq{15}}) {
        it.gone.deleted.insert(seq);
        it.gone.erased.insert(seq);
    }
    it.store->commit({{21}, {}, {}}, it.gone).value();
    it.store->purge(std::vector<Seq>{{5}, {15}}, {}, kNoPatience).value();
    EXPECT_FALSE(it.on_disk("text 5."));
    EXPECT_FALSE(it.on_disk("text 15."));
    EXPECT_TRUE(it.on_disk("text 16.")) << "only the damaged file is given up";
    EXPECT_EQ(it.store->lost_rows(kTexts).size(), 10u);
}

TEST(SegmentStore, AMergeDropsNoRowThatACrashBringsBack) {
    TextStore it;
    for (std::uint64_t seq = 1; seq <= 8; ++seq) {
        it.append(seq, seq).value();
        it.store->save().value();
    }
    it.store->commit(say_five_anew(), it.gone).value(); // In memory only.
    it.store->maintain().value();                       // Merges the eight files.
    EXPECT_EQ(it.store->stats()[0].segments, 2u);
    EXPECT_EQ(text_of_five(*it.store), "text five anew");
    EXPECT_EQ(it.row_count(), 8u);

    it.disk.cut_power(Fate::lost);
    it.reopen();
    EXPECT_EQ(text_of_five(*it.store), "text 5.");
    EXPECT_EQ(it.row_count(), 8u);
}

TEST(SegmentStore, PurgesWhatWasSupersededAndKeepsWhatTookItsPlace) {
    TextStore it;
    it.append(1, 20).value();
    it.store->save().value();
    it.store->commit(say_five_anew(), it.gone).value();
    it.store->purge({}, std::vector<Seq>{{5}}, kNoPatience).value();
    EXPECT_FALSE(it.on_disk("text 5."));
    EXPECT_TRUE(it.on_disk("text 6."));

    it.disk.cut_power(Fate::lost);
    it.reopen();
    EXPECT_EQ(text_of_five(*it.store), "text five anew");
    EXPECT_EQ(it.row_count(), 20u);
}

TEST(SegmentStore, ADamagedManifestLeavesAnEmptyStoreAndNoFiles) {
    TextStore it;
    it.append(1, 20).value();
    it.store->save().value();
    damage_file(*it.root, "manifest-", 3);
    it.reopen();
    EXPECT_EQ(it.store->snapshot()->attachment(), "");
    EXPECT_EQ(it.store->snapshot()->position(), Seq{});
    EXPECT_TRUE(it.root->list().value().empty());
}

TEST(SegmentStore, DroppingAViewDestroysItsFiles) {
    TextStore it;
    it.append(1, 20).value();
    it.store->save().value();
    it.store->drop_view(kTexts).value();
    EXPECT_FALSE(it.on_disk("text 8."));
    EXPECT_EQ(it.store->stored_views(), std::vector<ViewId>{kSums});
    EXPECT_EQ(it.row_count(), 0u);
    it.reopen();
    EXPECT_EQ(grouped(*it.store->snapshot(), kSums).size(), 2u);
}

TEST(SegmentStore, InstallsALoadedViewDurablyAndDestroysOneThatIsNot) {
    constexpr ViewId kNew{9};
    TextStore it;
    it.append(1, 40).value();
    {
        auto abandoned = it.store->load({kNew, nullptr, false}).value();
        abandoned->add(batch_of({{1, {{"abandoned", ""}}}})).value();
        for (std::uint64_t seq = 2; seq < 20; ++seq) {
            abandoned->add(batch_of({{seq, {{"abandoned", ""}}}})).value();
        }
        EXPECT_TRUE(it.on_disk("abandoned"));
    }
    it.store->maintain().value();
    EXPECT_FALSE(it.on_disk("abandoned"));

    auto loader = it.store->load({kNew, nullptr, false}).value();
    for (std::uint64_t seq = 1; seq <= 20; ++seq) {
        loader->add(batch_of({{seq, {{"new " + std::to_string(seq) + ".", ""}}}})).value();
    }
    EXPECT_EQ(loader->add(batch_of({{20, {{"again", ""}}}})).error().code, Errc::invalid_argument);
    it.erase(3).value();
    it.erase(19).value(); // Not built yet.
    it.store->purge(std::vector<Seq>{{3}, {19}}, {}, kNoPatience).value();
    EXPECT_FALSE(it.on_disk("new 3."));
    it.store->install(std::span(&loader, 1), {20}).value();
    loader.reset(); // Before the store that it belongs to.
    EXPECT_FALSE(it.on_disk("new 19."));
    EXPECT_EQ(it.store->snapshot()->since(kNew), Seq{20});
    EXPECT_EQ(it.store->snapshot()->scan(kNew, {})->count_rest(), 18u);
    it.disk.cut_power(Fate::lost);
    it.reopen();
    it.store->add_view({kNew, nullptr, false});
    EXPECT_EQ(it.store->snapshot()->scan(kNew, {})->count_rest(), 18u);
    EXPECT_EQ(it.store->snapshot()->since(kNew), Seq{20});
}

TEST(SegmentStore, SyncsTheLogBeforeItsRowsBecomeDurable) {
    std::vector<std::uint64_t> synced;
    SegmentStoreOptions options = inline_options();
    options.before_save = [&](Seq position) -> Result<void> {
        synced.push_back(position.value);
        if (position.value > 30) return Error{Errc::io, "the log failed"};
        return {};
    };
    TextStore it(options);
    it.append(1, 20).value();
    it.store->save().value();
    ASSERT_FALSE(synced.empty());
    EXPECT_EQ(synced.back(), 20u);
    EXPECT_EQ(it.append(21, 40).error().code, Errc::io);
    it.reopen();
    EXPECT_EQ(it.store->snapshot()->position(), Seq{20});
}

// A commit may come while files are made of rows that it retracts: here from inside the job.
TEST(SegmentStore, CarriesOverWhatIsRetractedWhileAJobRuns) {
    SegmentStoreOptions options = inline_options(64);
    std::function<void()> meanwhile;
    options.before_save = [&](Seq) -> Result<void> {
        if (const auto once = std::exchange(meanwhile, nullptr)) once();
        return {};
    };
    TextStore it(options);
    it.append(1, 20).value();
    const auto re_derive = [&](std::uint64_t seq) {
        StoreCommit commit;
        commit.position = {20 + seq};
        commit.rows.push_back({kTexts, {{seq}}, batch_of({{seq, {{"rewritten", ""}}}})});
        it.store->commit(std::move(commit), it.gone).value();
    };
    meanwhile = [&] { re_derive(5); };
    it.store->save().value(); // Cuts.
    meanwhile = [&] { re_derive(6); };
    it.store->merge_all().value(); // Cuts, then merges.
    meanwhile = [&] { re_derive(7); };
    it.erase(8).value();
    it.store->purge(std::vector<Seq>{{8}}, {}, kNoPatience).value();
    EXPECT_EQ(it.row_count(), 19u);
    EXPECT_EQ(listed(*it.store->snapshot(), kTexts, ScanRange::with_prefix("rewritten")),
              (Strings{"rewritten@5=", "rewritten@6=", "rewritten@7="}));
    EXPECT_EQ(it.store->snapshot()->scan(kTexts, ScanRange::exact("text 5."))->count_rest(), 0u);
}

TEST(SegmentStore, NamesAViewInNoRecordBeforeItsRowsAreInFiles) {
    TextStore it;
    it.append(1, 20).value();
    it.store->save().value();
    it.store->add_view({{9}, nullptr, false});
    StoreCommit commit;
    commit.position = {21};
    commit.rows.push_back({{9}, {}, batch_of({{21, {{"new", ""}}}})});
    it.store->commit(std::move(commit), it.gone).value();
    it.store->drop_view(kSums).value(); // Writes a record.
    it.disk.cut_power(Fate::lost);
    it.store.reset();
    it.root = it.disk.root();
    it.store = SegmentStore::open(*it.root, inline_options()).value();
    EXPECT_EQ(it.store->stored_views(), std::vector<ViewId>{kTexts});
    EXPECT_EQ(it.store->snapshot()->since(kTexts), Seq{20});
}

TEST(SegmentStore, KeepsItsFilesFewAndItsManifestSmall) {
    TextStore it(inline_options(1024));
    for (std::uint64_t seq = 1; seq <= 1500; ++seq) {
        it.append(seq, seq).value();
        it.store->save().value();
        if (seq % 10 == 0) it.store->maintain().value();
    }
    for (const auto& stats : it.store->stats()) EXPECT_LE(stats.segments, 40u);
    std::uint64_t manifest_bytes = 0;
    for (const auto& [path, bytes] : it.disk.all_bytes()) {
        if (path.starts_with("manifest-")) manifest_bytes += bytes.size();
    }
    EXPECT_LE(manifest_bytes, 300u * 1024);
    it.store->merge_all().value();
    for (const auto& stats : it.store->stats()) EXPECT_EQ(stats.segments, 2u);
    it.reopen();
    EXPECT_EQ(it.row_count(), 1500u);
}

// With a thread of its own: readers never see a row come or go but by a commit, while files are cut
// and merged under them. (To be run under the thread sanitizer too.)
TEST(SegmentStore, MergesInTheBackgroundUnderReadersAndAWriter) {
    SegmentStoreOptions options;
    options.segment_rows_max = 256;
    options.memory_bytes_max = 16 * 1024;
    TextStore it(options);
    std::atomic<bool> done{false};
    std::atomic<std::uint64_t> wrong{0}, reads{0};
    const auto read = [&] {
        while (!done) {
            const auto snapshot = it.store->snapshot();
            // All rows up to the position, but for every tenth, which is deleted in its commit.
            const std::uint64_t position = snapshot->position().value;
            const std::uint64_t live = position - position / 10;
            std::uint64_t seen = 0, in_groups = 0;
            const auto cursor = snapshot->scan(kTexts, {});
            while (cursor->next()) ++seen;
            const auto groups = snapshot->groups(kSums, {});
            while (groups->next()) in_groups += groups->row_count();
            if (seen != live || in_groups != live) ++wrong;
            ++reads;
        }
    };
    std::thread first(read), second(read);
    for (std::uint64_t seq = 1; seq <= 3000; seq += 10) {
        it.gone.deleted.insert({seq});
        StoreCommit commit = TextStore::rows(seq, seq + 9, seq + 9);
        if (seq > 500) {
            // Re-derived: the same rows again, from anywhere in the past.
            const std::uint64_t old = 2 + seq / 30 * 10;
            StoreCommit again = TextStore::rows(old, old + 3, 0);
            for (std::size_t view = 0; view < 2; ++view) {
                RowBatch& batch = commit.rows[view].batch;
                again.rows[view].batch.order_by_seq();
                for (std::size_t row = 0; row < 4; ++row) {
                    batch.append_row(again.rows[view].batch, row);
                }
            }
        }
        it.store->commit(std::move(commit), it.gone).value();
    }
    while (reads < 20) std::this_thread::yield();
    done = true;
    first.join();
    second.join();
    EXPECT_EQ(wrong, 0u);
    it.store->maintain().value();
    EXPECT_EQ(it.store->check(), Strings{});
    it.store->save().value();
    it.reopen();
    it.store->commit({{3000}, {}, {}}, it.gone).value();
    EXPECT_EQ(it.row_count(), 2700u);
}

} // namespace
} // namespace sluice
