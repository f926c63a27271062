// The operating system's files. What a power cut does to them is simulated (tests/support); that
// the calls do what io/file.hpp says is tested here, on a real file system.
#include "io/file.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice {
namespace {

class PosixFiles : public testing::Test {
protected:
    PosixFiles() {
        char pattern[] = "/tmp/sluice_file_test.XXXXXX";
        path_ = ::mkdtemp(pattern);
        directory_ = open_directory(path_, Create::never).value();
    }
    ~PosixFiles() override { std::filesystem::remove_all(path_); }

    std::unique_ptr<File> make(const std::string& name, std::string_view content) {
        auto file = directory_->open(name, Create::must).value();
        file->write_at(0, content).value();
        return file;
    }
    std::string read(const std::string& name) const {
        std::ifstream stream(path_ + "/" + name, std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    unsigned mode_of(const std::string& name) const {
        struct stat status {};
        EXPECT_EQ(::lstat((path_ + "/" + name).c_str(), &status), 0);
        return status.st_mode & 07777;
    }
    std::int64_t blocks_of(const std::string& name) const {
        struct stat status {};
        EXPECT_EQ(::stat((path_ + "/" + name).c_str(), &status), 0);
        return status.st_blocks;
    }

    std::string path_;
    std::unique_ptr<Directory> directory_;
};

TEST_F(PosixFiles, ReadBackWhatWasWritten) {
    const auto file = make("a", "0123456789");
    file->write_at(12, "xy").value();
    EXPECT_EQ(file->size_bytes(), 14U);
    EXPECT_EQ(read("a"), std::string("0123456789\0\0xy", 14));
    char bytes[4];
    file->read_at(10, bytes, 4).value();
    EXPECT_EQ(std::string_view(bytes, 4), std::string_view("\0\0xy", 4));

    file->truncate(3).value();
    EXPECT_EQ(file->size_bytes(), 3U);
    EXPECT_EQ(read("a"), "012");
    file->sync().value();
    EXPECT_EQ(directory_->open("a", Create::never).value()->size_bytes(), 3U);
}

TEST_F(PosixFiles, ThatEndTooEarlyAreCorrupt) {
    const auto file = make("a", "0123456789");
    char bytes[20];
    EXPECT_EQ(file->read_at(5, bytes, 6).error().code, Errc::corrupt);
    EXPECT_EQ(file->read_at(10, bytes, 1).error().code, Errc::corrupt);
    EXPECT_TRUE(file->read_at(10, bytes, 0));
    // Cut behind our back.
    ASSERT_EQ(::truncate((path_ + "/a").c_str(), 2), 0);
    EXPECT_EQ(file->read_at(0, bytes, 10).error().code, Errc::corrupt);
}

TEST_F(PosixFiles, AreCreatedAsAsked) {
    EXPECT_EQ(directory_->open("a", Create::never).error().code, Errc::not_found);
    EXPECT_TRUE(directory_->open("a", Create::if_missing));
    EXPECT_TRUE(directory_->open("a", Create::if_missing));
    EXPECT_TRUE(directory_->open("a", Create::never));
    const Result<std::unique_ptr<File>> again = directory_->open("a", Create::must);
    EXPECT_EQ(again.error().code, Errc::exists);
    EXPECT_EQ(again.error().os_errno, EEXIST);
    EXPECT_NE(again.error().context.find(path_ + "/a"), std::string::npos);
    EXPECT_EQ(directory_->subdirectory("below", Create::never).error().code, Errc::not_found);
    directory_->subdirectory("below", Create::if_missing).value();
    directory_->subdirectory("below", Create::never).value();
}

TEST_F(PosixFiles, AreNobodyElsesBusiness) {
    const mode_t before = ::umask(0);
    make("a", "");
    directory_->subdirectory("below", Create::if_missing).value();
    const auto lock = directory_->lock("lock").value();
    ::umask(before);
    EXPECT_EQ(mode_of("a"), 0600U);
    EXPECT_EQ(mode_of("lock"), 0600U);
    EXPECT_EQ(mode_of("below"), 0700U);
}

TEST_F(PosixFiles, AreTheirOwnersWhateverTheUmask) {
    const mode_t before = ::umask(0777);
    make("a", "");
    directory_->subdirectory("below", Create::if_missing).value();
    const auto lock = directory_->lock("lock").value();
    open_directory(path_ + "/made", Create::must).value();
    ::umask(before);
    EXPECT_EQ(mode_of("a"), 0600U);
    EXPECT_EQ(mode_of("lock"), 0600U);
    EXPECT_EQ(mode_of("below"), 0700U);
    EXPECT_EQ(mode_of("made"), 0700U);
}

TEST_F(PosixFiles, BecomeTheirOwnersAgainWhenTheyAreOpened) {
    make("a", "");
    directory_->subdirectory("below", Create::if_missing).value();
    for (const char* const name : {"/a", "/below", ""})
        ASSERT_EQ(::chmod((path_ + name).c_str(), 0755), 0);
    open_directory(path_, Create::if_missing).value();
    directory_->open("a", Create::never).value();
    directory_->subdirectory("below", Create::if_missing).value();
    EXPECT_EQ(mode_of("a"), 0600U);
    EXPECT_EQ(mode_of("below"), 0700U);
    EXPECT_EQ(mode_of("."), 0755U) << "what was there before us keeps the mode its owner gave it";
}

TEST_F(PosixFiles, AreNotReachedThroughSymbolicLinks) {
    make("a", "text");
    ASSERT_EQ(::symlink("a", (path_ + "/link").c_str()), 0);
    ASSERT_EQ(::symlink("nowhere", (path_ + "/dangling").c_str()), 0);
    EXPECT_EQ(directory_->open("link", Create::never).error().os_errno, ELOOP);
    EXPECT_EQ(directory_->open("dangling", Create::if_missing).error().os_errno, ELOOP);
    EXPECT_EQ(directory_->lock("link").error().os_errno, ELOOP);
    EXPECT_EQ(directory_->list().value(), std::vector<std::string>{"a"});
    EXPECT_EQ(read("a"), "text");

    directory_->subdirectory("below", Create::if_missing).value();
    ASSERT_EQ(::symlink("below", (path_ + "/way").c_str()), 0);
    for (const Error& error :
         {directory_->open("link", Create::never).error(), directory_->lock("link").error(),
          directory_->subdirectory("way", Create::if_missing).error()}) {
        EXPECT_EQ(error.code, Errc::refused);
        EXPECT_NE(error.context.find("is a symbolic link"), std::string::npos) << error.context;
    }
}

TEST_F(PosixFiles, AreNeitherPipesNorDevices) {
    ASSERT_EQ(::mkfifo((path_ + "/pipe").c_str(), 0600), 0);
    EXPECT_EQ(directory_->open("pipe", Create::never).error().code, Errc::refused);
    EXPECT_EQ(directory_->open("pipe", Create::if_missing).error().code, Errc::refused);
    EXPECT_EQ(directory_->lock("pipe").error().code, Errc::refused);
    const auto devices = open_directory("/dev", Create::never).value();
    EXPECT_EQ(devices->open("null", Create::never).error().code, Errc::refused);
}

TEST_F(PosixFiles, StayThoseOfTheDirectoryThatWasOpened) {
    make("a", "ours");
    std::filesystem::rename(path_, path_ + ".moved");
    std::filesystem::create_directory(path_);
    std::ofstream(path_ + "/b") << "theirs";
    EXPECT_EQ(directory_->list().value(), std::vector<std::string>{"a"});
    EXPECT_TRUE(directory_->subdirectory("below", Create::if_missing));
    EXPECT_FALSE(std::filesystem::exists(path_ + "/below"));
    EXPECT_TRUE(std::filesystem::exists(path_ + ".moved/below"));
    std::filesystem::remove_all(path_ + ".moved");
}

TEST_F(PosixFiles, AreListedRenamedAndRemoved) {
    make("b", "2");
    make("a", "1");
    directory_->subdirectory("below", Create::if_missing).value();
    EXPECT_EQ(directory_->list().value(), (std::vector<std::string>{"a", "b"}));
    directory_->rename("a", "b").value();
    directory_->sync().value();
    EXPECT_EQ(directory_->list().value(), std::vector<std::string>{"b"});
    EXPECT_EQ(read("b"), "1");
    directory_->remove("b").value();
    EXPECT_TRUE(directory_->list().value().empty());
    EXPECT_EQ(directory_->remove("b").error().code, Errc::not_found);
    EXPECT_EQ(directory_->rename("b", "c").error().code, Errc::not_found);
}

TEST_F(PosixFiles, AreMappedAheadOfTheirGrowth) {
    const auto file = make("a", "first");
    const Mapping mapping = file->map(1 << 20).value();
    EXPECT_EQ(mapping.bytes(0, 5), "first");
    file->write_at(5, std::string(100000, 'x')).value();
    EXPECT_EQ(mapping.bytes(99999, 6), "xxxxxx");
    EXPECT_EQ(file->map(0).value().data, nullptr);
}

TEST_F(PosixFiles, OutliveTheirNameInAMapping) {
    Mapping mapping = make("a", "text")->map(4).value();
    directory_->remove("a").value();
    EXPECT_EQ(mapping.bytes(0, 4), "text");
}

TEST_F(PosixFiles, GivePunchedBlocksBack) {
    const auto file = make("a", std::string(1 << 20, 'x'));
    file->sync().value();
    const std::int64_t before = blocks_of("a");
    file->punch_hole(4096, 1 << 19).value();
    file->sync().value();
    std::string expected(1 << 20, 'x');
    std::fill_n(expected.begin() + 4096, 1 << 19, '\0');
    const std::string found = read("a");
    if (found == std::string(1 << 20, 'x')) GTEST_SKIP() << "no holes on this file system";
    EXPECT_EQ(found, expected);
    EXPECT_EQ(file->size_bytes(), 1U << 20);
    EXPECT_LT(blocks_of("a"), before);
}

// A second name of the same file shows what its blocks hold once the first one is gone.
TEST_F(PosixFiles, AreOverwrittenBeforeTheyAreDestroyed) {
    constexpr std::size_t kSize = 600 * 1024 + 7; // More than one step of the overwriting.
    make("a", std::string(kSize, 'x'));
    ASSERT_EQ(::link((path_ + "/a").c_str(), (path_ + "/witness").c_str()), 0);
    destroy_file(*directory_, "a").value();
    EXPECT_EQ(directory_->list().value(), std::vector<std::string>{"witness"});
    EXPECT_EQ(read("witness"), std::string(kSize, '\0'));
    EXPECT_EQ(destroy_file(*directory_, "a").error().code, Errc::not_found);
}

TEST_F(PosixFiles, AreZeroedInTheGivenRangeOnly) {
    const auto file = make("a", "0123456789");
    overwrite_with_zeros(*file, 2, 3).value();
    EXPECT_EQ(read("a"), std::string("01\0\0\0"
                                     "56789",
                                     10));
    overwrite_with_zeros(*file, 5, 0).value();
    EXPECT_EQ(file->size_bytes(), 10U);
}

/// In a child, which has a file system of one page of its own. 2 where it may not have one.
[[noreturn]] void fill_a_device(const std::string& path) {
    const std::string user = std::to_string(::getuid()), group = std::to_string(::getgid());
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) ::_exit(2);
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << "0 " + user + " 1";
    std::ofstream("/proc/self/gid_map") << "0 " + group + " 1";
    if (::mount("none", path.c_str(), "tmpfs", 0, "size=4096") != 0) ::_exit(2);
    const auto directory = open_directory(path, Create::never).value();
    const auto file = directory->open("a", Create::must).value();
    const Result<void> refused = file->write_at(0, std::string(1 << 16, 'x'));
    ::_exit(!refused && refused.error().code == Errc::no_space &&
                    refused.error().os_errno == ENOSPC &&
                    refused.error().context.find(path + "/a") != std::string::npos
                ? 0
                : 1);
}

TEST_F(PosixFiles, SayWhatTheDeviceRefuses) {
    const pid_t child = ::fork();
    if (child == 0) fill_a_device(path_);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WEXITSTATUS(status) == 2) GTEST_SKIP() << "no file systems of one's own here";
    EXPECT_EQ(status, 0);
}

TEST_F(PosixFiles, LockOutOthersInThisProcess) {
    auto lock = directory_->lock("lock").value();
    const auto second = open_directory(path_, Create::never).value();
    const Error busy = second->lock("lock").error();
    EXPECT_EQ(busy.code, Errc::busy);
    EXPECT_NE(busy.context.find("process " + std::to_string(::getpid())), std::string::npos);
    std::ofstream(path_ + "/lock") << "\x1b[31mnobody";
    EXPECT_NE(second->lock("lock").error().context.find("process unknown"), std::string::npos);
    lock.reset();
    EXPECT_TRUE(second->lock("lock"));
}

TEST_F(PosixFiles, LockOutOtherProcessesUntilTheHolderDies) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const auto held = directory_->lock("lock");
        const char answer = held ? 'y' : 'n';
        if (::write(ready[1], &answer, 1) != 1) ::_exit(1);
        ::pause();
        ::_exit(0);
    }
    char answer = 0;
    ASSERT_EQ(::read(ready[0], &answer, 1), 1);
    EXPECT_EQ(answer, 'y');
    const Error busy = directory_->lock("lock").error();
    EXPECT_EQ(busy.code, Errc::busy);
    EXPECT_NE(busy.context.find("process " + std::to_string(child)), std::string::npos);

    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_TRUE(directory_->lock("lock")) << "nobody has to remove the lock of the dead";
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST_F(PosixFiles, PromiseTheDeviceOnlyWhereBlocksStayInPlace) {
    // Memory is no device, whatever its blocks do.
    struct statfs status {};
    if (::statfs("/dev/shm", &status) != 0 || status.f_type != TMPFS_MAGIC) {
        GTEST_SKIP() << "no tmpfs here";
    }
    EXPECT_EQ(open_directory("/dev/shm", Create::never).value()->medium(), Medium::files);
}

TEST_F(PosixFiles, LiveInDirectoriesMadeAsAsked) {
    EXPECT_EQ(open_directory(path_ + "/new", Create::never).error().code, Errc::not_found);
    EXPECT_EQ(open_directory(path_ + "/new", Create::must).value()->path(), path_ + "/new");
    EXPECT_EQ(open_directory(path_ + "/new", Create::must).error().code, Errc::exists);
    EXPECT_TRUE(open_directory(path_ + "/new", Create::if_missing));
    make("a", "");
    EXPECT_FALSE(open_directory(path_ + "/a", Create::never));
    EXPECT_FALSE(directory_->subdirectory("a", Create::if_missing));
}

} // namespace
} // namespace sluice
