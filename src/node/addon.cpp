// The addon itself. node/sluice-db/lib has the classes that people use; here are plain functions,
// whose first argument is the handle of a database or of something read from one.
#include "node/addon.hpp"

#include "node/open_database.hpp"

namespace sluice::node {

Napi::Value to_js(Napi::Env env, const Error& error) {
    return Addon::of(env).hooks.make_error.Call(
        {Napi::String::New(env, error.context),
         Napi::String::New(env, std::string(name_of(error.code))),
         Napi::Number::New(env, error.os_errno)});
}

void throw_js(Napi::Env env, const Error& error) {
    throw Napi::Error(env, to_js(env, error));
}

namespace {

void set_hooks(const Napi::CallbackInfo& info) {
    const auto hook = [&](std::size_t index) {
        return Napi::Persistent(info[index].As<Napi::Function>());
    };
    Addon::of(info.Env()).hooks = {hook(0), hook(1), hook(2), hook(3)};
}

/// JavaScript is ending: nobody can be asked any more, and what is open is closed.
void end(Addon* addon) {
    addon->js.close();
    for (const auto& [id, open] : std::exchange(addon->databases, {})) open->close_now();
    addon->js.release();
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
    auto* const addon = new Addon(env);
    env.SetInstanceData(addon); // Which deletes it in the end.
    env.AddCleanupHook(end, addon);
    exports.Set("setHooks", Napi::Function::New(env, set_hooks));
    for (const auto add :
         {add_open_calls, add_log_calls, add_change_calls, add_fact_calls, add_scuttlebutt_calls,
          add_view_calls, add_ask_calls, add_follow_calls, add_maintenance_calls}) {
        add(env, exports);
    }
    return exports;
}

} // namespace

NODE_API_MODULE(sluice, init)

} // namespace sluice::node
