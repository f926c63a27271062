// P6 for the store: no file holds a row of an erased message, and none that did was left to lie
// around unwritten.
#include "base/assert.hpp"
#include "base/try.hpp"
#include "store/loader.hpp"
#include "store/segment_merge.hpp"
#include "store/segment_store_impl.hpp"

#include <algorithm>
#include <deque>
#include <future>

namespace sluice {
namespace {

constexpr std::size_t kBuildersMax = 2; // Beside the thread that writes and syncs.
constexpr std::chrono::milliseconds kPinnedInterval{1};

/// Of a RowSource or a Segment. `seqs` ascend.
template <typename Rows> bool holds_any(const Rows& rows, std::span<const Seq> seqs) {
    auto at = std::lower_bound(seqs.begin(), seqs.end(), rows.seq_lo());
    for (; at != seqs.end() && *at <= rows.seq_hi(); ++at) {
        if (rows.row_of(*at)) return true; // Superseded rows count: their bytes are there.
    }
    return false;
}

/// Whether a dead row is one of `seqs`, which ascend.
bool holds_dead(const RowSource& source, std::span<const Seq> seqs, const SeqBitmap& gone) {
    auto at = std::lower_bound(seqs.begin(), seqs.end(), source.seq_lo());
    for (; at != seqs.end() && *at <= source.seq_hi(); ++at) {
        if (gone.contains(*at) && source.row_of(*at)) return true;
    }
    if (!source.superseded || seqs.empty()) return false;
    for (auto row = source.superseded->next_from(0); row;
         row = source.superseded->next_from(*row + 1ULL)) {
        if (std::binary_search(seqs.begin(), seqs.end(), source.seq_at(*row))) return true;
    }
    return false;
}

std::vector<Seq> ascending(std::span<const Seq> seqs) {
    std::vector<Seq> sorted(seqs.begin(), seqs.end());
    std::sort(sorted.begin(), sorted.end());
    return sorted;
}

using Images = std::vector<std::string>;

Images images_without_dead(const ViewSpec& spec, const Segment& segment, Liveness liveness,
                           std::uint32_t rows_max) {
    Images images;
    const MergeInput input{&segment, liveness};
    const Result<void> merged =
        merge_segments(spec, {&input, 1}, rows_max, [&](std::string image) -> Result<void> {
            images.push_back(std::move(image));
            return {};
        });
    SLUICE_ASSERT(merged.has_value()); // Only taking an image can fail.
    return images;
}

} // namespace

/// Memory is no file, but what is there would be cut into one: rows of `seqs` leave it too.
void SegmentStore::Impl::scrub_runs(std::span<const Seq> seqs) {
    const std::lock_guard lock(update_mutex_);
    auto next = std::make_shared<StoreState>(*state());
    for (const auto& now : ViewTable(*next->views)) {
        auto view = std::make_shared<ViewState>(*now);
        std::vector<RowSource> sources;
        bool changed = false;
        for (const RowSource& source : now->sources) {
            if (!source.run || !holds_any(source, seqs)) {
                sources.push_back(source);
                continue;
            }
            changed = true;
            const Liveness liveness = now->liveness(source, next->gone);
            RowBatch left;
            for (std::uint32_t row = 0; row < source.row_count(); ++row) {
                if (liveness.is_live(row, source.seq_at(row))) {
                    left.append_row(source.run->rows(), row);
                }
            }
            if (left.empty()) continue;
            RowSource scrubbed;
            scrubbed.run = std::make_shared<MemoryRun>(now->spec, std::move(left), ++run_count_);
            sources.push_back(std::move(scrubbed));
        }
        if (!changed) continue;
        view->sources = std::move(sources);
        count_memory(*now, *view);
        next->views = with_view(*next->views, std::move(view));
    }
    publish(std::move(next));
}

/// Images are made on other threads while this one writes and syncs those made before: erasing one
/// message in a hundred of a large log touches every file.
Result<void> SegmentStore::Impl::rewrite(const StoreState& found, std::span<Change> changes) {
    struct Building {
        Change* change;
        std::future<Images> images;
    };
    std::deque<Building> building;
    const auto finish_first = [&]() -> Result<void> {
        Building first = std::move(building.front());
        building.pop_front();
        for (const std::string& image : first.images.get()) {
            SLUICE_TRY_ASSIGN(auto segment, latch.keep(files.write(image)));
            first.change->added.push_back(std::move(segment));
        }
        return {};
    };
    const auto policy = options.background ? std::launch::async : std::launch::deferred;
    for (Change& change : changes) {
        const ViewState& view = *found.find(change.view);
        for (const RowSource& source : change.removed) {
            if (building.size() == kBuildersMax) SLUICE_TRY(finish_first());
            building.push_back({&change, std::async(policy, [&view, &source, &found,
                                                             rows_max = options.segment_rows_max] {
                                    return images_without_dead(
                                        view.spec, *source.file,
                                        view.settled_liveness(source, found.gone), rows_max);
                                })});
        }
    }
    while (!building.empty()) SLUICE_TRY(finish_first());
    return {};
}

Result<SegmentStore::Purged> SegmentStore::Impl::purge(std::span<const Seq> wanted,
                                                       std::span<const Seq> wanted_rederived,
                                                       std::chrono::milliseconds patience,
                                                       Pinned by_snapshots) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    SLUICE_TRY(latch.check());
    const std::vector<Seq> seqs = ascending(wanted);
    const std::vector<Seq> rederived = ascending(wanted_rederived);

    // One job at a time: what a merge under way produces is in the state before we look.
    const std::lock_guard work_lock(work_mutex_);
    Purged purged;
    {
        scrub_runs(seqs);
        if (!rederived.empty()) SLUICE_TRY(cut());
        Outcome outcome;
        outcome.found = state();
        const SeqBitmap& erased = outcome.found->gone.erased;
        if (!std::all_of(seqs.begin(), seqs.end(), [&](Seq s) { return erased.contains(s); })) {
            return Error{Errc::invalid_argument, "purging a message that is not erased"};
        }
        bool gives_up = false;
        for (const auto& view : *outcome.found->views) {
            Change change{view->spec.id, {}, {}};
            for (const RowSource& source : view->sources) {
                if (!source.file) continue;
                if (source.file->damage() != nullptr) {
                    // Nobody can tell which rows it holds. The record gives it up.
                    gives_up = true;
                    continue;
                }
                if (holds_any(source, seqs) ||
                    holds_dead(source, rederived, view->gone_of(outcome.found->gone))) {
                    change.removed.push_back(source);
                }
            }
            if (change.removed.empty()) continue;
            if (!view->named) {
                return Error{Errc::invalid_argument, "purging a view that was not added"};
            }
            outcome.changes.push_back(std::move(change));
        }
        SLUICE_TRY(rewrite(*outcome.found, outcome.changes));
        for (const Change& change : outcome.changes) {
            purged.segments_rewritten += change.removed.size();
        }
        {
            const std::lock_guard lock(loaders_mutex);
            for (SegmentLoader* const loader : loaders) {
                SLUICE_TRY_ASSIGN(const std::uint64_t rewritten, loader->purge(seqs));
                purged.segments_rewritten += rewritten;
            }
        }
        if (gives_up || !outcome.changes.empty()) SLUICE_TRY(conclude(std::move(outcome)));
    }

    SegmentFiles::Request request(files);
    if (by_snapshots == Pinned::end) SLUICE_TRY(latch.keep(request.make()));
    for (;;) {
        SLUICE_TRY_ASSIGN(const std::uint64_t destroyed_bytes,
                          latch.keep(files.destroy_unpinned(by_snapshots)));
        purged.bytes_destroyed += destroyed_bytes;
        // A snapshot from before the messages pins other files only. Whoever reads for hours must
        // not keep everything from being erased.
        const SegmentFiles::Left pinned = files.left_of_doomed([&](const Segment& segment) {
            return segment.damage() != nullptr || holds_any(segment, seqs) ||
                   holds_any(segment, rederived);
        });
        if (pinned.files == 0) {
            if (options.background) wake_background(); // What was cut may be small.
            return purged;
        }
        if (std::chrono::steady_clock::now() >= deadline) {
            return Error{
                Errc::busy,
                "old snapshots still read " + std::to_string(pinned.files) + " files" +
                    (pinned.processes.empty() ? "" : ", also of process " + pinned.processes)};
        }
        std::this_thread::sleep_for(kPinnedInterval);
    }
}

} // namespace sluice
