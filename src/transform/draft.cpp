#include "transform/draft.hpp"

#include <algorithm>

namespace sluice {

Draft::Emissions Draft::row(ViewId view, Seq seq) const {
    const auto drafted = views_.find(view);
    if (drafted != views_.end()) {
        const auto at = drafted->second.row_of.find(seq.value);
        if (at != drafted->second.row_of.end()) {
            Emissions emissions;
            if (at->second == kNone) return emissions;
            const RowBatch& batch = drafted->second.batch;
            const RowBatch::Row& row = batch.rows()[at->second];
            for (std::size_t i = 0; i < row.emission_count; ++i) {
                emissions.push_back(batch.emission(row.first_emission + i));
            }
            return emissions;
        }
    }
    return below_->row(view, seq);
}

void Draft::set_row(ViewId view, Seq seq, const Emissions& emissions) {
    View& drafted = views_[view];
    drafted.is_sorted = false;
    ++row_count_;
    if (emissions.empty()) {
        drafted.row_of[seq.value] = kNone;
        return;
    }
    drafted.batch.begin_row(seq);
    for (const auto& [term, value] : emissions) drafted.batch.emit(term, value);
    drafted.row_of[seq.value] = drafted.batch.rows().size() - 1;
}

void Draft::set_term(ViewId view, Seq seq, std::string_view term, bool is_there) {
    std::map<std::string, std::string, std::less<>> kept; // The row lives where set_row() writes.
    for (const auto& each : row(view, seq)) kept.emplace(each.term, each.value);
    if (kept.contains(term) == is_there) return;
    if (is_there) {
        kept.emplace(term, "");
    } else {
        kept.erase(kept.find(term));
    }
    Emissions emissions;
    for (const auto& [kept_term, value] : kept) emissions.push_back({kept_term, value});
    set_row(view, seq, emissions);
}

const std::vector<Draft::Hit>& Draft::sorted_rows(const View& view) const {
    // A cache: what is in it follows from the batch.
    auto& cached = const_cast<View&>(view);
    if (cached.is_sorted) return cached.sorted;
    cached.sorted.clear();
    const std::vector<RowBatch::Row>& rows = view.batch.rows();
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (view.row_of.at(rows[i].seq.value) != i) continue;
        for (std::size_t e = 0; e < rows[i].emission_count; ++e) {
            const auto [term, value] = view.batch.emission(rows[i].first_emission + e);
            cached.sorted.push_back({term, rows[i].seq, value});
        }
    }
    std::sort(cached.sorted.begin(), cached.sorted.end(), [](const Hit& a, const Hit& b) {
        return a.term != b.term ? a.term < b.term : a.seq < b.seq;
    });
    cached.is_sorted = true;
    return cached.sorted;
}

void Draft::scan(ViewId view, const ScanRange& range,
                 const std::function<bool(const Hit&)>& visit) const {
    static const View kNothing;
    const auto found = views_.find(view);
    const View& drafted = found == views_.end() ? kNothing : found->second;

    std::vector<Hit> ours;
    const std::vector<Hit>& all = sorted_rows(drafted);
    const auto first =
        std::lower_bound(all.begin(), all.end(), range.from,
                         [](const Hit& hit, const std::string& term) { return hit.term < term; });
    for (auto hit = first; hit != all.end() && (!range.to || hit->term < *range.to); ++hit) {
        if (!gone_->deleted.contains(hit->seq)) ours.push_back(*hit);
    }
    if (range.reverse) std::reverse(ours.begin(), ours.end());

    const auto below = below_->scan(view, range);
    const auto advance = [&] {
        while (below->next()) {
            const Seq seq = below->seq();
            if (!gone_->deleted.contains(seq) && !drafted.row_of.contains(seq.value)) return true;
        }
        return false;
    };
    const auto is_before = [&](const Hit& a, const Hit& b) {
        const int order = a.term.compare(b.term);
        const bool is_less = order != 0 ? order < 0 : a.seq < b.seq;
        return is_less != range.reverse;
    };
    bool more = advance();
    auto our = ours.begin();
    while (more || our != ours.end()) {
        Hit next;
        if (more) next = {below->term(), below->seq(), below->value()};
        if (our != ours.end() && (!more || is_before(*our, next))) {
            if (!visit(*our++)) return;
            continue;
        }
        if (!visit(next)) return;
        more = advance();
    }
}

std::vector<StoreCommit::Rows> Draft::take() {
    std::vector<StoreCommit::Rows> all;
    for (auto& [id, view] : views_) {
        StoreCommit::Rows rows{id, {}, std::move(view.batch)};
        for (const auto& [seq, row] : view.row_of) {
            if (row == kNone) rows.retract.push_back({seq});
        }
        // A row that was set and then taken away again is in the batch: it must not come back.
        if (!rows.retract.empty()) {
            std::sort(rows.retract.begin(), rows.retract.end());
            RowBatch kept;
            for (std::size_t i = 0; i < rows.batch.rows().size(); ++i) {
                if (view.row_of.at(rows.batch.rows()[i].seq.value) == i) {
                    kept.append_row(rows.batch, i);
                }
            }
            rows.batch = std::move(kept);
        }
        all.push_back(std::move(rows));
    }
    views_.clear();
    row_count_ = 0;
    return all;
}

} // namespace sluice
