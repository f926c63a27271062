// The promises of store.hpp, each in its own words, for both implementations.
#include "store/store.hpp"

#include "store/memory_store.hpp"
#include "store/segment_store.hpp"
#include "store/store_test_support.hpp"
#include "support/simulated_disk.hpp"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using namespace test;
using Strings = std::vector<std::string>;

constexpr ViewId kPosts{1};
constexpr ViewId kSums{2};
constexpr ViewId kKeys{3}; // Outlives deletion.

struct MemoryBackend {
    MemoryStore store_;
    Store& store() { return store_; }
};

/// Everything stays in memory.
struct SegmentBackend {
    SimulatedDisk disk;
    std::unique_ptr<Directory> root = disk.root();
    std::unique_ptr<SegmentStore> store_ = SegmentStore::open(*root, options()).value();
    virtual ~SegmentBackend() = default;
    static SegmentStoreOptions options() {
        SegmentStoreOptions options;
        options.background = false;
        return options;
    }
    Store& store() { return *store_; }
};

/// Every commit is cut into files of two rows, and merged.
struct TinySegmentBackend : SegmentBackend {
    TinySegmentBackend() {
        SegmentStoreOptions tiny = options();
        tiny.segment_rows_max = 2;
        tiny.memory_bytes_max = 1;
        store_ = SegmentStore::open(*root, tiny).value();
    }
};

template <typename Backend> class StorePromises : public testing::Test {
protected:
    StorePromises() {
        store().add_view({kPosts, nullptr, false});
        store().add_view({kSums, std::make_shared<SumAndMax>(), false});
        store().add_view({kKeys, nullptr, true});
    }
    Store& store() { return backend_.store(); }

    void commit(std::uint64_t position, std::vector<StoreCommit::Rows> rows = {},
                std::vector<ViewId> behind = {}) {
        store().commit({{position}, std::move(rows), std::move(behind)}, gone_).value();
    }
    static StoreCommit::Rows rows(ViewId view, const std::vector<TestRow>& rows,
                                  std::vector<Seq> retract = {}) {
        return {view, std::move(retract), batch_of(rows)};
    }
    void remove(Seq seq) { gone_.deleted.insert(seq); }
    void erase(Seq seq) {
        gone_.deleted.insert(seq);
        gone_.erased.insert(seq);
    }

    Gone gone_;

private:
    Backend backend_;
};

using Backends = testing::Types<MemoryBackend, SegmentBackend, TinySegmentBackend>;
TYPED_TEST_SUITE(StorePromises, Backends);

// S1: a snapshot shows every view at its position ...
TYPED_TEST(StorePromises, ASnapshotShowsEveryViewAtOnePosition) {
    this->commit(2, {this->rows(kPosts, {{1, {{"ann", ""}}}, {2, {{"bob", ""}}}}),
                     this->rows(kSums, {{1, {{"ann", "5"}}}, {2, {{"bob", "7"}}}})});
    const auto snapshot = this->store().snapshot();
    EXPECT_EQ(snapshot->position(), Seq{2});
    EXPECT_EQ(snapshot->since(kPosts), Seq{2});
    EXPECT_EQ(listed(*snapshot, kPosts), (Strings{"ann@1=", "bob@2="}));
    EXPECT_EQ(grouped(*snapshot, kSums), (Strings{"ann:1=5/5", "bob:1=7/7"}));
}

// ... and never changes.
TYPED_TEST(StorePromises, ASnapshotNeverChanges) {
    this->commit(1, {this->rows(kPosts, {{1, {{"ann", "a"}}}})});
    const auto before = this->store().snapshot();

    this->commit(2, {this->rows(kPosts, {{2, {{"bob", "b"}}}})});
    this->remove({1});
    this->commit(3);
    this->commit(4, {this->rows(kPosts, {{2, {{"eve", "e"}}}}, {{2}})});
    this->store().drop_view(kPosts).value();

    EXPECT_EQ(listed(*before, kPosts), (Strings{"ann@1=a"}));
    EXPECT_EQ(before->position(), Seq{1});
    EXPECT_EQ(listed(*this->store().snapshot(), kPosts), Strings{});
}

TYPED_TEST(StorePromises, ATermWithLiveRowsMayHaveRows) {
    std::vector<TestRow> even;
    std::vector<std::string> texts;
    for (std::uint64_t n = 0; n < 400; ++n) {
        texts.push_back("term " + std::to_string(n));
        if (n % 2 == 0) even.push_back({n + 1, {{texts.back(), ""}}});
    }
    this->commit(400, {this->rows(kPosts, even)});
    const std::vector<std::string_view> terms(texts.begin(), texts.end());
    const std::vector<bool> may = this->store().snapshot()->may_have(kPosts, terms);
    std::size_t wrong = 0;
    for (std::size_t n = 0; n < may.size(); ++n) {
        const bool is_there = n % 2 == 0;
        EXPECT_TRUE(may[n] || !is_there) << texts[n];
        if (may[n] && !is_there) ++wrong;
    }
    EXPECT_LT(wrong, 20U);
    EXPECT_EQ(this->store().snapshot()->may_have({9}, terms),
              std::vector<bool>(terms.size(), false));
}

// S2: retracting needs the seq only.
TYPED_TEST(StorePromises, RetractingNeedsTheSeqOnly) {
    this->commit(3, {this->rows(kPosts, {{1, {{"a", ""}, {"b", ""}}}, {2, {{"b", ""}}}}),
                     this->rows(kSums, {{1, {{"a", "1"}, {"b", "2"}}}, {2, {{"b", "3"}}}})});
    this->commit(4, {this->rows(kPosts, {}, {{1}}), this->rows(kSums, {}, {{1}})});
    const auto snapshot = this->store().snapshot();
    EXPECT_EQ(listed(*snapshot, kPosts), (Strings{"b@2="}));
    EXPECT_EQ(grouped(*snapshot, kSums), (Strings{"b:1=3/3"}));
}

TYPED_TEST(StorePromises, ARowSaysAllThatAMessageGave) {
    this->commit(1, {this->rows(kPosts, {{1, {{"b", "two"}, {"a", "one"}}}})});
    this->commit(2, {this->rows(kPosts, {{2, {{"b", "other"}}}})});
    const auto said = [&](Seq seq) {
        Strings terms;
        const auto snapshot = this->store().snapshot();
        for (const auto& [term, value] : snapshot->row(kPosts, seq)) {
            terms.push_back(std::string(term) + "=" + std::string(value));
        }
        return terms;
    };
    EXPECT_EQ(said({1}), (Strings{"a=one", "b=two"}));
    EXPECT_EQ(said({2}), Strings{"b=other"});
    EXPECT_EQ(said({3}), Strings{});
    this->commit(3, {this->rows(kPosts, {{1, {{"c", ""}}}})});
    EXPECT_EQ(said({1}), Strings{"c="});
}

TYPED_TEST(StorePromises, ARowTakesThePlaceOfTheOneThatItsSeqHas) {
    this->commit(2, {this->rows(kPosts, {{1, {{"old", "x"}}}, {2, {{"old", ""}}}})});
    this->commit(3, {this->rows(kPosts, {{1, {{"new", "y"}}}})});
    EXPECT_EQ(listed(*this->store().snapshot(), kPosts), (Strings{"new@1=y", "old@2="}));
}

TYPED_TEST(StorePromises, OfSeveralRowsOfOneSeqInABatchTheLastStays) {
    this->commit(2, {this->rows(kPosts, {{2, {{"b", ""}}}, {1, {{"x", ""}}}, {1, {{"y", ""}}}})});
    EXPECT_EQ(listed(*this->store().snapshot(), kPosts), (Strings{"b@2=", "y@1="}));
}

TYPED_TEST(StorePromises, ATermEmittedTwiceInARowKeepsItsFirstValue) {
    this->commit(1, {this->rows(kSums, {{1, {{"a", "1"}, {"b", "7"}, {"a", "2"}}}})});
    EXPECT_EQ(listed(*this->store().snapshot(), kSums), (Strings{"a@1=1", "b@1=7"}));
    EXPECT_EQ(grouped(*this->store().snapshot(), kSums), (Strings{"a:1=1/1", "b:1=7/7"}));
}

TYPED_TEST(StorePromises, DeletedMessagesLeaveEveryViewAndErasedOnesThoseThatOutliveDeletion) {
    this->commit(2, {this->rows(kPosts, {{1, {{"p", ""}}}, {2, {{"p", ""}}}}),
                     this->rows(kSums, {{1, {{"s", "4"}}}, {2, {{"s", "9"}}}}),
                     this->rows(kKeys, {{1, {{"k1", ""}}}, {2, {{"k2", ""}}}})});
    this->remove({2});
    this->commit(3);
    auto snapshot = this->store().snapshot();
    EXPECT_EQ(listed(*snapshot, kPosts), (Strings{"p@1="}));
    EXPECT_EQ(grouped(*snapshot, kSums), (Strings{"s:1=4/4"}));
    EXPECT_EQ(listed(*snapshot, kKeys), (Strings{"k1@1=", "k2@2="}));

    this->erase({2});
    this->commit(4);
    EXPECT_EQ(listed(*this->store().snapshot(), kKeys), (Strings{"k1@1="}));
}

TYPED_TEST(StorePromises, ARestoredMessageComesBackByRetractAndNewRows) {
    this->commit(1, {this->rows(kSums, {{1, {{"s", "4"}}}})});
    this->remove({1});
    this->commit(2);
    this->gone_.deleted.remove({1});
    this->commit(3, {this->rows(kSums, {{1, {{"s", "4"}}}}, {{1}})});
    EXPECT_EQ(grouped(*this->store().snapshot(), kSums), (Strings{"s:1=4/4"}));
    EXPECT_EQ(listed(*this->store().snapshot(), kSums), (Strings{"s@1=4"}));
}

TYPED_TEST(StorePromises, SinceStaysForAViewThatIsBehind) {
    this->commit(5);
    this->commit(6, {}, {kPosts});
    this->commit(9, {}, {kPosts});
    EXPECT_EQ(this->store().snapshot()->since(kPosts), Seq{5});
    EXPECT_EQ(this->store().snapshot()->since(kSums), Seq{9});
    this->commit(10);
    EXPECT_EQ(this->store().snapshot()->since(kPosts), Seq{10});
}

TYPED_TEST(StorePromises, RefusesACommitBehindItsPositionAndRowsForUnknownViews) {
    this->commit(5);
    const auto back = this->store().commit({{4}, {}, {}}, this->gone_);
    EXPECT_EQ(back.error().code, Errc::invalid_argument);
    StoreCommit unknown;
    unknown.position = {6};
    unknown.rows.push_back(this->rows(ViewId{77}, {{6, {{"t", ""}}}}));
    EXPECT_EQ(this->store().commit(std::move(unknown), this->gone_).error().code,
              Errc::invalid_argument);
    EXPECT_EQ(this->store().snapshot()->position(), Seq{5});
}

// The scan forms, on one small table whose rows came in three commits.
template <typename Backend> class StoreScans : public StorePromises<Backend> {
protected:
    StoreScans() {
        this->commit(4, {this->rows(kPosts, {{1, {{"b", ""}}},
                                             {2, {{"a", ""}, {"bb", ""}}},
                                             {3, {{"b", ""}}},
                                             {4, {{"c", ""}}}})});
        this->commit(6,
                     {this->rows(kPosts, {{5, {{"b", ""}, {"\xFF\xFF", ""}}}, {6, {{"", ""}}}})});
        this->commit(7, {this->rows(kPosts, {{2, {{"b", ""}}}}, {{2}})});
    }
    Strings scan(const ScanRange& range) {
        return listed(*this->store().snapshot(), kPosts, range);
    }
};
TYPED_TEST_SUITE(StoreScans, Backends);

TYPED_TEST(StoreScans, GoByTermThenSeqBothWays) {
    Strings all{"@6=", "b@1=", "b@2=", "b@3=", "b@5=", "c@4=", "\xFF\xFF@5="};
    EXPECT_EQ(this->scan({}), all);
    std::reverse(all.begin(), all.end());
    ScanRange reverse;
    reverse.reverse = true;
    EXPECT_EQ(this->scan(reverse), all);
}

TYPED_TEST(StoreScans, KeepToPrefixRangeAndTerm) {
    EXPECT_EQ(this->scan(ScanRange::with_prefix("b")), (Strings{"b@1=", "b@2=", "b@3=", "b@5="}));
    EXPECT_EQ(this->scan(ScanRange::with_prefix("\xFF")), (Strings{"\xFF\xFF@5="}));
    EXPECT_EQ(this->scan(ScanRange::exact("c")), (Strings{"c@4="}));
    EXPECT_EQ(this->scan(ScanRange::exact("")), (Strings{"@6="}));
    EXPECT_EQ(this->scan(ScanRange::exact("bb")), Strings{});
    ScanRange range;
    range.from = "b";
    range.to = "c";
    EXPECT_EQ(this->scan(range).size(), 4u);
    range.to = "a";
    EXPECT_EQ(this->scan(range), Strings{});
}

TYPED_TEST(StoreScans, GoOnStrictlyBehindAPlace) {
    ScanRange range;
    range.after = {"b", {2}};
    EXPECT_EQ(this->scan(range), (Strings{"b@3=", "b@5=", "c@4=", "\xFF\xFF@5="}));
    range.after = {"bb", {9}};
    EXPECT_EQ(this->scan(range), (Strings{"c@4=", "\xFF\xFF@5="}));
    range.reverse = true;
    EXPECT_EQ(this->scan(range), (Strings{"b@5=", "b@3=", "b@2=", "b@1=", "@6="}));
    range.after = {"b", {3}};
    EXPECT_EQ(this->scan(range), (Strings{"b@2=", "b@1=", "@6="}));
}

TYPED_TEST(StoreScans, CountTheRestFromAnywhere) {
    const auto snapshot = this->store().snapshot();
    EXPECT_EQ(snapshot->scan(kPosts, {})->count_rest(), 7u);
    const auto cursor = snapshot->scan(kPosts, {});
    ASSERT_TRUE(cursor->next() && cursor->next() && cursor->next());
    EXPECT_EQ(cursor->count_rest(), 4u);
    EXPECT_FALSE(cursor->next());
    EXPECT_EQ(cursor->count_rest(), 0u);
    ScanRange range;
    range.after = {"b", {1}};
    EXPECT_EQ(snapshot->scan(kPosts, range)->count_rest(), 5u);
    EXPECT_EQ(snapshot->scan(ViewId{99}, {})->count_rest(), 0u);
}

TYPED_TEST(StoreScans, GroupsSkipTermsWithoutLiveRowsAndResumeByTerm) {
    const auto snapshot = this->store().snapshot();
    EXPECT_EQ(grouped(*snapshot, kPosts), (Strings{":1=", "b:4=", "c:1=", "\xFF\xFF:1="}));
    ScanRange range;
    range.after = {"b", {}};
    EXPECT_EQ(grouped(*snapshot, kPosts, range), (Strings{"c:1=", "\xFF\xFF:1="}));
    range.reverse = true;
    EXPECT_EQ(grouped(*snapshot, kPosts, range), (Strings{":1="}));
}

} // namespace
} // namespace sluice
