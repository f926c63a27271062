// What the lists of views and of applications say alike.
#pragma once
#include "cli/duration.hpp"
#include "inspect/json.hpp"

#include <sluice/database.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <string>

namespace sluice::cli {

/// The version of code; a declared view has none.
inline std::string version_text(const ViewInfo& view) {
    return view.app.empty() ? "-" : std::to_string(view.version);
}

inline std::string opened_text(std::uint64_t opened_ms) {
    return opened_ms == 0 ? "not known" : utc_text(opened_ms);
}

inline void describe_unused(CLI::App& app, std::string& unused, const std::string& what) {
    app.add_option("--unused", unused, what)->type_name("DURATION")->check(is_duration());
}

/// Whether it was last opened as long ago as an option of describe_unused() says; true without one.
/// Of what nobody knows since when, nobody can say so.
inline bool is_unused(std::uint64_t opened_ms, const std::string& unused) {
    using namespace std::chrono;
    if (unused.empty()) return true;
    const auto now = duration_cast<milliseconds>(system_clock::now().time_since_epoch());
    const milliseconds opened{static_cast<std::int64_t>(opened_ms)};
    return opened_ms != 0 && now - opened >= parse_duration(unused).value_or(milliseconds(0));
}

} // namespace sluice::cli
