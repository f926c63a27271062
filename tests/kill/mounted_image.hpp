// File systems in images.
#pragma once
#include <cstdint>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>

namespace sluice::test {

/// What this machine does not let us do, and why.
struct NotAllowed : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// From here on this process and its children mount for themselves alone: whatever becomes of them,
/// the machine is rid of it when they end. Throws NotAllowed.
void mount_for_ourselves();

/// The file system of an image, mounted by way of a loop device.
class MountedImage {
public:
    /// `type`: as mount(8) names it. Throws NotAllowed.
    MountedImage(const std::filesystem::path& image, std::filesystem::path folder,
                 const std::string& type);
    MountedImage(const MountedImage&) = delete;
    MountedImage& operator=(const MountedImage&) = delete;
    /// The loop device goes, too.
    ~MountedImage();

    std::string path(const std::string& name) const { return (folder_ / name).string(); }

private:
    std::filesystem::path folder_;
};

/// Of a file with holes. The copy has them, too.
void copy_image(const std::filesystem::path& from, const std::filesystem::path& to);
/// All words (random_steps.hpp) in the bytes of an image, of whatever file, also of none.
std::set<std::string> words_in_image(const std::filesystem::path& image);

} // namespace sluice::test
