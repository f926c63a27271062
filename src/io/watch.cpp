#include "io/watch.hpp"

#include "base/try.hpp"

#include <algorithm>
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
    Inotify(int events, int interruption, std::span<const std::string> directories)
        : events_(events), interruption_(interruption),
          directories_(directories.begin(), directories.end()), watches_(directories.size(), -1) {}
    Inotify(const Inotify&) = delete;
    Inotify& operator=(const Inotify&) = delete;
    ~Inotify() override {
        ::close(events_);
        ::close(interruption_);
    }

    Result<void> arm() override {
        constexpr std::uint32_t kFirstChange =
            IN_ONESHOT | IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM;
        for (std::size_t i = 0; i < directories_.size(); ++i) {
            watches_[i] = ::inotify_add_watch(events_, directories_[i].c_str(), kFirstChange);
            if (watches_[i] < 0) return failed("watching " + directories_[i]);
        }
        return {};
    }

    std::uint64_t wait(std::chrono::milliseconds patience) override {
        const auto patience_ends = std::chrono::steady_clock::now() + patience;
        for (;;) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(
                patience_ends - std::chrono::steady_clock::now());
            std::array<pollfd, 2> waiting{{{events_, POLLIN, 0}, {interruption_, POLLIN, 0}}};
            const int timeout = static_cast<int>(std::max(left.count(), std::int64_t{0}));
            if (::poll(waiting.data(), waiting.size(), timeout) <= 0) return kAll;
            if (waiting[1].revents != 0) return 0;
            if (const std::uint64_t changed = read_changes(); changed != 0) return changed;
        }
    }

    void interrupt() override { ::eventfd_write(interruption_, 1); } // Nobody reads it.

private:
    static constexpr std::uint64_t kAll = ~std::uint64_t{0};

    std::uint64_t read_changes() const {
        std::uint64_t changed = 0;
        alignas(inotify_event) std::array<char, 16 * 1024> events{};
        for (;;) {
            const ssize_t size = ::read(events_, events.data(), events.size());
            if (size <= 0) return changed;
            for (const char* at = events.data(); at < events.data() + size;) {
                const auto* const event = reinterpret_cast<const inotify_event*>(at);
                if (event->wd < 0) changed = kAll; // Some were too many to be kept.
                // The watch of a change that was noticed says that it is gone, which is no news.
                const bool is_news = (event->mask & IN_IGNORED) == 0;
                for (std::size_t i = 0; i < watches_.size(); ++i) {
                    if (is_news && watches_[i] == event->wd) changed |= std::uint64_t{1} << i;
                }
                at += sizeof(inotify_event) + event->len;
            }
        }
    }

    int events_;
    int interruption_;
    std::vector<std::string> directories_;
    std::vector<int> watches_; // In their order.
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
    auto watch = std::make_unique<Inotify>(events, interruption, directories);
    SLUICE_TRY(watch->arm());
    return std::unique_ptr<Watch>(std::move(watch));
}

} // namespace sluice
