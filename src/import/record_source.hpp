// Files of other programs that hold one record after another, read one by one.
#pragma once
#include <sluice/import.hpp>
#include <sluice/result.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

/// No file that we read or write has longer records: it is the log's limit for a body.
constexpr std::uint64_t kForeignRecordSizeBytesMax = 16 * 1024 * 1024;

struct ForeignRecord {
    std::uint64_t offset;   ///< Where it begins in its file, in bytes.
    std::string_view bytes; ///< Valid until the source's next call.
    bool deleted;           ///< Its program deleted it: the bytes are zeros.
};

/// Reads a foreign file from one end to the other, hostile or not, in constant memory.
/// Threads: one at a time.
class RecordSource {
public:
    virtual ~RecordSource() = default;

    /// What the file is; never automatic.
    virtual ForeignFormat format() const = 0;

    /// The next record, or nothing at the end. After an error offset() stays, and calling again
    /// gives the same error: what is behind the damage cannot be told apart. Errors: corrupt,
    /// naming the byte and saying whether the file is damaged there or cut off; io.
    virtual Result<std::optional<ForeignRecord>> next() = 0;

    /// Where the next record begins: give it to seek() to go on later, also in another process.
    virtual std::uint64_t offset() const = 0;

    /// Continues at `offset`, which must be one that offset() gave for this file. The file may have
    /// grown meanwhile. Errors: invalid_argument (no record ends there, as when it is another
    /// file); io; corrupt.
    virtual Result<void> seek(std::uint64_t offset) = 0;

    /// Of the file when it was opened: what offset() is after the last record.
    virtual std::uint64_t size_bytes() const = 0;
};

/// Opens a foreign file for reading. Errors: not_found; invalid_argument (no regular file); corrupt
/// (no known format, or damaged in its first record); io.
Result<std::unique_ptr<RecordSource>> open_record_source(const std::string& path,
                                                         ForeignFormat format);

} // namespace sluice
