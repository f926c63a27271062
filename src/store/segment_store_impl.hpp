// The inside of SegmentStore, in four files: segment_store.cpp (opening, committing, reading),
// maintenance.cpp (cutting, merging, records, the background thread), purge.cpp, loader.cpp.
//
// Reading takes the pointer to the current StoreState and nothing else. There are two kinds of
// change. A *commit* adds rows, marks others superseded and takes over Gone; it lasts microseconds.
// A *job* (cut, merge, purge, install, drop) changes which files there are: it works for as long as
// it likes on the state that it found, makes the result durable with one manifest record, and then
// publishes it into the state of that moment, carrying over what commits superseded meanwhile.
#pragma once
#include "store/manifest.hpp"
#include "store/segment_files.hpp"
#include "store/segment_store.hpp"
#include "store/store_state.hpp"

#include <condition_variable>
#include <map>
#include <set>
#include <thread>

namespace sluice {

/// Remembers the first failed write. Any thread.
class WriteLatch {
public:
    /// The failure itself, the first time that a caller asks; then Errc::latched.
    Result<void> check();
    bool failed() const;
    /// A failure is kept for check(). Answers what it was given.
    template <typename T> Result<T> keep(Result<T> written) {
        if (!written) set(written.error());
        return written;
    }
    void set(const Error& error);

private:
    mutable std::mutex mutex_;
    std::optional<Error> failure_;
    bool reported_ = false;
};

class SegmentLoader;
class WorkQueue;

class SegmentStore::Impl {
public:
    Impl(Directory& directory, SegmentStoreOptions options, Manifest manifest,
         std::uint64_t next_file_number);
    ~Impl();
    /// Takes over what the manifest names.
    Result<void> open();

    // segment_store.cpp
    void add_view(const ViewSpec& spec);
    Result<void> drop_view(ViewId view);
    Result<void> commit(StoreCommit commit, const Gone& gone);
    std::shared_ptr<const StoreState> state() const;

    // maintenance.cpp
    Result<void> save();
    Result<void> maintain();
    Result<void> merge_all();
    std::vector<std::string> check();

    // purge.cpp
    Result<Purged> purge(std::span<const Seq> erased, std::span<const Seq> rederived,
                         std::chrono::milliseconds patience, Pinned by_snapshots);

    // loader.cpp
    Result<std::unique_ptr<Loader>> load(const ViewSpec& view);
    Result<void> install(std::span<const std::unique_ptr<Loader>> finished, Seq since);
    Result<void> mend(std::span<const std::unique_ptr<Loader>> finished);

    const SegmentStoreOptions options;
    SegmentFiles files;
    WriteLatch latch;
    std::atomic<std::uint64_t> saved_position{0};

    /// Loaders that are neither installed nor gone, for purge(). Guarded by loaders_mutex.
    std::mutex loaders_mutex;
    std::set<SegmentLoader*> loaders;

private:
    /// What a job did to one view.
    struct Change {
        ViewId view;
        std::vector<RowSource> removed; ///< As the job found them.
        std::vector<std::shared_ptr<const Segment>> added;
    };
    struct Outcome {
        std::shared_ptr<const StoreState> found; ///< The state that the job worked on.
        std::vector<Change> changes;
        bool is_cut = false; ///< Every row up to found->position is in a file now.
    };

    // Commits. Called with update_mutex_ held.
    void publish(std::shared_ptr<const StoreState> next);
    void add_run(ViewState& view, RowBatch batch, const Gone& gone);
    void fold_small_runs(ViewState& view, const Gone& gone);
    void count_memory(const ViewState& before, const ViewState& after);
    bool cut_is_due(const StoreState& now) const;
    void wait_for_room();

    // Jobs. Called with work_mutex_ held.
    Result<void> cut();
    Result<void> take_built(std::span<const std::unique_ptr<Loader>> finished,
                            std::span<const std::shared_ptr<ViewState>> views);
    Result<void> conclude(Outcome outcome);
    /// Files that are given up: as one of them was found damaged, what it had is lost.
    using GivenUp = std::set<const Segment*>;
    Result<void> write_record(const Outcome& outcome, const GivenUp& given_up);
    ManifestRecord record_of(const Outcome& outcome, const GivenUp& given_up) const;
    void publish_changes(const Outcome& outcome, const GivenUp& given_up);
    void settle(StoreState& next, const StoreState& found);
    Result<void> merge(std::shared_ptr<const StoreState> found, const ViewState& view,
                       std::vector<RowSource> inputs);
    std::optional<Change> next_merge(const StoreState& now) const;
    void scrub_runs(std::span<const Seq> seqs);
    /// Fills each change's `added` with its `removed`, without dead rows.
    Result<void> rewrite(const StoreState& found, std::span<Change> changes);

    Result<void> work(); ///< Takes work_mutex_ for one job at a time.
    void run_background();
    void wake_background();
    Result<void> after_commit();

    Directory& directory_;

    // Lock order: work_mutex_, a loader's mutex, update_mutex_, state_mutex_.
    std::mutex work_mutex_; ///< One job at a time. Guards the next four.
    Manifest manifest_;
    Seq durable_position_;
    std::string durable_attachment_;
    std::map<ViewId, Seq> durable_since_; ///< Of the views that the manifest has.

    std::mutex update_mutex_; ///< One change of the state at a time. Guards the next two.
    std::uint64_t run_count_ = 0;
    std::uint64_t runs_being_cut_ = 0; ///< Runs up to this number are a job's.

    mutable std::mutex state_mutex_;
    std::shared_ptr<const StoreState> state_; ///< Guarded by state_mutex_. Never null.

    std::atomic<std::uint64_t> memory_bytes_{0};
    std::uint64_t gone_when_looked_ = 0; ///< The writer's: how many messages, when it last woke us.

    std::mutex signal_mutex_;
    std::condition_variable signal_; ///< There is work.
    std::condition_variable room_;   ///< Memory became free, or a write failed.
    bool work_wanted_ = false;
    std::atomic<bool> stopping_{false};
    std::thread background_;
    std::unique_ptr<WorkQueue> load_queue_; ///< Made by the first load().
};

} // namespace sluice
