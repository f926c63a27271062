// A line on the terminal that says how far long work is.
#pragma once
#include <sluice/database.hpp>

#include <chrono>
#include <string>

namespace sluice::cli {

/// Draws on standard error, and only when that is a terminal and the work has taken a second. Wipes
/// its line away when it is destroyed.
class ProgressLine {
public:
    ProgressLine();
    ~ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    /// Must not outlive the line.
    ProgressFunction function();

private:
    void show(const Progress& progress);

    using Clock = std::chrono::steady_clock;
    bool on_terminal_;
    bool drawn_ = false;
    std::string what_;
    Clock::time_point begun_ = Clock::now(); ///< Of `what_`.
    Clock::time_point drawn_at_{};
};

/// Such as "importing  43 % [========>           ] 12 s left". Empty `total`: no bar.
std::string progress_text(const Progress& progress, std::chrono::duration<double> passed);

} // namespace sluice::cli
