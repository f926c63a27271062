#include "cli/description.hpp"

#include "cli/exit_status.hpp"

#include <sstream>
#include <vector>

namespace sluice::cli {
namespace {

constexpr std::size_t kLineWidth = 80;

/// Breaks paragraphs into lines. `indent` goes before each line but the first.
std::string wrapped(const std::string& text, std::size_t width, const std::string& indent) {
    std::string lines;
    std::size_t column = 0;
    std::istringstream paragraphs(text);
    for (std::string paragraph; std::getline(paragraphs, paragraph);) {
        if (!lines.empty()) lines += '\n' + (paragraph.empty() ? "" : indent);
        column = 0;
        std::istringstream words(paragraph);
        for (std::string word; words >> word;) {
            if (column > 0 && column + 1 + word.size() > width) {
                lines += '\n' + indent;
                column = 0;
            } else if (column > 0) {
                lines += ' ';
                ++column;
            }
            lines += word;
            column += word.size();
        }
    }
    return lines;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App*) { return true; });
}

/// All commands that can be run, depth first, in the order of the help.
std::vector<const CLI::App*> runnable_commands(const CLI::App& app) {
    std::vector<const CLI::App*> all;
    for (const CLI::App* command : commands_of(app)) {
        const auto below = runnable_commands(*command);
        if (below.empty()) all.push_back(command);
        all.insert(all.end(), below.begin(), below.end());
    }
    return all;
}

std::vector<const CLI::Option*> options_of(const CLI::App& app) {
    return app.get_options([](const CLI::Option* option) { return option->nonpositional(); });
}
std::vector<const CLI::Option*> positionals_of(const CLI::App& app) {
    return app.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

bool takes_value(const CLI::Option& option) {
    return option.get_items_expected_max() > 0;
}

/// "TEXT", or "{one,another}" where only some values are allowed.
std::string value_name(const CLI::Option& option) {
    const std::string type = option.get_type_name();
    const std::size_t choices = type.find('{');
    if (choices != std::string::npos) return type.substr(choices);
    return type.substr(0, type.find(':'));
}

/// What may follow an option, if that is a matter of a few words.
std::string choices_of(const CLI::Option& option) {
    std::string choices = value_name(option);
    if (choices.size() < 2 || choices.front() != '{') return {};
    choices = choices.substr(1, choices.size() - 2);
    for (char& c : choices) c = c == ',' ? ' ' : c;
    return choices;
}

bool names_path(const CLI::Option& option) {
    return option.get_name(true) == "DB" || value_name(option) == "FILE";
}

std::vector<std::string> option_names(const CLI::Option& option) {
    std::vector<std::string> names;
    for (const std::string& name : option.get_snames()) names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
    return names;
}

std::string joined(const std::vector<std::string>& words, const std::string& between) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
    return text;
}

// roff

std::string roff(const std::string& text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '\\')
            escaped += "\\e";
        else if (c == '-')
            escaped += "\\-";
        else if (c == '\'')
            escaped += "\\(aq";
        else if (c == '.' && (escaped.empty() || escaped.back() == '\n'))
            escaped += "\\&.";
        else
            escaped += c;
    }
    return escaped;
}

std::string roff_paragraphs(const std::string& text) {
    std::string page;
    std::istringstream paragraphs(text);
    for (std::string paragraph; std::getline(paragraphs, paragraph);) {
        page += paragraph.empty() ? ".PP\n" : roff(paragraph) + "\n";
    }
    return page;
}

std::string roff_option(const CLI::Option& option) {
    std::string page = ".TP\n\\fB" + roff(joined(option_names(option), ", ")) + "\\fR";
    if (takes_value(option)) page += " \\fI" + roff(value_name(option)) + "\\fR";
    return page + "\n" + roff(option.get_description()) + "\n";
}

std::string roff_command(const CLI::App& command) {
    std::string page = ".SS " + roff(command_path(command));
    for (const CLI::Option* each : positionals_of(command))
        page += " " + roff(each->get_name(true));
    page += "\n" + roff(summary_of(command)) + ".\n.PP\n" + roff_paragraphs(details_of(command));
    for (const CLI::Option* option : options_of(command)) {
        const bool everywhere = option == command.get_help_ptr() ||
                                (option->get_name() == "--json" && !takes_value(*option));
        if (!everywhere) page += roff_option(*option);
    }
    if (!command.get_footer().empty()) {
        page += ".PP\n.nf\n" + roff(command.get_footer()) + "\n.fi\n";
    }
    return page;
}

// Shells

std::string shell_quoted(const std::string& text) {
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

std::string all_option_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* option : options_of(app)) {
        names.push_back("--" + option->get_lnames().front());
    }
    return joined(names, " ");
}

std::string command_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* command : commands_of(app)) names.push_back(command->get_name());
    return joined(names, " ");
}

/// "view add", as the shells' functions see it; empty for the root.
std::string words_of(const CLI::App& app) {
    const std::string path = command_path(app);
    const std::size_t space = path.find(' ');
    return space == std::string::npos ? "" : path.substr(space + 1);
}

/// The root, every command, and those that have commands below them.
std::vector<const CLI::App*> all_apps(const CLI::App& app) {
    std::vector<const CLI::App*> all = {&app};
    for (const CLI::App* command : commands_of(app)) {
        const auto below = all_apps(*command);
        all.insert(all.end(), below.begin(), below.end());
    }
    return all;
}

} // namespace

std::string summary_of(const CLI::App& app) {
    const std::string text = app.get_description();
    return text.substr(0, text.find('\n'));
}

std::string details_of(const CLI::App& app) {
    const std::string text = app.get_description();
    const std::size_t end_of_summary = text.find("\n\n");
    return end_of_summary == std::string::npos ? "" : text.substr(end_of_summary + 2);
}

std::string command_path(const CLI::App& app) {
    const CLI::App* const parent = app.get_parent();
    return parent == nullptr ? app.get_name() : command_path(*parent) + ' ' + app.get_name();
}

std::string HelpFormatter::make_description(const CLI::App* app) const {
    std::string text = summary_of(*app) + ".\n";
    if (!details_of(*app).empty()) text += '\n' + wrapped(details_of(*app), kLineWidth, "") + '\n';
    return text + '\n';
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string) const {
    return CLI::Formatter::make_usage(app, command_path(*app));
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string name,
                                     CLI::AppFormatMode mode) const {
    const std::string help = CLI::Formatter::make_help(app, std::move(name), mode);
    return CLI::detail::find_and_replace(help, "\n\n\n", "\n\n");
}

std::string HelpFormatter::make_subcommand(const CLI::App* app) const {
    std::ostringstream line;
    CLI::detail::format_help(line, app->get_name(), summary_of(*app), get_column_width());
    return line.str();
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
    if (!takes_value(*option) || option->get_positional()) return "";
    return ' ' + value_name(*option);
}

std::string HelpFormatter::make_option_desc(const CLI::Option* option) const {
    const std::size_t column = get_column_width();
    return wrapped(option->get_description(), kLineWidth - column, "");
}

std::string exit_status_text() {
    std::string text = "Exit status:";
    for (const ExitStatusMeaning& each : exit_status_meanings()) {
        const std::string status = std::to_string(each.status);
        text += "\n  " + std::string(3 - status.size(), ' ') + status + "  ";
        text += each.meaning;
    }
    return text;
}

std::string man_page(const CLI::App& root, std::string_view version) {
    std::string page = ".TH SLUICE 1 \"\" \"sluice " + std::string(version) + "\"\n";
    page += ".SH NAME\nsluice \\- " + roff(summary_of(root)) + "\n";
    page += ".SH SYNOPSIS\n";
    for (const CLI::App* command : runnable_commands(root)) {
        page += "\\fB" + roff(command_path(*command)) + "\\fR";
        for (const CLI::Option* each : positionals_of(*command)) {
            page += " \\fI" + roff(each->get_name(true)) + "\\fR";
        }
        page += " [\\fIoptions\\fR]\n.br\n";
    }
    page += ".SH DESCRIPTION\n" + roff_paragraphs(details_of(root));
    page +=
        ".SH OPTIONS\n" + roff("They stand before the command. --help and --json may also stand "
                               "behind it, except where --json gives the command its input.\n");
    for (const CLI::Option* option : options_of(root)) page += roff_option(*option);
    page += ".SH COMMANDS\n";
    for (const CLI::App* command : runnable_commands(root)) page += roff_command(*command);
    page += ".SH EXIT STATUS\n";
    for (const ExitStatusMeaning& each : exit_status_meanings()) {
        page +=
            ".TP\n" + std::to_string(each.status) + "\n" + roff(std::string(each.meaning)) + "\n";
    }
    return page;
}

std::string bash_completion(const CLI::App& root) {
    std::string commands, options, values;
    for (const CLI::App* app : all_apps(root)) {
        const std::string words = shell_quoted(words_of(*app));
        if (!commands_of(*app).empty()) {
            commands +=
                "        " + words + ") commands=" + shell_quoted(command_names(*app)) + " ;;\n";
        }
        options +=
            "        " + words + ") options=" + shell_quoted(all_option_names(*app)) + " ;;\n";
        for (const CLI::Option* option : options_of(*app)) {
            if (!takes_value(*option)) continue;
            const std::string choices = choices_of(*option);
            const std::string found = !choices.empty()      ? "words " + shell_quoted(choices)
                                      : names_path(*option) ? "files"
                                                            : "nothing";
            values += "        " +
                      shell_quoted(words_of(*app) + " --" + option->get_lnames().front()) + ") " +
                      found + "; return ;;\n";
        }
    }
    return "# bash completion for sluice, made by `sluice completion bash`\n"
           "_sluice() {\n"
           "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
           "    local path='' word commands options index\n"
           "    words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$current\"); }\n"
           "    files() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "
           "\"$current\"); }\n"
           "    nothing() { COMPREPLY=(); }\n"
           "    subcommands() {\n"
           "        commands=''\n"
           "        case $path in\n" +
           commands +
           "        esac\n"
           "    }\n"
           "    for ((index = 1; index < COMP_CWORD; ++index)); do\n"
           "        word=${COMP_WORDS[index]}\n"
           "        subcommands\n"
           "        [[ \" $commands \" == *\" $word \"* ]] && path=${path:+$path }$word\n"
           "    done\n"
           "    case \"$path $before\" in\n" +
           values +
           "    esac\n"
           "    subcommands\n"
           "    options=''\n"
           "    case $path in\n" +
           options +
           "    esac\n"
           "    if [[ $current == -* ]]; then words \"$options\"\n"
           "    elif [[ -n $commands ]]; then words \"$commands\"\n"
           "    else files\n"
           "    fi\n"
           "}\n"
           "complete -F _sluice sluice\n";
}

namespace {

std::string zsh_text(const std::string& text) {
    std::string safe;
    for (const char c : text) {
        if (c == '[' || c == ']' || c == ':' || c == '\\') safe += '\\';
        safe += c;
    }
    return safe;
}

std::string zsh_value(const CLI::Option& option) {
    const std::string choices = choices_of(option);
    const std::string name = option.get_positional() ? option.get_name(true) : "value";
    return ":" + zsh_text(name) + ":" +
           (!choices.empty()     ? "(" + choices + ")"
            : names_path(option) ? "_files"
                                 : "");
}

std::string zsh_option(const CLI::Option& option) {
    std::string text = option.get_expected_max() > 1 ? "*--" : "--";
    text += option.get_lnames().front();
    text += '[' + zsh_text(option.get_description()) + ']';
    if (takes_value(option)) text += zsh_value(option);
    return text;
}

/// The body of the function that completes one command.
std::string zsh_function(const CLI::App& app) {
    std::string text = "_";
    text += CLI::detail::find_and_replace(command_path(app), " ", "_");
    text += "() {\n";
    const auto below = commands_of(app);
    text += "    _arguments -s";
    for (const CLI::Option* option : options_of(app)) {
        text += " \\\n        " + shell_quoted(zsh_option(*option));
    }
    for (const CLI::Option* positional : positionals_of(app)) {
        text += " \\\n        " + shell_quoted(zsh_value(*positional));
    }
    if (below.empty()) return text + "\n}\n";
    text += " \\\n        '1: :->command' '*:: :->rest'\n    case $state in\n    command)\n"
            "        local -a commands=(";
    for (const CLI::App* command : below) {
        text += "\n            " +
                shell_quoted(command->get_name() + ":" + zsh_text(summary_of(*command)));
    }
    text += ")\n        _describe command commands ;;\n    rest)\n        case $words[1] in\n";
    const std::string prefix = CLI::detail::find_and_replace(command_path(app), " ", "_");
    for (const CLI::App* command : below) {
        text +=
            "        " + command->get_name() + ") _" + prefix + "_" + command->get_name() + " ;;\n";
    }
    return text + "        esac ;;\n    esac\n}\n";
}

} // namespace

std::string zsh_completion(const CLI::App& root) {
    std::string text =
        "#compdef sluice\n# zsh completion for sluice, made by `sluice completion zsh`\n";
    for (const CLI::App* app : all_apps(root)) text += zsh_function(*app);
    return text + "_sluice \"$@\"\n";
}

std::string fish_completion(const CLI::App& root) {
    std::string text = "# fish completion for sluice, made by `sluice completion fish`\n";
    for (const CLI::App* app : all_apps(root)) {
        const auto below = commands_of(*app);
        const std::string words = words_of(*app);
        std::string condition;
        if (words.empty()) {
            condition = "__fish_use_subcommand";
        } else {
            std::istringstream each(words);
            for (std::string word; each >> word;) {
                condition +=
                    (condition.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + word);
            }
        }
        const std::string begin = "complete -c sluice -n " + shell_quoted(condition);
        const std::string unless_chosen =
            words.empty() || below.empty()
                ? begin
                : "complete -c sluice -n " +
                      shell_quoted(condition + "; and not __fish_seen_subcommand_from " +
                                   command_names(*app));
        for (const CLI::App* command : below) {
            text += unless_chosen + " -f -a " + command->get_name() + " -d " +
                    shell_quoted(summary_of(*command)) + "\n";
        }
        for (const CLI::Option* option : options_of(*app)) {
            const std::string choices = choices_of(*option);
            text += begin + " -l " + option->get_lnames().front();
            if (takes_value(*option)) text += names_path(*option) ? " -r -F" : " -x";
            if (!choices.empty()) text += " -a " + shell_quoted(choices);
            text += " -d " + shell_quoted(option->get_description()) + "\n";
        }
    }
    return text;
}

} // namespace sluice::cli
