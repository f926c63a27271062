// Any bytes as a catalog, with the checksum put right so that what follows it is reached. What is
// understood is written again as it was understood, and is then the same catalog.
//
// Code: catalog/catalog
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/checksum.hpp"
#include "catalog/catalog.hpp"

#include <cstddef>
#include <cstdint>

using namespace sluice;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string raw(reinterpret_cast<const char*>(data), size);
    static_cast<void>(Catalog::decode(raw, "catalog").has_value());
    if (size < 12) return 0;
    put_le(raw.data() + 8, checksum32(std::string_view(raw).substr(12)));
    const auto read = Catalog::decode(raw, "catalog");
    if (!read) return 0;
    const std::string written = Catalog::encode(read->entries, read->next_id);
    const auto again = Catalog::decode(written, "catalog");
    SLUICE_ASSERT(again.has_value());
    SLUICE_ASSERT(again->entries == read->entries && again->next_id == read->next_id);
    return 0;
}
