#include "base/try.hpp"
#include "database/impl.hpp"

#include <algorithm>
#include <unordered_set>

namespace sluice {

Result<std::vector<Seq>> Database::Impl::seqs_of_key(const StoreSnapshot& rows,
                                                     std::string_view key) const {
    const auto cursor = rows.scan(kKeyRegister, ScanRange::exact(key_term(hash(key))));
    std::vector<Seq> seqs;
    while (cursor->next()) {
        // Half a hash finds candidates; the log has the key itself.
        const auto entry = log->read(cursor->seq());
        if (entry && !entry->erased && entry->key == key) seqs.push_back(cursor->seq());
    }
    // A damaged register must not look like a free key.
    SLUICE_TRY(cursor->status());
    return seqs;
}

Result<std::vector<Offered>>
Database::Impl::outcomes_of(std::span<const NewMessage> messages,
                            const AppendOptions& append_options) const {
    std::vector<Offered> outcomes(messages.size(), Offered::appended);
    if (options.keep_out) {
        const auto has_fact = [this](const FactName& name) {
            return facts.find({name.collection, name.key.encoded()}) != nullptr;
        };
        for (std::size_t i = 0; i < messages.size(); ++i) {
            if (options.keep_out(messages[i], has_fact)) outcomes[i] = Offered::kept_out;
        }
    }
    std::vector<std::size_t> keyed; // Which messages have a key, and their keys' hashes.
    std::vector<KeyHash> hashes;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        if (messages[i].key.empty() || outcomes[i] == Offered::kept_out) continue;
        keyed.push_back(i);
        hashes.push_back(hash(messages[i].key));
    }
    if (keyed.empty()) return outcomes;

    const auto rows = store->snapshot();
    std::vector<std::string_view> terms;
    terms.reserve(hashes.size());
    for (const KeyHash& key : hashes) terms.push_back(key_term(key));
    const std::vector<bool> may_be_known = rows->may_have(kKeyRegister, terms);

    std::unordered_set<std::string_view> keys_taken; // By this batch.
    keys_taken.reserve(keyed.size());
    for (std::size_t k = 0; k < keyed.size(); ++k) {
        const std::string_view key = messages[keyed[k]].key;
        Offered& outcome = outcomes[keyed[k]];
        std::vector<Seq> seqs;
        if (may_be_known[k]) {
            SLUICE_TRY_ASSIGN(seqs, seqs_of_key(*rows, key));
        }
        const auto is_live = [&](Seq seq) { return !ledger.gone().deleted.contains(seq); };
        const bool was_here = !seqs.empty() || ledger.is_refused(hashes[k]);
        if (std::any_of(seqs.begin(), seqs.end(), is_live) || keys_taken.contains(key)) {
            outcome = Offered::exists;
        } else if (was_here && !append_options.readmit) {
            outcome = Offered::refused;
        } else {
            keys_taken.insert(key);
        }
    }
    return outcomes;
}

namespace {

/// Why a batch that must be taken as a whole is not.
Result<void> fail_unless_all_appended(std::span<const Offered> outcomes) {
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (outcomes[i] == Offered::appended) continue;
        const std::string which =
            "message " + std::to_string(i + 1) + " of " + std::to_string(outcomes.size());
        if (outcomes[i] == Offered::exists) {
            return Error{Errc::exists, which + ": a message with this key is there already"};
        }
        if (outcomes[i] == Offered::kept_out) {
            return Error{Errc::refused, which + ": its author is blocked"};
        }
        return Error{Errc::refused, which + ": a message with this key was deleted or erased; ask "
                                            "to readmit it to append it again"};
    }
    return {};
}

} // namespace

Result<Offer> Database::Impl::append(std::span<const NewMessage> messages,
                                     const AppendOptions& append_options,
                                     const std::optional<ImportMark>& mark, OnTaken on_taken) {
    return writing([&]() -> Result<Offer> {
        Offer offer;
        {
            const std::lock_guard lock(write_mutex);
            SLUICE_TRY_ASSIGN(offer.outcomes, outcomes_of(messages, append_options));
            if (on_taken == OnTaken::fail) SLUICE_TRY(fail_unless_all_appended(offer.outcomes));

            std::vector<Log::Draft> drafts;
            drafts.reserve(messages.size() + 1);
            for (std::size_t i = 0; i < messages.size(); ++i) {
                if (offer.outcomes[i] != Offered::appended) continue;
                drafts.push_back({Log::Kind::message, messages[i].key, messages[i].body});
            }
            const std::size_t message_count = drafts.size();
            Change progress_mark;
            std::string encoded_mark;
            if (mark) {
                progress_mark.kind = ChangeKind::import_mark;
                progress_mark.time_ms = now();
                progress_mark.source = hash(mark->fingerprint);
                progress_mark.source_offset = mark->offset;
                encoded_mark = encode(progress_mark);
                drafts.push_back({Log::Kind::change, {}, encoded_mark});
            }
            if (drafts.empty()) return offer;

            SLUICE_TRY(store->check_writable());
            SLUICE_TRY_ASSIGN(const Seq first, log->append(drafts));
            if (mark) {
                const std::lock_guard publish_lock(publish_mutex);
                ledger.apply({first.value + message_count}, progress_mark);
            }
            if (message_count > 0) offer.first = first;
            SLUICE_TRY(advance({}));
        }
        if (append_options.wait_until_durable) SLUICE_TRY(acknowledge());
        return offer;
    });
}

Result<void> Database::Impl::acknowledge() {
    if (options.durability != Durability::every_commit) return {};
    return log->sync();
}

Result<Seq> Database::append(const NewMessage& message, const AppendOptions& options) {
    return append(std::span(&message, 1), options);
}

Result<Seq> Database::append(std::span<const NewMessage> messages, const AppendOptions& options) {
    if (messages.empty())
        return Error{Errc::invalid_argument, "a batch needs at least one message"};
    SLUICE_TRY_ASSIGN(const Offer offer,
                      impl_->append(messages, options, std::nullopt, Impl::OnTaken::fail));
    return offer.first;
}

Result<Offer> Database::offer(std::span<const NewMessage> messages, const AppendOptions& options,
                              const std::optional<ImportMark>& mark) {
    return impl_->append(messages, options, mark, Impl::OnTaken::skip);
}

std::uint64_t Database::imported_up_to(std::string_view fingerprint) const {
    const std::lock_guard lock(impl_->publish_mutex);
    return impl_->ledger.imported_up_to(impl_->hash(fingerprint));
}

} // namespace sluice
