#include "catalog/consumer.hpp"

#include "catalog/derivations.hpp"

#include <gtest/gtest.h>

#include "support/simulated_disk.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace sluice::test {
namespace {

const std::filesystem::path kGolden =
    std::filesystem::path(SLUICE_SOURCE_DIR) / "tests/golden/consumer-v1";

Consumer some_consumer(std::uint64_t entry) {
    Consumer consumer;
    consumer.position.told = {{entry}, {3}};
    consumer.position.gone = {{entry + 4}, {1}};
    consumer.position.doubt = {9};
    consumer.position.derivation = 2;
    consumer.position.view = 17;
    consumer.filter = {.view = "by_author", .prefix = Key("ada", 1), .where = "/type=post"};
    return consumer;
}

// F3: at every power cut it is the old one or the new one.
TEST(Consumer, IsTheOldOneOrTheNewOneAtEveryPowerCut) {
    SimulatedDisk disk;
    const auto directory = disk.root();
    consumers::save(*directory, "pg", some_consumer(1)).value();
    std::size_t cuts = 0;
    disk.observe([&] {
        for (const Fate fate : kEveryFate) {
            const auto after = disk.copy_after_power_cut(fate, disk.operations());
            const auto root = after->root();
            const auto found = consumers::load(*root, "pg").value();
            ASSERT_TRUE(found);
            EXPECT_TRUE(*found == some_consumer(1) || *found == some_consumer(2));
            ++cuts;
        }
    });
    consumers::save(*directory, "pg", some_consumer(2)).value();
    disk.observe({});
    EXPECT_GT(cuts, 10u);
    disk.cut_power(Fate::lost);
    const auto after = disk.root();
    EXPECT_EQ(consumers::load(*after, "pg").value(), some_consumer(2));
}

TEST(Consumer, IsTheOldOneOrTheNewOneWhenAnyCallFails) {
    std::uint64_t faults = 0;
    for (bool is_saved = false; !is_saved; ++faults) {
        SimulatedDisk disk;
        const auto directory = disk.root();
        consumers::save(*directory, "pg", some_consumer(1)).value();
        disk.fail_after(faults);
        is_saved = consumers::save(*directory, "pg", some_consumer(2)).has_value();
        disk.stop_failing();
        const auto found = consumers::load(*directory, "pg").value();
        EXPECT_TRUE(found == some_consumer(2) || (!is_saved && found == some_consumer(1)));
        consumers::save(*directory, "pg", some_consumer(3)).value();
        EXPECT_EQ(consumers::load(*directory, "pg").value(), some_consumer(3));
    }
    EXPECT_GT(faults, 4u);
}

// docs/format/consumer.md, held fast.
TEST(Consumer, WritesAndReadsTheBytesOfVersionOne) {
    const std::string bytes = consumers::encode(some_consumer(5));
    if (std::getenv("SLUICE_UPDATE_GOLDEN") != nullptr) {
        std::ofstream(kGolden, std::ios::binary) << bytes;
    }
    std::ifstream file(kGolden, std::ios::binary);
    const std::string golden{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(bytes, golden);
    EXPECT_EQ(consumers::decode(golden, "consumer-pg").value(), some_consumer(5));
}

TEST(Consumer, IsCorruptWithAnyBitOfItWrong) {
    const std::string bytes = consumers::encode(some_consumer(5));
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        std::string damaged = bytes;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
        const auto decoded = consumers::decode(damaged, "consumer-pg");
        ASSERT_FALSE(decoded) << bit;
        EXPECT_EQ(decoded.error().code, Errc::corrupt) << bit;
    }
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(consumers::decode(bytes.substr(0, size), "consumer-pg")) << size;
    }
}

TEST(Consumer, HasANameThatIsAFilesName) {
    EXPECT_TRUE(consumers::check_name("pg-2_a"));
    for (const char* name : {"", "a.new", "../x", "a b", "a\n"}) {
        EXPECT_FALSE(consumers::check_name(name)) << name;
    }
    EXPECT_FALSE(consumers::check_name(std::string(65, 'a')));
    for (const char* file : {"consumer-pg", "consumer-pg.new", "consumer-pg.lock"}) {
        EXPECT_TRUE(consumers::has_file_name(file)) << file;
    }
    for (const char* file :
         {"consumer-", "consumer-.new", "consumer-a.b", "consumers", "pg.lock"}) {
        EXPECT_FALSE(consumers::has_file_name(file)) << file;
    }
}

TEST(Derivations, SayWhereToBeginAgain) {
    Derivations derivations;
    EXPECT_EQ(derivations.behind_since(0), std::nullopt);
    derivations.add({40});
    derivations.add({70});
    EXPECT_EQ(derivations.behind_since(0), Seq{40});
    EXPECT_EQ(derivations.behind_since(1), Seq{70});
    EXPECT_EQ(derivations.behind_since(2), std::nullopt);
    derivations.add({50});
    EXPECT_EQ(derivations.behind_since(1), Seq{50});
    EXPECT_EQ(derivations.text(), "[[1,40],[3,50]]");
    const Derivations again = Derivations::from_text(derivations.text());
    EXPECT_EQ(again.last(), 3u);
    EXPECT_EQ(again.behind_since(0), Seq{40});
    derivations.add({});
    EXPECT_EQ(derivations.behind_since(0), Seq{});
    EXPECT_EQ(derivations.text(), "[[4,0]]");
    EXPECT_EQ(derivations.behind_since(5), Seq{}) << "of another database";
    for (std::uint64_t seq = 1; seq < 200; ++seq) derivations.add({seq});
    EXPECT_LE(derivations.text().size(), 1000u);
    EXPECT_EQ(derivations.behind_since(3), Seq{}) << "too old to tell";
    EXPECT_EQ(derivations.behind_since(derivations.last() - 1), Seq{199});
}

} // namespace
} // namespace sluice::test
