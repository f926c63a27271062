#include "cli/progress.hpp"

#include "cli/output.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace sluice::cli {
namespace {

constexpr std::chrono::seconds kSilence{1};
constexpr std::chrono::milliseconds kBetweenDrawings{100};

} // namespace

ProgressLine::ProgressLine() : on_terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
    if (drawn_) std::fputs("\r\x1b[K", stderr);
}

ProgressFunction ProgressLine::function() {
    if (!on_terminal_) return {};
    return [this](const Progress& progress) { show(progress); };
}

void ProgressLine::show(const Progress& progress) {
    const auto now = Clock::now();
    if (progress.what != what_) {
        what_ = progress.what;
        begun_ = now;
    }
    if (now - begun_ < kSilence || now - drawn_at_ < kBetweenDrawings) return;
    drawn_at_ = now;
    drawn_ = true;
    std::fputs(("\r" + progress_text(progress, now - begun_) + "\x1b[K").c_str(), stderr);
    std::fflush(stderr);
}

std::string progress_text(const Progress& progress, std::chrono::duration<double> passed) {
    constexpr std::size_t kBarWidth = 24;
    std::string text(progress.what);
    if (progress.total == 0) return text + "  " + count_text(progress.done);

    const double part = std::clamp(
        static_cast<double>(progress.done) / static_cast<double>(progress.total), 0.0, 1.0);
    const auto filled = static_cast<std::size_t>(part * static_cast<double>(kBarWidth));
    std::string bar(filled, '=');
    if (filled < kBarWidth) bar += '>';
    bar.resize(kBarWidth, ' ');
    text += "  " + std::to_string(static_cast<int>(part * 100)) + " % [" + bar + "]";
    if (part > 0) {
        const double left = std::ceil(passed.count() * (1 - part) / part);
        text += ' ' + count_text(static_cast<std::uint64_t>(left)) + " s left";
    }
    return text;
}

} // namespace sluice::cli
