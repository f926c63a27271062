#include "crash/trials.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace sluice::test {
namespace {

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
    const char* const wanted = std::getenv(name);
    return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : otherwise;
}

} // namespace

std::uint64_t seed_count() {
    return number_from_environment("SLUICE_CRASH_SEEDS", 4);
}
std::uint64_t stride() {
    return number_from_environment("SLUICE_CRASH_STRIDE", 5);
}
std::uint64_t sparseness() {
    return std::max<std::uint64_t>(stride() / 5, 1);
}
std::uint64_t round_number() {
    return number_from_environment("SLUICE_CRASH_ROUND", 0);
}

bool is_failure_of_machine(Errc code) {
    return code == Errc::io || code == Errc::no_space || code == Errc::latched;
}

Trials::~Trials() {
    std::printf("%s: %llu states, %llu faults, %llu losses, %llu leftovers\n", what_.c_str(),
                static_cast<unsigned long long>(states_), static_cast<unsigned long long>(faults_),
                static_cast<unsigned long long>(losses_),
                static_cast<unsigned long long>(leftovers_));
    if (const char* const path = std::getenv("SLUICE_CRASH_TALLY")) {
        std::ofstream tally(path, std::ios::app);
        tally << what_ << '\t' << states_ << '\t' << faults_ << '\t' << losses_ << '\t'
              << leftovers_ << '\n';
    }
}

void Trials::count_state(const Verdict& verdict, const std::string& when) {
    ++states_;
    if (!verdict.loss.empty()) {
        ++losses_;
        ADD_FAILURE() << when << ": " << verdict.loss;
    }
    if (!verdict.leftover.empty()) {
        ++leftovers_;
        ADD_FAILURE() << when << ": " << verdict.leftover;
    }
}

} // namespace sluice::test
