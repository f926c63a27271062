// P1 to P4, P6 and P7 as one sentence: after any history of every operation, reopenings and power
// cuts, the database says what the model says.
#include "model/history.hpp"
#include "support/seeds.hpp"

#include <gtest/gtest.h>

namespace sluice::test {
namespace {

constexpr std::size_t kShards = 8;
constexpr std::size_t kLength = 60;

/// Empty, or what went wrong. `history` is cut behind the step where it did.
std::string live_through(std::uint64_t seed, History& history) {
    try {
        Life life(seed);
        for (std::size_t i = 0; i < history.size(); ++i) {
            std::string wrong;
            try {
                wrong = life.live(history[i]);
            } catch (const std::exception& error) {
                wrong = std::string("an exception: ") + error.what();
            }
            if (wrong.empty()) continue;
            history.resize(i + 1);
            return "step " + std::to_string(i + 1) + ", " + std::string(name_of(history[i].act)) +
                   ": " + wrong;
        }
        return life.end();
    } catch (const std::exception& error) {
        return std::string("an exception: ") + error.what();
    }
}

/// Leaves out what is not needed to go wrong.
void shrink(std::uint64_t seed, History& history) {
    for (std::size_t size = history.size() / 2; size > 0; size /= 2) {
        for (std::size_t at = 0; at + size <= history.size();) {
            History shorter = history;
            const auto from = shorter.begin() + static_cast<std::ptrdiff_t>(at);
            shorter.erase(from, from + static_cast<std::ptrdiff_t>(size));
            if (live_through(seed, shorter).empty()) {
                at += size;
            } else {
                history = shorter;
            }
        }
    }
}

/// For the histories that a failure printed.
[[maybe_unused]] void replay(std::uint64_t seed, History history) {
    EXPECT_EQ(live_through(seed, history), "") << text_of(seed, history);
}

class Histories : public testing::TestWithParam<std::size_t> {};

TEST_P(Histories, LeaveWhatTheModelSays) {
    for (std::uint64_t seed = GetParam(); seed < seed_count(800); seed += kShards) {
        History history = make_history(seed, kLength);
        const std::string wrong = live_through(seed, history);
        if (wrong.empty()) continue;
        shrink(seed, history);
        const std::string wrong_when_short = live_through(seed, history);
        FAIL() << "seed " << seed << ", " << wrong << "\nshortened: " << wrong_when_short << '\n'
               << text_of(seed, history);
    }
}

INSTANTIATE_TEST_SUITE_P(Shard, Histories, testing::Range<std::size_t>(0, kShards));

} // namespace
} // namespace sluice::test
