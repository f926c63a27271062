// A process that is killed.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace sluice::test {

/// When a process is killed: this long behind this mark of it (0: behind its start).
struct Moment {
    std::uint64_t mark = 0;
    std::chrono::nanoseconds delay{0};
    static Moment never() { return {~std::uint64_t{0}}; }
};

/// What is known of a process that was killed, or ended before.
struct Obituary {
    std::string marks;       ///< Everything that it has written.
    bool was_killed = false; ///< Else it came to its end.
    std::string wrong = {};  ///< It ended by itself in another way. Empty if not.
};

/// A process of its own, which ends with its life or is killed with SIGKILL. What it writes to the
/// file descriptor that it is given outlives it, byte by byte. Fork: this process must have no
/// other threads, and `life` has a copy of everything that this one has.
class Process {
public:
    explicit Process(const std::function<void(int marks)>& life);
    /// Kills it now, if nobody has.
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    /// Once.
    Obituary kill_at(const Moment& moment);

private:
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    int pid_ = 0;
    int marks_ = -1; ///< -1: it was killed.
};

} // namespace sluice::test
