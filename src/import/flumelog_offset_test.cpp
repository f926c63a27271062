#include "import/flumelog_offset.hpp"

#include "import/import_test_files.hpp"
#include "support/shared_data.hpp"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using namespace test;
using flumelog_offset::Width;

// As flumelog-offset 3 writes 'aa', 'bbbb', 'c'.
const std::string kBits32 = "\0\0\0\2aa\0\0\0\2\0\0\0\x0E"s
                            "\0\0\0\4bbbb\0\0\0\4\0\0\0\x1E"s
                            "\0\0\0\1c\0\0\0\1\0\0\0\x2B"s;
const std::string kBits48 = "\0\0\0\2aa\0\0\0\2\0\0\0\0\0\x10"s
                            "\0\0\0\4bbbb\0\0\0\4\0\0\0\0\0\x22"s
                            "\0\0\0\1c\0\0\0\1\0\0\0\0\0\x31"s;
const std::string kBits53 = "\0\0\0\2aa\0\0\0\2\0\0\0\0\0\0\0\x12"s
                            "\0\0\0\4bbbb\0\0\0\4\0\0\0\0\0\0\0\x26"s
                            "\0\0\0\1c\0\0\0\1\0\0\0\0\0\0\0\x37"s;
const std::vector<std::string> kRecords = {"aa", "bbbb", "c"};

struct Sample {
    Width width;
    const std::string& bytes;
    std::vector<std::uint64_t> offsets;
};
const std::vector<Sample> kSamples = {
    {Width::bits32, kBits32, {0, 14, 30}},
    {Width::bits48, kBits48, {0, 16, 34}},
    {Width::bits53, kBits53, {0, 18, 38}},
};

FlumelogOffsetSource source_of(std::string_view bytes) {
    return FlumelogOffsetSource::open(ByteSource(bytes, "the log")).value();
}

/// Reads to the end or to damage, which may be found as early as in open().
ReadAll read_bytes(std::string_view bytes) {
    auto source = FlumelogOffsetSource::open(ByteSource(bytes, "the log"));
    if (!source) {
        EXPECT_EQ(source.error().code, Errc::corrupt);
        return {{}, {}, 0, source.error().context};
    }
    return read_all(*source);
}

TEST(FlumelogOffset, IsReadInEveryWidth) {
    for (const Sample& sample : kSamples) {
        FlumelogOffsetSource source = source_of(sample.bytes);
        EXPECT_EQ(source.width(), sample.width);
        const ReadAll all = read_all(source);
        EXPECT_EQ(all.error, "");
        EXPECT_EQ(all.records, kRecords);
        EXPECT_EQ(all.offsets, sample.offsets);
        EXPECT_EQ(source.offset(), sample.bytes.size());
    }
}

TEST(FlumelogOffset, MayBeEmpty) {
    EXPECT_EQ(read_bytes("").error, "");
    EXPECT_TRUE(read_bytes("").records.empty());
}

TEST(FlumelogOffset, NamesDeletedRecordsAndReadsOn) {
    for (const Sample& sample : kSamples) {
        std::string bytes = sample.bytes;
        bytes.replace(sample.offsets[1] + 4, 4, 4, '\0');
        const ReadAll all = read_bytes(bytes);
        EXPECT_EQ(all.error, "");
        EXPECT_EQ(all.records, (std::vector<std::string>{"aa", "c"}));
        EXPECT_EQ(all.deleted, 1);
        EXPECT_EQ(all.offsets, sample.offsets);
    }
}

TEST(FlumelogOffset, WithARecordWithoutBytesHasADeletedOne) {
    const ReadAll all = read_bytes("\0\0\0\0\0\0\0\0\0\0\0\x0C"s);
    EXPECT_EQ(all.error, "");
    EXPECT_EQ(all.deleted, 1);
}

// One wrong byte anywhere in the frame around a body is found, and everything before it is read.
TEST(FlumelogOffset, IsNotReadBeyondADamagedByte) {
    for (const Sample& sample : kSamples) {
        for (std::size_t which = 0; which < kRecords.size(); ++which) {
            const std::uint64_t begin = sample.offsets[which];
            const std::uint64_t end =
                which + 1 < kRecords.size() ? sample.offsets[which + 1] : sample.bytes.size();
            for (std::uint64_t at = begin; at < end; ++at) {
                if (at >= begin + 4 && at < begin + 4 + kRecords[which].size()) continue;
                for (const char flip : {'\1', '\x40'}) {
                    SCOPED_TRACE(at);
                    std::string bytes = sample.bytes;
                    bytes[at] = static_cast<char>(bytes[at] ^ flip);
                    const ReadAll all = read_bytes(bytes);
                    const std::vector<std::string> before(
                        kRecords.begin(), kRecords.begin() + static_cast<long>(which));
                    EXPECT_EQ(all.records, before);
                    EXPECT_NE(all.error.find("the record at byte " + std::to_string(begin)),
                              std::string::npos)
                        << all.error;
                    // The end of the file is as it should be, so nothing was cut off.
                    const bool end_is_damaged = which + 1 == kRecords.size() && at + 8 >= end;
                    if (!end_is_damaged) {
                        EXPECT_NE(all.error.find("the log is damaged"), std::string::npos)
                            << all.error;
                    }
                }
            }
        }
    }
}

TEST(FlumelogOffset, CutOffAnywhereIsReadUpToTheCut) {
    for (const Sample& sample : kSamples) {
        for (std::size_t size = 1; size < sample.bytes.size(); ++size) {
            SCOPED_TRACE(size);
            std::size_t whole = 0;
            while (whole + 1 < sample.offsets.size() && sample.offsets[whole + 1] <= size) ++whole;
            const ReadAll all = read_bytes(std::string_view(sample.bytes).substr(0, size));
            const std::vector<std::string> before(kRecords.begin(),
                                                  kRecords.begin() + static_cast<long>(whole));
            EXPECT_EQ(all.records, before);
            if (size == sample.offsets[whole]) {
                EXPECT_EQ(all.error, "");
            } else {
                EXPECT_EQ(all.error, "the log is cut off: the record at byte " +
                                         std::to_string(sample.offsets[whole]) + " is incomplete");
            }
        }
    }
}

TEST(FlumelogOffset, ThatEndsInLostBlocksIsCutOff) {
    const ReadAll all = read_bytes(kBits32 + std::string(3'000'000, '\0'));
    EXPECT_EQ(all.records, kRecords);
    EXPECT_EQ(all.error, "the log is cut off: the record at byte 43 is incomplete");
    EXPECT_EQ(read_bytes(kBits32 + std::string(3'000'000, '\0') + "x").error,
              "the log is damaged: of the record at byte 43, the end is not where the file has it");
}

TEST(FlumelogOffset, GivesTheSameErrorAgain) {
    std::string bytes = kBits32;
    bytes[20] ^= 1; // Body: not noticed.
    bytes[22] ^= 1; // Second length of the second frame.
    FlumelogOffsetSource source = source_of(bytes);
    const std::string first = read_all(source).error;
    EXPECT_EQ(first, "the log is damaged: of the record at byte 14, the two lengths differ");
    EXPECT_EQ(source.offset(), 14);
    EXPECT_EQ(read_all(source).error, first);
}

TEST(FlumelogOffset, RefusesALengthOverTheLimitWithoutReadingIt) {
    EXPECT_EQ(read_bytes("\1\0\0\1"s + std::string(100, 'x')).error,
              "the log is damaged: of the record at byte 0, the length is over 16 MiB");
    EXPECT_EQ(read_bytes(kBits32 + "\xFF\xFF\xFF\xFF"s).error,
              "the log is damaged: of the record at byte 43, the length is over 16 MiB");
}

TEST(FlumelogOffset, ReadsTheLargestRecord) {
    const std::string body(kForeignRecordSizeBytesMax, 'x');
    const std::string bytes = kBits32 + "\1\0\0\0"s + body + "\1\0\0\0"s + "\1\0\0\x37"s;
    const TemporaryFile file(bytes);
    auto source = FlumelogOffsetSource::open(ByteSource::open(file.path()).value()).value();
    const ReadAll all = read_all(source);
    EXPECT_EQ(all.error, "");
    ASSERT_EQ(all.records.size(), 4);
    EXPECT_TRUE(all.records[3] == body);
}

TEST(FlumelogOffset, GoesOnWhereItStopped) {
    for (const Sample& sample : kSamples) {
        FlumelogOffsetSource first = source_of(sample.bytes);
        ASSERT_TRUE(first.next().value().has_value());
        FlumelogOffsetSource second = source_of(sample.bytes);
        second.seek(first.offset()).value();
        EXPECT_EQ(read_all(second).records, (std::vector<std::string>{"bbbb", "c"}));
        second.seek(sample.bytes.size()).value();
        EXPECT_TRUE(read_all(second).records.empty());
        second.seek(0).value();
        EXPECT_EQ(read_all(second).records, kRecords);
    }
}

TEST(FlumelogOffset, RefusesToGoOnWhereNoRecordBegins) {
    FlumelogOffsetSource source = source_of(kBits32);
    for (std::uint64_t at = 1; at < kBits32.size() + 10; ++at) {
        if (at == 14 || at == 30 || at == kBits32.size()) continue;
        const auto sought = source.seek(at);
        ASSERT_FALSE(sought) << at;
        EXPECT_EQ(sought.error().code, Errc::invalid_argument);
    }
    EXPECT_EQ(read_all(source).records, kRecords);
}

TEST(FlumelogOffset, WithFramesAcrossEveryWindowIsReadFromAFile) {
    std::string bytes;
    std::vector<std::string> records;
    for (std::uint32_t i = 0; bytes.size() < 5'000'000; ++i) {
        records.push_back("{" + std::string(i * 7919 % 30'000, 'r') + "}");
        append_be(bytes, records.back().size(), 4);
        bytes += records.back();
        append_be(bytes, records.back().size(), 4);
        append_be(bytes, bytes.size() + 4, 4);
    }
    const TemporaryFile file(bytes);
    const auto source = open_record_source(file.path(), ForeignFormat::automatic).value();
    const ReadAll all = read_all(*source);
    EXPECT_EQ(all.error, "");
    EXPECT_TRUE(all.records == records);
}

TEST(FlumelogOffset, ThatShrinksWhileItIsReadIsAnError) {
    std::string bytes;
    while (bytes.size() < 3'000'000) {
        bytes += "\0\0\1\0"s + std::string(256, 'x') + "\0\0\1\0"s;
        append_be(bytes, bytes.size() + 4, 4);
    }
    const TemporaryFile file(bytes);
    auto source = FlumelogOffsetSource::open(ByteSource::open(file.path()).value()).value();
    ASSERT_TRUE(source.next());
    std::filesystem::resize_file(file.path(), 2'000'000);
    EXPECT_EQ(read_all(source).error, file.path() + " shrank to 2000000 bytes while it was read");
}

TEST(FlumelogOffset, OfTwentyThousandMessagesIsReadWhole) {
    const std::string path = shared_data("data/scuttlebutt-20k/log.offset");
    if (path.empty()) GTEST_SKIP() << "data/scuttlebutt-20k/log.offset is not on this machine";
    const auto source = open_record_source(path, ForeignFormat::automatic).value();
    const ReadAll all = read_all(*source);
    EXPECT_EQ(all.error, "");
    EXPECT_EQ(all.records.size(), 20'000);
    EXPECT_EQ(all.deleted, 0);
    EXPECT_EQ(source->size_bytes(), 17'566'361);
    EXPECT_EQ(source->offset(), 17'566'361);
}

} // namespace
} // namespace sluice
