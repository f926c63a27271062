#include "store/manifest.hpp"

#include "base/bytes.hpp"
#include "base/checksum.hpp"

#include "store/manifest_format.hpp"
#include "support/simulated_disk.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>

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

/// With the checksums that it should have.
std::string frame_of(const std::string& payload) {
    std::string frame;
    append_le(frame, static_cast<std::uint32_t>(payload.size()));
    append_le(frame, checksum32(frame));
    append_le(frame, checksum64(payload));
    return frame + payload;
}

// A checksum tells accidents, and not that the numbers make sense.
TEST(ManifestFormat, ReadsARecordWithRightChecksumsOnlyIfItIsWhole) {
    constexpr std::size_t kFrameHeaderSizeBytes = 16;
    const std::string whole = bytes_of(record_at(70000)).substr(kFrameHeaderSizeBytes);
    const auto read = [](const std::string& payload) {
        return manifest_format::decode_frames(manifest_format::file_header() + frame_of(payload))
            .last;
    };
    ASSERT_TRUE(read(whole).has_value());
    EXPECT_FALSE(read(whole + '\0').has_value());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_FALSE(read(whole.substr(0, size)).has_value()) << size;
    }
    std::mt19937_64 random(1);
    for (int round = 0; round < 20'000; ++round) {
        std::string changed = whole;
        changed[random() % changed.size()] = static_cast<char>(random());
        const auto record = read(changed);
        if (!record) continue;
        for (const auto& view : record->views) {
            for (const auto& segment : view.segments) {
                for (const std::uint32_t row : segment.superseded) EXPECT_LT(row, segment.rows);
            }
        }
    }
}

TEST(ManifestFormat, ReadsNoRecordWithNumbersThatAreTooLarge) {
    ManifestRecord record;
    record.views.push_back({{4}, {1}, {{12, 9000, std::uint64_t{1} << 40, {1}, {1000}, {7}}}});
    const auto payload_of = [](const ManifestRecord& of) { return bytes_of(of).substr(16); };
    std::string payload = payload_of(record);
    payload.pop_back(); // The row 7 becomes one that no segment can have.
    append_varint(payload, std::uint64_t{1} << 33);
    const std::string file = manifest_format::file_header();
    EXPECT_FALSE(manifest_format::decode_frames(file + frame_of(payload)).last.has_value());

    payload.assign(3, '\0'); // Position, file number, attachment.
    append_varint(payload, 1);
    append_varint(payload, std::uint64_t{1} << 33); // A view's id.
    payload.append(2, '\0');
    EXPECT_FALSE(manifest_format::decode_frames(file + frame_of(payload)).last.has_value());
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

TEST(Manifest, NamesWhatBecameOfItsBytes) {
    SimulatedDisk disk;
    const auto root = disk.root();
    Manifest manifest = Manifest::open(*root).value();
    manifest.append(record_at(1)).value();
    manifest.append(record_at(2)).value();
    const auto file = root->open("manifest-1", Create::never).value();
    const std::uint64_t frame_size = bytes_of(record_at(1)).size();
    const std::uint64_t header_size = file->size_bytes() - 2 * frame_size;
    const auto said_with_flipped = [&](std::uint64_t at) {
        char byte = 0;
        file->read_at(at, &byte, 1).value();
        const char flipped = static_cast<char>(byte ^ 1);
        file->write_at(at, {&flipped, 1}).value();
        const std::vector<std::string> said = manifest.check();
        file->write_at(at, {&byte, 1}).value();
        return said.empty() ? "" : said.front();
    };
    EXPECT_TRUE(manifest.check().empty());
    EXPECT_NE(said_with_flipped(12).find("the header is damaged"), std::string::npos);
    EXPECT_NE(said_with_flipped(header_size + 20).find("1 damaged records"), std::string::npos);
    EXPECT_NE(said_with_flipped(header_size + frame_size + 20).find("the last record is damaged"),
              std::string::npos);
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
