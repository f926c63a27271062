// Whoever reads a database that somebody else writes.
#pragma once
#include "kill/gone.hpp"

#include <functional>
#include <string>

namespace sluice::test {

/// P3, P6 and P7 as a reader sees them now, who should see none of these words: what is wrong, or
/// nothing.
std::string wrong_in_one_moment(const Database& database, const std::vector<std::string>& gone);

/// A process that reads for as long as it is let, now and then from a new opening on, with the code
/// of some applications only. Told what it finds wrong.
void look_on(const std::string& path, Options options, const Gone& gone, std::uint64_t seed,
             const std::function<void(const std::string& wrong)>& tell);

} // namespace sluice::test
