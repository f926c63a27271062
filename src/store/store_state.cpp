#include "store/store_state.hpp"

#include <algorithm>

namespace sluice {
namespace {

auto position_of(const ViewTable& views, ViewId view) {
    return std::lower_bound(
        views.begin(), views.end(), view,
        [](const std::shared_ptr<const ViewState>& v, ViewId id) { return v->spec.id < id; });
}

} // namespace

const Error* ViewState::find_damage() const {
    if (damage) return &*damage;
    for (const RowSource& source : sources) {
        if (!source.file) continue;
        if (const Error* const found = source.file->damage()) return found;
    }
    return nullptr;
}

const Error* ViewState::known_damage() const {
    if (damage) return &*damage;
    for (const RowSource& source : sources) {
        if (source.file && source.file->known() == Segment::Known::damaged) {
            return source.file->damage();
        }
    }
    return nullptr;
}

std::vector<std::shared_ptr<const Segment>>
ViewState::lose(const std::set<const Segment*>& damaged) {
    std::vector<std::shared_ptr<const Segment>> taken;
    std::erase_if(sources, [&](const RowSource& source) {
        if (!damaged.contains(source.file.get())) return false;
        if (!damage) damage = *source.file->damage();
        lost.push_back({source.seq_lo(), source.seq_hi()});
        taken.push_back(source.file);
        return true;
    });
    return taken;
}

SeqBitmap ViewState::lost_rows() const {
    SeqBitmap seqs;
    for (const Lost& part : lost) {
        for (Seq seq = part.seq_lo; seq <= part.seq_hi; seq = seq.next()) seqs.insert(seq);
    }
    for (const RowSource& source : sources) {
        for (std::uint32_t row = 0; row < source.row_count(); ++row) {
            if (!source.is_superseded(row)) seqs.remove(source.seq_at(row));
        }
    }
    return seqs;
}

const ViewState* StoreState::find(ViewId view) const {
    const auto at = position_of(*views, view);
    return at != views->end() && (*at)->spec.id == view ? at->get() : nullptr;
}

Seq StoreState::since(ViewId view) const {
    for (const auto& [id, since] : lagging) {
        if (id == view) return since;
    }
    return find(view) != nullptr ? position : Seq{};
}

std::shared_ptr<const ViewTable> with_view(const ViewTable& views,
                                           std::shared_ptr<const ViewState> view) {
    auto table = std::make_shared<ViewTable>(views);
    const auto index = position_of(*table, view->spec.id) - table->begin();
    const auto at = table->begin() + index;
    if (at != table->end() && (*at)->spec.id == view->spec.id) {
        *at = std::move(view);
    } else {
        table->insert(at, std::move(view));
    }
    return table;
}

std::shared_ptr<const ViewTable> without_view(const ViewTable& views, ViewId view) {
    auto table = std::make_shared<ViewTable>(views);
    std::erase_if(*table, [view](const auto& v) { return v->spec.id == view; });
    return table;
}

void retract_rows(ViewState& view, std::span<const Seq> seqs) {
    std::vector<Seq> wanted(seqs.begin(), seqs.end());
    std::erase_if(wanted, [&](Seq seq) { return seq > view.seq_hi; });
    if (wanted.empty()) return;
    std::sort(wanted.begin(), wanted.end());
    for (RowSource& source : view.sources) {
        if (source.file && source.file->damage() != nullptr) continue;
        std::shared_ptr<RowSet> changed; // A copy: states before this one keep theirs.
        auto at = std::lower_bound(wanted.begin(), wanted.end(), source.seq_lo());
        for (; at != wanted.end() && *at <= source.seq_hi(); ++at) {
            const std::optional<std::uint32_t> row = source.row_of(*at);
            if (!row || source.is_superseded(*row)) continue;
            if (!changed) {
                changed = source.superseded ? std::make_shared<RowSet>(*source.superseded)
                                            : std::make_shared<RowSet>();
            }
            changed->insert(*row);
        }
        if (changed) source.superseded = std::move(changed);
    }
}

} // namespace sluice
