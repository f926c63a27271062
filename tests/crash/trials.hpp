// Counts what was tried, and says what went wrong.
#pragma once
#include "crash/judge.hpp"

#include <cstdint>
#include <string>

namespace sluice::test {

// How much is tried. `make test` and `make soak` set it, and so may anybody.

/// SLUICE_CRASH_SEEDS: how many disks are tried of a fate that leaves one of many (4).
std::uint64_t seed_count();
/// SLUICE_CRASH_STRIDE: where trying everything takes long, every so many is tried (5). 1: all.
std::uint64_t stride();
/// The same for what is tried whole as a rule: 1, which is all, but where each costs four times as
/// much.
std::uint64_t sparseness();
/// SLUICE_CRASH_ROUND: the same again with other dice, sizes and messages (0).
std::uint64_t round_number();

/// What a call may answer whose file, disk or memory failed.
bool is_failure_of_machine(Errc code);

/// One line of the table: "states" are databases that were opened after a crash or a fault and
/// compared with the model, "faults" are calls that were made to fail and processes that were
/// killed.
class Trials {
public:
    explicit Trials(std::string what) : what_(std::move(what)) {}
    Trials(const Trials&) = delete;
    Trials& operator=(const Trials&) = delete;
    /// Prints the line. With SLUICE_CRASH_TALLY, also adds it to that file, for scripts/soak.
    ~Trials();

    void count_fault() { ++faults_; }
    /// A wrong one fails the test, and says when.
    void count_state(const Verdict& verdict, const std::string& when);
    std::uint64_t states() const { return states_; }
    std::uint64_t faults() const { return faults_; }
    /// One bug goes wrong a thousand times; a few of them tell enough.
    bool have_failed_enough() const { return losses_ + leftovers_ > 5; }

private:
    std::string what_;
    std::uint64_t states_ = 0;
    std::uint64_t faults_ = 0;
    std::uint64_t losses_ = 0;
    std::uint64_t leftovers_ = 0;
};

} // namespace sluice::test
