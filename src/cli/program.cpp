#include "cli/program.hpp"

#include "cli/description.hpp"
#include "cli/exit_status.hpp"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>
#include <sstream>

namespace sluice::cli {
namespace {

std::string examples_text(const std::vector<std::string>& examples) {
    std::string text = examples.empty() ? "" : "Examples:";
    for (const std::string& example : examples) text += "\n  " + example;
    return text;
}

/// What CLI11 says of a value that is no number, or none of a list, without the value itself: a
/// secret that was pasted into the wrong place stays out of logs.
std::string without_value(const std::string& message) {
    constexpr std::string_view kNoNumber = "Could not convert: ";
    const std::size_t value = message.find(" = ");
    if (message.starts_with(kNoNumber) && value != message.npos)
        return message.substr(kNoNumber.size(), value - kNoNumber.size()) + ": this is no number";
    const std::size_t name_end = message.find(": "), list = message.find(" not in ");
    if (name_end != message.npos && list != message.npos && name_end < list)
        return message.substr(0, name_end + 2) + "this is" + message.substr(list);
    return message;
}

/// Names of files and views, and what stands in files, may hold what a terminal takes for orders.
std::string printable_lines(std::string_view text) {
    std::string safe;
    while (true) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        safe += printable(text.substr(0, end));
        if (end == text.size()) return safe;
        safe += '\n';
        text.remove_prefix(end + 1);
    }
}

} // namespace

Program::Program() : out_(STDOUT_FILENO) {
    app_.name("sluice");
    app_.description(
        "An event log whose past can change\n\n"
        "Append messages to a database, declare views of them, and read the views. Any message can "
        "be deleted, erased or replaced afterwards, and every view is right at once.");
    app_.formatter(std::make_shared<HelpFormatter>());
    app_.require_subcommand(1);
    app_.set_version_flag("--version", std::string("sluice ") + SLUICE_VERSION,
                          "Print the version and exit");
    app_.set_help_flag("-h,--help", "Print this and exit");
    app_.add_flag("--json", out_.json, "Answer in JSON, one object on each line");
    app_.footer(
        [] { return "Every command has its own --help with examples.\n\n" + exit_status_text(); });

    add_log_commands(*this);
    add_view_commands(*this);
    add_app_commands(*this);
    add_ask_commands(*this);
    add_feed_commands(*this);
    add_change_commands(*this);
    add_retain_commands(*this);
    add_fact_commands(*this);
    add_transform_commands(*this);
    add_key_commands(*this);
    add_blob_commands(*this);
    add_block_commands(*this);
    add_data_commands(*this);
    add_maintenance_commands(*this);
    add_repair_commands(*this);
}

CLI::App& Program::add_app(CLI::App& parent, const CommandText& text) {
    CLI::App& app = *parent.add_subcommand(text.name, text.summary + "\n\n" + text.details);
    app.group(&parent == &app_ ? group_ : "Commands");
    app.footer(examples_text(text.examples));
    app.set_help_flag("-h,--help", "Print this and exit");
    return app;
}

void Program::add_output_options(CLI::App& app, const CommandText& text) {
    if (text.json_is_input) return;
    app.add_flag("--json", out_.json, "Answer in JSON, one object on each line");
}

const CLI::App& Program::chosen() const {
    const CLI::App* app = &app_;
    while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
    return *app;
}

/// Options are repeated, because a typing mistake is to be found. Other words may be the value that
/// somebody forgot to quote, and errors end up in logs.
std::string Program::too_many_words() const {
    if (app_.get_subcommands().empty()) return "there is no such command or option";
    std::string options;
    std::size_t words = 0;
    for (const std::string& each : app_.remaining(true)) {
        if (each.starts_with("--")) {
            options += ' ' + each.substr(0, each.find('='));
        } else {
            ++words;
        }
    }
    if (!options.empty()) return "there is no option" + options;
    return count_text(words, "word", "words") + " too many: a value with spaces needs quotes";
}

/// Also when the command line could not be parsed to its end.
bool Program::wants_json() const {
    for (const CLI::App* app = &chosen(); app != nullptr; app = app->get_parent()) {
        const CLI::Option* const option = app->get_option_no_throw("--json");
        if (option != nullptr && option->get_items_expected_max() == 0 && option->count() > 0) {
            return true;
        }
    }
    return false;
}

int Program::run(int argc, const char* const* argv) {
    // A reader that has gone is told by write(), so that the database is closed properly.
    std::signal(SIGPIPE, SIG_IGN);
    try {
        app_.parse(argc, argv);
    } catch (const CLI::Success& wish) {
        std::ostringstream text;
        app_.exit(wish, text, text);
        out_.write(text.str());
        out_.flush();
        return kExitOk;
    } catch (const CLI::ExtrasError&) {
        return fail_usage(too_many_words());
    } catch (const CLI::ParseError& error) {
        const bool knows_command = !app_.get_subcommands().empty();
        return fail_usage(knows_command || argc < 2 ? without_value(error.what())
                                                    : "there is no such command or option");
    }
    try {
        return run_chosen();
    } catch (const UsageError& error) {
        return fail_usage(error.message);
    } catch (const OutputClosed& closed) {
        if (closed.os_errno == EPIPE) return kExitPipeClosed;
        return fail(name_of(Errc::io),
                    std::string("writing the output: ") + std::strerror(closed.os_errno),
                    exit_status_of(Errc::io));
    } catch (const std::bad_alloc&) {
        return fail(name_of(Errc::io), "out of memory", exit_status_of(Errc::io));
    }
}

int Program::run_chosen() {
    Session session{out_};
    const Result<void> done = runs_.at(&chosen())(session);
    out_.flush();
    if (done) return session.exit_status;
    const Error& error = done.error();
    std::string message = error.context;
    const std::string reason = error.os_errno != 0 ? std::strerror(error.os_errno) : "";
    if (message.find(reason) == std::string::npos) message += ": " + reason;
    const bool is_of_database =
        message.find("/views/") != std::string::npos || message.find("/log/") != std::string::npos;
    if (error.code == Errc::corrupt && is_of_database && !wants_json()) {
        message += "\nTry: sluice repair DB, which says what helps";
    }
    return fail(name_of(error.code), message, exit_status_of(error.code));
}

int Program::fail(std::string_view code, const std::string& message, int status) const {
    std::string text;
    if (wants_json()) {
        JsonObject inner;
        inner.add("code", code).add("message", message);
        text = JsonObject().add_json("error", inner).text();
    } else {
        text = "sluice: " + printable_lines(message);
    }
    std::fputs((text + '\n').c_str(), stderr);
    return status;
}

int Program::fail_usage(const std::string& message) const {
    const std::string hint = "\nTry: " + command_path(chosen()) + " --help";
    const std::string first_line = message.substr(0, message.find('\n')); // No caret in JSON.
    return fail("usage", wants_json() ? first_line : message + hint, kExitUsage);
}

} // namespace sluice::cli
