#include "kill/recorded_disk.hpp"

#include "kill/mounted_image.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice::test {
namespace {

constexpr std::uint64_t kRoot = FUSE_ROOT_ID;
constexpr std::uint64_t kDisk = 2;
constexpr std::uint32_t kWriteSizeBytesMax = 1 << 20;

std::filesystem::path record_of(const std::filesystem::path& image) {
    return image.string() + ".record";
}

[[noreturn]] void give_up(const char* what) {
    throw NotAllowed(std::string(what) + ": " + std::strerror(errno));
}

/// Answers the kernel, one request after another (linux/fuse.h has the protocol).
class Server {
public:
    Server(int device, const std::filesystem::path& image, std::atomic<std::uint64_t>& count)
        : device_(device), image_(::open(image.c_str(), O_RDWR)),
          record_(::open(record_of(image).c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600)),
          size_bytes_(std::filesystem::file_size(image)), count_(count),
          request_(kWriteSizeBytesMax + 4096, '\0') {}

    /// Until the folder is unmounted.
    void serve() {
        for (;;) {
            const ssize_t size = ::read(device_, request_.data(), request_.size());
            if (size < 0 && (errno == EINTR || errno == ENOENT || errno == EAGAIN)) continue;
            if (size < static_cast<ssize_t>(sizeof(fuse_in_header))) return;
            answer();
        }
    }

private:
    template <typename T> const T& argument() const {
        return *reinterpret_cast<const T*>(request_.data() + sizeof(fuse_in_header));
    }

    void answer() {
        const auto& header = *reinterpret_cast<const fuse_in_header*>(request_.data());
        switch (header.opcode) {
        case FUSE_INIT: return init();
        case FUSE_LOOKUP: {
            if (std::strcmp(request_.data() + sizeof header, "disk") != 0) return fail(ENOENT);
            fuse_entry_out out{};
            out.nodeid = kDisk;
            out.attr = attributes_of(kDisk);
            return reply(out);
        }
        case FUSE_GETATTR:
        case FUSE_SETATTR: {
            fuse_attr_out out{};
            out.attr = attributes_of(header.nodeid);
            return reply(out);
        }
        case FUSE_OPEN: {
            fuse_open_out out{};
            out.open_flags = FOPEN_DIRECT_IO;
            return reply(out);
        }
        case FUSE_READ: return read();
        case FUSE_WRITE: return write();
        case FUSE_FSYNC: note(0, {}); return reply_bytes({});
        case FUSE_STATFS: return reply(fuse_statfs_out{});
        case FUSE_FLUSH:
        case FUSE_RELEASE: return reply_bytes({});
        case FUSE_FORGET:
        case FUSE_BATCH_FORGET:
        case FUSE_INTERRUPT: return;
        default: return fail(ENOSYS);
        }
    }

    void init() {
        fuse_init_out out{};
        out.major = FUSE_KERNEL_VERSION;
        out.minor = FUSE_KERNEL_MINOR_VERSION;
        out.max_readahead = argument<fuse_init_in>().max_readahead;
        out.max_write = kWriteSizeBytesMax;
        out.flags = FUSE_BIG_WRITES | FUSE_MAX_PAGES;
        out.max_pages = kWriteSizeBytesMax / 4096;
        reply(out);
    }

    fuse_attr attributes_of(std::uint64_t node) const {
        fuse_attr attributes{};
        attributes.ino = node;
        attributes.mode = node == kRoot ? S_IFDIR | 0700 : S_IFREG | 0600;
        attributes.nlink = 1;
        attributes.size = node == kRoot ? 0 : size_bytes_;
        attributes.blksize = 4096;
        return attributes;
    }

    void read() {
        const auto& wanted = argument<fuse_read_in>();
        std::string bytes(wanted.size, '\0');
        const ssize_t size =
            ::pread(image_, bytes.data(), bytes.size(), static_cast<off_t>(wanted.offset));
        if (size < 0) return fail(errno);
        reply_bytes({bytes.data(), static_cast<std::size_t>(size)});
    }

    void write() {
        const auto& wanted = argument<fuse_write_in>();
        const std::string_view bytes(
            request_.data() + sizeof(fuse_in_header) + sizeof(fuse_write_in), wanted.size);
        const ssize_t size =
            ::pwrite(image_, bytes.data(), bytes.size(), static_cast<off_t>(wanted.offset));
        if (size < 0) return fail(errno);
        note(wanted.offset, bytes);
        fuse_write_out out{};
        out.size = wanted.size;
        reply(out);
    }

    void note(std::uint64_t position, std::string_view bytes) {
        const std::uint64_t head[] = {position, bytes.size()};
        std::string line(reinterpret_cast<const char*>(head), sizeof head);
        line += bytes;
        if (::write(record_, line.data(), line.size()) < 0) ::_exit(1);
        ++count_;
    }

    void fail(int error) { send(error, {}); }
    void reply_bytes(std::string_view bytes) { send(0, bytes); }
    template <typename T> void reply(const T& out) {
        send(0, {reinterpret_cast<const char*>(&out), sizeof out});
    }
    void send(int error, std::string_view bytes) {
        fuse_out_header header{};
        header.len = static_cast<std::uint32_t>(sizeof header + bytes.size());
        header.error = -error;
        header.unique = reinterpret_cast<const fuse_in_header*>(request_.data())->unique;
        std::string answer(reinterpret_cast<const char*>(&header), sizeof header);
        answer += bytes;
        static_cast<void>(::write(device_, answer.data(), answer.size()) <
                          0); // It was interrupted.
    }

    int device_;
    int image_;
    int record_;
    std::uint64_t size_bytes_;
    std::atomic<std::uint64_t>& count_;
    std::string request_;
};

} // namespace

struct RecordedDisk::Shared {
    std::atomic<std::uint64_t> count{0};
};

RecordedDisk::RecordedDisk(std::filesystem::path image, std::filesystem::path folder)
    : image_(std::move(image)), folder_(std::move(folder)) {
    std::filesystem::create_directory(folder_);
    std::filesystem::remove(record_of(image_));
    void* const memory =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) give_up("no shared memory");
    shared_ = new (memory) Shared;

    const int device = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (device < 0) give_up("/dev/fuse");
    const std::string options =
        "fd=" + std::to_string(device) + ",rootmode=40000,user_id=0,group_id=0,allow_other";
    if (::mount("sluice", folder_.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
        ::close(device);
        give_up("mounting with FUSE");
    }
    server_ = ::fork();
    if (server_ < 0) give_up("fork");
    if (server_ == 0) {
        Server(device, image_, shared_->count).serve();
        ::_exit(0);
    }
    ::close(device);
}

std::uint64_t RecordedDisk::operation_count() const {
    return shared_->count;
}

std::vector<DiskOperation> RecordedDisk::stop() {
    if (::umount2(folder_.c_str(), 0) != 0) give_up("unmounting");
    ::waitpid(std::exchange(server_, 0), nullptr, 0);
    std::ifstream record(record_of(image_), std::ios::binary);
    std::vector<DiskOperation> operations;
    std::uint64_t head[2] = {};
    while (record.read(reinterpret_cast<char*>(head), sizeof head)) {
        DiskOperation operation{head[0], std::string(head[1], '\0')};
        record.read(operation.bytes.data(), static_cast<std::streamsize>(head[1]));
        operations.push_back(std::move(operation));
    }
    return operations;
}

RecordedDisk::~RecordedDisk() {
    if (server_ != 0) {
        ::umount2(folder_.c_str(), MNT_DETACH);
        ::waitpid(server_, nullptr, 0);
    }
    ::munmap(shared_, sizeof(Shared));
}

} // namespace sluice::test
