// What other stores were seen to get wrong, told to this one: docs/design/bugs-of-others.md, which
// also names the tests elsewhere that show the rest of its list.
#include "database/database_test_support.hpp"

#include <algorithm>

namespace sluice::test {
namespace {

constexpr const char* kWords = R"({"kind":"search","text":["/text"],"language":"english"})";

std::string shown_in_log(const DatabaseOnDisk& on) {
    const Snapshot snapshot = on.database->snapshot();
    auto log = snapshot.log({});
    std::string seqs;
    while (const auto record = log.next().value()) seqs += ' ' + std::to_string(record->seq.value);
    return seqs;
}

bool is_on_disk(const DatabaseOnDisk& on, const std::string& text) {
    return !on.disk.find(text).empty() || !on.disk.find_on_device(text).empty();
}

// flumelog-aligned-offset: deleting in the last block writes a whole block, behind which later
// records are appended where no scan finds them.
TEST(BugsOfOthers, BehindADeletedLastMessageAppendsAreFoundByScans) {
    DatabaseOnDisk on;
    on.append_some(3);
    on.database->delete_messages(Seqs{{3}}).value();
    on.reopen();
    const Seq next = on.append(body_of("ada", 4));
    on.reopen();
    EXPECT_EQ(shown_in_log(on), " 1 2 " + std::to_string(next.value));
    EXPECT_EQ(on.body(next), body_of("ada", 4));
}

// NATS, etcd: the first or last number goes back when what it names is deleted or compacted away,
// and a number is given twice.
TEST(BugsOfOthers, NoSeqIsGivenTwiceWhenTheLastOnesAreErased) {
    DatabaseOnDisk on;
    on.append_some(30);
    Seqs all;
    for (std::uint64_t n = 1; n <= 30; ++n) all.push_back(Seq{n});
    on.database->erase(all).value();
    const Seq since = on.database->snapshot().position();
    on.crash(Fate::lost);
    EXPECT_GE(on.database->snapshot().position(), since);
    EXPECT_GT(on.append(body_of("bo", 31)), since);
}

// async-append-only-log: compacting a log of which everything is deleted throws.
TEST(BugsOfOthers, ALogOfWhichEverythingIsErasedIsAnEmptyOne) {
    DatabaseOnDisk on;
    on.database->add_view("by author", kByAuthor).value();
    on.database->add_view("counts", kCounts).value();
    on.append_some(40);
    Seqs all;
    for (std::uint64_t n = 1; n <= 40; ++n) all.push_back(Seq{n});
    on.database->delete_messages(all).value();
    on.database->merge_views().value();
    on.reopen();
    EXPECT_EQ(shown_in_log(on), "");
    on.database->erase(all).value();
    on.database->merge_views().value();
    on.reopen();
    EXPECT_EQ(shown_in_log(on), "");
    EXPECT_EQ(on.rows("by author") + on.rows("counts"), "");
    const Seq next = on.append(body_of("ada", 1));
    EXPECT_EQ(on.rows("by author"), "[\"ada\",1]=" + std::to_string(next.value));
    on.expect_verified();
}

// async-append-only-log: what is deleted is marked by zeros, so that a record of zeros is.
TEST(BugsOfOthers, AMessageOfZerosIsAMessage) {
    DatabaseOnDisk on;
    const std::string zeros(600, '\0');
    const Seq seq = on.append(zeros);
    on.append_some(3);
    on.database->delete_messages(Seqs{seq.next()}).value();
    on.reopen();
    EXPECT_EQ(on.body(seq), zeros);
    on.expect_verified();
}

// NATS: what was deleted is back when the block is erased that says that it was.
TEST(BugsOfOthers, WhatIsDeletedStaysSoWhenWhatStandsAroundItsDeletionIsErased) {
    DatabaseOnDisk on;
    on.database->add_view("by author", kByAuthor).value();
    on.append_some(60);
    on.database->delete_messages(Seqs{{2}, {5}}).value();
    const Seq deletion = on.database->snapshot().position();
    on.append_some(60);
    Seqs around;
    for (std::uint64_t n = 20; n < deletion.value + 40; ++n) {
        const auto record = on.database->snapshot().get(Seq{n});
        if (record && record->state == Record::State::live) around.push_back(Seq{n});
    }
    ASSERT_GT(around.size(), 60u);
    on.database->erase(around).value();
    on.reopen();
    EXPECT_EQ(on.body(Seq{2}), "deleted");
    EXPECT_EQ(on.body(Seq{5}), "deleted");
    on.expect_verified();
}

// CouchDB: purging one of two versions leaves the row of the other in views.
TEST(BugsOfOthers, ErasingAReplacedMessageLeavesNoRowAndNoByteOfEitherVersion) {
    DatabaseOnDisk on;
    on.database->add_view("by author", kByAuthor).value();
    on.append_some(2);
    const Seq seq = on.append(body_of("cybele", 3, "firstversion"));
    on.database->merge_views().value();
    on.database->replace(seq, body_of("deedee", 4, "secondversion")).value();
    on.database->merge_views().value();
    on.database->erase(Seqs{seq}).value();
    EXPECT_EQ(on.rows("by author"), R"(["ada",1]=1 ["bo",2]=2)");
    for (const char* const text : {"firstversion", "secondversion", "cybele", "deedee"}) {
        EXPECT_FALSE(is_on_disk(on, text)) << text;
    }
    on.expect_verified();
}

// Marten: masking by an id that is not unique masks another's events too.
TEST(BugsOfOthers, ErasingOneOfTwoEqualMessagesKeepsTheOther) {
    DatabaseOnDisk on;
    on.database->add_view("by author", kByAuthor).value();
    const Seq mine = on.append(body_of("ada", 1, "the same"));
    const Seq yours = on.append(body_of("ada", 1, "the same"));
    on.database->erase(Seqs{mine}).value();
    on.reopen();
    EXPECT_EQ(on.body(mine), "erased");
    EXPECT_EQ(on.body(yours), body_of("ada", 1, "the same"));
    EXPECT_EQ(on.rows("by author"), "[\"ada\",1]=" + std::to_string(yours.value));
}

// SQLite and others: the words of what is deleted stay in the tables behind a full-text index.
TEST(BugsOfOthers, WordsOfWhatIsErasedAreInNoFileOfASearch) {
    DatabaseOnDisk on;
    on.database->add_view("words", kWords).value();
    for (int i = 0; i < 40; ++i) on.append(body_of("ada", i, "ordinary words"));
    const Seq seq = on.append(body_of("ada", 40, "an unmistakable quintessence"));
    on.database->merge_views().value();
    ASSERT_TRUE(is_on_disk(on, "quintess"));
    on.database->erase(Seqs{seq}).value();
    EXPECT_FALSE(is_on_disk(on, "quintess"));
    EXPECT_FALSE(is_on_disk(on, "unmistak"));
    on.expect_verified();
}

// flumeview-level: a view whose version goes down is not noticed at once, and shows old rows.
TEST(BugsOfOthers, AnOlderVersionOfAViewIsShownAsItsCodeSays) {
    DatabaseOnDisk on;
    on.append_some(2);
    const auto register_view = [&](std::uint32_t version) {
        CodeView view;
        view.app = "forum";
        view.version = version;
        view.map = [version](const Message&, Emit& emit) { emit(Key(std::int64_t{version})); };
        on.database->add_view("versions", view).value();
    };
    register_view(2);
    EXPECT_EQ(on.rows("versions"), "[2]=1 [2]=2");
    on.reopen();
    register_view(1);
    EXPECT_EQ(on.rows("versions"), "[1]=1 [1]=2");
    on.expect_verified();
}

} // namespace
} // namespace sluice::test
