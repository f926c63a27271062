// Facts: what is known beside the messages.
#include "node/calls.hpp"

namespace sluice::node {
namespace {

/// Facts that JavaScript hands over. Values of secret ones are overwritten in the end.
struct HandedFacts {
    explicit HandedFacts(const Napi::Value& array);
    ~HandedFacts();
    HandedFacts(const HandedFacts&) = delete;
    HandedFacts& operator=(const HandedFacts&) = delete;

    std::vector<NewFact> facts() const;

    std::vector<Fact> kept; ///< ~Fact() overwrites.
};

HandedFacts::HandedFacts(const Napi::Value& array) {
    const auto list = array.As<Napi::Array>();
    for (std::uint32_t i = 0; i < list.Length(); ++i) {
        const Members members(list.Get(i));
        Fact fact;
        members.read("collection", fact.name.collection);
        fact.name.key = key_of(members.get("key"));
        members.read("secret", fact.is_secret);
        fact.value = bytes_of(members.get("value"));
        kept.push_back(std::move(fact));
    }
}
HandedFacts::~HandedFacts() = default;

std::vector<NewFact> HandedFacts::facts() const {
    std::vector<NewFact> facts;
    for (const Fact& each : kept) facts.push_back({each.name, each.value, each.is_secret});
    return facts;
}

/// (database, [{collection, key, value, secret}], options) -> what it did
Napi::Value put_facts(const Napi::CallbackInfo& info) {
    return work_later(
        info,
        [handed = std::make_shared<HandedFacts>(info[1]), options = change_options_of(info[2])](
            Database& database) { return database.put_facts(handed->facts(), options); },
        itself);
}

using FactFunction = Result<Changed> (Database::*)(const FactName&, const ChangeOptions&);

/// (database, collection, key, options) -> what it did
template <FactFunction change> Napi::Value change_fact(const Napi::CallbackInfo& info) {
    return work_later(
        info,
        [name = FactName{bytes_of(info[1]), key_of(info[2])}, options = change_options_of(info[3])](
            Database& database) { return (database.*change)(name, options); },
        itself);
}

Napi::Value fact_to_js(Napi::Env env, const Fact& fact) {
    return JsObject(env)
        .set("collection", fact.name.collection)
        .set("key", fact.name.key.to_json())
        .set("value", buffer_of(env, fact.is_secret ? std::string() : fact.value))
        .set("secret", fact.is_secret)
        .set("at", fact.at)
        .value();
}

/// (database, collection) -> [{collection, key, value, secret, at}]
Napi::Value facts(const Napi::CallbackInfo& info) {
    return read_later(
        info,
        [collection = bytes_of(info[1])](Database& database) -> Result<std::vector<Fact>> {
            return database.facts(collection);
        },
        [](Napi::Env env, const std::vector<Fact>& all) {
            return list_to_js(env, all, fact_to_js);
        });
}

} // namespace

void add_fact_calls(Napi::Env env, Napi::Object& exports) {
    exports.Set("putFacts", Napi::Function::New(env, put_facts));
    exports.Set("dropFact", Napi::Function::New(env, change_fact<&Database::drop_fact>));
    exports.Set("eraseFact", Napi::Function::New(env, change_fact<&Database::erase_fact>));
    exports.Set("facts", Napi::Function::New(env, facts));
}

} // namespace sluice::node
