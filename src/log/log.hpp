// The log: numbered entries in segment files, appended, read by number, and erased in place.
#pragma once
#include "io/file.hpp"
#include "log/format.hpp"
#include "log/log_segment.hpp"

#include <sluice/seq.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

namespace sluice {

struct LogOptions {
    /// A segment is closed when the next batch would make it larger. Bytes.
    std::uint64_t segment_size_bytes = 64 * 1024 * 1024;
    /// Whatever is wrong stays as it is, and no file is changed: append() and wipe() answer
    /// latched.
    bool read_only = false;
    /// With read_only: another process may write, and follow() takes what it did.
    bool follows = false;
};

/// Promises. log_test.cpp, log_recovery_test.cpp and log_erase_test.cpp hold each in its own words.
///   L1  A seq that append() returned names the same entry for as long as the log exists.
///   L2  A batch is in the log whole or not at all, and whole once sync() has returned.
///   L3  Once wipe(s) has returned, the log's files show nothing of s but its lengths.
///   L4  wipe(s) changes no other entry, and whoever reads s meanwhile, in any process, finds it
///       whole or erased.
///   L5  A damaged entry is reported by its seq; its neighbours are read as before.
///   L6  After a failed write nothing more is written until the log is opened again.
///
/// Threads: reading from any thread at any time; sync() from any thread; append(), wipe() and
/// close() from one thread at a time.
class Log {
public:
    using Kind = log_format::Kind;
    static constexpr std::uint32_t kBodySizeBytesMax = 16 * 1024 * 1024;
    static constexpr std::uint32_t kKeySizeBytesMax = 65535;

    /// Whoever makes, writes or mends a log has this lock of its directory. It is taken by the
    /// caller.
    static constexpr const char* kLockName = "lock";

    /// Errors: exists, if the directory has more than a crash in create() leaves.
    static Result<void> check_is_none(Directory& directory);
    /// Makes the log in such a directory. Errors: as check_is_none().
    static Result<void> create(Directory& directory);
    /// Whether a log has files of this name.
    static bool has_name(const std::string& name);
    /// Errors: not_found; corrupt; unsupported_version; io.
    static Result<log_format::Identity> identity_of(Directory& directory);
    /// What open() will think of each file that is named like a segment. Changes nothing.
    struct SegmentLook {
        enum class State : std::uint8_t {
            whole,
            headless,   ///< The header is damaged: open() writes it again.
            no_segment, ///< It has nothing of one: open() passes it over.
            misplaced,  ///< open() fails, as `error` says.
        };
        std::string file;
        State state = State::whole;
        Error error{};
    };
    static Result<std::vector<SegmentLook>> look_at_segments(Directory& directory);
    /// Makes the identity again that was lost: with the id that the segments' headers have, and
    /// another secret, so that nothing that was hashed with the old one is recognized. `directory`
    /// has no identity. Errors: exists; corrupt (no segment has a header).
    static Result<void> restore_identity(Directory& directory);
    /// Reads the indexes and the tail, cuts a torn tail off. `directory` must outlive the log.
    /// Errors: not_found (no log here); corrupt; unsupported_version; io.
    static Result<std::unique_ptr<Log>> open(Directory& directory, const LogOptions& options);
    /// Saves the index of the last segment, so that the next open() need not scan it. Errors are
    /// lost with it: it can be made again.
    ~Log();

    struct Draft {
        Kind kind = Kind::message;
        std::string_view key;
        std::string_view body;
        bool is_secret = false; ///< No copy of it stays in memory. The file has it.
    };
    /// Appends one atomic batch and returns the seq of its first entry; the others follow. Visible
    /// to read() at once, durable after sync(). Errors: invalid_argument; io; no_space; latched.
    Result<Seq> append(std::span<const Draft> batch);
    /// Everything appended before the call is durable after it. Threads that wait together share
    /// one fdatasync. Errors: io; latched.
    Result<void> sync();
    Result<void> sync_up_to(Seq seq);

    /// An entry in the log's memory map: valid while the log lives. `body` of an entry that is
    /// wiped meanwhile turns to zeros under the reader: check erased() of the ledger after use.
    struct Entry {
        Kind kind = Kind::message;
        bool erased = false;
        std::string_view key;
        std::string_view body;
    };
    /// Errors: not_found (no such seq); corrupt (damaged).
    Result<Entry> read(Seq seq) const;
    /// As read(), of an entry that append() has just written: its payload is not checked again.
    Result<Entry> read_back(Seq seq) const;

    /// Overwrites key, body and checksum of each entry in place and makes that durable, then reads
    /// it back and gives whole blocks to the file system. Repeating it is harmless. `seqs` ascend.
    /// Of damaged entries whose headers are lost, everything between their neighbours is
    /// overwritten: with the entry those beside it that nobody can read either. Errors: io; corrupt
    /// (what was read back is not what was written; or an entry is lost with its file: then the
    /// others are wiped); latched.
    Result<void> wipe(std::span<const Seq> seqs);

    /// The first and the last of the entries that wipe() overwrites with this one: itself, unless
    /// its header is lost.
    std::pair<Seq, Seq> wiped_with(Seq seq) const;

    /// With `follows`: takes entries that another process has appended since, of about as many
    /// bytes at most, and names the changes behind `known`: also those that an earlier call took
    /// and failed behind. From one thread at a time. Errors: corrupt (the log is shorter than it
    /// was: it was put back from a copy, or what was never durable is lost); io.
    struct Followed {
        std::vector<Seq> changes;     ///< Ascending.
        std::uint64_t bytes_left = 0; ///< Not taken; an unfinished batch is among them.
    };
    Result<Followed> follow(Seq known, std::uint64_t bytes_max = ~std::uint64_t{0});

    /// As after a failed write: what is in memory may not be what it should be.
    void refuse_writes() { write_failed_ = true; }

    Seq last() const { return {last_.load(std::memory_order_acquire)}; }
    Seq durable() const { return {durable_.load(std::memory_order_acquire)}; }

    /// The seqs of all change entries, ascending, as of open().
    std::vector<Seq> changes_at_open() const;
    /// Entries whose bytes are damaged, as far as opening came across them. check() finds all.
    std::vector<Seq> damaged_at_open() const;
    /// What opening cut off, or passed over, for people. With read_only: what it would cut off.
    const std::vector<std::string>& recovery_notes() const { return recovery_notes_; }

    /// One damaged entry, or several that follow each other.
    struct Damage {
        Seq first;
        Seq last;
        std::string file;        ///< Its name; empty: it is lost.
        std::uint64_t begin = 0; ///< Where they lie in it, in bytes.
        std::uint64_t end = 0;
    };
    /// Reads every entry, and answers those that are damaged. `progress` is told each seq.
    std::vector<Damage> check(const std::function<void(Seq)>& progress = [](Seq) {}) const;
    /// The names of index files that are damaged. Without them nothing is missing.
    std::vector<std::string> damaged_indexes() const;
    /// Whether no file has anything of it: it went with one.
    bool is_lost(Seq seq) const;
    /// Those of `seqs`, which ascend and are erased, of which a file shows more than lengths.
    /// Errors: io.
    Result<std::vector<Seq>> not_wiped(std::span<const Seq> seqs) const;

    const log_format::Identity& identity() const { return identity_; }
    std::uint64_t size_bytes() const;
    std::size_t segment_count() const;
    Medium medium() const { return directory_->medium(); }

private:
    Log(Directory& directory, const LogOptions& options, const log_format::Identity& identity);
    Result<void> open_segments();
    LogSegment::Place place_of(Seq first) const;
    Result<void> begin_segment(Seq first, std::uint64_t batch_size_bytes);
    Result<void> check_writable() const;
    Result<void> latch_failure(Result<void> written);
    const LogSegment* segment_of(Seq seq) const;
    Result<const LogSegment*> find_segment(Seq seq) const;
    static Entry entry_of(const LogSegment::Located& located);
    LogSegment& active() { return *segments_.back(); }

    Directory* directory_; // Not owned.
    LogOptions options_;
    log_format::Identity identity_;

    mutable std::shared_mutex segments_mutex_; // Guards the vector; segments themselves stay put.
    std::vector<std::unique_ptr<LogSegment>> segments_;
    std::vector<std::unique_ptr<LogSegment>> outgrown_; // Somebody may read in their maps.
    std::atomic<std::uint64_t> last_{0};
    std::atomic<std::uint64_t> durable_{0};
    std::mutex sync_mutex_;
    std::atomic<bool> write_failed_{true}; ///< Until it is wholly open.
    std::vector<std::string> recovery_notes_;
    std::string batch_bytes_; // Of append(), kept so that its pages need not be zeroed every time.
};

} // namespace sluice
