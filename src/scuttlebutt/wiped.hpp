// Secrets on the stack.
#pragma once
#include <sodium.h>

namespace sluice::scuttlebutt {

/// Secret bytes that do not outlive their scope.
template <typename Array> struct Wiped {
    Array bytes{};
    Wiped() = default;
    Wiped(const Wiped&) = delete;
    Wiped& operator=(const Wiped&) = delete;
    ~Wiped() { sodium_memzero(bytes.data(), bytes.size()); }
};

} // namespace sluice::scuttlebutt
