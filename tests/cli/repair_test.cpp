// check and repair on the command line.
#include "sandbox.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace sluice::test {
namespace {

const char* const kFirst = "db/log/00000000000000000001.log";

/// Nine messages of which the fifth is damaged, and a file that does not belong there.
void make_damaged(const Sandbox& box) {
    box.ok(R"(sluice init db
        for i in 1 2 3 4 5 6 7 8 9; do
            sluice append db --json "{\"text\":\"the words of message $i\"}"
        done
        sluice view add db texts --json '{"kind":"index","key":["/text"]}')");
    std::string bytes = box.read(kFirst);
    bytes[bytes.find("message 5")] = 'M';
    box.write(kFirst, bytes);
    box.write("db/log/notes", "of somebody");
}

TEST(Repair, SaysFirstWhatItWouldDoAndKeepsWhatItTakesOut) {
    Sandbox box;
    make_damaged(box);
    const auto bytes = [&] { // Without the lock, which says who had it.
        return box.all_bytes("db/views") + box.read(kFirst) + box.read("db/log/notes");
    };
    const std::string before = bytes();
    const Ran checked = box.run("sluice check db");
    EXPECT_EQ(checked.status, 1);
    EXPECT_NE(checked.out.find("entry 5 is damaged"), std::string::npos) << checked.out;
    EXPECT_NE(checked.out.find("log/notes: is no file of ours"), std::string::npos) << checked.out;
    EXPECT_EQ(checked.out.find("words"), std::string::npos) << "content in a finding";
    const std::string plan = box.ok("sluice repair db");
    EXPECT_NE(plan.find("sluice repair db --keep DIR"), std::string::npos) << plan;
    EXPECT_TRUE(bytes() == before) << "asking changes nothing";

    EXPECT_EQ(box.ok("sluice repair db --keep kept"), "2 findings, 0 left\n");
    EXPECT_TRUE(box.holds("kept", "the words of Message 5"));
    EXPECT_TRUE(box.holds("kept", "of somebody"));
    EXPECT_FALSE(box.holds("db", "of Message 5"));
    EXPECT_EQ(box.ok("sluice check db"), "nothing is damaged\n");
    EXPECT_EQ(lines_of(box.ok("sluice read db texts")).size(), 8U);
    box.ok("sluice verify db");
    EXPECT_EQ(box.ok("sluice repair db --keep kept"), "nothing is damaged\n");
}

// Who opens the database reads of a view's file what he needs, and may never come across the
// damage.
TEST(Repair, TakesOutADamagedFileOfAViewAndHasItDerivedAgain) {
    Sandbox box;
    box.ok(R"(sluice init db
        sluice append db --json '{"text":"the words of a message"}'
        sluice view add db texts --json '{"kind":"index","key":["/text"]}')");
    const std::string file = lines_of(box.ok("grep -l 'the words' db/views/segment-*")).at(0);
    std::string bytes = box.read(file);
    bytes[bytes.find("words")] = 'W';
    box.write(file, bytes);
    for (int i = 0; i < 2; ++i) {
        const Ran read = box.run("sluice read db texts");
        EXPECT_NE(read.status, 0);
        EXPECT_NE(read.err.find(file.substr(2)), std::string::npos) << read.err;
        EXPECT_NE(read.err.find("Try: sluice repair"), std::string::npos) << read.err;
    }
    EXPECT_NE(box.ok("sluice repair db").find("repair takes the file out"), std::string::npos);
    EXPECT_EQ(box.ok("sluice repair db --keep kept"), "1 finding, 0 left\n");
    EXPECT_TRUE(box.holds("kept", "the Words"));
    EXPECT_NE(box.ok("sluice read db texts").find("the words"), std::string::npos);
    box.ok("sluice verify db");
}

TEST(Repair, WritesOverNothingThatIsThere) {
    Sandbox box;
    make_damaged(box);
    box.ok("mkdir kept");
    box.write("kept/mine", "mine");
    const Ran refused = box.run("sluice repair db --keep kept");
    EXPECT_EQ(refused.status, 18);
    EXPECT_NE(refused.err.find("is not empty"), std::string::npos) << refused.err;
    EXPECT_TRUE(box.holds("db", "of Message 5"));
}

TEST(Repair, MakesAnIdentityAgainWithoutWhichNothingOpens) {
    Sandbox box;
    box.ok(R"(sluice init db
        sluice append db --key k1 --json '{"text":"one"}'
        sluice view add db texts --json '{"kind":"index","key":["/text"]}')");
    box.write("db/log/identity", "nothing of the kind");
    EXPECT_EQ(box.run("sluice get db 1").status, 13);
    const Ran checked = box.run("sluice check db --json");
    EXPECT_EQ(checked.status, 1);
    EXPECT_NE(checked.out.find(R"("remedy":"new_identity")"), std::string::npos) << checked.out;
    box.ok("sluice repair db --keep kept");
    EXPECT_NE(box.ok("sluice get db k1").find("one"), std::string::npos);
    box.ok("sluice verify db");
}

TEST(Repair, SaysThatThereIsNoDatabase) {
    Sandbox box;
    for (const char* const command : {"check", "repair"}) {
        const Ran nothing = box.run(std::string("sluice ") + command + " nowhere");
        EXPECT_EQ(nothing.status, 14) << command;
        EXPECT_NE(nothing.err.find("nowhere"), std::string::npos) << nothing.err;
        EXPECT_FALSE(std::filesystem::exists(box.path("nowhere")));
    }
}

} // namespace
} // namespace sluice::test
