// Holds a database that was found after a crash or a fault against the model.
#pragma once
#include "model/model.hpp"
#include "support/simulated_disk.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace sluice::test {

/// Where a database lies, and how its files are searched.
struct Place {
    Directory& root;
    /// Where this text is, in words; empty if it is nowhere.
    std::function<std::string(std::string_view text)> find;
};

struct Verdict {
    /// What is not as it should be: something acknowledged is missing or has come back, a step is
    /// done by half, a view is not what its messages say. Empty if all is well.
    std::string loss = {};
    std::string leftover = {}; ///< Where a piece of something erased is left. Empty if nowhere.
    Model model = {};          ///< What the database says now.

    bool is_good() const { return loss.empty() && leftover.empty(); }
};

/// Opens the database. It must be what it was before the step under way, or what the step was to
/// make of it, with every view equal to what its messages say; nothing erased may be anywhere; and
/// it must go on from there. Asked of the model and of Database::verify(), which share no code.
Verdict judge(const Place& place, const Options& options, Model before, Model after);

/// The same on a disk, which is searched down to its free blocks.
Verdict judge(SimulatedDisk& disk, const Options& options, const Model& before, const Model& after);
/// And then the power goes again, and takes all that was not synced. What was found and went on
/// must be there, as it was acknowledged.
Verdict judge_twice(SimulatedDisk& disk, const Options& options, const Model& before,
                    const Model& after);

/// Where on the disk is a piece of something that the model says is erased? Empty if nowhere.
std::string leftover_on(const SimulatedDisk& disk, const Model& model);
std::string find_on(const SimulatedDisk& disk, std::string_view text);

} // namespace sluice::test
