#include "database/progress_meter.hpp"

namespace sluice {

void ProgressMeter::at(std::uint64_t done) {
    if (!tell_) return;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    tell_({what_, done, total_});
}

void ProgressMeter::finish() {
    if (tell_) tell_({what_, total_, total_});
}

} // namespace sluice
