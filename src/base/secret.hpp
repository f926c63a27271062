// Memory for what nobody is to find in it later: keys above all.
//
// Three ways lead from memory to somebody else: a core dump, swap space, and memory that was freed
// and given out again. Secrets that stay are kept in pages of their own, which the kernel leaves
// out of core dumps and does not swap out; whatever held a secret is overwritten before it is
// freed. Pages are locked as far as the process may (RLIMIT_MEMLOCK); the rest are as good
// otherwise. What this does not reach: SECURITY.md.
#pragma once
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Overwrites the bytes. No compiler leaves it out because nobody reads them again.
void wipe(void* bytes, std::size_t size);
/// Overwrites all that the string has room for, and empties it. A string that has grown left
/// copies behind: reserve() first.
void wipe(std::string& text);

/// Whole pages: not dumped, and locked if possible. Throws std::bad_alloc.
void* allocate_secret(std::size_t size_bytes);
/// Wipes them and gives them back.
void free_secret(void* bytes, std::size_t size_bytes) noexcept;

/// Costs three system calls and a page at least: for secrets that stay, or that grow while they
/// are read.
template <typename T> struct SecretAllocator {
    using value_type = T;
    SecretAllocator() = default;
    template <typename U> SecretAllocator(const SecretAllocator<U>&) {}
    T* allocate(std::size_t count) { return static_cast<T*>(allocate_secret(count * sizeof(T))); }
    void deallocate(T* items, std::size_t count) noexcept { free_secret(items, count * sizeof(T)); }
    friend bool operator==(const SecretAllocator&, const SecretAllocator&) { return true; }
};

/// Not a string: a short one would lie in the object itself.
using SecretBytes = std::vector<char, SecretAllocator<char>>;

inline std::string_view view_of(const SecretBytes& bytes) {
    return {bytes.data(), bytes.size()};
}

/// A key by value. Each copy is overwritten when its scope ends.
template <std::size_t kSize> struct SecretArray : std::array<unsigned char, kSize> {
    using Bytes = std::array<unsigned char, kSize>;
    SecretArray() : Bytes{} {}
    SecretArray(const Bytes& bytes) : Bytes(bytes) {}
    SecretArray(const SecretArray&) = default;
    SecretArray& operator=(const SecretArray&) = default;
    ~SecretArray() { wipe(this->data(), kSize); }
};

} // namespace sluice
