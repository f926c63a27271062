// The program: its commands, how they are found, and how they end.
#pragma once
#include "cli/command.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace sluice::cli {

/// Thrown by a command whose options make no sense together. Caught by Program::run().
struct UsageError {
    std::string message;
};

class Program {
public:
    Program();

    /// Parses, runs one command and answers with the exit status.
    int run(int argc, const char* const* argv);

    CLI::App& app() { return app_; }

    /// Adds a command, as command.hpp describes it, below `parent`.
    template <typename Command> void add(CLI::App& parent) {
        auto command = std::make_shared<Command>();
        CLI::App& app = add_app(parent, Command::text());
        command->describe(app);
        add_output_options(app, Command::text());
        runs_[&app] = [command](Session& session) { return command->run(session); };
    }
    /// Adds a command that only has commands below it.
    CLI::App& add_app(CLI::App& parent, const CommandText& text);
    /// The heading in --help under which the commands stand that are added next.
    void begin_group(const std::string& heading) { group_ = heading; }

private:
    void add_output_options(CLI::App& app, const CommandText& text);
    /// The command that the command line names, or as much of it as could be understood.
    const CLI::App& chosen() const;
    bool wants_json() const;
    std::string too_many_words() const;
    int run_chosen();
    int fail(std::string_view code, const std::string& message, int status) const;
    int fail_usage(const std::string& message) const;

    CLI::App app_;
    std::string group_;
    std::map<const CLI::App*, std::function<Result<void>(Session&)>> runs_;
    Output out_;
};

// One for each file of commands.
void add_log_commands(Program& program);
void add_view_commands(Program& program);
void add_app_commands(Program& program);
void add_ask_commands(Program& program);
void add_feed_commands(Program& program);
void add_change_commands(Program& program);
void add_retain_commands(Program& program);
void add_fact_commands(Program& program);
void add_transform_commands(Program& program);
void add_key_commands(Program& program);
void add_blob_commands(Program& program);
void add_block_commands(Program& program);
void add_data_commands(Program& program);
void add_maintenance_commands(Program& program);
void add_repair_commands(Program& program);

} // namespace sluice::cli
