#include "import/record_source.hpp"

#include "import/flumelog_offset.hpp"
#include "import/json_lines.hpp"

#include "base/try.hpp"

namespace sluice {
namespace {

/// The formats cannot be mistaken for each other: a flumelog-offset file begins with the big-endian
/// length of a record, so with 0 or 1, and no JSON does.
Result<ForeignFormat> recognize(ByteSource& bytes) {
    constexpr std::string_view kJsonBegins =
        "{[\"-0123456789tfn \t\r\n\xEF"; // 0xEF: byte order mark.
    SLUICE_TRY_ASSIGN(const std::string_view first, bytes.read(0, 1));
    if (first.empty() || first[0] == '\0' || first[0] == '\1')
        return ForeignFormat::flumelog_offset;
    if (kJsonBegins.find(first[0]) != std::string_view::npos) return ForeignFormat::json_lines;
    return Error{Errc::corrupt,
                 bytes.name() + " is neither a flumelog-offset file nor lines of JSON"};
}

} // namespace

Result<std::unique_ptr<RecordSource>> open_record_source(const std::string& path,
                                                         ForeignFormat format) {
    SLUICE_TRY_ASSIGN(ByteSource bytes, ByteSource::open(path));
    if (format == ForeignFormat::automatic) {
        SLUICE_TRY_ASSIGN(format, recognize(bytes));
    }
    if (format == ForeignFormat::json_lines) {
        return std::unique_ptr<RecordSource>(std::make_unique<JsonLinesSource>(std::move(bytes)));
    }
    SLUICE_TRY_ASSIGN(FlumelogOffsetSource source, FlumelogOffsetSource::open(std::move(bytes)));
    return std::unique_ptr<RecordSource>(std::make_unique<FlumelogOffsetSource>(std::move(source)));
}

} // namespace sluice
