// Gives the messages of the database to other programs.
#pragma once
#include <sluice/database.hpp>

#include <cstdint>
#include <functional>
#include <string_view>

namespace sluice {

struct ExportOptions {
    LogRange range = {};
    /// Gives each message as one line of JSON. One that is not JSON does not fit.
    bool json_lines = false;
    /// Goes on when a message does not fit the format, instead of ending with an error.
    bool skip_unfit = false;
    /// done and total are seqs.
    ProgressFunction progress = {};
};

struct ExportReport {
    std::uint64_t exported = 0;
    std::uint64_t skipped = 0; ///< Did not fit.
};

/// Where the messages go, such as a RecordWriter. invalid_argument means: does not fit.
using ExportSink = std::function<Result<void>(std::string_view message)>;

/// The live messages, in the order of the log.
/// Errors: invalid_argument, naming the seq (a message that does not fit); corrupt, naming the
/// seq; what `sink` answers.
Result<ExportReport> export_log(const Snapshot& snapshot, const ExportSink& sink,
                                const ExportOptions& options = {});

} // namespace sluice
