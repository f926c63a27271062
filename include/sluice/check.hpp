// Looking into the files of a database that nobody has open, and repairing what is damaged there.
#pragma once
#include <sluice/database.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

/// Something that is not as it should be.
struct Finding {
    /// What puts it right.
    enum class Remedy : std::uint8_t {
        opening,      ///< Opening the database, by anybody.
        set_aside,    ///< repair(): takes the file out of the database.
        new_identity, ///< repair(): makes the identity again, and the views.
        erase,        ///< repair(): erases the damaged entries.
        give_up,      ///< repair(): deletes the entries that are lost.
        wipe,         ///< repair(): wipes the erased entries again.
        none,         ///< Nothing does, but a copy of the file.
    };
    std::string file; ///< Below the database's directory, as "log/catalog".
    /// Bytes of the file, [begin, end). Both 0: the file as a whole.
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    /// The entries that are concerned. Both 0: none, or nobody knows which.
    Seq first;
    Seq last;
    /// The entries may have said something about others: repair() derives all views anew.
    bool may_be_changes = false;
    std::string what; ///< For people.
    Remedy remedy = Remedy::none;
};
/// "opening", "set_aside" and so on.
std::string_view name_of(Finding::Remedy remedy);
/// What the remedy does, for people.
std::string describe(Finding::Remedy remedy);

/// Reads every file and changes none. Whether the views are what the log says is another question:
/// Database::verify(). With an identity or a segment missing that opening needs, the entries are
/// not read: repair first. Errors: not_found (no database); busy (somebody has it open);
/// unsupported_version; io.
Result<std::vector<Finding>> check(const std::string& path, const ProgressFunction& progress = {});

struct Repaired {
    std::vector<Finding> found; ///< Before.
    std::vector<Finding> left;  ///< Afterwards.
};
/// Puts right what check() finds. What it takes out of the database, files and bytes of damaged
/// entries, is kept in the directory `keep`, which it makes, or which is empty. An erasure does not
/// reach what is kept there. Errors: as check(); exists (`keep` is not empty); as Database::open()
/// and scrub().
Result<Repaired> repair(const std::string& path, const std::string& keep, const Options& options,
                        const ProgressFunction& progress = {});

} // namespace sluice
