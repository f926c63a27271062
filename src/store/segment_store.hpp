// Row segments: views that can forget. docs/design/store.md explains, docs/format/segment.md and
// docs/format/manifest.md have the bytes.
#pragma once
#include "io/file.hpp"
#include "store/segment_files.hpp"
#include "store/store.hpp"

#include <chrono>
#include <functional>
#include <span>

namespace sluice {

struct SegmentStoreOptions {
    std::uint32_t segment_rows_max = 131072; ///< Erasing rewrites whole segments: keep them small.
    std::uint64_t memory_bytes_max =
        48 * 1024 * 1024; ///< Rows in memory before they are cut; not 0.
    /// False: no thread; flushing and merging happen inside commit() and maintain(), in an order
    /// that depends on the calls only. For tests.
    bool background = true;
    /// Called before a manifest record with this log position is written, from whichever thread
    /// writes it: the rows in it must not become durable before the log entries they came from.
    /// It may call commit(), and nothing else that writes.
    std::function<Result<void>(Seq position)> before_save;
};

/// Keeps the rows of each view in immutable segments of its own. What is not yet in a segment file
/// is in memory only: the log is the journal. After opening, its owner commits what lies behind
/// each view's since(), or an empty commit if nothing does: with it the store learns what is gone.
/// Before that nobody should read.
///
/// A damaged file costs its rows and no others: walks of its view are empty and say why in
/// status(), damaged_views() names it, the next record says which rows are lost. The owner derives
/// lost_rows() again from the log, with load() and mend(), or the whole view, with install().
///
/// After a failed write every function that would write answers latched; reading goes on.
///
/// Threads: as Store says. Segment files are written by several threads when `background` is set.
/// Loaders must not outlive the store.
class SegmentStore final : public Store {
public:
    /// Reads the manifest; destroys files that no record names. A damaged manifest tail is cut back
    /// to the last whole record; damage that leaves no usable record opens as an empty store, whose
    /// views come back from the log.
    /// `directory` must outlive the store. Errors: io; unsupported_version.
    static Result<std::unique_ptr<SegmentStore>> open(Directory& directory,
                                                      const SegmentStoreOptions& options);
    ~SegmentStore() override;

    /// Another text whenever the store in the directory, of whichever process, has other files.
    /// Errors: io.
    static Result<std::string> fingerprint(Directory& directory);
    /// Not empty while purge() of another process waits for snapshots to be ended; another text
    /// each time. Errors: io.
    static Result<std::string> request_to_end(Directory& directory);

    /// The views that the manifest has. add_view() must name each before it is read or merged.
    std::vector<ViewId> stored_views() const;
    /// Views of which a file is damaged, as far as anybody has read. Dropping, installing or
    /// mending one takes it off the list.
    std::vector<ViewId> damaged_views() const;

    void add_view(const ViewSpec& view) override;
    Result<void> drop_view(ViewId view) override; ///< Its files are destroyed.
    Result<void> commit(StoreCommit commit, const Gone& gone) override;
    std::shared_ptr<const StoreSnapshot> snapshot() const override;

    /// Cuts all rows in memory into segments and commits one manifest record.
    Result<void> save();
    /// As far as opening again would find rows. Any thread.
    Seq saved_position() const;

    /// Builds segments for a view that no reader sees yet, beside everything else: back-filling.
    class Loader {
    public:
        virtual ~Loader() = default;
        /// Seqs must ascend over all calls. While two segments' worth of rows, of all loaders
        /// together, is waiting to be built, it builds some itself. From any one thread, beside
        /// the writer.
        virtual Result<void> add(RowBatch batch) = 0;
    };
    /// What the loader has built is destroyed with it unless it is installed.
    Result<std::unique_ptr<Loader>> load(const ViewSpec& view);
    /// The loaders' views appear with their rows, in one moment and durably, complete up to
    /// `since` <= the store's position. Each takes the place of a view with its id. The next commit
    /// brings them further, or names them as behind. The loaders are empty afterwards.
    Result<void> install(std::span<const std::unique_ptr<Loader>> loaders, Seq since);

    /// The seqs that may have had rows in damaged files of the view, and have no row now. save()
    /// first: it gives those up that were damaged since.
    SeqBitmap lost_rows(ViewId view) const;
    /// The loaders' rows, of lost_rows() as the log has them at the store's position, take the
    /// place of what was lost, in one moment and durably. The loaders are empty afterwards. From
    /// the thread that commits.
    Result<void> mend(std::span<const std::unique_ptr<Loader>> loaders);

    /// P6: no file of the store holds a row of `erased` after this, nor a dead one of `rederived`,
    /// nor did it leave one behind in a file that was not overwritten. The erased seqs must be in
    /// Gone::erased since the last commit(). With seqs in `rederived`, all rows in memory are saved
    /// first: the rows that took the place of the purged ones must not be lost. Waits up to
    /// `patience` for snapshots that pin old files; with Pinned::end not for those of this process,
    /// which go on in memory, and those of others are asked to do the same. Errors: busy, naming
    /// how many pin them (the rows are gone for every new reader, and purge() may be called again);
    /// io.
    struct Purged {
        std::uint64_t segments_rewritten = 0;
        std::uint64_t bytes_destroyed = 0;
    };
    Result<Purged> purge(std::span<const Seq> erased, std::span<const Seq> rederived,
                         std::chrono::milliseconds patience, Pinned by_snapshots = Pinned::wait);

    /// Asked before the log is written, so that what the views cannot follow is not appended.
    /// Errors: the failure that the background thread met, once; latched.
    Result<void> check_writable();

    /// As after this failure: what is in memory may not be what it should be, and is not written.
    void refuse_writes(const Error& failure);

    /// Does what the background thread would do, until there is nothing left to do. Errors: the
    /// ones that the background thread met are reported here and by the next commit().
    Result<void> maintain();
    /// Merges each view into as few segments as segment_rows_max allows.
    Result<void> merge_all();

    struct ViewStats {
        ViewId view;
        std::uint64_t rows = 0; ///< Stored, live or not.
        std::uint64_t segments = 0;
        std::uint64_t bytes = 0; ///< In files and in memory.
    };
    std::vector<ViewStats> stats() const;

    /// Reads every file whole and names what is wrong with it; empty when all is well.
    std::vector<std::string> check() const;

    /// The same of a store that nobody has open, and without changing anything.
    struct Inspected {
        std::vector<std::string> problems;
        std::vector<ViewId> views; ///< Which there are.
        Seq position;
    };
    static Result<Inspected> inspect(Directory& directory);

    class Impl; ///< segment_store_impl.hpp

private:
    explicit SegmentStore(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace sluice
