// Knows a foreign file again, so that an import goes on where the last one ended.
#pragma once
#include "import/byte_source.hpp"
#include "import/record_source.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace sluice {

/// Names a file by a hash of its first bytes. Where an import ends within the first 64 KiB, the
/// name is that of exactly the bytes imported, so a short file may grow and is still the same one,
/// and another one that merely begins alike is not.
class SourceMark {
public:
    static constexpr std::uint64_t kPrefixSizeBytesMax = 64 * 1024;

    /// Errors: as ByteSource::open().
    static Result<SourceMark> open(const std::string& path);

    /// What names the file when `offset` bytes of it are imported.
    std::string fingerprint(std::uint64_t offset) const;

    /// The largest offset for which `imported_up_to`, the database's memory, knows this file; or 0.
    /// Walks `source` and leaves it anywhere. Errors: as RecordSource::next(), but for corrupt.
    Result<std::uint64_t>
    find(RecordSource& source,
         const std::function<std::uint64_t(std::string_view fingerprint)>& imported_up_to) const;

private:
    explicit SourceMark(std::string prefix) : prefix_(std::move(prefix)) {}
    std::string prefix_;
};

} // namespace sluice
