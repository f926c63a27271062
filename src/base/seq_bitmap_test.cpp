#include "base/seq_bitmap.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <thread>

namespace sluice {
namespace {

// Around the edges of words (64), of leaves (8,192), and of the nodes above them.
constexpr std::uint64_t kEdges[] = {0,       1,       63,      64,       65,       127,
                                    128,     8191,    8192,    8193,     131071,   131072,
                                    2097151, 2097152, 2097153, 33554431, 33554432, 100000000};

std::vector<std::uint64_t> members(const SeqBitmap& set) {
    std::vector<std::uint64_t> seqs;
    for (Seq at = set.next_from({}); at != SeqBitmap::kNone; at = set.next_from(at.next())) {
        seqs.push_back(at.value);
    }
    return seqs;
}

TEST(SeqBitmap, HoldsWhatWasInserted) {
    SeqBitmap set;
    EXPECT_EQ(set.next_from({}), SeqBitmap::kNone);
    for (const std::uint64_t seq : kEdges) {
        EXPECT_FALSE(set.contains({seq}));
        EXPECT_TRUE(set.insert({seq}));
        EXPECT_FALSE(set.insert({seq})) << "it is there already";
        EXPECT_TRUE(set.contains({seq}));
    }
    EXPECT_EQ(set.size(), std::size(kEdges));
    EXPECT_EQ(members(set), std::vector<std::uint64_t>(std::begin(kEdges), std::end(kEdges)));

    for (const std::uint64_t seq : kEdges) {
        EXPECT_TRUE(set.remove({seq}));
        EXPECT_FALSE(set.remove({seq})) << "it is gone already";
        EXPECT_FALSE(set.contains({seq}));
    }
    EXPECT_EQ(set.size(), 0U);
    EXPECT_TRUE(members(set).empty());
    EXPECT_FALSE(set.remove({std::uint64_t{1} << 40}));
}

TEST(SeqBitmap, FindsTheNextMemberFromAnySeq) {
    SeqBitmap set;
    for (const std::uint64_t seq : {64U, 32767U, 100000U}) set.insert({seq});
    EXPECT_EQ(set.next_from({0}), Seq{64});
    EXPECT_EQ(set.next_from({64}), Seq{64});
    EXPECT_EQ(set.next_from({65}), Seq{32767});
    EXPECT_EQ(set.next_from({32768}), Seq{100000});
    EXPECT_EQ(set.next_from({100001}), SeqBitmap::kNone);
    EXPECT_EQ(set.next_from({std::uint64_t{1} << 40}), SeqBitmap::kNone);

    EXPECT_TRUE(set.any_between({64}, {64}));
    EXPECT_TRUE(set.any_between({0}, {64}));
    EXPECT_FALSE(set.any_between({0}, {63}));
    EXPECT_FALSE(set.any_between({65}, {32766}));
    EXPECT_FALSE(set.any_between({100001}, {std::uint64_t{1} << 40}));
}

TEST(SeqBitmap, ComparesMembersAndNotHowTheyCame) {
    SeqBitmap a, b;
    EXPECT_EQ(a, b);
    a.insert({70000});
    EXPECT_FALSE(a == b);
    b.insert({5});
    EXPECT_FALSE(a == b) << "as many members, but others";
    b.insert({70000});
    b.remove({5});
    EXPECT_EQ(a, b) << "an empty chunk is like none";
}

TEST(SeqBitmap, DoesNotChangeWithItsCopies) {
    std::mt19937_64 random(1);
    SeqBitmap set;
    std::set<std::uint64_t> model;
    std::vector<std::pair<SeqBitmap, std::set<std::uint64_t>>> copies;
    for (int step = 0; step < 4000; ++step) {
        const std::uint64_t seq = random() % 100000;
        if (random() % 3 == 0) {
            EXPECT_EQ(set.remove({seq}), model.erase(seq) == 1);
        } else {
            EXPECT_EQ(set.insert({seq}), model.insert(seq).second);
        }
        if (step % 200 == 0) copies.emplace_back(set, model);
        // A copy may be changed too, without the others or the original noticing.
        if (step % 300 == 0 && !copies.empty()) {
            auto& [copy, copy_model] = copies[random() % copies.size()];
            copy.insert({seq});
            copy_model.insert(seq);
        }
    }
    copies.emplace_back(set, model);
    for (const auto& [copy, expected] : copies) {
        EXPECT_EQ(members(copy), std::vector<std::uint64_t>(expected.begin(), expected.end()));
        EXPECT_EQ(copy.size(), expected.size());
    }
}

TEST(SeqBitmapThreads, ACopyIsReadWhileTheOriginalChanges) {
    SeqBitmap set;
    for (std::uint64_t seq = 0; seq < 100000; seq += 3) set.insert({seq});
    const SeqBitmap copy = set;
    std::uint64_t seen = 0;
    std::thread reader([&] { seen = members(copy).size(); });
    for (std::uint64_t seq = 0; seq < 100000; ++seq) set.insert({seq});
    reader.join();
    EXPECT_EQ(seen, 33334U);
    EXPECT_EQ(set.size(), 100000U);
}

} // namespace
} // namespace sluice
