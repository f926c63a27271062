// F1 to F3: after any history, with messages that wait for code, views that are away, replaced or
// thrown away, power cuts, and consumers that forget what they did not acknowledge, whoever applied
// the feed to a plain map has what the filter says of all messages. And F4 for who subscribes to a
// view meanwhile.
#include "base/json.hpp"
#include "database/subscription_test_support.hpp"
#include "property/transform_life.hpp"
#include "support/seeds.hpp"

#include <map>
#include <set>

namespace sluice::test {
namespace {

constexpr std::size_t kShards = 4;
constexpr int kLength = 60;

/// An index in code, which is away more often than not.
CodeView lengths(std::uint32_t version) {
    CodeView view;
    view.app = "lengths";
    view.version = version;
    view.map = [version](const Message& message, Emit& emit) {
        if (message.body.size() % 4 != version % 4) emit(Key(message.body.size() % 3));
    };
    return view;
}

/// What a consumer has of one message.
std::string item(const std::string& key, const std::string& body,
                 const std::set<std::string>& rows) {
    std::string text = key + '|' + body;
    for (const std::string& row : rows) text += '|' + row;
    return text;
}
using Items = std::map<Seq, std::string>;

/// The one condition that is used here.
constexpr const char* kOfAda = "/author=ada";
bool is_of_ada(const std::string& body) {
    JsonParser parser;
    const Value* const json = parser.parse(body);
    const Value* const author = json == nullptr ? nullptr : json->find("author");
    return author != nullptr && author->as_string() == "ada";
}

/// The filter, computed from all messages; none if its view is not there.
std::optional<Items> computed(const Snapshot& snapshot, const FeedFilter& filter) {
    std::map<Seq, std::set<std::string>> rows;
    if (!filter.view.empty()) {
        auto cursor = snapshot.read(filter.view, {.prefix = filter.prefix});
        if (!cursor) return std::nullopt;
        while (cursor->next()) rows[cursor->seq()].insert(cursor->key().to_json());
    }
    Items items;
    LogCursor log = snapshot.log({.seen = true});
    while (const auto record = log.next().value()) {
        if (record->hidden || (!filter.view.empty() && !rows.contains(record->seq))) continue;
        if (!filter.where.empty() && !is_of_ada(record->body)) continue;
        items[record->seq] = item(record->key, record->body, rows[record->seq]);
    }
    return items;
}

class Follower {
public:
    Follower(std::string name, FeedFilter filter)
        : name_(std::move(name)), filter_(std::move(filter)) {}

    void close() { feed_.reset(); }

    /// Empty, or what is wrong with what it has when it has been told all there is.
    std::string follow(TransformLife& life) {
        Database& database = *life.on().database;
        if (life.pick(4) == 0) close();   // What it did not acknowledge is told again.
        if (life.pick(3) == 0) return {}; // It is away.
        if (!feed_) {
            auto opened = open(database, life);
            if (!opened) return expect_no_view(database, opened.error());
            feed_ = *std::move(opened);
            if (kept_.empty()) kept_ = feed_->position().text();
        }
        const bool to_the_end = life.pick(3) != 0;
        const FeedLimits limits{.changes_max = 1 + life.pick(5)};
        for (std::size_t left = to_the_end ? 100000 : life.pick(4); left > 0; --left) {
            const auto batch = feed_->next({}, limits);
            if (!batch) return expect_no_view(database, batch.error());
            if (batch->changes.size() > limits.changes_max + 1) return "a batch is too long";
            if (batch->changes.empty()) return difference(database);
            apply(*batch);
            if (life.pick(3) != 0) continue;
            feed_->acknowledge().value();
            kept_ = feed_->position().text();
        }
        return {};
    }

private:
    Result<Feed> open(const Database& database, TransformLife& life) {
        // Some keep their position themselves.
        if (name_.empty()) {
            FeedStart start;
            if (!kept_.empty()) {
                start.at = FeedStart::At::position;
                start.position = FeedPosition::from_text(kept_).value();
            }
            return database.feed(filter_, start);
        }
        if (life.pick(8) == 0) filter_.where = filter_.where.empty() ? kOfAda : "";
        return database.consumer(name_, filter_);
    }

    std::string expect_no_view(const Database& database, const Error& error) {
        close();
        const bool is_there = computed(database.snapshot(), filter_).has_value();
        return is_there || filter_.view.empty() ? "an error: " + error.context : std::string();
    }

    void apply(const FeedBatch& batch) {
        for (const FeedChange& change : batch.changes) {
            if (change.kind == FeedChange::Kind::gone) {
                items_.erase(change.seq);
                continue;
            }
            std::set<std::string> rows;
            for (const Key& row : change.rows) rows.insert(row.to_json());
            items_[change.seq] = item(change.key, change.body, rows);
        }
    }

    std::string difference(const Database& database) const {
        const Snapshot snapshot = database.snapshot();
        // F2, whoever is away.
        for (const auto& [seq, ignored] : items_) {
            const auto record = snapshot.get(seq);
            if (!record || record->state != Record::State::live) {
                return name_ + " was not told that " + std::to_string(seq.value) + " has gone";
            }
        }
        if (is_behind(database)) return {};
        const auto wanted = computed(snapshot, filter_);
        if (!wanted || *wanted == items_) return {};
        std::string text = name_ + " over " + filter_.view + " has:";
        for (const auto& [seq, what] : items_) {
            if (!wanted->contains(seq))
                text += " too many: " + std::to_string(seq.value);
            else if (wanted->at(seq) != what) {
                text +=
                    " " + std::to_string(seq.value) + ": " + what + " and not " + wanted->at(seq);
            }
        }
        for (const auto& [seq, what] : *wanted) {
            if (!items_.contains(seq)) text += " not: " + std::to_string(seq.value) + " " + what;
        }
        return text;
    }

    bool is_behind(const Database& database) const {
        for (const TransformInfo& each : database.transforms()) {
            if (!each.loaded) return true;
        }
        for (const ViewInfo& each : database.views()) {
            if (each.name == filter_.view) return !each.loaded;
        }
        return false;
    }

    std::string name_;
    FeedFilter filter_;
    std::optional<Feed> feed_;
    std::string kept_;
    Items items_;
};

class SubscribedView {
public:
    SubscribedView(std::string view, ReadOptions range)
        : view_(std::move(view)), range_(std::move(range)) {}

    void close() { replica_.reset(); }

    std::string follow(TransformLife& life) {
        const Database& database = *life.on().database;
        if (life.pick(10) == 0) close();
        if (life.pick(3) == 0) return {};
        if (!replica_) {
            const SubscribeOptions how{.rows_waiting_max = life.pick(3) == 0 ? 4U : 10000U};
            auto subscription = database.subscribe(view_, range_, how);
            if (!subscription) return {};
            replica_.emplace(*std::move(subscription));
        }
        if (!database.snapshot().read(view_)) { // Dropped.
            close();
            return {};
        }
        replica_->take();
        const std::string rows = life.on().rows(view_, range_);
        if (replica_->rows() == rows && !testing::Test::HasFailure()) return {};
        return "who subscribed to " + view_ + " has " + replica_->rows() + " and not " + rows;
    }

private:
    std::string view_;
    ReadOptions range_;
    std::optional<Replica> replica_;
};

class FeedLife {
public:
    explicit FeedLife(std::uint64_t seed) : life_(seed) {
        life_.before_closing = [this] {
            for (Follower& each : followers_) each.close();
            for (SubscribedView& each : subscribed_) each.close();
        };
        if (life_.pick(3) == 0) {
            life_.on().options.durability = Durability::none;
            close();
            life_.on().reopen();
        }
        followers_.emplace_back("all", FeedFilter{});
        followers_.emplace_back("", FeedFilter{});
        followers_.emplace_back("of_ada", FeedFilter{.view = "by_author", .prefix = Key("ada")});
        followers_.emplace_back("", FeedFilter{.view = "shown"});
        followers_.emplace_back("readers", FeedFilter{.view = "company"});
        followers_.emplace_back("", FeedFilter{.view = "company", .prefix = Key("bo")});
        followers_.emplace_back("away", FeedFilter{.view = "lengths"});
        subscribed_.emplace_back("by_author", ReadOptions{.from = Key("ada", 1)});
        subscribed_.emplace_back("counts", ReadOptions{});
        subscribed_.emplace_back("shown", ReadOptions{});
        subscribed_.emplace_back("company", ReadOptions{.prefix = Key("bo")});
        subscribed_.emplace_back("lengths", ReadOptions{});
    }

    std::string live() {
        for (int step = 0; step < kLength; ++step) {
            const std::string did = act();
            if (const std::string wrong = follow(); !wrong.empty()) {
                std::string when = "step " + std::to_string(step);
                return when.append(", ").append(did).append(": ").append(wrong);
            }
        }
        life_.open_with_all_code();
        load();
        for (int round = 0; round < 12; ++round) {
            if (const std::string wrong = follow(); !wrong.empty()) return "at the end: " + wrong;
        }
        return {};
    }

private:
    void close() { life_.before_closing(); }
    void load() {
        static_cast<void>(life_.on().database->add_view("lengths", lengths(version_)).has_value());
    }
    std::string act() {
        switch (life_.pick(16)) {
        case 0: load(); return "load an index";
        case 1:
            if (life_.pick(4) == 0) ++version_;
            load();
            return "load an index, maybe a newer one";
        case 2:
            if (life_.pick(3) != 0) return "nothing";
            return throw_views_away();
        default: return life_.act();
        }
    }
    std::string throw_views_away() {
        close();
        DatabaseOnDisk& on = life_.on();
        on.close();
        const auto views = on.root->subdirectory("views", Create::if_missing).value();
        for (const std::string& name : views->list().value()) views->remove(name).value();
        on.open();
        return "throw the views away";
    }
    std::string follow() {
        for (Follower& each : followers_) {
            if (std::string wrong = each.follow(life_); !wrong.empty()) return wrong;
        }
        for (SubscribedView& each : subscribed_) {
            if (std::string wrong = each.follow(life_); !wrong.empty()) return wrong;
        }
        return {};
    }

    TransformLife life_;
    std::vector<Follower> followers_;
    std::vector<SubscribedView> subscribed_;
    std::uint32_t version_ = 1;
};

class FeedHistories : public testing::TestWithParam<std::size_t> {};

TEST_P(FeedHistories, LeaveConsumersEqualToTheirFilters) {
    for (std::uint64_t seed = GetParam(); seed < seed_count(400) / 2; seed += kShards) {
        ASSERT_EQ(FeedLife(seed).live(), "") << "seed " << seed;
    }
}

INSTANTIATE_TEST_SUITE_P(Shard, FeedHistories, testing::Range<std::size_t>(0, kShards));

} // namespace
} // namespace sluice::test
