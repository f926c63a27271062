#include "store/segment_store.hpp"

#include "base/try.hpp"
#include "store/fan_in.hpp"
#include "store/loader.hpp"
#include "store/segment_cursor.hpp"
#include "store/segment_store_impl.hpp"

#include <algorithm>

namespace sluice {
namespace {

constexpr std::uint32_t kSmallRunRows = 4096; // Runs below it are folded together as they gather.
constexpr std::uint64_t kBatchSizeBytesMax = std::uint64_t{2} << 30;

class SegmentSnapshot final : public StoreSnapshot {
public:
    explicit SegmentSnapshot(std::shared_ptr<const StoreState> state) : state_(std::move(state)) {}

    Seq position() const override { return state_->position; }
    const Gone& gone() const override { return state_->gone; }
    Seq since(ViewId view) const override { return state_->since(view); }
    Result<void> status(ViewId view) const override {
        const ViewState* const found = state_->find(view);
        const Error* const damage = found == nullptr ? nullptr : found->find_damage();
        return damage == nullptr ? Result<void>() : *damage;
    }
    std::unique_ptr<Cursor> scan(ViewId view, const ScanRange& range) const override {
        return scan_view(state_->find(view), state_->gone, range);
    }
    std::vector<RowBatch::Emission> row(ViewId view, Seq seq) const override {
        return row_of_view(state_->find(view), seq);
    }
    std::string_view attachment() const override { return *state_->attachment; }
    std::vector<bool> may_have(ViewId view,
                               std::span<const std::string_view> terms) const override {
        return may_have_terms(state_->find(view), terms);
    }
    std::unique_ptr<GroupCursor> groups(ViewId view, const ScanRange& range) const override {
        return group_view(state_->find(view), state_->gone, range);
    }

private:
    std::shared_ptr<const StoreState> state_;
};

bool agrees(const Segment& segment, ViewId view, const ManifestRecord::SegmentEntry& entry) {
    return segment.view() == view && segment.size_bytes() == entry.size_bytes &&
           segment.row_count() == entry.rows && segment.seq_lo() == entry.seq_lo &&
           segment.seq_hi() == entry.seq_hi;
}

/// Errors: corrupt, also where the file is missing; io; unsupported_version.
Result<RowSource> open_source(SegmentFiles& files, ViewId view,
                              const ManifestRecord::SegmentEntry& entry) {
    if (entry.file_number == ManifestRecord::SegmentEntry::kLost) {
        return Error{Errc::corrupt, "a file was damaged, and what it had is not derived again yet"};
    }
    auto segment = files.open(entry.file_number);
    if (!segment && segment.error().code == Errc::not_found) {
        return Error{Errc::corrupt, segment.error().context};
    }
    if (!segment) return segment.error();
    if (!agrees(**segment, view, entry)) {
        return Error{Errc::corrupt, (*segment)->file().path + ": not the file that was recorded"};
    }
    RowSource source;
    source.file = *std::move(segment);
    if (!entry.superseded.empty()) {
        auto superseded = std::make_shared<RowSet>();
        for (const std::uint32_t row : entry.superseded) superseded->insert(row);
        source.superseded = source.saved_superseded = std::move(superseded);
    }
    return source;
}

} // namespace

Result<void> WriteLatch::check() {
    const std::lock_guard lock(mutex_);
    if (!failure_) return {};
    if (!std::exchange(reported_, true)) return *failure_;
    return Error{Errc::latched, "an earlier write failed: " + failure_->context};
}

bool WriteLatch::failed() const {
    const std::lock_guard lock(mutex_);
    return failure_.has_value();
}

void WriteLatch::set(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = error;
}

SegmentStore::Impl::Impl(Directory& directory, SegmentStoreOptions store_options, Manifest manifest,
                         std::uint64_t next_file_number)
    : options(std::move(store_options)), files(directory, next_file_number), directory_(directory),
      manifest_(std::move(manifest)) {
    auto empty = std::make_shared<StoreState>();
    empty->views = std::make_shared<ViewTable>();
    state_ = std::move(empty);
}

Result<void> SegmentStore::Impl::open() {
    std::vector<std::uint64_t> used;
    if (const std::optional<ManifestRecord>& record = manifest_.last()) {
        auto opened = std::make_shared<StoreState>();
        auto table = std::make_shared<ViewTable>();
        durable_attachment_ = record->attachment;
        opened->attachment = std::make_shared<const std::string>(record->attachment);
        durable_position_ = opened->position = record->position;
        saved_position = durable_position_.value;
        for (const ManifestRecord::View& stored : record->views) {
            auto view = std::make_shared<ViewState>();
            view->spec.id = stored.id;
            for (const auto& entry : stored.segments) {
                auto source = open_source(files, stored.id, entry);
                if (!source && source.error().code != Errc::corrupt) return source.error();
                view->seq_hi = std::max(view->seq_hi, entry.seq_hi);
                if (!source) {
                    // Without one of its segments a view is a part that looks like the whole.
                    view->damage = source.error();
                    view->lost.push_back({entry.seq_lo, entry.seq_hi});
                    continue;
                }
                used.push_back(entry.file_number);
                view->sources.push_back(*std::move(source));
            }
            durable_since_[stored.id] = stored.since;
            if (stored.since != record->position) {
                opened->lagging.emplace_back(stored.id, stored.since);
            }
            table = std::make_shared<ViewTable>(*with_view(*table, std::move(view)));
        }
        opened->views = std::move(table);
        state_ = std::move(opened);
    }
    SLUICE_TRY(files.destroy_others(used));
    if (options.background) {
        work_wanted_ = true; // A process that lived for a moment may have left some.
        background_ = std::thread([this] { run_background(); });
    }
    return {};
}

std::shared_ptr<const StoreState> SegmentStore::Impl::state() const {
    const std::lock_guard lock(state_mutex_);
    return state_;
}

void SegmentStore::Impl::publish(std::shared_ptr<const StoreState> next) {
    // The old state goes outside the lock: it may be the last to hold a lot of memory.
    const std::lock_guard lock(state_mutex_);
    state_.swap(next);
}

void SegmentStore::Impl::add_view(const ViewSpec& spec) {
    const std::lock_guard lock(update_mutex_);
    auto next = std::make_shared<StoreState>(*state());
    const ViewState* const known = next->find(spec.id);
    auto view =
        known != nullptr ? std::make_shared<ViewState>(*known) : std::make_shared<ViewState>();
    view->spec = spec;
    view->named = true;
    if (known == nullptr) next->lagging.emplace_back(spec.id, Seq{});
    next->views = with_view(*next->views, std::move(view));
    publish(std::move(next));
}

Result<void> SegmentStore::Impl::drop_view(ViewId id) {
    SLUICE_TRY(latch.check());
    const std::lock_guard work_lock(work_mutex_);
    std::vector<RowSource> dropped;
    {
        const std::lock_guard lock(update_mutex_);
        auto next = std::make_shared<StoreState>(*state());
        const ViewState* const view = next->find(id);
        if (view == nullptr) return {};
        dropped = view->sources;
        count_memory(*view, ViewState{});
        next->views = without_view(*next->views, id);
        std::erase_if(next->lagging, [id](const auto& lagging) { return lagging.first == id; });
        publish(std::move(next));
    }
    const bool was_durable = durable_since_.erase(id) > 0;
    if (was_durable) {
        Outcome outcome;
        outcome.found = state();
        SLUICE_TRY(write_record(outcome, {}));
    }
    for (RowSource& source : dropped) {
        if (source.file) files.doom(std::move(source.file));
    }
    dropped.clear();
    SLUICE_TRY(latch.keep(files.destroy_unpinned()));
    return {};
}

Result<void> SegmentStore::Impl::commit(StoreCommit commit, const Gone& gone) {
    SLUICE_TRY(latch.check());
    wait_for_room();
    {
        const std::lock_guard lock(update_mutex_);
        const std::shared_ptr<const StoreState> before = state();
        if (commit.position < before->position) {
            return Error{Errc::invalid_argument, "a commit behind the store's position"};
        }
        for (const StoreCommit::Rows& rows : commit.rows) {
            const ViewState* const view = before->find(rows.view);
            if (view == nullptr || !view->named) {
                return Error{Errc::invalid_argument, "rows for a view that was not added"};
            }
            if (rows.batch.size_bytes() > kBatchSizeBytesMax) {
                return Error{Errc::invalid_argument, "more than 2 GiB of rows in one commit"};
            }
        }

        auto next = std::make_shared<StoreState>();
        next->position = commit.position;
        next->gone = gone;
        next->views = before->views;
        next->attachment = commit.attachment
                               ? std::make_shared<const std::string>(*std::move(commit.attachment))
                               : before->attachment;
        for (const ViewId id : commit.behind) {
            if (before->find(id) != nullptr) next->lagging.emplace_back(id, before->since(id));
        }
        if (!commit.rows.empty()) {
            auto table = std::make_shared<ViewTable>(*before->views);
            for (StoreCommit::Rows& rows : commit.rows) {
                const auto at = std::find_if(table->begin(), table->end(), [&](const auto& view) {
                    return view->spec.id == rows.view;
                });
                auto view = std::make_shared<ViewState>(**at);
                rows.batch.order_by_seq();
                for (const RowBatch::Row& row : rows.batch.rows()) {
                    if (row.seq > view->seq_hi) break;
                    rows.retract.push_back(row.seq);
                }
                retract_rows(*view, rows.retract);
                if (!rows.batch.empty()) add_run(*view, std::move(rows.batch), gone);
                count_memory(**at, *view);
                *at = std::move(view);
            }
            next->views = std::move(table);
        }
        publish(std::move(next));
    }
    return after_commit();
}

void SegmentStore::Impl::add_run(ViewState& view, RowBatch batch, const Gone& gone) {
    RowSource source;
    source.run = std::make_shared<MemoryRun>(view.spec, std::move(batch), ++run_count_);
    view.seq_hi = std::max(view.seq_hi, source.seq_hi());
    view.sources.push_back(std::move(source));
    fold_small_runs(view, gone);
}

/// Many small commits would leave many runs for every read to ask. When kFanIn have gathered
/// behind a larger one they become one, so that a row is copied once for each factor of kFanIn.
void SegmentStore::Impl::fold_small_runs(ViewState& view, const Gone& gone) {
    for (;;) {
        const int tier = tier_of(view.sources.back().row_count());
        std::size_t first = view.sources.size();
        while (first > 0) {
            const RowSource& source = view.sources[first - 1];
            const bool folds = source.run && source.run->number() > runs_being_cut_ &&
                               source.row_count() < kSmallRunRows &&
                               tier_of(source.row_count()) <= tier;
            if (!folds) break;
            --first;
        }
        if (view.sources.size() - first < kFanIn) return;

        RowBatch folded;
        for (std::size_t i = first; i < view.sources.size(); ++i) {
            const RowSource& source = view.sources[i];
            const Liveness liveness = view.liveness(source, gone);
            for (std::uint32_t row = 0; row < source.row_count(); ++row) {
                if (liveness.is_live(row, source.seq_at(row))) {
                    folded.append_row(source.run->rows(), row);
                }
            }
        }
        view.sources.resize(first);
        if (folded.empty()) return;
        folded.order_by_seq();
        RowSource source;
        source.run = std::make_shared<MemoryRun>(view.spec, std::move(folded), ++run_count_);
        view.sources.push_back(std::move(source));
    }
}

void SegmentStore::Impl::count_memory(const ViewState& before, const ViewState& after) {
    const auto bytes = [](const ViewState& view) {
        std::uint64_t sum = 0;
        for (const RowSource& source : view.sources) {
            if (source.run) sum += source.run->rows().size_bytes();
        }
        return sum;
    };
    memory_bytes_ += bytes(after) - bytes(before);
}

bool SegmentStore::Impl::cut_is_due(const StoreState& now) const {
    if (memory_bytes_ >= options.memory_bytes_max) return true;
    return std::any_of(now.views->begin(), now.views->end(), [&](const auto& view) {
        std::uint64_t rows = 0;
        for (const RowSource& source : view->sources) rows += source.run ? source.row_count() : 0;
        return rows >= options.segment_rows_max;
    });
}

SegmentStore::SegmentStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SegmentStore::~SegmentStore() = default;

Result<std::unique_ptr<SegmentStore>> SegmentStore::open(Directory& directory,
                                                         const SegmentStoreOptions& options) {
    SLUICE_TRY_ASSIGN(Manifest manifest, Manifest::open(directory));
    const std::uint64_t next = manifest.last() ? manifest.last()->next_file_number : 1;
    auto impl = std::make_unique<Impl>(directory, options, std::move(manifest), next);
    SLUICE_TRY(impl->open());
    return std::unique_ptr<SegmentStore>(new SegmentStore(std::move(impl)));
}

Result<std::string> SegmentStore::request_to_end(Directory& directory) {
    return SegmentFiles::request_in(directory);
}

Result<std::string> SegmentStore::fingerprint(Directory& directory) {
    return Manifest::fingerprint(directory);
}

Result<SegmentStore::Inspected> SegmentStore::inspect(Directory& directory) {
    SLUICE_TRY_ASSIGN(Manifest::Found found, Manifest::look(directory));
    Inspected inspected{std::move(found.problems), {}, {}};
    SegmentFiles files(directory, 0);
    std::vector<std::uint64_t> named;
    if (found.last) {
        inspected.position = found.last->position;
        for (const ManifestRecord::View& view : found.last->views) {
            inspected.views.push_back(view.id);
            for (const auto& entry : view.segments) {
                named.push_back(entry.file_number);
                const auto source = open_source(files, view.id, entry);
                if (!source && source.error().code != Errc::corrupt) return source.error();
                const auto damage =
                    source ? source->file->find_damage() : std::optional<Error>(source.error());
                if (damage) inspected.problems.push_back(damage->context);
            }
        }
    }
    SLUICE_TRY_ASSIGN(const auto others, files.others(named));
    for (const std::string& name : others) {
        inspected.problems.push_back(directory.path() + "/" + name + ": no record names it");
    }
    return inspected;
}

std::vector<ViewId> SegmentStore::stored_views() const {
    std::vector<ViewId> ids;
    const std::shared_ptr<const StoreState> now = impl_->state();
    for (const auto& view : *now->views) {
        if (!view->damage) ids.push_back(view->spec.id);
    }
    return ids;
}

std::vector<ViewId> SegmentStore::damaged_views() const {
    std::vector<ViewId> ids;
    const std::shared_ptr<const StoreState> now = impl_->state();
    for (const auto& view : *now->views) {
        if (view->known_damage() != nullptr) ids.push_back(view->spec.id);
    }
    return ids;
}

void SegmentStore::add_view(const ViewSpec& view) {
    impl_->add_view(view);
}
Result<void> SegmentStore::drop_view(ViewId view) {
    return impl_->drop_view(view);
}

Result<void> SegmentStore::commit(StoreCommit commit, const Gone& gone) {
    return impl_->commit(std::move(commit), gone);
}

std::shared_ptr<const StoreSnapshot> SegmentStore::snapshot() const {
    return std::make_shared<SegmentSnapshot>(impl_->state());
}

Result<void> SegmentStore::save() {
    return impl_->save();
}

Result<std::unique_ptr<SegmentStore::Loader>> SegmentStore::load(const ViewSpec& view) {
    return impl_->load(view);
}

Result<void> SegmentStore::install(std::span<const std::unique_ptr<Loader>> loaders, Seq since) {
    return impl_->install(loaders, since);
}

SeqBitmap SegmentStore::lost_rows(ViewId view) const {
    const std::shared_ptr<const StoreState> now = impl_->state();
    const ViewState* const state = now->find(view);
    return state != nullptr ? state->lost_rows() : SeqBitmap();
}

Result<void> SegmentStore::mend(std::span<const std::unique_ptr<Loader>> loaders) {
    return impl_->mend(loaders);
}

Result<SegmentStore::Purged> SegmentStore::purge(std::span<const Seq> erased,
                                                 std::span<const Seq> rederived,
                                                 std::chrono::milliseconds patience,
                                                 Pinned by_snapshots) {
    return impl_->purge(erased, rederived, patience, by_snapshots);
}

Result<void> SegmentStore::check_writable() {
    return impl_->latch.check();
}
void SegmentStore::refuse_writes(const Error& failure) {
    impl_->latch.set(failure);
}
Result<void> SegmentStore::maintain() {
    return impl_->maintain();
}
Result<void> SegmentStore::merge_all() {
    return impl_->merge_all();
}

Seq SegmentStore::saved_position() const {
    return {impl_->saved_position.load()};
}

std::vector<SegmentStore::ViewStats> SegmentStore::stats() const {
    std::vector<ViewStats> all;
    const std::shared_ptr<const StoreState> now = impl_->state();
    for (const auto& view : *now->views) {
        ViewStats stats{.view = view->spec.id};
        for (const RowSource& source : view->sources) {
            stats.rows += source.row_count();
            stats.segments += 1;
            stats.bytes +=
                source.file ? source.file->size_bytes() : source.run->rows().size_bytes();
        }
        all.push_back(stats);
    }
    return all;
}

std::vector<std::string> SegmentStore::check() const {
    return impl_->check();
}

} // namespace sluice
