// Telling a caller how far long work has come.
#pragma once
#include <sluice/database.hpp>

#include <chrono>
#include <string_view>

namespace sluice {

/// Tells at most a few times a second.
class ProgressMeter {
public:
    ProgressMeter(const ProgressFunction& tell, std::string_view what, std::uint64_t total)
        : tell_(tell), what_(what), total_(total) {}
    void at(std::uint64_t done);
    void finish();

private:
    const ProgressFunction& tell_;
    std::string_view what_;
    std::uint64_t total_;
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

} // namespace sluice
