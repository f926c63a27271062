// Between values of JavaScript and those of the library.
//
// Keys and definitions pass as JSON text, which lib/keys.js and JSON.parse make and read;
// everything here throws in JavaScript what is wrong with a value.
#pragma once
#include <napi.h>

#include <sluice/database.hpp>

#include <string>
#include <vector>

namespace sluice::node {

// From JavaScript.

/// Of a string its UTF-8, of a Uint8Array a copy. `name` is what people call the argument.
std::string bytes_of(const Napi::Value& value, const char* name = "bytes");
/// Also 0, which is no entry's: where a range begins, or a count.
Seq seq_of(const Napi::Value& value);
/// Names an entry.
Seq entry_of(const Napi::Value& value);
/// Name entries.
std::vector<Seq> seqs_of(const Napi::Value& array);
std::vector<std::string> strings_of(const Napi::Value& array);
Key key_of(const Napi::Value& json);

/// Reads members of an options object. What is missing or undefined leaves the default.
class Members {
public:
    explicit Members(const Napi::Value& object);
    /// Undefined where there is none.
    Napi::Value get(const char* name) const;
    void read(const char* name, bool& to) const;
    void read(const char* name, std::uint32_t& to) const;
    void read(const char* name, std::uint64_t& to) const;
    void read(const char* name, std::string& to) const;
    void read(const char* name, Seq& to) const;
    void read(const char* name, std::chrono::milliseconds& to) const;
    void read(const char* name, std::optional<Key>& to) const;

private:
    bool has(const Napi::Value& value) const;
    Napi::Env env_;
    Napi::Object object_;
    bool is_there_;
};

/// {seqs} | {keys} | {view, prefix} | {where}
Selector selector_of(const Napi::Value& value);
/// {from, to, prefix, exact, reverse, limit}
ReadOptions read_options_of(const Napi::Value& value);
/// Tells the call of this number, if it has one: Hooks::on_progress.
ProgressFunction progress_of(const Napi::Value& call);
/// {reason, actor, endSnapshots, call}
ChangeOptions change_options_of(const Napi::Value& value);

// To JavaScript.

Napi::Value to_js(Napi::Env env, Seq seq);
Napi::Value to_js(Napi::Env env, std::uint64_t number);
Napi::Value to_js(Napi::Env env, std::uint32_t number);
Napi::Value to_js(Napi::Env env, double number);
Napi::Value to_js(Napi::Env env, bool value);
Napi::Value to_js(Napi::Env env, std::string_view text);
inline Napi::Value to_js(Napi::Env env, const std::string& text) {
    return to_js(env, std::string_view(text));
}
inline Napi::Value to_js(Napi::Env env, const char* text) {
    return to_js(env, std::string_view(text));
}
Napi::Value to_js(Napi::Env env, const Receipt& receipt);
Napi::Value to_js(Napi::Env env, const Changed& changed);
/// An array of what `make` (Napi::Value(Napi::Env, const T&)) makes of each.
template <typename T, typename Make>
Napi::Value list_to_js(Napi::Env env, const std::vector<T>& list, const Make& make) {
    auto array = Napi::Array::New(env, list.size());
    for (std::uint32_t i = 0; i < list.size(); ++i) array.Set(i, make(env, list[i]));
    return array;
}
template <typename T> Napi::Value to_js(Napi::Env env, const std::vector<T>& values) {
    return list_to_js(env, values, [](Napi::Env to, const T& value) { return to_js(to, value); });
}
/// A Buffer that takes over the bytes.
Napi::Value buffer_of(Napi::Env env, std::string bytes);

/// An object that is being made.
class JsObject {
public:
    explicit JsObject(Napi::Env env) : env_(env), object_(Napi::Object::New(env)) {}
    JsObject& set(const char* name, Napi::Value value) {
        object_.Set(name, value);
        return *this;
    }
    template <typename T> JsObject& set(const char* name, const T& value) {
        if constexpr (std::is_base_of_v<Napi::Value, T>) {
            object_.Set(name, value);
            return *this;
        } else {
            return set(name, to_js(env_, value));
        }
    }
    Napi::Value value() const { return object_; }

private:
    Napi::Env env_;
    Napi::Object object_;
};

} // namespace sluice::node
