// P7 where an opening has the most to do: the disk fails at each operation of it. Then it has not
// opened, or goes on; and opening again shows what would have been there without the fault.
#include "crash/trials.hpp"
#include "database/transform_test_support.hpp"

namespace sluice::test {
namespace {

/// Boxes and keys, an edit, a plain view: a database of which everything can be derived anew.
struct Whole : Transforming {
    Whole() {
        for (int i = 0; i < 20; ++i) append(boxed("k1", says("inside " + std::to_string(i))));
        append(says("original"), "m1");
        append(edits("m1", "edited"));
        put(kKey1, "a key", /*is_secret=*/true);
        database->add_view("authors", kByAuthor).value();
        database->merge_views().value();
        shown = said();
        close();
    }
    std::unique_ptr<Directory> folder(const std::string& name) const {
        return root->subdirectory(name, Create::if_missing).value();
    }

    std::string shown; ///< What "said" is to show after all.
};

/// Fails each operation of opening `on` in turn, once or for good. At least `faults` of them.
void fail_while_opening(const std::string& what, Whole& on, std::uint64_t faults) {
    Trials trials("every operation fails while " + what);
    for (std::uint64_t operations = 0;; ++operations) {
        const auto disk = on.disk.copy_after_power_cut(Fate::kept);
        const auto root = disk->root();
        const std::uint64_t end = disk->operations() + operations;
        if (operations % 2 == 0) {
            disk->fail_once_after(operations);
        } else {
            disk->fail_after(operations, Errc::no_space);
        }
        const std::string when = what + ", behind " + std::to_string(operations) + " operations";
        if (const auto opened = Database::open(*root, on.options); !opened) {
            EXPECT_TRUE(is_failure_of_machine(opened.error().code))
                << when << ": " << opened.error().context;
        }
        const bool is_over = disk->operations() <= end;
        disk->stop_failing();
        if (is_over || trials.have_failed_enough()) break;
        trials.count_fault();
        Verdict verdict;
        const auto again = Database::open(*root, on.options);
        if (!again) {
            verdict.loss = "cannot be opened: " + again.error().context;
        } else {
            verdict.loss = first_difference(**again);
            const std::string shown = DatabaseOnDisk::rows_in((*again)->snapshot(), "said");
            if (verdict.loss.empty() && shown != on.shown) verdict.loss = "shows " + shown;
        }
        trials.count_state(verdict, when);
    }
    EXPECT_GE(trials.faults(), faults);
}

TEST(FailureOfOpening, WhereViewsWereThrownAwayIsHealedByOpeningAgain) {
    Whole on;
    const auto views = on.folder("views");
    for (const std::string& name : views->list().value()) views->remove(name).value();
    fail_while_opening("views are derived from nothing", on, 30);
}

TEST(FailureOfOpening, WhereViewsAreOfALongerLogIsHealedByOpeningAgain) {
    Whole on;
    const auto copy = on.disk.all_bytes();
    on.open();
    for (int i = 0; i < 20; ++i) on.append(says("lost with the log's end"));
    on.close();
    const auto log = on.folder("log");
    for (const std::string& name : log->list().value()) {
        const auto file = log->open(name, Create::never).value();
        file->truncate(0).value();
        const auto found = copy.find("log/" + name);
        if (found != copy.end()) file->write_at(0, found->second).value();
    }
    fail_while_opening("views of a longer log are destroyed", on, 30);
}

TEST(FailureOfOpening, WhereWhatMessagesWereReadWithIsDamagedIsHealedByOpeningAgain) {
    Whole on;
    damage(on, "\x04keys=", 1, "views");
    on.open(); // Which finds it only when it looks.
    EXPECT_FALSE(on.database->put_fact({kKey2, "v"}));
    on.close();
    fail_while_opening("views are derived anew behind damage", on, 30);
}

TEST(FailureOfOpening, WithAnotherVersionOfATransformIsHealedByOpeningAgain) {
    Whole on;
    Transforms newer;
    newer.add(counted(on.runs, "unbox", unbox, 2));
    newer.add(counted(on.runs, "block", block));
    newer.add(counted(on.runs, "blobs", show_blob, 2));
    add_edits(newer, on.runs);
    on.options.transforms = newer;
    fail_while_opening("messages are derived in another version", on, 10);
}

TEST(FailureOfOpening, WhichFinishesTheDroppingOfASecretIsHealedByOpeningAgain) {
    Whole on;
    on.open();
    on.disk.fail_after(12); // The entry is there, and what the secret opened still in files.
    EXPECT_FALSE(on.database->drop_fact(kKey1));
    on.disk.stop_failing();
    on.close();
    on.shown = R"(["edited"]=22 ["edited"]=23)";
    fail_while_opening("a dropped secret is taken out", on, 10);
}

} // namespace
} // namespace sluice::test
