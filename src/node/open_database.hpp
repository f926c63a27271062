// A database that JavaScript has open, and whoever reads it.
#pragma once
#include "node/addon.hpp"
#include "node/worker.hpp"

#include <sluice/database.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <thread>

namespace sluice::node {

/// Something read from a database, which must not outlive it: a cursor, a feed.
class Part {
public:
    virtual ~Part() = default;
    /// The database is being closed. Called while nobody uses the part.
    virtual void drop() = 0;
};

/// Three kinds of threads use it: that of JavaScript, for looks into memory; the worker, for what
/// changes it; those of libuv's pool, for what walks. The last hold `life` shared meanwhile, and
/// closing holds it alone.
///
/// Addon::databases holds it until it is closed: a handle that JavaScript forgets is no wish to
/// close.
class OpenDatabase {
public:
    /// On the thread of JavaScript, as are all functions but those that say otherwise.
    OpenDatabase(Napi::Env env, double id, std::unique_ptr<Database> database,
                 const Options& options);

    Addon& addon() { return addon_; }
    double id() const { return id_; } ///< By which lib/native.js knows it.
    bool is_closed() const { return is_closed_; }
    /// While it is not closed.
    Database& database() { return *database_; }
    Worker& worker() { return *worker_; }

    /// Has Hooks::on_entry called whenever there are new entries.
    void watch();
    /// No call is taken any more; what was taken is finished, and then the files are let go, on the
    /// worker. `closed` is called in the end.
    void close(Worker::Answer closed);
    /// The same at once, for when JavaScript is ending.
    void close_now();

    /// For whoever walks on another thread: the database while the lock is held, or null pointer
    /// when it was closed.
    Database* use(std::shared_lock<std::shared_mutex>& lock);
    void add(Part& part);
    void remove(Part& part);

private:
    void let_go();
    void look_for_entries();

    Addon& addon_;
    double id_;
    bool is_closed_ = false;
    std::unique_ptr<Database> database_;
    std::shared_mutex life_;
    std::mutex parts_mutex_;
    std::set<Part*> parts_;
    std::atomic<bool> is_ending_ = false;
    std::atomic<bool> is_told_ = true; ///< JavaScript has heard of the last entry.
    std::thread watcher_;
    std::unique_ptr<Worker> worker_;
};

} // namespace sluice::node
