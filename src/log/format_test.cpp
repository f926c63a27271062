// Bytes that are whole, by their checksums, and still not what this program writes.
#include "log/format.hpp"

#include "base/bytes.hpp"
#include "base/checksum.hpp"

#include <gtest/gtest.h>

namespace sluice::log_format {
namespace {

constexpr std::uint64_t kSeed = 7;

std::string entry_header(const EntryHeader& header) {
    std::string raw;
    append_entry_header(raw, header, kSeed);
    return raw;
}

/// With the checksum that its bytes should have.
std::string sealed(std::string raw) {
    put_le(raw.data(), checksum32(std::string_view(raw).substr(4, kStatePosition - 4), kSeed));
    return raw;
}

TEST(EntryHeader, IsNoneWithoutAllItsBytes) {
    const std::string whole = entry_header({.payload_size = 5, .seq = {3}});
    ASSERT_TRUE(decode_entry_header(whole, kSeed));
    EXPECT_FALSE(decode_entry_header(whole.substr(1), kSeed));
    EXPECT_FALSE(decode_entry_header(whole.substr(0, kEntryHeaderSize - 1), kSeed));
}

TEST(EntryHeader, IsNoneOfAKindThatThereIsNot) {
    std::string raw = entry_header({.payload_size = 5, .seq = {3}});
    for (const char kind : {'\0', '\3', '\xFF'}) {
        raw[26] = kind;
        EXPECT_FALSE(decode_entry_header(sealed(raw), kSeed));
    }
}

TEST(EntryHeader, IsNoneWithAKeyLongerThanTheEntry) {
    const std::string raw = entry_header({.payload_size = 5, .seq = {3}, .key_size = 6});
    EXPECT_FALSE(decode_entry_header(raw, kSeed));
}

TEST(Identity, IsRefusedWhenItIsDamagedOrOfANewerVersion) {
    const std::string whole = encode_identity({});
    ASSERT_TRUE(decode_identity(whole));
    std::string other = whole;
    other[0] = 'X';
    EXPECT_EQ(decode_identity(other).error().code, Errc::corrupt);
    std::string damaged = whole;
    damaged[40] = static_cast<char>(damaged[40] ^ 1);
    EXPECT_EQ(decode_identity(damaged).error().code, Errc::corrupt);
    std::string newer = whole;
    newer[12] = 2;
    EXPECT_EQ(decode_identity(newer).error().code, Errc::unsupported_version);
    EXPECT_EQ(decode_identity(whole.substr(0, kIdentitySize - 1)).error().code, Errc::corrupt);
}

} // namespace
} // namespace sluice::log_format
