#include "facts/facts.hpp"

#include <algorithm>

namespace sluice {

void Facts::apply(Seq at, const Change& change) {
    if (change.kind == ChangeKind::erase) {
        // Also before the entries are wiped, and when a crash wiped them by half: the erase entry
        // has the last word.
        for (const Seq entry : change.replacements) {
            const auto named = named_by_.find(entry.value);
            if (named == named_by_.end()) continue;
            const auto fact = facts_.find(named->second);
            if (fact != facts_.end() && fact->second.at == entry) facts_.erase(fact);
            named_by_.erase(named);
        }
        return;
    }
    if (change.kind != ChangeKind::put_fact && change.kind != ChangeKind::drop_fact) return;
    FactId id{change.collection, change.fact_key};
    if (change.kind == ChangeKind::put_fact) {
        facts_[id] = {std::string(change.body), change.is_secret, at};
    } else {
        facts_.erase(id);
    }
    named_by_.emplace(at.value, std::move(id));
}

const Facts::Fact* Facts::find(const FactId& id) const {
    const auto found = facts_.find(id);
    return found == facts_.end() ? nullptr : &found->second;
}

std::vector<Seq> Facts::entries_of(const FactId& id) const {
    std::vector<Seq> entries;
    for (const auto& [entry, named] : named_by_) {
        if (named == id) entries.push_back({entry});
    }
    std::sort(entries.begin(), entries.end());
    return entries;
}

} // namespace sluice
