// Building the segments of a view that nobody reads yet, beside everything else.
#pragma once
#include "store/segment_store_impl.hpp"

#include <deque>
#include <functional>

namespace sluice {

/// One thread that does what it is given. With more than a few tasks waiting the giver does some
/// itself, so that neither waits for the other.
class WorkQueue {
public:
    explicit WorkQueue(std::size_t waiting_max);
    ~WorkQueue(); ///< After everything given was done.
    void give(std::function<void()> task);
    /// Does the task that has waited longest, on this thread; false if there is none.
    bool help();

private:
    void run();
    void do_first(std::unique_lock<std::mutex>& lock);

    std::size_t waiting_max_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> tasks_;
    bool stopping_ = false;
    std::thread thread_; ///< Last: it uses all the others.
};

class SegmentLoader final : public SegmentStore::Loader {
public:
    /// A null queue: segments are built by add() itself.
    SegmentLoader(SegmentStore::Impl& store, ViewSpec view, WorkQueue* queue);
    ~SegmentLoader() override;

    Result<void> add(RowBatch batch) override;

    /// Begins to build what is left.
    void end();
    /// The same, and ends with all built. Empties the loader.
    Result<std::vector<std::shared_ptr<const Segment>>> finish();
    const ViewSpec& view() const { return view_; }

    /// Rewrites the segments built so far that hold a row of `seqs`, which ascend and are erased.
    /// Those built later leave out what is gone by then. Answers how many.
    Result<std::uint64_t> purge(std::span<const Seq> seqs);

private:
    void build(std::span<const RowBatch> batches);
    Result<void> build_segments(std::span<const RowBatch> batches);

    SegmentStore::Impl& store_;
    ViewSpec view_;
    WorkQueue* queue_;

    // Of the thread that adds.
    std::vector<RowBatch> pending_;
    std::uint64_t pending_rows_ = 0;
    std::uint64_t pending_bytes_ = 0;
    Seq last_seq_;

    /// Held from looking at what is gone until the segment without it is in the list: purge() finds
    /// it there, or it was built after the erasure.
    std::mutex mutex_;
    std::condition_variable built_;
    int being_built_ = 0;
    std::optional<Error> error_;
    std::vector<std::shared_ptr<const Segment>> segments_; ///< In any order.
};

} // namespace sluice
