// Data that is too large for the repository. Machines that have it name its folder in the
// environment variable SLUICE_SHARED, or keep it as `shared` beside the source tree.
#pragma once
#include <cstdlib>
#include <filesystem>
#include <string>

namespace sluice::test {

/// The path of a shared file, or an empty string where it is missing. Tests skip then, and say so.
inline std::string shared_data(const std::string& name) {
    const char* const folder = std::getenv("SLUICE_SHARED");
    const std::filesystem::path root =
        folder != nullptr ? std::filesystem::path(folder)
                          : std::filesystem::path(SLUICE_SOURCE_DIR).parent_path() / "shared";
    const std::filesystem::path path = root / name;
    return std::filesystem::exists(path) ? path.string() : std::string();
}

} // namespace sluice::test
