#include "import/importer.hpp"

#include "base/try.hpp"
#include "import/json_lines.hpp"
#include "import/message_keys.hpp"
#include "import/source_mark.hpp"

#include <algorithm>
#include <future>
#include <vector>

namespace sluice {
namespace {

constexpr std::size_t kKeySizeBytesMax = 65535;

/// Messages on their way into the log, copied, because a source forgets each with the next.
class Batch {
public:
    void add(const ForeignRecord& record) {
        places_.push_back({record.offset, bytes_.size(), record.bytes.size()});
        bytes_ += record.bytes;
    }
    bool is_full(const ImportOptions& options) const {
        return places_.size() >= options.batch_messages_max ||
               bytes_.size() >= options.batch_size_bytes_max;
    }
    bool empty() const { return places_.empty(); }
    void clear() {
        places_.clear();
        bytes_.clear();
    }

    std::size_t size() const { return places_.size(); }
    std::uint64_t source_offset(std::size_t index) const { return places_[index].source_offset; }
    std::string_view body(std::size_t index) const {
        return std::string_view(bytes_).substr(places_[index].begin, places_[index].size_bytes);
    }
    /// So that body() has MessageKeys::kPaddingBytes behind it.
    void pad() { bytes_.append(MessageKeys::kPaddingBytes, '\0'); }

private:
    struct Place {
        std::uint64_t source_offset;
        std::size_t begin;
        std::size_t size_bytes;
    };
    std::vector<Place> places_;
    std::string bytes_;
};

/// For people: the line that begins at `offset`. Reads the file again, only to explain an error.
std::uint64_t line_number_at(const std::string& path, std::uint64_t offset) {
    std::uint64_t line = 1;
    auto bytes = ByteSource::open(path);
    for (std::uint64_t at = 0; bytes && at < offset;) {
        const auto piece = bytes->read(at, std::min<std::uint64_t>(offset - at, 1 << 20));
        if (!piece || piece->empty()) break;
        line += static_cast<std::uint64_t>(std::count(piece->begin(), piece->end(), '\n'));
        at += piece->size();
    }
    return line;
}

class Import {
public:
    Import(Database& database, const std::string& path, const ImportOptions& options,
           RecordSource& source, SourceMark mark, MessageKeys keys)
        : database_(database), path_(path), options_(options), source_(source),
          mark_(std::move(mark)), keys_(std::move(keys)),
          lines_(dynamic_cast<const JsonLinesSource*>(&source) != nullptr) {}

    Result<ImportReport> run();

private:
    Result<void> seek_to_mark();
    Result<void> refuse_if_damaged();
    /// Fills the batch. Nothing more to come: false.
    Result<bool> read_batch();
    /// What became of looking for the keys of a batch: `bad`, if there is one, ends the import.
    struct Drafts {
        std::vector<NewMessage> messages;
        std::optional<Error> bad;
        std::uint64_t end = 0;
    };
    Drafts draft_batch();
    std::optional<Error> find_key(std::size_t index, std::string_view& key);
    Result<void> offer(const Drafts& drafts);
    Result<void> write_behind();

    Database& database_;
    const std::string& path_;
    const ImportOptions& options_;
    RecordSource& source_;
    SourceMark mark_;
    MessageKeys keys_;
    const bool lines_;
    Batch batch_;
    std::vector<std::string> batch_keys_; // What the messages' keys point into.
    ImportReport report_;
    static constexpr std::uint64_t kFlushBytes = 16 * 1024 * 1024;
    std::uint64_t flushed_to_ = 0;
    std::future<Result<void>> flushing_; // Last: it is waited for before the rest goes.
};

Result<ImportReport> Import::run() {
    report_.size_bytes = source_.size_bytes();
    if (!options_.readmit) SLUICE_TRY(seek_to_mark());
    if (!options_.until_damage) SLUICE_TRY(refuse_if_damaged());
    Drafts drafts;
    for (bool more = true; more;) {
        if (options_.interrupted && options_.interrupted()) {
            report_.interrupted = true;
            break;
        }
        SLUICE_TRY_ASSIGN(more, read_batch());
        drafts = draft_batch();
        SLUICE_TRY(offer(drafts));
        if (drafts.bad) break;
        SLUICE_TRY(write_behind());
        if (options_.progress) options_.progress({"importing", report_.end, report_.size_bytes});
    }
    SLUICE_TRY(database_.flush());
    if (drafts.bad) return *drafts.bad;
    return report_;
}

/// An import need not wait for the disk after each batch, because its end is what it acknowledges
/// and a cut brings the mark back with the messages. But the disk should not wait for the end
/// either.
Result<void> Import::write_behind() {
    if (report_.end - flushed_to_ < kFlushBytes) return {};
    flushed_to_ = report_.end;
    if (flushing_.valid()) SLUICE_TRY(flushing_.get());
    flushing_ = std::async(std::launch::async, [this] { return database_.flush(); });
    return {};
}

Result<void> Import::seek_to_mark() {
    SLUICE_TRY_ASSIGN(report_.resumed_at, mark_.find(source_, [this](std::string_view fingerprint) {
        return database_.imported_up_to(fingerprint);
    }));
    report_.end = report_.resumed_at;
    return source_.seek(report_.resumed_at);
}

/// I3: walks through the rest of the file before anything of it is imported. That costs a fraction
/// of the import, and brings the file into memory for it.
Result<void> Import::refuse_if_damaged() {
    const std::uint64_t begin = source_.offset();
    for (bool more = true; more;) {
        SLUICE_TRY_ASSIGN(const auto record, source_.next());
        more = record.has_value();
    }
    return source_.seek(begin);
}

Result<bool> Import::read_batch() {
    batch_.clear();
    while (!batch_.is_full(options_)) {
        const auto record = source_.next();
        if (!record) {
            if (!options_.until_damage || record.error().code != Errc::corrupt) {
                return record.error();
            }
            report_.damage = record.error();
            return false;
        }
        if (!*record) return false;
        if ((*record)->deleted) {
            ++report_.deleted_in_source;
        } else {
            batch_.add(**record);
        }
    }
    return true;
}

Import::Drafts Import::draft_batch() {
    batch_.pad();
    batch_keys_.assign(batch_.size(), {});
    Drafts drafts{{}, {}, source_.offset()};
    drafts.messages.reserve(batch_.size());
    for (std::size_t index = 0; index < batch_.size(); ++index) {
        std::string_view key;
        drafts.bad = find_key(index, key);
        if (drafts.bad) {
            drafts.end = batch_.source_offset(index);
            break;
        }
        batch_keys_[index] = key;
        drafts.messages.push_back({batch_.body(index), batch_keys_[index]});
    }
    return drafts;
}

std::optional<Error> Import::find_key(std::size_t index, std::string_view& key) {
    const std::string_view body = batch_.body(index);
    std::optional<std::string_view> found;
    if (lines_) {
        const MessageKeys::Checked checked = keys_.find_checked(body);
        if (!checked.is_json) {
            const std::uint64_t offset = batch_.source_offset(index);
            return Error{Errc::invalid_argument,
                         path_ + ", line " + std::to_string(line_number_at(path_, offset)) +
                             " (byte " + std::to_string(offset) + "): not JSON"};
        }
        found = checked.key;
    } else {
        found = keys_.find(body);
    }
    key = found.value_or(std::string_view());
    if (key.size() > kKeySizeBytesMax) {
        return Error{Errc::invalid_argument, path_ + ", byte " +
                                                 std::to_string(batch_.source_offset(index)) +
                                                 ": an application key over 65,535 bytes"};
    }
    return {};
}

Result<void> Import::offer(const Drafts& drafts) {
    // Also without messages: what was deleted in the file need not be read again.
    if (drafts.end == report_.end) return {};
    const std::string fingerprint = mark_.fingerprint(drafts.end);
    SLUICE_TRY_ASSIGN(const Offer offered,
                      database_.offer(drafts.messages,
                                      {.readmit = options_.readmit, .wait_until_durable = false},
                                      ImportMark{fingerprint, drafts.end}));
    for (const Offered outcome : offered.outcomes) {
        if (outcome == Offered::appended) ++report_.appended;
        if (outcome == Offered::exists) ++report_.exists;
        if (outcome == Offered::refused) ++report_.refused;
    }
    report_.end = drafts.end;
    return {};
}

} // namespace

Result<ImportReport> import_file(Database& database, const std::string& path,
                                 const ImportOptions& options) {
    SLUICE_TRY_ASSIGN(MessageKeys keys, MessageKeys::create(options.key_pointer));
    SLUICE_TRY_ASSIGN(const auto source, open_record_source(path, options.format));
    SLUICE_TRY_ASSIGN(SourceMark mark, SourceMark::open(path));
    return Import(database, path, options, *source, std::move(mark), std::move(keys)).run();
}

} // namespace sluice
