#include "support/watched_directory.hpp"

#include "base/try.hpp"

namespace sluice::test {
namespace {

class WatchedFile final : public File {
public:
    WatchedFile(std::unique_ptr<File> file, Watcher watcher)
        : file_(std::move(file)), watcher_(std::move(watcher)) {}

    std::uint64_t size_bytes() const override { return file_->size_bytes(); }
    Result<void> read_at(std::uint64_t position, char* into, std::size_t size) const override {
        return file_->read_at(position, into, size);
    }
    Result<Mapping> map(std::uint64_t reserve_bytes) const override {
        return file_->map(reserve_bytes);
    }
    Result<void> look_again() override { return file_->look_again(); }
    Result<bool> pin() override { return file_->pin(); }
    Result<Claim> claim() override { return file_->claim(); }
    Result<void> write_at(std::uint64_t position, std::string_view bytes) override {
        watcher_();
        return file_->write_at(position, bytes);
    }
    Result<void> truncate(std::uint64_t size_bytes) override {
        watcher_();
        return file_->truncate(size_bytes);
    }
    Result<void> sync() override {
        watcher_();
        return file_->sync();
    }
    Result<void> punch_hole(std::uint64_t position, std::uint64_t size_bytes) override {
        watcher_();
        return file_->punch_hole(position, size_bytes);
    }

private:
    std::unique_ptr<File> file_;
    Watcher watcher_;
};

class WatchedDirectory final : public Directory {
public:
    WatchedDirectory(std::unique_ptr<Directory> directory, Watcher watcher)
        : directory_(std::move(directory)), watcher_(std::move(watcher)) {}

    std::string path() const override { return directory_->path(); }
    Result<std::vector<std::string>> list() const override { return directory_->list(); }
    Medium medium() const override { return directory_->medium(); }
    Result<std::unique_ptr<FileLock>> lock(const std::string& name) override {
        return directory_->lock(name);
    }
    Result<std::unique_ptr<File>> open(const std::string& name, Create create) override {
        if (create != Create::never) watcher_();
        SLUICE_TRY_ASSIGN(auto file, directory_->open(name, create));
        return std::unique_ptr<File>(std::make_unique<WatchedFile>(std::move(file), watcher_));
    }
    Result<std::unique_ptr<Directory>> subdirectory(const std::string& name,
                                                    Create create) override {
        SLUICE_TRY_ASSIGN(auto below, directory_->subdirectory(name, create));
        return watched(std::move(below), watcher_);
    }
    Result<void> rename(const std::string& from, const std::string& to) override {
        watcher_();
        return directory_->rename(from, to);
    }
    Result<void> remove(const std::string& name) override {
        watcher_();
        return directory_->remove(name);
    }
    Result<void> sync() override {
        watcher_();
        return directory_->sync();
    }

private:
    std::unique_ptr<Directory> directory_;
    Watcher watcher_;
};

} // namespace

std::unique_ptr<Directory> watched(std::unique_ptr<Directory> directory, Watcher watcher) {
    return std::make_unique<WatchedDirectory>(std::move(directory), std::move(watcher));
}

} // namespace sluice::test
