// The register of views, transforms and rules: which there are, whose, and what they mean.
#pragma once
#include "io/file.hpp"
#include "store/store.hpp"

#include <sluice/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// An application that works with a view.
struct CatalogUse {
    std::string app;
    std::uint64_t opened_ms = 0; ///< When it last registered the view; 0: before anybody noted it.
    friend bool operator==(const CatalogUse&, const CatalogUse&) = default;
};

struct CatalogEntry {
    ViewId id;
    std::string name;
    std::string app;                   ///< Whose code it is; empty for a declared view.
    std::uint32_t version = 0;         ///< Of a code view.
    std::string definition;            ///< Canonical JSON.
    std::uint64_t opened_ms = 0;       ///< When it was last registered or read, by whomever.
    std::vector<CatalogUse> uses = {}; ///< By app, each once. Of a code view never empty.
    friend bool operator==(const CatalogEntry&, const CatalogEntry&) = default;

    /// The app works with the view from now on, if it does not already.
    void note_use(std::string_view by, std::uint64_t now_ms);
    bool is_used_by(std::string_view by) const;
};

/// Kept beside the log and not beside the rows, because it is no derived thing: rows that are
/// thrown away come back from the log, but only if it is still known what they were.
/// docs/format/catalog.md. Not thread-safe.
class Catalog {
public:
    /// Views of applications have ids from here on; smaller ones are the engine's own.
    static constexpr std::uint32_t kFirstId = 16;

    /// `directory` must outlive the catalog. A missing file is an empty catalog.
    /// Errors: corrupt; unsupported_version; io.
    static Result<Catalog> open(Directory& directory);

    /// Whether a catalog has files of this name.
    static bool has_name(const std::string& name);

    const std::vector<CatalogEntry>& entries() const { return entries_; }
    const CatalogEntry* find(std::string_view name) const;
    /// Never gives the same id twice, also not after a crash.
    Result<ViewId> take_id();
    /// Adds the entry or puts it in the place of the one with its name; durable when it returns.
    Result<void> put(CatalogEntry entry) { return put(std::vector{std::move(entry)}); }
    /// All of them in one moment.
    Result<void> put(const std::vector<CatalogEntry>& added);
    Result<void> remove(std::string_view name);
    /// These are all that there are, in one moment.
    Result<void> replace(std::vector<CatalogEntry> entries);

    struct Contents {
        std::vector<CatalogEntry> entries;
        std::uint32_t next_id = kFirstId;
    };
    static std::string encode(const std::vector<CatalogEntry>& entries, std::uint32_t next_id);
    /// Reads every version. Errors: corrupt, unsupported_version, naming the file as `where`.
    static Result<Contents> decode(std::string_view raw, const std::string& where);

private:
    explicit Catalog(Directory& directory) : directory_(&directory) {}
    Result<void> save(const std::vector<CatalogEntry>& entries) const;

    Directory* directory_;
    std::vector<CatalogEntry> entries_;
    std::uint32_t next_id_ = kFirstId;
};

} // namespace sluice
