#include "model/model.hpp"

#include <algorithm>

namespace sluice::test {

Seq Model::change() {
    Entry entry;
    entry.is_change = true;
    entries.push_back(entry);
    return last();
}

Seq Model::mark_import(const std::string& fingerprint, std::uint64_t offset) {
    imported[fingerprint] = offset;
    return change();
}

Seq Model::append(const Content& content, const std::string& key) {
    Entry entry;
    entry.key = key;
    entry.versions.push_back({last().next(), content});
    entries.push_back(entry);
    if (!key.empty()) keys.insert(key);
    return last();
}

Seq Model::remove(const std::vector<Seq>& seqs) {
    for (const Seq seq : seqs) at(seq).deleted = true;
    return change();
}

Seq Model::restore(const std::vector<Seq>& seqs) {
    const Seq now = change();
    for (const Seq seq : seqs) {
        at(seq).deleted = false;
        at(seq).turns.push_back(now);
    }
    return now;
}

Seq Model::rederive(const std::vector<Seq>& seqs) {
    const Seq now = change();
    for (const Seq seq : seqs) at(seq).turns.push_back(now);
    return now;
}

Seq Model::replace(Seq seq, const Content& content) {
    const Seq now = change();
    at(seq).versions.push_back({now, content});
    at(seq).turns.push_back(now);
    return now;
}

Seq Model::hold(const std::vector<Seq>& seqs, bool held) {
    for (const Seq seq : seqs) at(seq).held = held;
    return change();
}

Seq Model::erase(const std::vector<Seq>& seqs, bool finished) {
    for (const Seq seq : seqs) {
        Entry& entry = at(seq);
        entry.deleted = entry.erased = true;
        if (!entry.key.empty()) refused.insert(entry.key);
    }
    const Seq now = change();
    ++unfinished;
    if (finished) finish_erasures();
    return now;
}

void Model::finish_erasures() {
    for (; unfinished > 0; --unfinished) change();
}

void Model::apply_rule(const std::string& name) {
    const Rule& rule = rules.at(name);
    std::vector<Seq> all = messages();
    std::erase_if(all, [&](Seq seq) { return at(seq).deleted; });
    if (all.size() <= rule.keep_last) return;
    all.resize(all.size() - rule.keep_last);
    std::erase_if(all, [&](Seq seq) { return at(seq).held; });
    if (all.empty()) return;
    if (rule.erases) {
        erase(all, true);
    } else {
        remove(all);
    }
}

void Model::open_again() {
    finish_erasures();
    for (auto& [name, view] : views) {
        view.loaded = !meanings()[view.meaning].is_code();
    }
}

std::vector<Seq> Model::messages() const {
    std::vector<Seq> all;
    for (Seq seq{1}; seq <= last(); seq = seq.next()) {
        if (!at(seq).is_change) all.push_back(seq);
    }
    return all;
}

Model::KeyState Model::state_of(const std::string& key) const {
    const auto named = named_by(key);
    if (named && is_live(*named)) return KeyState::live;
    return named || refused.contains(key) ? KeyState::gone : KeyState::free;
}

std::optional<Seq> Model::named_by(const std::string& key) const {
    std::optional<Seq> found;
    for (Seq seq{1}; seq <= last(); seq = seq.next()) {
        const Entry& entry = at(seq);
        if (entry.is_change || entry.erased || entry.key != key) continue;
        if (!found || is_live(seq) || !is_live(*found)) found = seq;
    }
    return found;
}

Seq Model::put_fact(const std::string& name, const std::string& value, bool is_secret) {
    facts[name] = value;
    if (is_secret) secrets.insert(name);
    values_ever[name].push_back(value);
    return change();
}

Seq Model::drop_fact(const std::string& name) {
    facts.erase(name);
    const Seq now = change();
    if (secrets.erase(name) > 0 && has_transforms) change();
    return now;
}

Seq Model::erase_fact(const std::string& name) {
    facts.erase(name);
    secrets.erase(name);
    std::vector<std::string>& values = values_ever.at(name);
    erased_values.insert(erased_values.end(), values.begin(), values.end());
    values_ever.erase(name);
    const Seq now = change();
    change();
    return now;
}

std::vector<std::string> Model::needles() const {
    std::vector<std::string> all = erased_values;
    for (const Entry& entry : entries) {
        if (!entry.erased) continue;
        for (const Version& version : entry.versions) all.push_back(version.content.text);
        if (!entry.key.empty() && !named_by(entry.key)) all.push_back(entry.key);
    }
    return all;
}

} // namespace sluice::test
