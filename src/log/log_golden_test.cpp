// The bytes of docs/format/log.md, held fast: what version 1 wrote is read for ever, and what is
// written today is the same. SLUICE_UPDATE_GOLDEN=1 writes the files anew, which only a new version
// may need.
#include <gtest/gtest.h>

#include "log/change.hpp"
#include "log/log_test_support.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace sluice::test {
namespace {

const std::filesystem::path kGolden =
    std::filesystem::path(SLUICE_SOURCE_DIR) / "tests/golden/log-v1";

std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(Directory& directory, const std::string& name, std::string_view bytes) {
    const auto file = directory.open(name, Create::must).value();
    ASSERT_TRUE(file->write_at(0, bytes));
    ASSERT_TRUE(file->sync());
}

log_format::Identity fixed_identity() {
    log_format::Identity identity;
    for (std::size_t i = 0; i < identity.id.size(); ++i) identity.id[i] = static_cast<char>(i + 1);
    for (std::size_t i = 0; i < identity.secret.size(); ++i) {
        identity.secret[i] = static_cast<char>(0xA0 + i);
    }
    return identity;
}

std::string fixed_change() {
    Change change;
    change.kind = ChangeKind::erase;
    change.time_ms = 1'700'000'000'000;
    change.seqs = {{2}};
    change.reason = "asked for";
    change.actor = "operator";
    change.refused = {hash_key("%second", fixed_identity().secret)};
    return encode(change);
}

TEST(LogGolden, WritesTheBytesThatVersionOneWrote) {
    SimulatedDisk disk;
    const auto directory = disk.root();
    const auto identity = fixed_identity();
    write_file(*directory, "identity", log_format::encode_identity(identity));
    ASSERT_TRUE(LogSegment::create({directory.get(), identity.id, {1}, 4096}));
    {
        const auto log = Log::open(*directory, {4096}).value();
        const std::string change = fixed_change();
        const Log::Draft batch[] = {{Log::Kind::message, "%first", R"({"text":"first"})"},
                                    {Log::Kind::message, "%second", R"({"text":"second"})"}};
        ASSERT_TRUE(log->append(batch));
        ASSERT_TRUE(log->sync());
        const Log::Draft erase{Log::Kind::change, {}, change};
        ASSERT_TRUE(log->append(std::span(&erase, 1)));
        ASSERT_TRUE(log->sync());
        const Seq second{2};
        ASSERT_TRUE(log->wipe(std::span(&second, 1)));
    }
    for (const auto& [name, bytes] : disk.all_bytes()) {
        if (std::getenv("SLUICE_UPDATE_GOLDEN") != nullptr) {
            std::filesystem::create_directories(kGolden);
            std::ofstream(kGolden / name, std::ios::binary) << bytes;
        }
        EXPECT_EQ(bytes, read_file(kGolden / name)) << name;
    }
}

TEST(LogGolden, ReadsWhatVersionOneWrote) {
    SimulatedDisk disk;
    const auto directory = disk.root();
    int files = 0;
    for (const auto& each : std::filesystem::directory_iterator(kGolden)) {
        write_file(*directory, each.path().filename(), read_file(each.path()));
        ++files;
    }
    ASSERT_EQ(files, 3);
    const auto log = Log::open(*directory, {4096}).value();
    ASSERT_EQ(log->last(), Seq{3});
    EXPECT_EQ(log->read({1})->key, "%first");
    EXPECT_EQ(log->read({1})->body, R"({"text":"first"})");
    EXPECT_TRUE(log->read({2})->erased);
    const auto entry = log->read({3}).value();
    EXPECT_EQ(entry.kind, Log::Kind::change);
    EXPECT_EQ(decode_change(entry.body, {3})->seqs, std::vector<Seq>{{2}});
    EXPECT_EQ(log->changes_at_open(), std::vector<Seq>{{3}});
    EXPECT_TRUE(log->check().empty());
}

TEST(LogGolden, RefusesANewerVersionAndAnotherDatabase) {
    SimulatedDisk disk;
    const auto directory = disk.root();
    for (const auto& each : std::filesystem::directory_iterator(kGolden)) {
        std::string bytes = read_file(each.path());
        if (each.path().filename() == "identity") bytes[12] = 2;
        write_file(*directory, each.path().filename(), bytes);
    }
    EXPECT_EQ(Log::open(*directory, {4096}).error().code, Errc::unsupported_version);

    const std::string header = log_format::encode_segment_header(fixed_identity().id, {1});
    EXPECT_NE(log_format::decode_segment_header(header).value().database, log_format::DatabaseId{});
}

} // namespace
} // namespace sluice::test
