// Files for the tests of readers and writers.
#pragma once
#include "import/record_source.hpp"

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

namespace sluice::test {

using namespace std::string_literals; // "..."s keeps NUL bytes.

/// A file of the operating system with this content, removed at the end.
class TemporaryFile {
public:
    explicit TemporaryFile(std::string_view content) : TemporaryFile() {
        std::ofstream(path_, std::ios::binary) << content;
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() { std::remove(path_.c_str()); }

    const std::string& path() const { return path_; }

private:
    TemporaryFile() {
        static std::atomic<int> count = 0;
        path_ = testing::TempDir() + "sluice_import_" + std::to_string(::getpid()) + "_" +
                std::to_string(count++);
    }
    std::string path_;
};

/// The records from here to the end, or to the error that ends them.
struct ReadAll {
    std::vector<std::string> records; ///< Without the deleted ones.
    std::vector<std::uint64_t> offsets;
    std::size_t deleted = 0;
    std::string error; ///< Empty when the end was reached.
};
inline ReadAll read_all(RecordSource& source) {
    ReadAll all;
    while (true) {
        const auto record = source.next();
        if (!record) {
            EXPECT_EQ(record.error().code, Errc::corrupt);
            all.error = record.error().context;
            return all;
        }
        if (!record->has_value()) return all;
        all.offsets.push_back((*record)->offset);
        if ((*record)->deleted) {
            ++all.deleted;
        } else {
            all.records.emplace_back((*record)->bytes);
        }
    }
}

} // namespace sluice::test
