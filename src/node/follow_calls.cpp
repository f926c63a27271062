// Following: live differences of a view, and the change feed.
#include "node/calls.hpp"
#include "node/messages.hpp"

#include <algorithm>

namespace sluice::node {
namespace {

struct Subscriber final : Part {
    Subscriber(std::shared_ptr<OpenDatabase> from, std::string view, ReadOptions read)
        : open(std::move(from)), name(std::move(view)), range(std::move(read)) {
        open->add(*this);
        open->watch();
    }
    ~Subscriber() override { open->remove(*this); }
    void drop() override { subscription.reset(); }

    std::shared_ptr<OpenDatabase> open;
    std::string name;
    ReadOptions range;
    std::optional<Subscription> subscription;
};

/// (database, view, range) -> a subscriber
Napi::Value subscribe(const Napi::CallbackInfo& info) {
    return part_of(info.Env(), std::make_shared<Subscriber>(database_of(info), bytes_of(info[1]),
                                                            read_options_of(info[2])));
}

Napi::Value rows_to_js(Napi::Env env, const std::vector<ViewRow>& rows) {
    std::string keys = "[", values = "[";
    std::vector<double> seqs;
    for (const ViewRow& row : rows) {
        if (!seqs.empty()) {
            keys += ',';
            values += ',';
        }
        keys += row.key.to_json();
        values += row.value.empty() ? "null" : row.value;
        seqs.push_back(static_cast<double>(row.seq.value));
    }
    const bool has_values = !rows.empty() && !rows.front().value.empty();
    JsObject object(env);
    object.set("keys", keys + ']').set("seqs", seqs);
    if (has_values) object.set("values", values + ']');
    return object.value();
}

/// (database, subscriber) -> {at, fresh, gone, added}, or undefined if there is nothing new
Napi::Value next_difference(const Napi::CallbackInfo& info) {
    const auto subscriber = part_at<Subscriber>(info, 1);
    return read_later(
        info,
        [subscriber](Database& database) -> Result<std::optional<Difference>> {
            if (!subscriber->subscription) {
                auto subscribed = database.subscribe(subscriber->name, subscriber->range);
                if (!subscribed) return subscribed.error();
                subscriber->subscription.emplace(*std::move(subscribed));
            }
            return subscriber->subscription->next();
        },
        [](Napi::Env env, const std::optional<Difference>& difference) -> Napi::Value {
            if (!difference) return env.Undefined();
            return JsObject(env)
                .set("at", difference->at)
                .set("fresh", difference->is_fresh)
                .set("gone", rows_to_js(env, difference->gone))
                .set("added", rows_to_js(env, difference->added))
                .value();
        });
}

struct Consumer final : Part {
    Consumer(std::shared_ptr<OpenDatabase> from, std::string named)
        : open(std::move(from)), name(std::move(named)) {
        open->add(*this);
        open->watch();
    }
    ~Consumer() override { open->remove(*this); }
    void drop() override { feed.reset(); }
    /// Errors: as Database::feed() and Database::consumer().
    Result<void> begin(Database& database) {
        if (feed) return {};
        if (!name.empty()) {
            auto known = database.consumers();
            if (!known) return known.error();
            const bool is_known = std::ranges::any_of(
                *known, [this](const ConsumerInfo& each) { return each.name == name; });
            if (is_known) start.reset(); // It goes on where it was.
        }
        auto begun = name.empty()
                         ? database.feed(filter.value_or(FeedFilter()), start.value_or(FeedStart()))
                         : database.consumer(name, filter, start);
        if (!begun) return begun.error();
        feed.emplace(*std::move(begun));
        return {};
    }

    std::shared_ptr<OpenDatabase> open;
    std::string name; ///< Empty: nobody's.
    std::optional<FeedFilter> filter;
    std::optional<FeedStart> start;
    std::optional<Feed> feed;
};

/// (database, name, {view, prefix, where, start, position}) -> a consumer
Napi::Value follow(const Napi::CallbackInfo& info) {
    const auto consumer = std::make_shared<Consumer>(database_of(info), bytes_of(info[1]));
    const Members members(info[2]);
    FeedFilter filter;
    members.read("view", filter.view);
    members.read("where", filter.where);
    std::optional<Key> prefix;
    members.read("prefix", prefix);
    if (prefix) filter.prefix = *std::move(prefix);
    if (filter != FeedFilter()) consumer->filter = filter;

    const auto start = members.get("start");
    const auto position = members.get("position");
    if (!position.IsUndefined()) {
        auto at = FeedPosition::from_text(bytes_of(position));
        consumer->start =
            FeedStart{FeedStart::At::position, {}, value_or_throw(info.Env(), std::move(at))};
    } else if (start.IsNumber()) {
        consumer->start = FeedStart{FeedStart::At::entry, seq_of(start), {}};
    } else if (!start.IsUndefined()) {
        const bool is_now = bytes_of(start) == "now";
        consumer->start = FeedStart{is_now ? FeedStart::At::now : FeedStart::At::first, {}, {}};
    }
    return part_of(info.Env(), consumer);
}

Napi::Value change_to_js(Napi::Env env, const FeedChange& change) {
    std::vector<std::string> rows;
    for (const Key& row : change.rows) rows.push_back(row.to_json());
    JsObject object(env);
    object.set("kind", name_of(change.kind))
        .set("seq", change.seq)
        .set("key", change.key)
        .set("rows", rows);
    if (change.kind != FeedChange::Kind::gone) object.set("body", buffer_of(env, change.body));
    return object.value();
}

Napi::Value batch_to_js(Napi::Env env, const FeedBatch& batch) {
    return JsObject(env)
        .set("changes", list_to_js(env, batch.changes, change_to_js))
        .set("position", batch.position.text())
        .value();
}

/// (database, consumer) -> {changes, position}; no changes if there is nothing new
Napi::Value next_batch(const Napi::CallbackInfo& info) {
    const auto consumer = part_at<Consumer>(info, 1);
    return read_later(
        info,
        [consumer](Database& database) -> Result<FeedBatch> {
            if (const auto begun = consumer->begin(database); !begun) return begun.error();
            return consumer->feed->next();
        },
        batch_to_js);
}

/// (database, consumer) -> where it stands, also before the first batch
Napi::Value feed_position(const Napi::CallbackInfo& info) {
    const auto consumer = part_at<Consumer>(info, 1);
    return read_later(
        info,
        [consumer](Database& database) -> Result<std::string> {
            if (const auto begun = consumer->begin(database); !begun) return begun.error();
            return consumer->feed->position().text();
        },
        itself);
}

/// (database, consumer) -> undefined
Napi::Value acknowledge(const Napi::CallbackInfo& info) {
    const auto consumer = part_at<Consumer>(info, 1);
    return read_later(
        info,
        [consumer](Database& database) -> Result<void> {
            if (const auto begun = consumer->begin(database); !begun) return begun.error();
            return consumer->feed->acknowledge();
        },
        nothing);
}

Napi::Value consumer_to_js(Napi::Env env, const ConsumerInfo& consumer) {
    return JsObject(env)
        .set("name", consumer.name)
        .set("lag", consumer.lag)
        .set("position", consumer.position.text())
        .value();
}

/// (database) -> [{name, lag, position}]
Napi::Value consumers(const Napi::CallbackInfo& info) {
    return read_later(
        info, [](Database& database) { return database.consumers(); },
        [](Napi::Env env, const std::vector<ConsumerInfo>& all) {
            return list_to_js(env, all, consumer_to_js);
        });
}

/// (database, name) -> undefined
Napi::Value drop_consumer(const Napi::CallbackInfo& info) {
    return read_later(
        info,
        [name = bytes_of(info[1])](Database& database) { return database.drop_consumer(name); },
        nothing);
}

} // namespace

void add_follow_calls(Napi::Env env, Napi::Object& exports) {
    exports.Set("subscribe", Napi::Function::New(env, subscribe));
    exports.Set("nextDifference", Napi::Function::New(env, next_difference));
    exports.Set("endSubscriber", Napi::Function::New(env, end_part<Subscriber>));
    exports.Set("follow", Napi::Function::New(env, follow));
    exports.Set("nextBatch", Napi::Function::New(env, next_batch));
    exports.Set("feedPosition", Napi::Function::New(env, feed_position));
    exports.Set("acknowledge", Napi::Function::New(env, acknowledge));
    exports.Set("endConsumer", Napi::Function::New(env, end_part<Consumer>));
    exports.Set("consumers", Napi::Function::New(env, consumers));
    exports.Set("dropConsumer", Napi::Function::New(env, drop_consumer));
}

} // namespace sluice::node
