// Opening a segment. The index, where there is one, covers entries that were durable when it was
// written. What lies behind it is scanned. A place that holds no whole entry is one of two things:
//   * damage to an entry that once was durable: it keeps its seq, and is reported when it is read;
//   * the torn tail of batches that no sync() had acknowledged: it is cut off with all behind it.
// They are told apart by what other headers say: each notes the last seq that was known durable
// when it was written. In a segment that is not the last everything is durable, because the next
// one is only begun after a sync. What no header says was durable is written again, and synced.
#include "log/log_segment.hpp"

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/checksum.hpp"
#include "base/try.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace sluice {

using namespace log_format;

namespace {

constexpr std::uint64_t kBlockSize = 4096;

std::string name_with(Seq first, const char* extension) {
    std::array<char, 32> name{};
    std::snprintf(name.data(), name.size(), "%020llu%s",
                  static_cast<unsigned long long>(first.value), extension);
    return name.data();
}

std::optional<EntryHeader> header_in(std::string_view bytes, std::uint64_t offset,
                                     std::uint64_t seed) {
    if (offset > bytes.size() || bytes.size() - offset < kEntryHeaderSize) return std::nullopt;
    const auto header = decode_entry_header(bytes.substr(offset, kEntryHeaderSize), seed);
    if (!header || header->size_on_disk() > bytes.size() - offset) return std::nullopt;
    return header;
}

bool is_intact(const EntryHeader& header, std::string_view payload) {
    return header.state == kErased ||
           (header.state == kLive && checksum32(payload) == header.payload_check);
}

} // namespace

std::string LogSegment::file_name(Seq first) {
    return name_with(first, ".log");
}
std::string LogSegment::index_name(Seq first) {
    return name_with(first, ".idx");
}

Result<void> LogSegment::start(std::unique_ptr<File> file, std::uint64_t size_bytes) {
    file_ = std::move(file);
    SLUICE_ASSERT(place_.capacity_bytes >= size_bytes);
    SLUICE_TRY_ASSIGN(map_, file_->map(place_.capacity_bytes));
    offsets_ =
        std::make_unique_for_overwrite<std::uint32_t[]>(place_.capacity_bytes / kEntryHeaderSize);
    size_bytes_ = size_bytes;
    return {};
}

Result<std::unique_ptr<LogSegment>> LogSegment::create(const Place& place) {
    SLUICE_ASSERT(place.capacity_bytes <= kCapacityBytesMax + kSegmentHeaderSize);
    std::unique_ptr<LogSegment> segment(new LogSegment(place));
    // A file of this name can only be what a crash left of an earlier create(): nothing in it was
    // acknowledged.
    SLUICE_TRY_ASSIGN(auto file, place.directory->open(file_name(place.first), Create::if_missing));
    SLUICE_TRY(file->truncate(0));
    SLUICE_TRY(file->write_at(0, encode_segment_header(place.database, place.first)));
    SLUICE_TRY(file->sync());
    SLUICE_TRY(place.directory->sync());
    SLUICE_TRY(segment->start(std::move(file), kSegmentHeaderSize));
    return segment;
}

Result<std::unique_ptr<LogSegment>> LogSegment::open(const Place& place,
                                                     std::optional<Seq> next_first,
                                                     std::vector<std::string>& notes) {
    SLUICE_TRY_ASSIGN(auto file, place.directory->open(file_name(place.first), Create::never));
    std::uint64_t size_bytes = file->size_bytes();
    // A damaged header costs nothing: the file's name says the same.
    SLUICE_TRY_ASSIGN(const bool has_header, check_header(place, *file));
    if (!has_header && !place.read_only) {
        SLUICE_TRY(file->write_at(0, encode_segment_header(place.database, place.first)));
        SLUICE_TRY(file->sync());
        size_bytes = file->size_bytes();
    }
    Place sized = place;
    sized.capacity_bytes = std::max(place.capacity_bytes, size_bytes);
    std::unique_ptr<LogSegment> segment(new LogSegment(sized));
    SLUICE_TRY(segment->start(std::move(file), size_bytes));
    segment->index_ = segment->load_index();
    SLUICE_TRY_ASSIGN(const std::vector<Found> found, segment->scan_tail());
    SLUICE_TRY(segment->take_tail(found, next_first, notes));
    return segment;
}

Result<bool> LogSegment::check_header(const Place& place, const File& file) {
    const std::string path = place.directory->path() + "/" + file_name(place.first);
    if (file.size_bytes() > kCapacityBytesMax + kSegmentHeaderSize) {
        return Error{Errc::corrupt, path + " is larger than a segment can be"};
    }
    std::string raw(std::min(file.size_bytes(), kSegmentHeaderSize), '\0');
    SLUICE_TRY(file.read_at(0, raw.data(), raw.size()));
    const auto header = decode_segment_header(raw);
    if (!header) {
        if (header.error().code == Errc::corrupt) return false;
        return Error{header.error().code, path + ": " + header.error().context};
    }
    if (header->database != place.database) {
        return Error{Errc::corrupt, path + " belongs to another database"};
    }
    if (header->first != place.first) {
        return Error{Errc::corrupt, path + " holds the segment that begins with entry " +
                                        std::to_string(header->first.value)};
    }
    return true;
}

Result<bool> LogSegment::has_header(const Place& place) {
    SLUICE_TRY_ASSIGN(const auto file,
                      place.directory->open(file_name(place.first), Create::never));
    return check_header(place, *file);
}

Result<bool> LogSegment::exists(const Place& place) {
    SLUICE_TRY_ASSIGN(auto file, place.directory->open(file_name(place.first), Create::never));
    const auto has_header = check_header(place, *file);
    // Also what open() will refuse.
    if (!has_header || *has_header || place.first == Seq{1}) return true;
    Place sized = place;
    sized.capacity_bytes = file->size_bytes();
    LogSegment segment(sized);
    SLUICE_TRY(segment.start(std::move(file), sized.capacity_bytes));
    if (segment.load_index() == Index::used) return true;
    SLUICE_TRY_ASSIGN(const std::vector<Found> found, segment.scan_tail());
    return !found.empty();
}

LogSegment::Index LogSegment::load_index() {
    size_bytes_ = kSegmentHeaderSize;
    auto file = place_.directory->open(index_name(first()), Create::never);
    if (!file) return file.error().code == Errc::not_found ? Index::none : Index::refused;
    const std::uint64_t file_size = (*file)->size_bytes();
    std::string head(kIndexHeaderSize, '\0');
    if (file_size < head.size() || !(*file)->read_at(0, head.data(), head.size())) {
        return Index::refused;
    }
    const auto header = decode_index_header(head);
    if (!header || header->first != first() || header->covered_size > file_->size_bytes() ||
        header->covered_size < kSegmentHeaderSize || header->covered_size % 8 != 0 ||
        header->entry_count > header->covered_size / kEntryHeaderSize ||
        header->change_count > header->entry_count ||
        file_size != kIndexHeaderSize + header->change_count * 8 + header->entry_count * 4) {
        return Index::refused;
    }
    std::string changes(header->change_count * 8, '\0');
    if (!(*file)->read_at(kIndexHeaderSize, changes.data(), changes.size()) ||
        !index_check_matches(head, changes) ||
        !(*file)->read_at(kIndexHeaderSize + changes.size(),
                          reinterpret_cast<char*>(offsets_.get()), header->entry_count * 4)) {
        return Index::refused;
    }
    for (std::size_t i = 0; i < header->change_count; ++i) {
        changes_.push_back({get_le<std::uint64_t>(changes.data() + i * 8)});
    }
    for (std::uint64_t i = 0; i < header->entry_count; ++i) {
        if (offsets_[i] == 0) damaged_.push_back({first().value + i});
    }
    entry_count_ = header->entry_count;
    size_bytes_ = header->covered_size;
    return Index::used;
}

std::optional<EntryHeader> LogSegment::header_at(std::uint64_t offset, std::uint64_t end) const {
    return header_in(map_.bytes(0, end), offset, seed_);
}

std::vector<LogSegment::Found> LogSegment::scan(std::string_view tail) const {
    std::vector<Found> found;
    Seq expected = last().next();
    std::uint64_t offset = 0;
    std::uint64_t searched_from = 0;
    while (offset + kEntryHeaderSize <= tail.size()) {
        const auto header = header_in(tail, offset, seed_);
        // Not an entry, or one that claims more before it than there was room for: look further.
        const std::uint64_t room = (offset - searched_from) / kEntryHeaderSize;
        if (!header || header->seq < expected || header->seq.value - expected.value > room) {
            offset += 8;
            continue;
        }
        const auto payload = tail.substr(offset + kEntryHeaderSize, header->payload_size);
        found.push_back({size_bytes() + offset, *header, is_intact(*header, payload)});
        expected = header->seq.next();
        offset += header->size_on_disk();
        searched_from = offset;
    }
    return found;
}

Result<std::vector<LogSegment::Found>> LogSegment::scan_tail(std::uint64_t bytes_max) const {
    if (file_->size_bytes() <= size_bytes()) return std::vector<Found>();
    const std::uint64_t tail_size = std::min(file_->size_bytes() - size_bytes(), bytes_max);
    if (!place_.read_only) return scan(map_.bytes(size_bytes(), tail_size));
    // Whoever writes may be about to cut the tail off, and there is no touching a map behind the
    // end of its file.
    std::string tail(tail_size, '\0');
    if (auto read = file_->read_at(size_bytes(), tail.data(), tail.size()); !read) {
        if (read.error().code == Errc::corrupt) return std::vector<Found>();
        return read.error();
    }
    return scan(tail);
}

Result<std::uint64_t> LogSegment::follow(std::uint64_t bytes_max) {
    SLUICE_TRY(file_->look_again());
    const std::uint64_t end = file_->size_bytes();
    if (end < size_bytes()) {
        return Error{Errc::corrupt, place_.directory->path() + "/" + file_name(first()) +
                                        " is shorter than it was; open the database again"};
    }
    if (is_outgrown()) return end - size_bytes();
    std::vector<std::string> unfinished; // It is being written.
    for (const Seq known = last(); size_bytes() < end; bytes_max = ~std::uint64_t{0}) {
        SLUICE_TRY_ASSIGN(const std::vector<Found> found, scan_tail(bytes_max));
        SLUICE_TRY(take_tail(found, std::nullopt, unfinished));
        if (last() > known || bytes_max >= end - size_bytes()) break;
    }
    return end - size_bytes();
}

Seq LogSegment::durable_at_least(const std::vector<Found>& found) const {
    Seq durable = last(); // The index covers only what was durable.
    for (const Found& each : found) {
        const std::uint64_t behind = each.header.durable_behind;
        const std::uint64_t seq = each.header.seq.value;
        durable = std::max(durable, Seq{seq - std::min(seq, behind)});
    }
    return durable;
}

Result<void> LogSegment::take_tail(const std::vector<Found>& found, std::optional<Seq> next_first,
                                   std::vector<std::string>& notes) {
    const Seq durable = next_first ? Seq{next_first->value - 1} : durable_at_least(found);

    // Take entries up to the last whole batch, and no further than the first that is missing or
    // damaged without ever having been durable.
    std::size_t whole = 0; // How many of `found` lie in whole batches.
    Seq expected = last().next();
    for (std::size_t i = 0; i < found.size(); ++i) {
        const Found& each = found[i];
        const bool gap = each.header.seq != expected;
        if ((gap && Seq{each.header.seq.value - 1} > durable) ||
            (!each.intact && each.header.seq > durable)) {
            break;
        }
        expected = each.header.seq.next();
        if (each.header.batch_left == 0 || each.header.seq <= durable) whole = i + 1;
    }

    std::optional<std::uint64_t> never_known_durable;
    for (std::size_t i = 0; i < whole; ++i) {
        const Found& each = found[i];
        if (!never_known_durable && each.header.seq > durable) never_known_durable = each.offset;
        while (last().next() < each.header.seq) add_damaged();
        if (!each.intact) damaged_.push_back(each.header.seq);
        add_entry(each.offset, each.header.kind);
        size_bytes_ = each.offset + each.header.size_on_disk();
    }
    if (next_first) {
        size_bytes_ = file_->size_bytes();
        return {};
    }
    if (size_bytes() < file_->size_bytes()) {
        notes.push_back(file_name(first()) + ": " + (place_.read_only ? "there are " : "cut ") +
                        std::to_string(file_->size_bytes() - size_bytes()) +
                        " bytes of unfinished writes " + (place_.read_only ? "at" : "off") +
                        " its end, behind seq " + std::to_string(last().value));
        if (place_.read_only) return {};
        // Zeros first: what was never acknowledged is not left to lie around in free blocks either.
        SLUICE_TRY(overwrite_with_zeros(*file_, size_bytes(), file_->size_bytes() - size_bytes()));
        SLUICE_TRY(file_->sync());
        SLUICE_TRY(file_->truncate(size_bytes()));
        SLUICE_TRY(file_->sync());
    }
    if (never_known_durable && !place_.read_only) SLUICE_TRY(write_again(*never_known_durable));
    return {};
}

/// Puts the bytes from here on where they are already. If the last program's sync failed, ext4 and
/// xfs keep them in memory and count them as written: no later sync would write them, and what we
/// found would be gone with the power although everything behind it was durable.
Result<void> LogSegment::write_again(std::uint64_t from) {
    std::string part;
    for (; from < size_bytes(); from += part.size()) {
        part = map_.bytes(from, std::min<std::uint64_t>(size_bytes() - from, 256 * 1024));
        SLUICE_TRY(file_->write_at(from, part));
    }
    return {};
}

void LogSegment::add_entry(std::uint64_t offset, Kind kind) {
    const std::uint64_t index = entry_count_.load(std::memory_order_relaxed);
    SLUICE_ASSERT(index < place_.capacity_bytes / kEntryHeaderSize);
    if (kind == Kind::change) changes_.push_back({first().value + index});
    offsets_[index] = static_cast<std::uint32_t>(offset);
    entry_count_.store(index + 1, std::memory_order_release);
}

void LogSegment::add_damaged() {
    damaged_.push_back(last().next());
    add_entry(0, Kind::message);
}

Error LogSegment::damaged_error(Seq seq) const {
    return {Errc::corrupt,
            "entry " + std::to_string(seq.value) + " is damaged, in " + file_name(first())};
}

std::optional<std::uint64_t> LogSegment::search(Seq seq) const {
    std::call_once(searched_, [&] {
        for (std::uint64_t offset = kSegmentHeaderSize; offset < size_bytes();) {
            const auto header = header_at(offset, size_bytes());
            if (header) found_by_search_.emplace(header->seq.value, offset);
            offset += header ? header->size_on_disk() : 8;
        }
    });
    const auto found = found_by_search_.find(seq.value);
    return found != found_by_search_.end() ? std::optional(found->second) : std::nullopt;
}

Result<LogSegment::Located> LogSegment::locate(Seq seq) const {
    SLUICE_ASSERT(seq >= first());
    // Behind the last entry that is left, and before the next segment: lost.
    std::uint64_t offset = seq <= last() ? offsets_[seq.value - first().value] : 0;
    if (offset == 0) return damaged_error(seq);
    auto header = header_at(offset, size_bytes());
    if (!header || header->seq != seq) {
        // Either the entry is damaged, or the index is and the entry lies elsewhere.
        const auto elsewhere = search(seq);
        header = elsewhere ? header_at(*elsewhere, size_bytes()) : std::nullopt;
        if (!header) return damaged_error(seq);
        offset = *elsewhere;
    }
    return Located{*header, offset, map_.bytes(offset + kEntryHeaderSize, header->payload_size)};
}

Result<LogSegment::Located> LogSegment::read(Seq seq) const {
    SLUICE_TRY_ASSIGN(const Located located, locate(seq));
    if (is_intact(located.header, located.payload)) return located;
    // Whoever writes may be wiping it just now, also in another process. Then it has the mark.
    std::atomic_thread_fence(std::memory_order_acquire);
    SLUICE_TRY_ASSIGN(const Located by_now, locate(seq));
    if (by_now.header.state != kErased) return damaged_error(seq);
    return by_now;
}

Result<void> LogSegment::append(std::string_view bytes, const std::vector<NewEntry>& entries) {
    const std::uint64_t at = size_bytes();
    SLUICE_ASSERT(at + bytes.size() <= place_.capacity_bytes && at % 8 == 0);
    SLUICE_TRY(file_->write_at(at, bytes));
    size_bytes_.store(at + bytes.size(), std::memory_order_release);
    for (const NewEntry& each : entries) add_entry(at + each.offset, each.kind);
    return {};
}

Result<void> LogSegment::save_index() {
    std::string change_seqs;
    for (const Seq seq : changes_) append_le(change_seqs, seq.value);
    std::string raw =
        encode_index_head({first(), entry_count(), size_bytes(), changes_.size()}, change_seqs);
    raw.append(reinterpret_cast<const char*>(offsets_.get()), entry_count() * 4);

    // Synced and renamed into place, so that the index is the old one or the new one: the check
    // does not cover the offsets, and a torn one would name entries that are damaged and are not.
    const std::string temporary = index_name(first()) + ".new";
    {
        SLUICE_TRY_ASSIGN(const auto file, place_.directory->open(temporary, Create::if_missing));
        SLUICE_TRY(file->truncate(0));
        SLUICE_TRY(file->write_at(0, raw));
        SLUICE_TRY(file->sync());
    }
    SLUICE_TRY(place_.directory->rename(temporary, index_name(first())));
    index_ = Index::used;
    return {};
}

bool LogSegment::is_index_damaged() const {
    if (index_ != Index::used) return index_ == Index::refused;
    for (Seq seq = first(); seq <= last(); seq = seq.next()) {
        const auto located = locate(seq);
        if (located && located->offset != offsets_[seq.value - first().value]) return true;
    }
    return false;
}

Result<LogSegment::Extent> LogSegment::extent_of(Seq seq) const {
    if (const auto located = locate(seq)) {
        return Extent{located->offset + kStatePosition,
                      located->offset + located->header.size_on_disk(), seq, seq, true};
    }
    if (seq > last()) return damaged_error(seq);
    Extent extent{kSegmentHeaderSize, size_bytes(), seq, seq, false};
    for (; extent.first > first(); extent.first = {extent.first.value - 1}) {
        const auto before = locate({extent.first.value - 1});
        if (!before) continue;
        extent.begin = before->offset + before->header.size_on_disk();
        break;
    }
    for (; extent.last < last(); extent.last = extent.last.next()) {
        const auto behind = locate(extent.last.next());
        if (!behind) continue;
        extent.end = behind->offset;
        break;
    }
    if (extent.begin >= extent.end) return damaged_error(seq); // It is not between them.
    return extent;
}

Result<void> LogSegment::overwrite(const Extent& extent) {
    // The change entry that ordered this is durable already, so what is torn here is finished by
    // the next open() whatever the mark says. But the mark first, and by itself: whoever reads
    // meanwhile is to find no payload that does not check without it.
    std::uint64_t begin = extent.begin;
    if (extent.has_header) {
        SLUICE_TRY(file_->write_at(begin, std::string_view(&kErased, 1)));
        ++begin;
    }
    return overwrite_with_zeros(*file_, begin, extent.end - begin);
}

Result<bool> LogSegment::is_wiped(const Extent& extent) const {
    std::uint64_t at = extent.begin;
    if (extent.has_header) {
        if (map_.bytes(at, 1).front() != kErased) return false;
        ++at;
    }
    std::string part;
    while (at < extent.end) {
        part.resize(std::min<std::uint64_t>(extent.end - at, 64 * 1024));
        SLUICE_TRY(file_->read_at(at, part.data(), part.size()));
        if (part.find_first_not_of('\0') != std::string::npos) return false;
        at += part.size();
    }
    return true;
}

Result<void> LogSegment::punch_holes(const Extent& extent) {
    const std::uint64_t from =
        extent.has_header ? extent.begin + kEntryHeaderSize - kStatePosition : extent.begin;
    const std::uint64_t first_block = (from + kBlockSize - 1) / kBlockSize * kBlockSize;
    const std::uint64_t end = extent.end / kBlockSize * kBlockSize;
    if (first_block >= end) return {};
    return file_->punch_hole(first_block, end - first_block);
}

} // namespace sluice
