#include "crash/judge.hpp"

namespace sluice::test {
namespace {

using Find = std::function<std::string(std::string_view)>;

// P6
std::string leftover_in(const Find& find, const Model& model) {
    for (const std::string& needle : model.needles()) {
        const std::string where = find(needle);
        if (!where.empty()) return "erased text \"" + needle + "\" is in " + where;
    }
    return {};
}

/// Appends, applies rules, and has the applications of the views in code come.
std::string go_on(Database& database, Model& model) {
    for (const auto& [name, view] : std::map(model.views)) {
        const Meaning& meaning = meanings()[view.meaning];
        if (!meaning.is_code()) continue;
        const auto added = database.add_view(name, meaning.code());
        if (!added) return "adding " + name + " again: " + added.error().context;
        model.add_view(view.meaning);
    }
    for (const auto& [name, rule] : std::map(model.rules)) {
        const auto applied = database.apply_retention({.rule = name});
        if (!applied) return "applying the rule " + name + ": " + applied.error().context;
        model.apply_rule(name);
    }
    const std::string number = std::to_string(model.last().value);
    const std::string key = "<after " + number + '>';
    const Content content = make_content(model.last().value, "after" + number + '.');
    const auto appended = database.append(NewMessage{content.body(), key});
    if (!appended) return "appending: " + appended.error().context;
    model.append(content, key);
    return model.difference(database);
}

Verdict compare(const Place& place, const Options& options, Model before, Model after) {
    const auto opened = Database::open(place.root, options);
    if (!opened) return {"cannot be opened: " + opened.error().context};
    Database& database = **opened;
    before.open_again();
    after.open_again();
    const std::string not_after = after.difference(database);
    const std::string not_before = not_after.empty() ? "" : before.difference(database);
    if (!not_after.empty() && !not_before.empty()) {
        return {"not undone: " + not_before + "\nnot done: " + not_after};
    }
    Verdict verdict;
    verdict.model = not_after.empty() ? std::move(after) : std::move(before);
    verdict.leftover = leftover_in(place.find, verdict.model);
    if (!verdict.leftover.empty()) return verdict;
    verdict.loss = go_on(database, verdict.model);
    if (!verdict.loss.empty()) verdict.loss = "going on: " + verdict.loss;
    return verdict;
}

} // namespace

Verdict judge(const Place& place, const Options& options, Model before, Model after) {
    try {
        return compare(place, options, std::move(before), std::move(after));
    } catch (const std::exception& error) {
        return {std::string("an exception: ") + error.what()};
    }
}

Verdict judge(SimulatedDisk& disk, const Options& options, const Model& before,
              const Model& after) {
    const auto root = disk.root();
    const Place place{*root, [&](std::string_view text) { return find_on(disk, text); }};
    return judge(place, options, before, after);
}

Verdict judge_twice(SimulatedDisk& disk, const Options& options, const Model& before,
                    const Model& after) {
    const Verdict first = judge(disk, options, before, after);
    if (!first.is_good()) return first;
    disk.cut_power(Fate::lost);
    Verdict second = judge(disk, options, first.model, first.model);
    if (!second.loss.empty()) second.loss = "after another crash: " + second.loss;
    return second;
}

std::string find_on(const SimulatedDisk& disk, std::string_view text) {
    for (const auto& found : disk.find(text)) return found.where;
    for (const auto& found : disk.find_on_device(text)) return found.where;
    return {};
}

std::string leftover_on(const SimulatedDisk& disk, const Model& model) {
    return leftover_in([&](std::string_view text) { return find_on(disk, text); }, model);
}

} // namespace sluice::test
