#include "store/manifest.hpp"

#include "base/checksum.hpp"

#include "store/manifest_format.hpp"
#include "support/simulated_disk.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace sluice {
namespace {

using namespace test;

ManifestRecord record_at(std::uint64_t position) {
    ManifestRecord record;
    record.position = {position};
    record.next_file_number = 300;
    record.attachment = "catalog";
    record.views.push_back({{4}, {position}, {{12, 9000, 500, {1}, {1000}, {3, 4, 499}}}});
    record.views.push_back({{5}, {2}, {}});
    return record;
}

std::string bytes_of(const ManifestRecord& record) {
    return manifest_format::encode_frame(record);
}

std::string golden_file(const std::string& name) {
    std::ifstream file(std::string(SLUICE_SOURCE_DIR) + "/tests/golden/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ManifestFormat, IsWhatVersionOneWas) {
    const std::string bytes =
        manifest_format::file_header() + bytes_of(record_at(70000)) + bytes_of(record_at(70001));
    EXPECT_EQ(bytes, golden_file("manifest-v1"));
    const auto frames = manifest_format::decode_frames(bytes);
    ASSERT_TRUE(frames.last.has_value());
    EXPECT_EQ(bytes_of(*frames.last), bytes_of(record_at(70001)));
    EXPECT_EQ(frames.end, bytes.size());
}

// Whatever part of the last record is missing or changed, the one before it is found.
TEST(Manifest, FindsTheLastWholeRecord) {
    const std::string before = manifest_format::file_header() + bytes_of(record_at(1));
    const std::string torn = bytes_of(record_at(2));
    for (std::size_t at = 0; at < torn.size(); ++at) {
        std::string changed = torn;
        changed[at] = static_cast<char>(changed[at] ^ 0x10);
        for (const std::string& tail : {torn.substr(0, at), changed}) {
            SimulatedDisk disk;
            const auto root = disk.root();
            root->open("manifest-1", Create::must).value()->write_at(0, before + tail).value();
            Manifest manifest = Manifest::open(*root).value();
            ASSERT_TRUE(manifest.last().has_value());
            EXPECT_EQ(manifest.last()->position, Seq{1});
            EXPECT_EQ(root->open("manifest-1", Create::never).value()->size_bytes(), before.size());
            manifest.append(record_at(3)).value();
            EXPECT_TRUE(manifest.check().empty());
            EXPECT_EQ(Manifest::open(*root).value().last()->position, Seq{3});
        }
    }
}

// What the next program does is built on the record that it found: it must not be one that the
// system only remembers.
TEST(Manifest, WritesAgainWhatAFailedSyncLeftInMemoryOnly) {
    for (std::uint64_t behind = 0; behind < 20; ++behind) {
        SimulatedDisk disk;
        std::uint64_t found = 0;
        {
            const auto root = disk.root();
            Manifest manifest = Manifest::open(*root).value();
            disk.fail_once_after(2 * behind + 1, Errc::io, FailedSync::kept_clean);
            for (std::uint64_t position = 1; manifest.append(record_at(position)); ++position) {
            }
            disk.stop_failing();
            const Manifest again = Manifest::open(*root).value();
            if (again.last()) found = again.last()->position.value;
        }
        disk.cut_power(Fate::lost);
        const auto root = disk.root();
        const Manifest manifest = Manifest::open(*root).value();
        EXPECT_GE(manifest.last() ? manifest.last()->position.value : 0, found) << behind;
    }
}

TEST(Manifest, RefusesAVersionThatItDoesNotKnow) {
    SimulatedDisk disk;
    const auto root = disk.root();
    std::string header = "sluiceMF";
    header += std::string("\x02\0\0\0", 4);
    std::string file = header;
    const std::uint32_t checksum = checksum32(header);
    file.append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
    root->open("manifest-1", Create::must).value()->write_at(0, file).value();
    EXPECT_EQ(Manifest::open(*root).error().code, Errc::unsupported_version);
    EXPECT_EQ(root->list().value().size(), 1u); // Nothing of the newer version is destroyed.
}

TEST(Manifest, BeginsANewFileBeforeTheOldOneGrowsLargeAtEveryCrashPoint) {
    for (const Fate fate : kEveryFate) {
        for (std::uint64_t operations = 0; operations < 40; ++operations) {
            SimulatedDisk disk;
            auto root = disk.root();
            std::uint64_t acknowledged = 0;
            {
                Manifest manifest = Manifest::open(*root).value();
                ManifestRecord record = record_at(1);
                record.attachment = std::string(100'000, 'a');
                disk.fail_after(operations);
                for (std::uint64_t position = 1; position < 15; ++position) {
                    record.position = {position};
                    if (!manifest.append(record)) break;
                    acknowledged = position;
                }
            }
            disk.cut_power(fate, operations);
            root = disk.root();
            const Manifest manifest = Manifest::open(*root).value();
            const std::uint64_t found = manifest.last() ? manifest.last()->position.value : 0;
            EXPECT_GE(found, acknowledged);
            EXPECT_LE(found, acknowledged + 1);
            EXPECT_LE(root->list().value().size(), 1u);
        }
    }
}

} // namespace
} // namespace sluice
