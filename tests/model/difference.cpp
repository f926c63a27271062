// Holding a database against the model.
#include "model/model.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace sluice::test {
namespace {

std::string seq_text(Seq seq) {
    return std::to_string(seq.value);
}

/// The members of an aggregate's answer: names and values as text. Our values hold no comma.
std::map<std::string, std::string> members_of(std::string_view json) {
    std::map<std::string, std::string> members;
    json = json.substr(1, json.size() - 2);
    while (!json.empty()) {
        const std::size_t end = std::min(json.find(','), json.size());
        const std::string_view member = json.substr(0, end);
        const std::size_t colon = member.find(':');
        members.emplace(member.substr(1, colon - 2), member.substr(colon + 1));
        json.remove_prefix(std::min(end + 1, json.size()));
    }
    return members;
}

/// What the messages of one group say.
struct Group {
    std::uint64_t count = 0;
    Numbers numbers;
    std::optional<Key> min;
    std::optional<Key> max;

    void add(const Emission& emission) {
        ++count;
        if (!emission.number) return;
        const Scalar& scalar = scalars()[*emission.number];
        numbers.add(scalar);
        if (!min || scalar.key < *min) min = scalar.key;
        if (!max || scalar.key > *max) max = scalar.key;
    }

    bool answers(const std::string& name, const std::string& json) const {
        const auto is_bound = [&](const std::optional<Key>& bound) {
            if (!bound) return json == "null";
            const auto key = Key::from_json(json);
            return key && *key == *bound;
        };
        if (name == "count") return json == std::to_string(count);
        if (name == "sum") return numbers.is_sum(json);
        if (name == "average") return numbers.is_average(json);
        if (name == "min") return is_bound(min);
        return name == "max" && is_bound(max);
    }

    bool answers(const std::string& json) const {
        const auto members = members_of(json);
        return !members.empty() && std::all_of(members.begin(), members.end(), [&](const auto& m) {
            return answers(m.first, m.second);
        });
    }
};

using Rows = std::vector<std::pair<std::string, Seq>>; // Encoded keys, in order.

/// The rows that a view should show which was complete at `since`: nothing of what is gone now, and
/// nothing of what was restored or replaced since, which waits for the view's application.
template <typename Take> void each_content(const Model& model, Seq since, const Take& take) {
    for (const Seq seq : model.messages()) {
        const Model::Entry& entry = model.at(seq);
        const bool waits = !entry.turns.empty() && entry.turns.back() > since;
        if (seq > since || entry.deleted || waits) continue;
        take(seq, entry.versions.back().content);
    }
}

template <typename Take>
void each_row(const Model& model, const Model::OpenView& view, Seq since, const Take& take) {
    each_content(model, since, [&](Seq seq, const Content& content) {
        for (const Emission& emission : meanings()[view.meaning].emissions(content)) {
            take(seq, emission);
        }
    });
}

Rows rows_of(const Model& model, const Model::OpenView& view, Seq since) {
    Rows rows;
    each_row(model, view, since, [&](Seq seq, const Emission& emission) {
        rows.emplace_back(emission.key.encoded(), seq);
    });
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    return rows;
}

std::string describe(const Rows& rows) {
    std::string text;
    for (const auto& [key, seq] : rows) {
        text += ' ' + Key::from_encoded(key).value().to_json() + '=' + seq_text(seq);
    }
    return text.empty() ? " nothing" : text;
}

Rows read_rows(const Snapshot& snapshot, const std::string& name, const ReadOptions& options) {
    Rows rows;
    auto cursor = snapshot.read(name, options).value();
    while (cursor.next()) rows.emplace_back(cursor.encoded_key(), cursor.seq());
    cursor.status().value();
    return rows;
}

std::string difference_of_index(const Snapshot& snapshot, const std::string& name,
                                const Rows& expected) {
    const Rows forward = read_rows(snapshot, name, {});
    if (forward != expected) {
        return "view " + name + " shows" + describe(forward) + " instead of" + describe(expected);
    }
    ReadOptions backward;
    backward.reverse = true;
    Rows turned = read_rows(snapshot, name, backward);
    std::reverse(turned.begin(), turned.end());
    if (turned != expected) return "view " + name + " backward shows" + describe(turned);
    if (snapshot.read(name).value().count_rest() != expected.size()) {
        return "view " + name + " counts its rows wrong";
    }
    if (expected.empty()) return {};
    // One key, asked for alone.
    ReadOptions one;
    const std::string& wanted = expected[expected.size() / 2].first;
    one.prefix = Key::from_encoded(wanted).value();
    Rows matching = expected;
    std::erase_if(matching, [&](const auto& row) { return !row.first.starts_with(wanted); });
    if (read_rows(snapshot, name, one) != matching) {
        return "view " + name + " shows other rows when asked for one key";
    }
    return {};
}

std::string difference_of_groups(const Snapshot& snapshot, const std::string& name,
                                 const std::map<std::string, Group>& expected) {
    auto cursor = snapshot.read(name).value();
    auto at = expected.begin();
    while (cursor.next()) {
        const std::string shown = cursor.key().to_json() + ' ' + cursor.value();
        if (at == expected.end() || at->first != cursor.encoded_key()) {
            return "view " + name + " shows group " + shown;
        }
        if (!at->second.answers(cursor.value())) {
            return "view " + name + " has a wrong answer: " + shown + " for " +
                   std::to_string(at->second.count) + " messages";
        }
        ++at;
    }
    cursor.status().value();
    if (at == expected.end()) return {};
    return "view " + name + " lacks group " + Key::from_encoded(at->first).value().to_json();
}

std::string difference_of_fold(const Snapshot& snapshot, const std::string& name,
                               const Meaning& meaning, const Model& model, Seq since) {
    std::map<std::string, std::vector<Content>> groups;
    each_content(model, since, [&](Seq, const Content& content) {
        for (const Emission& emission : meaning.emissions(content)) {
            groups[emission.key.encoded()].push_back(content);
        }
    });
    auto cursor = snapshot.read(name).value();
    auto at = groups.begin();
    for (; cursor.next(); ++at) {
        const std::string shown = cursor.key().to_json() + ' ' + cursor.value();
        if (at == groups.end() || at->first != cursor.encoded_key()) {
            return "view " + name + " shows group " + shown;
        }
        if (cursor.value() != meaning.answer(at->second)) {
            return "view " + name + " has a wrong answer: " + shown + " instead of " +
                   meaning.answer(at->second);
        }
    }
    cursor.status().value();
    return at == groups.end() ? "" : "view " + name + " lacks a group";
}

/// Which author likes which tag, and the newest message that says so.
using Likes = std::map<std::pair<std::string, std::string>, Seq>;

std::string text_of(const Likes& likes) {
    std::string text;
    for (const auto& [pair, seq] : likes) {
        text += ' ' + pair.first + "->" + pair.second + '@' + seq_text(seq);
    }
    return text;
}

Likes likes_in(const Snapshot& snapshot, const std::string& name, const LinkQuery& query) {
    const auto text = [](const Key& key) {
        const std::string json = key.to_json();
        return json.substr(2, json.size() - 4);
    };
    Likes likes;
    for (const Link& link : snapshot.links(name, query).value()) {
        likes[{text(link.source), text(link.target)}] = link.seq;
    }
    return likes;
}

std::string difference_of_links(const Snapshot& snapshot, const std::string& name,
                                const Model& model, Seq since) {
    Likes expected;
    each_content(model, since, [&](Seq seq, const Content& content) {
        if (!content.is_json) return;
        for (const std::string& tag : content.tags) expected[{content.author, tag}] = seq;
    });
    const auto differs = [&](const LinkQuery& query, const auto& is_meant) -> std::string {
        Likes meant = expected;
        std::erase_if(meant, [&](const auto& like) { return !is_meant(like.first); });
        const Likes shown = likes_in(snapshot, name, query);
        return shown == meant
                   ? ""
                   : "view " + name + " shows" + text_of(shown) + " instead of" + text_of(meant);
    };
    std::string wrong = differs({}, [](const auto&) { return true; });
    if (wrong.empty()) {
        wrong = differs({.from = Key("ada")}, [](const auto& l) { return l.first == "ada"; });
    }
    if (wrong.empty()) {
        wrong = differs({.to = Key("red"), .relation = Key("likes")},
                        [](const auto& l) { return l.second == "red"; });
    }
    return wrong;
}

/// A content as its words, and none of those where a text ends.
std::vector<std::string> words_of(const Content& content, bool with_tags) {
    std::vector<std::string> words;
    std::string word;
    for (const char c : content.text + '.') {
        if (c != '.') word += c;
        if (c == '.' && !word.empty()) words.push_back(std::exchange(word, {}));
    }
    if (!with_tags) return words;
    for (const std::string& tag : content.tags) words.insert(words.end(), {"", tag});
    return words;
}

/// BM25 by the book, over the contents given.
std::map<Seq, double> scores(const std::map<Seq, std::vector<std::string>>& contents,
                             const std::string& wanted, bool is_prefix) {
    double words = 0;
    std::map<Seq, double> times, lengths;
    for (const auto& [seq, all] : contents) {
        for (const std::string& word : all) {
            if (word.empty()) continue;
            ++words;
            ++lengths[seq];
            if (is_prefix ? word.starts_with(wanted) : word == wanted) ++times[seq];
        }
    }
    const double count = static_cast<double>(contents.size());
    const double matching = static_cast<double>(times.size());
    std::map<Seq, double> all;
    for (const auto& [seq, tf] : times) {
        const double idf = std::log(1 + (count - matching + 0.5) / (matching + 0.5));
        all[seq] = idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * lengths[seq] / (words / count)));
    }
    return all;
}

std::string difference_of_search(const Snapshot& snapshot, const std::string& name,
                                 const Meaning& meaning, const Model& model, Seq since) {
    const bool with_tags = meaning.definition.find("/tags") != std::string::npos;
    std::map<Seq, std::vector<std::string>> contents;
    each_content(model, since, [&](Seq seq, const Content& content) {
        if (content.is_json) contents[seq] = words_of(content, with_tags);
    });
    std::vector<std::string> queries = {"text10*", "text100*", "text*", "red", "text1003"};
    if (!contents.empty()) queries.push_back(contents.rbegin()->second.front());
    for (const std::string& query : queries) {
        const bool is_prefix = query.back() == '*';
        const auto expected =
            scores(contents, query.substr(0, query.size() - (is_prefix ? 1 : 0)), is_prefix);
        const SearchAnswer answer = snapshot.search(name, {.text = query, .limit = 1000}).value();
        const std::string what = "view " + name + ", asked for " + query + ", ";
        if (answer.total != expected.size() || answer.hits.size() != expected.size()) {
            return what + "finds " + seq_text({answer.total}) + " messages instead of " +
                   seq_text({expected.size()});
        }
        for (std::size_t i = 0; i < answer.hits.size(); ++i) {
            const SearchHit& hit = answer.hits[i];
            const auto found = expected.find(hit.seq);
            if (found == expected.end()) return what + "finds " + seq_text(hit.seq);
            if (std::abs(found->second - hit.score) > 1e-12) return what + "has another score";
            const bool in_order =
                i == 0 || answer.hits[i - 1].score > hit.score ||
                (answer.hits[i - 1].score == hit.score && answer.hits[i - 1].seq > hit.seq);
            if (!in_order) return what + "has another order";
            if (hit.marks.empty()) return what + "marks nothing in " + seq_text(hit.seq);
        }
    }
    return {};
}

} // namespace

std::string Model::difference_of_views(const Snapshot& snapshot,
                                       const std::vector<ViewInfo>& infos) const {
    if (infos.size() != views.size()) {
        return "there are " + std::to_string(infos.size()) + " views instead of " +
               std::to_string(views.size());
    }
    for (const ViewInfo& info : infos) {
        const auto found = views.find(info.name);
        if (found == views.end()) return "there is a view " + info.name;
        const OpenView& view = found->second;
        if (info.loaded != view.loaded) return "view " + info.name + " is loaded or not";
        if (info.since > snapshot.position() || (view.loaded && info.since != last())) {
            return "view " + info.name + " says it is at " + seq_text(info.since);
        }
        std::string difference;
        const Meaning& meaning = meanings()[view.meaning];
        switch (meaning.kind) {
        case Kind::index:
            difference = difference_of_index(snapshot, info.name, rows_of(*this, view, info.since));
            break;
        case Kind::aggregate: {
            std::map<std::string, Group> groups;
            each_row(*this, view, info.since, [&](Seq, const Emission& emission) {
                groups[emission.key.encoded()].add(emission);
            });
            difference = difference_of_groups(snapshot, info.name, groups);
            break;
        }
        case Kind::fold:
            if (!view.loaded) break; // It cannot be read.
            difference = difference_of_fold(snapshot, info.name, meaning, *this, info.since);
            break;
        case Kind::links:
            difference = difference_of_links(snapshot, info.name, *this, info.since);
            break;
        case Kind::search:
            difference = difference_of_search(snapshot, info.name, meaning, *this, info.since);
            break;
        }
        if (!difference.empty()) return difference + ", since " + seq_text(info.since);
    }
    return {};
}

std::string shown_by(const Snapshot& snapshot, const std::vector<ViewInfo>& infos) {
    std::string text = seq_text(snapshot.position());
    for (const ViewInfo& info : infos) {
        text += "\n" + info.name + ':';
        auto read = snapshot.read(info.name);
        if (!read) continue;
        ViewCursor cursor = std::move(read.value());
        while (cursor.next()) {
            text += ' ' + cursor.key().to_json() + '@' + seq_text(cursor.seq()) + cursor.value();
        }
        cursor.status().value();
    }
    return text;
}

std::string Model::difference_of_entry(const Result<Record>& answer, Seq seq) const {
    const std::string what = "entry " + seq_text(seq);
    if (!answer) return what + " cannot be read: " + answer.error().context;
    const Entry& entry = at(seq);
    const auto state = entry.is_change ? Record::State::change
                       : entry.erased  ? Record::State::erased
                       : entry.deleted ? Record::State::deleted
                                       : Record::State::live;
    if (answer->seq != seq || answer->state != state) {
        return what + " is " + std::string(name_of(answer->state)) + " instead of " +
               std::string(name_of(state));
    }
    if (entry.is_change) return {};
    if (answer->key != (entry.erased ? "" : entry.key)) return what + " has another key";
    const bool is_live = state == Record::State::live;
    if (answer->body != (is_live ? entry.versions.back().content.body() : "")) {
        return what + " has another body: " + answer->body;
    }
    if (entry.erased) return {};
    if (answer->replaced != (entry.versions.size() > 1)) return what + " is replaced or not";
    if (answer->held != entry.held) return what + " is held or not";
    return {};
}

std::string Model::difference_of_log(const Snapshot& snapshot) const {
    if (snapshot.position() != last()) {
        return "the last entry is " + seq_text(snapshot.position()) + " instead of " +
               seq_text(last());
    }
    for (Seq seq{1}; seq <= last(); seq = seq.next()) {
        const std::string difference = difference_of_entry(snapshot.get(seq), seq);
        if (!difference.empty()) return difference;
    }
    for (const std::string& key : keys) {
        const auto named = named_by(key);
        const auto answer = snapshot.get(key);
        if (!named && (answer || answer.error().code != Errc::not_found)) {
            return "key " + key + " still names a message";
        }
        if (!named) continue;
        if (!answer) return "key " + key + ": " + answer.error().context;
        if (answer->seq != *named) {
            return "key " + key + " names " + seq_text(answer->seq) + " instead of " +
                   seq_text(*named);
        }
    }
    std::vector<Seq> expected, shown;
    for (const Seq seq : messages()) {
        if (is_live(seq)) expected.push_back(seq);
    }
    auto forward = snapshot.log({});
    while (auto record = forward.next().value()) shown.push_back(record->seq);
    if (shown != expected) return "the log shows other messages";
    shown.clear();
    LogRange range;
    range.from = {};
    range.reverse = range.include_changes = true;
    auto backward = snapshot.log(range);
    while (auto record = backward.next().value()) shown.push_back(record->seq);
    std::reverse(shown.begin(), shown.end());
    const bool complete = shown.size() == entries.size() &&
                          (shown.empty() || (shown.front() == Seq{1} && shown.back() == last()));
    return complete ? "" : "the log read backward with changes is not whole";
}

std::string Model::difference(const Database& database) const {
    const Snapshot snapshot = database.snapshot();
    std::string difference = difference_of_log(snapshot);
    if (difference.empty()) difference = difference_of_views(snapshot, database.views());
    if (!difference.empty()) return difference;

    std::map<std::string, std::string> known;
    for (const Fact& fact : database.facts("facts")) {
        known[fact.name.key.to_json()] = fact.value;
    }
    std::map<std::string, std::string> expected;
    for (const auto& [name, value] : facts) expected[Key(name).to_json()] = value;
    if (known != expected) return "the facts differ";
    for (const auto& [fingerprint, offset] : imported) {
        if (database.imported_up_to(fingerprint) != offset) return "an import is at another place";
    }

    std::map<std::string, std::uint64_t> kept, kept_by;
    for (const auto& [name, rule] : rules) kept[name] = rule.keep_last;
    for (const RetentionInfo& info : database.retention()) {
        kept_by[info.rule.name] = info.rule.keep_last.value_or(0);
    }
    if (kept != kept_by) return "the rules of retention differ";

    const Stats stats = database.stats();
    const std::vector<Seq> all = messages();
    const auto count = [&](const auto& is_wanted) {
        return static_cast<std::uint64_t>(
            std::count_if(all.begin(), all.end(), [&](Seq seq) { return is_wanted(at(seq)); }));
    };
    if (stats.live != count([](const Entry& e) { return !e.deleted; }) ||
        stats.deleted != count([](const Entry& e) { return e.deleted && !e.erased; }) ||
        stats.erased != count([](const Entry& e) { return e.erased; }) ||
        stats.changes != entries.size() - all.size()) {
        return "the statistics count wrong";
    }

    const VerifyReport report = database.verify().value();
    for (const VerifyReport::View& view : report.views) {
        if (view.difference_count == 0) continue;
        return "verify says of view " + view.name + ": " + view.differences.front();
    }
    // An erasure that waits for a snapshot leaves the files that it reads.
    if (unfinished == 0 && !report.needles_found.empty()) {
        return "verify finds erased bytes in " + report.needles_found.front();
    }
    // An erasure that waits for a snapshot is a problem that is expected.
    if (report.problems.size() != unfinished) {
        return "verify has " + std::to_string(report.problems.size()) + " problems" +
               (report.problems.empty() ? "" : ": " + report.problems.front());
    }
    return {};
}

} // namespace sluice::test
