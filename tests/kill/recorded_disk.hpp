// A disk that remembers in which order it was written.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace sluice::test {

/// What a disk was told: to write, or (without bytes) that everything written before be durable.
struct DiskOperation {
    std::uint64_t position = 0;
    std::string bytes;
    bool is_flush() const { return bytes.empty(); }
};

/// An image that another process of ours serves to the kernel, over FUSE, as one file; a loop
/// device makes a disk of it. The kernel waits for every write and flush to be written down, so the
/// record has them in an order that a disk may see: what was issued behind a flush comes behind it.
class RecordedDisk {
public:
    /// Mounts a folder with the file `disk` in it: see file(). Throws NotAllowed.
    RecordedDisk(std::filesystem::path image, std::filesystem::path folder);
    RecordedDisk(const RecordedDisk&) = delete;
    RecordedDisk& operator=(const RecordedDisk&) = delete;
    ~RecordedDisk();

    std::filesystem::path file() const { return folder_ / "disk"; }
    /// How many operations there were until now. Any process may ask that was forked since.
    std::uint64_t operation_count() const;
    /// Nobody may have the file open any more.
    std::vector<DiskOperation> stop();

private:
    struct Shared;

    std::filesystem::path image_;
    std::filesystem::path folder_;
    Shared* shared_ = nullptr; ///< With the serving process.
    pid_t server_ = 0;
};

} // namespace sluice::test
