#include "import/record_source.hpp"

#include "import/import_test_files.hpp"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using namespace test;

ReadAll read_file(const std::string& content, ForeignFormat format = ForeignFormat::automatic) {
    const TemporaryFile file(content);
    return read_all(*open_record_source(file.path(), format).value());
}

TEST(RecordSource, RecognizesItsFormatByTheFirstBytes) {
    EXPECT_EQ(read_file("\0\0\0\1{\0\0\0\1\0\0\0\x0D"s).records, (std::vector<std::string>{"{"}));
    for (const std::string line :
         {"{}", "[1]", "\"s\"", "-1", "7", "true", "false", "null", "\xEF\xBB\xBF{}", "\n{}"}) {
        EXPECT_EQ(read_file(line + "\n{}\n").records.size(), 2) << line;
    }
    EXPECT_TRUE(read_file("").records.empty());
}

TEST(RecordSource, OfNoKnownFormatIsRefused) {
    const TemporaryFile file("SQLite format 3");
    const auto source = open_record_source(file.path(), ForeignFormat::automatic);
    ASSERT_FALSE(source);
    EXPECT_EQ(source.error().code, Errc::corrupt);
    EXPECT_EQ(source.error().context,
              file.path() + " is neither a flumelog-offset file nor lines of JSON");
}

TEST(RecordSource, TakesTheFormatThatItIsTold) {
    EXPECT_EQ(read_file("SQLite format 3", ForeignFormat::json_lines).records.size(), 1);
    const TemporaryFile file("{}\n{}\n{}\n");
    const auto source = open_record_source(file.path(), ForeignFormat::flumelog_offset);
    ASSERT_FALSE(source);
    EXPECT_EQ(source.error().code, Errc::corrupt);
}

TEST(RecordSource, OfAFileThatCannotBeReadIsAnError) {
    const auto missing =
        open_record_source(testing::TempDir() + "no/such/file", ForeignFormat::automatic);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Errc::not_found);
    const auto folder = open_record_source(testing::TempDir(), ForeignFormat::automatic);
    ASSERT_FALSE(folder);
    EXPECT_EQ(folder.error().code, Errc::invalid_argument);
}

} // namespace
} // namespace sluice
