#include "base/secret.hpp"

#include <cstring>
#include <new>

#include <sys/mman.h>
#include <unistd.h>

namespace sluice {
namespace {

std::size_t whole_pages(std::size_t size_bytes) {
    static const auto kPage = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return (size_bytes + kPage - 1) / kPage * kPage;
}

} // namespace

void wipe(void* bytes, std::size_t size) {
    ::explicit_bzero(bytes, size);
}

void wipe(std::string& text) {
    text.resize(text.capacity());
    wipe(text.data(), text.size());
    text.clear();
}

void* allocate_secret(std::size_t size_bytes) {
    const std::size_t size = whole_pages(size_bytes);
    void* const at =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) throw std::bad_alloc();
    // Neither may fail the caller: an unlocked key is better than a database that does not open.
    static_cast<void>(::madvise(at, size, MADV_DONTDUMP));
    static_cast<void>(::mlock(at, size));
    return at;
}

void free_secret(void* bytes, std::size_t size_bytes) noexcept {
    wipe(bytes, size_bytes);
    ::munmap(bytes, whole_pages(size_bytes));
}

} // namespace sluice
