// The segment files of a store: writing new ones, and destroying old ones once nobody reads them.
#pragma once
#include "store/segment.hpp"

#include <atomic>
#include <functional>
#include <span>

namespace sluice {

/// What becomes of snapshots that keep files from being destroyed.
enum class Pinned : std::uint8_t { wait, end };

/// Threads: write() and forget() from any; the others from one at a time.
class SegmentFiles {
public:
    /// `next_number`: no file of this or a greater number is in use. `directory` must outlive it.
    SegmentFiles(Directory& directory, std::uint64_t next_number)
        : directory_(&directory), next_number_(next_number) {}

    /// Destroys the files that `used` does not name: a crash left them, and they may hold rows of
    /// messages that were erased since. Those that other processes read are doomed.
    Result<void> destroy_others(std::span<const std::uint64_t> used);

    /// Their names.
    Result<std::vector<std::string>> others(std::span<const std::uint64_t> used) const;

    Result<std::shared_ptr<const Segment>> open(std::uint64_t number);

    /// Name and bytes are durable when it returns.
    Result<std::shared_ptr<const Segment>> write(std::string_view image);
    std::uint64_t next_number() const { return next_number_; }

    /// Will be destroyed. No manifest record may name it anymore, or a crash could open a store
    /// whose files are zeros.
    void doom(std::shared_ptr<const Segment> segment);
    /// Files that another process still reads are left for later, and those that a snapshot reads,
    /// unless snapshots are ended. The bytes of the others.
    Result<std::uint64_t> destroy_unpinned(Pinned pinned = Pinned::wait);

    /// A file asks other processes to end their snapshots, for as long as this lives.
    class Request {
    public:
        explicit Request(SegmentFiles& files) : files_(&files) {}
        Request(const Request&) = delete;
        Request& operator=(const Request&) = delete;
        ~Request();
        Result<void> make();

    private:
        SegmentFiles* files_;
        bool is_made_ = false;
    };
    /// What a request says, each something else; empty: there is none. Errors: io.
    static Result<std::string> request_in(Directory& directory);
    /// Also the names of segments.
    static bool has_name(const std::string& name);
    bool any_doomed() const;
    /// The doomed files that are left, of those that `concerns`, and who keeps them.
    struct Left {
        std::uint64_t files = 0;
        std::string processes; ///< Others than this one that read any of them, for people.
    };
    Left left_of_doomed(const std::function<bool(const Segment&)>& concerns) const;

private:
    struct Doomed {
        std::uint64_t number = 0;
        std::shared_ptr<const Segment> segment; ///< Null pointer: nobody knows what it holds.
        std::string processes = {};             ///< That had it pinned when it was last tried.
    };
    /// Answers those that other processes have pinned, and adds up the bytes of the others.
    Result<std::vector<Doomed>> destroy(std::vector<Doomed> doomed, std::uint64_t& bytes);

    Directory* directory_;
    std::atomic<std::uint64_t> next_number_;
    mutable std::mutex mutex_;
    std::vector<Doomed> doomed_; ///< Guarded by mutex_.
};

} // namespace sluice
