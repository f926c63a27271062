// Taking in the messages of other programs' files.
#pragma once
#include <sluice/database.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace sluice {

enum class ForeignFormat : std::uint8_t {
    automatic,       ///< Whatever the first bytes say.
    flumelog_offset, ///< 32, 48 or 53-bit frames, also told by the first bytes.
    json_lines,
};

struct ImportOptions {
    ForeignFormat format = ForeignFormat::automatic;
    /// Where in a message its application key stands: the string there. Messages without one get no
    /// key, and neither does any when this is empty.
    std::string key_pointer = "/key";
    /// Imports what lies before the damage of a damaged file, instead of refusing the whole file.
    bool until_damage = false;
    /// Also takes messages that were deleted or erased here, and looks through the whole file for
    /// them, whatever of it was imported before.
    bool readmit = false;
    /// Asked about each message, on another thread. Anything but an empty answer says what is wrong
    /// with it and ends the import there.
    std::function<std::string(std::string_view body)> check = {};
    /// One atomic batch holds at most this many messages and bytes (or one larger message). Larger
    /// ones are quicker; what an interruption undoes is one batch.
    std::size_t batch_messages_max = 4096;
    std::size_t batch_size_bytes_max = 4 * 1024 * 1024;
    /// done and total are bytes of the file.
    ProgressFunction progress = {};
    /// Asked between batches. True ends the import in good order.
    std::function<bool()> interrupted = {};
};

struct ImportReport {
    std::uint64_t appended = 0;
    std::uint64_t exists = 0;            ///< Their keys were here already.
    std::uint64_t refused = 0;           ///< Deleted or erased here, or kept out.
    std::uint64_t deleted_in_source = 0; ///< Deleted by the program that wrote the file.
    std::uint64_t resumed_at = 0;        ///< An earlier import had come this far. Bytes.
    std::uint64_t end = 0;               ///< How far this one came. Bytes.
    std::uint64_t size_bytes = 0;        ///< Of the file.
    std::optional<Error> damage;         ///< With until_damage: why it ended early.
    bool interrupted = false;
};

/// Promises. importer_test.cpp holds each in its own words.
///   I1  An import that was interrupted anywhere, by a kill too, and is run again leaves the same
///       messages in the same order as one that was not.
///   I2  A file that grew is continued where the last import of it ended.
///   I3  Of a damaged file nothing is imported, or with until_damage all that lies before.
///
/// Batches and the mark of how far they reach are atomic in the log. A file is known again by its
/// first 64 KiB, or where less of it was imported, by all of that: the database keeps a keyed hash.
///
/// Errors: of the file: not_found; invalid_argument (a line that is not JSON, a key that is too
/// long, a message that did not pass the check, all naming the byte: what lies before stays
/// imported); corrupt, naming the byte; io. Of the database: as Database::offer().
Result<ImportReport> import_file(Database& database, const std::string& path,
                                 const ImportOptions& options = {});

} // namespace sluice
