#include "store/loader.hpp"

#include "base/assert.hpp"
#include "base/memory.hpp"
#include "base/try.hpp"
#include "store/segment_builder.hpp"
#include "store/segment_merge.hpp"

#include <algorithm>

namespace sluice {
namespace {

constexpr std::uint64_t kPendingBytesMax = 32 * 1024 * 1024; // Of one loader, before it builds.
constexpr std::size_t kWaitingMax = 2;

} // namespace

WorkQueue::WorkQueue(std::size_t waiting_max)
    : waiting_max_(waiting_max), thread_([this] { run(); }) {}

WorkQueue::~WorkQueue() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void WorkQueue::give(std::function<void()> task) {
    std::unique_lock lock(mutex_);
    while (tasks_.size() >= waiting_max_) do_first(lock);
    tasks_.push_back(std::move(task));
    changed_.notify_all();
}

bool WorkQueue::help() {
    std::unique_lock lock(mutex_);
    if (tasks_.empty()) return false;
    do_first(lock);
    return true;
}

void WorkQueue::do_first(std::unique_lock<std::mutex>& lock) {
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr; // Its rows, before whatever comes next.
    lock.lock();
}

void WorkQueue::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return !tasks_.empty() || stopping_; });
        if (tasks_.empty()) return;
        do_first(lock);
    }
}

SegmentLoader::SegmentLoader(SegmentStore::Impl& store, ViewSpec view, WorkQueue* queue)
    : store_(store), view_(std::move(view)), queue_(queue) {
    const std::lock_guard lock(store_.loaders_mutex);
    store_.loaders.insert(this);
}

SegmentLoader::~SegmentLoader() {
    {
        const std::lock_guard lock(store_.loaders_mutex);
        store_.loaders.erase(this);
    }
    std::unique_lock lock(mutex_);
    built_.wait(lock, [this] { return being_built_ == 0; });
    static_cast<void>(or_out_of_memory([&]() -> Result<void> {
                          for (auto& segment : segments_) store_.files.doom(std::move(segment));
                          return {};
                      }).has_value()); // Else the next opening destroys what no record names.
}

Result<void> SegmentLoader::add(RowBatch batch) {
    {
        const std::lock_guard lock(mutex_);
        if (error_) return *error_;
    }
    batch.order_by_seq();
    if (batch.empty()) return {};
    if (batch.rows().front().seq <= last_seq_) {
        return Error{Errc::invalid_argument, "rows to load must come in the order of their seqs"};
    }
    last_seq_ = batch.rows().back().seq;
    pending_rows_ += batch.rows().size();
    pending_bytes_ += batch.size_bytes();
    pending_.push_back(std::move(batch));
    if (pending_rows_ >= store_.options.segment_rows_max || pending_bytes_ >= kPendingBytesMax) {
        end();
    }
    return {};
}

void SegmentLoader::end() {
    if (pending_.empty()) return;
    // Shared, because a std::function must be copyable and the rows should not be copied.
    auto batches = std::make_shared<std::vector<RowBatch>>(std::move(pending_));
    pending_.clear();
    pending_rows_ = pending_bytes_ = 0;
    const auto count = [this](int by) {
        const std::lock_guard lock(mutex_);
        being_built_ += by;
        built_.notify_all();
    };
    count(+1);
    // Counts it out when the last copy goes, whatever became of the work.
    const std::shared_ptr<void> being_built(nullptr, [count](void*) { count(-1); });
    if (queue_ == nullptr) return build(*batches);
    queue_->give([this, batches, being_built] { build(*batches); });
}

void SegmentLoader::build(std::span<const RowBatch> batches) {
    const auto built = or_out_of_memory([&] { return build_segments(batches); });
    const std::lock_guard lock(mutex_);
    if (!built && !error_) error_ = built.error();
}

Result<void> SegmentLoader::build_segments(std::span<const RowBatch> batches) {
    const std::lock_guard lock(mutex_);
    if (error_) return {};
    const std::shared_ptr<const StoreState> now = store_.state();
    const SeqBitmap& gone = view_.outlives_delete ? now->gone.erased : now->gone.deleted;
    std::vector<RowRef> rows;
    for (const RowBatch& batch : batches) {
        for (std::uint32_t row = 0; row < batch.rows().size(); ++row) {
            if (!gone.contains(batch.rows()[row].seq)) rows.push_back({&batch, row});
        }
    }
    const std::size_t rows_max = store_.options.segment_rows_max;
    for (std::size_t from = 0; from < rows.size(); from += rows_max) {
        const std::size_t count = std::min(rows_max, rows.size() - from);
        SLUICE_TRY_ASSIGN(auto segment, store_.latch.keep(store_.files.write(build_segment(
                                            view_, std::span(rows).subspan(from, count)))));
        segments_.push_back(std::move(segment));
    }
    return {};
}

Result<std::vector<std::shared_ptr<const Segment>>> SegmentLoader::finish() {
    end();
    while (queue_ != nullptr && queue_->help()) {
    }
    std::unique_lock lock(mutex_);
    built_.wait(lock, [this] { return being_built_ == 0; });
    if (error_) return *error_;
    std::sort(segments_.begin(), segments_.end(),
              [](const auto& a, const auto& b) { return a->seq_lo() < b->seq_lo(); });
    return std::exchange(segments_, {});
}

Result<std::uint64_t> SegmentLoader::purge(std::span<const Seq> seqs) {
    const std::lock_guard lock(mutex_);
    const std::shared_ptr<const StoreState> now = store_.state();
    const SeqBitmap& gone = view_.outlives_delete ? now->gone.erased : now->gone.deleted;
    std::vector<std::shared_ptr<const Segment>> kept;
    std::uint64_t rewritten = 0;
    for (const auto& segment : segments_) {
        const bool affected = std::any_of(
            seqs.begin(), seqs.end(), [&](Seq seq) { return segment->row_of(seq).has_value(); });
        if (!affected) {
            kept.push_back(segment);
            continue;
        }
        ++rewritten;
        const MergeInput input{segment.get(), Liveness(nullptr, &gone)};
        SLUICE_TRY(merge_segments(view_, {&input, 1}, store_.options.segment_rows_max,
                                  [&](const std::string& image) -> Result<void> {
                                      SLUICE_TRY_ASSIGN(
                                          auto left, store_.latch.keep(store_.files.write(image)));
                                      kept.push_back(std::move(left));
                                      return {};
                                  }));
        store_.files.doom(segment); // No record ever named it.
    }
    segments_ = std::move(kept);
    return rewritten;
}

Result<std::unique_ptr<SegmentStore::Loader>> SegmentStore::Impl::load(const ViewSpec& view) {
    SLUICE_TRY(latch.check());
    if (options.background && !load_queue_) load_queue_ = std::make_unique<WorkQueue>(kWaitingMax);
    return std::unique_ptr<Loader>(std::make_unique<SegmentLoader>(*this, view, load_queue_.get()));
}

namespace {

SegmentLoader& as_ours(const std::unique_ptr<SegmentStore::Loader>& loader) {
    auto* const ours = dynamic_cast<SegmentLoader*>(loader.get());
    SLUICE_ASSERT(ours != nullptr);
    return *ours;
}

} // namespace

/// Adds what the loaders have built to these views, which are theirs.
Result<void> SegmentStore::Impl::take_built(std::span<const std::unique_ptr<Loader>> finished,
                                            std::span<const std::shared_ptr<ViewState>> views) {
    // The caller's job holds the files, and no purge can come between.
    for (const auto& loader : finished) as_ours(loader).end();
    for (std::size_t i = 0; i < finished.size(); ++i) {
        SLUICE_TRY_ASSIGN(auto segments, as_ours(finished[i]).finish());
        std::vector<RowSource> files_built;
        for (auto& segment : segments) {
            views[i]->seq_hi = std::max(views[i]->seq_hi, segment->seq_hi());
            files_built.emplace_back().file = std::move(segment);
        }
        // Files before runs: fold_small_runs() looks at the end.
        std::vector<RowSource>& sources = views[i]->sources;
        sources.insert(sources.begin(), files_built.begin(), files_built.end());
    }
    return {};
}

Result<void> SegmentStore::Impl::install(std::span<const std::unique_ptr<Loader>> finished,
                                         Seq since) {
    SLUICE_TRY(latch.check());
    if (since > state()->position) {
        return Error{Errc::invalid_argument, "a view installed ahead of the store's position"};
    }
    const std::lock_guard work_lock(work_mutex_);
    std::vector<std::shared_ptr<ViewState>> loaded;
    for (const auto& loader : finished) {
        loaded.push_back(std::make_shared<ViewState>());
        loaded.back()->spec = as_ours(loader).view();
        loaded.back()->named = true;
    }
    SLUICE_TRY(take_built(finished, loaded));
    std::vector<RowSource> replaced;
    {
        const std::lock_guard lock(update_mutex_);
        auto next = std::make_shared<StoreState>(*state());
        for (auto& view : loaded) {
            const ViewId id = view->spec.id;
            if (const ViewState* const before = next->find(id)) {
                replaced.insert(replaced.end(), before->sources.begin(), before->sources.end());
                count_memory(*before, ViewState{});
            }
            std::erase_if(next->lagging, [id](const auto& lagging) { return lagging.first == id; });
            if (since != next->position) next->lagging.emplace_back(id, since);
            durable_since_[id] = since;
            next->views = with_view(*next->views, std::move(view));
        }
        publish(std::move(next));
    }
    Outcome outcome;
    outcome.found = state();
    SLUICE_TRY(write_record(outcome, {}));
    for (RowSource& source : replaced) {
        if (source.file) files.doom(std::move(source.file));
    }
    return {};
}

Result<void> SegmentStore::Impl::mend(std::span<const std::unique_ptr<Loader>> finished) {
    SLUICE_TRY(latch.check());
    const std::lock_guard work_lock(work_mutex_);
    std::vector<std::shared_ptr<ViewState>> mended;
    const std::shared_ptr<const StoreState> found = state();
    for (const auto& loader : finished) {
        const ViewState* const view = found->find(as_ours(loader).view().id);
        SLUICE_ASSERT(view != nullptr);
        mended.push_back(std::make_shared<ViewState>(*view));
    }
    SLUICE_TRY(take_built(finished, mended));
    {
        const std::lock_guard lock(update_mutex_);
        auto next = std::make_shared<StoreState>(*state());
        for (auto& view : mended) {
            view->damage.reset();
            view->lost.clear();
            next->views = with_view(*next->views, std::move(view));
        }
        publish(std::move(next));
    }
    Outcome outcome;
    outcome.found = state();
    return write_record(outcome, {});
}

} // namespace sluice
