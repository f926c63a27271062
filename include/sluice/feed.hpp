// The change feed: what an index outside the database has to do to stay equal to it.
#pragma once
#include <sluice/key.hpp>
#include <sluice/result.hpp>
#include <sluice/seq.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Which messages a consumer is told of: all of them, or those that meet what is set here.
struct FeedFilter {
    std::string view = {};  ///< They have rows in this view, which shows rows and not groups ...
    Key prefix = {};        ///< ... whose keys begin with these elements.
    std::string where = {}; ///< docs/design/where.md, of the message as views see it.
    friend bool operator==(const FeedFilter&, const FeedFilter&) = default;
};

/// Where a consumer stands. Its text is for keeping; what it is made of is for nobody else.
struct FeedPosition {
    /// A place between two messages of an entry that concerns many.
    struct Place {
        Seq entry;  ///< What this entry and those before it did has been told,
        Seq within; ///< and of the next one what it did to messages up to this one.
        friend auto operator<=>(const Place&, const Place&) = default;
    };
    Place told;
    /// The same of what has gone, which needs nobody's code and so is told ahead.
    Place gone;
    /// The consumer may have been told of any message up to here, for reasons that are past.
    Seq doubt;
    std::uint32_t derivation = 0; ///< As of which deriving anew.
    std::uint32_t view = 0;       ///< The filter's view as the catalog numbers it; 0: none.

    std::string text() const;
    /// Errors: invalid_argument.
    static Result<FeedPosition> from_text(std::string_view text);
    friend bool operator==(const FeedPosition&, const FeedPosition&) = default;
};

struct FeedChange {
    enum class Kind : std::uint8_t {
        added,   ///< It was appended or restored. The consumer may have it all the same.
        changed, ///< It says something else, or is among those it is told of only now.
        gone,    ///< It was deleted, erased or hidden, or the filter takes it no more.
    };
    Kind kind = Kind::added;
    Seq seq;
    std::string key;       ///< The application key. Empty when it is gone.
    std::string body;      ///< As views see it. Empty when it is gone.
    std::vector<Key> rows; ///< Its keys in the filter's view: of an index or links, as prefixed.
};
std::string_view name_of(FeedChange::Kind kind);

struct FeedBatch {
    std::vector<FeedChange> changes; ///< Each message once, as it is now.
    FeedPosition position;           ///< Behind this batch.
};

/// Where a feed begins. Who keeps positions keeps Feed::position() before applying the first batch,
/// and each batch's with what it applies: then it may fail at any point.
struct FeedStart {
    enum class At : std::uint8_t { first, now, entry, position };
    At at = At::first;
    Seq entry = {}; ///< at == entry: the first entry that is told, at most the one that comes next.
    FeedPosition position = {};
};

struct FeedLimits {
    std::size_t changes_max = 1000;
    /// Bodies in a batch, but for the last message's. Bytes.
    std::uint64_t bytes_max = std::uint64_t{8} * 1024 * 1024;
};

/// Tells one consumer, in batches, what to put and what to take out. A consumer that puts `added`
/// and `changed` and takes out `gone` has in the end what the filter says of the database, whatever
/// happens in between: to its messages, to the filter's view, to either process.
///
/// Promises. feed_test.cpp and tests/property/feed_history_test.cpp have each in its own words.
///   F1  Applied to what it has, each batch at least once and in their order, the feed leaves a
///       consumer equal to the filter computed from all messages.
///   F2  Nothing of a message is told that was erased before next() was called; that it has gone
///       always is, also while code is away that its view waits for.
///   F3  An acknowledged position is durable, and a power cut leaves it or the one before.
///
/// A message may be told again, and as gone though the consumer never had it. What waits for code
/// that is not here is told when that has been here. Must not outlive the Database. Threads: one at
/// a time.
class Feed {
public:
    struct Impl;
    Feed(Feed&&) noexcept;
    Feed& operator=(Feed&&) noexcept;
    ~Feed();

    /// The next batch, made of one snapshot, whose entries are durable. If there is nothing to tell
    /// it waits as long as `patience`, and answers with an empty one. After an error nothing has
    /// moved. Errors: not_found (the filter's view is no more); invalid_argument (it is groups
    /// now); corrupt (it is damaged); io; latched.
    Result<FeedBatch> next(std::chrono::milliseconds patience = {},
                           const FeedLimits& limits = FeedLimits());
    /// Behind the last batch.
    const FeedPosition& position() const;
    /// Keeps position() for the next process that opens this consumer. Without a name it is
    /// nobody's, and nothing is kept. Errors: io, no_space.
    Result<void> acknowledge();

private:
    friend class Database;
    explicit Feed(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

struct ConsumerInfo {
    std::string name;
    FeedFilter filter;
    FeedPosition position;   ///< As acknowledged last.
    std::uint64_t lag = 0;   ///< Entries of the log behind it.
    bool is_readable = true; ///< False: its file is damaged, and says nothing.
};

} // namespace sluice
