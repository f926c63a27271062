// How the functions of the addon get at their database, and answer later.
#pragma once
#include "node/open_database.hpp"
#include "node/values.hpp"

#include <memory>
#include <utility>

namespace sluice::node {

using Handle = Napi::External<std::shared_ptr<OpenDatabase>>;

/// lib/errors.js makes code 'closed' of it.
inline Error closed() {
    return {Errc::ended, "the database is closed"};
}

/// The first argument. Throws in JavaScript when it is closed.
inline std::shared_ptr<OpenDatabase> database_of(const Napi::CallbackInfo& info) {
    const auto& open = *info[0].As<Handle>().Data();
    if (open->is_closed()) throw_js(info.Env(), closed());
    return open;
}

/// Settles a promise, whatever happens.
template <typename T, typename ToJs>
void settle(Napi::Env env, const Napi::Promise::Deferred& promise, Result<T>& result,
            const ToJs& answer) {
    if (!result) return promise.Reject(to_js(env, result.error()));
    try {
        if constexpr (std::is_void_v<T>) {
            promise.Resolve(answer(env));
        } else {
            promise.Resolve(answer(env, *result));
        }
    } catch (const Napi::Error&) {
        // A text has at most about 512 MiB there.
        promise.Reject(to_js(
            env, Error{Errc::invalid_argument, "the answer is too long for a text of JavaScript"}));
    }
}

/// No exception leaves a thread of ours.
template <typename Call> auto or_error(const Call& call) -> decltype(call()) {
    try {
        return call();
    } catch (const std::exception& error) {
        return Error{Errc::io, error.what()};
    }
}

// What most calls are answered with.
inline constexpr auto nothing = [](Napi::Env env) { return env.Undefined(); };
inline constexpr auto itself = [](Napi::Env env, const auto& answer) { return to_js(env, answer); };

enum class Sync : std::uint8_t { by_the_call, shared };

/// Does `work` (Result<T>(Database&)) on the database's worker, and answers with the promise of
/// what `answer` (Napi::Value(Napi::Env, T&)) makes of it.
template <typename Work, typename ToJs>
Napi::Value work_later(const Napi::CallbackInfo& info, Work work, ToJs answer,
                       Sync sync = Sync::by_the_call) {
    using Answered = decltype(work(std::declval<Database&>()));
    const auto open = database_of(info);
    const auto promise = Napi::Promise::Deferred::New(info.Env());
    const auto run = [open, promise, work = std::move(work), answer = std::move(answer)] {
        auto result = std::make_shared<Answered>(or_error([&] { return work(open->database()); }));
        return [open, promise, answer, result](Napi::Env env, const Result<void>& durable) {
            if (*result && !durable) *result = durable.error();
            settle(env, promise, *result, answer);
        };
    };
    open->worker().add({run, sync == Sync::shared});
    return promise.Promise();
}

/// One call of read_later(). Deletes itself.
template <typename Work, typename ToJs> class PoolCall final : public Napi::AsyncWorker {
public:
    PoolCall(const Napi::CallbackInfo& info, Work work, ToJs answer)
        : AsyncWorker(info.Env()), open_(database_of(info)), work_(std::move(work)),
          answer_(std::move(answer)), promise_(Napi::Promise::Deferred::New(info.Env())) {}

    Napi::Value begin() {
        Queue();
        return promise_.Promise();
    }

private:
    using Answered = decltype(std::declval<Work>()(std::declval<Database&>()));

    void Execute() override {
        std::shared_lock<std::shared_mutex> lock;
        Database* const database = open_->use(lock);
        result_ = or_error([&] { return database ? work_(*database) : Answered(closed()); });
    }
    void OnOK() override { settle(Env(), promise_, *result_, answer_); }

    std::shared_ptr<OpenDatabase> open_;
    Work work_;
    ToJs answer_;
    Napi::Promise::Deferred promise_;
    std::optional<Answered> result_;
};

/// The same on one of libuv's threads, for what only reads: several at a time.
template <typename Work, typename ToJs>
Napi::Value read_later(const Napi::CallbackInfo& info, Work work, ToJs answer) {
    return (new PoolCall<Work, ToJs>(info, std::move(work), std::move(answer)))->begin();
}

/// A handle of something that is read, which lives until JavaScript has forgotten it and no call
/// uses it.
template <typename T> Napi::Value part_of(Napi::Env env, std::shared_ptr<T> part) {
    using Held = std::shared_ptr<T>;
    return Napi::External<Held>::New(env, new Held(std::move(part)),
                                     [](Napi::Env, Held* held) { delete held; });
}
template <typename T>
std::shared_ptr<T> part_at(const Napi::CallbackInfo& info, std::size_t index) {
    return *info[index].As<Napi::External<std::shared_ptr<T>>>().Data();
}

/// (part): lets go of what it holds, when its loop is left. Not while a call uses it.
template <typename T> void end_part(const Napi::CallbackInfo& info) {
    part_at<T>(info, 0)->drop();
}

} // namespace sluice::node
