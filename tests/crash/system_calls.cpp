#include "crash/system_calls.hpp"

#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdint>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice::test {
namespace {

thread_local CallPlan* plan_of_thread = nullptr;
thread_local bool was_interrupted = false;

/// What a call needs, and so how it can fail.
enum class Needs : std::uint8_t { nothing, space, memory, descriptor };

int errno_of(CallPlan::Fault fault, Needs needs) {
    if (fault == CallPlan::Fault::no_space && needs == Needs::space) return ENOSPC;
    if (fault == CallPlan::Fault::no_resource && needs == Needs::descriptor) return EMFILE;
    if (fault == CallPlan::Fault::no_resource) return ENOMEM;
    return EIO;
}

/// Whether this call, of this thread now, is one that is to fail; then errno says how.
bool fails(Needs needs) {
    CallPlan* const plan = plan_of_thread;
    if (plan == nullptr) return false;
    const std::uint64_t index = plan->count++;
    if (plan->fault == CallPlan::Fault::none || index < plan->succeed) return false;
    if (plan->is_once && index > plan->succeed) return false;
    ++plan->failed;
    errno = errno_of(plan->fault, needs);
    return true;
}

/// Every other time that an interruptible call is made.
bool is_interrupted() {
    if (plan_of_thread == nullptr || !plan_of_thread->interrupts) return false;
    was_interrupted = !was_interrupted;
    if (was_interrupted) errno = EINTR;
    return was_interrupted;
}

std::size_t transfer_size(std::size_t wanted) {
    const bool is_short = plan_of_thread != nullptr && plan_of_thread->is_short && wanted > 7;
    return is_short ? wanted / 3 : wanted;
}

} // namespace

FaultyCalls::FaultyCalls(CallPlan& plan) {
    plan_of_thread = &plan;
    was_interrupted = false;
}
FaultyCalls::~FaultyCalls() {
    plan_of_thread = nullptr;
}

} // namespace sluice::test

// The linker gives these names: __wrap_x is called for x, and __real_x is x.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {

using sluice::test::fails;
using sluice::test::is_interrupted;
using sluice::test::Needs;
using sluice::test::transfer_size;

ssize_t __real_pread(int fd, void* to, std::size_t size, off_t at);
ssize_t __wrap_pread(int fd, void* to, std::size_t size, off_t at) {
    if (is_interrupted() || fails(Needs::memory)) return -1;
    return __real_pread(fd, to, transfer_size(size), at);
}

ssize_t __real_pwrite(int fd, const void* from, std::size_t size, off_t at);
ssize_t __wrap_pwrite(int fd, const void* from, std::size_t size, off_t at) {
    if (is_interrupted()) return -1;
    if (!fails(Needs::space)) return __real_pwrite(fd, from, transfer_size(size), at);
    // A write that finds the disk full has filled it. The call after it fails.
    const int number = errno;
    if (number == ENOSPC && size > 1) static_cast<void>(__real_pwrite(fd, from, size / 2, at));
    errno = number;
    return -1;
}

// A sync has nothing to do here: nobody cuts the power of these files.
int __wrap_fdatasync(int) {
    return is_interrupted() || fails(Needs::space) ? -1 : 0;
}
int __wrap_fsync(int) {
    return is_interrupted() || fails(Needs::space) ? -1 : 0;
}

int __real_ftruncate(int fd, off_t size);
int __wrap_ftruncate(int fd, off_t size) {
    return is_interrupted() || fails(Needs::space) ? -1 : __real_ftruncate(fd, size);
}

int __real_fallocate(int fd, int mode, off_t at, off_t size);
int __wrap_fallocate(int fd, int mode, off_t at, off_t size) {
    return is_interrupted() || fails(Needs::space) ? -1 : __real_fallocate(fd, mode, at, size);
}

int __real_open(const char* path, int flags, ...);
int __wrap_open(const char* path, int flags, ...) {
    return is_interrupted() || fails(Needs::descriptor) ? -1 : __real_open(path, flags);
}

int __real_openat(int folder, const char* path, int flags, ...);
int __wrap_openat(int folder, const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (is_interrupted() || fails((flags & O_CREAT) != 0 ? Needs::space : Needs::descriptor)) {
        return -1;
    }
    return __real_openat(folder, path, flags, mode);
}

void* __real_mmap(void* at, std::size_t size, int protection, int flags, int fd, off_t from);
void* __wrap_mmap(void* at, std::size_t size, int protection, int flags, int fd, off_t from) {
    if (fails(Needs::memory)) return MAP_FAILED;
    return __real_mmap(at, size, protection, flags, fd, from);
}

int __real_renameat(int from_folder, const char* from, int to_folder, const char* to);
int __wrap_renameat(int from_folder, const char* from, int to_folder, const char* to) {
    return fails(Needs::space) ? -1 : __real_renameat(from_folder, from, to_folder, to);
}

int __real_unlinkat(int folder, const char* path, int flags);
int __wrap_unlinkat(int folder, const char* path, int flags) {
    return fails(Needs::nothing) ? -1 : __real_unlinkat(folder, path, flags);
}

int __real_mkdir(const char* path, mode_t mode);
int __wrap_mkdir(const char* path, mode_t mode) {
    return fails(Needs::space) ? -1 : __real_mkdir(path, mode);
}

int __real_fstat(int fd, struct stat* status);
int __wrap_fstat(int fd, struct stat* status) {
    return fails(Needs::nothing) ? -1 : __real_fstat(fd, status);
}

int __real_fstatat(int folder, const char* path, struct stat* status, int flags);
int __wrap_fstatat(int folder, const char* path, struct stat* status, int flags) {
    return fails(Needs::memory) ? -1 : __real_fstatat(folder, path, status, flags);
}

DIR* __real_opendir(const char* path);
DIR* __wrap_opendir(const char* path) {
    return fails(Needs::descriptor) ? nullptr : __real_opendir(path);
}

struct dirent* __real_readdir(DIR* stream);
struct dirent* __wrap_readdir(DIR* stream) {
    return fails(Needs::memory) ? nullptr : __real_readdir(stream);
}

int __real_inotify_init1(int flags);
int __wrap_inotify_init1(int flags) {
    return fails(Needs::descriptor) ? -1 : __real_inotify_init1(flags);
}

int __real_inotify_add_watch(int events, const char* path, std::uint32_t what);
int __wrap_inotify_add_watch(int events, const char* path, std::uint32_t what) {
    return fails(Needs::memory) ? -1 : __real_inotify_add_watch(events, path, what);
}

int __real_eventfd(unsigned count, int flags);
int __wrap_eventfd(unsigned count, int flags) {
    return fails(Needs::descriptor) ? -1 : __real_eventfd(count, flags);
}

int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation) {
    return is_interrupted() || fails(Needs::memory) ? -1 : __real_flock(fd, operation);
}

} // extern "C"
// NOLINTEND(bugprone-reserved-identifier)
