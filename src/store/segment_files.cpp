#include "store/segment_files.hpp"

#include "base/try.hpp"
#include "store/file_names.hpp"

#include <algorithm>

namespace sluice {
namespace {

constexpr std::string_view kPrefix = "segment-";
constexpr std::size_t kFilesAtOnce = 64; // Open while they are overwritten.

/// As destroy_file() for each, but in three passes, so that the device has many files to write at
/// once.
Result<void> destroy_files(Directory& directory, std::span<const std::uint64_t> numbers) {
    while (!numbers.empty()) {
        const auto some = numbers.first(std::min(kFilesAtOnce, numbers.size()));
        numbers = numbers.subspan(some.size());
        std::vector<std::unique_ptr<File>> files;
        for (const std::uint64_t number : some) {
            SLUICE_TRY_ASSIGN(auto file,
                              directory.open(numbered_name(kPrefix, number), Create::never));
            SLUICE_TRY(overwrite_with_zeros(*file, 0, file->size_bytes()));
            files.push_back(std::move(file));
        }
        for (const auto& file : files) SLUICE_TRY(file->sync());
        for (const std::uint64_t number : some) {
            SLUICE_TRY(directory.remove(numbered_name(kPrefix, number)));
        }
    }
    return directory.sync();
}

auto is_in(std::span<const std::uint64_t> used) {
    return [used](std::uint64_t number) {
        return std::find(used.begin(), used.end(), number) != used.end();
    };
}

} // namespace

Result<void> SegmentFiles::destroy_others(std::span<const std::uint64_t> used) {
    SLUICE_TRY_ASSIGN(const std::vector<std::string> names, directory_->list());
    std::vector<std::uint64_t> others = numbers_of(names, kPrefix);
    for (const std::uint64_t number : others) {
        next_number_ = std::max(next_number_.load(), number + 1);
    }
    std::erase_if(others, is_in(used));
    if (others.empty()) return {};
    return destroy_files(*directory_, others);
}

Result<std::vector<std::string>> SegmentFiles::others(std::span<const std::uint64_t> used) const {
    SLUICE_TRY_ASSIGN(const std::vector<std::string> names, directory_->list());
    std::vector<std::string> others;
    for (const std::uint64_t number : numbers_of(names, kPrefix)) {
        if (!is_in(used)(number)) others.push_back(numbered_name(kPrefix, number));
    }
    return others;
}

Result<std::shared_ptr<const Segment>> SegmentFiles::open(std::uint64_t number) {
    const std::string name = numbered_name(kPrefix, number);
    SLUICE_TRY_ASSIGN(const std::unique_ptr<File> file, directory_->open(name, Create::never));
    return Segment::open(*file, {number, directory_->path() + "/" + name});
}

Result<std::shared_ptr<const Segment>> SegmentFiles::write(std::string_view image) {
    const std::uint64_t number = next_number_++;
    const std::string name = numbered_name(kPrefix, number);
    SLUICE_TRY_ASSIGN(const std::unique_ptr<File> file, directory_->open(name, Create::must));
    // The name is durable before the first row is written. A power cut could take a later name away
    // and leave the rows in blocks that no file has, where nobody can overwrite them.
    SLUICE_TRY(directory_->sync());
    SLUICE_TRY(file->write_at(0, image));
    SLUICE_TRY(file->sync());
    return Segment::open(*file, {number, directory_->path() + "/" + name});
}

void SegmentFiles::doom(std::shared_ptr<const Segment> segment) {
    const std::lock_guard lock(mutex_);
    doomed_.push_back(std::move(segment));
}

bool SegmentFiles::any_doomed() const {
    const std::lock_guard lock(mutex_);
    return !doomed_.empty();
}

std::uint64_t
SegmentFiles::count_doomed(const std::function<bool(const Segment&)>& concerns) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::uint64_t>(
        std::count_if(doomed_.begin(), doomed_.end(),
                      [&](const std::shared_ptr<const Segment>& each) { return concerns(*each); }));
}

Result<std::uint64_t> SegmentFiles::destroy_unpinned() {
    std::uint64_t destroyed_bytes = 0;
    std::vector<std::uint64_t> numbers;
    {
        const std::lock_guard lock(mutex_);
        // No state names a doomed segment, so a count of one cannot grow again.
        std::erase_if(doomed_, [&](const std::shared_ptr<const Segment>& segment) {
            if (segment.use_count() > 1) return false;
            numbers.push_back(segment->file().number);
            destroyed_bytes += segment->size_bytes();
            return true;
        });
    }
    if (!numbers.empty()) SLUICE_TRY(destroy_files(*directory_, numbers));
    return destroyed_bytes;
}

} // namespace sluice
