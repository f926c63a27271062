// Files of the operating system. Calls that a signal interrupts are repeated; short ones continued.
#include "base/try.hpp"
#include "io/file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace sluice {
namespace {

Error os_error(int number, const std::string& what) {
    const Errc code = number == ENOENT                       ? Errc::not_found
                      : number == EEXIST                     ? Errc::exists
                      : number == ENOSPC || number == EDQUOT ? Errc::no_space
                                                             : Errc::io;
    return {code, what + ": " + std::strerror(number), number};
}

/// Makes a call again for as long as signals interrupt it. A sync that was interrupted has reported
/// no failure of its pages, so that making it again loses none.
template <typename Call> auto repeated(const Call& call) -> decltype(call()) {
    for (;;) {
        const auto answer = call();
        if (answer != -1 || errno != EINTR) return answer;
    }
}

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }

private:
    int fd_;
};

/// Why `name` could not be opened in `directory`. `path` is how people call it.
Error opening_error(int number, int directory, const std::string& name, const std::string& path) {
    struct stat status {};
    const bool is_link = ::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                         S_ISLNK(status.st_mode);
    if (!is_link) return os_error(number, "opening " + path);
    return {Errc::refused, "opening " + path + ": it is a symbolic link", number};
}

/// Whatever the umask took away or somebody's copying gave to others: our files are their owner's.
/// Not of a file whose owner is somebody else, and not where the file system knows no modes.
void keep_from_others(int fd, mode_t now, mode_t wanted) {
    if ((now & 07777) != wanted) static_cast<void>(::fchmod(fd, wanted));
}

struct Opened {
    Descriptor descriptor;
    std::uint64_t size_bytes;
};

/// A plain file in the directory itself: nothing that a symbolic link leads to, and neither a pipe,
/// which would wait, nor a device, which would do something.
Result<Opened> open_plain_file(int directory, const std::string& name, int flags,
                               const std::string& path) {
    const int all_flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags;
    const int fd = repeated([&] { return ::openat(directory, name.c_str(), all_flags, 0600); });
    if (fd < 0) return opening_error(errno, directory, name, path);
    Descriptor descriptor(fd);
    struct stat status {};
    if (::fstat(fd, &status) != 0) return os_error(errno, "opening " + path);
    if (!S_ISREG(status.st_mode))
        return Error{Errc::refused, "opening " + path + ": it is no plain file"};
    keep_from_others(fd, status.st_mode, 0600);
    return Opened{std::move(descriptor), static_cast<std::uint64_t>(status.st_size)};
}

/// The processes that /proc/locks names for the file, such as "17, 4711".
std::string lock_holders(const struct stat& file) {
    std::ifstream locks("/proc/locks");
    std::set<std::string> holders;
    const std::string inode = ":" + std::to_string(file.st_ino);
    // 1: FLOCK  ADVISORY  READ 4711 08:01:131073 0 EOF
    std::string number, kind, strictness, mode, pid, place, rest;
    while (locks >> number >> kind >> strictness >> mode >> pid >> place &&
           std::getline(locks, rest)) {
        if (kind == "FLOCK" && place.ends_with(inode)) holders.insert(pid);
    }
    std::string names;
    for (const std::string& holder : holders) {
        names.append(names.empty() ? "" : ", ").append(holder);
    }
    return names.empty() ? "unknown" : names;
}

/// Puts a copy of the bytes where they are, in one step for whoever reads them meanwhile.
Result<void> replace_by_copy(void* at, std::size_t size, const std::string& path) {
    const auto failed = [&] { return os_error(errno, "copying " + path + " into memory"); };
    void* const copy =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED) return failed();
    std::memcpy(copy, at, size);
    if (::mprotect(copy, size, PROT_READ) != 0 ||
        ::mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, at) == MAP_FAILED) {
        const Error error = failed();
        ::munmap(copy, size);
        return error;
    }
    return {};
}

class PosixFile final : public File {
public:
    PosixFile(Opened opened, std::string path)
        : fd_(std::move(opened.descriptor)), path_(std::move(path)),
          size_bytes_(opened.size_bytes) {}

    std::uint64_t size_bytes() const override { return size_bytes_; }

    Result<void> read_at(std::uint64_t position, char* into, std::size_t size) const override {
        while (size > 0) {
            const ssize_t got = repeated(
                [&] { return ::pread(fd_.get(), into, size, static_cast<off_t>(position)); });
            if (got < 0) return os_error(errno, "reading " + path_);
            if (got == 0) return Error{Errc::corrupt, path_ + " ends too early"};
            into += got;
            position += static_cast<std::uint64_t>(got);
            size -= static_cast<std::size_t>(got);
        }
        return {};
    }

    Result<void> write_at(std::uint64_t position, std::string_view bytes) override {
        while (!bytes.empty()) {
            const ssize_t put = repeated([&] {
                return ::pwrite(fd_.get(), bytes.data(), bytes.size(),
                                static_cast<off_t>(position));
            });
            if (put < 0) return os_error(errno, "writing " + path_);
            if (put == 0) return Error{Errc::io, "writing " + path_ + ": it takes no bytes"};
            position += static_cast<std::uint64_t>(put);
            bytes.remove_prefix(static_cast<std::size_t>(put));
            size_bytes_ = std::max(size_bytes_, position);
        }
        return {};
    }

    Result<void> truncate(std::uint64_t size_bytes) override {
        if (repeated([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size_bytes)); }) != 0) {
            return os_error(errno, "truncating " + path_);
        }
        size_bytes_ = size_bytes;
        return {};
    }

    Result<void> sync() override {
        if (repeated([&] { return ::fdatasync(fd_.get()); }) != 0) {
            return os_error(errno, "syncing " + path_);
        }
        return {};
    }

    Result<void> punch_hole(std::uint64_t position, std::uint64_t size_bytes) override {
        const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
        if (repeated([&] {
                return ::fallocate(fd_.get(), mode, static_cast<off_t>(position),
                                   static_cast<off_t>(size_bytes));
            }) != 0 &&
            errno != EOPNOTSUPP && errno != ENOSYS) {
            return os_error(errno, "punching a hole in " + path_);
        }
        return {};
    }

    Result<void> look_again() override {
        struct stat status {};
        if (::fstat(fd_.get(), &status) != 0) return os_error(errno, "looking at " + path_);
        size_bytes_ = static_cast<std::uint64_t>(status.st_size);
        return {};
    }

    // A mapping keeps the open file, and with it the lock, after the descriptor is closed. The
    // kernel takes both from a process that dies.
    Result<bool> pin() override {
        SLUICE_TRY_ASSIGN(const bool is_locked, try_lock(LOCK_SH));
        struct stat status {};
        if (::fstat(fd_.get(), &status) != 0) return os_error(errno, "looking at " + path_);
        return is_locked && status.st_nlink > 0;
    }

    Result<Claim> claim() override {
        SLUICE_TRY_ASSIGN(const bool is_locked, try_lock(LOCK_EX));
        if (is_locked) return Claim{true, {}};
        struct stat status {};
        if (::fstat(fd_.get(), &status) != 0) return os_error(errno, "looking at " + path_);
        return Claim{false, lock_holders(status)};
    }

    Result<Mapping> map(std::uint64_t reserve_bytes) const override {
        if (reserve_bytes == 0) return Mapping{};
        void* const at = ::mmap(nullptr, reserve_bytes, PROT_READ, MAP_SHARED, fd_.get(), 0);
        if (at == MAP_FAILED) return os_error(errno, "mapping " + path_);
        const auto unmap = [reserve_bytes](const void* p) {
            ::munmap(const_cast<void*>(p), reserve_bytes);
        };
        return Mapping{
            std::shared_ptr<const void>(at, unmap), static_cast<const char*>(at),
            [at, reserve_bytes, path = path_] { return replace_by_copy(at, reserve_bytes, path); }};
    }

private:
    Result<bool> try_lock(int how) const {
        if (repeated([&] { return ::flock(fd_.get(), how | LOCK_NB); }) == 0) return true;
        if (errno == EWOULDBLOCK) return false;
        return os_error(errno, "locking " + path_);
    }

    Descriptor fd_;
    std::string path_;
    std::uint64_t size_bytes_;
};

class PosixLock final : public FileLock {
public:
    explicit PosixLock(Descriptor fd) : fd_(std::move(fd)) {}

private:
    Descriptor fd_; // Closing it gives the lock up, also when the process dies.
};

/// What the file of a lock says, as far as it is a process id: anybody's bytes may stand there.
std::string holder_of(int fd) {
    char holder[24] = {};
    const ssize_t got = repeated([&] { return ::pread(fd, holder, sizeof holder - 1, 0); });
    const std::string pid(holder, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    const bool is_pid = !pid.empty() && pid.find_first_not_of("0123456789") == std::string::npos;
    return is_pid ? pid : "unknown";
}

/// The longest mount point that is a prefix of `path` decides.
bool journals_data(const std::string& path) {
    std::ifstream mounts("/proc/self/mounts");
    std::string device, point, type, options, rest;
    std::string best;
    bool journals = true; // Until we know better.
    while (mounts >> device >> point >> type >> options && std::getline(mounts, rest)) {
        const bool inside = path.compare(0, point.size(), point) == 0;
        if (!inside || point.size() < best.size()) continue;
        best = point;
        journals = options.find("data=journal") != std::string::npos;
    }
    return journals;
}

class PosixDirectory final : public Directory {
public:
    PosixDirectory(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

    std::string path() const override { return path_; }

    Result<std::unique_ptr<File>> open(const std::string& name, Create create) override {
        int flags = 0;
        if (create != Create::never) flags |= O_CREAT;
        if (create == Create::must) flags |= O_EXCL;
        const std::string path = path_ + "/" + name;
        SLUICE_TRY_ASSIGN(Opened opened, open_plain_file(fd_.get(), name, flags, path));
        return std::unique_ptr<File>(std::make_unique<PosixFile>(std::move(opened), path));
    }

    Result<std::unique_ptr<Directory>> subdirectory(const std::string& name,
                                                    Create create) override {
        const std::string path = path_ + "/" + name;
        // Against the umask at once: without the owner's bits it could not even be opened.
        const bool may_make = create != Create::never;
        const bool made = may_make && ::mkdirat(fd_.get(), name.c_str(), 0700) == 0;
        if (may_make && !made && errno != EEXIST) return os_error(errno, "making " + path);
        if (made && ::fchmodat(fd_.get(), name.c_str(), 0700, 0) != 0)
            return os_error(errno, "making " + path);
        constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
        const int fd = repeated([&] { return ::openat(fd_.get(), name.c_str(), kFlags); });
        if (fd < 0) return opening_error(errno, fd_.get(), name, path);
        Descriptor descriptor(fd);
        struct stat status {};
        if (::fstat(fd, &status) != 0) return os_error(errno, "opening " + path);
        keep_from_others(fd, status.st_mode, 0700);
        return std::unique_ptr<Directory>(
            std::make_unique<PosixDirectory>(std::move(descriptor), path));
    }

    Result<std::vector<std::string>> list() const override {
        // Of the directory that is open, whatever its path leads to by now. Not a duplicate of its
        // descriptor: the two would share the place up to which the directory was read.
        const int fd =
            repeated([&] { return ::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
        if (fd < 0) return os_error(errno, "listing " + path_);
        DIR* const stream = ::fdopendir(fd);
        if (stream == nullptr) {
            const int number = errno;
            ::close(fd);
            return os_error(number, "listing " + path_);
        }
        const std::unique_ptr<DIR, int (*)(DIR*)> closing(stream, ::closedir);
        std::vector<std::string> names;
        for (;;) {
            errno = 0; // Only that tells an error from the end.
            const dirent* const each = ::readdir(stream);
            if (each == nullptr && errno != 0) return os_error(errno, "listing " + path_);
            if (each == nullptr) break;
            struct stat status {};
            if (::fstatat(fd_.get(), each->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
                if (S_ISREG(status.st_mode)) names.emplace_back(each->d_name);
            } else if (errno != ENOENT) { // Else it was removed meanwhile.
                return os_error(errno, "listing " + path_);
            }
        }
        std::sort(names.begin(), names.end());
        return names;
    }

    Result<void> rename(const std::string& from, const std::string& to) override {
        if (::renameat(fd_.get(), from.c_str(), fd_.get(), to.c_str()) != 0) {
            return os_error(errno, "renaming " + path_ + "/" + from);
        }
        return {};
    }

    Result<void> remove(const std::string& name) override {
        if (::unlinkat(fd_.get(), name.c_str(), 0) != 0) {
            return os_error(errno, "removing " + path_ + "/" + name);
        }
        return {};
    }

    Result<void> sync() override {
        if (repeated([&] { return ::fsync(fd_.get()); }) != 0) {
            return os_error(errno, "syncing " + path_);
        }
        return {};
    }

    Result<std::unique_ptr<FileLock>> lock(const std::string& name) override {
        const std::string file = path_ + "/" + name;
        SLUICE_TRY_ASSIGN(Opened opened, open_plain_file(fd_.get(), name, O_CREAT, file));
        const int fd = opened.descriptor.get();
        auto lock = std::make_unique<PosixLock>(std::move(opened.descriptor));
        // flock() belongs to the open file and not to the process, so that opening twice in one
        // process is refused like everybody else.
        if (repeated([&] { return ::flock(fd, LOCK_EX | LOCK_NB); }) != 0) {
            if (errno != EWOULDBLOCK) return os_error(errno, "locking " + file);
            return Error{Errc::busy, path_ + " is open for writing in process " + holder_of(fd)};
        }
        const std::string pid = std::to_string(::getpid());
        if (repeated([&] { return ::ftruncate(fd, 0); }) != 0 ||
            repeated([&] { return ::pwrite(fd, pid.data(), pid.size(), 0); }) < 0) {
            return os_error(errno, "writing " + file);
        }
        return std::unique_ptr<FileLock>(std::move(lock));
    }

    Medium medium() const override {
        struct statfs status {};
        if (::fstatfs(fd_.get(), &status) != 0) return Medium::files;
        const auto type = static_cast<unsigned long>(status.f_type);
        const bool in_place = type == EXT4_SUPER_MAGIC || type == XFS_SUPER_MAGIC;
        return in_place && !journals_data(path_) ? Medium::device : Medium::files;
    }

private:
    Descriptor fd_;
    std::string path_;
};

} // namespace

Result<std::unique_ptr<File>> make_memory_file(const std::string& path) {
    // People can list the names of a process's files.
    const int fd = ::memfd_create("sluice", MFD_CLOEXEC);
    if (fd < 0) return os_error(errno, "making " + path + " in memory");
    return std::unique_ptr<File>(std::make_unique<PosixFile>(Opened{Descriptor(fd), 0}, path));
}

Result<std::unique_ptr<Directory>> open_directory(const std::string& path, Create create) {
    const bool made = create != Create::never && ::mkdir(path.c_str(), 0700) == 0;
    if (create != Create::never && !made) {
        if (errno != EEXIST || create == Create::must) return os_error(errno, "making " + path);
    }
    // Against the umask. A directory that was there is its owner's, who chose its mode.
    if (made && ::chmod(path.c_str(), 0700) != 0) return os_error(errno, "making " + path);
    std::error_code code;
    const std::string resolved = std::filesystem::canonical(path, code);
    if (code) return os_error(code.value(), "opening " + path);
    const int fd =
        repeated([&] { return ::open(resolved.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (fd < 0) return os_error(errno, "opening " + path);
    return std::unique_ptr<Directory>(std::make_unique<PosixDirectory>(Descriptor(fd), resolved));
}

} // namespace sluice
