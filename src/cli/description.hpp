// What the program says about itself: help, man page and shell completion, all three read off the
// one description of its commands that CLI11 parses with.
#pragma once
#include <CLI/CLI.hpp>

#include <string>
#include <string_view>

namespace sluice::cli {

/// A command's description is its summary, a blank line, and its details.
std::string summary_of(const CLI::App& app);
std::string details_of(const CLI::App& app);
/// "sluice view add"
std::string command_path(const CLI::App& app);

/// CLI11's, with room for examples and without what programmers call things.
class HelpFormatter : public CLI::Formatter {
public:
    HelpFormatter() {
        column_width(26);
        label("SUBCOMMAND", "COMMAND");
        label("Positionals", "Arguments");
    }
    std::string make_help(const CLI::App* app, std::string name,
                          CLI::AppFormatMode mode) const override;
    std::string make_description(const CLI::App* app) const override;
    std::string make_usage(const CLI::App* app, std::string name) const override;
    std::string make_subcommand(const CLI::App* app) const override;
    std::string make_option_opts(const CLI::Option* option) const override;
    std::string make_option_desc(const CLI::Option* option) const override;
};

/// The exit statuses and what they mean, for people.
std::string exit_status_text();

/// In roff, for man(1).
std::string man_page(const CLI::App& root, std::string_view version);

std::string bash_completion(const CLI::App& root);
std::string zsh_completion(const CLI::App& root);
std::string fish_completion(const CLI::App& root);

} // namespace sluice::cli
