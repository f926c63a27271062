#include "import/source_mark.hpp"

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/try.hpp"

#include <sodium.h>

#include <algorithm>

namespace sluice {

Result<SourceMark> SourceMark::open(const std::string& path) {
    SLUICE_TRY_ASSIGN(ByteSource bytes, ByteSource::open(path));
    SLUICE_TRY_ASSIGN(const std::string_view prefix, bytes.read(0, kPrefixSizeBytesMax));
    return SourceMark(std::string(prefix));
}

std::string SourceMark::fingerprint(std::uint64_t offset) const {
    const std::uint64_t size = std::min<std::uint64_t>(offset, prefix_.size());
    std::string hash(crypto_generichash_BYTES, '\0');
    const int failed = crypto_generichash(
        reinterpret_cast<unsigned char*>(hash.data()), hash.size(),
        reinterpret_cast<const unsigned char*>(prefix_.data()), size, nullptr, 0);
    SLUICE_ASSERT(failed == 0);
    append_le(hash, size);
    return hash;
}

Result<std::uint64_t>
SourceMark::find(RecordSource& source,
                 const std::function<std::uint64_t(std::string_view)>& imported_up_to) const {
    const std::uint64_t far = imported_up_to(fingerprint(kPrefixSizeBytesMax));
    if (far >= kPrefixSizeBytesMax) return far;

    // Less than the prefix was imported, if anything: every record's end may be the mark.
    std::uint64_t found = 0;
    SLUICE_TRY(source.seek(0));
    while (source.offset() < kPrefixSizeBytesMax) {
        const auto record = source.next();
        if (!record && record.error().code != Errc::corrupt) return record.error();
        if (!record || !*record) break;
        const std::uint64_t end = source.offset();
        if (end < kPrefixSizeBytesMax && imported_up_to(fingerprint(end)) == end) found = end;
    }
    return found;
}

} // namespace sluice
