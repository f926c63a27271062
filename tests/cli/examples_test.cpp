// What the program says about itself is true.
#include "sandbox.hpp"

#include "cli/exit_status.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace sluice::test {
namespace {

/// The commands of `help`: first words of indented lines under headings that are not options.
std::vector<std::string> commands_in(const std::string& help) {
    std::vector<std::string> commands;
    bool inside = false;
    for (const std::string& line : lines_of(help)) {
        if (!line.starts_with(' ')) {
            inside = line.ends_with(':') && line != "Options:" && line != "Examples:" &&
                     line != "Arguments:" && line != "Exit status:";
        } else if (inside && line.size() > 2 && line[2] != ' ' && line[2] != '-') {
            commands.push_back(line.substr(2, line.find(' ', 2) - 2));
        }
    }
    return commands;
}

std::vector<std::string> all_commands(const Sandbox& box) {
    std::vector<std::string> all;
    for (const std::string& command : commands_in(box.ok("sluice --help"))) {
        const auto below = commands_in(box.ok("sluice " + command + " --help"));
        const bool is_leaf =
            box.ok("sluice " + command + " --help").find("COMMAND\n") == std::string::npos;
        if (is_leaf) {
            all.push_back(command);
        } else {
            for (const std::string& each : below) all.push_back(command + " " + each);
        }
    }
    return all;
}

// A key pair that is nobody's: its secret is "1a" and zeros.
constexpr const char* kFeed = "@hrBm6Db4hKljELXlI4l4WmnPqm9hCqJzAGP41AnU9nQ=.ed25519";
const std::string kSecret = R"({"curve":"ed25519","public":")" + std::string(kFeed).substr(1) +
                            R"(","private":")"
                            "MWEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACGsGboNviEqWMQteUjiXhaac+"
                            "qb2EKonMAY/jUCdT2dA==.ed25519"
                            R"("})";

/// The world that the examples are written for.
void make_example_world(const Sandbox& box) {
    box.write("note.json", R"({"type":"note","text":"from a file","time":15})");
    box.write("notes.jsonl",
              "{\"id\":\"n-1\",\"type\":\"note\"}\n{\"id\":\"n-2\",\"type\":\"note\"}\n");
    box.write("messages.jsonl", "{\"key\":\"m-1\",\"type\":\"draft\",\"time\":12}\n");
    box.ok("sluice generate --messages 50 --out log.offset");
    box.ok("sluice init db");
    box.ok(R"(sluice append db --json '{"type":"note","author":"ann","time":11,"tags":["a"]}')");
    box.ok(R"(sluice append db --key note-2 --json '{"type":"note","author":"cyd","time":12}')");
    box.ok(R"(sluice append db --json '{"type":"draft","author":"bob","time":13}')");
    box.ok(R"(sluice append db --json '{"type":"draft","author":"ann","time":14}')");
    box.ok(R"(sluice view add db by_type --json '{"kind":"index","key":["/type","/time"]}')");
    box.ok(R"(sluice view add db notes --json '{"kind":"index","key":["/text"]}')");
    box.ok(R"(sluice view add db per_type --json )"
           R"('{"kind":"aggregate","group":["/type"],"value":{"count":true}}')");
    box.ok(R"(sluice append db --key m1 --json '{"type":"note","time":16}')");
    box.ok(R"(sluice view add db follows --json '{"kind":"links","target":"/follows"}')");
    box.ok(R"(sluice view add db replies --json )"
           R"('{"kind":"links","target":"/root","relation":"/type"}')");
    box.ok(R"(sluice view add db texts --json '{"kind":"search","text":["/text"]}')");
    std::filesystem::create_directory(box.path(".ssb"));
    box.write(".ssb/secret", "# what ssb-keys writes\n" + kSecret + '\n');
    box.write("group.json", R"({"key":"00112233445566778899aabbccddeeff)"
                            R"(00112233445566778899aabbccddeeff"})");
    box.write("empty", "");
}

/// What must have happened before an example of this command makes sense.
void prepare(const Sandbox& box, const std::string& command) {
    if (command == "init") std::filesystem::remove_all(box.path("db"));
    if (command == "append") box.ok("sluice erase db --key note-2 --yes");
    if (command == "restore") box.ok("sluice delete db --seq 1-4");
    if (command == "receipts") box.ok("sluice erase db --seq 1 --yes");
    if (command == "fact drop") box.ok("sluice fact put db blocks '\"@bob\"' yes");
    if (command == "fact erase") box.ok("sluice fact put db keys '\"team\"' sesame");
    if (command.starts_with("retain ") && command != "retain add") {
        box.ok("sluice retain add db drafts --where /type=draft --older-than 90d --time /time");
    }
    if (command == "app forget") {
        box.ok("sluice view add db mine --app mail --json "
               R"('{"kind":"index","key":["/time"]}')");
    }
    if (command == "generate") box.ok("rm log.offset messages.jsonl");
    if (command == "transform drop") box.ok("sluice transform use db");
    if (command == "key drop" || command == "key erase") box.ok("sluice key add db .ssb/secret");
    if (command == "consumer drop") box.ok("sluice follow db --consumer search --once");
    if (command == "blob get" || command == "blob rm") box.ok("sluice blob add db empty");
    if (command == "unblock") box.ok(std::string("sluice block db ") + kFeed);
}

TEST(Help, HasExamplesForEveryCommandAndTheyAllRun) {
    const Sandbox world;
    make_example_world(world);
    const std::vector<std::string> commands = all_commands(world);
    ASSERT_GE(commands.size(), 23U);
    for (const std::string& command : commands) {
        const std::string help = world.ok("sluice " + command + " --help");
        std::size_t examples = 0;
        for (const std::string& line : lines_of(help.substr(help.find("Examples:")))) {
            if (!line.starts_with("  sluice ")) continue;
            ++examples;
            const Sandbox box;
            std::filesystem::copy(world.path(""), box.path(""),
                                  std::filesystem::copy_options::recursive);
            prepare(box, command);
            std::string example = line;
            if (command == "append" && line.find("--key note-2") != std::string::npos) {
                example += " --readmit"; // The world of the examples had it once.
            }
            const Ran ran = box.run("HOME=$PWD\n" + example);
            EXPECT_EQ(ran.status, 0) << line << "\n" << ran.err;
        }
        EXPECT_GE(examples, 1U) << command;
    }
}

TEST(Help, FitsATerminal) {
    const Sandbox box;
    for (const std::string& command : all_commands(box)) {
        for (const std::string& line : lines_of(box.ok("sluice " + command + " --help"))) {
            const bool example = line.starts_with("  sluice ");
            EXPECT_LE(line.size(), example ? 120U : 82U) << command << ": " << line;
        }
    }
}

TEST(ExitStatus, IsDocumentedInHelpAndManPage) {
    const Sandbox box;
    const std::string help = box.ok("sluice --help");
    const std::string man = box.ok("sluice man");
    for (const auto& each : cli::exit_status_meanings()) {
        EXPECT_NE(help.find(std::to_string(each.status) + "  "), std::string::npos) << each.status;
        EXPECT_NE(man.find(".TP\n" + std::to_string(each.status) + "\n"), std::string::npos);
    }
}

TEST(ManPage, HasEveryCommandAndOptionOfTheHelp) {
    const Sandbox box;
    const std::string man = box.ok("sluice man");
    for (const std::string& command : all_commands(box)) {
        EXPECT_NE(man.find(".SS sluice " + command), std::string::npos) << command;
    }
    for (const char* option : {"until\\-damage", "dry\\-run", "prefix", "durability", "feeds"}) {
        EXPECT_NE(man.find(std::string("\\-\\-") + option), std::string::npos) << option;
    }
}

TEST(ManPage, IsFreeOfMistakesThatManKnowsOf) {
    const Sandbox box;
    if (box.run("command -v groff").status != 0) GTEST_SKIP() << "groff is not installed";
    const Ran ran = box.run("sluice man | groff -man -Tutf8 -ww -z");
    EXPECT_EQ(ran.status, 0);
    EXPECT_EQ(ran.err, "");
}

/// What bash would offer for a command line that ends in the word being typed.
std::vector<std::string> completions(const Sandbox& box, const std::string& words) {
    const std::string out = box.ok("eval \"$(sluice completion bash)\"; COMP_WORDS=(" + words +
                                   "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); compopt() { :; }; "
                                   "_sluice; printf '%s\\n' \"${COMPREPLY[@]}\"");
    return lines_of(out);
}

TEST(Completion, OffersCommandsOptionsAndTheirValues) {
    const Sandbox box;
    box.write("some-file", "");
    EXPECT_EQ(completions(box, "sluice ver"), std::vector<std::string>{"verify"});
    EXPECT_EQ(completions(box, "sluice view d"), std::vector<std::string>{"drop"});
    EXPECT_EQ(completions(box, "sluice import db f --until"),
              std::vector<std::string>{"--until-damage"});
    EXPECT_EQ(completions(box, "sluice import db f --format f"),
              std::vector<std::string>{"flumelog-offset"});
    EXPECT_EQ(completions(box, "sluice get some"), std::vector<std::string>{"some-file"});
    EXPECT_EQ(completions(box, "sluice view add db x --file some"),
              std::vector<std::string>{"some-file"});
}

TEST(Completion, IsValidShell) {
    const Sandbox box;
    box.ok("sluice completion bash >c && bash -n c");
    if (box.run("command -v zsh").status == 0) box.ok("sluice completion zsh >c && zsh -n c");
    if (box.run("command -v fish").status == 0) box.ok("sluice completion fish >c && fish -n c");
}

} // namespace
} // namespace sluice::test
