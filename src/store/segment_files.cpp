#include "store/segment_files.hpp"

#include "base/try.hpp"
#include "store/file_names.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace sluice {
namespace {

constexpr std::string_view kPrefix = "segment-";
constexpr const char* kRequest = "end-snapshots";
constexpr std::size_t kFilesAtOnce = 64; // Open while they are overwritten.

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
    if (std::find(names.begin(), names.end(), kRequest) != names.end()) {
        SLUICE_TRY(directory_->remove(kRequest)); // Whoever asked has died.
    }
    std::vector<Doomed> doomed;
    doomed.reserve(others.size());
    for (const std::uint64_t number : others) doomed.push_back({number, nullptr});
    std::uint64_t bytes = 0;
    SLUICE_TRY_ASSIGN(std::vector<Doomed> left, destroy(std::move(doomed), bytes));
    const std::lock_guard lock(mutex_);
    doomed_ = std::move(left);
    return {};
}

/// As destroy_file() for each, but in three passes, so that the device has many files to write at
/// once.
Result<std::vector<SegmentFiles::Doomed>> SegmentFiles::destroy(std::vector<Doomed> doomed,
                                                                std::uint64_t& bytes) {
    if (doomed.empty()) return doomed;
    std::vector<Doomed> left;
    for (std::size_t from = 0; from < doomed.size(); from += kFilesAtOnce) {
        std::vector<std::pair<std::string, std::unique_ptr<File>>> files;
        for (std::size_t i = from; i < std::min(from + kFilesAtOnce, doomed.size()); ++i) {
            const std::string name = numbered_name(kPrefix, doomed[i].number);
            auto opened = directory_->open(name, Create::never);
            // Who reads beside a writer finds that this one was quicker.
            if (!opened && opened.error().code == Errc::not_found) continue;
            SLUICE_TRY_ASSIGN(auto file, std::move(opened));
            SLUICE_TRY_ASSIGN(Claim claim, file->claim());
            if (!claim.is_granted) {
                left.push_back(std::move(doomed[i]));
                left.back().processes = std::move(claim.holders);
                continue;
            }
            bytes += file->size_bytes();
            SLUICE_TRY(overwrite_with_zeros(*file, 0, file->size_bytes()));
            files.emplace_back(name, std::move(file));
        }
        for (const auto& [name, file] : files) SLUICE_TRY(file->sync());
        for (const auto& [name, file] : files) SLUICE_TRY(directory_->remove(name));
    }
    SLUICE_TRY(directory_->sync());
    return left;
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
    const std::uint64_t number = segment->file().number;
    doomed_.push_back({number, std::move(segment)});
}

bool SegmentFiles::any_doomed() const {
    const std::lock_guard lock(mutex_);
    return !doomed_.empty();
}

SegmentFiles::Left
SegmentFiles::left_of_doomed(const std::function<bool(const Segment&)>& concerns) const {
    const std::lock_guard lock(mutex_);
    Left left;
    std::set<std::string> processes;
    for (const Doomed& each : doomed_) {
        if (each.segment && !concerns(*each.segment)) continue;
        ++left.files;
        if (!each.processes.empty()) processes.insert(each.processes);
    }
    for (const std::string& each : processes) {
        left.processes.append(left.processes.empty() ? "" : ", ").append(each);
    }
    return left;
}

Result<std::uint64_t> SegmentFiles::destroy_unpinned(Pinned pinned) {
    std::vector<Doomed> unpinned;
    {
        const std::lock_guard lock(mutex_);
        // No state names a doomed segment, so a count of one cannot grow again.
        std::erase_if(doomed_, [&](Doomed& each) {
            if (each.segment.use_count() > 1 && pinned == Pinned::wait) return false;
            // Counting orders nothing, and letting go does: all reading comes before what follows.
            std::shared_ptr<const Segment>(each.segment).reset();
            unpinned.push_back(std::move(each));
            return true;
        });
    }
    for (const Doomed& each : unpinned) {
        if (each.segment.use_count() > 1) SLUICE_TRY(each.segment->leave_file());
    }
    std::uint64_t destroyed_bytes = 0;
    SLUICE_TRY_ASSIGN(std::vector<Doomed> left, destroy(std::move(unpinned), destroyed_bytes));
    const std::lock_guard lock(mutex_);
    doomed_.insert(doomed_.end(), std::make_move_iterator(left.begin()),
                   std::make_move_iterator(left.end()));
    return destroyed_bytes;
}

Result<void> SegmentFiles::Request::make() {
    is_made_ = true;
    SLUICE_TRY_ASSIGN(const auto file, files_->directory_->open(kRequest, Create::if_missing));
    return file->write_at(0, std::to_string(files_->next_number_++));
}

SegmentFiles::Request::~Request() {
    // Where it stays, the next opening removes it.
    if (is_made_) static_cast<void>(files_->directory_->remove(kRequest).has_value());
}

Result<std::string> SegmentFiles::request_in(Directory& directory) {
    const auto file = directory.open(kRequest, Create::never);
    if (!file && file.error().code == Errc::not_found) return std::string();
    if (!file) return file.error();
    return read_whole(**file);
}

bool SegmentFiles::has_name(const std::string& name) {
    return name.starts_with(kPrefix) || name == kRequest;
}

} // namespace sluice
