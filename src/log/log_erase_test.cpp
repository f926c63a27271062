// L3 and L4 of log.hpp in their own words.
#include <gtest/gtest.h>

#include "log/log_test_support.hpp"
#include "support/temporary_directory.hpp"

#include <array>
#include <atomic>
#include <thread>

namespace sluice::test {
namespace {

constexpr std::string_view kSecret = "14 Harbour Street, third floor";
constexpr std::string_view kSecretKey = "%the-key-of-the-message";

void append_three(LogOnDisk& on, std::string_view secret) {
    on.append("before");
    on.append(secret, kSecretKey);
    on.append("behind");
    ASSERT_TRUE(on.log->sync());
}

Result<void> wipe_second(LogOnDisk& on) {
    const Seq second{2};
    return on.log->wipe(std::span(&second, 1));
}

// L3, in its own words: if nothing of the entry but its lengths is left, then two logs that
// differed only in it are the same bytes after it was wiped.
TEST(LogErase, MakesLogsThatDifferedInTheEntryIdentical) {
    const auto segment_after = [](std::string_view secret) {
        SimulatedDisk disk;
        LogOnDisk on(disk);
        append_three(on, secret);
        EXPECT_TRUE(wipe_second(on));
        EXPECT_EQ(on.body({2}), "erased");
        // The identity is random; what is compared begins behind the segment header, without the
        // checks that are seeded with it.
        std::string bytes = disk.all_bytes().at(LogSegment::file_name({1}));
        bytes.erase(0, log_format::kSegmentHeaderSize);
        for (std::size_t at = 0; at < bytes.size(); at += 8) {
            if (bytes.compare(at + 4, 4, std::string("\x06\0\0\0", 4)) == 0)
                bytes.replace(at, 4, 4, 0);
        }
        const std::size_t second = (log_format::kEntryHeaderSize + 6 + 7) / 8 * 8;
        bytes.replace(second, 4, 4, 0);
        return bytes;
    };
    EXPECT_EQ(segment_after("14 Harbour Street"), segment_after("Hotel Bellevue 21"));
}

TEST(LogErase, LeavesNothingOnTheDeviceOnceItReturned) {
    SimulatedDisk disk;
    LogOnDisk on(disk);
    append_three(on, kSecret);
    ASSERT_FALSE(disk.find_on_device(kSecret).empty());
    ASSERT_TRUE(wipe_second(on));
    EXPECT_TRUE(disk.find_on_device(kSecret).empty());
    EXPECT_TRUE(disk.find_on_device(kSecretKey).empty());
    for (const Fate fate : kEveryFate) {
        const auto after = disk.copy_after_power_cut(fate);
        EXPECT_TRUE(after->find_on_device(kSecret).empty());
        LogOnDisk again(*after);
        EXPECT_EQ(again.body({2}), "erased");
    }
}

// As long as it may be: overwriting goes in pieces.
TEST(LogErase, LeavesNothingOfALongBody) {
    SimulatedDisk disk;
    LogOnDisk on(disk);
    std::string body;
    while (body.size() < 700'000) body += "7 Bay Rd"; // Its last 8 bytes end on a multiple of 8.
    append_three(on, body);
    ASSERT_TRUE(wipe_second(on));
    EXPECT_TRUE(disk.find_on_device("7 Bay Rd").empty());
}

// L4
TEST(LogErase, ChangesNoOtherEntryWhereverThePowerIsCut) {
    SimulatedDisk disk;
    LogOnDisk on(disk);
    append_three(on, kSecret);
    disk.observe([&] {
        for (const Fate fate : kEveryFate) {
            const auto after = disk.copy_after_power_cut(fate, disk.operations());
            LogOnDisk again(*after);
            EXPECT_EQ(again.body({1}), "before");
            EXPECT_EQ(again.body({3}), "behind");
            EXPECT_EQ(again.log->last(), Seq{3});
            // Half wiped: whoever ordered it orders it again, and then it is gone.
            ASSERT_TRUE(wipe_second(again));
            EXPECT_EQ(again.body({2}), "erased");
            EXPECT_TRUE(after->find(kSecret).empty());
        }
    });
    ASSERT_TRUE(wipe_second(on));
    disk.observe({});
    EXPECT_EQ(on.body({1}), "before");
    EXPECT_EQ(on.body({3}), "behind");
}

TEST(LogErase, CanBeRepeated) {
    SimulatedDisk disk;
    LogOnDisk on(disk);
    append_three(on, kSecret);
    ASSERT_TRUE(wipe_second(on));
    ASSERT_TRUE(wipe_second(on));
    EXPECT_EQ(on.body({2}), "erased");
    EXPECT_TRUE(on.log->check().empty());
}

TEST(LogErase, GivesWholeBlocksBackAfterTheZerosAreDurable) {
    SimulatedDisk disk;
    LogOnDisk on(disk, 1024 * 1024);
    const std::string large = std::string(400'000, 'a') + "needle" + std::string(100'000, 'b');
    append_three(on, large);
    ASSERT_TRUE(wipe_second(on));
    // A hole punched too early would leave the blocks with their bytes among the free ones.
    EXPECT_TRUE(disk.find_on_device("needle").empty());
    EXPECT_EQ(on.body({3}), "behind");
}

/// A file that says it overwrote something, and did not.
class UnchangingFile final : public File {
public:
    explicit UnchangingFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
    std::uint64_t size_bytes() const override { return file_->size_bytes(); }
    Result<void> read_at(std::uint64_t position, char* into, std::size_t size) const override {
        return file_->read_at(position, into, size);
    }
    Result<void> write_at(std::uint64_t position, std::string_view bytes) override {
        return position < size_bytes() ? Result<void>() : file_->write_at(position, bytes);
    }
    Result<void> truncate(std::uint64_t size_bytes) override { return file_->truncate(size_bytes); }
    Result<void> sync() override { return file_->sync(); }
    Result<void> punch_hole(std::uint64_t, std::uint64_t) override { return {}; }
    Result<void> look_again() override { return file_->look_again(); }
    Result<bool> pin() override { return file_->pin(); }
    Result<Claim> claim() override { return file_->claim(); }
    Result<Mapping> map(std::uint64_t reserve_bytes) const override {
        return file_->map(reserve_bytes);
    }

private:
    std::unique_ptr<File> file_;
};

class UnchangingDirectory final : public Directory {
public:
    explicit UnchangingDirectory(SimulatedDisk& disk) : root_(disk.root()) {}
    std::string path() const override { return root_->path(); }
    Result<std::unique_ptr<File>> open(const std::string& name, Create create) override {
        auto file = root_->open(name, create);
        if (!file) return file;
        return std::unique_ptr<File>(std::make_unique<UnchangingFile>(*std::move(file)));
    }
    Result<std::unique_ptr<Directory>> subdirectory(const std::string& name, Create) override {
        return root_->subdirectory(name, Create::if_missing);
    }
    Result<std::vector<std::string>> list() const override { return root_->list(); }
    Result<void> rename(const std::string& from, const std::string& to) override {
        return root_->rename(from, to);
    }
    Result<void> remove(const std::string& name) override { return root_->remove(name); }
    Result<void> sync() override { return root_->sync(); }
    Result<std::unique_ptr<FileLock>> lock(const std::string& name) override {
        return root_->lock(name);
    }
    Medium medium() const override { return root_->medium(); }

private:
    std::unique_ptr<Directory> root_;
};

// L3: wipe() does not take the disk's word for it.
TEST(LogErase, SaysWhenTheDiskDidNotKeepTheZeros) {
    SimulatedDisk disk;
    UnchangingDirectory directory(disk);
    ASSERT_TRUE(Log::create(directory));
    const auto log = Log::open(directory, {}).value();
    const Log::Draft draft{Log::Kind::message, kSecretKey, kSecret};
    const Seq first = log->append(std::span(&draft, 1)).value();
    ASSERT_TRUE(log->sync());
    EXPECT_EQ(log->wipe(std::span(&first, 1)).error().code, Errc::corrupt);
    EXPECT_EQ(log->wipe(std::span(&first, 1)).error().code, Errc::latched);
}

TEST(LogErase, NamesAnEntryThatThereIsNot) {
    SimulatedDisk disk;
    LogOnDisk on(disk);
    on.append("one");
    const Seq none{2};
    EXPECT_EQ(on.log->wipe(std::span(&none, 1)).error().code, Errc::not_found);
}

// L4
TEST(LogErase, LooksLikeNoDamageToWhoReadsBesideIt) {
    const TemporaryDirectory directory(in_memory_if_possible());
    const auto root = open_directory(directory.path(), Create::never).value();
    ASSERT_TRUE(Log::create(*root));
    const auto log = Log::open(*root, {}).value();
    const std::string body(2 << 20, 'b'); // It takes long to check, and longer to overwrite.
    for (int round = 0; round < 20; ++round) {
        const Log::Draft draft{Log::Kind::message, kSecretKey, body};
        const Seq seq = log->append(std::span(&draft, 1)).value();
        ASSERT_TRUE(log->sync());
        LogOptions beside;
        beside.read_only = true;
        const auto seen = Log::open(*root, beside).value();
        // More of them than processors: some are stopped in the middle.
        std::array<std::string, 6> errors;
        std::atomic<std::size_t> reading{0};
        std::vector<std::thread> readers;
        for (std::string& error : errors) {
            readers.emplace_back([&] {
                for (bool is_first = true;; is_first = false) {
                    const auto entry = seen->read(seq);
                    if (is_first) ++reading;
                    if (!entry) error = entry.error().context;
                    if (!entry || entry->erased) return;
                }
            });
        }
        while (reading < errors.size()) std::this_thread::yield();
        EXPECT_TRUE(log->wipe(std::span(&seq, 1)));
        for (std::thread& reader : readers) reader.join();
        for (const std::string& error : errors) ASSERT_EQ(error, "") << "in round " << round;
    }
}

// L6
TEST(LogErase, LatchesWhicheverOperationFails) {
    std::uint64_t operations = 0;
    for (;; ++operations) {
        SimulatedDisk disk;
        LogOnDisk on(disk, 1024 * 1024);
        append_three(on, std::string(10'000, 's')); // With room for a hole.
        disk.fail_after(operations);
        const auto wiped = wipe_second(on);
        disk.stop_failing();
        if (wiped) break;
        const auto again = wipe_second(on);
        ASSERT_FALSE(again) << operations;
        EXPECT_EQ(again.error().code, Errc::latched) << operations;
        EXPECT_EQ(on.body({1}), "before");
    }
    EXPECT_EQ(operations, 4u); // The mark, the zeros, their sync, the hole.
}

} // namespace
} // namespace sluice::test
