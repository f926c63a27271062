// Jobs: cutting rows in memory into files, merging files, and the records that make both durable.
//
// The order that every job keeps: the name of a new file is synced, then its bytes are written and
// synced, then the log up to the position that the job saw, then one record; only then does the
// state change, and only when no snapshot holds them anymore are old files overwritten and removed.
// A crash before the record leaves files that no record names, which open() destroys; a crash after
// it leaves old files that no record names, which open() destroys too.
#include "base/memory.hpp"
#include "base/try.hpp"
#include "store/fan_in.hpp"
#include "store/loader.hpp"
#include "store/segment_builder.hpp"
#include "store/segment_merge.hpp"
#include "store/segment_store_impl.hpp"

#include <algorithm>

namespace sluice {
namespace {

constexpr std::uint64_t kMergeSizeBytesMax = std::uint64_t{1} << 30;
constexpr std::chrono::milliseconds kDoomedInterval{20}; // Between looks at files that were pinned.

/// The rows of these runs that live, in seq order.
std::vector<RowRef> live_rows(const ViewState& view, std::span<const RowSource> runs,
                              const Gone& gone) {
    std::vector<RowRef> rows;
    std::size_t count = 0;
    for (const RowSource& source : runs) count += source.row_count();
    rows.reserve(count);
    for (const RowSource& source : runs) {
        const Liveness liveness = view.liveness(source, gone);
        for (std::uint32_t row = 0; row < source.row_count(); ++row) {
            if (liveness.is_live(row, source.seq_at(row))) {
                rows.push_back({&source.run->rows(), row});
            }
        }
    }
    const auto by_seq = [](const RowRef& a, const RowRef& b) { return a.seq() < b.seq(); };
    if (!std::is_sorted(rows.begin(), rows.end(), by_seq)) {
        std::sort(rows.begin(), rows.end(), by_seq);
    }
    return rows;
}

/// Dead rows of a file, as far as they can be counted without reading a file for the first time.
std::uint64_t known_dead(const ViewState& view, const RowSource& source, const Gone& gone) {
    if (source.file->known() == Segment::Known::whole) {
        return view.settled_liveness(source, gone).count_dead(*source.file);
    }
    return source.saved_superseded ? source.saved_superseded->size() : 0;
}

/// Commits may have superseded rows that the job copied: the copies in the outputs are marked. A
/// cut leaves out what was superseded when it began, other jobs what a cut before them knew. What
/// was left out has no copy, so a seq that is found there is that of the marked row.
void carry_over(const RowSource& found, const RowSource& now, std::vector<RowSource>& outputs) {
    const RowSet* const left_out = (found.run ? found.superseded : found.saved_superseded).get();
    if (!now.superseded || now.superseded.get() == left_out) return;
    for (auto row = now.superseded->next_from(0); row;
         row = now.superseded->next_from(*row + 1ULL)) {
        if (left_out != nullptr && left_out->contains(*row)) continue;
        const Seq seq = now.seq_at(*row);
        for (RowSource& output : outputs) {
            const std::optional<std::uint32_t> copy = output.row_of(seq);
            if (!copy) continue;
            auto superseded = output.superseded ? std::make_shared<RowSet>(*output.superseded)
                                                : std::make_shared<RowSet>();
            superseded->insert(*copy);
            output.superseded = std::move(superseded);
        }
    }
}

} // namespace

Result<void> SegmentStore::Impl::cut() {
    Outcome outcome;
    outcome.is_cut = true;
    {
        const std::lock_guard lock(update_mutex_);
        outcome.found = state();
        runs_being_cut_ = run_count_;
    }
    for (const auto& view : *outcome.found->views) {
        Change change{view->spec.id, {}, {}};
        for (const RowSource& source : view->sources) {
            if (source.run) change.removed.push_back(source);
        }
        if (change.removed.empty()) continue;
        const std::vector<RowRef> rows = live_rows(*view, change.removed, outcome.found->gone);
        for (std::size_t from = 0; from < rows.size(); from += options.segment_rows_max) {
            const std::size_t count =
                std::min<std::size_t>(options.segment_rows_max, rows.size() - from);
            SLUICE_TRY_ASSIGN(auto segment,
                              latch.keep(files.write(build_segment(
                                  view->spec, std::span(rows).subspan(from, count)))));
            change.added.push_back(std::move(segment));
        }
        outcome.changes.push_back(std::move(change));
    }
    return conclude(std::move(outcome));
}

/// Makes the outcome durable, then visible; what it replaced is doomed.
Result<void> SegmentStore::Impl::conclude(Outcome outcome) {
    GivenUp given_up;
    for (const auto& view : *outcome.found->views) {
        for (const RowSource& source : view->sources) {
            if (source.file && source.file->known() == Segment::Known::damaged) {
                given_up.insert(source.file.get());
            }
        }
    }
    SLUICE_TRY(write_record(outcome, given_up));
    publish_changes(outcome, given_up);
    for (Change& change : outcome.changes) {
        for (RowSource& source : change.removed) {
            if (source.file) files.doom(std::move(source.file));
        }
    }
    {
        // Whoever waits for room has either seen the new figure or is already waiting.
        const std::lock_guard lock(signal_mutex_);
    }
    room_.notify_all();
    return {};
}

Result<void> SegmentStore::Impl::write_record(const Outcome& outcome, const GivenUp& given_up) {
    if (options.before_save) SLUICE_TRY(latch.keep(options.before_save(outcome.found->position)));
    const ManifestRecord record = record_of(outcome, given_up);
    SLUICE_TRY(latch.keep(manifest_.append(record)));
    durable_position_ = record.position;
    saved_position = record.position.value;
    durable_attachment_ = record.attachment;
    durable_since_.clear();
    for (const ManifestRecord::View& view : record.views) durable_since_[view.id] = view.since;
    return {};
}

ManifestRecord SegmentStore::Impl::record_of(const Outcome& outcome,
                                             const GivenUp& given_up) const {
    ManifestRecord record;
    record.position = outcome.is_cut ? outcome.found->position : durable_position_;
    record.next_file_number = files.next_number();
    record.attachment = outcome.is_cut ? *outcome.found->attachment : durable_attachment_;
    for (const auto& view : *outcome.found->views) {
        const ViewId id = view->spec.id;
        const auto durable = durable_since_.find(id);
        // A view that was added since the last cut has rows in memory only: it comes with the next.
        if (!outcome.is_cut && durable == durable_since_.end()) continue;

        ManifestRecord::View stored;
        stored.id = id;
        stored.since = outcome.is_cut ? outcome.found->since(id) : durable->second;
        const auto change =
            std::find_if(outcome.changes.begin(), outcome.changes.end(),
                         [id](const Change& candidate) { return candidate.view == id; });
        const auto name = [&](const Segment& segment, const RowSet* superseded) {
            ManifestRecord::SegmentEntry entry{segment.file().number, segment.size_bytes(),
                                               segment.row_count(),   segment.seq_lo(),
                                               segment.seq_hi(),      {}};
            if (superseded != nullptr) {
                for (auto row = superseded->next_from(0); row;
                     row = superseded->next_from(*row + 1ULL)) {
                    entry.superseded.push_back(*row);
                }
            }
            stored.segments.push_back(std::move(entry));
        };
        const auto name_lost = [&](Seq seq_lo, Seq seq_hi) {
            stored.segments.push_back(
                {ManifestRecord::SegmentEntry::kLost, 0, 0, seq_lo, seq_hi, {}});
        };
        for (const ViewState::Lost& part : view->lost) name_lost(part.seq_lo, part.seq_hi);
        for (const RowSource& source : view->sources) {
            if (source.file && given_up.contains(source.file.get())) {
                name_lost(source.seq_lo(), source.seq_hi());
                continue;
            }
            const bool removed =
                change != outcome.changes.end() &&
                std::any_of(change->removed.begin(), change->removed.end(),
                            [&](const RowSource& other) { return source.same_rows(other); });
            if (!source.file || removed) continue;
            name(*source.file,
                 (outcome.is_cut ? source.superseded : source.saved_superseded).get());
        }
        if (change != outcome.changes.end()) {
            for (const auto& segment : change->added) name(*segment, nullptr);
        }
        record.views.push_back(std::move(stored));
    }
    return record;
}

void SegmentStore::Impl::publish_changes(const Outcome& outcome, const GivenUp& given_up) {
    const std::lock_guard lock(update_mutex_);
    auto next = std::make_shared<StoreState>(*state());
    for (const Change& change : outcome.changes) {
        const ViewState* const now = next->find(change.view);
        auto view = std::make_shared<ViewState>(*now);
        std::vector<RowSource> outputs;
        for (const auto& segment : change.added) outputs.push_back({segment, {}, {}, {}});
        std::vector<RowSource> kept;
        for (const RowSource& source : now->sources) {
            const auto found =
                std::find_if(change.removed.begin(), change.removed.end(),
                             [&](const RowSource& other) { return source.same_rows(other); });
            if (found == change.removed.end()) {
                kept.push_back(source);
            } else {
                carry_over(*found, source, outputs);
            }
        }
        // Files before runs: fold_small_runs() looks at the end.
        const auto runs =
            std::stable_partition(kept.begin(), kept.end(),
                                  [](const RowSource& source) { return source.file != nullptr; });
        kept.insert(runs, outputs.begin(), outputs.end());
        view->sources = std::move(kept);
        count_memory(*now, *view);
        next->views = with_view(*next->views, std::move(view));
    }
    for (const auto& now : given_up.empty() ? ViewTable() : ViewTable(*next->views)) {
        auto view = std::make_shared<ViewState>(*now);
        auto taken = view->lose(given_up);
        if (taken.empty()) continue;
        for (auto& file : taken) files.doom(std::move(file));
        next->views = with_view(*next->views, std::move(view));
    }
    if (outcome.is_cut) settle(*next, *outcome.found);
    runs_being_cut_ = 0;
    publish(std::move(next));
}

/// A cut made durable which rows were superseded in `found`.
void SegmentStore::Impl::settle(StoreState& next, const StoreState& found) {
    for (const auto& cut_view : *found.views) {
        const ViewState* const now = next.find(cut_view->spec.id);
        if (now == nullptr) continue;
        std::shared_ptr<ViewState> changed;
        for (const RowSource& source : cut_view->sources) {
            if (!source.file || source.superseded == source.saved_superseded) continue;
            if (!changed) changed = std::make_shared<ViewState>(*now);
            for (RowSource& each : changed->sources) {
                if (each.same_rows(source)) each.saved_superseded = source.superseded;
            }
        }
        if (changed) next.views = with_view(*next.views, std::move(changed));
    }
}

/// The next merge that is worth its price: a file of which a quarter is dead; else files of like
/// size when kFanIn of them have gathered, as many as fit in one. Full ones are left alone.
std::optional<SegmentStore::Impl::Change>
SegmentStore::Impl::next_merge(const StoreState& now) const {
    for (const auto& view : *now.views) {
        if (!view->named || view->damage) continue;
        std::map<int, std::vector<const RowSource*>> tiers;
        for (const RowSource& source : view->sources) {
            if (!source.file) continue;
            const std::uint64_t rows = source.row_count();
            const std::uint64_t dead = known_dead(*view, source, now.gone);
            if (dead * 4 >= rows) return Change{view->spec.id, {source}, {}};
            if (rows * 2 < options.segment_rows_max) tiers[tier_of(rows)].push_back(&source);
        }
        for (auto& [tier, sources] : tiers) {
            if (sources.size() < kFanIn) continue;
            // Neighbours in the log stay together, so that reading one term strings them together.
            std::sort(sources.begin(), sources.end(), [](const RowSource* a, const RowSource* b) {
                return a->seq_lo() < b->seq_lo();
            });
            Change change{view->spec.id, {}, {}};
            std::uint64_t rows = 0, bytes = 0;
            for (const RowSource* const source : sources) {
                rows += source->row_count();
                bytes += source->file->size_bytes();
                if (change.removed.size() == kFanIn || rows > options.segment_rows_max ||
                    bytes > kMergeSizeBytesMax) {
                    break;
                }
                change.removed.push_back(*source);
            }
            if (change.removed.size() > 1) return change;
        }
    }
    return std::nullopt;
}

Result<void> SegmentStore::Impl::merge(std::shared_ptr<const StoreState> found,
                                       const ViewState& view, std::vector<RowSource> removed) {
    Outcome outcome;
    outcome.found = std::move(found);
    Change change{view.spec.id, std::move(removed), {}};
    std::vector<MergeInput> inputs;
    bool whole = true;
    for (const RowSource& source : change.removed) {
        whole = source.file->damage() == nullptr && whole;
        inputs.push_back({source.file.get(), view.settled_liveness(source, outcome.found->gone)});
    }
    if (whole) {
        SLUICE_TRY(merge_segments(view.spec, inputs, options.segment_rows_max,
                                  [&](const std::string& image) -> Result<void> {
                                      SLUICE_TRY_ASSIGN(auto segment,
                                                        latch.keep(files.write(image)));
                                      change.added.push_back(std::move(segment));
                                      return {};
                                  }));
        outcome.changes.push_back(std::move(change));
    } // Else the record gives the damaged file up.
    return conclude(std::move(outcome));
}

Result<void> SegmentStore::Impl::merge_all() {
    SLUICE_TRY(latch.check());
    const std::lock_guard lock(work_mutex_);
    SLUICE_TRY(cut());
    std::vector<ViewId> ids;
    {
        const std::shared_ptr<const StoreState> now = state();
        for (const auto& view : *now->views) ids.push_back(view->spec.id);
    }
    for (const ViewId id : ids) {
        // Taken anew for each, so that no state is held on to: it would pin files.
        const std::shared_ptr<const StoreState> found = state();
        const ViewState* const view = found->find(id);
        if (!view->named || view->damage) continue;
        std::vector<RowSource> inputs;
        for (const RowSource& source : view->sources) {
            const bool crossed = std::any_of(
                view->sources.begin(), view->sources.end(), [&](const RowSource& other) {
                    return !other.same_rows(source) && other.seq_lo() <= source.seq_hi() &&
                           source.seq_lo() <= other.seq_hi();
                });
            const bool full = source.row_count() == options.segment_rows_max && !crossed &&
                              source.file && source.file->damage() == nullptr &&
                              view->liveness(source, found->gone).count_dead(*source.file) == 0;
            if (source.file && !full) inputs.push_back(source);
        }
        const bool alone = inputs.size() == 1 && inputs[0].file->damage() == nullptr &&
                           view->liveness(inputs[0], found->gone).count_dead(*inputs[0].file) == 0;
        if (inputs.empty() || alone) continue;
        SLUICE_TRY(merge(found, *view, std::move(inputs)));
    }
    SLUICE_TRY(latch.keep(files.destroy_unpinned()));
    return {};
}

Result<void> SegmentStore::Impl::save() {
    SLUICE_TRY(latch.check());
    const std::lock_guard lock(work_mutex_);
    SLUICE_TRY(cut());
    SLUICE_TRY(latch.keep(files.destroy_unpinned()));
    return {};
}

Result<void> SegmentStore::Impl::maintain() {
    SLUICE_TRY(latch.check());
    return work();
}

Result<void> SegmentStore::Impl::work() {
    for (bool more = true; more && !stopping_;) {
        const std::lock_guard lock(work_mutex_);
        if (latch.failed()) return {}; // Whoever met the failure reported it.
        const std::shared_ptr<const StoreState> now = state();
        if (cut_is_due(*now)) {
            SLUICE_TRY(cut());
        } else if (std::optional<Change> change = next_merge(*now)) {
            SLUICE_TRY(merge(now, *now->find(change->view), std::move(change->removed)));
        } else {
            more = false;
        }
    }
    const std::lock_guard lock(work_mutex_);
    SLUICE_TRY(latch.keep(files.destroy_unpinned()));
    return {};
}

Result<void> SegmentStore::Impl::after_commit() {
    const std::shared_ptr<const StoreState> now = state();
    // Files become worth rewriting as messages go. Looking costs as much as there are files, so it
    // is not done for every commit.
    const std::uint64_t gone = now->gone.deleted.size();
    const bool many_gone = gone > gone_when_looked_ + options.segment_rows_max / 8;
    if (!many_gone && !cut_is_due(*now)) return {};
    gone_when_looked_ = gone;
    if (!options.background) return work();
    wake_background();
    return {};
}

void SegmentStore::Impl::wake_background() {
    const std::lock_guard lock(signal_mutex_);
    work_wanted_ = true;
    signal_.notify_one();
}

/// Bounds the memory of a writer that is faster than the disk.
void SegmentStore::Impl::wait_for_room() {
    if (!options.background || memory_bytes_ < 2 * options.memory_bytes_max) return;
    std::unique_lock lock(signal_mutex_);
    room_.wait(lock, [this] {
        return memory_bytes_ < 2 * options.memory_bytes_max || latch.failed() || stopping_;
    });
}

void SegmentStore::Impl::run_background() {
    std::unique_lock lock(signal_mutex_);
    while (!stopping_) {
        const auto wanted = [this] { return work_wanted_ || stopping_; };
        if (files.any_doomed()) {
            signal_.wait_for(lock, kDoomedInterval, wanted);
        } else {
            signal_.wait(lock, wanted);
        }
        if (stopping_) return;
        work_wanted_ = false;
        lock.unlock();
        // A failure is in the latch, for the next commit to report.
        const Result<void> worked = latch.keep(or_out_of_memory([this] { return work(); }));
        lock.lock();
        if (!worked) room_.notify_all();
    }
}

SegmentStore::Impl::~Impl() {
    {
        const std::lock_guard lock(signal_mutex_);
        stopping_ = true;
    }
    signal_.notify_all();
    if (background_.joinable()) background_.join();
}

std::vector<std::string> SegmentStore::Impl::check() {
    const std::lock_guard lock(work_mutex_); // No record is being appended, no file destroyed.
    std::vector<std::string> problems = manifest_.check();
    const std::shared_ptr<const StoreState> now = state();
    for (const auto& view : *now->views) {
        if (view->damage) problems.push_back(view->damage->context);
        for (const RowSource& source : view->sources) {
            if (!source.file) continue;
            // What nobody has looked at is known from now on, and so derived again one day.
            if (source.file->known() == Segment::Known::nothing) {
                const Error* const damage = source.file->damage();
                if (damage != nullptr) problems.push_back(damage->context);
            } else if (const auto damage = source.file->find_damage()) {
                problems.push_back(damage->context);
            }
        }
    }
    return problems;
}

} // namespace sluice
