// I1 of src/import, P6 and P7: the power is cut at every operation of an import; then the file is
// imported again, and the database says what one says that was never interrupted.
#include "crash/crash_points.hpp"
#include "database/database_test_support.hpp"
#include <sluice/import.hpp>

#include <filesystem>
#include <fstream>

#include <unistd.h>

namespace sluice::test {
namespace {

constexpr int kMessages = 40;

/// A file of messages as JSON, a line for each.
class JsonFile {
public:
    JsonFile() : path_(std::filesystem::temp_directory_path() / "sluice_import.XXXXXX") {
        std::string pattern = path_.string();
        ::close(::mkstemp(pattern.data()));
        path_ = pattern;
        std::ofstream file(path_);
        for (int i = 0; i < kMessages; ++i) {
            file << R"({"key":"k)" << i << R"(","author":"ada","n":)" << i << "}\n";
        }
    }
    JsonFile(const JsonFile&) = delete;
    JsonFile& operator=(const JsonFile&) = delete;
    ~JsonFile() { std::filesystem::remove(path_); }
    std::string path() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

Result<ImportReport> import_into(Database& database, const JsonFile& file) {
    ImportOptions options;
    options.format = ForeignFormat::json_lines;
    options.batch_messages_max = 6;
    return import_file(database, file.path(), options);
}

/// The messages in their order, and the views of them.
std::string shown_by(const Database& database) {
    const Snapshot snapshot = database.snapshot();
    std::string shown;
    auto log = snapshot.log({});
    while (const auto record = log.next().value()) shown += record->key + ' ' + record->body + ' ';
    return shown + DatabaseOnDisk::rows_in(snapshot, "counts");
}

std::string wrong_after_importing_again(SimulatedDisk& disk, const JsonFile& file,
                                        const std::string& expected) {
    const auto root = disk.root();
    const auto database = Database::open(*root, small_files());
    if (!database) return "cannot be opened: " + database.error().context;
    const auto imported = import_into(**database, file);
    if (!imported) return "importing again: " + imported.error().context;
    const std::string shown = shown_by(**database);
    if (shown != expected) return "shows " + shown;
    return (*database)->verify().value().equal() ? "" : "is not what verify computes";
}

TEST(ImportCrash, AtEveryOperationIsFinishedByImportingAgain) {
    const JsonFile file;
    DatabaseOnDisk whole, on;
    for (DatabaseOnDisk* const each : {&whole, &on}) {
        each->database->add_view("counts", kCounts).value();
        each->database->add_view("by author", kByAuthor).value();
    }
    import_into(*whole.database, file).value();
    const std::string expected = shown_by(*whole.database);
    ASSERT_NE(expected.find("k39"), std::string::npos);

    Trials trials("crash while importing");
    on.disk.observe([&] {
        if (trials.have_failed_enough()) return;
        each_disk_after_power_cut(on.disk, [&](SimulatedDisk& found, const std::string& when) {
            Verdict verdict;
            verdict.loss = wrong_after_importing_again(found, file, expected);
            trials.count_state(verdict, when);
        });
    });
    import_into(*on.database, file).value();
    on.disk.observe({});
    EXPECT_EQ(shown_by(*on.database), expected);
    EXPECT_GT(trials.states(), 40 * (2 + 3 * seed_count()));
}

} // namespace
} // namespace sluice::test
