// P1, P5 and P6 for transforms: after any history of messages, edits, keys, blocks and blobs, in
// any order, with crashes, with programs that lack the code of transforms or views, every view
// equals the one computed from nothing, and what was erased is in no file.
#include "property/transform_life.hpp"
#include "support/seeds.hpp"

namespace sluice::test {
namespace {

constexpr std::size_t kShards = 4;
constexpr int kLength = 70;

/// Another process that reads, with the code that the writer had when it was opened, or none.
class ReaderBeside {
public:
    explicit ReaderBeside(TransformLife& life) : life_(life) {
        // What erases waits for readers, and a power cut is theirs, too.
        life.before_closing = life.before_destroying = [this] { reader_.reset(); };
    }
    std::string difference() {
        if (reader_) {
            reader_->refresh().value();
        } else {
            Options options = life_.on().options;
            options.read_only = true;
            if (life_.pick(3) == 0) options.transforms = {};
            reader_ = Database::open(*life_.on().root, options).value();
        }
        const std::string wrong = first_difference(*reader_);
        return wrong.empty() ? "" : "beside the writer, " + wrong;
    }

private:
    TransformLife& life_;
    std::unique_ptr<Database> reader_;
};

std::string live_through(std::uint64_t seed) {
    TransformLife life(seed);
    ReaderBeside reader(life);
    const bool has_reader = life.pick(3) == 0;
    for (int step = 0; step < kLength; ++step) {
        const std::string did = life.act();
        std::string wrong = first_difference(*life.on().database);
        if (wrong.empty() && has_reader) wrong = reader.difference();
        if (!wrong.empty()) return "step " + std::to_string(step) + ", " + did + ": " + wrong;
    }
    life.open_with_all_code();
    return first_difference(*life.on().database);
}

class TransformHistories : public testing::TestWithParam<std::size_t> {};

TEST_P(TransformHistories, LeaveWhatComputingFromNothingGives) {
    for (std::uint64_t seed = GetParam(); seed < seed_count(240); seed += kShards) {
        ASSERT_EQ(live_through(seed), "") << "seed " << seed;
    }
}

INSTANTIATE_TEST_SUITE_P(Shard, TransformHistories, testing::Range<std::size_t>(0, kShards));

} // namespace
} // namespace sluice::test
