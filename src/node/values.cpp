#include "node/values.hpp"

#include "node/addon.hpp"

#include <cmath>

namespace sluice::node {
namespace {

constexpr double kSafeIntegerMax = 9007199254740991;

[[noreturn]] void throw_argument(Napi::Env env, const std::string& what) {
    throw_js(env, Error{Errc::invalid_argument, what});
}

std::optional<std::uint64_t> whole_number(const Napi::Value& value) {
    const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
    if (!(number >= 0 && number <= kSafeIntegerMax && number == std::floor(number))) return {};
    return static_cast<std::uint64_t>(number);
}

std::uint64_t whole_number(const Napi::Value& value, const std::string& name) {
    const auto number = whole_number(value);
    if (!number) throw_argument(value.Env(), name + " must be a whole number");
    return *number;
}

} // namespace

std::string bytes_of(const Napi::Value& value, const char* name) {
    if (value.IsString()) return value.As<Napi::String>().Utf8Value();
    if (!value.IsTypedArray() ||
        value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
        throw_argument(value.Env(), std::string(name) + " must be a string or a Uint8Array");
    }
    const auto bytes = value.As<Napi::Uint8Array>();
    return {reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength()};
}

Seq seq_of(const Napi::Value& value) {
    return {whole_number(value, "a seq")};
}

Seq entry_of(const Napi::Value& value) {
    const auto number = whole_number(value);
    if (number.value_or(0) == 0) throw_argument(value.Env(), "a seq is a whole number from 1 on");
    return {*number};
}

std::vector<Seq> seqs_of(const Napi::Value& array) {
    if (!array.IsArray()) throw_argument(array.Env(), "seqs must be an array");
    const auto list = array.As<Napi::Array>();
    std::vector<Seq> seqs;
    seqs.reserve(list.Length());
    for (std::uint32_t i = 0; i < list.Length(); ++i) {
        const Napi::HandleScope scope(array.Env());
        seqs.push_back(entry_of(list.Get(i)));
    }
    return seqs;
}

std::vector<std::string> strings_of(const Napi::Value& array) {
    if (!array.IsArray()) throw_argument(array.Env(), "an array of strings is needed");
    const auto list = array.As<Napi::Array>();
    std::vector<std::string> strings;
    for (std::uint32_t i = 0; i < list.Length(); ++i) {
        const Napi::HandleScope scope(array.Env());
        strings.push_back(bytes_of(list.Get(i)));
    }
    return strings;
}

Key key_of(const Napi::Value& json) {
    return value_or_throw(json.Env(), Key::from_json(bytes_of(json)));
}

Members::Members(const Napi::Value& object) : env_(object.Env()), is_there_(!object.IsUndefined()) {
    if (!is_there_) return;
    if (!object.IsObject()) throw_argument(env_, "options must be an object");
    object_ = object.As<Napi::Object>();
}

Napi::Value Members::get(const char* name) const {
    return is_there_ ? object_.Get(name) : env_.Undefined();
}

bool Members::has(const Napi::Value& value) const {
    return !value.IsUndefined();
}

void Members::read(const char* name, bool& to) const {
    const auto value = get(name);
    if (has(value)) to = value.ToBoolean();
}
void Members::read(const char* name, std::uint64_t& to) const {
    const auto value = get(name);
    if (has(value)) to = whole_number(value, name);
}
void Members::read(const char* name, std::uint32_t& to) const {
    std::uint64_t number = to;
    read(name, number);
    if (number > std::numeric_limits<std::uint32_t>::max()) {
        throw_argument(env_, std::string(name) + " is too large");
    }
    to = static_cast<std::uint32_t>(number);
}
void Members::read(const char* name, std::string& to) const {
    const auto value = get(name);
    if (!has(value)) return;
    if (!value.IsString()) throw_argument(env_, std::string(name) + " must be a string");
    to = value.As<Napi::String>().Utf8Value();
}
void Members::read(const char* name, Seq& to) const {
    read(name, to.value);
}
void Members::read(const char* name, std::chrono::milliseconds& to) const {
    std::uint64_t milliseconds = static_cast<std::uint64_t>(to.count());
    read(name, milliseconds);
    to = std::chrono::milliseconds(milliseconds);
}
void Members::read(const char* name, std::optional<Key>& to) const {
    const auto value = get(name);
    if (has(value)) to = key_of(value);
}

Selector selector_of(const Napi::Value& value) {
    const Members members(value);
    if (const auto seqs = members.get("seqs"); !seqs.IsUndefined()) return seqs_of(seqs);
    if (const auto keys = members.get("keys"); !keys.IsUndefined()) {
        return SelectKeys{strings_of(keys)};
    }
    if (const auto where = members.get("where"); !where.IsUndefined()) {
        return SelectWhere{bytes_of(where)};
    }
    SelectView selected;
    members.read("view", selected.view);
    std::optional<Key> prefix;
    members.read("prefix", prefix);
    if (prefix) selected.prefix = *std::move(prefix);
    return selected;
}

ReadOptions read_options_of(const Napi::Value& value) {
    const Members members(value);
    ReadOptions options;
    members.read("exact", options.exact);
    members.read("prefix", options.prefix);
    members.read("from", options.from);
    members.read("to", options.to);
    members.read("reverse", options.reverse);
    members.read("limit", options.limit);
    return options;
}

ProgressFunction progress_of(const Napi::Value& call) {
    if (!call.IsNumber()) return {};
    const double number = call.As<Napi::Number>().DoubleValue();
    return [&addon = Addon::of(call.Env()), number](const Progress& progress) {
        addon.js.post([&addon, number, what = std::string(progress.what), done = progress.done,
                       total = progress.total](Napi::Env env) {
            addon.hooks.on_progress.Call({Napi::Number::New(env, number), to_js(env, what),
                                          to_js(env, done), to_js(env, total)});
        });
    };
}

ChangeOptions change_options_of(const Napi::Value& value) {
    const Members members(value);
    ChangeOptions options;
    members.read("reason", options.reason);
    members.read("actor", options.actor);
    members.read("endSnapshots", options.end_snapshots);
    options.progress = progress_of(members.get("call"));
    return options;
}

Napi::Value to_js(Napi::Env env, std::uint64_t number) {
    return Napi::Number::New(env, static_cast<double>(number));
}
Napi::Value to_js(Napi::Env env, std::uint32_t number) {
    return Napi::Number::New(env, number);
}
Napi::Value to_js(Napi::Env env, double number) {
    return Napi::Number::New(env, number);
}
Napi::Value to_js(Napi::Env env, bool value) {
    return Napi::Boolean::New(env, value);
}
Napi::Value to_js(Napi::Env env, Seq seq) {
    return to_js(env, seq.value);
}
Napi::Value to_js(Napi::Env env, std::string_view text) {
    return Napi::String::New(env, text.data(), text.size());
}

Napi::Value to_js(Napi::Env env, const Receipt& receipt) {
    return JsObject(env)
        .set("erasure", receipt.erasure)
        .set("seqs", receipt.seqs)
        .set("finished", receipt.finished())
        .set("time", receipt.time_ms)
        .set("reason", receipt.reason)
        .set("actor", receipt.actor)
        .set("assurance", receipt.assurance)
        .set("entriesWiped", receipt.entries_wiped)
        .set("segmentsRewritten", receipt.segments_rewritten)
        .set("bytesDestroyed", receipt.bytes_destroyed)
        .value();
}

Napi::Value to_js(Napi::Env env, const Changed& changed) {
    JsObject object(env);
    object.set("at", changed.at).set("seqs", changed.seqs);
    if (changed.receipt) object.set("receipt", *changed.receipt);
    return object.value();
}

Napi::Value buffer_of(Napi::Env env, std::string bytes) {
    auto owned = std::make_unique<std::string>(std::move(bytes));
    std::string* const held = owned.release(); // By the buffer from here on.
    return Napi::Buffer<char>::NewOrCopy(env, held->data(), held->size(),
                                         [held](Napi::Env, char*) { delete held; });
}

} // namespace sluice::node
