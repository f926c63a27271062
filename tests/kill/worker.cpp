#include "kill/worker.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
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

/// What the writer has acknowledged as erased.
class Gone {
public:
    void learn(const Model& model) {
        std::vector<std::string> words;
        for (const std::string& needle : model.needles()) words.emplace_back(word_in(needle));
        const std::lock_guard lock(mutex_);
        words_ = std::move(words);
    }
    std::vector<std::string> words() const {
        const std::lock_guard lock(mutex_);
        return words_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> words_;
};

std::string bodies_in(const Snapshot& snapshot) {
    std::string text;
    auto log = snapshot.log({});
    while (const auto record = log.next().value()) text += record->key + ' ' + record->body + '\n';
    return text;
}

/// P3, P6 and P7 as a reader sees them.
std::string wrong_in_one_moment(const Database& database, const Gone& gone) {
    const std::vector<std::string> words = gone.words();
    // Before the snapshot: views() waits for the writer, and an erasure for those who have one.
    const std::vector<ViewInfo> infos = database.views();
    const Snapshot snapshot = database.snapshot();
    const std::string shown = shown_by(snapshot, infos);
    const std::string bodies = bodies_in(snapshot);
    for (const std::string& word : words) {
        if (shown.find(word) != shown.npos) return "a view shows what was erased: " + word;
        if (bodies.find(word) != bodies.npos) return "the log shows what was erased: " + word;
    }
    const std::string disagrees = disagreement(snapshot);
    if (!disagrees.empty()) return disagrees;
    return shown_by(snapshot, infos) == shown ? "" : "a snapshot has changed";
}

} // namespace

Options worker_options(std::uint64_t seed) {
    Options options;
    options.log_segment_size_bytes = std::array{4096u, 16384u, 65536u}[seed % 3];
    options.view_segment_rows_max = std::array{16u, 64u, 256u}[seed / 3 % 3];
    options.view_memory_bytes_max = std::array{1024u, 4096u, 65536u}[seed / 9 % 3];
    return options;
}

void work(Work work, const Tell& tell) {
    const auto opened = Database::open(work.path, work.options);
    if (!opened) return tell(kWrong, "opening: " + opened.error().context);
    Database& database = **opened;
    tell(kOpened, {});
    work.model.open_again();

    Gone gone;
    gone.learn(work.model);
    std::atomic<bool> is_over{false};
    std::vector<std::thread> readers;
    for (int i = 0; i < 2; ++i) {
        readers.emplace_back([&] {
            while (!is_over) {
                const std::string wrong = wrong_in_one_moment(database, gone);
                if (!wrong.empty()) tell(kWrong, "a reader: " + wrong);
            }
        });
    }
    for (; work.step_count > 0; --work.step_count) {
        const Step step = work.steps.next(work.model);
        tell(kBegun, {});
        const auto done = step.act(database);
        if (!done) tell(kWrong, step.name + ": " + done.error().context);
        tell(kDone, {});
        step.expect(work.model);
        if (database.last() != work.model.last()) tell(kWrong, step.name + ": another last entry");
        gone.learn(work.model);
    }
    is_over = true;
    for (std::thread& reader : readers) reader.join();
}

} // namespace sluice::test
