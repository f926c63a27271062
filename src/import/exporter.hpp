// Gives the messages of the database to other programs.
#pragma once
#include <sluice/database.hpp>

#include <cstdint>
#include <functional>
#include <string_view>

namespace sluice {

struct ExportOptions {
    LogRange range;
    /// Goes on when a message does not fit the format (bytes that are no JSON do not fit into lines
    /// of JSON, empty ones not into flumelog-offset), instead of ending with an error.
    bool skip_unfit = false;
    /// Writes JSON without line breaks between its tokens, as lines of JSON need it.
    bool one_line = false;
    /// done and total are seqs.
    ProgressFunction progress;
};

struct ExportReport {
    std::uint64_t exported = 0;
    std::uint64_t skipped = 0; ///< Did not fit.
};

/// Where the messages go. A message that the format cannot hold is invalid_argument.
using ExportSink = std::function<Result<void>(std::string_view message)>;

/// The live messages in the order of the log.
/// Errors: invalid_argument, naming the seq (a message that does not fit); corrupt, naming the
/// seq; what `sink` says.
Result<ExportReport> export_log(const Snapshot& snapshot, const ExportSink& sink,
                                const ExportOptions& options = {});

} // namespace sluice
