#include "catalog/catalog.hpp"

#include "base/bytes.hpp"
#include "base/checksum.hpp"
#include "base/try.hpp"

#include <algorithm>

namespace sluice {
namespace {

//    0  magic    8 bytes  "SluiceC1"
//    8  check    u32      of all that follows
//   12  version  u32      1
//   16  next_id  u32
//   20  count    u32
//   24  entries: id u32, view version u32, then name, app and definition, each a varint length and
//       as many bytes
constexpr std::string_view kMagic = "SluiceC1";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kCheckPosition = 8;
constexpr std::size_t kCheckedFrom = 12;
constexpr std::size_t kHeaderSize = 24;
static_assert(kMagic.size() == kCheckPosition && kCheckPosition + 4 == kCheckedFrom);

constexpr const char* kName = "catalog";

} // namespace

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
    }
    put_le(raw.data() + kCheckPosition, checksum32(std::string_view(raw).substr(kCheckedFrom)));
    return raw;
}

Result<void> Catalog::decode(std::string_view raw) {
    const std::string where = directory_->path() + "/" + kName;
    if (raw.size() < kHeaderSize || raw.substr(0, kMagic.size()) != kMagic) {
        return Error{Errc::corrupt, where + " is not a catalog"};
    }
    if (get_le<std::uint32_t>(raw.data() + kCheckedFrom) > kVersion) {
        return Error{Errc::unsupported_version,
                     where + " was written by a newer version of sluice"};
    }
    if (get_le<std::uint32_t>(raw.data() + kCheckPosition) !=
        checksum32(raw.substr(kCheckedFrom))) {
        return Error{Errc::corrupt, where + ": the checksum is wrong"};
    }
    ByteReader from(raw.substr(16));
    next_id_ = from.le<std::uint32_t>();
    const auto count = from.le<std::uint32_t>();
    for (std::uint32_t i = 0; i < count && from.ok(); ++i) {
        CatalogEntry entry;
        entry.id = {from.le<std::uint32_t>()};
        entry.version = from.le<std::uint32_t>();
        entry.name = from.sized();
        entry.app = from.sized();
        entry.definition = from.sized();
        entries_.push_back(std::move(entry));
    }
    if (!from.done()) return Error{Errc::corrupt, where + " is not well-formed"};
    return {};
}

Result<Catalog> Catalog::open(Directory& directory) {
    Catalog catalog(directory);
    auto file = directory.open(kName, Create::never);
    if (!file && file.error().code == Errc::not_found) return catalog;
    if (!file) return file.error();
    SLUICE_TRY_ASSIGN(const std::string raw, read_whole(**file));
    SLUICE_TRY(catalog.decode(raw));
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
    SLUICE_TRY(save(changed));
    entries_ = std::move(changed);
    return {};
}

Result<void> Catalog::remove(std::string_view name) {
    std::vector<CatalogEntry> changed = entries_;
    std::erase_if(changed, [&](const CatalogEntry& each) { return each.name == name; });
    SLUICE_TRY(save(changed));
    entries_ = std::move(changed);
    return {};
}

} // namespace sluice
