#include "cli/command.hpp"

#include "base/compact_json.hpp"
#include "base/try.hpp"
#include "cli/progress.hpp"

#include <sluice/scuttlebutt.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <map>
#include <thread>

namespace sluice::cli {

void Session::note(std::string_view text) const {
    if (!out.json) std::fputs((std::string(text) + '\n').c_str(), stderr);
}

void Session::show_dropped(const std::string& name) const {
    if (out.json) {
        out.line(JsonObject().add("dropped", name));
    } else {
        out.line("dropped " + printable(name));
    }
}

Transforms own_transforms() {
    return scuttlebutt::transforms();
}

void DatabaseArgument::describe(CLI::App& app) {
    app.add_option("DB", path_, "The directory of the database")->required();
    app.add_option("--wait", wait_seconds_, "How long to wait while another process has it")
        ->type_name("SECONDS")
        ->check(CLI::Range(0.0, 1e9).description(""));
}

void DatabaseArgument::describe_durability(CLI::App& app) {
    static const std::map<std::string, Durability> kNames = {
        {"every-commit", Durability::every_commit},
        {"interval", Durability::interval},
        {"none", Durability::none}};
    app.add_option_function<std::string>(
           "--durability", [this](const std::string& name) { durability = kNames.at(name); },
           "What a power cut may take back: nothing, the last 100 ms, or all since the start")
        ->type_name("WHEN")
        ->check(CLI::IsMember(&kNames));
}

Options own_options() {
    Options options;
    options.transforms = own_transforms();
    options.keep_out = scuttlebutt::is_of_blocked_feed;
    return options;
}

namespace {

void show_notes(const Session& session, const Database& opened) {
    for (const std::string& note : opened.recovery_notes()) session.note(note);
}

} // namespace

Result<std::unique_ptr<Database>> DatabaseArgument::open(const Session& session) const {
    using namespace std::chrono;
    const auto patience_ends = steady_clock::now() + duration<double>(wait_seconds_);
    Options options = own_options();
    options.durability = durability;
    ProgressLine progress;
    while (true) {
        auto database = Database::open(path_, options, progress.function());
        if (database) {
            show_notes(session, **database);
            return database;
        }
        const bool busy = database.error().code == Errc::busy;
        if (!busy || steady_clock::now() >= patience_ends) return database;
        std::this_thread::sleep_for(milliseconds(20));
    }
}

Result<std::unique_ptr<Database>> DatabaseArgument::open_to_read(const Session& session,
                                                                 bool follows) const {
    ProgressLine progress;
    Options options = own_options();
    options.read_only = true;
    options.background = follows;
    auto reader = Database::open(path_, options, progress.function());
    if (!reader) return reader;
    // A reader derives in memory what no file has yet, each time. That is much where a writer died
    // or the views were thrown away; a writer keeps it.
    constexpr std::uint64_t kManyEntries = 50'000;
    if ((*reader)->stats().not_in_files >= kManyEntries) {
        reader->reset();
        {
            const auto writer = Database::open(path_, own_options(), progress.function());
            if (!writer && writer.error().code != Errc::busy) return writer.error();
            if (writer) show_notes(session, **writer);
        }
        reader = Database::open(path_, options, progress.function());
        if (!reader) return reader;
    }
    show_notes(session, **reader);
    return reader;
}

CLI::Validator is_json() {
    return CLI::Validator(
        [](const std::string& text) {
            return JsonParser().parse(text) == nullptr ? std::string("this is not JSON") : "";
        },
        "");
}

CLI::Validator is_view_key() {
    return CLI::Validator(
        [](const std::string& text) {
            const auto key = Key::from_json(text);
            return key ? std::string() : key.error().context;
        },
        "");
}

Key view_key(const std::string& json) {
    return Key::from_json(json).value();
}

Result<Record> find_record(const Snapshot& snapshot, const std::string& which) {
    std::uint64_t seq = 0;
    const char* const end = which.data() + which.size();
    const auto [stopped, error] = std::from_chars(which.data(), end, seq);
    if (error == std::errc() && stopped == end) return snapshot.get(Seq{seq});
    return snapshot.get(which);
}

std::string body_text(std::string_view body) {
    const auto is_binary = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte == 0x7F;
    };
    if (std::any_of(body.begin(), body.end(), is_binary)) {
        return "(" + size_text(body.size()) + " that are not text)";
    }
    return std::string(body);
}

std::string body_line(std::string_view body) {
    if (JsonParser().parse(body) == nullptr) return printable(body_text(body));
    std::string line;
    append_compact_json(line, body);
    return line;
}

} // namespace sluice::cli
