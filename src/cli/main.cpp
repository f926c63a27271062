#include "cli/program.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace {

/// A core would hold messages, and keys on their way into memory of their own. One byte, because a
/// limit of zero does not keep the kernel from feeding a core to a program, and a limit of one
/// does.
void leave_no_core() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_CORE, &limit) != 0) return;
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 1);
    static_cast<void>(::setrlimit(RLIMIT_CORE, &limit));
}

} // namespace

int main(int argc, char** argv) {
    leave_no_core();
    return sluice::cli::Program().run(argc, argv);
}
