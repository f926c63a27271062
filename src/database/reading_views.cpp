// Views that read: facts, cells of transforms and rows of other views.
//
// They are stages behind the transforms (transform/chain.hpp), with two ids of the catalog: the
// view's own and, behind it, that of its reads. Their functions are never here when a database is
// opened, so what is due in the meantime waits in kPending.
#include "base/assert.hpp"
#include "base/try.hpp"
#include "database/impl.hpp"

#include <algorithm>
#include <set>

namespace sluice {
namespace {

/// Whether `from` reads `name`, itself or by way of others.
bool reads_in_the_end(const ViewSet& views, const View& from, std::string_view name) {
    const std::vector<std::string>* const reads = reads_of(from);
    if (reads == nullptr) return false;
    return std::any_of(reads->begin(), reads->end(), [&](const std::string& each) {
        const auto next = views.find(each);
        return each == name ||
               (next != views.end() && reads_in_the_end(views, *next->second.view, name));
    });
}

std::string relation(const std::string& reader, const std::string& read) {
    return std::string("view ").append(reader).append(" reads ").append(read);
}

bool has_rows_to_read(const View& view) {
    return kind_of(view) == ViewKind::index;
}

} // namespace

const std::string* reader_of(const ViewSet& views, std::string_view name) {
    for (const auto& [reader, each] : views) {
        const std::vector<std::string>* const reads = reads_of(*each.view);
        if (reads != nullptr && std::binary_search(reads->begin(), reads->end(), name)) {
            return &reader;
        }
    }
    return nullptr;
}

Chain::Stage Database::Impl::reader_stage(const OpenView& reader) const {
    Chain::Stage stage;
    stage.name = reader.entry.name;
    stage.cells = reader.entry.id;
    stage.is_view = true;
    for (const std::string& name : *reads_of(*reader.view)) {
        const auto found = views->find(name);
        if (found != views->end()) stage.reads_of.push_back({name, found->second.entry.id});
    }
    if (!is_loaded(*reader.view)) return stage;
    stage.map = [this, id = stage.cells, mapper = std::make_shared<ReadingMapper>(reader.view)](
                    Context& context, const Incoming& incoming, RowBatch& row) {
        const Message message{incoming.seq(), incoming.key(), incoming.body(), incoming.json()};
        const bool is_mapped = mapper->map(context, message, row);
        if (!is_mapped) {
            const std::lock_guard lock(publish_mutex);
            ++const_cast<Impl*>(this)->errors_counted[id];
        }
        return is_mapped;
    };
    return stage;
}

std::vector<Chain::Stage> Database::Impl::reader_stages() const {
    std::vector<Chain::Stage> stages;
    std::set<std::string_view> placed;
    const auto is_ready = [&](const std::string& name) {
        const auto found = views->find(name);
        return found == views->end() || reads_of(*found->second.view) == nullptr ||
               placed.contains(name);
    };
    for (bool is_going_on = true; is_going_on;) {
        is_going_on = false;
        for (const auto& [name, each] : *views) {
            const std::vector<std::string>* const reads = reads_of(*each.view);
            if (reads == nullptr || placed.contains(name)) continue;
            if (!std::all_of(reads->begin(), reads->end(), is_ready)) continue;
            stages.push_back(reader_stage(each));
            placed.insert(name);
            is_going_on = true;
        }
    }
    return stages;
}

Result<void> Database::Impl::check_reads(const std::string& name, const View& view) const {
    if (reads_in_the_end(*views, view, name)) {
        return Error{Errc::invalid_argument, "view " + name + " would read itself"};
    }
    if (const std::vector<std::string>* const reads = reads_of(view)) {
        for (const std::string& each : *reads) {
            if (!views->contains(each)) {
                return Error{Errc::not_found,
                             relation(name, each).append(", and there is no such view")};
            }
        }
    }
    const std::string* const reader = has_rows_to_read(view) ? nullptr : reader_of(*views, name);
    if (reader == nullptr) return {};
    return Error{Errc::invalid_argument,
                 relation(*reader, name).append(", so it must be an index")};
}

bool Database::Impl::has_loaded_readers() const {
    const auto all = chain.readers();
    return std::any_of(all.begin(), all.end(),
                       [](const Chain::Stage& each) { return each.map != nullptr; });
}

void Database::Impl::wake_readers_of(ViewId view) {
    const auto rows = store->snapshot();
    for (std::size_t i = chain.transforms().size(); i < chain.stages().size(); ++i) {
        extra.dirty.emplace_back(i, Chain::readers_of(view, chain.stages()[i], *rows));
    }
}

void Database::Impl::mark_readers(ViewId view, std::span<const Seq> seqs, const RowBatch& batch,
                                  Draft& marks) const {
    Worklist work(chain.stages().size());
    Draft rows(store->snapshot(), ledger.gone());
    std::map<Seq, std::size_t> row_of;
    for (std::size_t i = 0; i < batch.rows().size(); ++i) row_of[batch.rows()[i].seq] = i;
    for (const Seq seq : seqs) {
        RowBatch row;
        const auto found = row_of.find(seq);
        if (found != row_of.end()) row.append_row(batch, found->second);
        chain.set_row(view, seq, emissions_of(row), work, rows);
    }
    for (std::size_t i = chain.transforms().size(); i < chain.stages().size(); ++i) {
        for_each(work.dirty[i], [&](Seq seq) {
            marks.set_term(kPending, seq, pending_term(chain.stages()[i].cells), true);
        });
    }
}

Result<void> Database::Impl::mark_readers_of(ViewId view) {
    const auto rows = store->snapshot();
    Draft marks(rows, ledger.gone());
    std::uint64_t count = 0;
    for (const Chain::Stage& reader : chain.readers()) {
        const SeqBitmap lookers = Chain::readers_of(view, reader, *rows);
        for_each(lookers,
                 [&](Seq seq) { marks.set_term(kPending, seq, pending_term(reader.cells), true); });
        count += lookers.size();
    }
    return count > 0 ? save_marks(marks) : Result<void>();
}

bool Database::Impl::looks_into_damage() const {
    if (!has_loaded_readers()) return false;
    const std::vector<ViewId> damaged = store->damaged_views();
    if (damaged.empty()) return false;
    const auto readers = chain.readers();
    return std::any_of(readers.begin(), readers.end(), [&](const Chain::Stage& reader) {
        return reader.map != nullptr &&
               std::any_of(reader.reads_of.begin(), reader.reads_of.end(),
                           [&](const auto& read) { return is_among(read.id, damaged); });
    });
}

void Database::Impl::wake_for_new(ViewId reader) {
    const SeqBitmap fresh = live_messages(store->snapshot()->since(reader));
    for (std::size_t i = chain.transforms().size(); i < chain.stages().size(); ++i) {
        if (chain.stages()[i].cells == reader) extra.dirty.emplace_back(i, fresh);
    }
}

Result<void> Database::Impl::build_reader(const OpenView& fresh, const ProgressFunction& progress) {
    std::vector<Chain::Stage> stages(chain.transforms().begin(), chain.transforms().end());
    stages.push_back(reader_stage(fresh));
    const Chain::Stage reader = stages.back();
    Chain alone(std::move(stages));

    for (const ViewId id : reader.views()) SLUICE_TRY(store->drop_view(id));
    store->add_view({reader.cells, reducer_of(*fresh.view), false});
    store->add_view({reader.reads(), nullptr, false});
    Draft draft(store->snapshot(), ledger.gone());
    const SeqBitmap live = live_messages();
    Worklist work(alone.stages().size());
    work.stage = alone.transforms().size();
    work.dirty.back() = live;
    ProgressMeter meter(progress, "deriving views", live.size());
    const auto save = [&]() -> Result<void> {
        // The rows must not become durable before the entries that they come from.
        SLUICE_TRY(log->sync());
        StoreCommit step;
        step.position = log->last();
        step.behind = unmapped;
        if (work.dirty.back().size() > 0) step.behind.push_back(reader.cells);
        step.rows = draft.take();
        SLUICE_TRY(commit(std::move(step)));
        draft.rebase(store->snapshot());
        meter.at(live.size() - work.dirty.back().size());
        return {};
    };
    const Delta nothing;
    const Chain::World the_world = world();
    SLUICE_TRY(alone.run_readers(work, {&nothing, &the_world, &ledger.gone(), &draft,
                                        options.view_segment_rows_max, save,
                                        [](const Chain::Stage&, Seq, bool) {}}));
    SLUICE_TRY(save());
    meter.finish();
    return {};
}

Result<Source> Database::rows_of(const std::string& view) const {
    const std::lock_guard lock(impl_->publish_mutex);
    SLUICE_TRY_ASSIGN(const OpenView* const found, known_view(*impl_->views, view));
    if (!has_rows_to_read(*found->view)) {
        return Error{Errc::invalid_argument,
                     "view " + view + " is " + std::string(name_of(kind_of(*found->view))) +
                         ": only the rows of an index can be read by another view"};
    }
    return Source(Source::Kind::rows, view);
}

} // namespace sluice
