// The manifest: which files the views consist of. docs/format/manifest.md has the bytes.
#pragma once
#include "io/file.hpp"
#include "store/store.hpp"

#include <optional>

namespace sluice {

/// The whole durable state of the store at one moment, over all views. Says nothing about what is
/// in the rows: no terms, no values, no checksums of them.
struct ManifestRecord {
    struct SegmentEntry {
        /// In place of a number: the rows of these seqs are lost with a damaged file.
        static constexpr std::uint64_t kLost = 0;
        std::uint64_t file_number = kLost;
        std::uint64_t size_bytes = 0;
        std::uint64_t rows = 0;
        Seq seq_lo;
        Seq seq_hi;
        std::vector<std::uint32_t> superseded; ///< Rows, ascending.
    };
    struct View {
        ViewId id;
        Seq since;
        std::vector<SegmentEntry> segments;
    };
    Seq position;
    std::uint64_t next_file_number = 1; ///< No file with this or a greater number is named.
    std::string attachment;
    std::vector<View> views;
};

/// A file of records, of which the last whole one counts. When old records outweigh the last one, a
/// new file is begun and the old one destroyed. Threads: one at a time.
class Manifest {
public:
    /// Cuts off a torn record at the end, begins anew where an older one is damaged; destroys
    /// manifests that a newer one replaced, and one that was begun and never finished. Damage that
    /// leaves no whole record gives an empty manifest. `directory` must outlive it. Errors: io;
    /// unsupported_version.
    static Result<Manifest> open(Directory& directory);

    /// What open() would find, and what is wrong with it. Changes nothing. Errors: io;
    /// unsupported_version.
    struct Found {
        std::optional<ManifestRecord> last;
        std::vector<std::string> problems;
    };
    static Result<Found> look(Directory& directory);

    /// Another text after each record that anybody appended. Errors: io.
    static Result<std::string> fingerprint(Directory& directory);

    /// What open() found.
    const std::optional<ManifestRecord>& last() const { return last_; }

    /// Durable when it returns. After an error nobody knows which record a later open() will find:
    /// append nothing more.
    Result<void> append(const ManifestRecord& record);

    /// What is wrong with the bytes on the device.
    std::vector<std::string> check() const;

private:
    explicit Manifest(Directory& directory) : directory_(&directory) {}
    Result<void> begin_file(std::string_view frame);

    Directory* directory_;
    std::optional<ManifestRecord> last_;
    std::unique_ptr<File> file_;      ///< Null before the first record.
    std::uint64_t number_ = 0;        ///< Of file_.
    std::uint64_t newest_number_ = 0; ///< Ever seen in the directory.
    std::uint64_t end_ = 0;
};

} // namespace sluice
