// P1, P3, P6 and P7 for transforms: the power is cut at operations of work that is committed in
// parts, and of taking out what a secret opened; then the database is opened again, with the code
// of the transforms or without. trials.hpp says how much is tried.
#include "crash/crash_points.hpp"
#include "database/transform_test_support.hpp"

namespace sluice::test {
namespace {

/// Originals, each with a sealed edit.
struct ManyEdits : Transforming {
    static constexpr int kEdits = 60;
    ManyEdits() : Transforming(sealed_transforms) {
        std::vector<std::string> bodies, keys;
        for (int i = 0; i < kEdits; ++i) {
            const std::string name = "m" + std::to_string(i);
            bodies.push_back(says("original"));
            keys.push_back(name);
            bodies.push_back(sealed("a needle in " + name, name));
            keys.push_back("");
        }
        std::vector<NewMessage> batch;
        for (std::size_t i = 0; i < bodies.size(); ++i) batch.push_back({bodies[i], keys[i]});
        database->append(batch).value();
    }
};

std::size_t count_said(const Database& database, const char* text) {
    std::size_t count = 0;
    const Snapshot snapshot = database.snapshot();
    auto rows = snapshot.read("said").value();
    while (rows.next()) {
        if (rows.key().to_json().find(text) != std::string::npos) ++count;
    }
    return count;
}

constexpr const char* kNeedleLeft = "a needle is left";

struct Opening {
    const char* name;
    bool without_code_first;
};
constexpr Opening kOpenings[] = {{"with code", false}, {"without code first", true}};

/// What is wrong with a database that was opened, if anything.
using Look = std::function<std::string(SimulatedDisk& disk, Database& database, bool has_code)>;

/// P1: a view is what its messages say up to its `since`, and shows nothing of later ones.
std::string shown_too_early(const Database& database) {
    const Snapshot snapshot = database.snapshot();
    for (const ViewInfo& view : database.views()) {
        for (auto rows = snapshot.read(view.name).value(); rows.next();) {
            if (rows.seq() > view.since) return view.name + " is ahead of its since";
        }
    }
    return {};
}

std::string wrong_with(SimulatedDisk& disk, const ManyEdits& on, const Opening& opening,
                       const Look& look) {
    const auto root = disk.root();
    Options options = on.options;
    if (opening.without_code_first) {
        options.transforms = {};
        const auto database = Database::open(*root, options);
        if (!database) return "cannot be opened: " + database.error().context;
        std::string wrong = shown_too_early(**database);
        if (wrong.empty()) wrong = look(disk, **database, /*has_code=*/false);
        if (!wrong.empty()) return wrong;
    }
    options.transforms = on.all;
    const auto database = Database::open(*root, options);
    if (!database) return "cannot be opened: " + database.error().context;
    std::string wrong = first_difference(**database);
    if (wrong.empty()) wrong = shown_too_early(**database);
    return wrong.empty() ? look(disk, **database, /*has_code=*/true) : wrong;
}

/// Cuts the power at operations of `act`, and again while what is found is opened, and has `look`
/// judge what is found then. Every view is compared with what its messages say.
template <typename Act>
void cut_during(const std::string& what, ManyEdits& on, const Act& act, const Look& look) {
    // These databases take ten times as long to compare as the scenario's.
    const std::uint64_t every = stride() == 1 ? 1 : 6 * stride();
    Trials trials("crash while " + what);
    const auto try_it = [&](SimulatedDisk& found, const std::string& when, const Opening& opening) {
        Verdict verdict;
        verdict.loss = wrong_with(found, on, opening, look);
        // What is left of something erased is a needle.
        if (verdict.loss == kNeedleLeft) std::swap(verdict.loss, verdict.leftover);
        trials.count_state(verdict, when + ", " + opening.name);
    };
    on.disk.observe([&] {
        const std::uint64_t turn = on.disk.operations() + round_number();
        if (turn % every != 0 || trials.have_failed_enough()) return;
        each_disk_after_power_cut(on.disk, [&](SimulatedDisk& found, const std::string& when) {
            const Opening& opening = kOpenings[turn / every % std::size(kOpenings)];
            const auto again = found.copy_after_power_cut(Fate::kept);
            try_it(found, when, opening);
            if (turn % (every * 5) != 0) return;
            EXPECT_EQ(crash_while_opening(*again, on.options, 1, 7, when,
                                          [&](SimulatedDisk& second, const std::string& now) {
                                              try_it(second, now, kOpenings[0]);
                                          }),
                      "");
        });
    });
    act();
    on.disk.observe({});
    EXPECT_GT(trials.states(), 150 * seed_count() / stride());
}

bool has_needle(const SimulatedDisk& disk) {
    return !disk.find("needle").empty() || !disk.find_on_device("needle").empty();
}

TEST(TransformCrash, WhileAKeyOpensManyMessagesLeavesAllOfThemOpenOrNone) {
    ManyEdits on;
    cut_during(
        "a key opens messages", on, [&] { on.put(kKey1, "v", /*is_secret=*/true); },
        [&](SimulatedDisk&, Database& database, bool has_code) -> std::string {
            const std::size_t opened = count_said(database, "needle");
            const std::size_t expected =
                database.facts("keys").empty() ? 0u : std::size_t{2} * ManyEdits::kEdits;
            // Without the code, those wait that had not had their turn.
            if (has_code ? opened == expected : opened <= expected) return {};
            return std::to_string(opened) + " are open";
        });
    EXPECT_EQ(count_said(*on.database, "needle"), std::size_t{2} * ManyEdits::kEdits);
}

TEST(TransformCrash, WhileASecretIsDroppedLeavesNothingThatItOpenedOrAllOfIt) {
    ManyEdits on;
    on.put(kKey1, "v", /*is_secret=*/true);
    on.database->delete_messages(Seqs{{3}, {4}}).value();
    on.reopen();
    cut_during(
        "a secret is dropped", on, [&] { on.database->drop_fact(kKey1).value(); },
        [&](SimulatedDisk& disk, Database& database, bool) -> std::string {
            const bool is_dropped = database.facts("keys").empty();
            const std::size_t opened = count_said(database, "needle");
            if (is_dropped && opened != 0) return std::to_string(opened) + " are open";
            if (is_dropped && has_needle(disk)) return kNeedleLeft;
            return {};
        });
    EXPECT_FALSE(has_needle(on.disk));
}

TEST(TransformCrash, WhileASecretIsErasedLeavesNothingThatItOpenedOrAllOfIt) {
    ManyEdits on;
    on.put(kKey1, "v", /*is_secret=*/true);
    on.reopen();
    cut_during(
        "a secret is erased", on, [&] { on.database->erase_fact(kKey1).value(); },
        [&](SimulatedDisk& disk, Database& database, bool) -> std::string {
            const bool is_erased = database.facts("keys").empty();
            const std::size_t opened = count_said(database, "needle");
            if (is_erased && opened != 0) return std::to_string(opened) + " are open";
            if (is_erased && has_needle(disk)) return kNeedleLeft;
            return {};
        });
    EXPECT_FALSE(has_needle(on.disk));
}

TEST(TransformCrash, WhileEditsAreErasedLeavesTheOriginals) {
    ManyEdits on;
    on.put(kKey1, "v");
    Seqs all_edits;
    for (int i = 0; i < ManyEdits::kEdits; ++i) all_edits.push_back({3 + std::uint64_t(2 * i)});
    on.database->delete_messages(Seqs{all_edits.front()}).value();
    on.reopen();
    cut_during(
        "edits are erased", on, [&] { on.database->erase(all_edits).value(); },
        [&](SimulatedDisk& disk, Database& database, bool has_code) -> std::string {
            const bool is_erased = !database.receipts().empty();
            if (!is_erased) return {};
            if (has_needle(disk)) return kNeedleLeft;
            const std::size_t originals = count_said(database, "original");
            if (has_code && originals != ManyEdits::kEdits) {
                return std::to_string(originals) + " originals";
            }
            return {};
        });
    EXPECT_FALSE(has_needle(on.disk));
    EXPECT_EQ(count_said(*on.database, "original"), ManyEdits::kEdits);
}

TEST(TransformCrash, WhileCatchingUpAfterTheCodeWasMissingIsFinishedByTheNextOpening) {
    ManyEdits on;
    on.reopen_without_code();
    std::vector<std::string> bodies;
    std::vector<NewMessage> batch;
    for (int i = 0; i < ManyEdits::kEdits; ++i) {
        bodies.push_back(sealed("a needle again", "m" + std::to_string(i)));
    }
    for (const std::string& body : bodies) batch.push_back({body, {}});
    on.database->append(batch).value();
    on.put(kKey1, "v");
    on.close();
    const std::size_t expected = std::size_t{3} * ManyEdits::kEdits;
    cut_during(
        "catching up", on, [&] { on.reopen_with_code(); },
        [&](SimulatedDisk&, Database& database, bool has_code) -> std::string {
            const std::size_t opened = count_said(database, "needle");
            if (has_code ? opened == expected : opened <= expected) return {};
            return std::to_string(opened) + " are open";
        });
    EXPECT_EQ(count_said(*on.database, "needle"), expected);
}

TEST(TransformCrash, WhileTransformsComeIntoUseIsFinishedByTheNextOpening) {
    ManyEdits on;
    on.put(kKey1, "v");
    for (const char* const name : {"unseal", "links", "edits"}) {
        on.database->drop_transform(name).value();
    }
    EXPECT_EQ(count_said(*on.database, "needle"), 0u);
    cut_during(
        "transforms come into use", on, [&] { on.use_all(); },
        [&](SimulatedDisk&, Database& database, bool has_code) -> std::string {
            const std::size_t opened = count_said(database, "needle");
            const std::size_t expected =
                database.transforms().empty() ? 0u : std::size_t{2} * ManyEdits::kEdits;
            if (has_code ? opened == expected : opened <= expected) return {};
            return std::to_string(opened) + " are open";
        });
    EXPECT_EQ(count_said(*on.database, "needle"), std::size_t{2} * ManyEdits::kEdits);
}

// The owner of a view was there when the batch was begun, and is not when it is finished.
TEST(TransformCrash, WhileABatchIsAppendedShowsNothingBehindTheSinceOfAViewWhoseCodeIsAway) {
    ManyEdits on;
    on.put(kKey1, "v");
    CodeView texts;
    texts.app = "reader";
    texts.map = [](const Message& message, Emit& emit) { emit(Key(message.body)); };
    on.database->add_view("texts", texts).value();
    CodeView known;
    known.app = "reader";
    known.map_reading = [](Context& context, const Message& message, Emit& emit) {
        emit(Key(message.body, context.has(Source::facts("keys"), kKey1.key)));
    };
    on.database->add_view("known", known).value();
    const std::vector<std::string> bodies(100, says("more"));
    std::vector<NewMessage> batch;
    for (const std::string& body : bodies) batch.push_back({body, {}});
    cut_during(
        "a batch is appended", on, [&] { on.database->append(batch).value(); },
        [](SimulatedDisk&, Database&, bool) { return std::string(); });
    EXPECT_EQ(count_said(*on.database, "more"), 100u);
}

/// Damages a file that says which messages looked for keys, the `which`th. False if there is none.
bool damage_reads(SimulatedDisk& disk, std::size_t which) {
    const auto views = disk.root()->subdirectory("views", Create::if_missing).value();
    for (const auto& each : disk.find("\x04keys=")) {
        if (!each.where.starts_with("views/") || which-- > 0) continue;
        const auto file = views->open(each.where.substr(6), Create::never).value();
        file->write_at(each.position, "\x05").value();
        file->sync().value();
        return true;
    }
    return false;
}

/// Messages of which nobody remembers that they looked for a key are not closed and opened with it.
std::string wrong_with_and_without_keys(Database& database) {
    for (const FactName& key : {kKey1, kKey2}) {
        const auto dropped = database.drop_fact(key);
        if (!dropped && dropped.error().code == Errc::not_found) continue;
        if (!dropped) return "dropping a key: " + dropped.error().context;
    }
    const std::size_t left = count_said(database, "needle");
    if (left != 0) return std::to_string(left) + " are open without a key";
    database.put_fact({kKey1, "v"}).value();
    return first_difference(database);
}

// A crash finds the damage, or which messages it has cost.
TEST(TransformCrash, WhileWhatADamagedFileCostIsDerivedAgainIsFinishedByTheNextOpening) {
    ManyEdits on;
    on.put(kKey1, "v");
    on.database->merge_views().value();
    on.database->delete_messages(Seqs{{5}, {6}}).value();
    on.put(kKey2, "v"); // Whoever looked for keys is looked for.
    const std::size_t expected = count_said(*on.database, "needle");
    const auto found = on.disk.copy_after_power_cut(Fate::lost);
    ASSERT_TRUE(damage_reads(*found, 0));
    Trials trials("crash while what a damaged file cost is derived again");
    bool is_noticed = false;
    const auto try_it = [&](SimulatedDisk& second, const std::string& when) {
        const auto look = [&](SimulatedDisk&, Database& database, bool) {
            const std::size_t open = count_said(database, "needle");
            const auto notes = database.recovery_notes();
            is_noticed |= std::any_of(notes.begin(), notes.end(), [](const std::string& note) {
                return note.ends_with("what they were read with is damaged");
            });
            return open == expected ? wrong_with_and_without_keys(database)
                                    : std::to_string(open) + " are open";
        };
        trials.count_state({wrong_with(second, on, kOpenings[0], look), {}}, when);
    };
    EXPECT_EQ(crash_while_opening(*found, on.options, 2, stride() + 2, "a file is damaged", try_it),
              "");
    EXPECT_TRUE(is_noticed);
    EXPECT_GT(trials.states(), 200 / stride());
}

// What is left to do of it the log does not say, and not of what was lost.
TEST(TransformCrash, BehindDamageInterruptedWorkIsDoneAnew) {
    ManyEdits on;
    on.put(kKey1, "v");
    Trials trials("a file is damaged when work was interrupted");
    on.disk.observe([&] {
        const std::uint64_t turn = on.disk.operations() + round_number();
        if (turn % stride() != 0 || trials.have_failed_enough()) return;
        const auto found = on.disk.copy_after_power_cut(Fate::kept);
        if (!damage_reads(*found, turn / stride() % 8)) return;
        const auto look = [&](SimulatedDisk&, Database& database, bool) {
            return wrong_with_and_without_keys(database);
        };
        std::string wrong = wrong_with(*found, on, kOpenings[0], look);
        // Where the first opening had no reason to look.
        if (wrong.ends_with("checksum")) wrong = wrong_with(*found, on, kOpenings[0], look);
        trials.count_state({wrong, {}}, "operation " + std::to_string(on.disk.operations()));
    });
    on.put(kKey2, "v");
    on.database->drop_fact(kKey1).value();
    on.database->delete_messages(Seqs{{8}, {9}, {30}, {31}, {32}}).value();
    on.database->merge_views().value();
    on.disk.observe({});
    EXPECT_GT(trials.states(), 75 / stride());
}

// Views that are built when the transforms are through must not be taken for those that went along
// with them.
TEST(TransformCrash, WhileEverythingIsDerivedAnewIsFinishedByTheNextOpening) {
    ManyEdits on;
    on.put(kKey1, "v");
    const auto found = on.disk.copy_after_power_cut(Fate::kept);
    const auto views = found->root()->subdirectory("views", Create::if_missing).value();
    for (const std::string& name : views->list().value()) views->remove(name).value();
    Trials trials("crash while everything is derived anew");
    const auto try_it = [&](SimulatedDisk& second, const std::string& when) {
        const std::string wrong =
            wrong_with(second, on, kOpenings[0], [](SimulatedDisk&, Database& database, bool) {
                const bool is_whole =
                    count_said(database, "needle") == std::size_t{2} * ManyEdits::kEdits;
                return std::string(is_whole ? "" : "not all are open");
            });
        trials.count_state({wrong, {}}, when);
    };
    EXPECT_EQ(crash_while_opening(*found, on.options, 1, 1, "the views are thrown away", try_it),
              "");
    EXPECT_GT(trials.states(), 100u);
}

} // namespace
} // namespace sluice::test
