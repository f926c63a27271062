// Files for other programs that hold one record after another: export, and what the generator
// makes.
#pragma once
#include "import/flumelog_offset_format.hpp"
#include "import/record_source.hpp"
#include "io/file.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace sluice {

/// Appends to a foreign file, in pieces of 1 MiB. What was not followed by finish()
/// may be missing or cut off. After an error the file is of no use, and every later call fails.
/// Threads: one at a time.
class RecordWriter {
public:
    virtual ~RecordWriter() = default;

    /// Errors: invalid_argument (a record that the format cannot hold; the file is as before, and
    /// one may go on with others); io; no_space; latched (an earlier write failed).
    virtual Result<void> append(std::string_view record) = 0;

    /// Everything is on the device when this returns. Errors: io; no_space; latched.
    Result<void> finish();

    /// Of the file, with what is still in memory.
    std::uint64_t size_bytes() const { return written_size_bytes_ + pending_.size(); }

protected:
    /// `file` is empty, or whole records of the same format are in it.
    explicit RecordWriter(std::unique_ptr<File> file)
        : file_(std::move(file)), written_size_bytes_(file_->size_bytes()) {}

    /// To be called before something is put into pending(), so that append() is refused as a whole.
    Result<void> check_writable() const;
    std::string& pending() { return pending_; }
    /// Writes pending() once it is long enough to be worth it.
    Result<void> record_done();

private:
    Result<void> write_pending();

    std::unique_ptr<File> file_;
    std::string pending_;
    std::uint64_t written_size_bytes_;
    bool failed_ = false;
};

/// Refuses records that are empty, all zeros (a deleted record looks like that), over
/// kForeignRecordSizeBytesMax, or that would make the file longer than its width can count.
class FlumelogOffsetWriter final : public RecordWriter {
public:
    FlumelogOffsetWriter(std::unique_ptr<File> file, flumelog_offset::Width width)
        : RecordWriter(std::move(file)), width_(width) {}
    Result<void> append(std::string_view record) override;

private:
    flumelog_offset::Width width_;
};

/// Refuses records that are blank, over kForeignRecordSizeBytesMax, or have a line feed or carriage
/// return in them: JSON text needs none, but a record need not be JSON.
class JsonLinesWriter final : public RecordWriter {
public:
    explicit JsonLinesWriter(std::unique_ptr<File> file) : RecordWriter(std::move(file)) {}
    Result<void> append(std::string_view record) override;
};

struct RecordWriterOptions {
    ForeignFormat format = ForeignFormat::flumelog_offset; ///< Not automatic.
    /// For flumelog_offset: 32 bits are what other programs expect, and hold 4 GiB.
    flumelog_offset::Width width = flumelog_offset::Width::bits32;
    /// Empties a file that is there already, instead of failing.
    bool replace = false;
};

/// Makes the file at `path`, readable by its owner only.
/// Errors: exists; not_found (its directory); invalid_argument (no format, or a path without a
/// name); io.
Result<std::unique_ptr<RecordWriter>> create_record_writer(const std::string& path,
                                                           const RecordWriterOptions& options);

} // namespace sluice
