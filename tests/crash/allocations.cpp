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

// The standard's own forms come down to the first two; a sanitizer's do not, so each is here, but
// those for strict alignments.

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return sluice::test::may_allocate() ? std::malloc(size > 0 ? size : 1) : nullptr;
}
void* operator new(std::size_t size) {
    void* const at = operator new(size, std::nothrow);
    if (at == nullptr) throw std::bad_alloc();
    return at;
}
void* operator new[](std::size_t size) {
    return operator new(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return operator new(size, std::nothrow);
}
void operator delete(void* at) noexcept {
    std::free(at);
}
void operator delete(void* at, std::size_t) noexcept {
    std::free(at);
}
void operator delete(void* at, const std::nothrow_t&) noexcept {
    std::free(at);
}
void operator delete[](void* at) noexcept {
    std::free(at);
}
void operator delete[](void* at, std::size_t) noexcept {
    std::free(at);
}
void operator delete[](void* at, const std::nothrow_t&) noexcept {
    std::free(at);
}
