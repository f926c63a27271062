#include "io/overlay.hpp"

#include "base/try.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <utility>

namespace sluice {
namespace {

class Overlay final : public Directory {
public:
    Overlay(Directory& below, std::shared_ptr<Pins> pins)
        : below_(&below), pins_(std::move(pins)) {}

    std::string path() const override { return below_->path(); }
    Result<std::unique_ptr<File>> open(const std::string& name, Create create) override;
    Result<std::vector<std::string>> list() const override;
    Result<void> rename(const std::string& from, const std::string& to) override;
    Result<void> remove(const std::string& name) override;
    Result<void> sync() override { return {}; }
    Medium medium() const override { return Medium::files; }

    Result<std::unique_ptr<Directory>> subdirectory(const std::string& name, Create) override {
        return Error{Errc::invalid_argument, path() + "/" + name + " is not to be made in memory"};
    }
    Result<std::unique_ptr<FileLock>> lock(const std::string& name) override {
        return Error{Errc::invalid_argument,
                     path() + "/" + name + " is not to be locked in memory"};
    }

    void note(const Mapping& mapping) { pins_->add(mapping); }
    /// A copy of the file takes its place, if none has.
    Result<std::shared_ptr<File>> copy_of(const std::string& name, const File& original);

private:
    Result<std::shared_ptr<File>> make(const std::string& name) const {
        SLUICE_TRY_ASSIGN(auto file, make_memory_file(path() + "/" + name));
        return std::shared_ptr<File>(std::move(file));
    }

    Directory* below_;
    std::shared_ptr<Pins> pins_;
    mutable std::mutex mutex_; // Guards the next two.
    std::map<std::string, std::shared_ptr<File>> in_memory_;
    std::set<std::string> removed_; ///< Names that `below` has, and this has not.
};

/// A file of `below` until somebody writes to it, or one in memory, which others may have open.
class OverlayFile final : public File {
public:
    OverlayFile(Overlay& overlay, std::string name, std::shared_ptr<File> file, bool is_below)
        : overlay_(&overlay), name_(std::move(name)), file_(std::move(file)), is_below_(is_below) {}

    std::uint64_t size_bytes() const override { return file_->size_bytes(); }
    Result<void> read_at(std::uint64_t position, char* into, std::size_t size) const override {
        return file_->read_at(position, into, size);
    }
    Result<void> write_at(std::uint64_t position, std::string_view bytes) override {
        SLUICE_TRY(leave_below());
        return file_->write_at(position, bytes);
    }
    Result<void> truncate(std::uint64_t size_bytes) override {
        SLUICE_TRY(leave_below());
        return file_->truncate(size_bytes);
    }
    Result<void> sync() override { return {}; }
    Result<void> punch_hole(std::uint64_t position, std::uint64_t size_bytes) override {
        SLUICE_TRY(leave_below());
        return file_->punch_hole(position, size_bytes);
    }
    Result<Mapping> map(std::uint64_t reserve_bytes) const override {
        if (!is_below_) return file_->map(reserve_bytes);
        SLUICE_TRY_ASSIGN(const bool is_pinned, file_->pin());
        if (!is_pinned) {
            return Error{Errc::not_found, overlay_->path() + "/" + name_ + " is being destroyed"};
        }
        SLUICE_TRY_ASSIGN(Mapping mapping, file_->map(reserve_bytes));
        overlay_->note(mapping);
        return mapping;
    }
    Result<void> look_again() override { return {}; }
    Result<bool> pin() override { return is_below_ ? file_->pin() : true; }
    Result<Claim> claim() override { return Claim{true, {}}; }

private:
    Result<void> leave_below() {
        if (!is_below_) return {};
        SLUICE_TRY_ASSIGN(file_, overlay_->copy_of(name_, *file_));
        is_below_ = false;
        return {};
    }

    Overlay* overlay_;
    std::string name_;
    std::shared_ptr<File> file_;
    bool is_below_;
};

Result<std::unique_ptr<File>> Overlay::open(const std::string& name, Create create) {
    const std::lock_guard lock(mutex_);
    const auto found = in_memory_.find(name);
    if (found != in_memory_.end()) {
        if (create == Create::must) return Error{Errc::exists, path() + "/" + name + " exists"};
        return std::unique_ptr<File>(
            std::make_unique<OverlayFile>(*this, name, found->second, /*is_below=*/false));
    }
    // Somebody who writes below may have made one of this name meanwhile; it is another file.
    if (!removed_.contains(name) && create != Create::must) {
        auto below = below_->open(name, Create::never);
        if (below) {
            return std::unique_ptr<File>(
                std::make_unique<OverlayFile>(*this, name, *std::move(below), /*is_below=*/true));
        }
        if (below.error().code != Errc::not_found) return below.error();
    }
    if (create == Create::never) {
        return Error{Errc::not_found, path() + "/" + name + " was removed"};
    }
    SLUICE_TRY_ASSIGN(auto made, make(name));
    in_memory_[name] = made;
    return std::unique_ptr<File>(
        std::make_unique<OverlayFile>(*this, name, std::move(made), /*is_below=*/false));
}

Result<std::shared_ptr<File>> Overlay::copy_of(const std::string& name, const File& original) {
    const std::lock_guard lock(mutex_);
    const auto known = in_memory_.find(name);
    if (known != in_memory_.end()) return known->second;
    SLUICE_TRY_ASSIGN(auto copy, make(name));
    SLUICE_TRY_ASSIGN(const std::string bytes, read_whole(original));
    SLUICE_TRY(copy->write_at(0, bytes));
    in_memory_[name] = copy;
    return copy;
}

Result<std::vector<std::string>> Overlay::list() const {
    SLUICE_TRY_ASSIGN(std::vector<std::string> names, below_->list());
    const std::lock_guard lock(mutex_);
    std::erase_if(names, [&](const std::string& name) { return removed_.contains(name); });
    for (const auto& [name, file] : in_memory_) names.push_back(name);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

Result<void> Overlay::rename(const std::string& from, const std::string& to) {
    std::unique_ptr<File> below;
    {
        const std::lock_guard lock(mutex_);
        if (!in_memory_.contains(from) && !removed_.contains(from)) {
            SLUICE_TRY_ASSIGN(below, below_->open(from, Create::never));
        }
    }
    if (below) SLUICE_TRY(copy_of(from, *below));
    const std::lock_guard lock(mutex_);
    const auto found = in_memory_.find(from);
    if (found == in_memory_.end()) {
        return Error{Errc::not_found, path() + "/" + from + " was removed"};
    }
    in_memory_[to] = std::move(found->second);
    in_memory_.erase(from);
    removed_.insert(from);
    return {};
}

Result<void> Overlay::remove(const std::string& name) {
    const std::lock_guard lock(mutex_);
    in_memory_.erase(name);
    removed_.insert(name);
    return {};
}

} // namespace

void Pins::add(const Mapping& mapping) {
    const std::lock_guard lock(mutex_);
    pins_.push_back({mapping.keep_alive, mapping.leave_file});
}

bool Pins::any() const {
    const std::lock_guard lock(mutex_);
    return std::any_of(pins_.begin(), pins_.end(),
                       [](const Pin& pin) { return !pin.alive.expired(); });
}

Result<void> Pins::leave_files() {
    const std::lock_guard lock(mutex_);
    for (const Pin& pin : std::exchange(pins_, {})) {
        const auto alive = pin.alive.lock();
        if (alive && pin.leave_file) SLUICE_TRY(pin.leave_file());
    }
    return {};
}

std::unique_ptr<Directory> overlay_in_memory(Directory& below, std::shared_ptr<Pins> pins) {
    return std::make_unique<Overlay>(below, std::move(pins));
}

} // namespace sluice
