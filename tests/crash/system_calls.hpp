// The operating system as src/io sees it, with faults. The program is linked so that the calls
// listed in system_calls.cpp come here first (ld --wrap, see tests/CMakeLists.txt).
#pragma once
#include <cstdint>

namespace sluice::test {

/// What becomes of the calls that this thread makes while a FaultyCalls lives.
struct CallPlan {
    enum class Fault : std::uint8_t {
        none,
        io,          ///< EIO.
        no_space,    ///< ENOSPC, of a write after half of it; of what needs no space EIO.
        no_resource, ///< ENOMEM, and of what opens something EMFILE.
    };
    Fault fault = Fault::none;
    std::uint64_t succeed = 0; ///< So many calls do; then one fails, or all that follow.
    bool is_once = true;
    bool interrupts = false; ///< Every call that a signal can interrupt fails with EINTR at first.
    bool is_short = false; ///< A read or a write of more than 7 bytes stops after a third of them.

    std::uint64_t count = 0;  ///< How many calls there were.
    std::uint64_t failed = 0; ///< How many of them failed, those with EINTR not counted.
};

class FaultyCalls {
public:
    /// Goes on counting where an earlier one left the plan.
    explicit FaultyCalls(CallPlan& plan);
    FaultyCalls(const FaultyCalls&) = delete;
    FaultyCalls& operator=(const FaultyCalls&) = delete;
    ~FaultyCalls();
};

} // namespace sluice::test
