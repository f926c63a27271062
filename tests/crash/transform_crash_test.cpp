// P1, P3, P6 and P7 for transforms: the power is cut at operations of work that is committed in
// parts, and of taking out what a secret opened; then the database is opened again, with the code
// of the transforms or without. SLUICE_CRASH_STRIDE tries every so many operations only (1: all).
#include "database/transform_test_support.hpp"

#include <cstdlib>

namespace sluice::test {
namespace {

std::uint64_t stride() {
    const char* const wanted = std::getenv("SLUICE_CRASH_STRIDE");
    return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 5;
}

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

std::string differences(const Database& database) {
    const VerifyReport report = database.verify().value();
    for (const std::string& problem : report.problems) return problem;
    for (const VerifyReport::View& view : report.views) {
        for (const std::string& difference : view.differences) return view.name + ": " + difference;
    }
    return {};
}

std::size_t count_said(const Database& database, const char* text) {
    std::size_t count = 0;
    const Snapshot snapshot = database.snapshot();
    auto rows = snapshot.read("said").value();
    while (rows.next()) {
        if (rows.key().to_json().find(text) != std::string::npos) ++count;
    }
    return count;
}

struct Opening {
    const char* name;
    bool without_code_first;
};
constexpr Opening kOpenings[] = {{"with code", false}, {"without code first", true}};

/// Cuts the power at operations of `act`, and has `look` judge what is found, as the database is
/// and whether it was opened without code.
template <typename Act, typename Look>
std::uint64_t cut_during(ManyEdits& on, const Act& act, const Look& look) {
    std::uint64_t states = 0;
    int failures = 0;
    on.disk.observe([&] {
        if (on.disk.operations() % stride() != 0 || failures > 3) return;
        const std::uint64_t turn = on.disk.operations() / stride();
        const Fate fate = kEveryFate[turn % std::size(kEveryFate)];
        for (const Opening& opening : kOpenings) {
            ++states;
            const auto disk = on.disk.copy_after_power_cut(fate, turn);
            const auto root = disk->root();
            Options options = on.options;
            std::string wrong;
            if (opening.without_code_first) {
                options.transforms = {};
                const auto database = Database::open(*root, options);
                wrong = database ? look(*disk, **database, /*has_code=*/false)
                                 : "cannot be opened: " + database.error().context;
            }
            options.transforms = on.all;
            if (wrong.empty()) {
                const auto database = Database::open(*root, options);
                wrong = database ? differences(**database)
                                 : "cannot be opened: " + database.error().context;
                if (wrong.empty()) wrong = look(*disk, **database, /*has_code=*/true);
            }
            if (wrong.empty()) continue;
            ++failures;
            ADD_FAILURE() << "operation " << on.disk.operations() << ", fate "
                          << static_cast<int>(fate) << ", " << opening.name << ": " << wrong;
        }
    });
    act();
    on.disk.observe({});
    return states;
}

bool has_needle(const SimulatedDisk& disk) {
    return !disk.find("needle").empty() || !disk.find_on_device("needle").empty();
}

TEST(TransformCrash, WhileAKeyOpensManyMessagesLeavesAllOfThemOpenOrNone) {
    ManyEdits on;
    const auto states = cut_during(
        on, [&] { on.put(kKey1, "v", /*is_secret=*/true); },
        [&](SimulatedDisk&, Database& database, bool has_code) -> std::string {
            const std::size_t opened = count_said(database, "needle");
            const std::size_t expected =
                database.facts("keys").empty() ? 0u : std::size_t{2} * ManyEdits::kEdits;
            // Without the code, those wait that had not had their turn.
            if (has_code ? opened == expected : opened <= expected) return {};
            return std::to_string(opened) + " are open";
        });
    EXPECT_EQ(count_said(*on.database, "needle"), std::size_t{2} * ManyEdits::kEdits);
    EXPECT_GT(states, 20u);
}

TEST(TransformCrash, WhileASecretIsDroppedLeavesNothingThatItOpenedOrAllOfIt) {
    ManyEdits on;
    on.put(kKey1, "v", /*is_secret=*/true);
    on.database->delete_messages(Seqs{{3}, {4}}).value();
    on.reopen();
    const auto states = cut_during(
        on, [&] { on.database->drop_fact(kKey1).value(); },
        [&](SimulatedDisk& disk, Database& database, bool) -> std::string {
            const bool is_dropped = database.facts("keys").empty();
            const std::size_t opened = count_said(database, "needle");
            if (is_dropped && opened != 0) return std::to_string(opened) + " are open";
            if (is_dropped && has_needle(disk)) return "a needle is left";
            return {};
        });
    EXPECT_FALSE(has_needle(on.disk));
    EXPECT_GT(states, 20u);
}

TEST(TransformCrash, WhileASecretIsErasedLeavesNothingThatItOpenedOrAllOfIt) {
    ManyEdits on;
    on.put(kKey1, "v", /*is_secret=*/true);
    on.reopen();
    const auto states = cut_during(
        on, [&] { on.database->erase_fact(kKey1).value(); },
        [&](SimulatedDisk& disk, Database& database, bool) -> std::string {
            const bool is_erased = database.facts("keys").empty();
            const std::size_t opened = count_said(database, "needle");
            if (is_erased && opened != 0) return std::to_string(opened) + " are open";
            if (is_erased && has_needle(disk)) return "a needle is left";
            return {};
        });
    EXPECT_FALSE(has_needle(on.disk));
    EXPECT_GT(states, 20u);
}

TEST(TransformCrash, WhileEditsAreErasedLeavesTheOriginals) {
    ManyEdits on;
    on.put(kKey1, "v");
    Seqs all_edits;
    for (int i = 0; i < ManyEdits::kEdits; ++i) all_edits.push_back({3 + std::uint64_t(2 * i)});
    on.database->delete_messages(Seqs{all_edits.front()}).value();
    on.reopen();
    const auto states = cut_during(
        on, [&] { on.database->erase(all_edits).value(); },
        [&](SimulatedDisk& disk, Database& database, bool has_code) -> std::string {
            const bool is_erased = !database.receipts().empty();
            if (!is_erased) return {};
            if (has_needle(disk)) return "a needle is left";
            const std::size_t originals = count_said(database, "original");
            if (has_code && originals != ManyEdits::kEdits) {
                return std::to_string(originals) + " originals";
            }
            return {};
        });
    EXPECT_FALSE(has_needle(on.disk));
    EXPECT_EQ(count_said(*on.database, "original"), ManyEdits::kEdits);
    EXPECT_GT(states, 20u);
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
    const auto states = cut_during(
        on, [&] { on.reopen_with_code(); },
        [&](SimulatedDisk&, Database& database, bool has_code) -> std::string {
            const std::size_t opened = count_said(database, "needle");
            if (has_code ? opened == expected : opened <= expected) return {};
            return std::to_string(opened) + " are open";
        });
    EXPECT_EQ(count_said(*on.database, "needle"), expected);
    EXPECT_GT(states, 20u);
}

TEST(TransformCrash, WhileTransformsComeIntoUseIsFinishedByTheNextOpening) {
    ManyEdits on;
    on.put(kKey1, "v");
    for (const char* const name : {"unseal", "links", "edits"}) {
        on.database->drop_transform(name).value();
    }
    EXPECT_EQ(count_said(*on.database, "needle"), 0u);
    const auto states = cut_during(
        on, [&] { on.use_all(); },
        [&](SimulatedDisk&, Database& database, bool has_code) -> std::string {
            const std::size_t opened = count_said(database, "needle");
            const std::size_t expected =
                database.transforms().empty() ? 0u : std::size_t{2} * ManyEdits::kEdits;
            if (has_code ? opened == expected : opened <= expected) return {};
            return std::to_string(opened) + " are open";
        });
    EXPECT_EQ(count_said(*on.database, "needle"), std::size_t{2} * ManyEdits::kEdits);
    EXPECT_GT(states, 20u);
}

} // namespace
} // namespace sluice::test
