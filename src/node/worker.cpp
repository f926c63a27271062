#include "node/worker.hpp"

namespace sluice::node {

Worker::Worker(JsThread& js, std::function<Result<void>()> sync)
    : js_(js), sync_(std::move(sync)), thread_([this] { run(); }) {}

Worker::~Worker() {
    {
        const std::lock_guard lock(mutex_);
        is_ending_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void Worker::add(Job job) {
    js_.begin_work();
    {
        const std::lock_guard lock(mutex_);
        jobs_.push_back(std::move(job));
    }
    changed_.notify_one();
}

std::deque<Worker::Job> Worker::take_all() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_ending_ || !jobs_.empty(); });
    return std::exchange(jobs_, {});
}

void Worker::run() {
    std::deque<Answer> unsynced; // Of jobs that wait for one sync.
    const auto answer = [this](std::deque<Answer> answers, const Result<void>& durable) {
        if (answers.empty()) return;
        js_.post([&js = js_, answers = std::move(answers), durable](Napi::Env env) {
            for (const Answer& each : answers) {
                each(env, durable);
                js.end_work();
            }
        });
    };
    const auto sync = [&] {
        if (!unsynced.empty()) answer(std::exchange(unsynced, {}), sync_());
    };
    for (auto jobs = take_all(); !jobs.empty(); jobs = take_all()) {
        for (Job& job : jobs) {
            if (!job.wants_sync) sync(); // Answers come in the order of the jobs.
            Answer done = job.work();
            if (job.wants_sync) {
                unsynced.push_back(std::move(done));
            } else {
                answer({std::move(done)}, {});
            }
        }
        sync();
    }
}

} // namespace sluice::node
