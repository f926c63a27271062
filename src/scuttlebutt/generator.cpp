// Messages are made in windows. Planning a window (authors, clocks, kinds) is quick and done in
// order. Then contents are made, boxed and signed, which takes the time: one feed's messages are a
// chain and must follow one another, but chains of different feeds know nothing of each other,
// because a message refers only to messages of earlier windows. So threads take whole chains, in
// any order, and the result is the same. All chance comes from a stream of each message's own.
#include "scuttlebutt/generator.hpp"

#include "scuttlebutt/vocabulary.hpp"

#include "base/assert.hpp"

#include <sodium.h>

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>

namespace sluice::scuttlebutt {
namespace {

constexpr std::uint32_t kFeedsMax = 100'000;
constexpr std::size_t kWindowMin = 16;
constexpr std::size_t kWindowMax = 4096;
constexpr std::size_t kParallelWindowMin = 512; // Below, starting threads costs more than it saves.
constexpr std::size_t kPostsMax = 8192;

constexpr std::uint64_t kFirstClaimedMs = 1'577'836'800'000; // 2020-01-01.
constexpr std::uint32_t kGapMaxMs = 120'000;
constexpr std::uint32_t kDelayMinMs = 40;
constexpr std::uint32_t kDelaySpreadMs = 5'000;

// Streams of Random: messages have their number, feeds theirs from here on.
constexpr std::uint64_t kFeedStreams = std::uint64_t{1} << 63;

std::string feed_name(std::uint32_t number) {
    const std::size_t names = vocabulary::kNames.size();
    std::string name(vocabulary::kNames[number % names]);
    if (number >= names) name.append(" ").append(std::to_string(number / names + 1));
    return name;
}

Feed make_feed(std::uint64_t seed, std::uint32_t number) {
    Random random(seed, kFeedStreams + number);
    Bytes32 key_seed;
    random.fill(key_seed);
    Feed feed{key_pair_from_seed(key_seed), {}, feed_name(number)};
    feed.box_keys = box_keys_of(feed.keys);
    return feed;
}

std::uint32_t default_feeds(std::uint64_t messages) {
    return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(messages / 70, 10, 1'000));
}

} // namespace

Result<Generator> Generator::create(const GeneratorOptions& options) {
    if (options.feeds > kFeedsMax) {
        return Error{Errc::invalid_argument, "generating messages: at most " +
                                                 std::to_string(kFeedsMax) + " feeds, not " +
                                                 std::to_string(options.feeds)};
    }
    SLUICE_ASSERT(sodium_init() >=
                  0); // Chooses the fast implementations; fails on no known machine.
    return Generator(options, options.feeds != 0 ? options.feeds : default_feeds(options.messages));
}

Generator::Generator(const GeneratorOptions& options, std::uint32_t feeds)
    : options_(options), chain_ends_(feeds), claimed_ms_(kFirstClaimedMs) {
    if (options_.threads == 0) options_.threads = std::max(1U, std::thread::hardware_concurrency());
    std::uint64_t sum = 0;
    for (std::uint32_t i = 0; i < feeds; ++i) {
        feeds_.push_back(make_feed(options.seed, i));
        // Zipf's law with Mandelbrot's shift, so that the first does not write everything. In
        // integers: powers of other exponents differ between mathematical libraries.
        sum += (std::uint64_t{1} << 32) / (i + 3);
        activity_sums_.push_back(sum);
    }
}

std::size_t Generator::choose_author(Random& random) const {
    const std::uint64_t at = random.next() % activity_sums_.back();
    const auto found = std::upper_bound(activity_sums_.begin(), activity_sums_.end(), at);
    return static_cast<std::size_t>(found - activity_sums_.begin());
}

std::optional<GeneratedMessage> Generator::next() {
    if (next_slot_ == window_.size()) {
        if (planned_ == options_.messages) return std::nullopt;
        make_window();
    }
    const SignedMessage& message = window_[next_slot_++].message;
    return GeneratedMessage{message.id, message.json};
}

void Generator::make_window() {
    for (Slot& slot : window_) {
        if (slot.kind != ContentKind::post) continue;
        std::string root = slot.root.empty() ? slot.message.id : std::move(slot.root);
        posts_.push_back({std::move(slot.message.id), std::move(root)});
        if (posts_.size() > kPostsMax) posts_.pop_front();
    }
    // Windows begin small, so that a short log has links too.
    const auto wanted = std::clamp<std::uint64_t>(planned_ / 8, kWindowMin, kWindowMax);
    plan_window(static_cast<std::size_t>(std::min(wanted, options_.messages - planned_)));
    sign_window();
    next_slot_ = 0;
}

void Generator::plan_window(std::size_t size) {
    window_.clear();
    for (std::size_t i = 0; i < size; ++i) {
        Random random(options_.seed, planned_++);
        const std::size_t author = choose_author(random);
        claimed_ms_ += 1 + random.below(kGapMaxMs);
        received_ms_ =
            std::max(received_ms_ + 1, claimed_ms_ + kDelayMinMs + random.below(kDelaySpreadMs));
        ContentKind kind = choose_content_kind(random);
        if (kind == ContentKind::vote && posts_.empty()) kind = ContentKind::post;
        window_.push_back({author, claimed_ms_, received_ms_, kind, random, {}, {}});
    }
}

void Generator::sign_window() {
    // The slots of each author side by side, in order: each run is one chain's part of this window.
    std::vector<std::uint32_t> slots(window_.size());
    for (std::uint32_t i = 0; i < slots.size(); ++i) slots[i] = i;
    std::stable_sort(slots.begin(), slots.end(), [this](std::uint32_t a, std::uint32_t b) {
        return window_[a].author < window_[b].author;
    });
    std::vector<std::span<const std::uint32_t>> chains;
    for (std::size_t begin = 0; begin < slots.size();) {
        std::size_t end = begin + 1;
        while (end < slots.size() && window_[slots[end]].author == window_[slots[begin]].author)
            ++end;
        chains.emplace_back(slots.data() + begin, end - begin);
        begin = end;
    }

    // The most active feeds are first, so that no thread finds a long chain at the very end.
    std::atomic<std::size_t> next_chain = 0;
    const auto work = [this, &chains, &next_chain] {
        for (std::size_t i = next_chain++; i < chains.size(); i = next_chain++)
            sign_chain(chains[i]);
    };
    std::vector<std::thread> helpers;
    if (window_.size() >= kParallelWindowMin) {
        try {
            while (helpers.size() + 1 < options_.threads) helpers.emplace_back(work);
        } catch (const std::system_error&) {
            // No more threads to be had: those that are there do it all.
        }
    }
    work();
    for (std::thread& helper : helpers) helper.join();
}

void Generator::sign_chain(std::span<const std::uint32_t> slots) {
    for (const std::uint32_t place : slots) {
        Slot& slot = window_[place];
        ChainEnd& end = chain_ends_[slot.author];
        Content content = make_content(slot.kind, {feeds_, posts_, slot.author}, slot.random);
        slot.root = std::move(content.root);
        Result<SignedMessage> message =
            sign_message(feeds_[slot.author].keys, {.previous = end.id,
                                                    .sequence = end.sequence + 1,
                                                    .claimed_ms = slot.claimed_ms,
                                                    .content = content.json,
                                                    .received_ms = slot.received_ms});
        SLUICE_ASSERT(message.has_value()); // make_content() writes JSON.
        slot.message = *std::move(message);
        end.id = slot.message.id;
        ++end.sequence;
    }
}

} // namespace sluice::scuttlebutt
