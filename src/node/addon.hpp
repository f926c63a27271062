// What the addon keeps for each JavaScript environment that has loaded it.
#pragma once
#include "node/js_thread.hpp"

#include <sluice/result.hpp>

#include <map>
#include <memory>

namespace sluice::node {

class OpenDatabase;

/// The functions that lib/native.js hands over once, so that none has to be kept for each call.
struct Hooks {
    Napi::FunctionReference make_error;  ///< (message, code, errno) -> SluiceError
    Napi::FunctionReference on_progress; ///< (call, what, done, total)
    Napi::FunctionReference on_entry;    ///< (database, last)
    Napi::FunctionReference map_batch;   ///< (view, batch) -> the rows as JSON
};

struct Addon {
    explicit Addon(Napi::Env env) : js(env) {}
    static Addon& of(Napi::Env env) { return *env.GetInstanceData<Addon>(); }

    JsThread js;
    Hooks hooks;
    std::map<double, std::shared_ptr<OpenDatabase>> databases; ///< That are open, by their ids.
};

/// What a promise is rejected with.
Napi::Value to_js(Napi::Env env, const Error& error);
/// Throws it in JavaScript.
[[noreturn]] void throw_js(Napi::Env env, const Error& error);
/// The value, or its error thrown.
template <typename T> T value_or_throw(Napi::Env env, Result<T> result) {
    if (!result) throw_js(env, result.error());
    return *std::move(result);
}

// One for each file of calls: adds them to what the addon exports.
void add_open_calls(Napi::Env env, Napi::Object& exports);
void add_log_calls(Napi::Env env, Napi::Object& exports);
void add_change_calls(Napi::Env env, Napi::Object& exports);
void add_fact_calls(Napi::Env env, Napi::Object& exports);
void add_scuttlebutt_calls(Napi::Env env, Napi::Object& exports);
void add_view_calls(Napi::Env env, Napi::Object& exports);
void add_ask_calls(Napi::Env env, Napi::Object& exports);
void add_follow_calls(Napi::Env env, Napi::Object& exports);
void add_maintenance_calls(Napi::Env env, Napi::Object& exports);

} // namespace sluice::node
