#include "import/json_lines.hpp"

#include "base/try.hpp"

#include <algorithm>

namespace sluice {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

} // namespace

bool is_blank_line(std::string_view line) {
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

/// With its line feed, if it has one.
Result<std::string_view> JsonLinesSource::line_at_offset() {
    constexpr std::uint64_t kFirstLook = 4096;
    constexpr std::uint64_t kLastLook =
        kForeignRecordSizeBytesMax + kByteOrderMark.size() + 2; // CRLF.
    for (std::uint64_t look = kFirstLook;; look = std::min(4 * look, kLastLook)) {
        SLUICE_TRY_ASSIGN(const std::string_view ahead, bytes_.read(offset_, look));
        const std::size_t line_feed = ahead.find('\n');
        if (line_feed != std::string_view::npos) return ahead.substr(0, line_feed + 1);
        if (offset_ + ahead.size() == size_bytes() || look == kLastLook) return ahead;
    }
}

Result<std::optional<ForeignRecord>> JsonLinesSource::next() {
    while (offset_ < size_bytes()) {
        SLUICE_TRY_ASSIGN(std::string_view line, line_at_offset());
        const std::uint64_t begin = offset_, end = offset_ + line.size();
        if (line.ends_with('\n')) line.remove_suffix(1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (begin == 0 && line.starts_with(kByteOrderMark))
            line.remove_prefix(kByteOrderMark.size());
        if (line.size() > kForeignRecordSizeBytesMax) {
            return Error{Errc::corrupt, bytes_.name() + " has a line over 16 MiB, at byte " +
                                            std::to_string(begin)};
        }
        offset_ = end;
        if (!is_blank_line(line)) return std::optional(ForeignRecord{begin, line, false});
    }
    return std::optional<ForeignRecord>();
}

Result<void> JsonLinesSource::seek(std::uint64_t offset) {
    bool boundary = offset == 0 || offset == size_bytes();
    if (!boundary && offset < size_bytes()) {
        SLUICE_TRY_ASSIGN(const std::string_view before, bytes_.read(offset - 1, 1));
        boundary = before == "\n";
    }
    if (!boundary) {
        return Error{Errc::invalid_argument,
                     bytes_.name() + ": no line begins at byte " + std::to_string(offset)};
    }
    offset_ = offset;
    return {};
}

} // namespace sluice
