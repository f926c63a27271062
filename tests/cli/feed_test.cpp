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
    EXPECT_EQ(box.ok("sluice consumer drop db pg"), "dropped consumer pg\n");
    EXPECT_EQ(box.run("sluice consumer drop db pg").status, 14);
    EXPECT_EQ(box.ok("sluice consumer list db --json"), "");
}

TEST(FollowCommand, EndsWhenItIsToldTo) {
    const Sandbox box;
    make_notes(box);
    const Ran told =
        box.run(SLUICE_PROGRAM
                " follow db --consumer pg >told & for i in $(seq 1000); do test $(wc -l <told) = 3 "
                "&& break; "
                "sleep 0.05; done; kill -TERM $!; wait $!; status=$?; cat told; exit $status");
    EXPECT_EQ(told.status, 0) << told.err;
    EXPECT_EQ(lines_of(told.out).size(), 3u);
    EXPECT_EQ(box.run("sluice follow db --since-start | head -n 0; exit ${PIPESTATUS[0]}").status,
              141);
    box.ok("sluice verify db");
}

} // namespace
} // namespace sluice::test
