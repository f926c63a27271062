// Reads files with one JSON text on each line.
#pragma once
#include "import/byte_source.hpp"
#include "import/record_source.hpp"

namespace sluice {

/// Lines end with LF or CRLF, the last one also with the file. Blank lines and a UTF-8 byte order
/// mark at the beginning are skipped. Whether a line is JSON is for the caller to check, also for
/// the last one, which may be cut off. A record's offset is that of its line; none is deleted.
class JsonLinesSource final : public RecordSource {
public:
    explicit JsonLinesSource(ByteSource bytes) : bytes_(std::move(bytes)) {}

    ForeignFormat format() const override { return ForeignFormat::json_lines; }
    /// Errors: corrupt (a line is over kForeignRecordSizeBytesMax); io.
    Result<std::optional<ForeignRecord>> next() override;
    std::uint64_t offset() const override { return offset_; }
    Result<void> seek(std::uint64_t offset) override;
    std::uint64_t size_bytes() const override { return bytes_.size_bytes(); }

private:
    Result<std::string_view> line_at_offset();

    ByteSource bytes_;
    std::uint64_t offset_ = 0;
};

/// Whether a line counts for nothing: spaces and tabs at most.
bool is_blank_line(std::string_view line);

} // namespace sluice
