// One segment file of the log, and where its entries begin.
#pragma once
#include "io/file.hpp"
#include "log/format.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace sluice {

/// Threads: locate(), read(), extent_of() and the counters from any thread; the rest from the log's
/// writer.
class LogSegment {
public:
    /// What open() and create() need to know of the log they belong to.
    struct Place {
        Directory* directory; ///< Must outlive the segment.
        log_format::DatabaseId database;
        Seq first;
        std::uint64_t capacity_bytes; ///< The file will not grow beyond it. Below 4 GiB.
        bool read_only = false;       ///< Nothing is mended.
    };
    static constexpr std::uint64_t kCapacityBytesMax = std::uint64_t{2} << 30;

    static std::string file_name(Seq first);
    static std::string index_name(Seq first);

    /// Makes the file with its header, durable with its name.
    static Result<std::unique_ptr<LogSegment>> create(const Place& place);
    /// Whether the file has the header of the segment that belongs here. Errors: corrupt (it is
    /// another segment's, or another database's, or too large); unsupported_version; io.
    static Result<bool> has_header(const Place& place);
    /// Whether there is one, as the first is in any case. A file of its name that has neither the
    /// header of a segment, nor an index, nor an entry is none: a crash in create() left it, or a
    /// stranger.
    static Result<bool> exists(const Place& place);
    /// Loads the index and scans what it does not cover. With no `next_first` this is the last
    /// segment, whose tail may be torn and is then cut off; `note` says what was.
    static Result<std::unique_ptr<LogSegment>>
    open(const Place& place, std::optional<Seq> next_first, std::vector<std::string>& notes);

    /// Takes whole batches that another process has appended since, from about as many bytes at
    /// most; one batch in any case. Answers how many bytes are left. Read-only segments. Errors:
    /// corrupt (the file became shorter); io.
    Result<std::uint64_t> follow(std::uint64_t bytes_max);
    /// It became larger than its capacity: whoever opens it again sees the rest.
    bool is_outgrown() const { return file_->size_bytes() > capacity_bytes(); }

    Seq first() const { return place_.first; }
    std::uint64_t entry_count() const { return entry_count_.load(std::memory_order_acquire); }
    Seq last() const { return {first().value + entry_count() - 1}; } ///< first - 1 when empty.
    std::uint64_t size_bytes() const { return size_bytes_.load(std::memory_order_acquire); }
    std::uint64_t capacity_bytes() const { return place_.capacity_bytes; }
    const std::vector<Seq>& changes() const { return changes_; }
    const std::vector<Seq>& damaged() const { return damaged_; }

    struct Located {
        log_format::EntryHeader header;
        std::uint64_t offset = 0;
        std::string_view payload;
    };
    /// Finds the entry and checks its header, not its payload. Errors: corrupt.
    Result<Located> locate(Seq seq) const;
    /// As locate(), and the payload is what was written, or the entry is erased.
    Result<Located> read(Seq seq) const;

    struct NewEntry {
        std::uint64_t offset; ///< From the first byte of the batch.
        log_format::Kind kind;
    };
    /// `bytes` are whole entries that follow last().
    Result<void> append(std::string_view bytes, const std::vector<NewEntry>& entries);
    Result<void> sync() { return file_->sync(); }
    Result<void> save_index();
    /// Whether there is none, or what there was could not be used.
    bool needs_index() const { return index_ != Index::used; }
    /// Whether there is one that was not used, or that leads elsewhere.
    bool is_index_damaged() const;

    /// What erasing an entry overwrites.
    struct Extent {
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
        Seq first; ///< The entries that it concerns.
        Seq last;
        bool has_header = true;
    };
    /// State, checksum and payload. Where the header is damaged, all that lies between the nearest
    /// neighbours that can be read: what other entries were there is as lost as this one. Errors:
    /// corrupt (nothing of it is here).
    Result<Extent> extent_of(Seq seq) const;

    /// Overwrites it. Not synced. Harmless to repeat.
    Result<void> overwrite(const Extent& extent);
    /// Whether the file shows nothing of it any more.
    Result<bool> is_wiped(const Extent& extent) const;
    /// Gives the whole blocks inside a wiped payload back to the file system.
    Result<void> punch_holes(const Extent& extent);

private:
    struct Found {
        std::uint64_t offset = 0;
        log_format::EntryHeader header;
        bool intact = false;
    };

    explicit LogSegment(const Place& place)
        : place_(place), seed_(log_format::check_seed(place.database)) {}
    Result<void> start(std::unique_ptr<File> file, std::uint64_t size_bytes);
    static Result<bool> check_header(const Place& place, const File& file);
    enum class Index : std::uint8_t { none, refused, used };
    Index load_index();
    /// The entries in `tail`, which is all that lies behind size_bytes().
    std::vector<Found> scan(std::string_view tail) const;
    Result<std::vector<Found>> scan_tail(std::uint64_t bytes_max = ~std::uint64_t{0}) const;
    Seq durable_at_least(const std::vector<Found>& found) const;
    Result<void> write_again(std::uint64_t from);
    Result<void> take_tail(const std::vector<Found>& found, std::optional<Seq> next_first,
                           std::vector<std::string>& notes);
    /// Of an entry that lies before `end`. A reader may look up to size_bytes() and no further: the
    /// writer is changing what lies behind, and the size of the file.
    std::optional<log_format::EntryHeader> header_at(std::uint64_t offset, std::uint64_t end) const;
    std::optional<std::uint64_t> search(Seq seq) const;
    void add_entry(std::uint64_t offset, log_format::Kind kind);
    void add_damaged();
    Error damaged_error(Seq seq) const;

    Place place_;
    std::uint64_t seed_;
    std::unique_ptr<File> file_;
    Mapping map_;
    // Room for as many entries as can ever fit. Pages that are not reached cost nothing.
    std::unique_ptr<std::uint32_t[]> offsets_;
    std::atomic<std::uint64_t> entry_count_{0};
    std::atomic<std::uint64_t> size_bytes_{0};
    std::vector<Seq> changes_;
    std::vector<Seq> damaged_;
    Index index_ = Index::none;
    /// Where scanning the whole file finds the entries, once somebody had to.
    mutable std::once_flag searched_;
    mutable std::unordered_map<std::uint64_t, std::uint64_t> found_by_search_;
};

} // namespace sluice
