#include "views/fold.hpp"

#include <gtest/gtest.h>

#include <random>
#include <stdexcept>

namespace sluice {
namespace {

struct Sum {
    long sum = 0;
    void add(Seq, std::string_view value) { sum += std::stol(std::string(value)); }
    void remove(Seq, std::string_view value) { sum -= std::stol(std::string(value)); }
    void combine(const Sum& other) { sum += other.sum; }
    std::string to_json() const { return std::to_string(sum); }
    std::string encoded() const { return std::to_string(sum); }
    static std::optional<Sum> decode(std::string_view bytes) {
        return Sum{std::stol(std::string(bytes))};
    }
};

struct Chain {
    std::string text;
    void add(Seq, std::string_view value) {
        if (value == "throw") throw std::runtime_error("a value");
        text += value;
    }
    void combine(const Chain& later) { text += later.text; }
    std::string to_json() const { return '"' + text + '"'; }
    std::string encoded() const { return text; }
    static std::optional<Chain> decode(std::string_view bytes) { return Chain{std::string(bytes)}; }
};

struct Alternating {
    int value = 0;
    void add(Seq, std::string_view) { value = 1 - value; }
    std::string to_json() const { return std::to_string(value); }
};

static_assert(FoldOrderFree<Sum> && FoldCombines<Chain> && !FoldOrderFree<Chain>);
static_assert(FoldSteps<Alternating> && !FoldCombines<Alternating>);

std::string row(std::uint64_t seq, std::string_view value) {
    std::string bytes;
    append_fold_value(bytes, Seq{seq}, value);
    return bytes;
}

/// Rows of one group in the order of their seqs.
class Rows final : public Cursor {
public:
    explicit Rows(std::vector<std::string> values) : values_(std::move(values)) {}
    bool next() override { return ++at_ <= values_.size(); }
    std::string_view term() const override { return {}; }
    Seq seq() const override { return {}; }
    std::string_view value() const override { return values_[at_ - 1]; }
    std::uint64_t count_rest() override { return values_.size() - at_; }

private:
    std::vector<std::string> values_;
    std::size_t at_ = 0;
};

TEST(Fold, TakesTheBestTierThatItsTypeCanDo) {
    EXPECT_EQ(fold_of<Sum>()->tier(), FoldTier::order_free);
    EXPECT_EQ(fold_of<Chain>()->tier(), FoldTier::combines);
    EXPECT_EQ(fold_of<Alternating>()->tier(), FoldTier::steps);
    EXPECT_EQ(fold_reducer(fold_of<Alternating>()), nullptr);
}

// P1: whatever files the rows are in, and in whatever order a store gives them, the answer is that
// of one state that is given all values in order.
TEST(Fold, AnswersTheSameHoweverTheRowsAreSpreadOverFiles) {
    std::mt19937 random(7);
    std::size_t from_partials = 0;
    for (int round = 0; round < 2000; ++round) {
        const auto fold = fold_of<Chain>();
        const auto reducer = fold_reducer(fold);
        std::vector<std::vector<std::string>> files(1 + random() % 4);
        std::vector<std::string> all;
        const bool in_runs = random() % 2 == 0;
        const std::size_t count = 1 + random() % 12;
        for (std::uint64_t seq = 1; seq <= count; ++seq) {
            all.push_back(row(seq * 3, std::string(1, static_cast<char>('a' + seq))));
            files[in_runs ? seq * files.size() / (count + 1) : random() % files.size()].push_back(
                all.back());
        }
        std::shuffle(files.begin(), files.end(), random);
        const auto total = reducer->accumulator();
        for (const auto& file : files) {
            const auto part = reducer->accumulator();
            for (const std::string& value : file) part->add_value(value);
            if (random() % 3 == 0) {
                for (const std::string& value : file) total->add_value(value);
            } else {
                total->add_partial(part->partial());
            }
        }
        const std::string partial = total->partial();
        const auto never = [&]() -> std::unique_ptr<Cursor> { return std::make_unique<Rows>(all); };
        PlainFold plain(*fold);
        for (const std::string& value : all) plain.add_row(value);
        EXPECT_EQ(fold_answer(*fold, partial, never).value(), plain.to_json());
        if (fold_answer(*fold, partial, [] {
                return std::make_unique<Rows>(std::vector<std::string>());
            }).value() == plain.to_json()) {
            ++from_partials;
        } else {
            EXPECT_FALSE(files.size() == 1);
        }
    }
    EXPECT_GT(from_partials, 1000u); // The usual case needs no row.
}

TEST(Fold, ThatThrowsAnswersNullAndHarmsNothing) {
    const auto fold = fold_of<Chain>();
    const auto accumulator = fold_reducer(fold)->accumulator();
    accumulator->add_value(row(1, "a"));
    accumulator->add_value(row(2, "throw"));
    accumulator->add_value(row(3, "c"));
    const std::string failed = accumulator->partial();
    accumulator->clear();
    accumulator->add_value(row(9, "z"));
    accumulator->add_partial(failed);
    const auto no_rows = [] { return std::make_unique<Rows>(std::vector<std::string>()); };
    EXPECT_EQ(fold_answer(*fold, accumulator->partial(), no_rows).value(), "null");
    PlainFold plain(*fold);
    plain.add_row(row(2, "throw"));
    plain.add_row(row(3, "c"));
    EXPECT_EQ(plain.to_json(), "null");
}

// Golden: what files hold is read again by every later version.
TEST(Fold, KeepsTheBytesThatItsFormatSays) {
    std::string value = row(300, "ab");
    append_fold_value(value, Seq{300}, "");
    EXPECT_EQ(value, std::string("\xAC\x02\x02"
                                 "ab\x00",
                                 6));
    const auto accumulator = fold_reducer(fold_of<Chain>())->accumulator();
    EXPECT_EQ(accumulator->partial(), std::string(1, '\0'));
    accumulator->add_value(row(2, "x"));
    accumulator->add_value(row(300, "y"));
    EXPECT_EQ(accumulator->partial(), "\x01\x02\xAC\x02xy");
    accumulator->add_value(row(7, "z"));
    EXPECT_EQ(accumulator->partial(), "\x02");
}

} // namespace
} // namespace sluice
