// The grammar, the answers and the exit statuses.
#include "sandbox.hpp"

#include "base/json.hpp"

#include <sluice/database.hpp>

#include <gtest/gtest.h>

namespace sluice::test {
namespace {

/// Four messages, two of ann, with three views.
class Commands : public ::testing::Test {
protected:
    Commands() {
        box.ok("sluice init db");
        box.ok(R"(sluice append db --key a --json '{"author":"ann","n":1,"text":"first"}')");
        box.ok(R"(sluice append db --key b --json '{"author":"bob","n":2,"text":"second"}')");
        box.ok(R"(sluice append db --key c --json '{"author":"ann","n":3,"text":"third"}')");
        box.ok("printf 'no JSON at all\\n' | sluice append db");
        box.ok(R"(sluice view add db by_author --json '{"kind":"index","key":["/author","/n"]}')");
        box.ok(R"(sluice view add db counts --json )"
               R"('{"kind":"aggregate","group":["/author"],"value":{"count":true,"sum":"/n"}}')");
    }
    Sandbox box;
};

TEST_F(Commands, LinksAndSearchAnswerAsJson) {
    box.ok(R"(sluice view add db links --json )"
           R"('{"kind":"links","source":"/author","target":"/n","relation":"counts"}')");
    box.ok(R"(sluice view add db texts --json '{"kind":"search","text":["/text"]}')");
    EXPECT_EQ(box.ok("sluice links db links --from ann --relation counts --json"),
              R"({"source":"ann","relation":"counts","target":1,"seq":1})"
              "\n"
              R"({"source":"ann","relation":"counts","target":3,"seq":3})"
              "\n");
    EXPECT_EQ(box.ok("sluice links db links --to 2 --depth 3 --json"),
              "{\"node\":\"bob\",\"distance\":1,\"via\":2}\n");
    EXPECT_NE(box.ok("sluice search db texts 'thi*' --json")
                  .find(R"("snippet":"third","marks":[[0,5]]})"),
              std::string::npos);
}

TEST_F(Commands, ReadAnswersRowsInOrderAsJson) {
    EXPECT_EQ(box.ok("sluice read db by_author --json"), "{\"key\":[\"ann\",1],\"seq\":1}\n"
                                                         "{\"key\":[\"ann\",3],\"seq\":3}\n"
                                                         "{\"key\":[\"bob\",2],\"seq\":2}\n");
    EXPECT_EQ(box.ok("sluice read db by_author --json --reverse --limit 1 --values"),
              "{\"key\":[\"bob\",2],\"seq\":2,"
              "\"value\":{\"author\":\"bob\",\"n\":2,\"text\":\"second\"}}\n");
    EXPECT_EQ(box.ok("sluice read db by_author --keys --prefix '[\"ann\"]' --json"),
              "{\"key\":[\"ann\",1]}\n{\"key\":[\"ann\",3]}\n");
    EXPECT_EQ(box.ok("sluice read db by_author --from '[\"ann\",2]' --to '[\"bob\"]' --json"),
              "{\"key\":[\"ann\",3],\"seq\":3}\n");
    EXPECT_EQ(box.ok("sluice read db counts --json"),
              "{\"key\":[\"ann\"],\"value\":{\"count\":2,\"sum\":4}}\n"
              "{\"key\":[\"bob\"],\"value\":{\"count\":1,\"sum\":2}}\n");
}

TEST_F(Commands, ReadGoesOnBehindAPosition) {
    const std::string first = box.ok("sluice read db by_author --limit 1 --positions --json");
    const std::size_t begin = first.find("\"position\":\"") + 12;
    const std::string position = first.substr(begin, first.find('"', begin) - begin);
    EXPECT_EQ(box.ok("sluice read db by_author --limit 1 --json --after '" + position + "'"),
              "{\"key\":[\"ann\",3],\"seq\":3}\n");
}

TEST_F(Commands, ReadCounts) {
    EXPECT_EQ(box.ok("sluice read db by_author --count"), "3\n");
    EXPECT_EQ(box.ok("sluice read db by_author --count --prefix '[\"ann\"]'"), "2\n");
    EXPECT_EQ(box.ok("sluice read db counts --count --json"), "{\"count\":2}\n");
}

TEST_F(Commands, ReadIsAlignedForPeopleAndKeepsContentBack) {
    EXPECT_EQ(box.ok("sluice read db by_author"),
              "1  [\"ann\",1]\n3  [\"ann\",3]\n2  [\"bob\",2]\n");
    EXPECT_EQ(box.ok("sluice read db counts"),
              "[\"ann\"]  count 2  sum 4\n[\"bob\"]  count 1  sum 2\n");
}

TEST_F(Commands, GetTakesASeqOrAnApplicationKey) {
    const std::string expected = "{\"seq\":2,\"state\":\"live\",\"key\":\"b\","
                                 "\"value\":{\"author\":\"bob\",\"n\":2,\"text\":\"second\"}}\n";
    EXPECT_EQ(box.ok("sluice get db 2 --json"), expected);
    EXPECT_EQ(box.ok("sluice get db b --json"), expected);
    EXPECT_EQ(box.ok("sluice get db 4 --raw"), "no JSON at all");
    EXPECT_EQ(box.ok("sluice get db 4 --json"),
              "{\"seq\":4,\"state\":\"live\",\"value_base64\":\"bm8gSlNPTiBhdCBhbGw=\"}\n");
}

TEST_F(Commands, LogListsLiveMessagesAndWithChangesEverything) {
    box.ok("sluice delete db --seq 2 --reason why");
    EXPECT_EQ(box.ok("sluice log db --json"), "{\"seq\":1,\"state\":\"live\",\"key\":\"a\"}\n"
                                              "{\"seq\":3,\"state\":\"live\",\"key\":\"c\"}\n"
                                              "{\"seq\":4,\"state\":\"live\"}\n");
    EXPECT_EQ(box.ok("sluice log db --json --reverse --limit 1 --values"),
              "{\"seq\":4,\"state\":\"live\",\"value_base64\":\"bm8gSlNPTiBhdCBhbGw=\"}\n");
    const auto lines = lines_of(box.ok("sluice log db --json --changes"));
    ASSERT_EQ(lines.size(), 5U);
    EXPECT_EQ(lines[1], "{\"seq\":2,\"state\":\"deleted\",\"key\":\"b\"}");
    EXPECT_NE(lines[4].find("\"state\":\"change\""), std::string::npos);
    EXPECT_EQ(lines_of(box.ok("sluice log db --from 3 --to 3")).size(), 1U);
}

TEST_F(Commands, LogFollowsWhatOthersAppend) {
    box.ok("timeout 20 " SLUICE_PROGRAM " log db --live --from 4 --limit 2 --json >live & "
           "sleep 0.3; sluice append db --key d --json '{}'; wait");
    EXPECT_EQ(box.read("live"), "{\"seq\":4,\"state\":\"live\"}\n"
                                "{\"seq\":5,\"state\":\"live\",\"key\":\"d\"}\n");
}

TEST_F(Commands, ADeleteShowsInEveryViewAndARestoreBringsItBack) {
    const std::string before = box.ok("sluice read db by_author; sluice read db counts");
    EXPECT_EQ(box.ok("sluice delete db --view by_author --prefix '[\"ann\"]' --dry-run --json"),
              "{\"dry_run\":true,\"count\":2,\"seqs\":[1,3]}\n");
    EXPECT_EQ(box.ok("sluice read db by_author; sluice read db counts"), before);

    EXPECT_EQ(box.ok("sluice delete db --view by_author --prefix '[\"ann\"]' --json"),
              "{\"change\":5,\"count\":2,\"seqs\":[1,3]}\n");
    EXPECT_EQ(box.ok("sluice read db by_author --json"), "{\"key\":[\"bob\",2],\"seq\":2}\n");
    EXPECT_EQ(box.ok("sluice read db counts --json"),
              "{\"key\":[\"bob\"],\"value\":{\"count\":1,\"sum\":2}}\n");

    box.ok("sluice restore db --key a --key c");
    EXPECT_EQ(box.ok("sluice read db by_author; sluice read db counts"), before);
    box.ok("sluice verify db");
}

TEST_F(Commands, SelectByConditionAndBySeqRanges) {
    EXPECT_EQ(box.ok("sluice delete db --where '/n>=2 and not /author=bob' --dry-run --json"),
              "{\"dry_run\":true,\"count\":1,\"seqs\":[3]}\n");
    EXPECT_EQ(box.ok("sluice delete db --seq 1-2,4 --dry-run"), "would delete 3 messages\n");
}

TEST_F(Commands, AReplacedMessageIsReadAnewAtItsOldPlace) {
    box.ok(R"(sluice replace db a --json '{"author":"zoe","n":9}')");
    EXPECT_EQ(box.ok("sluice get db 1 --json"),
              "{\"seq\":1,\"state\":\"live\",\"key\":\"a\",\"replaced\":true,"
              "\"value\":{\"author\":\"zoe\",\"n\":9}}\n");
    EXPECT_EQ(box.ok("sluice read db by_author --prefix '[\"zoe\"]' --json"),
              "{\"key\":[\"zoe\",9],\"seq\":1}\n");
}

TEST_F(Commands, AnErasedMessageIsInNoFileAndStaysOut) {
    ASSERT_TRUE(box.holds("db", "second"));
    box.ok("sluice erase db --key b --reason request --yes");
    EXPECT_FALSE(box.holds("db", "second"));
    EXPECT_NE(box.ok("sluice receipts db --json").find("\"seqs\":[2]"), std::string::npos);
    EXPECT_EQ(box.run("sluice append db --key b --json '{}'").status, 20);
    box.ok("sluice append db --key b --json '{}' --readmit");
    box.ok("sluice verify db");
}

TEST_F(Commands, EraseAsksForAYesWhenThereIsNobodyToAsk) {
    const Ran ran = box.run("sluice erase db --key b");
    EXPECT_EQ(ran.status, 2);
    EXPECT_NE(ran.err.find("--yes"), std::string::npos);
    EXPECT_TRUE(box.holds("db", "second"));
    box.ok("sluice erase db --key b --dry-run");
    EXPECT_TRUE(box.holds("db", "second"));
}

TEST_F(Commands, AHeldMessageCannotBeErasedUntilItIsReleased) {
    box.ok("sluice hold db --seq 2");
    EXPECT_EQ(box.run("sluice erase db --seq 1-3 --yes").status, 19);
    EXPECT_NE(box.ok("sluice get db 2").find("held"), std::string::npos);
    box.ok("sluice release db --seq 2");
    box.ok("sluice erase db --seq 1-3 --yes");
}

TEST_F(Commands, EveryErrorHasItsExitStatus) {
    EXPECT_EQ(box.run("sluice get db 99").status, 14);
    EXPECT_EQ(box.run("sluice get db nobody").status, 14);
    EXPECT_EQ(box.run("sluice get nowhere 1").status, 14);
    EXPECT_EQ(box.run("sluice read db nothing").status, 14);
    EXPECT_EQ(box.run("sluice append db --key a --json '{}'").status, 18);
    EXPECT_EQ(box.run("sluice init db").status, 18);
    EXPECT_EQ(box.run("sluice view add db x --json '{\"kind\":\"tree\"}'").status, 16);
    EXPECT_EQ(box.run("sluice frobnicate db").status, 2);
    EXPECT_EQ(box.run("sluice").status, 2);
    EXPECT_EQ(box.run("sluice get db").status, 2);
    EXPECT_EQ(box.run("sluice delete db").status, 2);
    EXPECT_EQ(box.run("sluice delete db --seq 1 --key a").status, 2);
    EXPECT_EQ(box.run("sluice delete db --seq 3-1").status, 2);
    EXPECT_EQ(box.run("sluice delete db --view by_author").status, 2);
    EXPECT_EQ(box.run("sluice read db by_author --prefix '{'").status, 2);
    EXPECT_EQ(box.run("sluice append db --json '{'").status, 2);
    EXPECT_EQ(box.run("sluice log db >/dev/full").status, 11);
}

TEST_F(Commands, ErrorsAreJsonWhenJsonIsAskedFor) {
    EXPECT_NE(box.run("sluice get db 99 --json")
                  .err.find("{\"error\":{\"code\":\"not_found\",\"message\":\""),
              std::string::npos);
    EXPECT_NE(box.run("sluice --json frobnicate").err.find("{\"error\":{\"code\":\"usage\""),
              std::string::npos);
    EXPECT_NE(box.run("sluice delete db --json").err.find("{\"error\":{\"code\":\"usage\""),
              std::string::npos);
    EXPECT_EQ(box.run("sluice append db --json '{'").err.find("{\"error\""), std::string::npos);
}

TEST_F(Commands, AppsAndRulesAreListedBesideWhoeverWrites) {
    box.ok(R"(sluice view add db own --app mail --json '{"kind":"index","key":["/n"]}')");
    box.ok("sluice retain add db few --keep-last 1");
    const Ran listed =
        box.run("mkfifo pipe; " SLUICE_PROGRAM " append db <pipe & exec 3>pipe; "
                "for attempt in {1..100}; do sluice retain run db --wait 0; busy=$?; "
                "[ $busy = 15 ] && break; sleep 0.1; done; "
                "sluice apps db && sluice view list db --unused 0d && "
                "sluice retain list db; status=$?; "
                "exec 3>&-; wait; [ $busy = 15 ] && exit $status");
    EXPECT_EQ(listed.status, 0) << listed.err;
    for (const char* const what : {"mail  own ", "own        index ", "beyond the last 1"}) {
        EXPECT_NE(listed.out.find(what), std::string::npos) << what << '\n' << listed.out;
    }
}

TEST_F(Commands, AMistakeInAConditionIsPointedAt) {
    const Ran ran = box.run("sluice delete db --where '/n=1 und /n=2'");
    EXPECT_EQ(ran.status, 2);
    EXPECT_NE(ran.err.find("column 6"), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find("\n  /n=1 und /n=2\n       ^\n"), std::string::npos) << ran.err;
}

TEST_F(Commands, AppsAreListedAndForgotten) {
    const std::string add = "sluice view add db shared --json '{\"kind\":\"index\",\"key\":[]}'";
    box.ok(add + " --app mail");
    box.ok(add + " --app web");
    box.ok(R"(sluice view add db own --app mail --json '{"kind":"index","key":["/n"]}')");
    const std::string apps = box.ok("sluice apps db");
    EXPECT_NE(apps.find("mail  own "), std::string::npos) << apps;
    EXPECT_NE(apps.find("web   shared "), std::string::npos) << apps;
    EXPECT_NE(apps.find("current"), std::string::npos) << apps;
    EXPECT_NE(box.ok("sluice apps db --json").find(R"({"app":"mail","opened":")"),
              std::string::npos);
    EXPECT_NE(box.ok("sluice view list db").find("mail, web"), std::string::npos);
    EXPECT_EQ(box.ok("sluice apps db --unused 30d"), "");
    EXPECT_EQ(box.ok("sluice view list db --unused 30d"), "");
    EXPECT_NE(box.ok("sluice view list db --unused 0d"), "");

    EXPECT_EQ(box.run("sluice app forget db mail < /dev/null").status, 2);
    EXPECT_NE(box.run("sluice app forget db mail < /dev/null").err.find("would drop: own"),
              std::string::npos);
    EXPECT_EQ(box.ok("sluice app forget db mail --yes"), "dropped: own\nkept for others: shared\n");
    EXPECT_EQ(box.run("sluice app forget db mail --yes").status, 14);
    EXPECT_EQ(box.ok("sluice apps db").find("mail"), std::string::npos);
}

TEST_F(Commands, RulesAreListedWhereNobodyCanTellWhatIsDue) {
    box.ok("sluice retain add db few --keep-last 1");
    {
        Transforms transforms;
        transforms.add({"another.program", 1, [](Context&, const Incoming&, Transformed&) {}});
        Options options;
        options.transforms = transforms;
        const auto database = Database::open(box.path("db"), options).value();
        database->use_transforms(transforms.names()).value();
    }
    const std::string list = box.ok("sluice retain list db");
    EXPECT_NE(list.find("beyond the last 1"), std::string::npos) << list;
    const char* const reason = "transform another.program is in use and not in this program";
    EXPECT_NE(list.find(std::string("not known: ") + reason), std::string::npos) << list;
    const std::string json = box.ok("sluice retain list db --json");
    EXPECT_NE(json.find(std::string(R"("unknown":")") + reason), std::string::npos) << json;
    EXPECT_EQ(json.find("\"due\""), std::string::npos) << json;
    EXPECT_NE(box.run("sluice retain run db").status, 0);
}

TEST_F(Commands, RetentionTakesWhatIsDue) {
    box.ok(R"(sluice append db --json '{"author":"ann","n":4,"at":"2020-01-01T00:00:00Z"}')");
    EXPECT_EQ(box.ok("sluice retain add db few --per /author --keep-last 2"),
              "few: 1 message due now\n");
    EXPECT_EQ(box.ok("sluice retain add db old --older-than 90d --time /at --erase --json"),
              "{\"rule\":\"old\",\"due\":1}\n");
    box.ok("sluice hold db --seq 5");
    EXPECT_EQ(box.ok("sluice retain run db --dry-run"),
              "old: would erase 0 messages, left 1 held\nfew: would delete 1 message\n");
    EXPECT_EQ(box.ok("sluice retain run db few --json"),
              R"({"rule":"few","action":"delete","count":1,"held":0,"seqs":[1],"changes":[7],)"
              R"("dry_run":false})"
              "\n");
    box.ok("sluice release db --seq 5");
    EXPECT_EQ(box.ok("sluice retain run db"), "old: erased 1 message\nfew: deleted 0 messages\n");
    EXPECT_NE(box.ok("sluice receipts db").find("retention rule old"), std::string::npos);
    const std::string list = box.ok("sluice retain list db");
    EXPECT_NE(list.find("older than 90d"), std::string::npos) << list;
    EXPECT_NE(list.find("beyond the last 2 per /author"), std::string::npos) << list;
    EXPECT_EQ(box.ok("sluice view list db").find("few"), std::string::npos);
    box.ok("sluice retain drop db few");
    EXPECT_EQ(box.run("sluice retain drop db few").status, 14);

    EXPECT_EQ(box.run("sluice retain add db x --older-than 90d").status, 16);
    EXPECT_NE(box.run("sluice retain add db x --older-than 90d").err.find("no time of the"),
              std::string::npos);
    EXPECT_EQ(box.run("sluice retain add db x").status, 2);
    EXPECT_EQ(box.run("sluice retain add db x --keep-last 3 --keep-bytes 3").status, 2);
    EXPECT_EQ(box.run("sluice retain add db x --older-than 90 --time /at").status, 2);
    EXPECT_EQ(box.run("sluice retain add db x --keep-last 1 --where '/a='").status, 2);
}

TEST_F(Commands, AnswersWithJsonParseLineByLine) {
    box.ok("sluice delete db --seq 1");
    box.ok("sluice erase db --seq 2 --yes");
    box.ok(R"(sluice view add db own --app mail --json '{"kind":"index","key":["/n"]}')");
    for (const char* command : {"read db by_author --values --positions --json",
                                "log db --changes --values --json",
                                "apps db --json",
                                "retain add db few --keep-last 100 --json",
                                "retain list db --json",
                                "retain run db --json",
                                "retain drop db few --json",
                                "view list db --json",
                                "view show db counts --json",
                                "receipts db --json",
                                "stats db --json",
                                "verify db --json",
                                "get db 1 --json",
                                "get db 2 --json",
                                "restore db --seq 1 --json",
                                "hold db --seq 1 --json",
                                "release db --seq 1 --json",
                                "erase db --seq 1 --dry-run --json",
                                "export db --out o --skip-unfit --json",
                                "generate --messages 3 --out g --json",
                                "import db g --json",
                                "--json append db --json '{}'",
                                "view drop db counts --json"}) {
        const auto lines = lines_of(box.ok(std::string("sluice ") + command));
        EXPECT_FALSE(lines.empty()) << command;
        for (const std::string& line : lines) {
            JsonParser parser;
            const Value* const value = parser.parse(line);
            ASSERT_NE(value, nullptr) << command << ": " << line;
            EXPECT_EQ(value->type(), Value::Type::object) << command;
        }
    }
}

TEST_F(Commands, EndQuietlyWhenTheReaderHasGone) {
    for (int i = 0; i < 3; ++i)
        box.ok("yes '{\"author\":\"many\"}' | head -n 5000 | sluice append db");
    const Ran ran = box.run("sluice log db --json | head -n 1; exit ${PIPESTATUS[0]}");
    EXPECT_EQ(ran.status, 141);
    EXPECT_EQ(ran.err, "");
    box.ok("sluice verify db");
}

TEST_F(Commands, ADamagedMessageIsNamedAndVerifySaysSo) {
    const std::string log = box.ok("ls db/log/*.log | head -n 1 | tr -d '\\n'");
    std::string bytes = box.read(log);
    bytes[bytes.find("second")] = 'S';
    box.write(log, bytes);
    const Ran got = box.run("sluice get db 2");
    EXPECT_EQ(got.status, 13);
    EXPECT_EQ(got.err.find("econd"), std::string::npos) << "content in an error";
    box.ok("sluice get db 3");
    const Ran verified = box.run("sluice verify db");
    EXPECT_EQ(verified.status, 1);
    EXPECT_NE(verified.out.find("NOT equal"), std::string::npos);
}

TEST_F(Commands, SayWhoHasTheDatabaseAndReadItAllTheSame) {
    const Ran ran =
        box.run("mkfifo pipe; " SLUICE_PROGRAM " append db <pipe & exec 3>pipe; "
                "for attempt in {1..100}; do sluice verify db --wait 0.1; status=$?; "
                "[ $status = 15 ] && break; sleep 0.1; done; "
                "sluice get db 2 >got || status=$?; sluice view list db >>got || status=$?; "
                "exec 3>&-; wait; exit $status");
    EXPECT_EQ(ran.status, 15) << ran.err;
    EXPECT_NE(box.read("got").find("second"), std::string::npos);
}

TEST_F(Commands, LogGoesOnWithWhatOthersAppend) {
    const Ran ran = box.run(
        SLUICE_PROGRAM " log db --from 3 --live --values >seen & for text in once twice; do "
                       "echo \"{\\\"text\\\":\\\"$text\\\"}\" | sluice append db; "
                       "for attempt in {1..200}; do grep -q $text seen && break; sleep 0.05; done; "
                       "done; kill $!; wait; exit 0");
    EXPECT_EQ(ran.status, 0) << ran.err;
    const std::string seen = box.read("seen");
    EXPECT_LT(seen.find("once"), seen.find("twice"));
    EXPECT_NE(seen.find("twice"), std::string::npos) << seen;
}

} // namespace
} // namespace sluice::test
