#include "kill/victim.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <stdexcept>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice::test {
namespace {

using Clock = std::chrono::steady_clock;

/// False if there is nothing to read until `deadline`.
bool is_readable(int fd, const std::optional<Clock::time_point>& deadline) {
    for (;;) {
        const auto left = deadline ? std::chrono::nanoseconds(*deadline - Clock::now())
                                   : std::chrono::nanoseconds(std::chrono::seconds(60));
        if (left.count() <= 0) return false;
        const timespec patience{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
        pollfd wanted{fd, POLLIN, 0};
        const int ready = ::ppoll(&wanted, 1, &patience, nullptr);
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) throw std::runtime_error("cannot poll a pipe");
        if (ready == 0 && !deadline) throw std::runtime_error("a process is stuck");
    }
}

/// False at the end.
bool read_some(int fd, std::string& into) {
    std::array<char, 4096> bytes{};
    const ssize_t size = ::read(fd, bytes.data(), bytes.size());
    if (size > 0) into.append(bytes.data(), static_cast<std::size_t>(size));
    return size > 0;
}

} // namespace

Process::Process(const std::function<void(int marks)>& life) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("cannot fork");
    if (pid_ == 0) {
        ::close(ends[0]);
        // Nothing of it may come back into the test, which would go on twice.
        try {
            life(ends[1]);
        } catch (const std::exception& error) {
            const std::string_view what = error.what();
            if (::write(ends[1], what.data(), what.size()) < 0) ::_exit(2);
            ::_exit(1);
        }
        ::_exit(0);
    }
    ::close(ends[1]);
    marks_ = ends[0];
}

Process::~Process() {
    if (marks_ >= 0) static_cast<void>(kill_at({}));
}

Obituary Process::kill_at(const Moment& moment) {
    Obituary obituary;
    std::optional<Clock::time_point> deadline;
    if (moment.mark == 0) deadline = begin_ + moment.delay;
    while (is_readable(marks_, deadline)) {
        if (!read_some(marks_, obituary.marks)) break;
        if (!deadline && obituary.marks.size() >= moment.mark) {
            deadline = Clock::now() + moment.delay;
        }
    }
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    while (read_some(marks_, obituary.marks)) {
    }
    ::close(marks_);
    marks_ = -1;

    obituary.was_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (!obituary.was_killed && status != 0) {
        obituary.wrong =
            "it ended by itself with status " + std::to_string(status) + ": " + obituary.marks;
    }
    return obituary;
}

} // namespace sluice::test
