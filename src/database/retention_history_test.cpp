// Retention against its plain definition: after any history, what a run leaves is what sorting all
// messages and counting from the newest leaves.
#include "database/retention_test_support.hpp"

#include <algorithm>
#include <map>
#include <random>

namespace sluice::test {
namespace {

struct Said {
    enum class State : std::uint8_t { live, deleted, erased };
    std::optional<int> room;
    std::optional<std::int64_t> time;
    std::uint64_t size = 0;
    State state = State::live;
    bool is_held = false;
};
using AllSaid = std::map<Seq, Said>;

/// The plain definition of one rule: which messages go.
Seqs plainly_due(const AllSaid& all, const RetentionRule& rule, std::uint64_t now) {
    const bool erases = rule.action == RetentionRule::Action::erase;
    Seqs due;
    if (rule.older_than) {
        for (const auto& [seq, said] : all) {
            const bool is_there =
                said.state == Said::State::live || (erases && said.state == Said::State::deleted);
            const auto latest = static_cast<std::int64_t>(now) - rule.older_than->count();
            if (is_there && !said.is_held && said.time && *said.time <= latest) due.push_back(seq);
        }
        return due;
    }
    struct Place {
        std::int64_t time;
        Seq seq;
    };
    std::map<int, std::vector<Place>> groups;
    for (const auto& [seq, said] : all) {
        if (said.state != Said::State::live || (!rule.per.empty() && !said.room)) continue;
        if (!rule.time.empty() && !said.time) continue;
        groups[rule.per.empty() ? 0 : *said.room].push_back(
            {rule.time.empty() ? 0 : *said.time, seq});
    }
    for (auto& [room, places] : groups) {
        std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
            return a.time != b.time ? a.time > b.time : a.seq > b.seq;
        });
        std::uint64_t count = 0, size = 0;
        for (const auto& [time, seq] : places) {
            const Said& said = all.at(seq);
            ++count;
            size += said.size;
            const bool is_kept =
                rule.keep_last ? count <= *rule.keep_last : size <= *rule.keep_bytes;
            if (!is_kept && !said.is_held) due.push_back(seq);
        }
    }
    std::sort(due.begin(), due.end());
    return due;
}

class RetainedLife {
public:
    explicit RetainedLife(std::uint64_t seed) : random_(seed) {}

    void step() {
        switch (pick(16)) {
        case 0:
        case 1:
        case 2:
        case 3:
        case 4: say(); break;
        case 5: change(&Database::delete_messages, Said::State::live, Said::State::deleted); break;
        case 6: change(&Database::restore, Said::State::deleted, Said::State::live); break;
        case 7: erase(); break;
        case 8: replace(); break;
        case 9: hold(); break;
        case 10: *on_.now += pick(40) * kDayMs; break;
        case 11: add_rule(); break;
        case 12: drop_rule(); break;
        case 13: on_.reopen(); break;
        case 14: on_.crash(kEveryFate[pick(std::size(kEveryFate))], random_()); break;
        default: apply();
        }
    }
    void end() {
        apply();
        ASSERT_EQ(first_difference(*on_.database), "");
    }

private:
    std::uint64_t pick(std::uint64_t below) { return random_() % below; }
    std::optional<Seq> pick_seq() {
        if (all_.empty()) return std::nullopt;
        return std::next(all_.begin(), static_cast<std::ptrdiff_t>(pick(all_.size())))->first;
    }
    /// Something that is said now, and its bytes.
    std::pair<Said, std::string> thought() {
        Said said;
        std::string body = "{";
        if (pick(5) != 0) {
            said.room = static_cast<int>(pick(3));
            body += R"("room":)" + std::to_string(*said.room) + ',';
        }
        const auto days = static_cast<std::int64_t>(pick(120));
        const std::int64_t time = static_cast<std::int64_t>(on_.now->load()) +
                                  (20 - days) * static_cast<std::int64_t>(kDayMs);
        switch (pick(6)) {
        case 0: body += R"("time":"no time",)"; break;
        case 1: break;
        case 2:
            said.time = time - time % 1000;
            body += R"("time":)" + std::to_string(time / 1000) + ',';
            break;
        default: said.time = time; body += R"("time":)" + std::to_string(time) + ',';
        }
        body += R"("text":")" + std::string(pick(60), 'x') + "\"}";
        said.size = body.size();
        return {said, body};
    }
    void say() {
        const auto [said, body] = thought();
        all_[on_.append(body)] = said;
    }
    using Change = Result<Changed> (Database::*)(const Selector&, const ChangeOptions&);
    void change(Change what, Said::State from, Said::State to) {
        const auto seq = pick_seq();
        if (!seq || all_[*seq].state != from) return;
        ASSERT_TRUE(((*on_.database).*what)(Seqs{*seq}, {}));
        all_[*seq].state = to;
    }
    void erase() {
        const auto seq = pick_seq();
        if (!seq || all_[*seq].is_held) return;
        ASSERT_TRUE(on_.database->erase(Seqs{*seq}));
        all_[*seq].state = Said::State::erased;
    }
    void replace() {
        const auto seq = pick_seq();
        if (!seq || all_[*seq].state != Said::State::live) return;
        auto [said, body] = thought();
        ASSERT_TRUE(on_.database->replace(*seq, body));
        said.is_held = all_[*seq].is_held;
        all_[*seq] = said;
    }
    void hold() {
        const auto seq = pick_seq();
        if (!seq || all_[*seq].state == Said::State::erased) return;
        Said& said = all_[*seq];
        ASSERT_TRUE(said.is_held ? on_.database->release(Seqs{*seq})
                                 : on_.database->hold(Seqs{*seq}));
        said.is_held = !said.is_held;
    }
    void add_rule() {
        RetentionRule rule{.name = "rule " + std::to_string(pick(4))};
        if (rules_.contains(rule.name)) return;
        switch (pick(3)) {
        case 0: rule.older_than = hours(24 * (1 + pick(90))); break;
        case 1: rule.keep_last = 1 + pick(6); break;
        default: rule.keep_bytes = 20 + pick(400);
        }
        if (rule.older_than || pick(2) == 0) rule.time = "/time";
        if (!rule.older_than && pick(2) == 0) rule.per = "/room";
        if (pick(2) == 0) rule.action = RetentionRule::Action::erase;
        ASSERT_TRUE(on_.database->add_retention(rule));
        rules_[rule.name] = rule;
    }
    void drop_rule() {
        if (rules_.empty()) return;
        ASSERT_TRUE(on_.database->drop_retention(rules_.begin()->first));
        rules_.erase(rules_.begin());
    }
    void apply() {
        std::vector<RetentionRule> in_turn;
        for (const auto& [name, rule] : rules_) in_turn.push_back(rule);
        std::stable_partition(in_turn.begin(), in_turn.end(), [](const RetentionRule& rule) {
            return rule.action == RetentionRule::Action::erase;
        });
        const auto dry = on_.database->apply_retention({.dry_run = true}).value();
        for (std::size_t i = 0; i < in_turn.size(); ++i) {
            ASSERT_EQ(dry[i].seqs, plainly_due(all_, in_turn[i], *on_.now)) << in_turn[i].name;
        }
        const auto runs = on_.database->apply_retention().value();
        ASSERT_EQ(runs.size(), in_turn.size());
        for (std::size_t i = 0; i < in_turn.size(); ++i) {
            const Seqs due = plainly_due(all_, in_turn[i], *on_.now);
            ASSERT_EQ(runs[i].seqs, due) << runs[i].rule;
            const bool erases = in_turn[i].action == RetentionRule::Action::erase;
            for (const Seq seq : due) {
                all_[seq].state = erases ? Said::State::erased : Said::State::deleted;
            }
        }
        for (const auto& [seq, said] : all_) {
            const auto record = on_.database->snapshot().get(seq).value();
            const auto state = said.state == Said::State::live      ? Record::State::live
                               : said.state == Said::State::deleted ? Record::State::deleted
                                                                    : Record::State::erased;
            ASSERT_EQ(record.state, state) << seq.value;
        }
    }

    RetainingDatabase on_;
    std::mt19937_64 random_;
    AllSaid all_;
    std::map<std::string, RetentionRule> rules_;
};

TEST(RetentionHistories, LeaveWhatThePlainDefinitionLeaves) {
    for (std::uint64_t seed = 1; seed <= 150; ++seed) {
        SCOPED_TRACE(seed);
        RetainedLife life(seed);
        for (int i = 0; i < 80; ++i) {
            life.step();
            if (testing::Test::HasFatalFailure()) return;
        }
        life.end();
        if (testing::Test::HasFatalFailure()) return;
    }
}

} // namespace
} // namespace sluice::test
