// Scuttlebutt messages in a Database: the transforms that open, edit and complete them, the facts
// that these read, and what else an application asks of a message. docs/design/scuttlebutt.md says
// what views see.
//
//     Options options;
//     options.transforms = scuttlebutt::transforms();
//     options.keep_out = scuttlebutt::is_of_blocked_feed;
//     auto database = Database::open(path, options).value();
//     database->use_transforms(options.transforms.names()).value();
//
// Something arrives by Database::put_fact(), and goes by Database::drop_fact() or erase_fact() with
// the fact's name. A feed comes and goes by block() and unblock(), which also move its messages.
//
// Threads: every function may be called from any thread.
#pragma once
#include <sluice/blob_store.hpp>
#include <sluice/database.hpp>
#include <sluice/fact.hpp>
#include <sluice/result.hpp>
#include <sluice/transform.hpp>
#include <sluice/view.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::scuttlebutt {

/// All of them, in the order in which a message passes them: unboxed first, so that boxed edits are
/// edits; then edited, and the blobs of what is shown.
Transforms transforms();

/// A fact that is about to be put, with the bytes of its value. A secret value is overwritten when
/// its scope ends.
struct PreparedFact {
    FactName name;
    std::string value;
    bool is_secret = false;
    ~PreparedFact();

    /// Borrows the value: valid as long as this is.
    NewFact fact() const { return {name, value, is_secret}; }
};
/// For Database::put_facts(). Borrows the values: valid as long as `prepared` is.
std::vector<NewFact> facts_of(std::span<const PreparedFact> prepared);

// Keys: a message that one of them opens reads in every view as if it had been sent open.

inline constexpr std::string_view kKeysCollection = "scuttlebutt.keys";

/// ["identity", "@...=.ed25519"] for each key pair of a secret file: one JSON object
/// {"curve","public","private","id"}, on several lines as ssb-keys writes it, or one a line. From a
/// `#` to the end of its line is comment. Each pair is checked: the public half and the id must be
/// those that the secret makes. The secret in the fact is the pair's curve25519 twin: whoever reads
/// the database can open what the feed can open, and could sign as the feed.
/// Errors: invalid_argument, which says what is wrong, of which key, and never what a key is.
Result<std::vector<PreparedFact>> identity_facts(std::string_view secret_file);

struct GroupKey {
    std::array<unsigned char, 32> key{};
    std::string group; ///< The group's id, for people; empty when there is none.
    ~GroupKey();       ///< Overwrites the key.
};
/// 32 bytes in base64 or hexadecimal, or JSON with that in "key" or "groupKey", and maybe the
/// group's id in "groupId" or "id". Errors: as identity_facts().
Result<GroupKey> parse_group_key(std::string_view text);
/// ["group", fingerprint]. Several keys of one group, as after a change of members, are several
/// facts.
PreparedFact group_fact(const GroupKey& group);
/// ["own", fingerprint]: the key that a feed boxes to itself with.
PreparedFact own_fact(const std::array<unsigned char, 32>& key);

/// What may be shown of a key to people.
struct ReadKeyText {
    std::string_view kind; ///< "identity", "group" or "own".
    std::string id;        ///< The feed's id; of a group its id, or else the fingerprint.
};
/// Of a fact of kKeysCollection; nothing when it is no key.
std::optional<ReadKeyText> read_key_text(const Fact& fact);

// Edits.

inline constexpr std::string_view kSettingsCollection = "scuttlebutt.settings";
/// While this fact is there, whatever its value, everybody's edits count, and not the author's
/// only.
FactName anyone_may_edit_name();

// Blobs: messages that name one show whether it is present, and of a text what it says.

inline constexpr std::string_view kBlobsCollection = "scuttlebutt.blobs";
/// That a blob is present: its size, its type, of a text the first 64 KiB. `bytes` is all of it.
PreparedFact blob_fact(const BlobId& id, std::string_view bytes);
FactName blob_name(const BlobId& id);
/// The ids of the blobs that a message names, in the order in which it does: in any string of its
/// content, alone, with "?..." behind it, or within a text. Each once, the first `count_max`. Blobs
/// that no live message names are garbage.
std::vector<std::string>
blobs_named_by(const Message& message,
               std::size_t count_max = std::numeric_limits<std::size_t>::max());

// Blocking a feed as one operation: what it said leaves, what it says later stays out.

inline constexpr std::string_view kBlocksCollection = "scuttlebutt.blocks";
/// The fact that says that a feed is blocked. Its value is block()'s.
FactName block_name(std::string_view feed);
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

// Who follows and who blocks whom, and how far that reaches. No transform hides anybody.

enum class Relation : std::uint8_t { none, follows, blocks };

/// One feed's word about another.
struct Contact {
    std::string author;
    std::string contact;
    Relation relation = Relation::none;
    // Where the author put it; 0 where the message has no such number.
    std::int64_t sequence = 0;
    double timestamp = 0; ///< Milliseconds since 1970, as claimed.
    friend bool operator==(const Contact&, const Contact&) = default;
};

/// What a message of type "contact" says. As in ssb-friends, "blocking" (or "flagged") counts
/// before "following", and without either the feeds are nothing to each other. Nothing when it is
/// no such message, or names no feed.
std::optional<Contact> contact_of(const Message& message);

struct HopsLimits {
    unsigned hops_max = 3;
    std::size_t feeds_max = 1'000'000; ///< Among the farthest, those that come first by id.
};
/// How many follows lead from `from` to each feed, 0 to itself. Of one pair of feeds the author's
/// last contact counts, in whichever order they are here: the one with the greatest `sequence`,
/// then `timestamp`; of a feed that has forked, where both are equal, the greatest `relation`. What
/// `from` blocks is nowhere, and nothing is reached through it; blocks by
/// others only end what they follow themselves.
std::map<std::string, unsigned> hops_from(std::string_view from, std::span<const Contact> contacts,
                                          const HopsLimits& limits = {});

/// Which feeds come within hops, and which leave. Both sorted.
struct HopsChange {
    std::vector<std::string> entered;
    std::vector<std::string> left;
};
HopsChange hops_change(const std::map<std::string, unsigned>& before,
                       const std::map<std::string, unsigned>& after);

// Messages that come from somebody else.

/// What verify_message() can answer. Everything but `genuine` is a reason to refuse the message.
enum class Verdict : std::uint8_t {
    genuine,
    malformed,       ///< Not {"key","value":{"author","signature",...}} with well-formed ids.
    wrong_id,        ///< "key" is not the hash of the value.
    wrong_signature, ///< Not signed by "author".
};

/// Whether id and signature of a message {"key","value",...} are right. Looks at this message only,
/// not at its feed: `previous` and `sequence` are somebody else's to check. `json` may be hostile.
Verdict verify_message(std::string_view json);

} // namespace sluice::scuttlebutt
