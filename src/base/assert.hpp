// Assertions are about our own state, and stay on in every build. Bytes from disk or from a caller
// are never asserted: they are checked, and what fails the check is an Error.
#pragma once
#include <cstdio>
#include <cstdlib>

namespace sluice {
[[noreturn]] inline void assertion_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "sluice: assertion failed: %s (%s:%d)\n", condition, file, line);
    std::abort();
}
} // namespace sluice

#define SLUICE_ASSERT(condition)                                                                   \
    (__builtin_expect(static_cast<bool>(condition), 1)                                             \
         ? void()                                                                                  \
         : ::sluice::assertion_failed(#condition, __FILE__, __LINE__))
