#include "catalog/catalog.hpp"

#include <gtest/gtest.h>

#include "support/simulated_disk.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace sluice::test {
namespace {

const std::filesystem::path kGolden =
    std::filesystem::path(SLUICE_SOURCE_DIR) / "tests/golden/catalog-v1";

const std::vector<CatalogEntry> kEntries = {
    {{16}, "by_author", "", 0, R"({"key":["/author"],"kind":"index"})"},
    {{17}, "threads", "forum", 3, R"({"kind":"index"})"},
};

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
TEST(Catalog, WritesAndReadsTheBytesOfVersionOne) {
    const std::string bytes = Catalog::encode(kEntries, 18);
    if (std::getenv("SLUICE_UPDATE_GOLDEN") != nullptr) {
        std::ofstream(kGolden, std::ios::binary) << bytes;
    }
    std::ifstream file(kGolden, std::ios::binary);
    const std::string golden{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(bytes, golden);

    SimulatedDisk disk;
    const auto directory = disk.root();
    ASSERT_TRUE(directory->open("catalog", Create::must).value()->write_at(0, golden));
    EXPECT_EQ(Catalog::open(*directory)->entries(), kEntries);
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
