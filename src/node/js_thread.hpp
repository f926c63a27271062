// The way from other threads to the thread of JavaScript.
#pragma once
#include <napi.h>

#include <functional>
#include <memory>

namespace sluice::node {

/// Runs code on the thread of one JavaScript environment, of which there is one for the program and
/// one for each of its worker threads. post() and ask() are for other threads, the rest for that
/// one.
///
/// While work is under way (begin_work() to end_work(), on the thread of JavaScript) the process
/// does not end for want of anything to do.
class JsThread {
public:
    using Code = std::function<void(Napi::Env)>;

    explicit JsThread(Napi::Env env);

    /// Runs `code` there, some time. When JavaScript ends before that, never.
    void post(Code code) const;
    /// Runs `code` there and waits for it. False when JavaScript has ended, or ends meanwhile.
    bool ask(const Code& code) const;

    void begin_work();
    void end_work();
    /// JavaScript is ending: from here on nothing is run, and whoever waits in ask() goes on.
    void close();
    /// Behind close(), when no other thread is left that could post.
    void release();

private:
    struct State;
    Napi::Env env_;
    std::shared_ptr<State> state_;
    Napi::ThreadSafeFunction queue_;
    std::size_t works_ = 0;
};

} // namespace sluice::node
