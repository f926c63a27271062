// Memory that runs out when a test says so.
#pragma once
#include <cstdint>

namespace sluice::test {

/// What becomes of the allocations that this thread makes through operator new while a
/// FailingAllocations lives: so many succeed, and then one fails or, if told so, all that follow.
struct AllocationPlan {
    std::uint64_t succeed = 0;
    bool is_once = true;
    std::uint64_t count = 0;  ///< How many were asked for.
    std::uint64_t failed = 0; ///< How many of them failed.
};

class FailingAllocations {
public:
    /// Goes on counting where an earlier one left the plan.
    explicit FailingAllocations(AllocationPlan& plan);
    FailingAllocations(const FailingAllocations&) = delete;
    FailingAllocations& operator=(const FailingAllocations&) = delete;
    ~FailingAllocations();
};

} // namespace sluice::test
