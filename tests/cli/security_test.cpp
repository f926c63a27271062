// What SECURITY.md says of files, errors, links and input from elsewhere.
#include "sandbox.hpp"

#include <gtest/gtest.h>

#include <array>

#include <sys/stat.h>
#include <unistd.h>

namespace sluice::test {
namespace {

namespace fs = std::filesystem;

unsigned mode_of(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
}

/// Each that is not its owner's alone.
void expect_private(const fs::path& folder) {
    EXPECT_EQ(mode_of(folder), 0700U) << folder;
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        EXPECT_EQ(mode_of(entry.path()), entry.is_directory() ? 0700U : 0600U) << entry.path();
        files += entry.is_regular_file();
    }
    EXPECT_GT(files, 5U);
}

/// A database with everything in it that a database can have, by a generated network.
void live_a_life(const Sandbox& box, const std::string& umask) {
    box.ok("umask " + umask + R"(
        sluice generate --messages 300 --seed 3 --out log.offset --secrets keys
        sluice import db log.offset
        sluice view add db by_author --json '{"kind":"index","key":["/value/author"]}'
        sluice view add db text --json '{"kind":"search","text":["/value/content/text"]}'
        sluice key add db keys
        printf 'a blob' | sluice blob add db -
        sluice fact put db keys '"team"' --file keys --secret
        sluice append db --key m1 --json '{"text":"hello"}'
        sluice replace db --key m1 --json '{"text":"hello again"}'
        sluice delete db --seq 7
        sluice erase db --seq 1-3 --yes
        sluice fact erase db keys '"team"' --yes
        sluice verify db
        sluice export db --out copy.jsonl --skip-unfit
        sluice export db --out copy.offset --format flumelog-offset --skip-unfit)");
}

TEST(Modes, OfEverythingInADatabaseAreItsOwnersWhateverTheUmask) {
    for (const char* const umask : {"000", "022", "0777"}) {
        Sandbox box;
        // The sandbox's own files have to be read again.
        live_a_life(box, umask);
        expect_private(box.path("db"));
        for (const char* const made : {"copy.jsonl", "copy.offset", "log.offset", "keys"})
            EXPECT_EQ(mode_of(box.path(made)), 0600U) << made << ", umask " << umask;
    }
}

TEST(Modes, ThatACopyWidenedAreNarrowedAndTheUsersOwnDirectoryIsLeftAlone) {
    Sandbox box;
    box.ok("mkdir -m 755 db; sluice init db; sluice append db --json '{}'; "
           "sluice view add db v --json '{\"kind\":\"index\",\"key\":[\"/n\"]}'");
    EXPECT_EQ(mode_of(box.path("db")), 0755U);
    box.ok("chmod -R a+rX db");
    box.ok("sluice append db --json '{}'");
    EXPECT_EQ(mode_of(box.path("db")), 0755U);
    EXPECT_EQ(mode_of(box.path("db/log")), 0700U);
    EXPECT_EQ(mode_of(box.path("db/views")), 0700U);
    for (const char* const name : {"lock", "catalog", "00000000000000000001.log"})
        EXPECT_EQ(mode_of(box.path(std::string("db/log/") + name)), 0600U) << name;
}

TEST(Modes, OfAFileThatAnExportReplacesAreNarrowed) {
    Sandbox box;
    box.ok("sluice init db; sluice append db --json '{}'; touch out; chmod 644 out");
    EXPECT_EQ(box.run("sluice export db --out out").status, 18);
    box.ok("sluice export db --out out --force");
    EXPECT_EQ(mode_of(box.path("out")), 0600U);
}

// Links.

class Links : public testing::Test {
protected:
    void SetUp() override {
        box.ok("sluice init db; sluice append db --json '{}'; "
               "sluice view add db v --json '{\"kind\":\"index\",\"key\":[\"/n\"]}'");
        box.write("theirs", "what somebody else wrote");
        box.ok("mkdir elsewhere");
    }
    /// Runs the line, and expects that it is refused and that nothing elsewhere was touched.
    void refused(const std::string& line) {
        const Ran ran = box.run(line);
        // A segment of the log is looked for among the plain files, and is not there.
        const bool is_missing = ran.err.find("an identity but no segment") != std::string::npos;
        EXPECT_EQ(ran.status, is_missing ? 13 : 20) << line << "\n" << ran.err;
        EXPECT_EQ(box.read("theirs"), "what somebody else wrote") << line;
        EXPECT_TRUE(fs::is_empty(box.path("elsewhere"))) << line;
    }
    Sandbox box;
};

TEST_F(Links, InThePlaceOfAFileOfTheDatabaseAreRefused) {
    for (const char* const file : {"log/lock", "log/catalog", "log/identity",
                                   "log/00000000000000000001.log", "views/manifest-1"}) {
        const std::string path = std::string("db/") + file;
        box.ok("mv " + path + " kept; ln -s ../../theirs " + path);
        refused("sluice append db --json '{}'");
        box.ok("rm " + path + "; ln -s ../../kept " + path); // To our own bytes, but elsewhere.
        refused("sluice append db --json '{}'");
        box.ok("rm " + path + "; mv kept " + path);
        box.ok("sluice append db --json '{}'");
    }
}

TEST_F(Links, InThePlaceOfAFolderOfTheDatabaseAreRefused) {
    for (const char* const folder : {"log", "views"}) {
        const std::string path = std::string("db/") + folder;
        box.ok("mv " + path + " kept; ln -s ../elsewhere " + path);
        refused("sluice append db --json '{}'");
        box.ok("rm " + path + "; mv kept " + path);
    }
    box.ok("ln -s ../elsewhere db/blobs");
    refused("printf blob | sluice blob add db -");
}

TEST_F(Links, PlantedWhereAnExportGoesAreRefused) {
    box.ok("ln -s theirs out");
    refused("sluice export db --out out --force");
    refused("sluice export db --out out");
    box.ok("ln -s elsewhere/new dangling");
    refused("sluice export db --out dangling --force");
    refused("sluice generate --messages 1 --out dangling --force");
    box.ok("mkfifo pipe");
    refused("sluice export db --out pipe --force");
}

TEST_F(Links, ToAFileThatIsReadAreTheUsersOwnChoice) {
    box.write("lines", "{\"n\":1}\n");
    box.ok("ln -s lines way; sluice import db way");
    box.ok("ln -s theirs blob; sluice blob add db blob");
}

// Files that are none.

TEST(Input, ThatIsNoFileIsAClearError) {
    Sandbox box;
    box.ok("sluice init db; mkdir folder; mkfifo pipe");
    for (const char* const line :
         {"sluice import db folder", "sluice import db pipe", "sluice import db /dev/null"}) {
        const Ran ran = box.run(std::string("timeout 10 ") + SLUICE_PROGRAM + (line + 6));
        EXPECT_EQ(ran.status, 16) << line << ran.err;
        EXPECT_NE(ran.err.find("is no regular file"), std::string::npos) << ran.err;
    }
    for (const char* const line :
         {"sluice key add db folder", "sluice fact put db c '\"k\"' --file folder",
          "sluice blob add db folder"}) {
        const Ran ran = box.run(line);
        EXPECT_EQ(ran.status, 11) << line << ran.err;
        EXPECT_NE(ran.err.find("irectory"), std::string::npos) << ran.err;
    }
    EXPECT_EQ(box.run("sluice key add db /dev/zero").status, 16);
    EXPECT_EQ(box.ok("sluice fact list db") + box.ok("sluice blob list db"), "");
}

TEST(Input, FromAPipeIsReadToItsEnd) {
    Sandbox box;
    box.ok("sluice init db; sluice generate --messages 20 --out g --secrets keys");
    box.ok("sluice key add db <(cat keys); sluice blob add db <(printf 'a blob')");
    EXPECT_EQ(lines_of(box.ok("sluice key list db --json")).size(),
              lines_of(box.read("keys")).size());
}

TEST(Blobs, AreNeverOutsideTheFolderWhateverTheirIds) {
    Sandbox box;
    box.ok("sluice init db; printf abc | sluice blob add db -");
    box.write("theirs", "theirs");
    for (const char* const id :
         {"../../theirs", "&../../../theirs.sha256", "&.sha256", "/etc/passwd",
          "&Li4vLi4vLi4vLi4vLi4vLi4vLi4vLi4vdGhlaXJzLi8=.sha256/../../theirs",
          "&Li4vLi4vLi4vLi4vLi4vLi4vLi4vLi4vdGhlaXJzLi8=.sha256"}) {
        EXPECT_NE(box.run("sluice blob get db '" + std::string(id) + "'").status, 0) << id;
        EXPECT_NE(box.run("sluice blob rm db '" + std::string(id) + "' --yes").status, 0) << id;
        EXPECT_NE(
            box.run("printf abc | sluice blob add db - --id '" + std::string(id) + "'").status, 0);
    }
    EXPECT_EQ(box.read("theirs"), "theirs");
    EXPECT_EQ(lines_of(box.ok("sluice blob list db")).size(), 1U);
}

// Content in errors.

/// 32 bytes and more, in every form that a key or a message can have.
constexpr const char* kNeedle = "bmVlZGxlbmVlZGxlbmVlZGxlbmVlZGxl";
constexpr const char* kNeedleHex = "6e6565646c656e6565646c656e656564";

class Needles : public testing::Test {
protected:
    void SetUp() override {
        box.ok("sluice init db; sluice append db --key m1 --json '{\"n\":1}'");
        box.ok("sluice generate --messages 30 --seed 5 --out g.offset --secrets keys");
    }
    /// Fails, and tells nobody of the needle: not in an error, not as JSON, and in no file.
    void keeps_quiet(const std::string& line) {
        for (const char* const json : {"", "--json "}) {
            const Ran ran = box.run("sluice " + (json + line));
            EXPECT_NE(ran.status, 0) << line;
            EXPECT_LT(ran.status, 64) << line << "\n" << ran.err;
            EXPECT_FALSE(ran.err.empty()) << line;
            for (const char* const each : {kNeedle, kNeedleHex, "needleneedle"}) {
                EXPECT_EQ((ran.err + ran.out).find(each), std::string::npos) << line << ran.err;
                EXPECT_FALSE(box.holds("db", each)) << line;
            }
        }
    }
    void keeps_quiet_about(const std::string& content, const std::string& line) {
        box.write("input", content);
        SCOPED_TRACE(content.substr(0, 200));
        keeps_quiet(line);
    }
    Sandbox box;
    const std::string needle = kNeedle;
};

TEST_F(Needles, InSecretFilesAreNotTold) {
    const std::string pair = R"({"curve":"ed25519","public":")";
    for (const std::string& secret :
         {needle, "{" + needle, "{\"private\":\"" + needle + "\"}",
          "{\"private\":\"" + needle + ".ed25519\"}", "{\"private\":[\"" + needle + "\"]}",
          "{\"" + needle + "\":1}", "{\"curve\":\"" + needle + "\"}",
          pair + needle + ".ed25519\",\"private\":\"" + needle + needle + needle + ".ed25519\"}",
          "{\"private\":\"" + needle + "\"}\n{\"private\":\"" + needle + "\"}",
          "{\"private\":\"" + needle + "\"}\n" + needle, std::string("\xFF\xFE") + needle,
          std::string(400, '[') + needle}) {
        keeps_quiet_about(secret, "key add db input");
    }
    for (const std::string& group :
         {needle, std::string(kNeedleHex), std::string(kNeedleHex) + kNeedleHex + "00",
          "{\"key\":\"" + needle + "\"}", "{\"groupKey\":\"" + needle + "\"}", "{" + needle,
          "{\"key\":{\"" + needle + "\":1}}"}) {
        keeps_quiet_about(group, "key add db input --group");
        keeps_quiet_about(group, "key add db input --own");
    }
    // A pair whose halves do not fit.
    std::string real = lines_of(box.read("keys")).at(0);
    real.replace(real.find("\"private\":\"") + 11, needle.size(), needle);
    keeps_quiet_about(real, "key add db input");
}

TEST_F(Needles, OnTheCommandLineAreNotRepeated) {
    keeps_quiet("append db --json '{\"a\":" + needle + "}'");
    keeps_quiet("replace db --key m1 --json '" + needle + "'");
    keeps_quiet("fact put db keys '\"k\"' a " + needle + " --secret");
    keeps_quiet("fact put db keys '{\"" + needle + "\"' value");
    keeps_quiet("fact put db keys '\"k\"' a --unknown=" + needle);
    keeps_quiet("fact drop db keys '\"" + needle + "\"'");
    keeps_quiet("fact erase db keys '\"" + needle + "\"' --yes");
    keeps_quiet("read db view --prefix '[" + needle + "'");
    keeps_quiet("get db " + needle);
    keeps_quiet("log db --from " + needle);
    keeps_quiet("export db --format " + needle);
    keeps_quiet("append db --json '{}' --durability " + needle);
    keeps_quiet("stats db --wait " + needle);
    keeps_quiet("delete db --seq " + needle);
    keeps_quiet("delete db --key " + needle);
    keeps_quiet("append db --json '{}' " + needle);
    keeps_quiet("key drop db " + needle);
    keeps_quiet("blob get db '&" + needle + ".sha256'");
}

TEST_F(Needles, InDefinitionsAreNotTold) {
    const std::string word = "\"" + needle + "\"";
    for (const std::string& definition :
         {word, "{\"kind\":" + word + "}", "{\"kind\":\"index\",\"key\":" + word + "}",
          "{\"kind\":\"index\",\"key\":[" + word + "]}",
          "{\"kind\":\"index\",\"key\":[\"/a\"],\"each\":" + word + "}",
          "{\"kind\":\"index\",\"key\":[\"/a\"],\"where\":\"/a = \\\"" + needle + "\"}",
          "{\"kind\":\"index\",\"key\":[\"/~" + needle + "\"]}",
          "{\"kind\":\"aggregate\",\"group\":[],\"value\":" + word + "}",
          "{\"kind\":\"fold\",\"group\":[\"/a\"],\"fold\":" + word + ",\"value\":\"/a\"}",
          "{\"kind\":\"search\",\"text\":[\"/a\"],\"language\":" + word + "}", needle}) {
        SCOPED_TRACE(definition);
        box.write("input", definition);
        keeps_quiet("view add db v --json \"$(cat input)\"");
    }
}

TEST_F(Needles, InDamagedImportsAreNotTold) {
    std::string offset = box.read("g.offset");
    const std::string cut = offset.substr(0, 4) + needle + offset.substr(4 + needle.size());
    keeps_quiet_about(cut.substr(0, 600), "import db input --format flumelog-offset");
    keeps_quiet_about(needle, "import db input --format flumelog-offset");
    keeps_quiet_about(needle + needle, "import db input");
    keeps_quiet_about("{\"n\":" + needle + "}\n", "import db input --format jsonl");
    keeps_quiet_about("{\"key\":\"%x\",\"value\":{\"content\":\"" + needle + "\"}}\n",
                      "import db input --format jsonl --verify");
}

TEST_F(Needles, InDamagedDatabasesAreNotTold) {
    box.ok("sluice append db --json '{\"secret\":\"needleneedle\"}'");
    box.ok("sluice fact put db keys '\"k\"' needleneedle --secret");
    box.ok("sluice view add db v --json '{\"kind\":\"index\",\"key\":[\"/secret\"]}'");
    box.ok("sluice stats db; cp -r db whole");
    // Every file in turn with a byte of it changed, at many places.
    for (const auto& entry : fs::recursive_directory_iterator(box.path("whole"))) {
        if (!entry.is_regular_file()) continue;
        const std::string name = "db" + entry.path().string().substr(box.path("whole").size());
        const std::uint64_t size = entry.file_size();
        for (const std::uint64_t part : std::array<std::uint64_t, 3>{0, 4, 8}) {
            box.ok("rm -r db; cp -r whole db");
            std::string bytes = box.read(name);
            if (bytes.empty()) continue;
            const std::size_t used = bytes.find_last_not_of('\0') + 1;
            char& byte = bytes[std::min<std::uint64_t>(used, size - 1) * part / 10];
            byte = static_cast<char>(byte ^ 0x10);
            box.write(name, bytes);
            const Ran ran =
                box.run("sluice verify db --json; sluice append db --key m1 --json '{}'; "
                        "sluice fact list db; sluice stats db");
            EXPECT_EQ((ran.out + ran.err).find("needleneedle"), std::string::npos)
                << name << "\n"
                << ran.out << ran.err;
        }
    }
}

TEST_F(Needles, InBlobsThatAreNotWhatTheirIdSaysAreNotTold) {
    box.write("input", "needleneedle");
    const std::string other = "&ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=.sha256";
    keeps_quiet("blob add db input --id '" + other + "'");
    const std::string id = lines_of(box.ok("sluice blob add db input")).at(0);
    box.ok("f=$(find db/blobs/sha256 -type f); printf needleneedlX > $f");
    const Ran ran = box.run("sluice blob get db '" + id + "' > /dev/null");
    EXPECT_EQ(ran.status, 13);
    EXPECT_EQ(ran.err.find("needle"), std::string::npos) << ran.err;
}

TEST(Errors, GiveATerminalNoOrders) {
    Sandbox box;
    box.ok("sluice init db");
    for (const char* const line :
         {"sluice import db $'\\x1b[31mred'", "sluice read db $'\\x1b[31mred'",
          "sluice get $'\\x1b[31mred' 1", "sluice import db g --format $'\\x1b[31mred'"}) {
        const Ran ran = box.run(line);
        EXPECT_NE(ran.status, 0) << line;
        EXPECT_EQ(ran.err.find('\x1b'), std::string::npos) << line;
    }
}

TEST(Core, IsNotLeftByTheProgram) {
    Sandbox box;
    const std::string limits =
        box.ok("sluice init db; ulimit -c unlimited || ulimit -c hard; mkfifo pipe; " SLUICE_PROGRAM
               " append db <pipe & exec 3>pipe; sleep 0.3; "
               "grep 'core file' /proc/$!/limits; exec 3>&-; wait");
    EXPECT_NE(limits.find("Max core file size        1 "), std::string::npos) << limits;
}

} // namespace
} // namespace sluice::test
