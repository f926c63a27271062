#include "node/open_database.hpp"

namespace sluice::node {

OpenDatabase::OpenDatabase(Napi::Env env, double id, std::unique_ptr<Database> database,
                           const Options& options)
    : addon_(Addon::of(env)), id_(id), database_(std::move(database)) {
    const bool syncs = options.durability == Durability::every_commit && !options.read_only;
    worker_ = std::make_unique<Worker>(addon_.js, [this, syncs]() -> Result<void> {
        return syncs ? database_->flush() : Result<void>();
    });
}

void OpenDatabase::watch() {
    if (watcher_.joinable() || is_closed_) return;
    watcher_ = std::thread([this] { look_for_entries(); });
}

void OpenDatabase::look_for_entries() {
    // As long as closing may have to wait for it.
    constexpr std::chrono::milliseconds kPatience{20};
    Seq seen = database_->last();
    while (!is_ending_) {
        const Seq last = database_->wait_for_entry(seen, kPatience);
        if (last == seen || is_ending_) continue;
        seen = last;
        if (!is_told_.exchange(false)) continue; // What is on its way tells of this one too.
        addon_.js.post([this, &addon = addon_, id = id_](Napi::Env env) {
            // The watcher was joined before the database went, but not what it had posted.
            const auto open = addon.databases.find(id);
            if (open == addon.databases.end() || is_closed_) return;
            is_told_ = true;
            addon.hooks.on_entry.Call(
                {Napi::Number::New(env, id),
                 Napi::Number::New(env, static_cast<double>(database_->last().value))});
        });
    }
}

void OpenDatabase::let_go() {
    is_ending_ = true;
    if (watcher_.joinable()) watcher_.join();
    const std::unique_lock lock(life_);
    {
        const std::lock_guard parts_lock(parts_mutex_);
        for (Part* const part : parts_) part->drop();
    }
    database_.reset();
}

void OpenDatabase::close(Worker::Answer closed) {
    is_closed_ = true;
    worker_->add({[this, closed = std::move(closed)] {
        let_go();
        return closed;
    }});
}

void OpenDatabase::close_now() {
    is_closed_ = true;
    worker_.reset();
    if (database_) let_go();
    addon_.databases.erase(id_);
}

Database* OpenDatabase::use(std::shared_lock<std::shared_mutex>& lock) {
    lock = std::shared_lock(life_);
    return database_.get();
}

void OpenDatabase::add(Part& part) {
    const std::lock_guard lock(parts_mutex_);
    parts_.insert(&part);
}

void OpenDatabase::remove(Part& part) {
    const std::lock_guard lock(parts_mutex_);
    parts_.erase(&part);
}

} // namespace sluice::node
