#include "catalog/catalog.hpp"

#include "base/bytes.hpp"
#include "base/checksum.hpp"
#include "base/try.hpp"

#include <algorithm>
#include <limits>
#include <set>

namespace sluice {
namespace {

//    0  magic    8 bytes  "SluiceC1"
//    8  check    u32      of all that follows
//   12  version  u32      2
//   16  next_id  u32
//   20  count    u32
//   24  entries: id u32, view version u32, then name, app and definition, each a varint length and
//       as many bytes; since version 2 then opened_ms u64, a varint count of uses, and of each its
//       app, likewise, and its opened_ms u64
constexpr std::string_view kMagic = "SluiceC1";
constexpr std::uint32_t kVersion = 2;
constexpr std::uint32_t kVersionWithUses = 2;
constexpr std::size_t kCheckPosition = 8;
constexpr std::size_t kCheckedFrom = 12;
constexpr std::size_t kNextIdPosition = 16;
constexpr std::size_t kHeaderSize = 24;
static_assert(kMagic.size() == kCheckPosition && kCheckPosition + 4 == kCheckedFrom &&
              kCheckedFrom + 4 == kNextIdPosition && kNextIdPosition + 8 == kHeaderSize);

constexpr const char* kName = "catalog";

CatalogEntry decode_entry(ByteReader& from, std::uint32_t version) {
    CatalogEntry entry;
    entry.id = {from.le<std::uint32_t>()};
    entry.version = from.le<std::uint32_t>();
    entry.name = from.sized();
    entry.app = from.sized();
    entry.definition = from.sized();
    if (version < kVersionWithUses) {
        if (!entry.app.empty()) entry.uses.push_back({entry.app, 0});
        return entry;
    }
    entry.opened_ms = from.le<std::uint64_t>();
    const std::uint64_t uses = from.varint();
    for (std::uint64_t i = 0; i < uses && from.ok(); ++i) {
        CatalogUse use;
        use.app = from.sized();
        use.opened_ms = from.le<std::uint64_t>();
        entry.uses.push_back(std::move(use));
    }
    return entry;
}

/// What no catalog that was written by this class has: it would lead two names to one view's rows.
bool is_well_formed(const Catalog::Contents& contents) {
    std::set<std::string_view> names;
    std::set<ViewId> ids;
    return std::all_of(
        contents.entries.begin(), contents.entries.end(), [&](const CatalogEntry& each) {
            const auto by_app = [](const CatalogUse& a, const CatalogUse& b) {
                return a.app >= b.app;
            };
            return each.id.value < contents.next_id && names.insert(each.name).second &&
                   ids.insert(each.id).second && (each.app.empty() || !each.uses.empty()) &&
                   std::adjacent_find(each.uses.begin(), each.uses.end(), by_app) ==
                       each.uses.end();
        });
}

} // namespace

void CatalogEntry::note_use(std::string_view by, std::uint64_t now_ms) {
    auto at =
        std::lower_bound(uses.begin(), uses.end(), by,
                         [](const CatalogUse& use, std::string_view a) { return use.app < a; });
    if (at == uses.end() || at->app != by) at = uses.insert(at, {std::string(by), 0});
    at->opened_ms = now_ms;
}

bool CatalogEntry::is_used_by(std::string_view by) const {
    return std::any_of(uses.begin(), uses.end(),
                       [&](const CatalogUse& use) { return use.app == by; });
}

std::string Catalog::encode(const std::vector<CatalogEntry>& entries, std::uint32_t next_id) {
    std::string raw(kMagic);
    append_le<std::uint32_t>(raw, 0);
    append_le(raw, kVersion);
    append_le(raw, next_id);
    append_le(raw, static_cast<std::uint32_t>(entries.size()));
    for (const CatalogEntry& entry : entries) {
        append_le(raw, entry.id.value);
        append_le(raw, entry.version);
        append_sized(raw, entry.name);
        append_sized(raw, entry.app);
        append_sized(raw, entry.definition);
        append_le(raw, entry.opened_ms);
        append_varint(raw, entry.uses.size());
        for (const CatalogUse& use : entry.uses) {
            append_sized(raw, use.app);
            append_le(raw, use.opened_ms);
        }
    }
    put_le(raw.data() + kCheckPosition, checksum32(std::string_view(raw).substr(kCheckedFrom)));
    return raw;
}

Result<Catalog::Contents> Catalog::decode(std::string_view raw, const std::string& where) {
    if (raw.size() < kHeaderSize || raw.substr(0, kMagic.size()) != kMagic) {
        return Error{Errc::corrupt, where + " is not a catalog"};
    }
    const auto version = get_le<std::uint32_t>(raw.data() + kCheckedFrom);
    if (version > kVersion) {
        return Error{Errc::unsupported_version,
                     where + " was written by a newer version of sluice"};
    }
    if (get_le<std::uint32_t>(raw.data() + kCheckPosition) !=
        checksum32(raw.substr(kCheckedFrom))) {
        return Error{Errc::corrupt, where + ": the checksum is wrong"};
    }
    Contents contents;
    ByteReader from(raw.substr(kNextIdPosition));
    contents.next_id = from.le<std::uint32_t>();
    const auto count = from.le<std::uint32_t>();
    for (std::uint32_t i = 0; i < count && from.ok(); ++i) {
        contents.entries.push_back(decode_entry(from, version));
    }
    if (!from.done() || version == 0 || !is_well_formed(contents)) {
        return Error{Errc::corrupt, where + " is not well-formed"};
    }
    return contents;
}

Result<Catalog> Catalog::open(Directory& directory) {
    Catalog catalog(directory);
    auto file = directory.open(kName, Create::never);
    if (!file && file.error().code == Errc::not_found) return catalog;
    if (!file) return file.error();
    SLUICE_TRY_ASSIGN(const std::string raw, read_whole(**file));
    SLUICE_TRY_ASSIGN(Contents contents, decode(raw, directory.path() + "/" + kName));
    catalog.entries_ = std::move(contents.entries);
    catalog.next_id_ = contents.next_id;
    return catalog;
}

bool Catalog::has_name(const std::string& name) {
    return name == kName || name == replacement_name(kName);
}

const CatalogEntry* Catalog::find(std::string_view name) const {
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const CatalogEntry& each) { return each.name == name; });
    return found == entries_.end() ? nullptr : &*found;
}

Result<void> Catalog::save(const std::vector<CatalogEntry>& entries) const {
    return replace_file(*directory_, kName, encode(entries, next_id_));
}

Result<ViewId> Catalog::take_id() {
    if (next_id_ == std::numeric_limits<std::uint32_t>::max()) {
        return Error{Errc::no_space, "the catalog has given out every view id"};
    }
    const ViewId id{next_id_++};
    SLUICE_TRY(save(entries_));
    return id;
}

Result<void> Catalog::put(const std::vector<CatalogEntry>& added) {
    std::vector<CatalogEntry> changed = entries_;
    for (const CatalogEntry& entry : added) {
        std::erase_if(changed, [&](const CatalogEntry& each) { return each.name == entry.name; });
        changed.push_back(entry);
    }
    return replace(std::move(changed));
}

Result<void> Catalog::remove(std::string_view name) {
    std::vector<CatalogEntry> changed = entries_;
    std::erase_if(changed, [&](const CatalogEntry& each) { return each.name == name; });
    return replace(std::move(changed));
}

Result<void> Catalog::replace(std::vector<CatalogEntry> entries) {
    SLUICE_TRY(save(entries));
    entries_ = std::move(entries);
    return {};
}

} // namespace sluice
