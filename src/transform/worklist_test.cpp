#include "transform/worklist.hpp"

#include <gtest/gtest.h>

#include <random>

namespace sluice {
namespace {

SeqBitmap of(std::initializer_list<std::uint64_t> seqs) {
    SeqBitmap bitmap;
    for (const std::uint64_t seq : seqs) bitmap.insert({seq});
    return bitmap;
}

Worklist some() {
    Worklist work(3);
    work.stage = 1;
    work.dirty[1] = of({1, 7, 100000});
    work.only_new[1] = of({7});
    work.dirty[2] = of({3});
    work.moved = of({2, 4});
    work.moved_out = of({5});
    return work;
}

bool are_equal(const Worklist& a, const Worklist& b) {
    return a.stage == b.stage && a.dirty == b.dirty && a.only_new == b.only_new &&
           a.moved == b.moved && a.moved_out == b.moved_out;
}

TEST(Worklist, IsWhatWasEncoded) {
    for (const Worklist& work : {some(), Worklist(), Worklist(5)}) {
        EXPECT_TRUE(are_equal(decode_worklist(encode(work), {100000}).value(), work));
    }
}

// Golden: docs/format/transforms.md, version 1. Whoever changes these bytes changes the version.
TEST(Worklist, IsTheBytesOfVersionOne) {
    Worklist work(2);
    work.stage = 1;
    work.add(1, {5});
    work.add_only_new(1, {300});
    work.moved.insert({5});
    work.moved_out.insert({1});
    work.moved_out.insert({2});
    EXPECT_EQ(encode(work), std::string("\x02\x01"         // two transforms, at the second
                                        "\x02\x05\xA7\x02" // to be run: 5, 300
                                        "\x01\xAC\x02"     // only new facts: 300
                                        "\x01\x05"         // given changed: 5
                                        "\x02\x01\x01"));  // changed: 1, 2
}

TEST(Worklist, ForgetsTheStagesThatAreThrough) {
    Worklist work = some();
    work.dirty[0] = of({9});
    EXPECT_TRUE(are_equal(decode_worklist(encode(work), {100000}).value(), some()));
}

TEST(Worklist, IsCorruptWhenCutOrLengthened) {
    const std::string bytes = encode(some());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(decode_worklist(bytes.substr(0, size), {100000})) << size;
    }
    EXPECT_FALSE(decode_worklist(bytes + '\0', {100000}));
}

TEST(Worklist, IsCorruptWhenItNamesMessagesThatThereCannotBe) {
    EXPECT_FALSE(decode_worklist(encode(some()), {99999}));
    Worklist zero(1);
    zero.dirty[0] = of({0});
    EXPECT_FALSE(decode_worklist(encode(zero), {100000}));
    // A seq of 2^63, and then one that goes round.
    std::string huge("\x01\x00\x02", 3);
    huge += std::string(8, '\x80') + "\x80\x01" + std::string(8, '\x80') + "\x80\x01";
    huge += std::string(3, '\0');
    EXPECT_FALSE(decode_worklist(huge, {100000}));
}

TEST(Worklist, SurvivesBytesOfAnySort) {
    std::mt19937_64 random(1);
    const std::string good = encode(some());
    for (int i = 0; i < 20000; ++i) {
        std::string bytes = good;
        for (std::size_t n = random() % 4; n > 0; --n) {
            bytes[random() % bytes.size()] = static_cast<char>(random());
        }
        const auto decoded = decode_worklist(bytes, {100000});
        if (!decoded) continue;
        EXPECT_LE(decoded->stage, decoded->dirty.size());
        EXPECT_TRUE(are_equal(decode_worklist(encode(*decoded), {100000}).value(), *decoded));
    }
}

TEST(Worklist, RunsAUnitInFullWhenAnythingButNewFactsConcernsIt) {
    Worklist work(2);
    work.add_only_new(0, {1});
    EXPECT_TRUE(work.only_new[0].contains({1}));
    work.add(0, {1});
    EXPECT_FALSE(work.only_new[0].contains({1}));
    work.add_only_new(0, {1});
    EXPECT_FALSE(work.only_new[0].contains({1})) << "it is to be run in full already";
    work.add_only_new(1, {2});
    work.moved_out.insert({2});
    work.next_stage();
    EXPECT_EQ(work.stage, 1u);
    EXPECT_TRUE(work.dirty[1].contains({2}));
    EXPECT_FALSE(work.only_new[1].contains({2})) << "it is given something else";
    EXPECT_TRUE(work.moved.contains({2}));
    EXPECT_EQ(work.moved_out.size(), 0u);
}

TEST(Worklist, IsEmptyWhenNothingIsLeft) {
    Worklist work(1);
    EXPECT_TRUE(work.empty());
    work.add(0, {1});
    EXPECT_FALSE(work.empty());
    work.next_stage();
    EXPECT_TRUE(work.empty()) << "what is through does not count";
    work.moved.insert({1});
    EXPECT_FALSE(work.empty());
}

} // namespace
} // namespace sluice
