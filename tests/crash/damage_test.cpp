// P7 against damage at rest: bits that flip, files that are cut short, go, come double, or are put
// back from an older copy. Found by check() or without effect; the right answer, or an error that
// names the file; put right by repair().
#include "crash/scenario.hpp"
#include "crash/trials.hpp"
#include "database/database_test_support.hpp"
#include "inspect/database_files.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace sluice::test {
namespace {

/// The files of a database, as SimulatedDisk::all_bytes() gives them.
using Files = std::map<std::string, std::string>;

bool is_of_log(const std::string& file) {
    return file.starts_with("log/");
}

std::unique_ptr<SimulatedDisk> disk_with(const Files& files) {
    auto disk = std::make_unique<SimulatedDisk>();
    const auto root = disk->root();
    for (const char* const folder : {"log", "views"})
        root->subdirectory(folder, Create::if_missing).value();
    for (const auto& [path, bytes] : files) {
        const auto slash = path.find('/');
        const auto folder = root->subdirectory(path.substr(0, slash), Create::if_missing).value();
        const auto file = folder->open(path.substr(slash + 1), Create::must).value();
        file->write_at(0, bytes).value();
        file->sync().value();
        folder->sync().value();
    }
    return disk;
}

/// A life, and its files as they were in the middle of it and at its end.
struct Life {
    Files early;
    Files files;
    Model model;
};

const Life& life() {
    static const Life lived = [] {
        Life told;
        SimulatedDisk disk;
        {
            Scenario scenario(disk.root());
            scenario.meanwhile = [&]() -> std::shared_ptr<void> {
                if (told.early.empty() && scenario.after.last().value > 40) {
                    told.early = disk.all_bytes();
                }
                return nullptr;
            };
            scenario.tell().value();
            scenario.database.reset();
            told.model = scenario.after;
            told.model.open_again();
        }
        told.files = disk.all_bytes();
        return told;
    }();
    return lived;
}

Result<std::vector<Finding>> check(SimulatedDisk& disk) {
    const auto root = disk.root();
    DatabaseFiles files{root.get(), root->subdirectory("log", Create::if_missing).value(),
                        root->subdirectory("views", Create::if_missing).value()};
    return check_files(files, {});
}

bool names(const Error& error, const std::string& file) {
    return error.context.find(file.substr(file.find('/') + 1)) != std::string::npos;
}

/// Every message is what it was, or an error says that it is damaged. Empty if so.
std::string wrong_answer(const Database& database, const Model& model, bool may_be_damaged,
                         bool may_be_shorter) {
    const Snapshot snapshot = database.snapshot();
    for (const Seq seq : model.messages()) {
        const auto answer = snapshot.get(seq);
        const std::string where = "message " + std::to_string(seq.value);
        if (!answer) {
            const Errc code = answer.error().code;
            const bool is_excused = (code == Errc::corrupt && may_be_damaged) ||
                                    (code == Errc::not_found && may_be_shorter);
            if (!is_excused) return where + ": " + answer.error().context;
            continue;
        }
        if (may_be_damaged) {
            // A change that is damaged has lost its effect, and no more: one of the versions.
            if (answer->state != Record::State::live) continue;
            const auto& versions = model.at(seq).versions;
            const bool is_one =
                std::any_of(versions.begin(), versions.end(), [&](const Model::Version& each) {
                    return each.content.body() == answer->body;
                });
            if (!is_one) return where + " says what it never said";
            if (model.at(seq).erased && !may_be_shorter) return where + " has come back";
        }
    }
    return {};
}

std::string wrong_views(const Database& database) {
    const VerifyReport report = database.verify().value();
    for (const VerifyReport::View& view : report.views) {
        if (view.difference_count > 0) return "view " + view.name + ": " + view.differences.front();
    }
    return {};
}

/// The applications of the views in code come.
void load_code(Database& database, Model& model) {
    for (const auto& [name, view] : std::map(model.views)) {
        const Meaning& meaning = meanings()[view.meaning];
        if (!meaning.is_code()) continue;
        database.add_view(name, meaning.code()).value();
        model.add_view(view.meaning);
    }
}

/// What the model says, where nothing of the log was touched.
std::string wrong_in_all(Database& database, Model model) {
    load_code(database, model);
    const std::string difference = model.difference(database);
    return difference.empty() ? wrong_views(database) : difference;
}

/// Damage in the middle of a file of views is an error that names it, until the next opening.
bool is_said_and_mended(Directory& root, std::unique_ptr<Database>& database,
                        const std::string& file, const Model& model) {
    const VerifyReport report = database->verify().value();
    const bool is_said =
        std::any_of(report.problems.begin(), report.problems.end(), [&](const std::string& each) {
            return names({Errc::corrupt, each}, file);
        });
    database.reset();
    database = Database::open(root, Scenario::options()).value();
    return is_said && wrong_in_all(*database, model).empty();
}

struct Damage {
    std::string file; ///< That opening may complain of.
    std::string what;
    Files files;
};

/// Empty if the database survives it as it should.
std::string wrong_after(const Damage& damage, bool may_be_shorter) {
    const Model& model = life().model;
    const auto disk = disk_with(damage.files);
    const auto root = disk->root();
    const auto checked = check(*disk);
    if (disk->all_bytes() != damage.files) return "check() changed something";
    if (!checked) {
        // A version that is damaged looks like that of a newer program, which knows better.
        const bool is_refused =
            checked.error().code == Errc::unsupported_version &&
            code_of(Database::open(*root, Scenario::options())) == Errc::unsupported_version;
        return is_refused && names(checked.error(), damage.file) ? "" : checked.error().context;
    }
    const std::vector<Finding>& found = *checked;
    {
        auto opened = Database::open(*root, Scenario::options());
        if (opened) {
            auto database = *std::move(opened);
            // Nobody can tell an older catalog from a newer one: dropped views are there again.
            const bool is_harmless =
                damage.file != "log/catalog" && (found.empty() || !is_of_log(damage.file));
            std::string wrong;
            if (!is_harmless) {
                wrong = wrong_answer(*database, model, true, may_be_shorter);
            } else if (is_of_log(damage.file) ||
                       !is_said_and_mended(*root, database, damage.file, model)) {
                wrong = wrong_in_all(*database, model);
            }
            if (!wrong.empty()) {
                return wrong + (found.empty() ? ", and check() found nothing" : "");
            }
        } else {
            const Error& error = opened.error();
            if (!names(error, damage.file) &&
                error.context.find("/log has ") == std::string::npos &&
                error.context.find("is not a sluice database") == std::string::npos) {
                return "opening does not name the file: " + error.context;
            }
            if (found.empty()) return "check() found nothing: " + error.context;
        }
    }
    SimulatedDisk elsewhere;
    const auto keep = elsewhere.root();
    const auto repaired = repair_files(*root, *keep, Scenario::options(), {});
    if (!repaired) return "repair: " + repaired.error().context;
    for (const Finding& left : repaired->left) {
        if (left.remedy != Finding::Remedy::none)
            return "repair left " + left.file + ": " + left.what;
    }
    const bool is_anything_taken =
        std::any_of(repaired->found.begin(), repaired->found.end(),
                    [](const Finding& each) { return each.remedy == Finding::Remedy::erase; });
    if (is_anything_taken && elsewhere.all_bytes().empty()) return "what was damaged is not kept";
    const auto database = Database::open(*root, Scenario::options());
    if (!database) return "behind the repair: " + database.error().context;
    if (const std::string wrong = wrong_answer(**database, model, true, may_be_shorter);
        !wrong.empty()) {
        return "behind the repair: " + wrong;
    }
    if (const std::string views = wrong_views(**database); !views.empty()) {
        return "behind the repair: " + views;
    }
    const auto appended = (*database)->append(NewMessage{R"({"text":"goes on"})", {}});
    if (!appended) return "does not go on: " + appended.error().context;
    return {};
}

/// Tries each, and says how many there were.
class Damages {
public:
    explicit Damages(const std::string& what) : trials_(what) {}
    void try_one(const Damage& damage, bool may_be_shorter = false) {
        if (trials_.have_failed_enough() || turn_++ % sparseness() != 0) return;
        Verdict verdict;
        verdict.loss = wrong_after(damage, may_be_shorter);
        trials_.count_state(verdict, damage.file + ", " + damage.what);
    }
    std::uint64_t states() const { return trials_.states(); }

private:
    Trials trials_;
    std::uint64_t turn_ = round_number();
};

TEST(Damage, OfABitIsFoundOrCostsNothing) {
    Damages damages("damage: a bit flipped");
    for (const auto& [file, bytes] : life().files) {
        // Every part of a small file, and a sample of a large one.
        const std::size_t step = std::max<std::size_t>(1, bytes.size() / 24) | 1;
        for (std::size_t at = round_number() % step; at < bytes.size(); at += step) {
            Damage damage{file, "byte " + std::to_string(at), life().files};
            damage.files[file][at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
            damages.try_one(damage);
        }
    }
    EXPECT_GT(damages.states(), 200 / sparseness());
}

TEST(Damage, OfAFilesEndIsFoundOrCostsNothing) {
    Damages damages("damage: a file cut short");
    for (const auto& [file, bytes] : life().files) {
        for (const std::size_t size : {std::size_t{0}, std::size_t{1}, bytes.size() / 3,
                                       bytes.size() / 2, bytes.size() - 1}) {
            if (size >= bytes.size()) continue;
            Damage damage{file, "cut to " + std::to_string(size), life().files};
            damage.files[file].resize(size);
            damages.try_one(damage, is_of_log(file));
        }
    }
    EXPECT_GT(damages.states(), 50 / sparseness());
}

TEST(Damage, OfAWholeFileIsFound) {
    Damages damages("damage: a file removed");
    const auto segments = std::ranges::count_if(
        life().files, [](const auto& file) { return file.first.ends_with(".log"); });
    for (const auto& [file, bytes] : life().files) {
        // Without any segment there is no log.
        if (file.ends_with(".log") && segments == 1) continue;
        Damage damage{file, "removed", life().files};
        damage.files.erase(file);
        damages.try_one(damage, is_of_log(file));
    }
    EXPECT_GT(damages.states(), 10 / sparseness());
}

TEST(Damage, ByACopyUnderAnotherNameIsFound) {
    Damages damages("damage: a file copied");
    for (const auto& [file, bytes] : life().files) {
        const auto slash = file.find('/');
        const std::string folder = file.substr(0, slash + 1);
        for (const auto& [other, other_bytes] : life().files) {
            if (other == file || !other.starts_with(folder)) continue;
            Damage damage{other, "is a copy of " + file, life().files};
            damage.files[other] = bytes;
            damages.try_one(damage, is_of_log(file));
        }
        for (const char* const name :
             {"copy", "09999999999999999999.log", "18446744073709551615.log", "segment-77"}) {
            Damage damage{folder + name, "is a copy of " + file, life().files};
            damage.files[folder + name] = bytes;
            damages.try_one(damage);
        }
    }
    EXPECT_GT(damages.states(), 100 / sparseness());
}

TEST(Damage, ByAnOlderCopyIsFoundOrCostsNothing) {
    Damages damages("damage: an older copy put back");
    for (const auto& [file, bytes] : life().early) {
        if (life().files.contains(file) && life().files.at(file) == bytes) continue;
        Damage damage{file, "an older copy", life().files};
        damage.files[file] = bytes;
        damages.try_one(damage, is_of_log(file));
    }
    EXPECT_GT(damages.states(), 3 / sparseness());
}

TEST(Damage, ByAnOlderCopyThatHasWhatWasErasedIsFoundAndWiped) {
    DatabaseOnDisk on;
    on.append_some(120);
    on.close();
    const std::string segment = "00000000000000000001.log";
    const auto log = on.root->subdirectory("log", Create::if_missing).value();
    const auto file = log->open(segment, Create::never).value();
    const std::string before = read_whole(*file).value();
    on.open();
    on.database->erase(Seqs{{3}}).value();
    on.close();
    EXPECT_TRUE(check(on.disk).value().empty());
    file->write_at(0, before).value();
    const auto found = check(on.disk).value();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].remedy, Finding::Remedy::wipe);
    EXPECT_EQ(found[0].first, Seq{3});
    EXPECT_EQ(found[0].last, Seq{3});
    on.open();
    on.database->scrub().value();
    on.close();
    EXPECT_TRUE(check(on.disk).value().empty());
}

} // namespace
} // namespace sluice::test
