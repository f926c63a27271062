// Files and directories as the engine sees them, so that a test can stand in for a disk that fails.
#pragma once
#include <sluice/result.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// A file's bytes in memory. Follows later writes to the file. Reading is valid from any thread for
/// as long as the Mapping lives, up to the file's size at the time.
struct Mapping {
    std::shared_ptr<const void> keep_alive;
    const char* data = nullptr;
    /// Makes the bytes this process's own: they stay where they are and as they are, and nothing is
    /// mapped or pinned of the file. Any thread, while keep_alive lives. Empty: they are of no
    /// file. Errors: io.
    std::function<Result<void>()> leave_file = {};
    std::string_view bytes(std::uint64_t from, std::uint64_t size_bytes) const {
        return {data + from, size_bytes};
    }
};

/// Whether a file may be destroyed under the eyes of other processes.
struct Claim {
    bool is_granted = false;
    std::string holders; ///< For people: the processes that have it pinned, as far as one can see.
};

/// Errors of every call: io, no_space, with os_errno and the file's path in the context.
/// Threads: read_at() and map() from any; the writing calls from one at a time.
class File {
public:
    virtual ~File() = default;
    virtual std::uint64_t size_bytes() const = 0;
    /// Fills `into` whole, or fails: a file that ends too early is Errc::corrupt.
    virtual Result<void> read_at(std::uint64_t position, char* into, std::size_t size) const = 0;
    /// Grows the file where needed. After an error the range may hold anything.
    virtual Result<void> write_at(std::uint64_t position, std::string_view bytes) = 0;
    virtual Result<void> truncate(std::uint64_t size_bytes) = 0;
    /// The data and the size are durable when this returns (fdatasync).
    virtual Result<void> sync() = 0;
    /// Gives the blocks of a zeroed range back to the file system; they read as zeros. A hint:
    /// where the file system cannot, nothing happens.
    virtual Result<void> punch_hole(std::uint64_t position, std::uint64_t size_bytes) = 0;
    /// Maps bytes [0, reserve_bytes), which may reach past the end of the file; only what lies
    /// inside the file may be touched.
    virtual Result<Mapping> map(std::uint64_t reserve_bytes) const = 0;

    // Among processes that have the same file open.

    /// size_bytes() is what it is now, whoever made the file longer.
    virtual Result<void> look_again() = 0;
    /// Keeps others from claiming the file for as long as it or a mapping of it lives. False:
    /// somebody has claimed it, or it has no name any more.
    virtual Result<bool> pin() = 0;
    /// Granted if nobody has it pinned. Then nobody can, until this is closed.
    virtual Result<Claim> claim() = 0;
};

/// Held until destroyed, or until the process ends.
class FileLock {
public:
    virtual ~FileLock() = default;
};

/// What overwriting a file in place reaches.
enum class Medium : std::uint8_t {
    files,  ///< The file's own bytes; what lies underneath (copy-on-write, network) is unknown.
    device, ///< The device's blocks too: ext4 without data journaling, or xfs.
};

enum class Create : std::uint8_t { never, if_missing, must };

/// One directory. Names are plain names without '/'. Errors as for File; not_found; exists; refused
/// (a symbolic link, or a file that is a pipe or a device: nobody who can put names into the
/// directory leads us elsewhere).
///
/// Files are their owner's alone (0600, and 0700 for subdirectories), whatever the umask. Those
/// that others could reach, because somebody copied them with other modes, are so again once they
/// are opened.
class Directory {
public:
    virtual ~Directory() = default;
    virtual std::string path() const = 0;
    virtual Result<std::unique_ptr<File>> open(const std::string& name, Create create) = 0;
    /// `must` is as `if_missing` here.
    virtual Result<std::unique_ptr<Directory>> subdirectory(const std::string& name,
                                                            Create create) = 0;
    /// Plain files only, sorted.
    virtual Result<std::vector<std::string>> list() const = 0;
    virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
    virtual Result<void> remove(const std::string& name) = 0;
    /// Makes creations, renames and removals durable (fsync of the directory).
    virtual Result<void> sync() = 0;
    /// One holder at a time among all processes. Errors: busy, naming the holder's process id.
    virtual Result<std::unique_ptr<FileLock>> lock(const std::string& name) = 0;
    virtual Medium medium() const = 0;
};

/// The operating system's. Makes the directory if `create` says so (mode 0700); one that is there
/// keeps its mode, which its owner chose. Errors: not_found; exists; io.
Result<std::unique_ptr<Directory>> open_directory(const std::string& path, Create create);

/// A file without a name, which is gone when it is closed. `path` is how its errors call it.
Result<std::unique_ptr<File>> make_memory_file(const std::string& path);

/// As many bytes as the file has now.
Result<std::string> read_whole(const File& file);

/// Of the file that replace_file() writes first, behind the name; a crash may leave it.
inline constexpr std::string_view kReplacementSuffix = ".new";
inline std::string replacement_name(const std::string& name) {
    return std::string(name).append(kReplacementSuffix);
}

/// The file has these bytes, durably, or, behind a crash, those that it had: they are written under
/// another name, and renamed. The old ones are not overwritten.
Result<void> replace_file(Directory& directory, const std::string& name, std::string_view bytes);

/// Overwrites the file with zeros, durably, then removes it: its bytes are not left to lie around
/// in free blocks. Call sync() on the directory afterwards. Errors: busy (another process has it
/// pinned).
Result<void> destroy_file(Directory& directory, const std::string& name);

/// Writes zeros over [position, position + size_bytes). Not synced.
Result<void> overwrite_with_zeros(File& file, std::uint64_t position, std::uint64_t size_bytes);

} // namespace sluice
