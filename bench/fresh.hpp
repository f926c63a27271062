// A database in a directory of its own, made anew for each measurement.
#pragma once
#include "bench/measure.hpp"

#include <sluice/database.hpp>

#include <filesystem>
#include <memory>
#include <string>

namespace sluice::bench {

/// The directory is gone when this is.
class Fresh {
public:
    explicit Fresh(const std::string& name, const Options& options = {}) : path_(scratch() + name) {
        std::filesystem::remove_all(path_);
        Database::create(path_).value();
        database_ = Database::open(path_, options).value();
    }
    ~Fresh() {
        database_.reset();
        std::filesystem::remove_all(path_);
    }
    Fresh(const Fresh&) = delete;
    Fresh& operator=(const Fresh&) = delete;
    Database& operator*() { return *database_; }
    Database* operator->() { return database_.get(); }
    void close() { database_.reset(); }
    void open(const Options& options = {}) { database_ = Database::open(path_, options).value(); }
    const std::string& path() const { return path_; }

private:
    std::string path_;
    std::unique_ptr<Database> database_;
};

/// Rows of a view, by walking it.
inline std::uint64_t count(Database& database, const std::string& view,
                           const ReadOptions& options = {}) {
    const Snapshot snapshot = database.snapshot();
    ViewCursor cursor = snapshot.read(view, options).value();
    std::uint64_t rows = 0;
    while (cursor.next()) ++rows;
    return rows;
}

} // namespace sluice::bench
