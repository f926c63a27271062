// A directory on a real file system that goes with its object.
#pragma once
#include <filesystem>
#include <stdexcept>
#include <string>

#include <stdlib.h>
#include <unistd.h>

namespace sluice::test {

/// Where files are in memory and syncs cost nothing, if there is such a place.
inline std::filesystem::path in_memory_if_possible() {
    return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : std::filesystem::temp_directory_path();
}

class TemporaryDirectory {
public:
    /// In TMPDIR, or where else the system puts what is temporary.
    TemporaryDirectory() : TemporaryDirectory(std::filesystem::temp_directory_path()) {}
    explicit TemporaryDirectory(const std::filesystem::path& where)
        : path_(where / "sluice-test-XXXXXX") {
        if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no temporary directory");
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() {
        if (!is_kept_) std::filesystem::remove_all(path_);
    }
    const std::string& path() const { return path_; }
    /// For whoever wants to see what went wrong in it.
    void keep() { is_kept_ = true; }

private:
    std::string path_;
    bool is_kept_ = false;
};

} // namespace sluice::test
