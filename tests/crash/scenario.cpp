#include "crash/scenario.hpp"

#include "base/try.hpp"
#include "crash/trials.hpp"

namespace sluice::test {

Scenario::Scenario(std::unique_ptr<Directory> root) : root_(std::move(root)) {
    Database::create(*root_).value();
    database = Database::open(*root_, options()).value();
}

/// Files are small, so that a short life closes, cuts, merges and rewrites many of them.
Options Scenario::options() {
    constexpr std::uint64_t kLogSegmentSizes[] = {4096, 1024, 16384};
    constexpr std::uint32_t kViewSegmentRows[] = {16, 4, 40};
    Options options;
    options.background = false;
    options.log_segment_size_bytes = kLogSegmentSizes[round_number() % 3];
    options.view_segment_rows_max = kViewSegmentRows[round_number() / 3 % 3];
    options.view_memory_bytes_max = 2048;
    return options;
}

Verdict Scenario::judge(const Place& place) const {
    return test::judge(place, options(), before, after);
}

Result<void> Scenario::tell() {
    for (const std::size_t meaning : {0u, 2u, 4u, 6u, 8u}) SLUICE_TRY(add_view(meaning));
    SLUICE_TRY(append(8, false));
    SLUICE_TRY(append(6, true));
    SLUICE_TRY(replace({9}, "a short replacement"));
    // So long that no sector holds all of it.
    std::string long_text;
    for (int i = 0; i < 100; ++i) long_text += "a long replacement ";
    SLUICE_TRY(replace({9}, long_text));
    SLUICE_TRY(remove({{7}, {10}, {12}}));
    SLUICE_TRY(restore({{10}}));
    SLUICE_TRY(append(12, true));
    SLUICE_TRY(add_view(1)); // In the place of meaning 0.
    SLUICE_TRY(hold({{8}}));
    SLUICE_TRY(put_fact("<one fact>", "a first value of a fact"));
    SLUICE_TRY(put_fact("<another fact>", "another value"));
    std::string long_value;
    for (int i = 0; i < 100; ++i) long_value += "a long value ";
    SLUICE_TRY(put_fact("<one fact>", long_value));
    SLUICE_TRY(erase({{9}, {11}, {12}}));
    SLUICE_TRY(append(5, false));
    SLUICE_TRY(import(6));
    SLUICE_TRY(add_view(3));
    SLUICE_TRY(drop_fact("<another fact>"));
    SLUICE_TRY(erase_fact("<one fact>"));
    SLUICE_TRY(merge());
    SLUICE_TRY(replace({13}, "a third replacement"));
    SLUICE_TRY(drop_view("by tag"));
    SLUICE_TRY(erase({{13}}));
    SLUICE_TRY(reopen());
    SLUICE_TRY(import(3));
    SLUICE_TRY(replace({6}, "a replacement that one view hears of later"));
    SLUICE_TRY(append(4, true));
    SLUICE_TRY(add_view(8)); // Its code is loaded again.
    SLUICE_TRY(erase({{6}, {20}}));
    SLUICE_TRY(append(2, false));
    SLUICE_TRY(put_fact("<one fact>", "a third value"));
    SLUICE_TRY(erase_fact("<another fact>")); // It was dropped.
    return reopen();
}

template <typename Do>
Result<void> Scenario::perform(const std::string& name, const std::function<void(Model&)>& expect,
                               Do act) {
    step = name;
    expect(after);
    const auto done = [&] {
        const std::shared_ptr<void> held = meanwhile ? meanwhile() : nullptr;
        return act();
    }();
    if (!done) return done.error();
    before = after;
    return {};
}

std::string Scenario::next_text() {
    return "text " + std::to_string(++message_count_) + '.';
}

Result<void> Scenario::append(std::size_t count, bool as_batch) {
    std::vector<Content> contents;
    std::vector<std::string> bodies, keys;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string text = next_text();
        contents.push_back(
            make_content((message_count_ + round_number() * 1000) * 2654435761u, text));
        bodies.push_back(contents.back().body());
        keys.push_back(message_count_ % 3 == 0 ? "" : "<key of " + text + '>');
    }
    for (std::size_t from = 0, size = as_batch ? count : 1; from < count; from += size) {
        std::vector<NewMessage> batch;
        for (std::size_t i = from; i < from + size; ++i) batch.push_back({bodies[i], keys[i]});
        const auto expect = [&](Model& model) {
            for (std::size_t i = from; i < from + size; ++i) model.append(contents[i], keys[i]);
        };
        SLUICE_TRY(perform(as_batch ? "append a batch" : "append", expect,
                           [&] { return database->append(batch); }));
    }
    return {};
}

/// One batch with the mark of how far it reaches. Of the keys, the first is in use and the second
/// was erased.
Result<void> Scenario::import(std::size_t count) {
    std::vector<Content> contents;
    std::vector<std::string> bodies, keys;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string text = next_text();
        contents.push_back(make_content(message_count_ * 2654435761u, text));
        bodies.push_back(contents.back().body());
        keys.push_back(i == 0 ? "<key of text 1.>" : i == 1 ? "<key of text 5.>" : "<" + text);
    }
    std::vector<NewMessage> batch;
    for (std::size_t i = 0; i < count; ++i) batch.push_back({bodies[i], keys[i]});
    const auto expect = [&](Model& model) {
        for (std::size_t i = 0; i < count; ++i) {
            if (model.state_of(keys[i]) != Model::KeyState::free) continue;
            model.append(contents[i], keys[i]);
        }
        model.mark_import("a file", message_count_);
    };
    return perform("import a batch", expect, [&] {
        return database->offer(batch, {}, ImportMark{"a file", message_count_});
    });
}

Result<void> Scenario::replace(Seq seq, const std::string& text) {
    const Content content = make_content((seq.value + round_number()) * 40503, text);
    const std::string body = content.body();
    return perform(
        "replace", [&](Model& model) { model.replace(seq, content); },
        [&] { return database->replace(seq, body); });
}

Result<void> Scenario::remove(const std::vector<Seq>& seqs) {
    const Selector selector = seqs;
    return perform(
        "delete", [&](Model& model) { model.remove(seqs); },
        [&] { return database->delete_messages(selector); });
}

Result<void> Scenario::restore(const std::vector<Seq>& seqs) {
    const Selector selector = seqs;
    return perform(
        "restore", [&](Model& model) { model.restore(seqs); },
        [&] { return database->restore(selector); });
}

Result<void> Scenario::hold(const std::vector<Seq>& seqs) {
    const Selector selector = seqs;
    return perform(
        "hold", [&](Model& model) { model.hold(seqs, true); },
        [&] { return database->hold(selector); });
}

Result<void> Scenario::erase(const std::vector<Seq>& seqs) {
    const Selector selector = seqs;
    return perform(
        "erase", [&](Model& model) { model.erase(seqs, true); },
        [&] { return database->erase(selector); });
}

Result<void> Scenario::put_fact(const std::string& name, const std::string& value) {
    const NewFact fact{{"facts", Key(name)}, value};
    return perform(
        "put a fact", [&](Model& model) { model.put_fact(name, value); },
        [&] { return database->put_fact(fact); });
}

Result<void> Scenario::drop_fact(const std::string& name) {
    const FactName fact{"facts", Key(name)};
    return perform(
        "drop a fact", [&](Model& model) { model.drop_fact(name); },
        [&] { return database->drop_fact(fact); });
}

Result<void> Scenario::erase_fact(const std::string& name) {
    const FactName fact{"facts", Key(name)};
    return perform(
        "erase a fact", [&](Model& model) { model.erase_fact(name); },
        [&] { return database->erase_fact(fact); });
}

Result<void> Scenario::add_view(std::size_t index) {
    const Meaning& meaning = meanings()[index];
    const CodeView code = meaning.code();
    return perform(
        "add a view", [&](Model& model) { model.add_view(index); },
        [&] {
            return meaning.is_code() ? database->add_view(meaning.name, code)
                                     : database->add_view(meaning.name, meaning.definition);
        });
}

Result<void> Scenario::drop_view(const std::string& name) {
    return perform(
        "drop a view", [&](Model& model) { model.drop_view(name); },
        [&] { return database->drop_view(name); });
}

Result<void> Scenario::merge() {
    return perform(
        "merge", [](Model&) {}, [&] { return database->merge_views(); });
}

Result<void> Scenario::reopen() {
    const Options wanted = options();
    return perform(
        "close and open", [](Model& model) { model.open_again(); },
        [&]() -> Result<void> {
            database.reset();
            SLUICE_TRY_ASSIGN(database, Database::open(*root_, wanted));
            return {};
        });
}

} // namespace sluice::test
