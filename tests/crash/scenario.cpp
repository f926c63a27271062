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
    for (const std::size_t meaning : {0u, 2u, 4u, 6u, 8u})
        SLUICE_TRY(perform(steps::add_view(meaning)));
    SLUICE_TRY(append(8));
    SLUICE_TRY(append_batch(6));
    SLUICE_TRY(replace({9}, "a short replacement"));
    // So long that no sector holds all of it.
    std::string long_text;
    for (int i = 0; i < 100; ++i) long_text += "a long replacement ";
    SLUICE_TRY(replace({9}, long_text));
    SLUICE_TRY(perform(steps::remove({{7}, {10}, {12}})));
    SLUICE_TRY(perform(steps::restore({{10}})));
    SLUICE_TRY(append_batch(12));
    SLUICE_TRY(perform(steps::add_view(1))); // In the place of meaning 0.
    SLUICE_TRY(perform(steps::hold({{8}})));
    SLUICE_TRY(perform(steps::put_fact("<one fact>", "a first value of a fact")));
    SLUICE_TRY(perform(steps::put_fact("<another fact>", "another value")));
    std::string long_value;
    for (int i = 0; i < 100; ++i) long_value += "a long value ";
    SLUICE_TRY(perform(steps::put_fact("<one fact>", long_value)));
    SLUICE_TRY(perform(steps::erase({{9}, {11}, {12}})));
    SLUICE_TRY(append(5));
    SLUICE_TRY(import(6));
    SLUICE_TRY(perform(steps::add_view(3)));
    SLUICE_TRY(perform(steps::drop_fact("<another fact>")));
    SLUICE_TRY(perform(steps::erase_fact("<one fact>")));
    SLUICE_TRY(perform(steps::merge()));
    SLUICE_TRY(replace({13}, "a third replacement"));
    SLUICE_TRY(perform(steps::drop_view("by tag")));
    SLUICE_TRY(perform(steps::erase({{13}})));
    SLUICE_TRY(perform(steps::add_rule("erase the oldest", 24, true)));
    SLUICE_TRY(reopen());
    SLUICE_TRY(import(3));
    SLUICE_TRY(replace({6}, "a replacement that one view hears of later"));
    SLUICE_TRY(append_batch(4));
    SLUICE_TRY(perform(steps::add_view(8))); // Its code is loaded again.
    SLUICE_TRY(perform(steps::erase({{6}, {20}})));
    SLUICE_TRY(append(2));
    SLUICE_TRY(perform(steps::add_rule("delete the oldest", 26, false)));
    SLUICE_TRY(perform(steps::apply_rule("delete the oldest")));
    SLUICE_TRY(perform(steps::drop_rule("delete the oldest")));
    SLUICE_TRY(perform(steps::apply_rule("erase the oldest")));
    SLUICE_TRY(perform(steps::put_fact("<one fact>", "a third value")));
    SLUICE_TRY(perform(steps::erase_fact("<another fact>"))); // It was dropped.
    return reopen();
}

Result<void> Scenario::perform(const Step& next) {
    step = next.name;
    next.expect(after);
    const auto done = [&] {
        const std::shared_ptr<void> held = meanwhile ? meanwhile() : nullptr;
        return next.act(*database);
    }();
    if (!done) return done.error();
    before = after;
    return {};
}

std::string Scenario::next_text() {
    return "text " + std::to_string(++message_count_) + '.';
}

std::vector<steps::Draft> Scenario::new_messages(std::size_t count) {
    std::vector<steps::Draft> messages;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string text = next_text();
        messages.push_back(
            {make_content((message_count_ + round_number() * 1000) * 2654435761u, text),
             message_count_ % 3 == 0 ? "" : "<key of " + text + '>'});
    }
    return messages;
}

Result<void> Scenario::append(std::size_t count) {
    for (const steps::Draft& each : new_messages(count)) SLUICE_TRY(perform(steps::append({each})));
    return {};
}

Result<void> Scenario::append_batch(std::size_t count) {
    return perform(steps::append(new_messages(count)));
}

/// One batch with the mark of how far it reaches. Of the keys, the first is in use and the second
/// was erased.
Result<void> Scenario::import(std::size_t count) {
    std::vector<steps::Draft> messages;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string text = next_text();
        messages.push_back(
            {make_content(message_count_ * 2654435761u, text), i == 0   ? "<key of text 1.>"
                                                               : i == 1 ? "<key of text 5.>"
                                                                        : "<" + text});
    }
    return perform(steps::import(std::move(messages), "a file", message_count_));
}

Result<void> Scenario::replace(Seq seq, const std::string& text) {
    return perform(steps::replace(seq, make_content((seq.value + round_number()) * 40503, text)));
}

Result<void> Scenario::reopen() {
    return perform({"close and open", [](Model& model) { model.open_again(); },
                    [&](Database&) -> Result<void> {
                        database.reset();
                        SLUICE_TRY_ASSIGN(database, Database::open(*root_, options()));
                        return {};
                    }});
}

} // namespace sluice::test
