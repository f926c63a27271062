// The value of a word's row: docs/format/search.md.
#include "views/search_rows.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

TEST(SearchValue, IsReadAsItWasWritten) {
    std::string bytes;
    search_rows::append_value(bytes, 9, {1, 5, 4'000'000'000});
    search_rows::Occurrences read;
    ASSERT_TRUE(search_rows::read_value(bytes, read));
    EXPECT_EQ(read.length, 9u);
    EXPECT_EQ(read.positions, (std::vector<std::uint32_t>{1, 5, 4'000'000'000}));
}

TEST(SearchValue, WhosePlacesGoTooFarOrTurnBackIsRefused) {
    const std::string all_ones(9, '\xFF');
    search_rows::Occurrences read;
    EXPECT_FALSE(search_rows::read_value("\x09\x05" + all_ones + '\x01', read)) << "5, then 4";
    EXPECT_FALSE(search_rows::read_value("\x09\xFF\xFF\xFF\xFF\x0F\x01", read));
    EXPECT_FALSE(search_rows::read_value("\x09\x85", read)) << "cut short";
}

} // namespace
} // namespace sluice
