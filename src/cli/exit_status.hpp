// What the program's exit status says. Stable: scripts depend on it.
#pragma once
#include <sluice/result.hpp>

#include <string_view>
#include <vector>

namespace sluice::cli {

constexpr int kExitOk = 0;
constexpr int kExitDifferences = 1; ///< verify or check found some, or repair left some.
constexpr int kExitUsage = 2;
constexpr int kExitInterrupted = 130; ///< As shells say SIGINT.
constexpr int kExitPipeClosed = 141;  ///< As shells say SIGPIPE.

constexpr int exit_status_of(Errc code) {
    return 10 + static_cast<int>(code);
}

struct ExitStatusMeaning {
    int status;
    std::string_view meaning;
};
/// For --help and the man page.
const std::vector<ExitStatusMeaning>& exit_status_meanings();

} // namespace sluice::cli
