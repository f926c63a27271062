#include "import/record_writer.hpp"

#include "import/flumelog_offset.hpp"
#include "import/import_test_files.hpp"
#include "import/json_lines.hpp"
#include "support/simulated_disk.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace sluice {
namespace {

using namespace test;
using flumelog_offset::Width;

struct OneFile {
    SimulatedDisk disk;
    std::unique_ptr<Directory> root = disk.root();
    std::unique_ptr<File> open() { return root->open("file", Create::if_missing).value(); }
    std::string bytes() const { return disk.all_bytes().at("file"); }
};

std::vector<std::string> records_of_many_sizes() {
    std::vector<std::string> records;
    for (std::size_t i = 0; i < 3000; ++i)
        records.push_back("{" + std::string(i * 7919 % 2500, 'r') + "}");
    records.push_back(std::string(kForeignRecordSizeBytesMax, 'x'));
    records.push_back("1");
    return records;
}

TEST(RecordWriter, WritesWhatFlumelogOffsetWrites) {
    OneFile file;
    FlumelogOffsetWriter writer(file.open(), Width::bits32);
    for (const char* const record : {"aa", "bbbb", "c"}) writer.append(record).value();
    writer.finish().value();
    EXPECT_EQ(file.bytes(), "\0\0\0\2aa\0\0\0\2\0\0\0\x0E"s
                            "\0\0\0\4bbbb\0\0\0\4\0\0\0\x1E"s
                            "\0\0\0\1c\0\0\0\1\0\0\0\x2B"s);
}

TEST(RecordWriter, WritesInEveryWidthWhatTheReaderReads) {
    const std::vector<std::string> records = records_of_many_sizes();
    for (const Width width : flumelog_offset::kWidths) {
        OneFile file;
        FlumelogOffsetWriter writer(file.open(), width);
        for (const std::string& record : records) writer.append(record).value();
        writer.finish().value();
        const std::string bytes = file.bytes();
        EXPECT_EQ(writer.size_bytes(), bytes.size());
        auto source = FlumelogOffsetSource::open(ByteSource(bytes)).value();
        EXPECT_EQ(source.width(), width);
        const ReadAll all = read_all(source);
        EXPECT_EQ(all.error, "");
        EXPECT_TRUE(all.records == records);
    }
}

TEST(RecordWriter, WritesLinesThatTheReaderReads) {
    const std::vector<std::string> records = records_of_many_sizes();
    OneFile file;
    JsonLinesWriter writer(file.open());
    for (const std::string& record : records) writer.append(record).value();
    writer.finish().value();
    const std::string bytes = file.bytes();
    JsonLinesSource source{ByteSource(bytes)};
    EXPECT_TRUE(read_all(source).records == records);
}

TEST(RecordWriter, RefusesWhatItsFormatCannotHoldAndGoesOn) {
    const std::string too_long(kForeignRecordSizeBytesMax + 1, 'x');
    OneFile frames, lines;
    FlumelogOffsetWriter frame_writer(frames.open(), Width::bits32);
    JsonLinesWriter line_writer(lines.open());
    for (const std::string& record : {""s, "\0"s, std::string(1000, '\0'), too_long}) {
        ASSERT_FALSE(frame_writer.append(record));
        EXPECT_EQ(frame_writer.append(record).error().code, Errc::invalid_argument);
    }
    for (const std::string& record : {""s, " \t"s, "{\n}"s, "{}\n"s, "{}\r"s, too_long}) {
        ASSERT_FALSE(line_writer.append(record));
        EXPECT_EQ(line_writer.append(record).error().code, Errc::invalid_argument);
    }
    frame_writer.append("x").value();
    line_writer.append("x").value();
    frame_writer.finish().value();
    line_writer.finish().value();
    EXPECT_EQ(frames.bytes(), "\0\0\0\1x\0\0\0\1\0\0\0\x0D"s);
    EXPECT_EQ(lines.bytes(), "x\n");
}

/// A file that says it is longer than any disk of a test.
class HugeFile final : public File {
public:
    explicit HugeFile(std::uint64_t size_bytes) : size_bytes_(size_bytes) {}
    std::uint64_t size_bytes() const override { return size_bytes_; }
    Result<void> read_at(std::uint64_t, char*, std::size_t) const override { return {}; }
    Result<void> write_at(std::uint64_t, std::string_view) override { return {}; }
    Result<void> truncate(std::uint64_t) override { return {}; }
    Result<void> sync() override { return {}; }
    Result<void> punch_hole(std::uint64_t, std::uint64_t) override { return {}; }
    Result<Mapping> map(std::uint64_t) const override { return Mapping{}; }
    Result<void> look_again() override { return {}; }
    Result<bool> pin() override { return true; }
    Result<Claim> claim() override { return Claim{true, {}}; }

private:
    std::uint64_t size_bytes_;
};

TEST(RecordWriter, StopsWhereItsWidthStopsCounting) {
    for (const auto& [width, limit] : {std::pair{Width::bits32, std::uint64_t{1} << 32},
                                       std::pair{Width::bits48, std::uint64_t{1} << 48},
                                       std::pair{Width::bits53, std::uint64_t{1} << 53}}) {
        const std::uint64_t frame = flumelog_offset::frame_size_bytes(1, width);
        FlumelogOffsetWriter fits(std::make_unique<HugeFile>(limit - 1 - frame), width);
        EXPECT_TRUE(fits.append("x"));
        FlumelogOffsetWriter overflows(std::make_unique<HugeFile>(limit - frame), width);
        const auto appended = overflows.append("x");
        ASSERT_FALSE(appended);
        EXPECT_EQ(appended.error().code, Errc::invalid_argument);
    }
}

TEST(RecordWriter, WritesNoMoreAfterAFailedWrite) {
    OneFile file;
    FlumelogOffsetWriter writer(file.open(), Width::bits32);
    file.disk.fail_after(0, Errc::no_space);
    Result<void> appended;
    while (appended) appended = writer.append(std::string(100'000, 'x'));
    EXPECT_EQ(appended.error().code, Errc::no_space);
    file.disk.stop_failing();
    EXPECT_EQ(writer.append("x").error().code, Errc::latched);
    EXPECT_EQ(writer.finish().error().code, Errc::latched);
}

TEST(RecordWriter, ReportsThatFinishingFailed) {
    for (std::uint64_t operations = 0; operations < 2; ++operations) { // The write, then the sync.
        OneFile file;
        JsonLinesWriter writer(file.open());
        writer.append("{}").value();
        file.disk.fail_after(operations);
        const auto finished = writer.finish();
        ASSERT_FALSE(finished) << operations;
        EXPECT_EQ(finished.error().code, Errc::io);
        EXPECT_EQ(writer.finish().error().code, Errc::latched);
    }
}

TEST(RecordWriter, IsDurableOnceFinished) {
    OneFile file;
    file.open();
    file.root->sync().value();
    JsonLinesWriter writer(file.open());
    writer.append("{}").value();
    writer.finish().value();
    file.disk.cut_power(Fate::lost);
    EXPECT_EQ(file.bytes(), "{}\n");
}

TEST(RecordWriter, MakesANewFileAndReplacesAnOldOneWhenAsked) {
    const TemporaryFile old("something that was here before");
    const auto refused = create_record_writer(old.path(), {.format = ForeignFormat::json_lines});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::exists);

    const auto writer =
        create_record_writer(old.path(), {.format = ForeignFormat::json_lines, .replace = true})
            .value();
    writer->append("{}").value();
    writer->finish().value();
    EXPECT_EQ(std::filesystem::file_size(old.path()), 3);
    std::filesystem::remove(old.path());
    const auto frames = create_record_writer(old.path(), {.width = Width::bits48}).value();
    frames->append("{}").value();
    frames->finish().value();
    EXPECT_EQ(std::filesystem::file_size(old.path()), 16);
    EXPECT_EQ(
        read_all(*open_record_source(old.path(), ForeignFormat::automatic).value()).records.size(),
        1);
}

TEST(RecordWriter, IsNotMadeWithoutANameOrAFormat) {
    EXPECT_EQ(create_record_writer(testing::TempDir(), {}).error().code, Errc::invalid_argument);
    EXPECT_EQ(create_record_writer("", {}).error().code, Errc::invalid_argument);
    EXPECT_EQ(create_record_writer("x", {.format = ForeignFormat::automatic}).error().code,
              Errc::invalid_argument);
    EXPECT_EQ(create_record_writer(testing::TempDir() + "no/such/x", {}).error().code,
              Errc::not_found);
}

} // namespace
} // namespace sluice
