// repair(): first what keeps the database from opening, then opening it, then its entries, and at
// last its indexes, which until then say what was durable.
#include "base/try.hpp"
#include "inspect/database_files.hpp"

#include <algorithm>

namespace sluice {
namespace {

using Remedy = Finding::Remedy;

constexpr std::uint64_t kPieceBytes = 1024 * 1024;

/// Durable when it returns.
Result<void> copy_bytes(const File& from, std::uint64_t begin, std::uint64_t end, Directory& keep,
                        const std::string& name) {
    SLUICE_TRY_ASSIGN(const auto to, keep.open(name, Create::must));
    std::string piece;
    for (std::uint64_t at = begin; at < end; at += piece.size()) {
        piece.resize(std::min(kPieceBytes, end - at));
        SLUICE_TRY(from.read_at(at, piece.data(), piece.size()));
        SLUICE_TRY(to->write_at(at - begin, piece));
    }
    SLUICE_TRY(to->sync());
    return keep.sync();
}

std::string kept_name(const std::string& file) {
    std::string name = file;
    std::replace(name.begin(), name.end(), '/', '-');
    return name;
}

class Repair {
public:
    Repair(DatabaseFiles& files, Directory& keep) : files_(files), keep_(keep) {}

    Result<void> set_aside(const std::string& path) {
        const auto slash = path.find('/');
        Directory& directory = path.starts_with("log/") ? *files_.log : *files_.views;
        const std::string name = path.substr(slash + 1);
        {
            SLUICE_TRY_ASSIGN(const auto file, directory.open(name, Create::never));
            SLUICE_TRY(copy_bytes(*file, 0, file->size_bytes(), keep_, kept_name(path)));
        }
        SLUICE_TRY(destroy_file(directory, name));
        return directory.sync();
    }

    Result<void> make_identity() {
        SLUICE_TRY_ASSIGN(const auto names, files_.log->list());
        if (std::find(names.begin(), names.end(), "identity") != names.end()) {
            SLUICE_TRY(set_aside("log/identity"));
        }
        // The register of keys among the views is hashed with the secret that is lost.
        SLUICE_TRY(destroy_views());
        return Log::restore_identity(*files_.log);
    }

    Result<void> destroy_views() {
        SLUICE_TRY_ASSIGN(const auto names, files_.views->list());
        for (const std::string& name : names) SLUICE_TRY(destroy_file(*files_.views, name));
        return files_.views->sync();
    }

    /// So that damaged bytes are not gone when their entry is.
    Result<void> keep_entry(const Finding& damaged) {
        SLUICE_TRY_ASSIGN(const auto file, files_.log->open(damaged.file.substr(4), Create::never));
        return copy_bytes(*file, damaged.begin, damaged.end, keep_,
                          kept_name(damaged.file) + "-" + std::to_string(damaged.begin) + "-" +
                              std::to_string(damaged.end));
    }

private:
    DatabaseFiles& files_;
    Directory& keep_;
};

bool is_index(const Finding& finding) {
    return finding.file.ends_with(".idx");
}

} // namespace

Result<Repaired> repair_files(Directory& root, Directory& keep, const Options& options,
                              const ProgressFunction& progress) {
    Repaired repaired;
    DatabaseFiles files{&root, nullptr, nullptr};
    SLUICE_TRY_ASSIGN(files.log, root.subdirectory("log", Create::never));
    SLUICE_TRY_ASSIGN(files.views, root.subdirectory("views", Create::if_missing));
    Repair repair(files, keep);
    {
        SLUICE_TRY_ASSIGN(const auto lock, files.log->lock(Log::kLockName));
        SLUICE_TRY_ASSIGN(repaired.found, check_files(files, progress));
        std::vector<Finding> now = repaired.found;
        for (bool is_moved = true; is_moved;) {
            is_moved = false;
            for (const Finding& each : now) {
                if (each.remedy == Remedy::new_identity) {
                    SLUICE_TRY(repair.make_identity());
                } else if (each.remedy == Remedy::set_aside && !is_index(each)) {
                    SLUICE_TRY(repair.set_aside(each.file));
                } else {
                    continue;
                }
                is_moved = true;
            }
            // What stood in the way may have hidden more.
            if (!is_moved) break;
            SLUICE_TRY_ASSIGN(now, check_files(files, progress));
        }
        bool may_be_changes = false;
        for (const Finding& each : now) {
            if (each.remedy == Remedy::erase) SLUICE_TRY(repair.keep_entry(each));
            may_be_changes = may_be_changes || each.may_be_changes;
        }
        // The views may be of what a change said, a deletion for example, that is lost now.
        if (may_be_changes) SLUICE_TRY(repair.destroy_views());
    }
    {
        SLUICE_TRY_ASSIGN(const auto database, Database::open(root, options, progress));
        ChangeOptions why;
        why.reason = "damaged";
        why.actor = "repair";
        why.progress = progress;
        SLUICE_TRY(database->scrub(why));
    }
    SLUICE_TRY_ASSIGN(const auto lock, files.log->lock(Log::kLockName));
    SLUICE_TRY_ASSIGN(repaired.left, check_files(files, progress));
    if (std::none_of(repaired.left.begin(), repaired.left.end(), is_index)) return repaired;
    for (const Finding& each : repaired.left) {
        if (is_index(each)) SLUICE_TRY(repair.set_aside(each.file));
    }
    SLUICE_TRY_ASSIGN(repaired.left, check_files(files, progress));
    return repaired;
}

Result<Repaired> repair(const std::string& path, const std::string& keep_path,
                        const Options& options, const ProgressFunction& progress) {
    SLUICE_TRY_ASSIGN(const auto found, check(path, progress));
    if (found.empty()) return Repaired();
    SLUICE_TRY_ASSIGN(const auto keep, open_directory(keep_path, Create::if_missing));
    SLUICE_TRY_ASSIGN(const auto names, keep->list());
    if (!names.empty()) return Error{Errc::exists, keep_path + " is not empty"};
    SLUICE_TRY_ASSIGN(const auto root, open_directory(path, Create::never));
    return repair_files(*root, *keep, options, progress);
}

} // namespace sluice
