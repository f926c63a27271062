// P1, P5 and P6 for transforms: after any history of messages, edits, keys, blocks and blobs, in
// any order, with crashes, with programs that lack the code of transforms or views, every view
// equals the one computed from nothing, and what was erased is in no file.
#include "property/transform_life.hpp"

#include <cstdlib>

namespace sluice::test {
namespace {

constexpr std::size_t kShards = 4;
constexpr int kLength = 70;

std::uint64_t seed_count() {
    const char* const wanted = std::getenv("SLUICE_PROPERTY_SEEDS");
    return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 400;
}

std::string live_through(std::uint64_t seed) {
    TransformLife life(seed);
    for (int step = 0; step < kLength; ++step) {
        const std::string did = life.act();
        if (const std::string wrong = first_difference(*life.on().database); !wrong.empty()) {
            return "step " + std::to_string(step) + ", " + did + ": " + wrong;
        }
    }
    life.open_with_all_code();
    return first_difference(*life.on().database);
}

class TransformHistories : public testing::TestWithParam<std::size_t> {};

TEST_P(TransformHistories, LeaveWhatComputingFromNothingGives) {
    for (std::uint64_t seed = GetParam(); seed < seed_count(); seed += kShards) {
        ASSERT_EQ(live_through(seed), "") << "seed " << seed;
    }
}

INSTANTIATE_TEST_SUITE_P(Shard, TransformHistories, testing::Range<std::size_t>(0, kShards));

} // namespace
} // namespace sluice::test
