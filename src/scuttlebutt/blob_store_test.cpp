#include <sluice/blob_store.hpp>

#include "support/simulated_disk.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

namespace sluice::scuttlebutt {
namespace {

using namespace sluice::test;

const std::string kNeedle = "14 Harbour Street";

/// `size` bytes that begin with the needle.
std::string blob_of(std::size_t size, char fill = 'x') {
    std::string bytes = kNeedle + std::string(size, fill);
    bytes.resize(size);
    return bytes;
}

BlobStore::Pieces pieces_of(std::string bytes, std::size_t piece_size = 1000) {
    return [bytes = std::move(bytes), piece_size,
            at = std::size_t{0}]() mutable -> Result<std::string_view> {
        const std::string_view piece = std::string_view(bytes).substr(at, piece_size);
        at += piece.size();
        return piece;
    };
}

std::string file_of(const BlobId& id) {
    std::string hex;
    for (const unsigned char byte : id.hash) {
        constexpr char kDigits[] = "0123456789abcdef";
        hex += kDigits[byte >> 4];
        hex += kDigits[byte & 15];
    }
    return "sha256/" + hex.substr(0, 2) + "/" + hex.substr(2);
}

class BlobStoreTest : public ::testing::Test {
protected:
    std::unique_ptr<BlobStore> open() { return BlobStore::open(disk.root()).value(); }
    SimulatedDisk disk;
};

TEST_F(BlobStoreTest, KeepsBlobsUnderTheirHashAsMultiblobDoes) {
    const auto store = open();
    const BlobId id = store->put("abc").value();
    EXPECT_EQ(id.text(), "&ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=.sha256");
    EXPECT_EQ(disk.all_bytes().at(
                  "sha256/ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
              "abc");
    EXPECT_EQ(store->get(id).value(), "abc");
    EXPECT_EQ(store->size_bytes(id).value(), 3u);
    EXPECT_TRUE(store->has(id).value());
    EXPECT_EQ(BlobId::parse(id.text()), id);
}

TEST_F(BlobStoreTest, AnswersForABlobThatIsNotThere) {
    const auto store = open();
    const BlobId id = BlobId::of("abc");
    EXPECT_FALSE(store->has(id).value());
    EXPECT_EQ(store->get(id).value(), std::nullopt);
    EXPECT_EQ(store->size_bytes(id).value(), std::nullopt);
    EXPECT_FALSE(store->remove(id).value());
    EXPECT_TRUE(store->list().value().empty());
}

TEST_F(BlobStoreTest, TakesBlobsAsTheyCome) {
    const auto store = open();
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{64 * 1024},
                                   std::size_t{64 * 1024 + 1}, std::size_t{300'000}}) {
        const std::string bytes = blob_of(size);
        const BlobId id = BlobId::of(bytes);
        EXPECT_EQ(store->put(pieces_of(bytes)).value(), id);
        EXPECT_EQ(store->get(id).value(), bytes);
        EXPECT_TRUE(store->remove(id).value());
        ASSERT_TRUE(store->put(id, pieces_of(bytes)));
        EXPECT_EQ(store->get(id).value(), bytes);
    }
    EXPECT_EQ(store->list().value().size(), 5u);
}

TEST_F(BlobStoreTest, ListsInTheOrderOfHashesAndNothingElse) {
    const auto store = open();
    std::vector<BlobId> ids;
    for (int i = 0; i < 40; ++i) ids.push_back(store->put(std::to_string(i)).value());
    std::sort(ids.begin(), ids.end());
    const auto shard = disk.root()
                           ->subdirectory("sha256", Create::if_missing)
                           .value()
                           ->subdirectory("ab", Create::if_missing)
                           .value();
    for (const std::string& name : {std::string("README"), std::string(62, 'A'),
                                    std::string(62, 'g'), std::string(64, 'a')}) {
        static_cast<void>(shard->open(name, Create::must).value());
    }
    EXPECT_EQ(store->list().value(), ids);
}

TEST_F(BlobStoreTest, RefusesBytesThatAreNotThoseOfTheId) {
    const auto store = open();
    const BlobId id = BlobId::of("other");
    EXPECT_EQ(store->put(id, pieces_of(kNeedle)).error().code, Errc::corrupt);
    EXPECT_FALSE(store->has(id).value());
    EXPECT_TRUE(store->list().value().empty());
    EXPECT_TRUE(disk.find_on_device(kNeedle).empty());
}

TEST_F(BlobStoreTest, RefusesWhatIsTooLarge) {
    const auto store = BlobStore::open(disk.root(), {.blob_size_bytes_max = 100}).value();
    const std::string bytes = blob_of(101);
    EXPECT_EQ(store->put(bytes).error().code, Errc::invalid_argument);
    EXPECT_EQ(store->put(pieces_of(bytes, 60)).error().code, Errc::invalid_argument);
    EXPECT_EQ(store->put(BlobId::of(bytes), pieces_of(bytes, 60)).error().code,
              Errc::invalid_argument);
    EXPECT_TRUE(disk.find_on_device(kNeedle).empty());
    EXPECT_TRUE(store->put(blob_of(100)));
}

TEST_F(BlobStoreTest, PassesOnWhatTheSourceSaysAndKeepsNothing) {
    const auto store = open();
    bool began = false;
    const BlobStore::Pieces breaks = [&began]() -> Result<std::string_view> {
        if (began) return Error{Errc::busy, "the source broke"};
        began = true;
        return std::string_view(kNeedle);
    };
    EXPECT_EQ(store->put(breaks).error().code, Errc::busy);
    began = false;
    EXPECT_EQ(store->put(BlobId::of("x"), breaks).error().code, Errc::busy);
    EXPECT_TRUE(disk.find_on_device(kNeedle).empty());
}

// S2, and put() mends.
TEST_F(BlobStoreTest, NeverGivesADamagedBlobForTheBlob) {
    const auto store = open();
    const std::string bytes = blob_of(100);
    const BlobId id = store->put(bytes).value();
    const std::string path = file_of(id);
    const auto shard = disk.root()
                           ->subdirectory("sha256", Create::if_missing)
                           .value()
                           ->subdirectory(path.substr(7, 2), Create::if_missing)
                           .value();
    shard->open(path.substr(10), Create::never).value()->write_at(50, "y").value();
    EXPECT_EQ(store->get(id).error().code, Errc::corrupt);
    EXPECT_EQ(store->get(id).error().context.find(kNeedle), std::string::npos);
    EXPECT_EQ(store->put(bytes).value(), id);
    EXPECT_EQ(store->get(id).value(), bytes);
    EXPECT_TRUE(store->remove(id).value());
    EXPECT_TRUE(disk.find_on_device(kNeedle).empty()); // The damaged file's blocks, too.
}

// S3.
TEST_F(BlobStoreTest, LeavesNothingOfARemovedBlob) {
    const auto store = open();
    for (const std::size_t size : {std::size_t{20}, std::size_t{200'000}}) {
        const BlobId by_bytes = store->put(blob_of(size)).value();
        const BlobId by_pieces = store->put(pieces_of(blob_of(size, 'y'))).value();
        EXPECT_FALSE(disk.find(kNeedle).empty());
        EXPECT_TRUE(store->put(blob_of(size))); // Again: writes no second copy.
        EXPECT_TRUE(store->remove(by_bytes).value());
        EXPECT_TRUE(store->remove(by_pieces).value());
        EXPECT_TRUE(disk.find_on_device(kNeedle).empty());
    }
}

// S1 to S3: the power goes after every operation, under every fate of what was not synced.
TEST_F(BlobStoreTest, IsRightAfterAPowerCutAtAnyMoment) {
    const std::string first = "first " + blob_of(600), second = "second " + blob_of(700, 'y'),
                      third = "third " + blob_of(1500, 'z');
    bool first_put = false, second_put = false, third_put = false;
    bool first_going = false, first_gone = false;
    std::size_t cuts = 0;
    const auto check = [&](SimulatedDisk& crashed, Fate fate) {
        const auto opened = BlobStore::open(crashed.root());
        ASSERT_TRUE(opened) << opened.error().context;
        BlobStore& store = **opened;
        const auto is_there = [&](const std::string& bytes) {
            const auto got = store.get(BlobId::of(bytes));
            EXPECT_TRUE(got) << got.error().context << " fate " << static_cast<int>(fate);
            if (got && *got) {
                EXPECT_EQ(**got, bytes);
            }
            return got && got->has_value();
        };
        if (first_put && !first_going) {
            EXPECT_TRUE(is_there(first));
        }
        if (first_gone) {
            EXPECT_FALSE(is_there(first));
        }
        if (second_put) {
            EXPECT_TRUE(is_there(second));
        }
        if (third_put) {
            EXPECT_TRUE(is_there(third));
        }
        if (!is_there(first)) {
            EXPECT_TRUE(crashed.find("first " + kNeedle).empty());
        }
        if (first_gone) {
            EXPECT_TRUE(crashed.find_on_device("first " + kNeedle).empty());
        }
        for (const std::string& bytes : {first, second, third}) {
            const bool was = is_there(bytes);
            EXPECT_EQ(store.remove(BlobId::of(bytes)).value(), was);
        }
        EXPECT_TRUE(crashed.find(kNeedle).empty());
    };
    const auto store = open();
    disk.observe([&] {
        for (const Fate fate : kEveryFate) {
            const auto crashed = disk.copy_after_power_cut(fate, ++cuts);
            check(*crashed, fate);
        }
    });
    const BlobId id = store->put(first).value();
    first_put = true;
    ASSERT_TRUE(store->put(pieces_of(second, 300)));
    second_put = true;
    first_going = true;
    EXPECT_TRUE(store->remove(id).value());
    first_gone = true;
    ASSERT_TRUE(store->put(BlobId::of(third), pieces_of(third, 600)));
    third_put = true;
    disk.observe({});
    EXPECT_GT(cuts, 100u);
}

// Each operation in turn fails, and the store can be used again.
TEST_F(BlobStoreTest, SurvivesAFailureOfAnyOperation) {
    for (std::uint64_t operations = 0; operations < 60; ++operations) {
        SimulatedDisk failing;
        const auto store = BlobStore::open(failing.root()).value();
        const BlobId id = store->put(blob_of(50)).value();
        failing.fail_after(operations, Errc::no_space);
        const auto put = store->put(pieces_of(blob_of(3000, 'y'), 999));
        const auto removed = store->remove(id);
        failing.stop_failing();
        if (put) {
            EXPECT_EQ(store->get(*put).value(), blob_of(3000, 'y'));
        }
        if (removed) {
            EXPECT_FALSE(store->has(id).value());
        }
        EXPECT_EQ(store->put(pieces_of(blob_of(3000, 'y'))).value(),
                  BlobId::of(blob_of(3000, 'y')));
        EXPECT_TRUE(store->remove(BlobId::of(blob_of(3000, 'y'))).value());
        static_cast<void>(store->put(blob_of(50)).value());
        EXPECT_TRUE(store->remove(id).value());
        EXPECT_TRUE(failing.find_on_device(kNeedle).empty()) << operations;
    }
}

TEST_F(BlobStoreTest, IsOneProgramsAtATime) {
    const auto store = open();
    EXPECT_EQ(BlobStore::open(disk.root()).error().code, Errc::busy);
}

TEST(BlobId, IsNoPath) {
    for (const char* const text :
         {"", "&", "&.sha256", "&../../../../etc/passwd.sha256", "&AAAA.sha256",
          "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=.sha256",
          "&ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=.sha1",
          "%ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=.sha256"}) {
        EXPECT_FALSE(BlobId::parse(text)) << text;
    }
}

/// A folder of the operating system's, which goes with it.
class RealFolder {
public:
    RealFolder() {
        std::string name = std::filesystem::temp_directory_path() / "sluice-blobs-XXXXXX";
        path_ = ::mkdtemp(name.data());
    }
    RealFolder(const RealFolder&) = delete;
    RealFolder& operator=(const RealFolder&) = delete;
    ~RealFolder() { std::filesystem::remove_all(path_); }
    const std::filesystem::path& path() const { return path_; }
    std::unique_ptr<Directory> directory() const {
        return open_directory(path_ / "blobs", Create::if_missing).value();
    }

private:
    std::filesystem::path path_;
};

TEST(BlobStoreFiles, AreTheOwnersOnly) {
    const RealFolder folder;
    const auto store = BlobStore::open(folder.directory()).value();
    const BlobId id = store->put("abc").value();
    struct stat status {};
    ASSERT_EQ(::stat((folder.path() / "blobs" / file_of(id)).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0600u);
    ASSERT_EQ(::stat((folder.path() / "blobs" / "sha256").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0700u);
}

// S4.
TEST(BlobStoreFiles, AreNotReachedThroughSymbolicLinks) {
    namespace fs = std::filesystem;
    const RealFolder folder;
    const fs::path blobs = folder.path() / "blobs", elsewhere = folder.path() / "elsewhere";
    fs::create_directory(elsewhere);
    const BlobId id = BlobId::of("abc");
    {
        const auto store = BlobStore::open(folder.directory()).value();
        std::ofstream(elsewhere / "abc") << "abc";
        fs::create_symlink(elsewhere / "abc", blobs / file_of(id));
        EXPECT_FALSE(store->get(id)); // A link in the place of a file.
        EXPECT_FALSE(store->remove(id));
        EXPECT_FALSE(store->put("abc"));
        fs::remove(blobs / file_of(id));
        fs::remove(blobs / file_of(id).substr(0, 9));
        fs::create_directory_symlink(elsewhere, blobs / file_of(id).substr(0, 9));
        EXPECT_EQ(store->put("abc").error().code, Errc::refused); // In the place of a folder.
        EXPECT_EQ(store->get(id).error().code, Errc::refused);
        EXPECT_EQ(store->list().error().code, Errc::refused);
    }
    EXPECT_EQ(BlobStore::open(folder.directory()).error().code, Errc::refused);
    EXPECT_TRUE(fs::exists(elsewhere / "abc"));
    EXPECT_EQ(std::distance(fs::directory_iterator(elsewhere), {}), 1);
}

} // namespace
} // namespace sluice::scuttlebutt
