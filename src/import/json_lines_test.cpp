#include "import/json_lines.hpp"

#include "import/import_test_files.hpp"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using namespace test;
using Lines = std::vector<std::string>;

ReadAll read_bytes(std::string_view bytes) {
    JsonLinesSource source(ByteSource(bytes, "the file"));
    return read_all(source);
}

TEST(JsonLines, EndWithEitherLineEndOrWithTheFile) {
    EXPECT_EQ(read_bytes("{\"a\":1}\n[2]\r\n3").records, (Lines{"{\"a\":1}", "[2]", "3"}));
    EXPECT_EQ(read_bytes("{\"a\":1}\n[2]\r\n3").offsets, (std::vector<std::uint64_t>{0, 8, 13}));
    EXPECT_EQ(read_bytes("1\n2\n").records, (Lines{"1", "2"}));
    EXPECT_EQ(read_bytes("1\n2\r").records, (Lines{"1", "2"}));
    EXPECT_TRUE(read_bytes("").records.empty());
}

TEST(JsonLines, AreSkippedWhenBlank) {
    const ReadAll all = read_bytes("\n1\n\n \t\r\n\r\n  2 \n   ");
    EXPECT_EQ(all.records, (Lines{"1", "  2 "}));
    EXPECT_EQ(all.offsets, (std::vector<std::uint64_t>{1, 10}));
}

TEST(JsonLines, MayFollowAByteOrderMark) {
    EXPECT_EQ(read_bytes("\xEF\xBB\xBF{}\n{}\n").records, (Lines{"{}", "{}"}));
    EXPECT_TRUE(read_bytes("\xEF\xBB\xBF").records.empty());
    EXPECT_EQ(read_bytes("1\n\xEF\xBB\xBF 2\n").records, (Lines{"1", "\xEF\xBB\xBF 2"}));
}

TEST(JsonLines, OfEveryLengthAreReadFromAFile) {
    std::string bytes;
    Lines lines;
    for (const std::size_t size : {1UL, 4094UL, 4095UL, 4096UL, 4097UL, 16384UL, 1048575UL,
                                   1048576UL, 1048577UL, 5000000UL, 7UL}) {
        lines.push_back(std::string(size, 'x'));
        bytes.append(lines.back()).append("\n");
    }
    for (std::size_t i = 0; i < 5000; ++i) {
        lines.push_back(std::string(1 + i * 7919 % 1500, 'y'));
        bytes.append(lines.back()).append("\r\n");
    }
    const TemporaryFile file(bytes);
    JsonLinesSource source(ByteSource::open(file.path()).value());
    const ReadAll all = read_all(source);
    EXPECT_EQ(all.error, "");
    EXPECT_TRUE(all.records == lines);
    EXPECT_EQ(source.offset(), bytes.size());
}

TEST(JsonLines, AreRefusedOverTheLimitAndTakenAtIt) {
    const std::string largest(kForeignRecordSizeBytesMax, 'x');
    EXPECT_EQ(read_bytes(largest).records.size(), 1);
    EXPECT_EQ(read_bytes("\xEF\xBB\xBF" + largest + "\r\n1").records.size(), 2);
    for (const std::string& end : {"x"s, "x\n"s, "xxxxxxxxxx\n1"s}) {
        const ReadAll all = read_bytes(std::string("1\n").append(largest).append(end));
        EXPECT_EQ(all.records, (Lines{"1"}));
        EXPECT_EQ(all.error, "the file has a line over 16 MiB, at byte 2");
    }
}

TEST(JsonLines, GoOnWhereTheyStopped) {
    const std::string_view bytes = "\xEF\xBB\xBF{}\r\n\n[1]\n2";
    JsonLinesSource first{ByteSource(bytes)};
    std::vector<std::uint64_t> stops{0};
    while (first.next().value()) stops.push_back(first.offset());
    ASSERT_EQ(stops.size(), 4);
    const Lines all{"{}", "[1]", "2"};
    for (std::size_t i = 0; i < stops.size(); ++i) {
        JsonLinesSource second{ByteSource(bytes)};
        second.seek(stops[i]).value();
        EXPECT_EQ(read_all(second).records, Lines(all.begin() + static_cast<long>(i), all.end()));
    }
}

TEST(JsonLines, AreNotReadFromTheirMiddle) {
    JsonLinesSource source{ByteSource("{}\n[1]\n")};
    for (const std::uint64_t at : {1U, 2U, 4U, 5U, 6U, 8U, 1000U}) {
        const auto sought = source.seek(at);
        ASSERT_FALSE(sought) << at;
        EXPECT_EQ(sought.error().code, Errc::invalid_argument);
    }
    source.seek(3).value();
    EXPECT_EQ(read_all(source).records, (Lines{"[1]"}));
}

} // namespace
} // namespace sluice
