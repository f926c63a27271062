// The register of views: which there are, whose, and what they mean.
#pragma once
#include "io/file.hpp"
#include "store/store.hpp"

#include <sluice/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct CatalogEntry {
    ViewId id;
    std::string name;
    std::string app;           ///< Empty for a declared view.
    std::uint32_t version = 0; ///< Of a code view.
    std::string definition;    ///< Canonical JSON.
    friend bool operator==(const CatalogEntry&, const CatalogEntry&) = default;
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

    static std::string encode(const std::vector<CatalogEntry>& entries, std::uint32_t next_id);

private:
    explicit Catalog(Directory& directory) : directory_(&directory) {}
    Result<void> decode(std::string_view raw);
    Result<void> save(const std::vector<CatalogEntry>& entries) const;

    Directory* directory_;
    std::vector<CatalogEntry> entries_;
    std::uint32_t next_id_ = kFirstId;
};

} // namespace sluice
