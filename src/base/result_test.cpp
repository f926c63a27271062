#include <sluice/result.hpp>

#include "base/try.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <set>

namespace sluice {
namespace {

Result<int> half_of(int number) {
    if (number % 2 != 0) return Error{Errc::invalid_argument, "odd", 33};
    return number / 2;
}

TEST(Result, HoldsAValueOrAnError) {
    const Result<int> good = half_of(4), bad = half_of(3);
    ASSERT_TRUE(good.has_value());
    EXPECT_EQ(*good, 2);
    EXPECT_EQ(good.value(), 2);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code, Errc::invalid_argument);
    EXPECT_EQ(bad.error().context, "odd");
    EXPECT_EQ(bad.error().os_errno, 33);
    EXPECT_TRUE(Result<void>());
    EXPECT_EQ(Result<void>(Error{Errc::io, "gone"}).error().code, Errc::io);
}

TEST(Result, ThrowsTheErrorFromValue) {
    try {
        half_of(3).value();
        FAIL() << "should have thrown";
    } catch (const Exception& exception) {
        EXPECT_STREQ(exception.what(), "odd");
        EXPECT_EQ(exception.error().code, Errc::invalid_argument);
    }
    EXPECT_THROW(Result<void>(Error{Errc::io, "gone"}).value(), Exception);
    EXPECT_NO_THROW(Result<void>().value());
}

TEST(Result, MovesWhatCannotBeCopied) {
    Result<std::unique_ptr<int>> result = std::make_unique<int>(5);
    const std::unique_ptr<int> moved = std::move(result).value();
    EXPECT_EQ(*moved, 5);
}

TEST(Try, LeavesTheFunctionWithTheError) {
    const auto quarter_of = [](int number, int& steps) -> Result<int> {
        SLUICE_TRY_ASSIGN(const int half, half_of(number));
        ++steps;
        SLUICE_TRY(half_of(half));
        ++steps;
        SLUICE_TRY_ASSIGN(const int quarter, half_of(half));
        return quarter;
    };
    int steps = 0;
    EXPECT_EQ(*quarter_of(8, steps), 2);
    EXPECT_EQ(steps, 2);
    EXPECT_FALSE(quarter_of(7, steps));
    EXPECT_EQ(steps, 2);
    EXPECT_FALSE(quarter_of(6, steps));
    EXPECT_EQ(steps, 3);
}

// The numbers are exit codes and part of language bindings: a changed one breaks somebody.
TEST(Errc, HasStableNumbersAndNames) {
    const char* const names[] = {"io",
                                 "no_space",
                                 "corrupt",
                                 "not_found",
                                 "busy",
                                 "invalid_argument",
                                 "unsupported_version",
                                 "exists",
                                 "held",
                                 "refused",
                                 "latched",
                                 "read_only",
                                 "ended"};
    for (std::uint8_t i = 0; i < std::size(names); ++i) {
        EXPECT_EQ(name_of(static_cast<Errc>(i + 1)), names[i]);
    }
    EXPECT_EQ(name_of(static_cast<Errc>(200)), "unknown");
}

} // namespace
} // namespace sluice
