#include "io/watch.hpp"

#include "io/file.hpp"
#include "support/temporary_directory.hpp"

#include <array>
#include <thread>

#include <gtest/gtest.h>

namespace sluice::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class AWatch : public testing::Test {
protected:
    TemporaryDirectory first_;
    TemporaryDirectory second_;
    std::unique_ptr<Watch> watch_ =
        Watch::of(std::array<std::string, 2>{first_.path(), second_.path()}).value();
};

TEST_F(AWatch, TellsWhichDirectoryChangedAndTellsItOnce) {
    const auto first = open_directory(first_.path(), Create::never).value();
    const auto second = open_directory(second_.path(), Create::never).value();
    const auto file = second->open("file", Create::must).value();
    EXPECT_EQ(watch_->wait(seconds(10)), 2u);
    watch_->arm().value();
    file->write_at(0, "bytes").value();
    file->write_at(0, "more!").value();
    EXPECT_EQ(watch_->wait(seconds(10)), 2u);
    watch_->arm().value();
    second->rename("file", "name").value();
    first->open("other", Create::must).value();
    EXPECT_EQ(watch_->wait(seconds(10)), 3u);
    watch_->arm().value();
    second->remove("name").value();
    EXPECT_EQ(watch_->wait(seconds(10)), 2u);
    EXPECT_EQ(watch_->wait(milliseconds(1)), ~std::uint64_t{0}); // Nothing: look all the same.
    watch_->arm().value();
    watch_->arm().value();
    EXPECT_EQ(watch_->wait(milliseconds(1)), ~std::uint64_t{0});
}

TEST_F(AWatch, IsInterruptedForGood) {
    std::thread interrupter([&] { watch_->interrupt(); });
    EXPECT_EQ(watch_->wait(seconds(60)), 0u);
    EXPECT_EQ(watch_->wait(seconds(60)), 0u);
    interrupter.join();
}

TEST(Watch, NeedsADirectory) {
    const std::string nowhere = "/nowhere/at/all";
    EXPECT_EQ(Watch::of(std::span(&nowhere, 1)).error().code, Errc::io);
}

} // namespace
} // namespace sluice::test
