#include "kill/onlooker.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <thread>

namespace sluice::test {
namespace {

/// The last element of a key of texts, with its quotes.
std::string last_text(const Key& key) {
    const std::string json = key.to_json();
    return json.substr(json.rfind('"', json.size() - 3), json.npos);
}

/// P3: "by author" and "numbers" have one row, or one in their count, for the same messages.
std::string disagreement(const Snapshot& snapshot) {
    auto rows = snapshot.read("by author");
    auto groups = snapshot.read("numbers");
    if (!rows || !groups) return {};
    std::map<std::string, std::uint64_t> counts;
    while (rows->next()) ++counts[last_text(rows->key())];
    std::size_t group_count = 0;
    for (; groups->next(); ++group_count) {
        const std::uint64_t count = counts[last_text(groups->key())];
        const std::string expected = R"("count":)" + std::to_string(count);
        const std::string shown = groups->value();
        const std::size_t at = shown.find(expected);
        if (at == shown.npos ||
            std::isdigit(static_cast<unsigned char>(shown[at + expected.size()])))
            return "a view counts " + shown + " where another has " + std::to_string(count);
    }
    return group_count == counts.size() ? "" : "a view lacks a group that another has";
}

std::string bodies_in(const Snapshot& snapshot) {
    std::string text;
    auto log = snapshot.log({});
    while (const auto record = log.next().value()) text += record->key + ' ' + record->body + '\n';
    return text;
}

/// Applications come that have the code of their views, each in half of all openings.
std::string wrong_with_apps(Database& database, std::mt19937_64& random) {
    for (const Meaning& meaning : meanings()) {
        if (!meaning.is_code() || random() % 2 == 0) continue;
        const auto added = database.add_view(meaning.name, meaning.code());
        // Refused where the writer has another version of it, or none.
        if (!added && added.error().code != Errc::read_only) return added.error().context;
    }
    return {};
}

/// P1 and P2, beside what is wrong in one moment.
std::string wrong_in_some_moments(Database& database, const Gone& gone, std::mt19937_64& random) {
    Seq at;
    for (std::uint64_t left = 1 + random() % 40; left > 0; --left) {
        const std::vector<std::string> words = gone.words();
        const auto refreshed = database.refresh(); // Else it is some milliseconds behind.
        if (!refreshed) return "refreshing: " + refreshed.error().context;
        const std::string wrong = wrong_in_one_moment(database, words);
        if (!wrong.empty()) return wrong;
        const Seq now = database.last();
        if (now < at) return "the last entry went back";
        at = now;
        if (random() % 4 == 0) database.wait_for_entry(now, std::chrono::milliseconds(5));
    }
    const auto report = database.verify();
    if (!report) return "verifying: " + report.error().context;
    for (const VerifyReport::View& view : report->views) {
        for (const std::string& difference : view.differences) return view.name + ": " + difference;
    }
    return {};
}

} // namespace

std::string wrong_in_one_moment(const Database& database, const std::vector<std::string>& gone) {
    const std::vector<ViewInfo> infos = database.views();
    const Snapshot snapshot = database.snapshot();
    const std::string shown = shown_by(snapshot, infos);
    const std::string bodies = bodies_in(snapshot);
    for (const std::string& word : gone) {
        if (shown.find(word) != shown.npos) return "a view shows what was erased: " + word;
        if (bodies.find(word) != bodies.npos) return "the log shows what was erased: " + word;
    }
    const std::string disagrees = disagreement(snapshot);
    if (!disagrees.empty()) return disagrees;
    return shown_by(snapshot, infos) == shown ? "" : "a snapshot has changed";
}

void look_on(const std::string& path, Options options, const Gone& gone, std::uint64_t seed,
             const std::function<void(const std::string& wrong)>& tell) {
    options.read_only = true;
    std::mt19937_64 random(seed);
    for (;;) {
        const auto opened = Database::open(path, options);
        if (!opened) return tell("opening: " + opened.error().context);
        std::string wrong = wrong_with_apps(**opened, random);
        if (wrong.empty()) wrong = wrong_in_some_moments(**opened, gone, random);
        if (!wrong.empty()) return tell(wrong);
    }
}

} // namespace sluice::test
