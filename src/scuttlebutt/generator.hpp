// A made-up Scuttlebutt network: as many really signed, hashed and boxed messages as wanted, the
// same for the same options on every machine. Demo, tests and measurements live on it.
#pragma once
#include "scuttlebutt/content.hpp"
#include "scuttlebutt/message.hpp"

#include <sluice/result.hpp>

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::scuttlebutt {

struct GeneratorOptions {
    /// How many messages next() gives.
    std::uint64_t messages = 10'000;
    /// Another seed is another network with other people.
    std::uint64_t seed = 1;
    /// How many people write, 1 to 100,000. 0: one for every 70 messages, at least 10, at most
    /// 1,000.
    std::uint32_t feeds = 0;
    /// How many threads sign. 0: as many as the machine has. Says nothing about the messages.
    std::uint32_t threads = 0;
};

/// Views into the Generator, valid until its next call of next().
struct GeneratedMessage {
    std::string_view id;
    std::string_view
        json; ///< {"key","value","timestamp"}, compact, somewhat over 600 bytes on average.
};

/// Gives the messages in the order in which they were received. Each feed is a chain (previous,
/// sequence) beginning at 1; both clocks only go forward, the receiver's a little behind the
/// author's; links lead to messages that came before. The first k messages depend on seed and feeds
/// only.
///
/// Memory: 6 MB, and 400 bytes for each feed. Threads: one caller; its own threads end before
/// next() returns.
class Generator {
public:
    /// Errors: invalid_argument (too many feeds).
    static Result<Generator> create(const GeneratorOptions& options);

    /// The next message, or nothing after the last one.
    std::optional<GeneratedMessage> next();

    /// Everybody who may write, secret keys included; the most active first.
    std::span<const Feed> feeds() const { return feeds_; }

private:
    /// Where a feed's chain ends.
    struct ChainEnd {
        std::string id;
        std::uint64_t sequence = 0;
    };
    /// A message of the window, first as a plan, then signed.
    struct Slot {
        std::size_t author;
        std::uint64_t claimed_ms;
        std::uint64_t received_ms;
        ContentKind kind;
        Random random;
        std::string root;
        SignedMessage message;
    };

    Generator(const GeneratorOptions& options, std::uint32_t feeds);
    void make_window();
    void plan_window(std::size_t size);
    void sign_window();
    void sign_chain(std::span<const std::uint32_t> slots);
    std::size_t choose_author(Random& random) const;

    GeneratorOptions options_;
    std::vector<Feed> feeds_;
    std::vector<ChainEnd> chain_ends_;         // By place in feeds_.
    std::vector<std::uint64_t> activity_sums_; // Running sums of the feeds' weights.
    std::deque<KnownPost> posts_;              // Of earlier windows, the newest ones.
    std::vector<Slot> window_;
    std::size_t next_slot_ = 0;
    std::uint64_t planned_ = 0; // Messages in this window and those before.
    std::uint64_t claimed_ms_;
    std::uint64_t received_ms_ = 0;
};

} // namespace sluice::scuttlebutt
