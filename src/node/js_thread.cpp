#include "node/js_thread.hpp"

#include <condition_variable>
#include <mutex>

namespace sluice::node {

struct JsThread::State {
    std::mutex mutex;
    std::condition_variable changed;
    bool is_closed = false;
};

struct JsThread::Asked {
    bool is_over = false;
    std::optional<std::string> given;
};

JsThread::JsThread(Napi::Env env) : env_(env), state_(std::make_shared<State>()) {
    const auto nothing = Napi::Function::New(env, [](const Napi::CallbackInfo&) {});
    queue_ = Napi::ThreadSafeFunction::New(env, nothing, "sluice", /*maxQueueSize=*/0,
                                           /*initialThreadCount=*/1);
    queue_.Unref(env);
}

void JsThread::release() {
    queue_.Release();
}

void JsThread::post(Code code) const {
    auto held = std::make_unique<Code>(std::move(code));
    const auto run = [](Napi::Env env, Napi::Function, Code* posted) {
        const std::unique_ptr<Code> owned(posted);
        if (env == nullptr) return; // JavaScript has ended.
        const Napi::HandleScope scope(env);
        (*owned)(env);
    };
    const std::lock_guard lock(state_->mutex);
    if (state_->is_closed) return;
    if (queue_.NonBlockingCall(held.get(), run) == napi_ok) static_cast<void>(held.release());
}

JsThread::Answer JsThread::ask(std::function<std::string(Napi::Env)> code) const {
    const auto asked = std::make_shared<Asked>();
    post([state = state_, asked, code = std::move(code)](Napi::Env env) {
        std::optional<std::string> given;
        try {
            given = code(env);
        } catch (const Napi::Error&) {
            // Of memory, say: what functions throw is caught by lib/map.js.
        }
        const std::lock_guard lock(state->mutex);
        asked->given = std::move(given);
        asked->is_over = true;
        state->changed.notify_all();
    });
    return Answer(state_, asked);
}

std::optional<std::string> JsThread::Answer::get() {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait(lock, [this] { return asked_->is_over || state_->is_closed; });
    return std::move(asked_->given);
}

void JsThread::begin_work() {
    if (works_++ == 0) queue_.Ref(env_);
}

void JsThread::end_work() {
    if (--works_ == 0) queue_.Unref(env_);
}

void JsThread::close() {
    const std::lock_guard lock(state_->mutex);
    state_->is_closed = true;
    state_->changed.notify_all();
}

} // namespace sluice::node
