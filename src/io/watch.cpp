#include "io/watch.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace sluice {
namespace {

Error failed(const std::string& what) {
    return {Errc::io, what + ": " + std::strerror(errno), errno};
}

class Inotify final : public Watch {
public:
    Inotify(int events, int interruption) : events_(events), interruption_(interruption) {}
    Inotify(const Inotify&) = delete;
    Inotify& operator=(const Inotify&) = delete;
    ~Inotify() override {
        ::close(events_);
        ::close(interruption_);
    }

    void add(const std::string& directory, Result<void>& added) {
        constexpr std::uint32_t kChanges =
            IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM;
        const int watch = ::inotify_add_watch(events_, directory.c_str(), kChanges);
        if (watch < 0) added = failed("watching " + directory);
        watches_.push_back(watch);
    }

    std::uint64_t wait(std::chrono::milliseconds patience) override {
        constexpr std::uint64_t kAll = ~std::uint64_t{0};
        std::array<pollfd, 2> waiting{{{events_, POLLIN, 0}, {interruption_, POLLIN, 0}}};
        if (::poll(waiting.data(), waiting.size(), static_cast<int>(patience.count())) <= 0) {
            return kAll;
        }
        std::uint64_t changed = 0;
        alignas(inotify_event) std::array<char, 16 * 1024> events;
        for (;;) {
            const ssize_t size = ::read(events_, events.data(), events.size());
            if (size <= 0) return changed;
            for (const char* at = events.data(); at < events.data() + size;) {
                const auto* const event = reinterpret_cast<const inotify_event*>(at);
                if (event->wd < 0) changed = kAll; // Some were too many to be kept.
                for (std::size_t i = 0; i < watches_.size(); ++i) {
                    if (watches_[i] == event->wd) changed |= std::uint64_t{1} << i;
                }
                at += sizeof(inotify_event) + event->len;
            }
        }
    }

    void interrupt() override { ::eventfd_write(interruption_, 1); } // Nobody reads it.

private:
    int events_;
    int interruption_;
    std::vector<int> watches_; // In the order of the directories.
};

} // namespace

Result<std::unique_ptr<Watch>> Watch::of(std::span<const std::string> directories) {
    const int events = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (events < 0) return failed("watching files");
    const int interruption = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (interruption < 0) {
        const Error error = failed("watching files");
        ::close(events);
        return error;
    }
    auto watch = std::make_unique<Inotify>(events, interruption);
    Result<void> added;
    for (const std::string& directory : directories) watch->add(directory, added);
    if (!added) return added.error();
    return std::unique_ptr<Watch>(std::move(watch));
}

} // namespace sluice
