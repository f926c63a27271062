// What is particular to Scuttlebutt: keys, blobs, blocked feeds.
#include "node/calls.hpp"

#include <sluice/scuttlebutt.hpp>

#include <algorithm>

namespace sluice::node {
namespace {

using namespace scuttlebutt;

using Prepared = std::shared_ptr<std::vector<PreparedFact>>;

Napi::Value put_prepared(const Napi::CallbackInfo& info, const Prepared& prepared) {
    return work_later(
        info,
        [prepared, options = change_options_of(info[2])](Database& database) {
            return database.put_facts(facts_of(*prepared), options);
        },
        itself);
}

/// (database, text of a secret file, options) -> what it did
Napi::Value add_identity(const Napi::CallbackInfo& info) {
    std::string text = bytes_of(info[1], "a secret file");
    auto facts = identity_facts(text);
    std::fill(text.begin(), text.end(), '\0');
    return put_prepared(info, std::make_shared<std::vector<PreparedFact>>(
                                  value_or_throw(info.Env(), std::move(facts))));
}

GroupKey group_key_of(const Napi::Value& value) {
    const std::string bytes = bytes_of(value, "a key");
    GroupKey raw;
    const bool is_raw = !value.IsString() && bytes.size() == raw.key.size();
    if (is_raw) {
        std::copy(bytes.begin(), bytes.end(), raw.key.begin());
        return raw;
    }
    auto read = parse_group_key(bytes);
    if (!read && !value.IsString()) {
        read = Error{Errc::invalid_argument,
                     "these bytes are no key: it has 32 bytes, or is text with these in it"};
    }
    return value_or_throw(value.Env(), std::move(read));
}

/// (database, key, options) -> what it did
Napi::Value add_group_key(const Napi::CallbackInfo& info) {
    const auto facts = std::make_shared<std::vector<PreparedFact>>();
    facts->push_back(group_fact(group_key_of(info[1])));
    return put_prepared(info, facts);
}

/// (database, key, options) -> what it did
Napi::Value add_own_key(const Napi::CallbackInfo& info) {
    const auto facts = std::make_shared<std::vector<PreparedFact>>();
    facts->push_back(own_fact(group_key_of(info[1]).key));
    return put_prepared(info, facts);
}

/// (database) -> [{kind, id}]
Napi::Value keys(const Napi::CallbackInfo& info) {
    return read_later(
        info,
        [](Database& database) -> Result<std::vector<Fact>> {
            return database.facts(kKeysCollection);
        },
        [](Napi::Env env, const std::vector<Fact>& facts) -> Napi::Value {
            auto array = Napi::Array::New(env);
            for (const Fact& fact : facts) {
                const auto text = read_key_text(fact);
                if (!text) continue;
                array.Set(array.Length(),
                          JsObject(env).set("kind", text->kind).set("id", text->id).value());
            }
            return array;
        });
}

/// The facts of the keys that people call `id`. Errors: not_found.
Result<std::vector<FactName>> names_of_key(const Database& database, const std::string& id) {
    std::vector<FactName> names;
    for (const Fact& fact : database.facts(kKeysCollection)) {
        const auto text = read_key_text(fact);
        if (text && text->id == id) names.push_back(fact.name);
    }
    // A dropped identity is no fact any more, and has a name still.
    if (names.empty()) names.push_back({std::string(kKeysCollection), Key("identity", id)});
    return names;
}

using FactFunction = Result<Changed> (Database::*)(const FactName&, const ChangeOptions&);

/// (database, id, options) -> what it did. A group's keys go together.
template <FactFunction change> Napi::Value change_key(const Napi::CallbackInfo& info) {
    return work_later(
        info,
        [id = bytes_of(info[1], "the id of a key"),
         options = change_options_of(info[2])](Database& database) -> Result<Changed> {
            auto names = names_of_key(database, id);
            if (!names) return names.error();
            Changed all;
            for (const FactName& name : *names) {
                auto changed = (database.*change)(name, options);
                if (!changed) return changed.error();
                changed->seqs.insert(changed->seqs.end(), all.seqs.begin(), all.seqs.end());
                all = *std::move(changed);
            }
            std::sort(all.seqs.begin(), all.seqs.end());
            all.seqs.erase(std::unique(all.seqs.begin(), all.seqs.end()), all.seqs.end());
            return all;
        },
        itself);
}

BlobId blob_id_of(const Napi::Value& value) {
    const auto id = BlobId::parse(bytes_of(value, "the id of a blob"));
    if (!id) throw_js(value.Env(), {Errc::invalid_argument, "this is no id of a blob"});
    return *id;
}

/// (database, id, bytes, options) -> what it did
Napi::Value add_blob(const Napi::CallbackInfo& info) {
    return work_later(
        info,
        [id = blob_id_of(info[1]), bytes = bytes_of(info[2], "a blob"),
         options = change_options_of(info[3])](Database& database) {
            return database.put_fact(blob_fact(id, bytes).fact(), options);
        },
        itself);
}

/// (database, id, options) -> what it did
Napi::Value drop_blob(const Napi::CallbackInfo& info) {
    return work_later(
        info,
        [id = blob_id_of(info[1]), options = change_options_of(info[2])](Database& database) {
            return database.drop_fact(blob_name(id), options);
        },
        itself);
}

/// (database, feed, whether to erase, options) -> what it did
Napi::Value block_feed(const Napi::CallbackInfo& info) {
    const auto what =
        info[2].ToBoolean() ? BlockedMessages::erase_them : BlockedMessages::delete_them;
    return work_later(
        info,
        [feed = bytes_of(info[1], "a feed"), what,
         options = change_options_of(info[3])](Database& database) -> Result<Changed> {
            auto blocking = block(database, feed, what, options);
            if (!blocking) return blocking.error();
            Changed changed = std::move(blocking->messages);
            // Where it had said nothing, the block itself is what was done.
            if (changed.at == Seq{}) changed.at = blocking->at;
            return changed;
        },
        itself);
}

/// (database, feed, options) -> what it did
Napi::Value unblock_feed(const Napi::CallbackInfo& info) {
    return work_later(
        info,
        [feed = bytes_of(info[1], "a feed"), options = change_options_of(info[2])](
            Database& database) { return unblock(database, feed, options); },
        itself);
}

} // namespace

void add_scuttlebutt_calls(Napi::Env env, Napi::Object& exports) {
    exports.Set("addIdentity", Napi::Function::New(env, add_identity));
    exports.Set("addGroupKey", Napi::Function::New(env, add_group_key));
    exports.Set("addOwnKey", Napi::Function::New(env, add_own_key));
    exports.Set("keys", Napi::Function::New(env, keys));
    exports.Set("dropKey", Napi::Function::New(env, change_key<&Database::drop_fact>));
    exports.Set("eraseKey", Napi::Function::New(env, change_key<&Database::erase_fact>));
    exports.Set("addBlob", Napi::Function::New(env, add_blob));
    exports.Set("dropBlob", Napi::Function::New(env, drop_blob));
    exports.Set("block", Napi::Function::New(env, block_feed));
    exports.Set("unblock", Napi::Function::New(env, unblock_feed));
}

} // namespace sluice::node
