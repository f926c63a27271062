#include "crash/allocations.hpp"

#include <cstdlib>
#include <new>

namespace sluice::test {
namespace {

thread_local AllocationPlan* plan_of_thread = nullptr;

bool may_allocate() {
    AllocationPlan* const plan = plan_of_thread;
    if (plan == nullptr) return true;
    const std::uint64_t index = plan->count++;
    const bool succeeds = index < plan->succeed || (plan->is_once && index > plan->succeed);
    if (!succeeds) ++plan->failed;
    return succeeds;
}

} // namespace

FailingAllocations::FailingAllocations(AllocationPlan& plan) {
    plan_of_thread = &plan;
}
FailingAllocations::~FailingAllocations() {
    plan_of_thread = nullptr;
}

} // namespace sluice::test

// All other forms of new and delete, but those for strict alignments, come down to these.

void* operator new(std::size_t size) {
    void* const at = sluice::test::may_allocate() ? std::malloc(size > 0 ? size : 1) : nullptr;
    if (at == nullptr) throw std::bad_alloc();
    return at;
}
void operator delete(void* at) noexcept {
    std::free(at);
}
void operator delete(void* at, std::size_t) noexcept {
    std::free(at);
}
