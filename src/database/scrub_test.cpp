// scrub(): what database.hpp says of it, in its own words.
#include "database/database_test_support.hpp"

#include <algorithm>

namespace sluice::test {
namespace {

constexpr const char* kWords = R"({"kind":"index","key":["/text"]})";
constexpr const char* kFirstSegment = "00000000000000000001.log";

/// Nine messages and a view of what they say.
void say_nine(DatabaseOnDisk& on) {
    on.database->add_view("words", kWords).value();
    on.append_some(9);
    on.database->merge_views().value();
}

TEST(Scrubbing, FindsNothingToDoInALogThatIsWhole) {
    DatabaseOnDisk on;
    say_nine(on);
    on.database->erase(Seqs{{4}}).value();
    const Seq before = on.database->last();
    EXPECT_TRUE(on.database->scrub().value().seqs.empty());
    EXPECT_EQ(on.database->last(), before);
}

TEST(Scrubbing, ErasesWhatIsDamagedFromLogAndViews) {
    DatabaseOnDisk on;
    say_nine(on);
    on.close();
    damage(on, "said in 4!");
    on.open();
    EXPECT_FALSE(on.database->verify().value().equal());
    ChangeOptions why;
    why.reason = "damaged";
    const Changed scrubbed = on.database->scrub(why).value();
    EXPECT_EQ(scrubbed.seqs, (Seqs{{4}}));
    EXPECT_EQ(scrubbed.receipt->reason, "damaged");
    EXPECT_EQ(on.body({4}), "erased");
    EXPECT_TRUE(on.disk.find_on_device("aid in 4!").empty());
    on.expect_verified();
    on.reopen();
    EXPECT_TRUE(on.database->recovery_notes().empty());
    on.expect_verified();
}

TEST(Scrubbing, KeepsWhatIsHeld) {
    DatabaseOnDisk on;
    say_nine(on);
    on.database->hold(Seqs{{4}}).value();
    on.close();
    damage(on, "said in 4!");
    on.open();
    EXPECT_TRUE(on.database->scrub().value().seqs.empty());
    EXPECT_FALSE(on.disk.find("aid in 4!").empty());
    EXPECT_EQ(on.body({4}), "error: corrupt");
}

// Where one entry ends whose header is lost, and the next begins, nobody knows.
TEST(Scrubbing, KeepsWhatCannotBeToldFromWhatIsHeld) {
    DatabaseOnDisk on;
    say_nine(on);
    on.database->hold(Seqs{{5}}).value();
    on.close();
    damage(on, body_of("bo", 4, "said in 4!"), 24);
    damage(on, body_of("ada", 5, "said in 5!"), 24);
    on.open();
    const Seq before = on.database->last();
    EXPECT_TRUE(on.database->scrub().value().seqs.empty());
    EXPECT_EQ(code_of(on.database->erase(Seqs{{4}})), Errc::held);
    EXPECT_EQ(on.database->last(), before);
    for (const char* const kept : {"said in 4!", "said in 5!"}) {
        EXPECT_TRUE(std::ranges::any_of(on.disk.find(kept), [](const auto& found) {
            return found.where.starts_with("log/");
        })) << kept;
    }
    on.database->release(Seqs{{5}}).value();
    EXPECT_EQ(on.database->scrub().value().seqs, (Seqs{{4}, {5}}));
    on.expect_verified();
}

TEST(Scrubbing, OfAChangeErasesWhatIsLeftOfIt) {
    DatabaseOnDisk on;
    on.database->put_fact({{"names", Key("ada")}, "a value that is damaged"}).value();
    on.append_some(2);
    on.close();
    damage(on, "a value that is damaged");
    on.open();
    on.database->scrub().value();
    EXPECT_TRUE(on.disk.find_on_device("value that is damaged").empty());
    EXPECT_TRUE(on.database->facts().empty());
    on.reopen();
    EXPECT_TRUE(on.database->recovery_notes().empty());
    on.expect_verified();
}

TEST(Scrubbing, DeletesWhatIsLostWithAFileUntilItIsPutBack) {
    DatabaseOnDisk on;
    on.database->add_view("words", kWords).value();
    on.append_some(120);
    const std::string shown = on.rows("words");
    on.close();
    const auto log = on.root->subdirectory("log", Create::if_missing).value();
    std::string bytes;
    {
        const auto file = log->open(kFirstSegment, Create::never).value();
        bytes.resize(file->size_bytes());
        file->read_at(0, bytes.data(), bytes.size()).value();
    }
    log->remove(kFirstSegment).value();
    on.open();
    on.database->scrub().value();
    EXPECT_EQ(on.body({1}), "error: corrupt");
    EXPECT_EQ(on.rows("words").find("said in 1!"), std::string::npos);
    on.expect_verified();

    on.close();
    log->open(kFirstSegment, Create::must).value()->write_at(0, bytes).value();
    on.open();
    const Record deleted = on.database->snapshot().get(Seq{1}).value();
    EXPECT_EQ(deleted.state, Record::State::deleted);
    Seqs all;
    for (std::uint64_t seq = 1; seq <= 120; ++seq) all.push_back({seq});
    on.database->restore(all).value();
    EXPECT_EQ(on.rows("words"), shown);
    on.expect_verified();
}

// P6: whoever puts an older copy back must not bring back what was erased.
TEST(Scrubbing, WipesAgainWhatAnOlderCopyBroughtBack) {
    DatabaseOnDisk on;
    on.append_some(120);
    on.close();
    const auto log = on.root->subdirectory("log", Create::if_missing).value();
    const auto file = log->open(kFirstSegment, Create::never).value();
    std::string bytes(file->size_bytes(), '\0');
    file->read_at(0, bytes.data(), bytes.size()).value();
    on.open();
    on.database->erase(Seqs{{3}}).value();
    on.close();
    file->write_at(0, bytes).value();
    on.open();
    EXPECT_EQ(on.body({3}), "erased");
    EXPECT_FALSE(on.disk.find("said in 3!").empty());
    on.database->scrub().value();
    EXPECT_TRUE(on.disk.find("said in 3!").empty());
    EXPECT_EQ(on.body({5}), body_of("ada", 5, "said in 5!"));
}

TEST(DamagedView, OfManyMessagesIsMendedInParts) {
    constexpr std::size_t kCount = 10'000;
    DatabaseOnDisk on(Options{.durability = Durability::none, .background = false});
    on.database->add_view("authors", R"({"kind":"index","key":["/author"]})").value();
    const NewMessage message{R"({"author":"somebody of many words"})"};
    on.database->append(std::vector<NewMessage>(kCount, message)).value();
    on.close();
    damage(on, "somebody of many words", 0, "views");
    on.open();
    EXPECT_EQ(on.rows("authors"), "") << "here it is found";
    on.reopen();
    EXPECT_EQ(on.database->snapshot().read("authors")->count_rest(), kCount);
    on.expect_verified();
}

} // namespace
} // namespace sluice::test
