#include "store/memory_store.hpp"

#include <algorithm>
#include <iterator>

namespace sluice {
namespace {

struct Hit {
    std::string term;
    Seq seq;
    std::string value;
};

bool holds(const ScanRange& range, std::string_view term) {
    return term >= range.from && (!range.to || term < *range.to);
}

bool is_behind(const ScanRange& range, std::string_view term, Seq seq) {
    if (!range.after) return true;
    const ScanRange::After& after = *range.after;
    const bool ahead = term != after.term ? term > after.term : seq > after.seq;
    const bool same = term == after.term && seq == after.seq;
    return !same && ahead != range.reverse;
}

/// Both cursors hold what they will show, so that nothing can change under them.
class HitCursor final : public Cursor {
public:
    explicit HitCursor(std::vector<Hit> hits) : hits_(std::move(hits)) {}
    bool next() override { return at_ < hits_.size() && ++at_ > 0; }
    std::string_view term() const override { return hits_[at_ - 1].term; }
    Seq seq() const override { return hits_[at_ - 1].seq; }
    std::string_view value() const override { return hits_[at_ - 1].value; }
    std::uint64_t count_rest() override {
        const std::uint64_t left = hits_.size() - at_;
        at_ = hits_.size();
        return left;
    }

private:
    std::vector<Hit> hits_;
    std::size_t at_ = 0;
};

struct Group {
    std::string term;
    std::uint64_t row_count = 0;
    std::string partial;
};

class ListedGroups final : public GroupCursor {
public:
    explicit ListedGroups(std::vector<Group> groups) : groups_(std::move(groups)) {}
    bool next() override { return at_ < groups_.size() && ++at_ > 0; }
    std::string_view term() const override { return groups_[at_ - 1].term; }
    std::uint64_t row_count() const override { return groups_[at_ - 1].row_count; }
    std::string_view partial() const override { return groups_[at_ - 1].partial; }

private:
    std::vector<Group> groups_;
    std::size_t at_ = 0;
};

class MemorySnapshot final : public StoreSnapshot {
public:
    MemorySnapshot(Seq position, Gone gone, std::map<ViewId, MemoryStore::View> views,
                   std::string attachment)
        : position_(position), gone_(std::move(gone)), views_(std::move(views)),
          attachment_(std::move(attachment)) {}

    Seq position() const override { return position_; }
    const Gone& gone() const override { return gone_; }
    Seq since(ViewId view) const override {
        const auto found = views_.find(view);
        return found == views_.end() ? Seq{} : found->second.since;
    }

    Result<void> status(ViewId) const override { return {}; }
    std::unique_ptr<Cursor> scan(ViewId view, const ScanRange& range) const override {
        std::vector<Hit> hits = live_rows(view, range);
        std::erase_if(hits, [&](const Hit& hit) { return !is_behind(range, hit.term, hit.seq); });
        if (range.reverse) std::reverse(hits.begin(), hits.end());
        return std::make_unique<HitCursor>(std::move(hits));
    }

    std::vector<RowBatch::Emission> row(ViewId view, Seq seq) const override {
        std::vector<RowBatch::Emission> emissions;
        const auto found = views_.find(view);
        if (found == views_.end()) return emissions;
        for (const auto& [term, rows] : found->second.rows) {
            const auto value = rows.find(seq);
            if (value != rows.end()) emissions.push_back({term, value->second});
        }
        return emissions;
    }
    std::string_view attachment() const override { return attachment_; }

    std::vector<bool> may_have(ViewId view,
                               std::span<const std::string_view> terms) const override {
        std::vector<bool> found;
        for (const std::string_view term : terms) {
            found.push_back(!live_rows(view, ScanRange::exact(term)).empty());
        }
        return found;
    }

    std::unique_ptr<GroupCursor> groups(ViewId view, const ScanRange& range) const override {
        std::vector<Group> groups;
        std::unique_ptr<Accumulator> accumulator;
        if (const auto found = views_.find(view); found != views_.end()) {
            if (const auto& reducer = found->second.spec.reducer) {
                accumulator = reducer->accumulator();
            }
        }
        for (const Hit& hit : live_rows(view, range)) {
            // Given the seq of `after` itself, the term alone decides.
            if (!is_behind(range, hit.term, range.after ? range.after->seq : Seq{})) continue;
            if (groups.empty() || groups.back().term != hit.term) {
                groups.push_back({hit.term, 0, {}});
                if (accumulator) accumulator->clear();
            }
            ++groups.back().row_count;
            if (accumulator) {
                accumulator->add_value(hit.value);
                groups.back().partial = accumulator->partial();
            }
        }
        if (range.reverse) std::reverse(groups.begin(), groups.end());
        return std::make_unique<ListedGroups>(std::move(groups));
    }

private:
    std::vector<Hit> live_rows(ViewId view, const ScanRange& range) const {
        std::vector<Hit> hits;
        const auto found = views_.find(view);
        if (found == views_.end()) return hits;
        const SeqBitmap& dead = found->second.spec.outlives_delete ? gone_.erased : gone_.deleted;
        for (const auto& [term, rows] : found->second.rows) {
            if (!holds(range, term)) continue;
            for (const auto& [seq, value] : rows) {
                if (!dead.contains(seq)) hits.push_back({term, seq, value});
            }
        }
        return hits;
    }

    Seq position_;
    Gone gone_;
    std::map<ViewId, MemoryStore::View> views_;
    std::string attachment_;
};

void retract(MemoryStore::View& view, Seq seq) {
    for (auto term = view.rows.begin(); term != view.rows.end();) {
        term->second.erase(seq);
        term = term->second.empty() ? view.rows.erase(term) : std::next(term);
    }
}

} // namespace

void MemoryStore::add_view(const ViewSpec& view) {
    const std::lock_guard lock(mutex_);
    views_[view.id].spec = view;
}

Result<void> MemoryStore::drop_view(ViewId view) {
    const std::lock_guard lock(mutex_);
    views_.erase(view);
    return {};
}

Result<void> MemoryStore::commit(StoreCommit commit, const Gone& gone) {
    const std::lock_guard lock(mutex_);
    if (commit.position < position_) {
        return Error{Errc::invalid_argument, "a commit behind the store's position"};
    }
    for (const StoreCommit::Rows& rows : commit.rows) {
        if (!views_.contains(rows.view)) {
            return Error{Errc::invalid_argument, "rows for a view that the store does not have"};
        }
    }
    position_ = commit.position;
    gone_ = gone;
    if (commit.attachment) attachment_ = *std::move(commit.attachment);
    for (StoreCommit::Rows& rows : commit.rows) {
        View& view = views_[rows.view];
        for (const Seq seq : rows.retract) retract(view, seq);
        rows.batch.order_by_seq();
        for (const RowBatch::Row& row : rows.batch.rows()) {
            retract(view, row.seq);
            for (std::size_t i = 0; i < row.emission_count; ++i) {
                const RowBatch::Emission emission = rows.batch.emission(row.first_emission + i);
                view.rows[std::string(emission.term)].emplace(row.seq, emission.value);
            }
        }
    }
    for (auto& [id, view] : views_) {
        const bool stays =
            std::find(commit.behind.begin(), commit.behind.end(), id) != commit.behind.end();
        if (!stays) view.since = position_;
    }
    return {};
}

std::shared_ptr<const StoreSnapshot> MemoryStore::snapshot() const {
    const std::lock_guard lock(mutex_);
    return std::make_shared<MemorySnapshot>(position_, gone_, views_, attachment_);
}

} // namespace sluice
