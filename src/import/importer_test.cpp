#include <sluice/import.hpp>

#include "import/exporter.hpp"
#include "import/import_test_files.hpp"
#include "import/record_writer.hpp"
#include "support/simulated_disk.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace sluice::test {
namespace {

/// A database on a disk in memory.
struct Imported {
    Imported() : root(disk.root()) {
        Database::create(*root).value();
        reopen();
    }
    void reopen() {
        database.reset();
        database = Database::open(*root, {.background = false}).value();
    }
    ImportReport import(const std::string& path, const ImportOptions& options = {}) {
        return import_file(*database, path, options).value();
    }
    std::string lines() {
        std::string text;
        const auto sink = [&text](std::string_view message) -> Result<void> {
            text += std::string(message) + '\n';
            return {};
        };
        export_log(database->snapshot(), sink).value();
        return text;
    }

    SimulatedDisk disk;
    std::unique_ptr<Directory> root;
    std::unique_ptr<Database> database;
};

/// Lines {"key":"k1","n":1} ... without keys if `keyless`.
std::string numbered_lines(int count, bool keyless = false) {
    std::string text;
    for (int n = 1; n <= count; ++n) {
        const std::string number = std::to_string(n);
        text += keyless ? "{\"n\":" + number + "}\n"
                        : "{\"key\":\"k" + number + "\",\"n\":" + number + "}\n";
    }
    return text;
}

void write_file(const std::string& path, std::string_view content) {
    std::ofstream(path, std::ios::binary) << content;
}

TEST(Importer, TakesTheKeyThatThePointerLeadsTo) {
    const TemporaryFile file(
        "{\"key\":\"outer\",\"value\":{\"id\":\"in\\u006eer\"}}\n{\"value\":{\"id\":7}}\n");
    Imported top, deep, none;
    top.import(file.path());
    deep.import(file.path(), {.key_pointer = "/value/id"});
    none.import(file.path(), {.key_pointer = ""});
    EXPECT_EQ(top.database->snapshot().get("outer").value().seq, Seq{1});
    EXPECT_EQ(deep.database->snapshot().get("inner").value().seq, Seq{1});
    EXPECT_EQ(deep.database->snapshot().get(Seq{2}).value().key, "");
    EXPECT_EQ(none.database->snapshot().get(Seq{1}).value().key, "");
}

TEST(Importer, FindsTheSameKeysInFramesAsInLines) {
    const std::string messages[] = {R"({"key":"plain","n":1})",
                                    R"({"n":1,"key":"be\nhind"})",
                                    R"({"key":5})",
                                    R"(["key"])",
                                    "no JSON",
                                    R"({"key":"","n":2})"};
    const std::string path = testing::TempDir() + "sluice_importer_frames";
    auto writer = create_record_writer(path, {.replace = true}).value();
    for (const std::string& message : messages) writer->append(message).value();
    writer->finish().value();
    Imported imported;
    EXPECT_EQ(imported.import(path).appended, 6U);
    std::remove(path.c_str());
    const char* const keys[] = {"plain", "be\nhind", "", "", "", ""};
    for (std::uint64_t seq = 1; seq <= 6; ++seq) {
        const Record record = imported.database->snapshot().get(Seq{seq}).value();
        EXPECT_EQ(record.key, keys[seq - 1]);
        EXPECT_EQ(record.body, messages[seq - 1]);
    }
}

// I1, with messages that have no keys, so that nothing but the mark can keep doubles out.
TEST(Importer, InterruptedBetweenAnyTwoBatchesAndRunAgainLeavesTheSame) {
    const std::string lines = numbered_lines(50, true);
    const TemporaryFile file(lines);
    Imported imported;
    int imports = 0;
    for (bool more = true; more; ++imports) {
        int asked = 0;
        const ImportReport report =
            imported.import(file.path(), {.batch_messages_max = 7,
                                          .interrupted = [&asked] { return ++asked > 1; }});
        more = report.interrupted;
        imported.reopen();
        ASSERT_LT(imports, 20);
    }
    EXPECT_EQ(imports, 8); // Seven batches of 7 and one of 1.
    EXPECT_EQ(imported.lines(), lines);
}

// I1, with a cut of the power at every operation of the disk.
TEST(Importer, CutOffByThePowerAnywhereAndRunAgainLeavesTheSame) {
    const std::string lines = numbered_lines(30, true);
    const TemporaryFile file(lines);
    const ImportOptions options{.batch_messages_max = 8};
    bool finished = false;
    for (std::uint64_t operation = 0; !finished; ++operation) {
        Imported imported;
        imported.disk.fail_after(operation);
        finished = import_file(*imported.database, file.path(), options).has_value();
        imported.database.reset();
        imported.disk.cut_power(Fate::lost, operation);
        imported.root = imported.disk.root();
        imported.reopen();
        imported.import(file.path(), options);
        ASSERT_EQ(imported.lines(), lines) << "power cut at operation " << operation;
        ASSERT_LT(operation, 1000U);
    }
}

// I2, for files on both sides of what is hashed of them.
TEST(Importer, ContinuesAFileThatGrew) {
    for (const int first : {1, 30, 3000, 9000}) {
        const std::string before = numbered_lines(first, true);
        const std::string after = numbered_lines(first + 2000, true);
        const TemporaryFile file(before);
        Imported imported;
        imported.import(file.path());
        write_file(file.path(), after);
        const ImportReport report = imported.import(file.path());
        EXPECT_EQ(report.resumed_at, before.size());
        EXPECT_EQ(report.appended, 2000U);
        EXPECT_EQ(imported.lines(), after);
    }
}

TEST(Importer, ReadsAnImportedFileNoMore) {
    const TemporaryFile file(numbered_lines(10, true));
    Imported imported;
    imported.import(file.path());
    EXPECT_EQ(imported.import(file.path()).appended, 0U);
    EXPECT_EQ(imported.database->last(), Seq{11}); // Ten messages and one mark.
}

TEST(Importer, DoesNotTakeAFileThatBeginsAlikeForTheSame) {
    const TemporaryFile one(numbered_lines(20, true) + "{\"n\":\"one\"}\n{\"n\":0}\n");
    const TemporaryFile two(numbered_lines(20, true) + "{\"n\":\"two\"}\n{\"n\":0}\n");
    Imported imported;
    imported.import(one.path());
    const ImportReport report = imported.import(two.path());
    EXPECT_EQ(report.resumed_at, 0U);
    EXPECT_EQ(report.appended, 22U);
}

TEST(Importer, LeavesOutKnownAndErasedKeysUnlessReadmitted) {
    const TemporaryFile file(numbered_lines(10));
    Imported imported;
    imported.import(file.path());
    imported.database->delete_messages(std::vector{Seq{1}}).value();
    imported.database->erase(std::vector{Seq{2}, Seq{3}}).value();

    const TemporaryFile same_messages(' ' + numbered_lines(10));
    const ImportReport again = imported.import(same_messages.path());
    EXPECT_EQ(again.exists, 7U);
    EXPECT_EQ(again.refused, 3U);
    EXPECT_EQ(again.appended, 0U);

    const ImportReport readmitted = imported.import(file.path(), {.readmit = true});
    EXPECT_EQ(readmitted.exists, 7U);
    EXPECT_EQ(readmitted.appended, 3U);
}

// I3
TEST(Importer, OfADamagedFileTakesNothingOrAllThatLiesBefore) {
    const std::string path = testing::TempDir() + "sluice_importer_damaged";
    auto writer = create_record_writer(path, {.replace = true}).value();
    for (int n = 0; n < 20; ++n) writer->append("{\"n\":" + std::to_string(n) + "}").value();
    writer->finish().value();
    std::ifstream stream(path, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(stream)), {});
    const std::size_t body = bytes.find("{\"n\":12}");
    bytes[body - 1] ^= 1;
    write_file(path, bytes);

    Imported imported;
    const auto refused = import_file(*imported.database, path, {.batch_messages_max = 5});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::corrupt);
    EXPECT_NE(refused.error().context.find(std::to_string(body - 4)), std::string::npos)
        << refused.error().context;
    EXPECT_EQ(imported.database->last(), Seq{});

    const ImportReport report =
        imported.import(path, {.until_damage = true, .batch_messages_max = 5});
    EXPECT_EQ(report.appended, 12U);
    ASSERT_TRUE(report.damage);
    EXPECT_EQ(report.end, body - 4);

    bytes[body - 1] ^= 1;
    write_file(path, bytes);
    EXPECT_EQ(imported.import(path).appended, 8U);
    std::remove(path.c_str());
}

TEST(Importer, NamesALineThatIsNotJsonAndKeepsWhatLiesBefore) {
    const TemporaryFile file("{\"n\":1}\n\n{\"n\":2}\n{\"secret\":\"swordfish\"\n{\"n\":4}\n");
    Imported imported;
    const auto report = import_file(*imported.database, file.path());
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, Errc::invalid_argument);
    EXPECT_NE(report.error().context.find("line 4 (byte 17)"), std::string::npos);
    EXPECT_EQ(report.error().context.find("swordfish"), std::string::npos);
    EXPECT_EQ(imported.lines(), "{\"n\":1}\n{\"n\":2}\n");

    write_file(file.path(), "{\"n\":1}\n\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n");
    EXPECT_EQ(imported.import(file.path()).appended, 2U);
    EXPECT_EQ(imported.lines(), "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n");
}

TEST(Importer, RefusesAKeyThatIsTooLongAndKeepsWhatLiesBefore) {
    const TemporaryFile file("{\"n\":1}\n{\"key\":\"" + std::string(65536, 'k') + "\"}\n");
    Imported imported;
    const auto report = import_file(*imported.database, file.path());
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, Errc::invalid_argument);
    EXPECT_EQ(imported.lines(), "{\"n\":1}\n");
}

TEST(Importer, TellsProgressInBytesOfTheFile) {
    const std::string lines = numbered_lines(100);
    const TemporaryFile file(lines);
    std::vector<std::uint64_t> told;
    Imported imported;
    imported.import(file.path(),
                    {.batch_messages_max = 10, .progress = [&](const Progress& progress) {
                         EXPECT_EQ(progress.total, lines.size());
                         told.push_back(progress.done);
                     }});
    EXPECT_GE(told.size(), 10U);
    EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
    EXPECT_EQ(told.back(), lines.size());
}

TEST(Exporter, GivesLiveMessagesOnOneLineEach) {
    Imported imported;
    imported.database->append({"{\n  \"a\": \"x \\\" y\",\r\n  \"b\": [1, 2]\n}"}).value();
    imported.database->append({"{\"gone\":true}"}).value();
    imported.database->append({"{\"b\": 1}"}).value();
    imported.database->delete_messages(std::vector{Seq{2}}).value();
    std::string text;
    const auto sink = [&text](std::string_view message) -> Result<void> {
        text += std::string(message) + '\n';
        return {};
    };
    const ExportOptions options{.range = {.include_changes = true}, .json_lines = true};
    EXPECT_EQ(export_log(imported.database->snapshot(), sink, options).value().exported, 2U);
    EXPECT_EQ(text, "{\"a\":\"x \\\" y\",\"b\":[1,2]}\n{\"b\": 1}\n");
}

TEST(Exporter, NamesAMessageThatDoesNotFitOrSkipsIt) {
    Imported imported;
    imported.database->append({"{}"}).value();
    imported.database->append({"no JSON"}).value();
    const auto sink = [](std::string_view) -> Result<void> { return {}; };
    const auto refused = export_log(imported.database->snapshot(), sink, {.json_lines = true});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid_argument);
    EXPECT_NE(refused.error().context.find("seq 2"), std::string::npos);
    const auto report =
        export_log(imported.database->snapshot(), sink, {.json_lines = true, .skip_unfit = true})
            .value();
    EXPECT_EQ(report.exported, 1U);
    EXPECT_EQ(report.skipped, 1U);
}

} // namespace
} // namespace sluice::test
