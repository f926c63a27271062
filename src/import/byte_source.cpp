#include "import/byte_source.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice {
namespace {

constexpr std::uint64_t kWindowSizeBytes = 1024 * 1024;

Error os_error(int number, const std::string& what) {
    return {number == ENOENT ? Errc::not_found : Errc::io, what + ": " + std::strerror(number),
            number};
}

} // namespace

class ByteSource::Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { ::close(fd_); }
    int get() const { return fd_; }

private:
    int fd_;
};

Result<ByteSource> ByteSource::open(const std::string& path) {
    // O_NONBLOCK: opening a pipe must not wait for somebody to write. It changes nothing for files.
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return os_error(errno, "opening " + path);
    auto file = std::make_unique<Descriptor>(fd);
    struct stat status {};
    if (::fstat(fd, &status) != 0) return os_error(errno, "opening " + path);
    if (!S_ISREG(status.st_mode))
        return Error{Errc::invalid_argument, path + " is no regular file"};
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); // A hint.
    return ByteSource(std::move(file), path, static_cast<std::uint64_t>(status.st_size));
}

ByteSource::ByteSource(std::string_view bytes, std::string name)
    : name_(std::move(name)), size_bytes_(bytes.size()), window_(bytes) {}

ByteSource::ByteSource(std::unique_ptr<Descriptor> file, std::string path, std::uint64_t size_bytes)
    : file_(std::move(file)), name_(std::move(path)), size_bytes_(size_bytes) {}

ByteSource::ByteSource(ByteSource&&) noexcept = default;
ByteSource& ByteSource::operator=(ByteSource&&) noexcept = default;
ByteSource::~ByteSource() = default;

Result<std::string_view> ByteSource::refill(std::uint64_t from, std::uint64_t size) {
    if (from >= size_bytes_) return std::string_view();
    size = std::min(size, size_bytes_ - from);
    if (!file_)
        return window_.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(size));

    window_ = {}; // Nothing is known of it until it is filled again.
    if (buffer_size_bytes_ < std::max(size, kWindowSizeBytes)) {
        buffer_size_bytes_ = std::max(size, kWindowSizeBytes);
        // Not make_unique: it would fill the buffer with zeros first.
        buffer_.reset(new char[static_cast<std::size_t>(buffer_size_bytes_)]);
    }
    const auto wanted = static_cast<std::size_t>(std::min(buffer_size_bytes_, size_bytes_ - from));
    std::size_t filled = 0;
    while (filled < wanted) {
        const ssize_t got = ::pread(file_->get(), buffer_.get() + filled, wanted - filled,
                                    static_cast<off_t>(from + filled));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return os_error(errno, "reading " + name_);
        if (got == 0) {
            return Error{Errc::corrupt, name_ + " shrank to " + std::to_string(from + filled) +
                                            " bytes while it was read"};
        }
        filled += static_cast<std::size_t>(got);
    }
    window_ = {buffer_.get(), filled};
    window_at_ = from;
    return window_.substr(0, static_cast<std::size_t>(size));
}

} // namespace sluice
