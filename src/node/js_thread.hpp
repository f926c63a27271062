// The way from other threads to the thread of JavaScript.
#pragma once
#include <napi.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

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

    /// What somebody waits for.
    class Answer;

    explicit JsThread(Napi::Env env);

    /// Runs `code` there, some time. When JavaScript ends before that, never.
    void post(Code code) const;
    /// Runs `code` there, some time, and answers with what it will have given.
    Answer ask(std::function<std::string(Napi::Env)> code) const;

    void begin_work();
    void end_work();
    /// JavaScript is ending: from here on nothing is run, and whoever waits for an answer goes on.
    void close();
    /// Behind close(), when no other thread is left that could post.
    void release();

private:
    struct State;
    struct Asked;
    Napi::Env env_;
    std::shared_ptr<State> state_;
    Napi::ThreadSafeFunction queue_;
    std::size_t works_ = 0;
};

class JsThread::Answer {
public:
    /// Waits for it. Nothing when JavaScript has ended, or ends meanwhile, or the code threw.
    std::optional<std::string> get();

private:
    friend class JsThread;
    explicit Answer(std::shared_ptr<State> state, std::shared_ptr<Asked> asked)
        : state_(std::move(state)), asked_(std::move(asked)) {}
    std::shared_ptr<State> state_;
    std::shared_ptr<Asked> asked_;
};

} // namespace sluice::node
