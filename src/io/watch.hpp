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
/// Threads: wait() from one, interrupt() from any.
class Watch {
public:
    virtual ~Watch() = default;
    /// Errors: io (the system has no more watches; or what is watched is no directory of its).
    static Result<std::unique_ptr<Watch>> of(std::span<const std::string> directories);
    /// Returns when something has changed since the last call returned, or when interrupted. Bit i
    /// stands for the directory i, of at most 64. After `patience` all are taken for changed: a
    /// network file system may say nothing.
    virtual std::uint64_t wait(std::chrono::milliseconds patience) = 0;
    /// Ends this wait() and all that follow.
    virtual void interrupt() = 0;
};

} // namespace sluice
