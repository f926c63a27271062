// Where the power goes, and what it leaves.
#pragma once
#include "crash/trials.hpp"

#include <functional>
#include <string>

namespace sluice::test {

using TryDisk = std::function<void(SimulatedDisk& found, const std::string& when)>;

/// The disks that may be found if the power is cut now: one for each fate, or seed_count() of those
/// that leave one of many.
void each_disk_after_power_cut(const SimulatedDisk& disk, const TryDisk& try_it);

/// Opens what a crash left, and the power goes again while it is being opened: at every `every`th
/// operation, under one of the fates. `crashes` more times in all: what the second crash left is
/// opened and crashes, too. Tries each disk that was found. Empty, or why opening failed.
std::string crash_while_opening(SimulatedDisk& found, const Options& options, int crashes,
                                std::uint64_t every, const std::string& when,
                                const TryDisk& try_it);

} // namespace sluice::test
