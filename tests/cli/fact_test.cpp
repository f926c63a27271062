// Facts on the command line.
#include "sandbox.hpp"

#include <gtest/gtest.h>

namespace sluice::test {
namespace {

TEST(FactCommands, PutListDropAndErase) {
    Sandbox box;
    box.ok("sluice init db");
    EXPECT_EQ(box.ok("sluice fact put db blocks '\"@bob\"' yes --reason 'case 4'"),
              "put blocks [\"@bob\"] (entry 1)\n");
    box.ok("printf 'open sesame' | sluice fact put db keys '[\"team\",1]' --secret");
    const std::string listed = box.ok("sluice fact list db");
    EXPECT_NE(listed.find("(secret)"), std::string::npos) << listed;
    EXPECT_EQ(listed.find("sesame"), std::string::npos) << listed;
    EXPECT_EQ(box.ok("sluice fact list db keys --json"),
              "{\"entry\":2,\"collection\":\"keys\",\"key\":[\"team\",1],\"secret\":true}\n");
    EXPECT_EQ(box.ok("sluice log db --changes").find("sesame"), std::string::npos);

    EXPECT_TRUE(box.holds("db", "open sesame"));
    EXPECT_EQ(box.run("sluice fact erase db keys '[\"team\",1]'").status, 2);
    box.ok("sluice fact erase db keys '[\"team\",1]' --yes");
    EXPECT_FALSE(box.holds("db", "open sesame"));
    EXPECT_FALSE(box.holds("db", "team"));

    box.ok("sluice fact drop db blocks '\"@bob\"'");
    EXPECT_EQ(box.ok("sluice fact list db"), "");
    const Ran again = box.run("sluice fact drop db blocks '\"@bob\"'");
    EXPECT_EQ(again.status, 14);
    EXPECT_EQ(again.err.find("@bob"), std::string::npos) << "a key in an error";
    box.ok("sluice verify db");
}

} // namespace
} // namespace sluice::test
