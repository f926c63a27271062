#include "facts/facts.hpp"

#include <algorithm>

namespace sluice {

FactValue::FactValue(std::string_view bytes, bool is_secret) {
    if (is_secret) {
        secret_.assign(bytes.begin(), bytes.end());
    } else {
        plain_ = bytes;
    }
}

void Facts::apply(Seq at, const Change& change) {
    if (change.kind == ChangeKind::erase) {
        // Also before the entries are wiped, and when a crash wiped them by half: the erase entry
        // has the last word.
        for (const Seq entry : change.replacements) {
            const auto named = named_by_.find(entry.value);
            if (named == named_by_.end()) continue;
            const auto fact = facts_.find(named->second);
            if (fact != facts_.end() && fact->second.at == entry) facts_.erase(fact);
            const auto entries = entries_.find(named->second);
            entries->second.erase(entry);
            if (entries->second.empty()) entries_.erase(entries);
            named_by_.erase(named);
        }
        return;
    }
    if (change.kind == ChangeKind::receipt) secret_drops_.erase(change.receipt.erasure);
    if (change.kind != ChangeKind::put_fact && change.kind != ChangeKind::drop_fact) return;
    FactId id{change.collection, change.fact_key};
    const bool is_put = change.kind == ChangeKind::put_fact;
    if (is_put) {
        FactValue value(change.body, change.is_secret);
        Fact& fact = facts_[id];
        const bool was_secret = fact.was_secret || change.is_secret;
        fact = {std::move(value), change.is_secret, at, was_secret};
    } else {
        const auto dropped = facts_.find(id);
        if (dropped != facts_.end()) {
            if (dropped->second.was_secret) secret_drops_.insert(at);
            facts_.erase(dropped);
        }
    }
    entries_[id].emplace(at, is_put);
    named_by_.emplace(at.value, std::move(id));
}

const Facts::Fact* Facts::find(const FactId& id) const {
    const auto found = facts_.find(id);
    return found == facts_.end() ? nullptr : &found->second;
}

std::pair<Facts::Iterator, Facts::Iterator> Facts::range(const std::string& collection,
                                                         std::string_view prefix) const {
    const auto first = facts_.lower_bound({collection, std::string(prefix)});
    const auto last = std::find_if(first, facts_.end(), [&](const auto& fact) {
        return fact.first.collection != collection || !fact.first.key.starts_with(prefix);
    });
    return {first, last};
}

std::vector<Seq> Facts::entries_of(const FactId& id) const {
    std::vector<Seq> seqs;
    const auto entries = entries_.find(id);
    if (entries == entries_.end()) return seqs;
    for (const auto& [entry, is_put] : entries->second) seqs.push_back(entry);
    return seqs;
}

bool Facts::was_there(const FactId& id, Seq position) const {
    const auto entries = entries_.find(id);
    if (entries == entries_.end()) return false;
    const auto behind = entries->second.upper_bound(position);
    return behind != entries->second.begin() && std::prev(behind)->second;
}

const FactId* Facts::named_by(Seq entry) const {
    const auto found = named_by_.find(entry.value);
    return found == named_by_.end() ? nullptr : &found->second;
}

} // namespace sluice
