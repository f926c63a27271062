#include "import/record_writer.hpp"

#include "base/try.hpp"
#include "import/json_lines.hpp"

namespace sluice {
namespace {

constexpr std::size_t kPieceSizeBytes = 1024 * 1024;

Error refused(std::string_view why) {
    return {Errc::invalid_argument, "writing a record: " + std::string(why)};
}

Result<void> check_size(std::string_view record) {
    if (record.size() > kForeignRecordSizeBytesMax) return refused("it is over 16 MiB");
    return {};
}

} // namespace

Result<void> RecordWriter::check_writable() const {
    if (failed_)
        return Error{Errc::latched, "writing a record: an earlier write to its file failed"};
    return {};
}

Result<void> RecordWriter::record_done() {
    if (pending_.size() < kPieceSizeBytes) return {};
    return write_pending();
}

Result<void> RecordWriter::write_pending() {
    Result<void> written = file_->write_at(written_size_bytes_, pending_);
    if (!written) {
        failed_ = true;
        return written;
    }
    written_size_bytes_ += pending_.size();
    pending_.clear();
    return {};
}

Result<void> RecordWriter::finish() {
    SLUICE_TRY(check_writable());
    SLUICE_TRY(write_pending());
    Result<void> synced = file_->sync();
    failed_ = !synced.has_value();
    return synced;
}

Result<void> FlumelogOffsetWriter::append(std::string_view record) {
    SLUICE_TRY(check_writable());
    SLUICE_TRY(check_size(record));
    if (record.find_first_not_of('\0') == std::string_view::npos) {
        return refused("empty or all zeros, it would read as a deleted one");
    }
    const std::uint64_t end =
        size_bytes() + flumelog_offset::frame_size_bytes(record.size(), width_);
    if (end > flumelog_offset::end_max(width_)) {
        return refused("the file would be longer than frames of this width can count");
    }
    append_be(pending(), record.size(), flumelog_offset::kLengthSizeBytes);
    pending().append(record);
    append_be(pending(), record.size(), flumelog_offset::kLengthSizeBytes);
    append_be(pending(), end, flumelog_offset::size_bytes(width_));
    return record_done();
}

Result<void> JsonLinesWriter::append(std::string_view record) {
    SLUICE_TRY(check_writable());
    SLUICE_TRY(check_size(record));
    if (is_blank_line(record)) return refused("it is blank, and would be skipped as an empty line");
    if (record.find_first_of("\r\n") != std::string_view::npos)
        return refused("it has a line break in it");
    pending().append(record).push_back('\n');
    return record_done();
}

Result<std::unique_ptr<RecordWriter>> create_record_writer(const std::string& path,
                                                           const RecordWriterOptions& options) {
    const std::size_t slash = path.rfind('/');
    const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
    const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    if (name.empty() || name == "." || name == "..") {
        return Error{Errc::invalid_argument, "writing to " + path + ": it names no file"};
    }
    if (options.format == ForeignFormat::automatic) {
        return Error{Errc::invalid_argument, "writing to " + path + ": choose a format"};
    }
    SLUICE_TRY_ASSIGN(const std::unique_ptr<Directory> directory,
                      open_directory(parent, Create::never));
    SLUICE_TRY_ASSIGN(std::unique_ptr<File> file,
                      directory->open(name, options.replace ? Create::if_missing : Create::must));
    SLUICE_TRY(file->truncate(0));
    SLUICE_TRY(directory->sync());
    if (options.format == ForeignFormat::json_lines) {
        return std::unique_ptr<RecordWriter>(std::make_unique<JsonLinesWriter>(std::move(file)));
    }
    return std::unique_ptr<RecordWriter>(
        std::make_unique<FlumelogOffsetWriter>(std::move(file), options.width));
}

} // namespace sluice
