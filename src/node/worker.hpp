// The thread on which what changes a database is done, one thing after another.
#pragma once
#include "node/js_thread.hpp"

#include <sluice/result.hpp>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace sluice::node {

/// Does jobs in the order in which they came, and then runs what they answer on the thread of
/// JavaScript.
class Worker {
public:
    /// Told whether what the job did is durable; an error only for jobs that asked.
    using Answer = std::function<void(Napi::Env, const Result<void>& durable)>;
    struct Job {
        std::function<Answer()> work;
        bool wants_sync = false; ///< Jobs that want one and wait together share one.
    };

    /// `sync` makes durable what was done so far.
    Worker(JsThread& js, std::function<Result<void>()> sync);
    /// Does what is left first.
    ~Worker();

    /// From the thread of JavaScript.
    void add(Job job);

private:
    void run();
    std::deque<Job> take_all();

    JsThread& js_;
    std::function<Result<void>()> sync_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Job> jobs_;
    bool is_ending_ = false;
    std::thread thread_;
};

} // namespace sluice::node
