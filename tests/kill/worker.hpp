// The process that is killed: everything that can be done to a database, one step behind the other,
// with readers beside it and the database's own threads running.
#pragma once
#include "kill/gone.hpp"
#include "kill/random_steps.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace sluice::test {

/// What a worker tells, in order: kOpened, then kBegun and kDone of each step; or kWrong with what
/// a reader saw, or which step failed. Called from any of its threads.
using Tell = std::function<void(char mark, std::string_view what)>;
inline constexpr char kOpened = 'o', kBegun = 'b', kDone = 'd', kWrong = 'w';

struct Work {
    std::string path; ///< Of the database.
    Options options;
    Model model; ///< What the database says when it was opened.
    RandomSteps steps;
    Gone& gone; ///< Learns what is erased.
    std::uint64_t step_count = 0;
};

/// Files are small, so that a short life closes, cuts, merges and rewrites many of them.
Options worker_options(std::uint64_t seed);

/// Opens the database, does the steps, and closes it.
void work(Work work, const Tell& tell);

} // namespace sluice::test
