#include "log/log.hpp"

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/checksum.hpp"
#include "base/memory.hpp"
#include "base/secret.hpp"
#include "base/try.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>

#include <sodium.h>

namespace sluice {

using namespace log_format;

namespace {

constexpr const char* kIdentityName = "identity";
constexpr std::size_t kBatchBytesKept = 8 * 1024 * 1024;
constexpr std::size_t kEntryAlignment = 8;

std::optional<Seq> first_seq_in_name(const std::string& name, std::string_view extension = ".log") {
    std::uint64_t value = 0;
    const char* const end = name.data() + name.size();
    const auto [rest, error] = std::from_chars(name.data(), end, value);
    if (error != std::errc{} || std::string_view(rest, end) != extension) return std::nullopt;
    return Seq{value};
}

/// What a crash in create(), or looking for a log where there was none, leaves behind.
bool may_precede_log(const std::string& name) {
    return name == Log::kLockName || name == replacement_name(kIdentityName) ||
           name == LogSegment::file_name({1});
}

/// Leaves of a batch's bytes, however its appending ends, no secret and not too much.
class BatchBytesLeft {
public:
    BatchBytesLeft(std::string& bytes, std::span<const Log::Draft> batch) : bytes_(bytes) {
        has_secrets_ = std::any_of(batch.begin(), batch.end(),
                                   [](const Log::Draft& draft) { return draft.is_secret; });
        if (!has_secrets_) return;
        std::size_t size = 0;
        for (const Log::Draft& draft : batch) {
            size += kEntryHeaderSize + draft.key.size() + draft.body.size() + kEntryAlignment;
        }
        bytes_.reserve(size); // Growing would leave copies.
    }
    BatchBytesLeft(const BatchBytesLeft&) = delete;
    BatchBytesLeft& operator=(const BatchBytesLeft&) = delete;
    ~BatchBytesLeft() {
        if (has_secrets_) wipe(bytes_);
        if (bytes_.capacity() > kBatchBytesKept) std::string().swap(bytes_);
    }

private:
    std::string& bytes_;
    bool has_secrets_;
};

/// Without an id.
Result<Identity> with_new_secret() {
    if (sodium_init() < 0) return Error{Errc::io, "the system has no source of randomness"};
    Identity identity;
    randombytes_buf(identity.secret.data(), identity.secret.size());
    return identity;
}

Error entry_not_found(Seq seq, Seq last) {
    return {Errc::not_found, "there is no entry " + std::to_string(seq.value) +
                                 "; the last one is " + std::to_string(last.value)};
}

} // namespace

Log::Log(Directory& directory, const LogOptions& options, const Identity& identity)
    : directory_(&directory), options_(options), identity_(identity) {}

Log::~Log() {
    // A clean close leaves an index that covers everything, so that the next open() scans nothing.
    // A log that failed, or was never wholly open, does not know what is durable.
    if (write_failed_) return;
    static_cast<void>(or_out_of_memory([&]() -> Result<void> {
                          SLUICE_TRY(sync());
                          for (const auto& segment : segments_) {
                              const bool is_active = segment == segments_.back();
                              if (!is_active && !segment->needs_index()) continue;
                              SLUICE_TRY(segment->save_index());
                          }
                          return {};
                      }).has_value());
}

Result<void> Log::check_is_none(Directory& directory) {
    SLUICE_TRY_ASSIGN(const auto names, directory.list());
    if (std::all_of(names.begin(), names.end(), may_precede_log)) return {};
    return Error{Errc::exists, directory.path() + " is not empty"};
}

Result<void> Log::create(Directory& directory) {
    SLUICE_TRY(check_is_none(directory));
    SLUICE_TRY_ASSIGN(Identity identity, with_new_secret());
    randombytes_buf(identity.id.data(), identity.id.size());
    // The identity gets its name last: a directory without it is not yet a log.
    SLUICE_TRY(LogSegment::create({&directory, identity.id, {1}, kSegmentHeaderSize}));
    return replace_file(directory, kIdentityName, encode_identity(identity));
}

bool Log::has_name(const std::string& name) {
    return name == kIdentityName || name == replacement_name(kIdentityName) ||
           first_seq_in_name(name) || first_seq_in_name(name, ".idx") ||
           first_seq_in_name(name, ".idx.new");
}

Result<Identity> Log::identity_of(Directory& directory) {
    auto file = directory.open(kIdentityName, Create::never);
    if (!file) return file.error();
    std::string raw(kIdentitySize, '\0');
    SLUICE_TRY((*file)->read_at(0, raw.data(), raw.size()));
    return decode_identity(raw);
}

Result<std::vector<Log::SegmentLook>> Log::look_at_segments(Directory& directory) {
    SLUICE_TRY_ASSIGN(const Identity identity, identity_of(directory));
    SLUICE_TRY_ASSIGN(const auto names, directory.list());
    std::vector<SegmentLook> looks;
    for (const std::string& name : names) {
        const auto first = first_seq_in_name(name);
        if (!first) continue;
        SegmentLook look{name};
        const LogSegment::Place place{&directory, identity.id, *first, 0, true};
        const auto has_header = LogSegment::has_header(place);
        if (!has_header) {
            if (has_header.error().code != Errc::corrupt) return has_header.error();
            look.state = SegmentLook::State::misplaced;
            look.error = has_header.error();
        } else if (!*has_header) {
            SLUICE_TRY_ASSIGN(const bool exists, LogSegment::exists(place));
            look.state = exists ? SegmentLook::State::headless : SegmentLook::State::no_segment;
        }
        looks.push_back(std::move(look));
    }
    return looks;
}

Result<void> Log::restore_identity(Directory& directory) {
    SLUICE_TRY_ASSIGN(const auto names, directory.list());
    for (const std::string& name : names) {
        if (name == kIdentityName) return Error{Errc::exists, directory.path() + "/" + name};
    }
    for (const std::string& name : names) {
        if (!first_seq_in_name(name)) continue;
        SLUICE_TRY_ASSIGN(const auto file, directory.open(name, Create::never));
        std::string raw(std::min(file->size_bytes(), kSegmentHeaderSize), '\0');
        SLUICE_TRY(file->read_at(0, raw.data(), raw.size()));
        const auto header = decode_segment_header(raw);
        if (!header) continue;
        SLUICE_TRY_ASSIGN(Identity identity, with_new_secret());
        identity.id = header->database;
        return replace_file(directory, kIdentityName, encode_identity(identity));
    }
    return Error{Errc::corrupt,
                 directory.path() + " has no segment that says which database it belongs to"};
}

Result<std::unique_ptr<Log>> Log::open(Directory& directory, const LogOptions& options) {
    SLUICE_TRY_ASSIGN(const Identity identity, identity_of(directory));
    std::unique_ptr<Log> log(new Log(directory, options, identity));
    SLUICE_TRY(log->open_segments());
    return log;
}

LogSegment::Place Log::place_of(Seq first) const {
    return {directory_, identity_.id, first, options_.segment_size_bytes + kSegmentHeaderSize,
            options_.read_only};
}

Result<void> Log::open_segments() {
    SLUICE_TRY_ASSIGN(const auto names, directory_->list());
    std::vector<LogSegment::Place> places;
    for (const std::string& name : names) {
        const auto first = first_seq_in_name(name);
        if (!first) continue;
        const LogSegment::Place place = place_of(*first);
        // Power loss leaves one without its header, which has nothing in it: begin_segment() syncs
        // the header before the first entry is written.
        SLUICE_TRY_ASSIGN(const bool exists, LogSegment::exists(place));
        if (exists) {
            places.push_back(place);
        } else if (!options_.read_only) {
            recovery_notes_.push_back(directory_->path() + "/" + name +
                                      " is no segment of this log, and was passed over");
        }
    }
    if (places.empty()) {
        return Error{Errc::corrupt, directory_->path() + " has an identity but no segment"};
    }
    for (std::size_t i = 0; i < places.size(); ++i) {
        const std::optional<Seq> next =
            i + 1 < places.size() ? std::optional(places[i + 1].first) : std::nullopt;
        SLUICE_TRY_ASSIGN(auto segment, LogSegment::open(places[i], next, recovery_notes_));
        segments_.push_back(std::move(segment));
    }
    last_ = active().last().value;
    if (options_.read_only) return {};
    // What was scanned may still be in the page cache only; from here on it counts as durable. So
    // do the names in the directory, the catalog's among them: a view that somebody sees here must
    // not be gone tomorrow because the call that added it failed in its last sync.
    SLUICE_TRY(active().sync());
    SLUICE_TRY(directory_->sync());
    durable_ = last_.load();
    write_failed_ = false;
    return {};
}

Result<Log::Followed> Log::follow(Seq known, std::uint64_t bytes_max) {
    SLUICE_ASSERT(options_.read_only && options_.follows);
    Followed followed;
    for (;;) {
        LogSegment& segment = active();
        SLUICE_TRY_ASSIGN(followed.bytes_left, segment.follow(bytes_max));
        if (segment.is_outgrown()) {
            LogSegment::Place larger = place_of(segment.first());
            larger.capacity_bytes = 2 * segment.capacity_bytes();
            SLUICE_TRY_ASSIGN(auto opened, LogSegment::open(larger, {}, recovery_notes_));
            const std::unique_lock lock(segments_mutex_);
            std::swap(segments_.back(), opened);
            outgrown_.push_back(std::move(opened));
            continue;
        }
        last_.store(segment.last().value, std::memory_order_release);

        // The next one is begun when all before it is durable, and has its header before its first
        // entry.
        if (segment.entry_count() == 0 || followed.bytes_left > 0) break;
        const LogSegment::Place next = place_of(last().next());
        const auto has_header = LogSegment::has_header(next);
        if (!has_header && has_header.error().code != Errc::not_found) return has_header.error();
        if (!has_header || !*has_header) break;
        SLUICE_TRY_ASSIGN(auto opened, LogSegment::open(next, {}, recovery_notes_));
        const std::unique_lock lock(segments_mutex_);
        segments_.push_back(std::move(opened));
        last_.store(active().last().value, std::memory_order_release);
    }
    for (const auto& segment : segments_) {
        if (segment->last() <= known) continue;
        std::ranges::copy_if(segment->changes(), std::back_inserter(followed.changes),
                             [known](Seq seq) { return seq > known; });
    }
    return followed;
}

Result<void> Log::check_writable() const {
    if (write_failed_) {
        return Error{Errc::latched,
                     "an earlier write to " + directory_->path() + " failed; open it again"};
    }
    return {};
}

Result<void> Log::latch_failure(Result<void> written) {
    if (!written) write_failed_ = true;
    return written;
}

Result<void> Log::begin_segment(Seq first, std::uint64_t batch_size_bytes) {
    SLUICE_TRY(sync()); // Everything in a segment that is not the last is durable.
    static_cast<void>(active().save_index().has_value()); // It can be made again.
    const std::uint64_t capacity =
        kSegmentHeaderSize + std::max(options_.segment_size_bytes, batch_size_bytes);
    SLUICE_TRY_ASSIGN(auto segment,
                      LogSegment::create({directory_, identity_.id, first, capacity}));
    const std::unique_lock lock(segments_mutex_);
    segments_.push_back(std::move(segment));
    return {};
}

Result<Seq> Log::append(std::span<const Draft> batch) {
    SLUICE_TRY(check_writable());
    if (batch.empty() || batch.size() > std::numeric_limits<std::uint32_t>::max()) {
        return Error{Errc::invalid_argument, "a batch needs at least one entry"};
    }
    const Seq first = last().next();
    const std::uint64_t seed = check_seed(identity_.id);
    std::string& bytes = batch_bytes_;
    bytes.clear();
    const BatchBytesLeft left(bytes, batch);
    std::vector<LogSegment::NewEntry> entries;
    entries.reserve(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const Draft& draft = batch[i];
        if (draft.key.size() > kKeySizeBytesMax ||
            (draft.kind == Kind::message && draft.body.size() > kBodySizeBytesMax)) {
            return Error{Errc::invalid_argument,
                         "message " + std::to_string(i + 1) + " of the batch is too large: key " +
                             std::to_string(draft.key.size()) + " of at most 65535 bytes, body " +
                             std::to_string(draft.body.size()) + " of at most 16 MiB"};
        }
        const std::uint64_t offset = bytes.size();
        entries.push_back({offset, draft.kind});
        EntryHeader header;
        header.payload_size = static_cast<std::uint32_t>(draft.key.size() + draft.body.size());
        header.seq = {first.value + i};
        header.batch_left = static_cast<std::uint32_t>(batch.size() - 1 - i);
        header.durable_behind = static_cast<std::uint32_t>(std::min<std::uint64_t>(
            header.seq.value - durable().value, std::numeric_limits<std::uint32_t>::max()));
        header.key_size = static_cast<std::uint16_t>(draft.key.size());
        header.kind = draft.kind;
        append_entry_header(bytes, header, seed);
        bytes.append(draft.key).append(draft.body);
        put_le(bytes.data() + offset + kPayloadCheckPosition,
               checksum32(std::string_view(bytes).substr(offset + kEntryHeaderSize)));
        bytes.resize(offset + header.size_on_disk());
        if (bytes.size() > LogSegment::kCapacityBytesMax) {
            return Error{Errc::invalid_argument, "the batch is larger than 2 GiB"};
        }
    }

    const std::uint64_t size_after = active().size_bytes() + bytes.size();
    SLUICE_ASSERT(active().capacity_bytes() >= options_.segment_size_bytes + kSegmentHeaderSize);
    if (size_after > options_.segment_size_bytes + kSegmentHeaderSize &&
        (active().entry_count() > 0 || size_after > active().capacity_bytes())) {
        SLUICE_TRY(latch_failure(begin_segment(first, bytes.size())));
    }
    SLUICE_TRY(latch_failure(active().append(bytes, entries)));
    last_.store(active().last().value, std::memory_order_release);
    return first;
}

Result<void> Log::sync() {
    return sync_up_to(last());
}

Result<void> Log::sync_up_to(Seq seq) {
    if (options_.read_only || durable() >= seq) return {}; // Nothing of ours is waiting.
    const std::lock_guard lock(sync_mutex_);
    if (durable() >= seq) return {}; // Somebody's sync covered ours while we waited for the lock.
    SLUICE_TRY(check_writable());
    LogSegment* segment = nullptr;
    Seq reached;
    {
        // Only the last segment can hold anything that is not durable: begin_segment() syncs.
        const std::shared_lock segments_lock(segments_mutex_);
        segment = segments_.back().get();
        reached = segment->last();
    }
    SLUICE_TRY(latch_failure(segment->sync()));
    durable_ = reached.value; // Only here, one at a time, so that it grows.
    return {};
}

const LogSegment* Log::segment_of(Seq seq) const {
    const std::shared_lock lock(segments_mutex_);
    auto behind = std::upper_bound(
        segments_.begin(), segments_.end(), seq,
        [](Seq s, const std::unique_ptr<LogSegment>& segment) { return s < segment->first(); });
    if (behind == segments_.begin()) return nullptr;
    return std::prev(behind)->get();
}

Result<const LogSegment*> Log::find_segment(Seq seq) const {
    if (seq > last() || seq == Seq{}) return entry_not_found(seq, last());
    const LogSegment* const segment = segment_of(seq);
    if (segment == nullptr) {
        return Error{Errc::corrupt,
                     "entry " + std::to_string(seq.value) + " is lost with its segment"};
    }
    return segment;
}

Log::Entry Log::entry_of(const LogSegment::Located& located) {
    const EntryHeader& header = located.header;
    if (header.state == kErased) return Entry{header.kind, true, {}, {}};
    return Entry{header.kind, false, located.payload.substr(0, header.key_size),
                 located.payload.substr(header.key_size)};
}

Result<Log::Entry> Log::read(Seq seq) const {
    SLUICE_TRY_ASSIGN(const LogSegment* const segment, find_segment(seq));
    SLUICE_TRY_ASSIGN(const auto located, segment->read(seq));
    return entry_of(located);
}

Result<Log::Entry> Log::read_back(Seq seq) const {
    SLUICE_TRY_ASSIGN(const LogSegment* const segment, find_segment(seq));
    SLUICE_TRY_ASSIGN(const auto located, segment->locate(seq));
    return entry_of(located);
}

Result<void> Log::wipe(std::span<const Seq> seqs) {
    SLUICE_TRY(check_writable());
    struct Overwritten {
        LogSegment* segment;
        LogSegment::Extent extent;
    };
    std::vector<Overwritten> overwritten;
    Result<void> found_all;
    for (const Seq seq : seqs) {
        const auto found = find_segment(seq);
        if (!found && found.error().code != Errc::corrupt) return found.error();
        const bool is_done = !overwritten.empty() && seq >= overwritten.back().extent.first &&
                             seq <= overwritten.back().extent.last;
        if (is_done) continue;
        // Of an entry that is lost with its file nobody can say where it lies. The others are wiped
        // all the same.
        const auto extent = found ? (*found)->extent_of(seq) : found.error();
        if (!extent) {
            if (found_all) found_all = extent.error();
            continue;
        }
        auto* const segment = const_cast<LogSegment*>(*found);
        SLUICE_TRY(latch_failure(segment->overwrite(*extent)));
        overwritten.push_back({segment, *extent});
    }
    LogSegment* synced = nullptr;
    for (const auto& [segment, extent] : overwritten) {
        if (segment != std::exchange(synced, segment)) SLUICE_TRY(latch_failure(segment->sync()));
    }
    for (const auto& [segment, extent] : overwritten) {
        SLUICE_TRY_ASSIGN(const bool wiped, segment->is_wiped(extent));
        if (!wiped) {
            return latch_failure(
                Error{Errc::corrupt,
                      "entry " + std::to_string(extent.first.value) + " did not stay overwritten"});
        }
        // Only now: a hole punched before the zeros are durable would leave the old blocks as they
        // are, outside the file.
        SLUICE_TRY(latch_failure(segment->punch_holes(extent)));
    }
    return found_all;
}

std::pair<Seq, Seq> Log::wiped_with(Seq seq) const {
    const auto segment = find_segment(seq);
    if (!segment) return {seq, seq};
    const auto extent = (*segment)->extent_of(seq);
    return extent ? std::pair(extent->first, extent->last) : std::pair(seq, seq);
}

std::vector<std::string> Log::damaged_indexes() const {
    std::vector<std::string> names;
    for (const auto& segment : segments_) {
        if (segment->is_index_damaged()) names.push_back(LogSegment::index_name(segment->first()));
    }
    return names;
}

bool Log::is_lost(Seq seq) const {
    const auto segment = find_segment(seq);
    return !segment || !(*segment)->extent_of(seq);
}

Result<std::vector<Seq>> Log::not_wiped(std::span<const Seq> seqs) const {
    std::vector<Seq> left;
    for (const Seq seq : seqs) {
        const auto segment = find_segment(seq);
        if (!segment) continue;
        const auto extent = (*segment)->extent_of(seq);
        if (!extent) continue;
        SLUICE_TRY_ASSIGN(const bool is_wiped, (*segment)->is_wiped(*extent));
        if (!is_wiped) left.push_back(seq);
    }
    return left;
}

std::vector<Seq> Log::changes_at_open() const {
    std::vector<Seq> changes;
    for (const auto& segment : segments_) {
        changes.insert(changes.end(), segment->changes().begin(), segment->changes().end());
    }
    return changes;
}

std::vector<Seq> Log::damaged_at_open() const {
    std::vector<Seq> damaged;
    Seq expected{1};
    for (const auto& segment : segments_) {
        for (Seq seq = expected; seq < segment->first(); seq = seq.next()) damaged.push_back(seq);
        damaged.insert(damaged.end(), segment->damaged().begin(), segment->damaged().end());
        expected = segment->last().next();
    }
    return damaged;
}

std::vector<Log::Damage> Log::check(const std::function<void(Seq)>& progress) const {
    std::vector<Damage> damages;
    for (Seq seq{1}; seq <= last(); seq = seq.next()) {
        progress(seq);
        if (read(seq)) continue;
        const LogSegment* const segment = segment_of(seq);
        const auto extent =
            segment != nullptr ? segment->extent_of(seq) : Result<LogSegment::Extent>(Error{});
        if (extent) {
            damages.push_back({seq, extent->last, LogSegment::file_name(segment->first()),
                               extent->begin, extent->end});
            seq = extent->last;
        } else if (!damages.empty() && damages.back().file.empty() &&
                   damages.back().last.next() == seq) {
            damages.back().last = seq;
        } else {
            damages.push_back({seq, seq, {}, 0, 0});
        }
    }
    return damages;
}

std::uint64_t Log::size_bytes() const {
    const std::shared_lock lock(segments_mutex_);
    std::uint64_t size_bytes = 0;
    for (const auto& segment : segments_) size_bytes += segment->size_bytes();
    return size_bytes;
}

std::size_t Log::segment_count() const {
    const std::shared_lock lock(segments_mutex_);
    return segments_.size();
}

} // namespace sluice
