// After any history the segment store shows what the plain one shows: rows, retractions, deletions,
// files cut, merged, purged, and the store opened again at any point.
#include "store/memory_store.hpp"
#include "store/segment_store.hpp"
#include "store/store_test_support.hpp"
#include "support/seeds.hpp"
#include "support/simulated_disk.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace sluice {
namespace {

using namespace test;

constexpr ViewId kViews[] = {{1}, {2}, {3}};
constexpr std::chrono::milliseconds kNoPatience{0};

ViewSpec spec_of(ViewId id) {
    const bool sums = id == kViews[1];
    return {id, sums ? std::make_shared<SumAndMax>() : nullptr, id == kViews[2]};
}

/// A commit as the log would give it again.
struct Entry {
    StoreCommit commit;
    Gone gone;
};

StoreCommit copy_of(const StoreCommit& commit) {
    StoreCommit copy;
    copy.position = commit.position;
    copy.behind = commit.behind;
    for (const StoreCommit::Rows& rows : commit.rows) {
        copy.rows.push_back({rows.view, rows.retract, rows.batch});
    }
    return copy;
}

class History {
public:
    explicit History(std::uint64_t seed) : random_(seed) {
        options_.background = false;
        options_.segment_rows_max = static_cast<std::uint32_t>(1 + pick(40));
        options_.memory_bytes_max = pick(2) == 0 ? 1 << 12 : 1 << 20;
        distinct_terms_ = 2 + pick(60);
        open();
        for (const ViewId id : kViews) {
            oracle_.add_view(spec_of(id));
            segments_->add_view(spec_of(id));
        }
    }

    void step() {
        switch (pick(16)) {
        case 0: segments_->save().value(); break;
        case 1: segments_->maintain().value(); break;
        case 2: segments_->merge_all().value(); break;
        case 3: purge(); break;
        case 4: reopen(); break;
        case 5:
        case 6: commit_gone(); break;
        case 7: commit_restored(); break;
        default: commit_rows(); break;
        }
    }

    void compare() {
        const auto expected = oracle_.snapshot();
        const auto actual = segments_->snapshot();
        ASSERT_EQ(actual->position(), expected->position());
        for (const ViewId view : kViews) {
            ASSERT_EQ(actual->since(view), expected->since(view));
            for (int i = 0; i < 4; ++i) compare_range(*expected, *actual, view, random_range());
        }
        ASSERT_EQ(segments_->check(), std::vector<std::string>{});
        ASSERT_TRUE(segments_->damaged_views().empty());
    }

private:
    std::uint64_t pick(std::uint64_t below) { return random_() % below; }
    Seq old_seq() { return {1 + pick(std::max<std::uint64_t>(1, position_))}; }

    std::string random_term() {
        // Terms that are prefixes of each other, with zero bytes, some beyond eight bytes.
        const std::uint64_t which = pick(distinct_terms_);
        std::string term = which % 3 == 0 ? "" : std::string("a shared prefix that is long/");
        for (std::uint64_t left = which; left > 0; left /= 3) {
            term.push_back("\0ab"[left % 3]);
        }
        return term;
    }

    void add_random_row(RowBatch& batch, Seq seq) {
        batch.begin_row(seq);
        const std::uint64_t emissions = pick(4);
        for (std::uint64_t i = 0; i < emissions; ++i) {
            batch.emit(random_term(), pick(3) == 0 ? "" : std::to_string(pick(1000)));
        }
    }

    void commit(StoreCommit commit) {
        commit.position = {++position_};
        past_.push_back({copy_of(commit), gone_});
        oracle_.commit(copy_of(commit), gone_).value();
        segments_->commit(std::move(commit), gone_).value();
    }

    void commit_rows() {
        StoreCommit commit;
        const std::uint64_t fresh = pick(3) == 0 ? pick(60) : pick(3);
        std::vector<Seq> seqs, retracted;
        for (std::uint64_t i = 0; i < fresh; ++i) seqs.push_back({++position_});
        for (std::uint64_t i = pick(4); i > 0; --i) {
            const Seq seq = old_seq();
            if (gone_.deleted.contains(seq)) continue;
            retracted.push_back(seq);
            if (pick(2) == 0) seqs.push_back(seq);
        }
        std::shuffle(seqs.begin(), seqs.end(), random_);
        for (const ViewId view : kViews) {
            if (pick(5) == 0) continue;
            StoreCommit::Rows rows{view, retracted, {}};
            for (const Seq seq : seqs) add_random_row(rows.batch, seq);
            commit.rows.push_back(std::move(rows));
        }
        for (const ViewId view : kViews) {
            if (pick(12) == 0) commit.behind.push_back(view);
        }
        this->commit(std::move(commit));
    }

    void commit_gone() {
        for (std::uint64_t i = pick(8); i > 0; --i) {
            const Seq seq = old_seq();
            gone_.deleted.insert(seq);
            if (pick(2) == 0) gone_.erased.insert(seq);
        }
        commit({});
    }

    void commit_restored() {
        StoreCommit commit;
        for (std::uint64_t i = pick(6); i > 0; --i) {
            const Seq seq = old_seq();
            if (gone_.erased.contains(seq) || !gone_.deleted.remove(seq)) continue;
            for (const ViewId view : kViews) {
                StoreCommit::Rows rows{view, {seq}, {}};
                add_random_row(rows.batch, seq);
                commit.rows.push_back(std::move(rows));
            }
        }
        this->commit(std::move(commit));
    }

    void purge() {
        std::vector<Seq> seqs;
        for (Seq seq = gone_.erased.next_from({}); seq != SeqBitmap::kNone;
             seq = gone_.erased.next_from(seq.next())) {
            if (pick(3) > 0) seqs.push_back(seq);
        }
        segments_->purge(seqs, {}, kNoPatience).value();
    }

    void open() {
        segments_.reset();
        segments_ = SegmentStore::open(*root_, options_).value();
    }

    /// What lies behind each view's since is committed again, as from the log.
    void reopen() {
        if (pick(2) == 0) {
            disk_.cut_power(kEveryFate[pick(std::size(kEveryFate))], random_());
            segments_.reset();
            root_ = disk_.root();
        }
        open();
        Seq from{position_};
        for (const ViewId id : kViews) segments_->add_view(spec_of(id));
        const auto opened = segments_->snapshot();
        for (const ViewId id : kViews) from = std::min(from, opened->since(id));
        from = std::min(from, opened->position());
        // The log's entries come again one by one. Those that a view has seen, it sees without
        // rows.
        for (const Entry& entry : past_) {
            if (entry.commit.position <= from) continue;
            StoreCommit again = copy_of(entry.commit);
            for (const ViewId id : kViews) {
                if (opened->since(id) < entry.commit.position) continue;
                std::erase_if(again.rows, [id](const auto& rows) { return rows.view == id; });
            }
            // No view has caught up before the last of them: a cut may come in between, and then
            // the power may go.
            again.position = {std::max(position_, opened->position().value)};
            again.behind.assign(std::begin(kViews), std::end(kViews));
            segments_->commit(std::move(again), gone_).value();
        }
        commit({});
    }

    ScanRange random_range() {
        ScanRange range;
        switch (pick(4)) {
        case 0: break;
        case 1: range = ScanRange::with_prefix(random_term().substr(0, pick(40))); break;
        case 2: range = ScanRange::exact(random_term()); break;
        default:
            range.from = random_term();
            range.to = random_term();
            break;
        }
        range.reverse = pick(2) == 0;
        if (pick(2) == 0) range.after = {random_term(), old_seq()};
        return range;
    }

    void compare_range(const StoreSnapshot& expected, const StoreSnapshot& actual, ViewId view,
                       const ScanRange& range) {
        const std::vector<std::string> hits = listed(expected, view, range);
        ASSERT_EQ(listed(actual, view, range), hits);
        ASSERT_EQ(grouped(actual, view, range), grouped(expected, view, range));
        const auto cursor = actual.scan(view, range);
        std::uint64_t seen = pick(hits.size() + 1);
        for (std::uint64_t i = 0; i < seen; ++i) ASSERT_TRUE(cursor->next());
        ASSERT_EQ(cursor->count_rest(), hits.size() - seen);
        ASSERT_FALSE(cursor->next());
    }

    std::mt19937_64 random_;
    SegmentStoreOptions options_;
    std::uint64_t distinct_terms_ = 1;
    SimulatedDisk disk_;
    std::unique_ptr<Directory> root_ = disk_.root();
    MemoryStore oracle_;
    std::unique_ptr<SegmentStore> segments_;
    Gone gone_;
    std::uint64_t position_ = 0;
    std::vector<Entry> past_;
};

constexpr std::uint64_t kShards = 8;
class StoreHistories : public testing::TestWithParam<std::uint64_t> {};

TEST_P(StoreHistories, ShowWhatThePlainStoreShows) {
    for (std::uint64_t seed = GetParam(); seed < seed_count(200); seed += kShards) {
        History history(seed);
        for (int step = 0; step < 60; ++step) {
            history.step();
            ASSERT_NO_FATAL_FAILURE(history.compare()) << "seed " << seed << " step " << step;
        }
    }
}
INSTANTIATE_TEST_SUITE_P(Shard, StoreHistories, testing::Range<std::uint64_t>(0, kShards));

} // namespace
} // namespace sluice
