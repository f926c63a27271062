// Files of the operating system. Calls that a signal interrupts are repeated; short ones continued.
#include "base/try.hpp"
#include "io/file.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>

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
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { ::close(fd_); }
    int get() const { return fd_; }

private:
    int fd_;
};

class PosixFile final : public File {
public:
    PosixFile(int fd, std::string path, std::uint64_t size_bytes)
        : fd_(fd), path_(std::move(path)), size_bytes_(size_bytes) {}

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

    Result<Mapping> map(std::uint64_t reserve_bytes) const override {
        if (reserve_bytes == 0) return Mapping{};
        void* const at = ::mmap(nullptr, reserve_bytes, PROT_READ, MAP_SHARED, fd_.get(), 0);
        if (at == MAP_FAILED) return os_error(errno, "mapping " + path_);
        return Mapping{std::shared_ptr<const void>(at,
                                                   [reserve_bytes](const void* p) {
                                                       ::munmap(const_cast<void*>(p),
                                                                reserve_bytes);
                                                   }),
                       static_cast<const char*>(at)};
    }

private:
    Descriptor fd_;
    std::string path_;
    std::uint64_t size_bytes_;
};

class PosixLock final : public FileLock {
public:
    explicit PosixLock(int fd) : fd_(fd) {}

private:
    Descriptor fd_; // Closing it gives the lock up, also when the process dies.
};

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
    PosixDirectory(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

    std::string path() const override { return path_; }

    Result<std::unique_ptr<File>> open(const std::string& name, Create create) override {
        int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
        if (create != Create::never) flags |= O_CREAT;
        if (create == Create::must) flags |= O_EXCL;
        const int fd = repeated([&] { return ::openat(fd_.get(), name.c_str(), flags, 0600); });
        if (fd < 0) return os_error(errno, "opening " + path_ + "/" + name);
        struct stat status {};
        if (::fstat(fd, &status) != 0) {
            const int number = errno;
            ::close(fd);
            return os_error(number, "opening " + path_ + "/" + name);
        }
        return std::unique_ptr<File>(std::make_unique<PosixFile>(
            fd, path_ + "/" + name, static_cast<std::uint64_t>(status.st_size)));
    }

    Result<std::unique_ptr<Directory>> subdirectory(const std::string& name) override {
        return open_directory(path_ + "/" + name, Create::if_missing);
    }

    Result<std::vector<std::string>> list() const override {
        DIR* const stream = ::opendir(path_.c_str());
        if (stream == nullptr) return os_error(errno, "listing " + path_);
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
        const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
        const int fd = repeated([&] { return ::openat(fd_.get(), name.c_str(), flags, 0600); });
        if (fd < 0) return os_error(errno, "opening " + file);
        auto lock = std::make_unique<PosixLock>(fd);
        // flock() belongs to the open file and not to the process, so that opening twice in one
        // process is refused like everybody else.
        if (repeated([&] { return ::flock(fd, LOCK_EX | LOCK_NB); }) != 0) {
            if (errno != EWOULDBLOCK) return os_error(errno, "locking " + file);
            char holder[24] = {};
            const ssize_t got = repeated([&] { return ::pread(fd, holder, sizeof holder - 1, 0); });
            const std::string pid = got > 0 ? std::string(holder, static_cast<std::size_t>(got))
                                            : std::string("unknown");
            return Error{Errc::busy, path_ + " is open for writing in process " + pid};
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

Result<std::unique_ptr<Directory>> open_directory(const std::string& path, Create create) {
    if (create != Create::never && ::mkdir(path.c_str(), 0700) != 0) {
        if (errno != EEXIST || create == Create::must) return os_error(errno, "making " + path);
    }
    char* const absolute = ::realpath(path.c_str(), nullptr);
    if (absolute == nullptr) return os_error(errno, "opening " + path);
    const std::string resolved = absolute;
    std::free(absolute);
    const int fd =
        repeated([&] { return ::open(resolved.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (fd < 0) return os_error(errno, "opening " + path);
    return std::unique_ptr<Directory>(std::make_unique<PosixDirectory>(fd, resolved));
}

} // namespace sluice
