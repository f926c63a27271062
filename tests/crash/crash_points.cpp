#include "crash/crash_points.hpp"

namespace sluice::test {
namespace {

std::string describe(std::uint64_t operation, Fate fate, std::uint64_t dice) {
    return "operation " + std::to_string(operation) + ", fate " + std::string(name_of(fate)) +
           ", dice " + std::to_string(dice);
}

} // namespace

void each_disk_after_power_cut(const SimulatedDisk& disk, const TryDisk& try_it) {
    const std::uint64_t operation = disk.operations();
    for (const Fate fate : kEveryFate) {
        for (std::uint64_t seed = 0; seed < (has_variants(fate) ? seed_count() : 1); ++seed) {
            const std::uint64_t dice = (round_number() * 100'000 + operation) * 1000 + seed;
            try_it(*disk.copy_after_power_cut(fate, dice), describe(operation, fate, dice));
        }
    }
}

std::string crash_while_opening(SimulatedDisk& found, const Options& options, int crashes,
                                std::uint64_t every, const std::string& when,
                                const TryDisk& try_it) {
    std::string failed;
    found.observe([&] {
        const std::uint64_t operation = found.operations();
        const std::uint64_t dice = operation + round_number();
        if (dice % every != 0) return;
        const Fate fate = kEveryFate[dice / every % std::size(kEveryFate)];
        const std::string now = when + ", then " + describe(operation, fate, dice);
        if (crashes > 1) {
            const auto next = found.copy_after_power_cut(fate, dice);
            const std::string wrong =
                crash_while_opening(*next, options, crashes - 1, every, now, try_it);
            if (failed.empty()) failed = wrong;
        }
        try_it(*found.copy_after_power_cut(fate, dice), now);
    });
    const auto root = found.root();
    const auto opened = Database::open(*root, options);
    found.observe({});
    return opened ? failed : when + ": cannot be opened: " + opened.error().context;
}

} // namespace sluice::test
