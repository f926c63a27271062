#include "node/js_thread.hpp"

#include <condition_variable>
#include <mutex>

namespace sluice::node {

struct JsThread::State {
    std::mutex mutex;
    std::condition_variable changed;
    bool is_closed = false;
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

bool JsThread::ask(const Code& code) const {
    const auto is_answered = std::make_shared<bool>(false);
    // What `code` refers to is there as long as somebody waits; closing ends the waiting, and both
    // happen on the thread of JavaScript, so never while `code` runs.
    post([state = state_, is_answered, &code](Napi::Env env) {
        {
            const std::lock_guard lock(state->mutex);
            if (state->is_closed) return;
        }
        code(env);
        const std::lock_guard lock(state->mutex);
        *is_answered = true;
        state->changed.notify_all();
    });
    std::unique_lock lock(state_->mutex);
    state_->changed.wait(lock, [&] { return *is_answered || state_->is_closed; });
    return *is_answered;
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
