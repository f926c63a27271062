// The promises of database.hpp, each in its own words. tests/property and tests/crash try the same
// on random histories and at every operation on the disk.
#include "database/database_test_support.hpp"

#include <functional>
#include <set>

namespace sluice::test {
namespace {

constexpr const char* kWords = R"({"kind":"index","key":["/text"]})";
constexpr const char* kExtremes =
    R"({"kind":"aggregate","group":[],"value":{"sum":"/n","average":"/n","min":"/n","max":"/n"}})";

std::string with_number(const std::string& number) {
    return R"({"author":"ada","n":)" + number + "}";
}

// P1: a view that lived through changes and one that is computed from what is live now are equal,
// to the last bit of a sum.
TEST(Promise1, AViewEqualsTheSameViewComputedFromScratch) {
    DatabaseOnDisk on;
    on.database->add_view("lived", kExtremes).value();
    for (const char* const number : {"0.1", "1e300", "-1e300", "0.2", "1e-300", "7", "\"x\""}) {
        on.append(with_number(number));
    }
    on.database->delete_messages(Seqs{{2}, {5}}).value();
    on.database->restore(Seqs{{5}}).value();
    on.database->replace({6}, with_number("-0.3")).value();
    on.database->erase(Seqs{{3}, {5}}).value();
    on.database->add_view("computed", kExtremes).value();
    EXPECT_EQ(on.rows("lived"), R"([]{"sum":0,"average":0,"min":-0.3,"max":"x"})");
    EXPECT_EQ(on.rows("computed"), on.rows("lived"));
    on.expect_verified();
}

// P2: whatever happens, each view's `since` only grows, and is the last entry when a call returns.
TEST(Promise2, AChangeIsAnEntryAndSinceNeverDecreases) {
    DatabaseOnDisk on;
    Seq seen;
    const auto expect_grown = [&] {
        const Seq since = on.info("counts").since;
        EXPECT_GE(since, seen);
        EXPECT_EQ(since, on.database->last());
        seen = since;
    };
    on.database->add_view("counts", kCounts).value();
    on.append_some(30);
    expect_grown();
    EXPECT_EQ(on.database->delete_messages(Seqs{{1}}).value().at, Seq{31});
    expect_grown();
    EXPECT_EQ(on.database->restore(Seqs{{1}}).value().at, Seq{32});
    expect_grown();
    EXPECT_EQ(on.database->replace({1}, "x").value().at, Seq{33});
    expect_grown();
    EXPECT_EQ(on.database->erase(Seqs{{2}}).value().at, Seq{34});
    expect_grown();
    on.database->merge_views().value();
    expect_grown();
    on.database->add_view("counts", kExtremes).value(); // Switched.
    expect_grown();
    on.crash(Fate::lost);
    expect_grown();
    on.reopen();
    expect_grown();
    EXPECT_EQ(on.database->snapshot().get(Seq{31}).value().state, Record::State::change);
}

/// All that a snapshot shows.
std::string everything(const Snapshot& snapshot) {
    std::string all = std::to_string(snapshot.position().value);
    for (const char* const view : {"authors", "counts", "words"}) {
        all += '\n' + DatabaseOnDisk::rows_in(snapshot, view);
    }
    auto cursor = snapshot.log({.include_changes = true});
    while (const auto record = cursor.next().value()) {
        all += '\n' + std::to_string(record->seq.value) + std::string(name_of(record->state)) +
               record->body + record->change;
    }
    return all;
}

// P3: a snapshot shows log and views at one seq, and goes on to show that.
TEST(Promise3, ASnapshotIsOneMomentAndNeverChanges) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    on.database->add_view("counts", kCounts).value();
    on.database->add_view("words", kWords).value();
    on.append_some(20);
    const Snapshot snapshot = on.database->snapshot();
    const std::string shown = everything(snapshot);
    const std::vector<std::function<void()>> changes = {
        [&] { on.append_some(40); },
        [&] {
            on.database->delete_messages(Seqs{{1}, {2}, {21}}).value();
        },
        [&] { on.database->replace({3}, body_of("cy", 3)).value(); },
        [&] { on.database->restore(Seqs{{1}}).value(); },
        [&] { on.database->merge_views().value(); },
        [&] { on.database->add_view("words", R"({"kind":"index","key":["/n"]})").value(); },
        [&] { on.database->drop_view("counts").value(); },
        [&] { on.database->erase(Seqs{{50}}).value(); }, // Behind it, so nothing to wait for.
        [&] { on.database->merge_views().value(); },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        changes[i]();
        ASSERT_EQ(everything(snapshot), shown) << "behind change " << i;
        EXPECT_EQ(code_of(snapshot.get(Seq{21})), Errc::not_found);
    }
    EXPECT_EQ(on.rows("words").find("said"), std::string::npos);
}

// P4: with neither the old content nor the code. The entry is damaged, the function is not loaded,
// and still the row goes.
TEST(Promise4, RetractingNeedsNeitherTheContentNorTheCode) {
    DatabaseOnDisk on;
    CodeView view;
    view.app = "reader";
    view.map = [](const Message& message, Emit& emit) {
        emit(Key(message.json->find("n")->as_int64().value()));
    };
    on.database->add_view("code", view).value();
    on.database->add_view("authors", kByAuthor).value();
    on.append_some(3);
    on.close();
    damage(on, "said in 2!");
    on.open();
    EXPECT_EQ(on.body({2}), "error: corrupt");
    EXPECT_EQ(on.rows("code"), "[1]=1 [2]=2 [3]=3");
    on.database->delete_messages(Seqs{{2}}).value();
    EXPECT_EQ(on.rows("code"), "[1]=1 [3]=3");
    EXPECT_EQ(on.rows("authors"), R"(["ada",1]=1 ["ada",3]=3)");
    on.database->erase(Seqs{{2}, {3}}).value();
    EXPECT_EQ(on.rows("code"), "[1]=1");
}

// P6: in its own words, if nothing is left of a message but its lengths, then nothing of it is
// found: not its text, its key, its older versions, nor a word that a view made of it.
TEST(Promise6, ErasedIsGoneFromEveryFile) {
    DatabaseOnDisk on;
    CodeView upper;
    upper.app = "shouter";
    upper.map = [](const Message& message, Emit& emit) {
        std::string text(message.json->find("text")->as_string().value());
        for (char& c : text) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
        emit(Key(text));
    };
    on.database->add_view("words", kWords).value();
    on.database->add_view("upper", upper).value();
    on.append_some(20);
    on.append(body_of("ada", 21, "fourteen harbour street"), "<key of the address>");
    on.append_some(20);
    on.database->replace({21}, body_of("ada", 21, "hotel bellevue")).value();
    on.database->replace({21}, body_of("ada", 21, "third floor")).value();
    on.database->merge_views().value();
    on.reopen(); // The code that made the capitals is not loaded when they have to go.
    const std::vector<std::string> needles = {
        "fourteen harbour street", "hotel bellevue", "third floor",         "THIRD FLOOR",
        "FOURTEEN HARBOUR",        "HOTEL BELLEVUE", "<key of the address>"};
    EXPECT_FALSE(on.disk.find("THIRD FLOOR").empty());
    on.database->erase(Seqs{{21}}).value();
    for (const std::string& needle : needles) {
        EXPECT_TRUE(on.disk.find(needle).empty()) << needle;
        EXPECT_TRUE(on.disk.find_on_device(needle).empty()) << needle;
    }
    const VerifyReport report = on.database->verify().value();
    EXPECT_GT(report.needles_searched, 0u);
    EXPECT_TRUE(report.equal());
}

// P6 and its check: verify() finds what somebody put back.
TEST(Promise6, VerifyFindsErasedBytesWhereverTheyAre) {
    DatabaseOnDisk on;
    const std::string body = body_of("ada", 1, "a text that will be found somewhere else again");
    on.append(body);
    on.database->erase(Seqs{{1}}).value();
    EXPECT_TRUE(on.database->verify().value().equal());
    for (const char* const folder : {"views", "log"}) {
        const auto directory = on.root->subdirectory(folder, Create::if_missing).value();
        directory->open("a copy", Create::must).value()->write_at(0, body).value();
        const VerifyReport report = on.database->verify().value();
        EXPECT_FALSE(report.equal());
        ASSERT_EQ(report.needles_found.size(), 1u);
        EXPECT_NE(report.needles_found[0].find(folder + std::string("/a copy")), std::string::npos);
        directory->remove("a copy").value();
    }
}

// P7: whatever was acknowledged is there after a power cut, and what was deleted is not.
TEST(Promise7, NothingAcknowledgedIsLostAndNothingDeletedReturns) {
    for (const Fate fate : kEveryFate) {
        DatabaseOnDisk on;
        on.database->add_view("authors", kByAuthor).value();
        on.append_some(5);
        on.crash(fate, 1);
        on.database->delete_messages(Seqs{{2}, {3}}).value();
        on.crash(fate, 2);
        on.database->restore(Seqs{{3}}).value();
        on.database->replace({4}, body_of("cy", 4)).value();
        on.crash(fate, 3);
        on.database->erase(Seqs{{5}}).value();
        on.crash(fate, 4);
        EXPECT_EQ(on.rows("authors"), R"(["ada",1]=1 ["ada",3]=3 ["cy",4]=4)");
        EXPECT_EQ(on.body({2}), "deleted");
        EXPECT_EQ(on.body({5}), "erased");
        on.expect_verified();
    }
}

/// What a change of a few messages costs: operations on the disk, and calls of a view's function.
struct Cost {
    std::uint64_t operations = 0;
    std::uint64_t calls = 0;
    friend bool operator==(const Cost&, const Cost&) = default;
};

/// P8 in numbers that no clock disturbs. Files are large, so that no cut falls into the change.
Cost cost_of(int messages, int views, const std::function<void(Database&)>& change) {
    Options options = small_files();
    options.log_segment_size_bytes = 1 << 22;
    options.view_segment_rows_max = 1 << 10;
    options.view_memory_bytes_max = 1 << 24;
    DatabaseOnDisk on(options);
    std::uint64_t calls = 0;
    CodeView view;
    view.app = "reader";
    view.map = [&](const Message& message, Emit& emit) {
        ++calls;
        emit(Key(message.seq.value));
    };
    for (int i = 0; i < views; ++i) {
        on.database->add_view("view " + std::to_string(i), view).value();
    }
    on.append_some(messages);
    on.database->merge_views().value();
    calls = 0;
    const std::uint64_t before = on.disk.operations();
    change(*on.database);
    return {on.disk.operations() - before, calls};
}

TEST(Promise8, DeletingCostsTheSameWhateverTheLengthAndTheViews) {
    const auto deleting = [](Database& database) {
        database.delete_messages(Seqs{{3}, {7}}).value();
    };
    const Cost cost = cost_of(100, 1, deleting);
    EXPECT_EQ(cost.calls, 0u);
    EXPECT_LE(cost.operations, 3u); // A write and its sync.
    EXPECT_EQ(cost_of(1000, 1, deleting), cost);
    EXPECT_EQ(cost_of(100, 10, deleting), cost);
}

TEST(Promise8, MappingAgainCostsTheMessagesConcerned) {
    const auto mapping = [](Database& database) {
        database.delete_messages(Seqs{{3}, {7}}).value();
        database.restore(Seqs{{3}, {7}}).value();
        database.replace({5}, "{}").value();
    };
    const Cost cost = cost_of(100, 1, mapping);
    EXPECT_EQ(cost.calls, 3u);
    EXPECT_EQ(cost_of(1000, 1, mapping), cost);
    const Cost of_ten_views = cost_of(100, 10, mapping);
    EXPECT_EQ(of_ten_views.calls, 30u);
    EXPECT_EQ(of_ten_views.operations, cost.operations);
}

TEST(Promise8, ErasingRewritesTheSegmentsConcerned) {
    std::set<std::uint64_t> rewritten;
    for (const int messages : {2000, 8000}) {
        cost_of(messages, 2, [&](Database& database) {
            rewritten.insert(
                database.erase(Seqs{{3}, {7}}).value().receipt.value().segments_rewritten);
        });
    }
    EXPECT_EQ(rewritten, (std::set<std::uint64_t>{2}));
}

} // namespace
} // namespace sluice::test
