// What is in the files of a directory, for whoever looks for something that must not be.
#pragma once
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

namespace sluice::test {

/// The bytes of all files below a directory, as they were when this was made.
class FileBytes {
public:
    explicit FileBytes(const std::filesystem::path& path) {
        for (const auto& each : std::filesystem::recursive_directory_iterator(path)) {
            if (!each.is_regular_file()) continue;
            std::ifstream file(each.path(), std::ios::binary);
            files_[each.path().filename()] = {std::istreambuf_iterator<char>(file), {}};
        }
    }
    /// The name of a file that has this text in it or in its name; empty if there is none.
    std::string find(std::string_view text) const {
        for (const auto& [name, bytes] : files_) {
            if (name.find(text) != name.npos || bytes.find(text) != bytes.npos) return name;
        }
        return {};
    }

private:
    std::map<std::string, std::string> files_;
};

} // namespace sluice::test
