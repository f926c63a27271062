// What measuring needs: a clock, a median, memory without mapped files, and the disk's own speed.
#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace sluice::bench {

inline std::string& scratch_path() {
    static std::string path;
    return path;
}
inline void set_scratch(const std::string& path) {
    scratch_path() = path + "/";
}
inline const std::string& scratch() {
    return scratch_path();
}

template <typename Work> double seconds(const Work& work) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

inline double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

inline void report(const std::string& name, double value, const char* unit) {
    std::printf("{\"name\":\"%s\",\"value\":%.6g,\"unit\":\"%s\"}\n", name.c_str(), value, unit);
    std::fflush(stdout);
}

/// A figure of something wrong is worse than none.
inline void check(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "bench: not so: %s\n", what);
    std::exit(1);
}

/// The most anonymous memory that the process had since this was made, over what it had before.
/// Mapped files are not in it.
class MemoryWatch {
public:
    MemoryWatch()
        : before_(now_mb()), watcher_([this] {
              while (!done_) {
                  peak_ = std::max(peak_.load(), now_mb());
                  std::this_thread::sleep_for(std::chrono::milliseconds(5));
              }
          }) {}
    ~MemoryWatch() {
        done_ = true;
        if (watcher_.joinable()) watcher_.join();
    }
    MemoryWatch(const MemoryWatch&) = delete;
    MemoryWatch& operator=(const MemoryWatch&) = delete;
    double peak_mb() const { return std::max(0.0, peak_ - before_); }

private:
    static double now_mb() {
        std::ifstream status("/proc/self/status");
        std::string word;
        while (status >> word) {
            if (word != "RssAnon:") continue;
            double kilobytes = 0;
            status >> kilobytes;
            return kilobytes / 1024;
        }
        return 0;
    }
    double before_;
    std::atomic<double> peak_{0};
    std::atomic<bool> done_{false};
    std::thread watcher_;
};

/// A file whose length does not change, to see what one fdatasync costs here and now.
class RawSync {
public:
    explicit RawSync(const std::string& path)
        : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
        check(fd_ >= 0, "the scratch file can be made");
        const std::string zeros(kSizeBytes, '\0');
        check(::pwrite(fd_, zeros.data(), zeros.size(), 0) == kSizeBytes && ::fsync(fd_) == 0,
              "the scratch file can be written");
        ::unlink(path.c_str());
    }
    ~RawSync() { ::close(fd_); }
    RawSync(const RawSync&) = delete;
    RawSync& operator=(const RawSync&) = delete;
    double write_and_sync_seconds(std::size_t bytes) {
        const std::string piece(bytes, 'w');
        at_ = (at_ + static_cast<off_t>(bytes)) % (kSizeBytes / 2);
        return seconds([&] {
            check(::pwrite(fd_, piece.data(), piece.size(), at_) >= 0 && ::fdatasync(fd_) == 0,
                  "the scratch file can be synced");
        });
    }

private:
    static constexpr ssize_t kSizeBytes = 4 << 20;
    int fd_;
    off_t at_ = 0;
};

/// Writes `bytes` in pieces and syncs at the end: the best that appending can do.
inline double sequential_write_seconds(const std::string& path, std::uint64_t bytes,
                                       std::size_t piece_bytes) {
    const std::string piece(piece_bytes, 'w');
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(fd >= 0, "the scratch file can be made");
    const double s = seconds([&] {
        for (std::uint64_t at = 0; at < bytes; at += piece_bytes) {
            check(::write(fd, piece.data(), piece.size()) > 0, "the scratch file can be written");
        }
        check(::fdatasync(fd) == 0, "the scratch file can be synced");
    });
    ::close(fd);
    ::unlink(path.c_str());
    return s;
}

} // namespace sluice::bench
