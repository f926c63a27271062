#include "base/bytes.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace sluice {
namespace {

TEST(Bytes, AreLittleEndian) {
    std::string bytes;
    append_le<std::uint32_t>(bytes, 0x01020304);
    append_le<std::uint16_t>(bytes, 0xA0B0);
    EXPECT_EQ(bytes, std::string("\x04\x03\x02\x01\xB0\xA0", 6));
    EXPECT_EQ(get_le<std::uint32_t>(bytes.data()), 0x01020304U);
    put_le<std::uint32_t>(bytes.data(), 7);
    EXPECT_EQ(get_le<std::uint32_t>(bytes.data()), 7U);
}

TEST(Bytes, WriteVarintsInTheFewestGroups) {
    const std::pair<std::uint64_t, std::string> cases[] = {
        {0, std::string(1, '\0')},
        {127, "\x7F"},
        {128, "\x80\x01"},
        {16383, "\xFF\x7F"},
        {16384, "\x80\x80\x01"},
        {std::numeric_limits<std::uint64_t>::max(), "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"},
    };
    for (const auto& [value, expected] : cases) {
        std::string bytes;
        append_varint(bytes, value);
        EXPECT_EQ(bytes, expected) << value;
    }
}

TEST(ByteReader, ReadsWhatWasAppended) {
    std::string bytes;
    append_le<std::uint64_t>(bytes, 42);
    append_sized(bytes, "hello");
    append_sized(bytes, "");
    for (unsigned bit = 0; bit < 64; ++bit) append_varint(bytes, std::uint64_t{1} << bit);
    bytes += "rest";

    ByteReader reader(bytes);
    EXPECT_EQ(reader.le<std::uint64_t>(), 42U);
    EXPECT_EQ(reader.sized(), "hello");
    EXPECT_EQ(reader.sized(), "");
    for (unsigned bit = 0; bit < 64; ++bit) EXPECT_EQ(reader.varint(), std::uint64_t{1} << bit);
    EXPECT_FALSE(reader.done());
    EXPECT_EQ(reader.rest(), "rest");
    EXPECT_EQ(reader.take(4), "rest");
    EXPECT_TRUE(reader.done());
}

TEST(ByteReader, AnswersNothingBehindTheFirstTakeThatDoesNotFit) {
    ByteReader reader("abc");
    EXPECT_EQ(reader.take(1), "a");
    EXPECT_EQ(reader.le<std::uint32_t>(), 0U);
    EXPECT_FALSE(reader.ok());
    EXPECT_FALSE(reader.done());
    EXPECT_EQ(reader.take(1), "") << "two bytes were left, but the reader has failed";
    EXPECT_EQ(reader.varint(), 0U);
    EXPECT_EQ(reader.rest(), "");
}

TEST(ByteReader, TakesNothingAtTheEndWithoutFailing) {
    ByteReader reader("");
    EXPECT_EQ(reader.take(0), "");
    EXPECT_TRUE(reader.done());
}

TEST(ByteReader, RefusesSizesBeyondTheEnd) {
    std::string bytes;
    append_varint(bytes, std::numeric_limits<std::uint64_t>::max());
    bytes += "short";
    ByteReader reader(bytes);
    EXPECT_EQ(reader.sized(), "");
    EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, RefusesVarintsThatAreCutShortOrExceed64Bits) {
    for (const char* bytes : {"\x80", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
                              "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02",
                              "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"}) {
        ByteReader reader(bytes);
        EXPECT_EQ(reader.varint(), 0U);
        EXPECT_FALSE(reader.ok());
        EXPECT_EQ(reader.rest(), "");
    }
}

} // namespace
} // namespace sluice
