// Keys, edits, blobs and blocks on the command line: what arrives late changes every view, and
// every way has a way back.
#include "sandbox.hpp"

#include "support/shared_data.hpp"

#include <gtest/gtest.h>

namespace sluice::test {
namespace {

constexpr const char* kAda = "@rlgvE+Q6wW5LkbJwoTc9cBM1ITTTwB8G7jb9wrUzFMQ=.ed25519";

std::string message(const std::string& id, const std::string& author, int sequence,
                    const std::string& content) {
    return R"({"key":")" + id + R"(","value":{"author":")" + author + R"(","sequence":)" +
           std::to_string(sequence) + R"(,"content":)" + content + "}}";
}

/// A database with a generated network and two views.
class Network : public ::testing::Test {
protected:
    Network() {
        box.ok("sluice generate --messages 2000 --seed 5 --out log.offset --secrets secrets.jsonl");
        box.ok("sluice import db log.offset");
        box.ok(R"(sluice view add db types --json )"
               R"('{"kind":"aggregate","group":["/value/content/type"],"value":{"count":true}}')");
        box.ok(R"(sluice view add db words --json )"
               R"('{"kind":"search","text":["/value/content/text"]}')");
    }
    std::string types() const { return box.ok("sluice read db types"); }
    void append(const std::string& id, const std::string& json) const {
        box.write("message.json", json);
        box.ok("sluice append db --key '" + id + "' --json \"$(cat message.json)\"");
    }
    /// The first thing that a private message says and that no public one does.
    std::string opened_text() const {
        return box.ok("sluice log db --values --json | grep originalContent | head -n 1 | "
                      "sed -E 's/.*\"text\":\"([^\"]{40}).*/\\1/'");
    }
    Sandbox box;
};

TEST_F(Network, OpensWithAKeyAndClosesWithoutIt) {
    const std::string closed = types();
    box.ok("head -n 1 secrets.jsonl > secret");
    const std::string added = box.ok("sluice key add db secret");
    EXPECT_TRUE(added.starts_with("added 1 key; ")) << added;
    EXPECT_FALSE(added.starts_with("added 1 key; 0 ")) << added;
    EXPECT_NE(types(), closed);
    std::string text = opened_text();
    text.pop_back();
    ASSERT_EQ(text.size(), 40U) << text;
    EXPECT_TRUE(box.holds("db", text));
    box.ok("sluice verify db");

    const std::string id = box.ok("sed -E 's/.*\"id\":\"([^\"]*)\".*/\\1/' secret | tr -d '\\n'");
    EXPECT_NE(box.ok("sluice key list db").find(id), std::string::npos);
    box.ok("sluice key drop db " + id);
    EXPECT_EQ(types(), closed);
    EXPECT_FALSE(box.holds("db", text)) << "the plaintext left all files";
    box.ok("sluice verify db");

    box.ok("sluice key add db secret");
    EXPECT_NE(types(), closed);
    EXPECT_EQ(box.run("sluice key erase db " + id).status, 2) << "asks for --yes";
    box.ok("sluice key erase db " + id + " --yes");
    EXPECT_EQ(types(), closed);
    EXPECT_FALSE(box.holds("db", text));
    EXPECT_EQ(box.ok("sluice key list db"), "");
    box.ok("sluice verify db");
}

TEST_F(Network, SaysWhy) {
    box.ok("sluice key add db secrets.jsonl");
    const std::string seq =
        box.ok("sluice log db --values --json | grep originalContent | "
               "head -n 1 | sed -E 's/.*\"seq\":([0-9]+).*/\\1/' | tr -d '\\n'");
    const std::string why = box.ok("sluice why db " + seq);
    EXPECT_NE(why.find("scuttlebutt.unbox: made something else of it"), std::string::npos) << why;
    EXPECT_NE(why.find("in facts scuttlebutt.keys"), std::string::npos) << why;
    EXPECT_NE(why.find("view types (aggregate)"), std::string::npos) << why;
    box.ok("sluice transform drop db scuttlebutt.unbox");
    const std::string closed = box.ok("sluice why db " + seq + " --json");
    EXPECT_NE(closed.find("\"transforms\":[]"), std::string::npos) << closed;
    box.ok("sluice verify db");
}

TEST_F(Network, ShowsEditsAndBlobsAndTakesThemBack) {
    const auto alone = box.run("sluice transform use db scuttlebutt.edits");
    EXPECT_NE(alone.status, 0);
    EXPECT_NE(alone.err.find("scuttlebutt.edits reads scuttlebutt.edit-roots: use that one, too"),
              std::string::npos)
        << alone.err;
    box.ok("sluice transform use db");
    const auto needed = box.run("sluice transform drop db scuttlebutt.edit-links");
    EXPECT_NE(needed.err.find("drop that one first"), std::string::npos) << needed.err;
    const std::string first = "%AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=.sha256";
    const std::string edit = "%BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=.sha256";
    append(edit, message(edit, kAda, 2,
                         R"({"type":"edit","updated":")" + first + R"(","original":")" + first +
                             R"(","text":"better words"})"));
    append(first, message(first, kAda, 1, R"({"type":"post","text":"first words"})"));
    EXPECT_NE(box.ok("sluice get db " + first).find("better words"), std::string::npos)
        << "also when the edit came first";
    EXPECT_NE(box.ok("sluice search db words better").find("*better* words"), std::string::npos);
    EXPECT_NE(box.ok("sluice get db " + first + " --stored").find("first words"),
              std::string::npos);
    box.ok("sluice delete db --key " + edit);
    EXPECT_NE(box.ok("sluice get db " + first).find("first words"), std::string::npos);
    box.ok("sluice erase db --yes --key " + edit);
    EXPECT_FALSE(box.holds("db", "better words"));

    box.write("note", "what the blob says");
    std::string id = box.ok("sluice blob add db note");
    id.pop_back();
    const std::string refers = "%CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA=.sha256";
    append(refers,
           message(refers, kAda, 3, R"({"type":"post","text":"see","image":")" + id + "\"}"));
    EXPECT_NE(box.ok("sluice get db " + refers).find("what the blob says"), std::string::npos);
    EXPECT_EQ(box.ok("sluice blob get db '" + id + "'"), "what the blob says");
    EXPECT_EQ(box.ok("sluice blob gc db --dry-run"), "") << "a message refers to it";
    box.ok("sluice blob rm db '" + id + "' --yes");
    EXPECT_EQ(box.ok("sluice get db " + refers).find("what the blob says"), std::string::npos);
    EXPECT_FALSE(box.holds("db", "what the blob says"));

    box.ok("sluice blob add db note");
    box.ok("sluice delete db --key " + refers);
    EXPECT_EQ(box.ok("sluice blob gc db --yes"), id + "\n");
    EXPECT_EQ(box.run("sluice blob get db '" + id + "'").status, 14);
    EXPECT_FALSE(box.holds("db", "what the blob says"));
    box.ok("sluice verify db");
}

TEST_F(Network, BlocksAFeedAndLetsItInAgain) {
    const std::string before = types();
    std::string feed = box.ok("head -n 1 secrets.jsonl | sed -E 's/.*\"id\":\"([^\"]*)\".*/\\1/'");
    feed.pop_back();
    const std::string blocked = box.ok("sluice block db " + feed + " --reason spam");
    EXPECT_TRUE(blocked.starts_with("blocked; ")) << blocked;
    EXPECT_NE(types(), before);
    append("%x", message("%x", kAda, 1, R"({"type":"rare"})"));
    box.write("message.json", message("%y", feed, 9999, R"({"type":"rare"})"));
    EXPECT_EQ(box.run("sluice append db --json \"$(cat message.json)\"").status, 20) << "refused";
    box.write("more.jsonl", box.read("message.json") + "\n");
    EXPECT_NE(box.ok("sluice import db more.jsonl").find("imported 0 messages"), std::string::npos);

    box.ok("sluice unblock db " + feed);
    box.ok("sluice delete db --key %x");
    EXPECT_EQ(types(), before);
    box.ok("sluice append db --json \"$(cat message.json)\"");
    EXPECT_NE(types().find("rare"), std::string::npos);
    EXPECT_EQ(box.run("sluice unblock db " + feed).status, 14) << "it is not blocked";
    EXPECT_EQ(box.run("sluice block db bob").status, 16);
    EXPECT_EQ(box.run("sluice block db " + feed + " --erase").status, 2) << "asks for --yes";
    box.ok("sluice block db " + feed + " --erase --yes");
    EXPECT_FALSE(box.holds("db", "\"sequence\":9999"));
    EXPECT_FALSE(box.ok("sluice hops db " + feed).empty());
    box.ok("sluice verify db");
}

TEST(KeyCommands, SayWhatIsWrongAndNotWhatTheKeyIs) {
    Sandbox box;
    box.ok("sluice init db");
    box.write("secret", R"({"curve":"ed25519","private":"secretsecretsecret"})");
    const Ran ran = box.run("sluice key add db secret");
    EXPECT_EQ(ran.status, 16);
    EXPECT_EQ(ran.err.find("secretsecret"), std::string::npos) << ran.err;
    EXPECT_EQ(box.run("sluice key add db nowhere").status, 14);
    EXPECT_EQ(box.run("sluice key drop db @nobody").status, 14);
    EXPECT_EQ(box.ok("sluice fact list db"), "");
}

TEST(KeyCommands, OpenInARealLogWhatAnIndependentReaderCounts) {
    const std::string folder = shared_data("data/scuttlebutt-20k/log.offset").empty()
                                   ? ""
                                   : shared_data("data/scuttlebutt-20k");
    if (folder.empty()) GTEST_SKIP() << "the 20,000 message log is not on this machine";
    Sandbox box;
    box.ok("sluice import db " + folder + "/log.offset");
    box.ok(R"(sluice view add db types --json )"
           R"('{"kind":"aggregate","group":["/value/content/type"],"value":{"count":true}}')");
    const std::string closed = box.ok("sluice read db types");
    EXPECT_NE(box.ok("sluice key add db " + folder + "/secret").find("492 messages"),
              std::string::npos);
    box.ok("head -n 12 " + folder + "/secrets.jsonl > some.jsonl");
    box.ok("sluice key add db some.jsonl");
    box.ok("sluice verify db");
    for (const std::string& line : lines_of(box.ok("sluice key list db --json"))) {
        box.write("line", line);
        box.ok("sluice key drop db \"$(sed -E 's/.*\"id\":\"([^\"]*)\".*/\\1/' line)\"");
    }
    EXPECT_EQ(box.ok("sluice read db types"), closed);
    box.ok("sluice verify db");
}

} // namespace
} // namespace sluice::test
