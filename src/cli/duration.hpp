// Durations as people write them on a command line.
#pragma once
#include <CLI/CLI.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::cli {

/// 90d, 12h, 30m, 45s, 2w: a whole number and a unit. None for anything else, and for more than a
/// thousand years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

CLI::Validator is_duration();

/// The shortest such text: 90d.
std::string duration_text(std::chrono::milliseconds duration);

} // namespace sluice::cli
