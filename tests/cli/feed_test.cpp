// follow and consumer on the command line.
#include "sandbox.hpp"

#include <gtest/gtest.h>

namespace sluice::test {
namespace {

void make_notes(const Sandbox& box) {
    box.ok("sluice init db");
    box.ok(R"(sluice view add db by_type --json '{"kind":"index","key":["/type","/n"]}')");
    box.ok(R"(sluice append db --key k1 --json '{"type":"note","n":1}')");
    box.ok(R"(sluice append db --json '{"type":"draft","n":2}')");
    box.ok(R"(sluice append db --json '{"type":"note","n":3}')");
}

TEST(FollowCommand, PrintsWhatAnIndexHasToDo) {
    const Sandbox box;
    make_notes(box);
    EXPECT_EQ(box.ok("sluice follow db --where /type=note --since-start --once"),
              R"({"seq":1,"change":"added","key":"k1","value":{"type":"note","n":1}})"
              "\n"
              R"({"seq":3,"change":"added","value":{"type":"note","n":3}})"
              "\n");
    EXPECT_EQ(box.ok("sluice follow db --once"), "");
    box.ok("sluice erase db --seq 1 --yes");
    EXPECT_EQ(box.ok("sluice follow db --from 3 --view by_type --prefix '[\"note\"]' --once"),
              R"({"seq":3,"change":"added","rows":[["note",3]],"value":{"type":"note","n":3}})"
              "\n"
              R"({"seq":1,"change":"gone"})"
              "\n");
    EXPECT_EQ(box.run("sluice follow db --view none --once").status, 14);
    EXPECT_EQ(box.run("sluice follow db --where '/n>' --once").status, 2);
    EXPECT_EQ(box.run("sluice follow db --prefix '[1]' --once").status, 2);
    EXPECT_EQ(box.run("sluice follow db --from 1.2 --once").status, 16);
}

TEST(FollowCommand, GoesOnFromAPositionThatItPrinted) {
    const Sandbox box;
    make_notes(box);
    const auto lines = lines_of(box.ok("sluice follow db --since-start --positions --once"));
    ASSERT_GE(lines.size(), 4u);
    const std::string begin = R"({"position":")";
    ASSERT_TRUE(lines.back().starts_with(begin)) << lines.back();
    const std::string position =
        lines.back().substr(begin.size(), lines.back().size() - begin.size() - 2);
    EXPECT_EQ(box.ok("sluice follow db --once --from " + position), "");
    box.ok("sluice delete db --seq 2");
    EXPECT_EQ(box.ok("sluice follow db --once --from " + position),
              "{\"seq\":2,\"change\":\"gone\"}\n");
}

TEST(FollowCommand, RemembersAConsumer) {
    const Sandbox box;
    make_notes(box);
    EXPECT_EQ(lines_of(box.ok("sluice follow db --consumer pg --once")).size(), 3u);
    EXPECT_EQ(box.ok("sluice follow db --consumer pg --once"), "");
    box.ok("sluice delete db --seq 2");
    EXPECT_EQ(box.ok("sluice consumer list db"), "pg  3  1 behind  everything\n");
    box.ok("sluice check db");
    // Nobody took it: it is told again.
    box.run("sluice follow db --consumer pg --once >/dev/full");
    EXPECT_EQ(box.ok("sluice follow db --consumer pg --once"), "{\"seq\":2,\"change\":\"gone\"}\n");
    EXPECT_EQ(box.ok("sluice consumer drop db pg"), "dropped pg\n");
    EXPECT_EQ(box.run("sluice consumer drop db pg").status, 14);
    EXPECT_EQ(box.ok("sluice consumer list db --json"), "");
}

/// A line of shell that waits until the file `told` has so many lines.
std::string until_told(std::size_t lines) {
    return "for i in $(seq 1000); do test $(wc -l <told) = " + std::to_string(lines) +
           " && break; sleep 0.05; done; ";
}

TEST(FollowCommand, GoesOnWhileOthersWrite) {
    for (const std::string who : {"--since-start", "--consumer pg"}) {
        const Sandbox box;
        make_notes(box);
        const Ran told =
            box.run(SLUICE_PROGRAM " follow db " + who + " >told & " + until_told(3) +
                    R"(sluice append db --json '{"n":4}'; )" + until_told(4) +
                    R"(sluice append db --json '{"n":5}'; sluice delete db --seq 2; )" +
                    until_told(6) + "kill -TERM $!; wait $!; status=$?; cat told; exit $status");
        EXPECT_EQ(told.status, 0) << told.err;
        const auto lines = lines_of(told.out);
        ASSERT_GE(lines.size(), 6u) << told.out << told.err;
        EXPECT_EQ(lines.back(), R"({"seq":2,"change":"gone"})");
    }
}

TEST(FollowCommand, WaitsForAProcessThatStaysTheOneThatWrites) {
    const Sandbox box;
    make_notes(box);
    const Ran told =
        box.run("mkfifo pipe; " SLUICE_PROGRAM " append db <pipe & exec 3>pipe; "
                "for attempt in {1..100}; do sluice verify db --wait 0; [ $? = 15 ] && break; "
                "sleep 0.1; done; " SLUICE_PROGRAM " follow db --since-start >told 2>said 3>&- & "
                "for attempt in {1..200}; do test -s said && break; sleep 0.05; done; "
                "echo '{\"n\":4}' >&3; exec 3>&-; " +
                until_told(4) + "kill -TERM $!; wait; cat said");
    EXPECT_NE(told.out.find("what it does is told when it has ended"), std::string::npos)
        << told.out << told.err;
    EXPECT_EQ(lines_of(box.read("told")).size(), 4u);
}

TEST(FollowCommand, OfOneNameIsEndedWhereAnotherHasGoneOn) {
    const Sandbox box;
    make_notes(box);
    const Ran told =
        box.run("timeout 60 " SLUICE_PROGRAM " follow db --consumer pg >told & " + until_told(3) +
                "until sluice consumer drop db pg; do sleep 0.05; done; "
                "sluice append db --json '{\"n\":4}'; wait $!");
    EXPECT_EQ(told.status, 15) << told.err;
    EXPECT_NE(told.err.find("somebody else follows as consumer pg"), std::string::npos);
}

TEST(FollowCommand, EndsWhenItIsToldTo) {
    const Sandbox box;
    make_notes(box);
    const Ran told = box.run(SLUICE_PROGRAM " follow db --consumer pg >told & " + until_told(3) +
                             "kill -TERM $!; wait $!; status=$?; cat told; exit $status");
    EXPECT_EQ(told.status, 0) << told.err;
    EXPECT_EQ(lines_of(told.out).size(), 3u);
    EXPECT_EQ(box.run("sluice follow db --since-start | head -n 0; exit ${PIPESTATUS[0]}").status,
              141);
    box.ok("sluice verify db");
}

} // namespace
} // namespace sluice::test
