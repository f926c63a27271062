// Waiting for what other processes do to directories.
#pragma once
#include <sluice/result.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace sluice {

/// Tells that files in some directories were written, made, renamed or removed (inotify). What was
/// written through a memory map is not noticed.
///
/// Whoever writes pays for each watch that is armed, and only for its first change: arm(), look,
/// wait(), and so on.
///
/// Threads: arm() and wait() from one, interrupt() from any.
class Watch {
public:
    virtual ~Watch() = default;
    /// Errors: io (the system has no more watches; or what is watched is no directory of its).
    static Result<std::unique_ptr<Watch>> of(std::span<const std::string> directories);
    /// From here on changes are noticed. Errors: io (a directory is gone).
    virtual Result<void> arm() = 0;
    /// Returns when something has changed since arm(), or when interrupted. Bit i stands for the
    /// directory i, of at most 64. After `patience` all are taken for changed: a network file
    /// system may say nothing.
    virtual std::uint64_t wait(std::chrono::milliseconds patience) = 0;
    /// Ends this wait() and all that follow.
    virtual void interrupt() = 0;
};

} // namespace sluice
