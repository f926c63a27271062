#include "catalog/catalog.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/checksum.hpp"
#include "support/simulated_disk.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace sluice::test {
namespace {

std::filesystem::path golden_path(int version) {
    return std::filesystem::path(SLUICE_SOURCE_DIR) / "tests/golden" /
           ("catalog-v" + std::to_string(version));
}

std::string golden_bytes(int version) {
    std::ifstream file(golden_path(version), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

const std::vector<CatalogEntry> kEntries = {
    {{16},
     "by_author",
     "",
     0,
     R"({"key":["/author"],"kind":"index"})",
     1700000000001,
     {{"mail", 1700000000000}}},
    {{17},
     "threads",
     "forum",
     3,
     R"({"kind":"index"})",
     1700000000003,
     {{"forum", 1700000000002}, {"phone", 0}}},
};

/// What a catalog from before there were uses says of them.
std::vector<CatalogEntry> entries_of_version_one() {
    std::vector<CatalogEntry> entries = kEntries;
    for (CatalogEntry& each : entries) {
        each.opened_ms = 0;
        each.uses.clear();
    }
    entries[1].uses = {{"forum", 0}};
    return entries;
}

std::string with_checksum(std::string raw) {
    put_le(raw.data() + 8, checksum32(std::string_view(raw).substr(12)));
    return raw;
}

TEST(Catalog, KeepsItsEntriesAndNeverGivesAnIdTwice) {
    SimulatedDisk disk;
    const auto directory = disk.root();
    {
        Catalog catalog = Catalog::open(*directory).value();
        EXPECT_TRUE(catalog.entries().empty());
        EXPECT_EQ(catalog.take_id().value(), ViewId{16});
        ASSERT_TRUE(catalog.put(kEntries[0]));
        EXPECT_EQ(catalog.take_id().value(), ViewId{17});
        disk.cut_power(Fate::lost);
    }
    const auto again = disk.root();
    Catalog catalog = Catalog::open(*again).value();
    EXPECT_EQ(catalog.take_id().value(), ViewId{18});
    ASSERT_NE(catalog.find("by_author"), nullptr);
    EXPECT_EQ(*catalog.find("by_author"), kEntries[0]);
    ASSERT_TRUE(catalog.remove("by_author"));
    EXPECT_EQ(catalog.find("by_author"), nullptr);
}

TEST(Catalog, IsTheOldOneOrTheNewOneAtEveryPowerCut) {
    SimulatedDisk disk;
    const auto directory = disk.root();
    Catalog catalog = Catalog::open(*directory).value();
    for (int i = 0; i < 2; ++i) catalog.take_id().value();
    ASSERT_TRUE(catalog.put(kEntries[0]));
    disk.observe([&] {
        for (const Fate fate : kEveryFate) {
            const auto after = disk.copy_after_power_cut(fate, disk.operations());
            const auto root = after->root();
            const Catalog found = Catalog::open(*root).value();
            ASSERT_GE(found.entries().size(), 1u);
            EXPECT_EQ(found.entries()[0], kEntries[0]);
        }
    });
    ASSERT_TRUE(catalog.put(kEntries[1]));
    disk.observe({});
    EXPECT_EQ(catalog.entries(), kEntries);
}

// docs/format/catalog.md, held fast.
TEST(Catalog, WritesAndReadsTheBytesOfVersionTwo) {
    const std::string bytes = Catalog::encode(kEntries, 18);
    if (std::getenv("SLUICE_UPDATE_GOLDEN") != nullptr) {
        std::ofstream(golden_path(2), std::ios::binary) << bytes;
    }
    EXPECT_EQ(bytes, golden_bytes(2));

    SimulatedDisk disk;
    const auto directory = disk.root();
    ASSERT_TRUE(directory->open("catalog", Create::must).value()->write_at(0, golden_bytes(2)));
    EXPECT_EQ(Catalog::open(*directory)->entries(), kEntries);
}

TEST(Catalog, OpensOneOfVersionOneAndWritesItAsVersionTwo) {
    SimulatedDisk disk;
    const auto directory = disk.root();
    ASSERT_TRUE(directory->open("catalog", Create::must).value()->write_at(0, golden_bytes(1)));
    Catalog catalog = Catalog::open(*directory).value();
    EXPECT_EQ(catalog.entries(), entries_of_version_one());
    EXPECT_EQ(catalog.take_id().value(), ViewId{18});
    EXPECT_EQ(Catalog::open(*directory)->entries(), entries_of_version_one());
}

/// As the engine notes where rows were derived anew.
CatalogEntry entry_that_is_no_view() {
    CatalogEntry entry;
    entry.name = "\x02"
                 "derivations";
    entry.definition = "[[1,0],[2,140]]";
    return entry;
}

TEST(Catalog, HasAnEntryThatIsNoViewAndHasNoId) {
    auto entries = kEntries;
    entries.push_back(entry_that_is_no_view());
    EXPECT_EQ(Catalog::decode(Catalog::encode(entries, 18), "x")->entries, entries);
    entries.push_back(entry_that_is_no_view());
    entries.back().name = "another";
    EXPECT_FALSE(Catalog::decode(Catalog::encode(entries, 18), "x")) << "ids are there once";
}

TEST(Catalog, OpensOneOfVersionOneWithAnEntryThatIsNoView) {
    std::string bytes = golden_bytes(1);
    constexpr std::size_t kCountPosition = 20;
    put_le(bytes.data() + kCountPosition, std::uint32_t{3});
    const CatalogEntry added = entry_that_is_no_view();
    append_le(bytes, added.id.value);
    append_le(bytes, added.version);
    for (const auto* const text : {&added.name, &added.app, &added.definition}) {
        append_sized(bytes, *text);
    }
    auto entries = entries_of_version_one();
    entries.push_back(added);
    const auto decoded = Catalog::decode(with_checksum(bytes), "x");
    ASSERT_TRUE(decoded) << decoded.error().context;
    EXPECT_EQ(decoded->entries, entries);
}

TEST(Catalog, NotesEachAppOnceWithItsLastOpening) {
    CatalogEntry entry = kEntries[1];
    entry.note_use("mail", 5);
    entry.note_use("phone", 6);
    entry.note_use("mail", 7);
    EXPECT_EQ(entry.uses,
              (std::vector<CatalogUse>{{"forum", 1700000000002}, {"mail", 7}, {"phone", 6}}));
    EXPECT_TRUE(entry.is_used_by("mail"));
    EXPECT_FALSE(entry.is_used_by("web"));
}

// Two names for the same rows, two rows of uses for one app: none of these was ever written.
TEST(Catalog, RefusesWhatContradictsItself) {
    const auto is_refused = [](const std::vector<CatalogEntry>& entries,
                               std::uint32_t next_id = 18) {
        const auto decoded = Catalog::decode(Catalog::encode(entries, next_id), "x");
        return !decoded && decoded.error().code == Errc::corrupt;
    };
    EXPECT_FALSE(is_refused(kEntries));
    EXPECT_TRUE(is_refused({kEntries[0], kEntries[0]}));
    auto entries = kEntries;
    entries[1].id = entries[0].id;
    EXPECT_TRUE(is_refused(entries));
    EXPECT_TRUE(is_refused(kEntries, 17)) << "an id that would be given again";
    entries = kEntries;
    entries[1].uses.clear();
    EXPECT_TRUE(is_refused(entries)) << "code that belongs to nobody";
    entries = kEntries;
    entries[1].uses.push_back({"phone", 1});
    EXPECT_TRUE(is_refused(entries));
}

TEST(Catalog, RefusesEveryPrefixAndEveryLongerFile) {
    const std::string bytes = Catalog::encode(kEntries, 18);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        std::string cut = bytes.substr(0, size);
        if (size >= 12) cut = with_checksum(cut);
        EXPECT_FALSE(Catalog::decode(cut, "x")) << size;
    }
    EXPECT_FALSE(Catalog::decode(with_checksum(bytes + '\0'), "x"));
}

TEST(Catalog, NamesWhatIsWrongWithADamagedFile) {
    const std::string bytes = Catalog::encode(kEntries, 18);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        std::string damaged = bytes;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
        SimulatedDisk disk;
        const auto directory = disk.root();
        ASSERT_TRUE(directory->open("catalog", Create::must).value()->write_at(0, damaged));
        const auto opened = Catalog::open(*directory);
        ASSERT_FALSE(opened) << bit;
        EXPECT_NE(opened.error().context.find("catalog"), std::string::npos);
    }
}

} // namespace
} // namespace sluice::test
