// Importing, interrupted in every way.
#include "sandbox.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <random>

namespace sluice::test {
namespace {

class Import : public ::testing::Test {
protected:
    Import() { box.ok("sluice generate --messages 20000 --seed 7 --out log.offset"); }

    /// All messages of a database in order.
    std::string content(const std::string& database) {
        return box.ok("sluice export " + database + " --out -");
    }
    Sandbox box;
};

TEST_F(Import, KilledAnywhereAndRunAgainLosesAndDoublesNothing) {
    box.ok("sluice import whole log.offset");
    const std::string expected = content("whole");
    const std::uint64_t size = box.size_of("whole/log");
    std::mt19937_64 random(1);
    std::size_t killed_inside = 0;
    for (int round = 0; round < 6; ++round) {
        std::filesystem::remove_all(box.path("db"));
        box.ok("sluice init db");
        std::uint64_t bytes = 0;
        for (int kill = 0; kill < 4; ++kill) {
            bytes += random() % (size / 3);
            const Ran ran =
                box.run_and_signal("import db log.offset --json", SIGKILL, "db/log", bytes);
            if (ran.status == 128 + SIGKILL) ++killed_inside;
        }
        box.ok("sluice import db log.offset");
        ASSERT_EQ(content("db"), expected);
        box.ok("sluice verify db");
    }
    EXPECT_GT(killed_inside, 12U);
}

TEST_F(Import, EndsInGoodOrderOnCtrlCAndGoesOnLater) {
    box.ok("sluice import whole log.offset");
    const std::uint64_t size = box.size_of("whole/log");
    Ran ran;
    // An import may be over before the signal gets there; not ten times.
    for (int attempt = 0; attempt < 10 && ran.status != 130; ++attempt) {
        std::filesystem::remove_all(box.path("db"));
        box.ok("sluice init db");
        ran = box.run_and_signal("import db log.offset --json", SIGINT, "db/log", size / 4);
    }
    EXPECT_EQ(ran.status, 130);
    EXPECT_NE(ran.out.find("\"interrupted\":true"), std::string::npos) << ran.out;
    box.ok("sluice import db log.offset");
    EXPECT_NE(box.ok("sluice stats db --json").find("\"live\":20000,"), std::string::npos);
    EXPECT_EQ(content("db"), content("whole"));
}

TEST_F(Import, OfADamagedFileNamesTheByteAndTakesNothing) {
    // The frame around the middle of the file gets another length.
    std::string bytes = box.read("log.offset");
    const std::size_t body = bytes.find("{\"key\":", bytes.size() / 2);
    bytes[body - 1] = static_cast<char>(bytes[body - 1] ^ 1);
    box.write("damaged.offset", bytes);
    const std::string offset = std::to_string(body - 4);

    const Ran refused = box.run("sluice import db damaged.offset");
    EXPECT_EQ(refused.status, 13);
    EXPECT_NE(refused.err.find(offset), std::string::npos) << refused.err << offset;
    EXPECT_NE(box.ok("sluice stats db --json").find("\"live\":0,"), std::string::npos);

    const std::string taken = box.ok("sluice import db damaged.offset --until-damage");
    EXPECT_NE(taken.find(offset), std::string::npos) << taken;
    box.ok("sluice import whole log.offset");
    const std::string all = content("whole");
    const std::string part = content("db");
    EXPECT_GT(part.size(), all.size() / 3);
    EXPECT_TRUE(all.starts_with(part));
}

TEST_F(Import, OfABadLineNamesItAndKeepsWhatLiesBefore) {
    box.write("lines", "{\"key\":\"1\"}\n{\"key\":\"2\"}\n{\"key\":\n{\"key\":\"4\"}\n");
    const Ran ran = box.run("sluice import db lines");
    EXPECT_EQ(ran.status, 16);
    EXPECT_NE(ran.err.find("line 3 (byte 24)"), std::string::npos) << ran.err;
    EXPECT_EQ(content("db"), "{\"key\":\"1\"}\n{\"key\":\"2\"}\n");
    box.write("lines", "{\"key\":\"1\"}\n{\"key\":\"2\"}\n{\"key\":\"3\"}\n");
    box.ok("sluice import db lines");
    EXPECT_EQ(content("db"), box.read("lines"));
}

TEST_F(Import, LeavesOutWhatWasErasedUnlessItIsReadmitted) {
    box.ok("sluice generate --messages 20 --format jsonl --out lines && sluice import db lines");
    box.ok("sluice erase db --seq 1-5 --yes");
    box.ok("sed '1s/^/ /' lines >changed"); // The same messages in another file.
    EXPECT_NE(box.ok("sluice import db changed --json")
                  .find("\"appended\":0,\"exists\":15,\"refused\":5"),
              std::string::npos);
    EXPECT_NE(box.ok("sluice import db changed --readmit --json").find("\"appended\":5,"),
              std::string::npos);
}

TEST_F(Import, VerifiesIdsAndSignaturesWhenAskedTo) {
    box.ok("sluice generate --messages 100 --seed 3 --format jsonl --out genuine");
    EXPECT_NE(box.ok("sluice import db genuine --verify --json").find("\"appended\":100,"),
              std::string::npos);
    // A claimed time, of which the signature knows.
    const auto lines = lines_of(box.read("genuine"));
    std::string forged;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        std::string line = lines[i];
        if (i == 60) {
            const std::size_t digit = line.find("\"timestamp\":") + 15;
            line[digit] = line[digit] == '1' ? '2' : '1';
        }
        forged += line + '\n';
    }
    box.write("forged", forged);
    const Ran ran = box.run("sluice import second forged --verify");
    EXPECT_EQ(ran.status, 16);
    const std::size_t offset = forged.find(lines[59]) + lines[59].size() + 1;
    EXPECT_NE(ran.err.find("byte " + std::to_string(offset) + ": a message with a wrong"),
              std::string::npos)
        << ran.err;
    EXPECT_NE(box.ok("sluice stats second --json").find("\"live\":60,"), std::string::npos);
    box.ok("sluice import third forged");
}

TEST_F(Import, DoesNotMakeADatabaseForTheSakeOfAMistypedFile) {
    EXPECT_EQ(box.run("sluice import db no-such-file").status, 14);
    EXPECT_FALSE(std::filesystem::exists(box.path("db")));
}

TEST_F(Import, AndExportAreInverse) {
    box.ok("sluice import db log.offset");
    box.ok("sluice export db --format flumelog-offset --out copy.offset");
    EXPECT_EQ(box.read("copy.offset"), box.read("log.offset"));
    box.ok("sluice export db --out copy.jsonl && sluice import second copy.jsonl");
    EXPECT_EQ(content("second"), content("db"));
}

} // namespace
} // namespace sluice::test
