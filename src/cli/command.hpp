// What every command of the program is made of.
#pragma once
#include "cli/output.hpp"

#include <sluice/database.hpp>

#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::cli {

/// What help, man page and completion say about a command.
struct CommandText {
    std::string name;
    std::string summary; ///< One line without a full stop.
    std::string details; ///< Whole sentences, in paragraphs.
    std::vector<std::string> examples;
    /// --json gives the command its input. Then only `sluice --json COMMAND` asks for JSON output.
    bool json_is_input = false;
};

/// What a command needs while it runs.
struct Session {
    Output& out;
    int exit_status = 0; ///< For what is neither success nor an error.

    /// A word to the person at the terminal, beside the answer.
    void note(std::string_view text) const;
    /// The answer of commands that drop something.
    void show_dropped(const std::string& name) const;
};

/// The transforms that this program has the code of.
Transforms own_transforms();
/// How this program opens a database.
Options own_options();

/// The part of a command that opens a database.
class DatabaseArgument {
public:
    void describe(CLI::App& app);
    /// Waits for a while when another process has it. Errors: as Database::open().
    Result<std::unique_ptr<Database>> open(const Session& session) const;
    /// Beside whoever writes. What the last writer left undone is done first, if nobody writes now.
    /// `follows`: it goes on with what is written meanwhile. Errors: as Database::open().
    Result<std::unique_ptr<Database>> open_to_read(const Session& session,
                                                   bool follows = false) const;
    const std::string& path() const { return path_; }

    Durability durability = Durability::every_commit;
    void describe_durability(CLI::App& app);

private:
    std::string path_;
    double wait_seconds_ = 2;
};

/// For the shell: a text that is JSON, a key of a view.
CLI::Validator is_json();
CLI::Validator is_view_key();
/// The key that an option checked by is_view_key() holds.
Key view_key(const std::string& json);

/// The entry that SEQ|KEY means: digits are a seq, anything else is an application key.
Result<Record> find_record(const Snapshot& snapshot, const std::string& which);

/// What a message says, for people: as it is if it is text, or else how long it is.
std::string body_text(std::string_view body);
/// The same on one line.
std::string body_line(std::string_view body);

/// A command is a plain struct with its options as members and
///     static CommandText text();
///     void describe(CLI::App& app);              // declares the options
///     Result<void> run(Session& session) const;  // does the work, once
} // namespace sluice::cli
