#include "kill/mounted_image.hpp"

#include "kill/random_steps.hpp"

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

namespace sluice::test {
namespace {

[[noreturn]] void give_up(const std::string& what) {
    throw NotAllowed(what + ": " + std::strerror(errno));
}

class Descriptor {
public:
    Descriptor(const std::filesystem::path& path, int flags)
        : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {
        if (fd_ < 0) give_up(path);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { ::close(fd_); }
    int get() const { return fd_; }

private:
    int fd_;
};

/// Calls `use` with a loop device of the file, which goes when nobody has it open or mounted.
void with_loop_device(const std::filesystem::path& image, const auto& use) {
    const Descriptor file(image, O_RDWR);
    const Descriptor control("/dev/loop-control", O_RDWR);
    for (;;) {
        const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
        if (number < 0) give_up("no free loop device");
        const std::string path = "/dev/loop" + std::to_string(number);
        const Descriptor device(path, O_RDWR);
        loop_config config{};
        config.fd = static_cast<std::uint32_t>(file.get());
        // Past the page cache of the image: what the file system writes is written at once.
        config.info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO;
        if (::ioctl(device.get(), LOOP_CONFIGURE, &config) == 0) return use(path);
        if (errno != EBUSY) give_up("a loop device of " + image.string());
    }
}

/// The parts of a file that are no holes.
void each_part(const std::filesystem::path& path, const auto& take) {
    const Descriptor file(path, O_RDONLY);
    std::string bytes;
    off_t at = 0;
    while ((at = ::lseek(file.get(), at, SEEK_DATA)) >= 0) {
        const off_t end = ::lseek(file.get(), at, SEEK_HOLE);
        bytes.resize(static_cast<std::size_t>(end - at));
        if (::pread(file.get(), bytes.data(), bytes.size(), at) != end - at) give_up(path);
        take(at, bytes);
        at = end;
    }
}

} // namespace

void mount_for_ourselves() {
    if (::unshare(CLONE_NEWNS) != 0) give_up("a mount namespace");
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) give_up("private mounts");
}

MountedImage::MountedImage(const std::filesystem::path& image, std::filesystem::path folder,
                           const std::string& type)
    : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
    with_loop_device(image, [&](const std::string& device) {
        if (::mount(device.c_str(), folder_.c_str(), type.c_str(), MS_NODEV | MS_NOSUID, nullptr) !=
            0) {
            give_up("mounting " + type);
        }
    });
}

MountedImage::~MountedImage() {
    ::umount2(folder_.c_str(), 0);
}

void copy_image(const std::filesystem::path& from, const std::filesystem::path& to) {
    const Descriptor copy(to, O_WRONLY | O_CREAT | O_TRUNC);
    if (::ftruncate(copy.get(), static_cast<off_t>(std::filesystem::file_size(from))) != 0) {
        give_up(to);
    }
    each_part(from, [&](off_t at, const std::string& bytes) {
        if (::pwrite(copy.get(), bytes.data(), bytes.size(), at) !=
            static_cast<ssize_t>(bytes.size())) {
            give_up(to);
        }
    });
}

namespace {
constexpr std::size_t kBlockSizeBytes =
    1024; // ext4's on a disk as small as ours; xfs's is a multiple.
} // namespace

std::set<std::string> words_in_image(const std::filesystem::path& image) {
    std::set<std::string> words;
    each_part(image, [&](off_t, const std::string& bytes) {
        // Blocks that follow each other may be of different files, and words that they make
        // together nobody's.
        for (std::size_t at = 0; at < bytes.size(); at += kBlockSizeBytes) {
            words.merge(words_in(std::string_view(bytes).substr(at, kBlockSizeBytes)));
        }
    });
    return words;
}

} // namespace sluice::test
