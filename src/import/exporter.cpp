#include "import/exporter.hpp"

#include "base/compact_json.hpp"
#include "base/json.hpp"
#include "base/try.hpp"

namespace sluice {
namespace {

constexpr std::uint64_t kMessagesBetweenProgress = 1024;

/// Puts messages on one line each.
class OneLine {
public:
    /// Valid until the next call.
    Result<std::string_view> operator()(std::string_view message) {
        if (parser_.parse(message) == nullptr) {
            return Error{Errc::invalid_argument, "not JSON, so no line of JSON"};
        }
        if (message.find_first_of("\r\n") == std::string_view::npos) return message;
        line_.clear();
        append_compact_json(line_, message);
        return std::string_view(line_);
    }

private:
    JsonParser parser_;
    std::string line_;
};

} // namespace

Result<ExportReport> export_log(const Snapshot& snapshot, const ExportSink& sink,
                                const ExportOptions& options) {
    OneLine one_line;
    const auto give = [&](std::string_view message) -> Result<void> {
        if (options.json_lines) {
            SLUICE_TRY_ASSIGN(message, one_line(message));
        }
        return sink(message);
    };

    ExportReport report;
    LogCursor cursor = snapshot.log(options.range);
    while (true) {
        SLUICE_TRY_ASSIGN(const std::optional<Record> record, cursor.next());
        if (!record) return report;
        if (record->state != Record::State::live) continue;
        const Result<void> given = give(record->body);
        if (given) {
            ++report.exported;
        } else if (given.error().code == Errc::invalid_argument && options.skip_unfit) {
            ++report.skipped;
        } else if (given.error().code == Errc::invalid_argument) {
            return Error{Errc::invalid_argument,
                         "seq " + std::to_string(record->seq.value) + ": " + given.error().context};
        } else {
            return given.error();
        }
        if (options.progress && report.exported % kMessagesBetweenProgress == 0) {
            options.progress({"exporting", record->seq.value, snapshot.position().value});
        }
    }
}

} // namespace sluice
