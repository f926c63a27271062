// Changes: entries of the log that alter what other entries mean. docs/format/log.md has the bytes.
#pragma once
#include <sluice/result.hpp>
#include <sluice/seq.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

enum class ChangeKind : std::uint8_t {
    remove = 1, ///< "delete", which C++ keeps for itself.
    erase = 2,
    restore = 3,
    replace = 4,
    hold = 5,
    release = 6,
    receipt = 7,     ///< An erasure is finished.
    import_mark = 8, ///< How far a foreign file has been imported.
    put_fact = 9,    ///< A fact has this value from here on.
    drop_fact = 10,  ///< A fact is no more.
    transforms = 11, ///< From here on other transforms are in use, or another version of one.
    rederive = 12,   ///< The messages mean something else, for reasons that the log does not know.
};
std::string_view name_of(ChangeKind kind);

/// Stands for an application key where the key itself must not be: a hash keyed with a secret of
/// the database (SipHash-2-4 with 128 bits, Aumasson and Bernstein), so that it confirms no guess
/// to whoever sees the hash without the secret.
struct KeyHash {
    std::array<char, 16> bytes{};
    friend bool operator==(const KeyHash&, const KeyHash&) = default;
    std::string_view view() const { return {bytes.data(), bytes.size()}; }
};
KeyHash hash_key(std::string_view key, const std::array<char, 32>& secret);

/// What an erasure did, for the record. Never content, never a hash of content.
struct ReceiptDetails {
    Seq erasure;                     ///< The erase entry that this receipt closes.
    bool reaches_device = false;     ///< The assurance level: device, or files only.
    std::uint64_t entries_wiped = 0; ///< Messages and their replacements.
    std::uint64_t segments_rewritten = 0;
    std::uint64_t bytes_destroyed = 0; ///< Of view files that were overwritten and removed.
};

struct Change {
    ChangeKind kind = ChangeKind::remove;
    std::uint64_t time_ms = 0;    ///< Since 1970-01-01 UTC.
    std::vector<Seq> seqs;        ///< The messages concerned, ascending.
    std::string reason;           ///< Why, in the caller's words.
    std::string actor;            ///< By whom.
    std::vector<KeyHash> refused; ///< erase: application keys that stay out.
    /// erase: the change entries that hold other versions of the messages, ascending. Named here
    /// because half of such an entry, wiped, no longer says what it was.
    std::vector<Seq> replacements;
    std::string_view body;           ///< replace, put_fact: the new bytes. Into the entry.
    std::string collection;          ///< put_fact, drop_fact.
    std::string fact_key;            ///< put_fact, drop_fact: encoded.
    bool is_secret = false;          ///< put_fact: nobody prints the value.
    ReceiptDetails receipt;          ///< receipt.
    KeyHash source;                  ///< import_mark: stands for the file's first bytes.
    std::uint64_t source_offset = 0; ///< import_mark: where the next record begins.
};

std::string encode(const Change& change);
/// `at` is the change's own seq: all it names lie before it. `change.body` points into `payload`.
/// Errors: corrupt; unsupported_version.
Result<Change> decode_change(std::string_view payload, Seq at);

} // namespace sluice
