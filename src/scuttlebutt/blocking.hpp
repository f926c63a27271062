// Blocking a feed as one operation: what it said leaves, what it says later stays out.
#pragma once
#include <sluice/database.hpp>

#include <string>
#include <string_view>

namespace sluice::scuttlebutt {

/// For Options::keep_out: messages of blocked feeds stay out, on append and on import.
bool is_of_blocked_feed(const NewMessage& message,
                        const std::function<bool(const FactName&)>& has_fact);

enum class BlockedMessages : std::uint8_t {
    delete_them, ///< unblock() brings them back.
    erase_them,  ///< They are gone for ever. Held ones are not erased: then nothing is.
};

struct Blocking {
    Seq at;           ///< Of the block; 0 if the feed was blocked already.
    Changed messages; ///< The feed's messages that left.
};
/// From its return on no view shows a message of the feed, and none comes in. Cut short, it leaves
/// the feed blocked and some of its messages there: say it again. Reads the whole log for the
/// feed's messages. The database must be open with is_of_blocked_feed(). Errors: invalid_argument
/// (no id of a feed); as Database::put_fact(), erase() and delete_messages().
Result<Blocking> block(Database& database, std::string_view feed, BlockedMessages what,
                       const ChangeOptions& options = {});

/// Lets the feed in again, and restores the messages that blocking deleted and nobody has erased.
/// Errors: invalid_argument; not_found (it is not blocked).
Result<Changed> unblock(Database& database, std::string_view feed,
                        const ChangeOptions& options = {});

} // namespace sluice::scuttlebutt
