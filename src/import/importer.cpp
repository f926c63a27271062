#include <sluice/import.hpp>

#include "base/try.hpp"
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

/// A batch that was read and whose keys were looked for.
struct Drafts {
    Batch batch;
    std::vector<std::string> keys;    ///< What the messages' keys point into.
    std::vector<NewMessage> messages; ///< As many of the batch as come before `bad`.
    std::uint64_t end = 0;            ///< Where they end in the file.
    std::uint64_t deleted_in_source = 0;
    bool more = true;            ///< The source goes on behind them.
    std::optional<Error> damage; ///< With until_damage: why it does not.
    std::optional<Error> bad;    ///< Ends the import: a message that cannot be taken.
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
          mark_(std::move(mark)), keys_(std::move(keys)) {}

    Result<ImportReport> run();

private:
    Result<void> seek_to_mark();
    Result<void> refuse_if_damaged();
    /// The next batch, read on a thread of its own while the one before goes into the database.
    std::future<Result<std::unique_ptr<Drafts>>> read_ahead();
    Result<std::unique_ptr<Drafts>> read();
    Result<void> fill(Drafts& drafts);
    void find_keys(Drafts& drafts);
    std::optional<Error> find_key(const Batch& batch, std::size_t index, std::string_view& key);
    Error error_at(std::uint64_t offset, const std::string& what) const;
    Result<void> offer(const Drafts& drafts);
    Result<void> write_behind();

    Database& database_;
    const std::string& path_;
    const ImportOptions& options_;
    RecordSource& source_; // With keys_, the reader's while one is ahead.
    SourceMark mark_;
    MessageKeys keys_;
    ImportReport report_;
    static constexpr std::uint64_t kFlushBytes = 16 * 1024 * 1024;
    std::uint64_t flushed_to_ = 0;
    std::future<Result<void>> flushing_; // Last: it is waited for before the rest goes.
};

Result<ImportReport> Import::run() {
    report_.size_bytes = source_.size_bytes();
    if (!options_.readmit) SLUICE_TRY(seek_to_mark());
    if (!options_.until_damage) SLUICE_TRY(refuse_if_damaged());
    std::unique_ptr<Drafts> drafts;
    auto ahead = read_ahead();
    do {
        if (options_.interrupted && options_.interrupted()) {
            report_.interrupted = true;
            break;
        }
        SLUICE_TRY_ASSIGN(drafts, ahead.get());
        if (drafts->more && !drafts->bad) ahead = read_ahead();
        SLUICE_TRY(offer(*drafts));
        if (drafts->bad) break;
        SLUICE_TRY(write_behind());
        if (options_.progress) options_.progress({"importing", report_.end, report_.size_bytes});
    } while (drafts->more);
    SLUICE_TRY(database_.flush());
    if (drafts && drafts->bad) return *drafts->bad;
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

std::future<Result<std::unique_ptr<Drafts>>> Import::read_ahead() {
    return std::async(std::launch::async, [this] { return read(); });
}

Result<std::unique_ptr<Drafts>> Import::read() {
    auto drafts = std::make_unique<Drafts>();
    SLUICE_TRY(fill(*drafts));
    drafts->end = source_.offset();
    find_keys(*drafts);
    return drafts;
}

Result<void> Import::fill(Drafts& drafts) {
    while (!drafts.batch.is_full(options_)) {
        const auto record = source_.next();
        if (!record) {
            if (!options_.until_damage || record.error().code != Errc::corrupt) {
                return record.error();
            }
            drafts.damage = record.error();
        }
        drafts.more = record && *record;
        if (!drafts.more) break;
        if ((*record)->deleted) {
            ++drafts.deleted_in_source;
        } else {
            drafts.batch.add(**record);
        }
    }
    drafts.batch.pad();
    return {};
}

void Import::find_keys(Drafts& drafts) {
    const Batch& batch = drafts.batch;
    drafts.keys.resize(batch.size());
    drafts.messages.reserve(batch.size());
    for (std::size_t index = 0; index < batch.size(); ++index) {
        std::string_view key;
        drafts.bad = find_key(batch, index, key);
        if (drafts.bad) {
            drafts.end = batch.source_offset(index);
            return;
        }
        drafts.keys[index] = key;
        drafts.messages.push_back({batch.body(index), drafts.keys[index]});
    }
}

std::optional<Error> Import::find_key(const Batch& batch, std::size_t index,
                                      std::string_view& key) {
    const std::string_view body = batch.body(index);
    std::optional<std::string_view> found;
    if (source_.format() == ForeignFormat::json_lines) {
        const MessageKeys::Checked checked = keys_.find_checked(body);
        if (!checked.is_json) {
            const std::uint64_t offset = batch.source_offset(index);
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
        return error_at(batch.source_offset(index), "an application key over 65,535 bytes");
    }
    if (options_.check) {
        const std::string wrong = options_.check(body);
        if (!wrong.empty()) return error_at(batch.source_offset(index), wrong);
    }
    return {};
}

Error Import::error_at(std::uint64_t offset, const std::string& what) const {
    return {Errc::invalid_argument, path_ + ", byte " + std::to_string(offset) + ": " + what};
}

Result<void> Import::offer(const Drafts& drafts) {
    report_.deleted_in_source += drafts.deleted_in_source;
    report_.damage = drafts.damage;
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
        if (outcome == Offered::refused || outcome == Offered::kept_out) ++report_.refused;
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
