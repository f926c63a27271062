// A directory of the operating system's for one test.
#pragma once
#include <filesystem>
#include <string>
#include <system_error>

#include <unistd.h>

namespace sluice::test {

/// Empty, and removed with all that is in it. Throws where there can be none.
class TemporaryDirectory {
public:
    TemporaryDirectory() : path_(std::filesystem::temp_directory_path() / "sluice-test-XXXXXX") {
        if (::mkdtemp(path_.data()) == nullptr) {
            throw std::system_error(errno, std::generic_category(), "no temporary directory");
        }
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

} // namespace sluice::test
