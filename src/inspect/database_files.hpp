// The directories of a database that is not open, for check() and repair().
#pragma once
#include "io/file.hpp"
#include "log/log.hpp"

#include <sluice/check.hpp>

namespace sluice {

struct DatabaseFiles {
    Directory* root; ///< Must outlive this.
    std::unique_ptr<Directory> log;
    std::unique_ptr<Directory> views; ///< Null: there is none.
};

/// check(), by whoever has the lock.
Result<std::vector<Finding>> check_files(DatabaseFiles& files, const ProgressFunction& progress);
/// repair(), in directories that are open already; `keep` is empty.
Result<Repaired> repair_files(Directory& root, Directory& keep, const Options& options,
                              const ProgressFunction& progress);

} // namespace sluice
