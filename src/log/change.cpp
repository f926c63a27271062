#include "log/change.hpp"

#include "base/assert.hpp"
#include "base/bytes.hpp"

#include <cstring>

#include <sodium.h>

namespace sluice {
namespace {

constexpr std::uint8_t kKindMax = static_cast<std::uint8_t>(ChangeKind::rederive);

/// Runs of neighbours: a feed that was appended at once is a few bytes. Each is the distance from
/// the end of the run before it, and its length.
void append_seqs(std::string& to, const std::vector<Seq>& seqs) {
    std::string runs;
    std::uint64_t run_count = 0;
    std::uint64_t behind = 0;
    for (std::size_t i = 0; i < seqs.size();) {
        std::size_t end = i + 1;
        while (end < seqs.size() && seqs[end] == seqs[end - 1].next()) ++end;
        SLUICE_ASSERT(seqs[i].value > behind || i == 0);
        append_varint(runs, seqs[i].value - behind);
        append_varint(runs, end - i);
        behind = seqs[end - 1].value;
        ++run_count;
        i = end;
    }
    append_varint(to, run_count);
    to += runs;
}

/// A few bytes may claim a long run, so every seq must lie before the change itself, as it does in
/// what we write.
bool take_seqs(ByteReader& from, Seq at, std::vector<Seq>& seqs) {
    const std::uint64_t run_count = from.varint();
    std::uint64_t behind = 0;
    for (std::uint64_t run = 0; run < run_count; ++run) {
        const std::uint64_t distance = from.varint(); // 0 at the end of the bytes.
        const std::uint64_t length = from.varint();
        if (distance == 0 || length == 0 || distance >= at.value - behind ||
            length > at.value - behind - distance) {
            return false;
        }
        for (std::uint64_t i = 0; i < length; ++i) seqs.push_back({behind + distance + i});
        behind = seqs.back().value;
    }
    return from.ok();
}

KeyHash take_hash(ByteReader& from) {
    KeyHash hash;
    const std::string_view raw = from.take(hash.bytes.size());
    if (!raw.empty()) std::memcpy(hash.bytes.data(), raw.data(), raw.size());
    return hash;
}

} // namespace

std::string_view name_of(ChangeKind kind) {
    switch (kind) {
    case ChangeKind::remove: return "delete";
    case ChangeKind::erase: return "erase";
    case ChangeKind::restore: return "restore";
    case ChangeKind::replace: return "replace";
    case ChangeKind::hold: return "hold";
    case ChangeKind::release: return "release";
    case ChangeKind::receipt: return "receipt";
    case ChangeKind::import_mark: return "import";
    case ChangeKind::put_fact: return "put fact";
    case ChangeKind::drop_fact: return "drop fact";
    case ChangeKind::transforms: return "transforms";
    case ChangeKind::rederive: return "derive again";
    }
    return "unknown";
}

KeyHash hash_key(std::string_view key, const std::array<char, 32>& secret) {
    static_assert(crypto_shorthash_siphashx24_KEYBYTES <= 32);
    static_assert(crypto_shorthash_siphashx24_BYTES == sizeof(KeyHash::bytes));
    KeyHash hash;
    crypto_shorthash_siphashx24(reinterpret_cast<unsigned char*>(hash.bytes.data()),
                                reinterpret_cast<const unsigned char*>(key.data()), key.size(),
                                reinterpret_cast<const unsigned char*>(secret.data()));
    return hash;
}

std::string encode(const Change& change) {
    std::string to(1, static_cast<char>(change.kind));
    append_varint(to, change.time_ms);
    append_sized(to, change.reason);
    append_sized(to, change.actor);
    append_seqs(to, change.seqs);
    switch (change.kind) {
    case ChangeKind::erase:
        append_varint(to, change.refused.size());
        for (const KeyHash& hash : change.refused) to += hash.view();
        append_seqs(to, change.replacements);
        break;
    case ChangeKind::replace: to += change.body; break;
    case ChangeKind::receipt:
        append_varint(to, change.receipt.erasure.value);
        to.push_back(change.receipt.reaches_device ? 1 : 0);
        append_varint(to, change.receipt.entries_wiped);
        append_varint(to, change.receipt.segments_rewritten);
        append_varint(to, change.receipt.bytes_destroyed);
        break;
    case ChangeKind::import_mark:
        to += change.source.view();
        append_varint(to, change.source_offset);
        break;
    case ChangeKind::put_fact:
        append_sized(to, change.collection);
        append_sized(to, change.fact_key);
        to.push_back(change.is_secret ? 1 : 0);
        to.reserve(to.size() + change.body.size()); // Whoever wipes it has the only copy.
        to += change.body;
        break;
    case ChangeKind::drop_fact:
        append_sized(to, change.collection);
        append_sized(to, change.fact_key);
        break;
    case ChangeKind::remove:
    case ChangeKind::restore:
    case ChangeKind::hold:
    case ChangeKind::release:
    case ChangeKind::transforms:
    case ChangeKind::rederive: break;
    }
    return to;
}

Result<Change> decode_change(std::string_view payload, Seq at) {
    const Error malformed{Errc::corrupt, "a change entry that is not well-formed"};
    ByteReader from(payload);
    const auto kind = from.le<std::uint8_t>();
    if (kind == 0) return malformed;
    if (kind > kKindMax) {
        return Error{Errc::unsupported_version,
                     "a change that this version of sluice does not know"};
    }
    Change change;
    change.kind = static_cast<ChangeKind>(kind);
    change.time_ms = from.varint();
    change.reason = from.sized();
    change.actor = from.sized();
    if (!take_seqs(from, at, change.seqs)) return malformed;
    switch (change.kind) {
    case ChangeKind::erase: {
        const std::uint64_t count = from.varint();
        if (count > from.rest().size() / sizeof(KeyHash::bytes)) return malformed;
        for (std::uint64_t i = 0; i < count; ++i) change.refused.push_back(take_hash(from));
        if (!take_seqs(from, at, change.replacements)) return malformed;
        if (change.seqs.empty() && change.replacements.empty()) return malformed;
        break;
    }
    case ChangeKind::replace: change.body = from.take(from.rest().size()); break;
    case ChangeKind::receipt:
        change.receipt.erasure = {from.varint()};
        change.receipt.reaches_device = from.le<std::uint8_t>() != 0;
        change.receipt.entries_wiped = from.varint();
        change.receipt.segments_rewritten = from.varint();
        change.receipt.bytes_destroyed = from.varint();
        break;
    case ChangeKind::import_mark:
        change.source = take_hash(from);
        change.source_offset = from.varint();
        break;
    case ChangeKind::put_fact:
        change.collection = from.sized();
        change.fact_key = from.sized();
        change.is_secret = from.le<std::uint8_t>() != 0;
        change.body = from.take(from.rest().size());
        break;
    case ChangeKind::drop_fact:
        change.collection = from.sized();
        change.fact_key = from.sized();
        break;
    case ChangeKind::remove:
    case ChangeKind::restore:
    case ChangeKind::hold:
    case ChangeKind::release:
    case ChangeKind::transforms:
    case ChangeKind::rederive: break;
    }
    if (!from.done()) return malformed;
    return change;
}

} // namespace sluice
