#include <sluice/scuttlebutt.hpp>

#include "base/bytes.hpp"
#include "base/json_text.hpp"
#include "base/try.hpp"
#include "scuttlebutt/keys.hpp"
#include "scuttlebutt/message_parts.hpp"

#include <algorithm>

namespace sluice::scuttlebutt {
namespace {

// The value of a block's fact: which messages it deleted, as varint distances from one to the next.
std::string encode_seqs(const std::vector<Seq>& seqs) {
    std::string bytes;
    Seq before;
    for (const Seq seq : seqs) {
        append_varint(bytes, seq.value - before.value);
        before = seq;
    }
    return bytes;
}

std::vector<Seq> decode_seqs(std::string_view bytes) {
    std::vector<Seq> seqs;
    ByteReader from(bytes);
    for (Seq seq; !from.rest().empty() && from.ok();) {
        seq.value += from.varint();
        if (from.ok()) seqs.push_back(seq);
    }
    return seqs;
}

SelectWhere messages_of(std::string_view feed) {
    std::string condition = "/value/author=";
    append_json_string(condition, feed);
    return {condition};
}

} // namespace

FactName block_name(std::string_view feed) {
    return {std::string(kBlocksCollection), Key{feed}};
}

bool is_of_blocked_feed(const NewMessage& message,
                        const std::function<bool(const FactName&)>& has_fact) {
    const auto author = author_of(message.body);
    return author && has_fact(block_name(*author));
}

Result<Blocking> block(Database& database, std::string_view feed, BlockedMessages what,
                       const ChangeOptions& options) {
    SLUICE_TRY(check_feed(feed));
    Blocking blocking;
    // From here on none of them comes in. What an earlier block deleted stays its.
    std::vector<Seq> deleted;
    const FactName name = block_name(feed);
    for (const Fact& fact : database.facts(name.collection)) {
        if (fact.name.key == name.key) deleted = decode_seqs(fact.value);
    }
    SLUICE_TRY_ASSIGN(const Changed kept_out,
                      database.put_fact({name, encode_seqs(deleted)}, options));
    blocking.at = kept_out.at;

    if (what == BlockedMessages::erase_them) {
        SLUICE_TRY_ASSIGN(blocking.messages, database.erase(messages_of(feed), options));
        return blocking;
    }
    SLUICE_TRY_ASSIGN(const std::vector<Seq> live, database.select(messages_of(feed)));
    deleted.insert(deleted.end(), live.begin(), live.end());
    std::sort(deleted.begin(), deleted.end());
    deleted.erase(std::unique(deleted.begin(), deleted.end()), deleted.end());
    SLUICE_TRY(database.put_fact({name, encode_seqs(deleted)}, options));
    SLUICE_TRY_ASSIGN(blocking.messages, database.delete_messages(live, options));
    return blocking;
}

Result<Changed> unblock(Database& database, std::string_view feed, const ChangeOptions& options) {
    SLUICE_TRY(check_feed(feed));
    const FactName name = block_name(feed);
    std::vector<Seq> deleted;
    for (const Fact& fact : database.facts(name.collection)) {
        if (fact.name.key == name.key) deleted = decode_seqs(fact.value);
    }
    // Restored first: if this is cut short, the block still knows which they were.
    SLUICE_TRY_ASSIGN(Changed restored, database.restore(deleted, options));
    SLUICE_TRY_ASSIGN(const Changed dropped, database.drop_fact(name, options));
    restored.at = dropped.at;
    return restored;
}

} // namespace sluice::scuttlebutt
