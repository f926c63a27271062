#include "cli/duration.hpp"

#include <charconv>
#include <utility>

namespace sluice::cli {
namespace {

constexpr std::pair<char, std::int64_t> kUnits[] = {
    {'w', 604800000}, {'d', 86400000}, {'h', 3600000}, {'m', 60000}, {'s', 1000}};
constexpr std::int64_t kMsMax = std::int64_t{86400000} * 365250;

} // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    const auto unit = text.substr(static_cast<std::size_t>(end - text.data()));
    if (error != std::errc() || count < 0 || unit.size() != 1) return std::nullopt;
    for (const auto& [letter, ms] : kUnits) {
        if (unit[0] == letter && count <= kMsMax / ms) return std::chrono::milliseconds(count * ms);
    }
    return std::nullopt;
}

CLI::Validator is_duration() {
    return CLI::Validator(
        [](const std::string& text) {
            return parse_duration(text) ? std::string()
                                        : "a duration is a number and w, d, h, m or s, such as 90d";
        },
        "");
}

std::string duration_text(std::chrono::milliseconds duration) {
    for (const auto& [letter, ms] : kUnits) {
        if (letter != 'w' && duration.count() % ms == 0) {
            return std::to_string(duration.count() / ms) + letter;
        }
    }
    return std::to_string(duration.count()) + " ms";
}

} // namespace sluice::cli
