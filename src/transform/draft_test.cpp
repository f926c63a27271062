// A draft on top of a snapshot shows what the store shows once it is committed: held against that,
// and against a plain map.
#include "store/memory_store.hpp"
#include "transform/draft.hpp"

#include <gtest/gtest.h>

#include <random>

namespace sluice {
namespace {

constexpr ViewId kView{7};
using Plain = std::map<std::pair<std::string, Seq>, std::string>;

std::string shown(
    const std::function<void(const std::function<void(std::string_view, Seq, std::string_view)>&)>&
        walk) {
    std::string text;
    walk([&](std::string_view term, Seq seq, std::string_view value) {
        text += std::string(term) + std::to_string(seq.value) + "=" + std::string(value) + " ";
    });
    return text;
}

std::string in_draft(const Draft& draft, const ScanRange& range) {
    return shown([&](const auto& visit) {
        draft.scan(kView, range, [&](const Draft::Hit& hit) {
            visit(hit.term, hit.seq, hit.value);
            return true;
        });
    });
}

std::string in_store(const StoreSnapshot& rows, const ScanRange& range) {
    return shown([&](const auto& visit) {
        const auto cursor = rows.scan(kView, range);
        while (cursor->next()) visit(cursor->term(), cursor->seq(), cursor->value());
    });
}

std::string in_plain(const Plain& plain, const ScanRange& range, const Gone& gone) {
    std::vector<std::string> cells;
    for (const auto& [cell, value] : plain) {
        const auto& [term, seq] = cell;
        if (term < range.from || (range.to && term >= *range.to)) continue;
        if (gone.deleted.contains(seq)) continue;
        cells.push_back(term + std::to_string(seq.value) + "=" + value + " ");
    }
    if (range.reverse) std::reverse(cells.begin(), cells.end());
    std::string text;
    for (const std::string& cell : cells) text += cell;
    return text;
}

class Drafting {
public:
    explicit Drafting(std::uint64_t seed) : random_(seed) {
        store_.add_view({kView, nullptr, false});
    }

    void live() {
        for (int part = 0; part < 4; ++part) {
            Draft draft(store_.snapshot(), gone_);
            for (std::size_t n = random_() % 12; n > 0; --n) set_row(draft);
            if (random_() % 3 == 0) gone_.deleted.insert({1 + random_() % 6});
            look(draft);
            StoreCommit commit;
            commit.position = {100};
            commit.rows = draft.take();
            EXPECT_EQ(draft.row_count(), 0u);
            store_.commit(std::move(commit), gone_).value();
            draft.rebase(store_.snapshot());
            look(draft);
            EXPECT_EQ(in_store(*store_.snapshot(), {}), in_plain(plain_, {}, gone_));
        }
    }

private:
    void set_row(Draft& draft) {
        const Seq seq{1 + random_() % 6};
        std::erase_if(plain_, [&](const auto& cell) { return cell.first.second == seq; });
        std::map<std::string, std::string> row;
        for (std::size_t n = random_() % 4; n > 0; --n) {
            row[std::string(1, static_cast<char>('a' + random_() % 4))] =
                std::string(1, static_cast<char>('r' + random_() % 8));
        }
        Draft::Emissions emissions;
        for (const auto& [term, value] : row) {
            emissions.push_back({term, value});
            plain_[{term, seq}] = value;
        }
        draft.set_row(kView, seq, emissions);
    }
    void look(const Draft& draft) {
        for (const ScanRange& each :
             {ScanRange{}, ScanRange::exact("b"), ScanRange::with_prefix("c")}) {
            ScanRange range = each;
            EXPECT_EQ(in_draft(draft, range), in_plain(plain_, range, gone_));
            range.reverse = true;
            EXPECT_EQ(in_draft(draft, range), in_plain(plain_, range, gone_));
        }
        for (Seq seq{1}; seq <= Seq{6}; seq = seq.next()) {
            std::string row, expected;
            for (const auto& [term, value] : draft.row(kView, seq)) {
                row += std::string(term) + "=" + std::string(value) + " ";
            }
            for (const auto& [cell, value] : plain_) {
                if (cell.second == seq) expected += cell.first + "=" + value + " ";
            }
            if (!gone_.deleted.contains(seq)) {
                EXPECT_EQ(row, expected);
            }
        }
    }

    std::mt19937_64 random_;
    MemoryStore store_;
    Plain plain_;
    Gone gone_;
};

TEST(Draft, ShowsWhatAPlainMergeShows) {
    for (std::uint64_t seed = 0; seed < 500 && !testing::Test::HasFailure(); ++seed) {
        SCOPED_TRACE(seed);
        Drafting(seed).live();
    }
}

TEST(Draft, StopsWhenTheVisitorHasSeenEnough) {
    MemoryStore store;
    store.add_view({kView, nullptr, false});
    const Gone gone;
    Draft draft(store.snapshot(), gone);
    draft.set_row(kView, {1}, {{"a", ""}, {"b", ""}});
    int visits = 0;
    draft.scan(kView, {}, [&](const Draft::Hit&) { return ++visits < 1; });
    EXPECT_EQ(visits, 1);
}

TEST(Draft, ForgetsARowThatWasSetAndTakenAwayAgain) {
    MemoryStore store;
    store.add_view({kView, nullptr, false});
    const Gone gone;
    Draft draft(store.snapshot(), gone);
    draft.set_row(kView, {1}, {{"a", ""}});
    draft.set_row(kView, {1}, {});
    EXPECT_EQ(draft.row_count(), 2u);
    StoreCommit commit;
    commit.position = {1};
    commit.rows = draft.take();
    store.commit(std::move(commit), gone).value();
    EXPECT_EQ(in_store(*store.snapshot(), {}), "");
}

} // namespace
} // namespace sluice
