// A manifest file is never renamed and never shrinks while it counts: a new one has the next
// number, and counts from the moment that it holds a whole record. So at each point of a crash the
// greatest number with a whole record is the right one, all others are leftovers, and leftovers are
// overwritten before they are removed. (Renaming a new file over the old one would free the old
// bytes without overwriting them.)
#include "store/manifest.hpp"

#include "base/try.hpp"
#include "store/file_names.hpp"
#include "store/manifest_format.hpp"

#include <algorithm>

namespace sluice {

using namespace manifest_format;

namespace {

constexpr std::string_view kPrefix = "manifest-";
constexpr std::uint64_t kSizeBytesMax = 256 * 1024;
constexpr std::uint64_t kOldRecordsMax = 4; // Times the size of a file with the last record only.

/// The newest first.
Result<std::vector<std::uint64_t>> manifest_numbers(const Directory& directory) {
    SLUICE_TRY_ASSIGN(const std::vector<std::string> names, directory.list());
    std::vector<std::uint64_t> numbers = numbers_of(names, kPrefix);
    std::sort(numbers.rbegin(), numbers.rend());
    return numbers;
}

struct Loaded {
    std::unique_ptr<File> file;
    std::string bytes;
    std::optional<Error> damage; ///< Of the file's header.
    Frames frames;               ///< Empty where it is damaged.
};

Result<Loaded> load(Directory& directory, std::uint64_t number) {
    const std::string name = numbered_name(kPrefix, number);
    Loaded loaded;
    SLUICE_TRY_ASSIGN(loaded.file, directory.open(name, Create::never));
    SLUICE_TRY_ASSIGN(loaded.bytes, read_whole(*loaded.file));
    const auto header = check_file_header(loaded.bytes);
    if (!header && header.error().code == Errc::unsupported_version) {
        return Error{header.error().code,
                     directory.path() + "/" + name + ": " + header.error().context};
    }
    if (header) {
        loaded.frames = decode_frames(loaded.bytes);
    } else {
        loaded.damage = header.error();
    }
    return loaded;
}

/// What is wrong with a file whose records should end at `end`.
std::vector<std::string> problems_of(const Loaded& loaded, const std::string& path,
                                     std::uint64_t end) {
    if (loaded.damage) return {path + ": " + loaded.damage->context};
    std::vector<std::string> problems;
    if (loaded.frames.damaged > 0) {
        problems.push_back(path + ": " + std::to_string(loaded.frames.damaged) +
                           " damaged records");
    }
    if (loaded.frames.end != end) problems.push_back(path + ": the last record is damaged");
    return problems;
}

} // namespace

Result<Manifest> Manifest::open(Directory& directory) {
    Manifest manifest(directory);
    SLUICE_TRY_ASSIGN(const std::vector<std::uint64_t> numbers, manifest_numbers(directory));
    bool destroyed = false;
    bool are_records_damaged = false;
    for (const std::uint64_t number : numbers) {
        manifest.newest_number_ = std::max(manifest.newest_number_, number);
        if (!manifest.last_) {
            SLUICE_TRY_ASSIGN(Loaded loaded, load(directory, number));
            Frames& frames = loaded.frames;
            if (frames.last) {
                manifest.last_ = std::move(frames.last);
                manifest.end_ = frames.end;
                File& file = *loaded.file;
                // What is behind the last whole record could make a later one unreadable.
                if (frames.end < loaded.bytes.size()) SLUICE_TRY(file.truncate(frames.end));
                // If the sync of the last record failed, the system may have it in memory only and
                // count it as written: it is written again before anything is built on it. With
                // the file's header, where it is the first; and the name may not be durable.
                const std::uint64_t from = frames.begin == kFileHeaderSizeBytes ? 0 : frames.begin;
                SLUICE_TRY(file.write_at(
                    from, std::string_view(loaded.bytes).substr(from, frames.end - from)));
                SLUICE_TRY(file.sync());
                SLUICE_TRY(directory.sync());
                manifest.file_ = std::move(loaded.file);
                manifest.number_ = number;
                are_records_damaged = frames.damaged > 0;
                continue;
            }
        }
        SLUICE_TRY(destroy_file(directory, numbered_name(kPrefix, number)));
        destroyed = true;
    }
    if (destroyed) SLUICE_TRY(directory.sync());
    if (are_records_damaged) SLUICE_TRY(manifest.begin_file(encode_frame(*manifest.last_)));
    return manifest;
}

Result<Manifest::Found> Manifest::look(Directory& directory) {
    Found found;
    SLUICE_TRY_ASSIGN(const std::vector<std::uint64_t> numbers, manifest_numbers(directory));
    for (const std::uint64_t number : numbers) {
        SLUICE_TRY_ASSIGN(Loaded loaded, load(directory, number));
        const std::string path = directory.path() + "/" + numbered_name(kPrefix, number);
        for (std::string& each : problems_of(loaded, path, loaded.bytes.size())) {
            found.problems.push_back(std::move(each));
        }
        if (!loaded.frames.last) continue;
        found.last = std::move(loaded.frames.last);
        break;
    }
    return found;
}

Result<std::string> Manifest::fingerprint(Directory& directory) {
    SLUICE_TRY_ASSIGN(const std::vector<std::uint64_t> numbers, manifest_numbers(directory));
    std::string text;
    for (const std::uint64_t number : numbers) {
        const auto file = directory.open(numbered_name(kPrefix, number), Create::never);
        if (!file && file.error().code != Errc::not_found) return file.error();
        const std::uint64_t size = file ? (*file)->size_bytes() : 0;
        text += std::to_string(number) + ':' + std::to_string(size) + ' ';
    }
    return text;
}

Result<void> Manifest::append(const ManifestRecord& record) {
    const std::string frame = encode_frame(record);
    const std::uint64_t fresh_size = kFileHeaderSizeBytes + frame.size();
    const std::uint64_t size_max = std::max(kSizeBytesMax, kOldRecordsMax * fresh_size);
    if (!file_ || end_ + frame.size() > size_max) return begin_file(frame);
    SLUICE_TRY(file_->write_at(end_, frame));
    SLUICE_TRY(file_->sync());
    end_ += frame.size();
    return {};
}

Result<void> Manifest::begin_file(std::string_view frame) {
    const std::uint64_t old_number = number_;
    const bool has_old = file_ != nullptr;
    number_ = ++newest_number_;
    const std::string name = numbered_name(kPrefix, number_);
    SLUICE_TRY_ASSIGN(file_, directory_->open(name, Create::must));
    const std::string bytes = file_header().append(frame);
    SLUICE_TRY(file_->write_at(0, bytes));
    SLUICE_TRY(file_->sync());
    SLUICE_TRY(directory_->sync());
    end_ = bytes.size();
    if (!has_old) return {};
    SLUICE_TRY(destroy_file(*directory_, numbered_name(kPrefix, old_number)));
    return directory_->sync();
}

std::vector<std::string> Manifest::check() const {
    if (!file_) return {};
    const auto loaded = load(*directory_, number_);
    if (!loaded) return {loaded.error().context};
    return problems_of(*loaded, directory_->path() + "/" + numbered_name(kPrefix, number_), end_);
}

} // namespace sluice
