// Changes of the past: which messages are meant, the entry in the log, and what it means for the
// rows.
#include "base/try.hpp"
#include "database/impl.hpp"
#include "views/predicate.hpp"

#include <algorithm>

namespace sluice {
namespace {

std::string seq_text(Seq seq) {
    return std::to_string(seq.value);
}

} // namespace

Result<std::vector<Seq>> Database::Impl::resolve(const Selector& selector, Wanted wanted,
                                                 const Snapshot::Impl& as_of,
                                                 const ProgressFunction& progress) const {
    const StoreSnapshot& rows = *as_of.rows;
    const Gone& gone = rows.gone();
    const Seq last = rows.position();
    const auto is_change = [&](Seq seq) {
        const std::lock_guard lock(publish_mutex);
        return ledger.is_change(seq);
    };
    const auto is_wanted = [&](Seq seq) {
        switch (wanted) {
        case Wanted::live: return !gone.deleted.contains(seq);
        case Wanted::deleted: return gone.deleted.contains(seq) && !gone.erased.contains(seq);
        case Wanted::not_erased: return !gone.erased.contains(seq);
        }
        return false;
    };
    std::vector<Seq> seqs;
    const auto take = [&](Seq seq) {
        if (is_wanted(seq)) seqs.push_back(seq);
    };

    if (const auto* const listed = std::get_if<std::vector<Seq>>(&selector)) {
        for (const Seq seq : *listed) {
            if (seq == Seq{} || seq > last) {
                return Error{Errc::not_found, "there is no entry " + seq_text(seq) +
                                                  "; the last one is " + seq_text(last)};
            }
            if (is_change(seq)) {
                return Error{Errc::invalid_argument,
                             "entry " + seq_text(seq) + " is a change and not a message"};
            }
            take(seq);
        }
    } else if (const auto* const by_key = std::get_if<SelectKeys>(&selector)) {
        for (std::size_t i = 0; i < by_key->keys.size(); ++i) {
            SLUICE_TRY_ASSIGN(const std::vector<Seq> found, seqs_of_key(rows, by_key->keys[i]));
            if (found.empty()) {
                return Error{Errc::not_found, "no message has key " + std::to_string(i + 1) +
                                                  " of " + std::to_string(by_key->keys.size())};
            }
            for (const Seq seq : found) take(seq);
        }
    } else if (const auto* const by_view = std::get_if<SelectView>(&selector)) {
        SLUICE_TRY_ASSIGN(const OpenView* const view,
                          view_of_messages(*as_of.views, by_view->view));
        note_read(*view);
        const auto cursor =
            rows.scan(view->entry.id, ScanRange::with_prefix(by_view->prefix.encoded()));
        while (cursor->next()) take(cursor->seq());
        SLUICE_TRY(cursor->status());
    } else {
        SLUICE_TRY_ASSIGN(const Predicate predicate,
                          Predicate::parse(std::get<SelectWhere>(selector).predicate));
        ProgressMeter meter(progress, "looking for messages", last.value);
        for (Seq seq{1}; seq <= last; seq = seq.next()) {
            meter.at(seq.value);
            if (!is_wanted(seq) || is_change(seq)) continue;
            // As views see it, unless it is deleted: then no view does. A damaged message cannot be
            // looked into; it can still be named by its seq.
            const auto message = latest(seq, last);
            if (!message) continue;
            const std::string_view body = seen_body(seq, *message, rows).value_or(message->body);
            if (predicate.matches_body(body)) seqs.push_back(seq);
        }
        meter.finish();
    }
    sort_unique(seqs);
    return seqs;
}

Change Database::Impl::new_change(ChangeKind kind, const ChangeOptions& change_options,
                                  std::vector<Seq> seqs) const {
    Change change;
    change.kind = kind;
    change.time_ms = now();
    change.seqs = std::move(seqs);
    change.reason = change_options.reason;
    change.actor = change_options.actor;
    return change;
}

Result<Seq> Database::Impl::append_changes(std::span<const Change> changes) {
    SLUICE_TRY(store->check_writable());
    std::vector<std::string> encoded;
    std::vector<Log::Draft> drafts;
    encoded.reserve(changes.size());
    drafts.reserve(changes.size());
    for (const Change& change : changes) encoded.push_back(encode(change));
    for (std::size_t i = 0; i < changes.size(); ++i) {
        drafts.push_back({Log::Kind::change, {}, encoded[i], changes[i].is_secret});
    }
    const Result<Seq> appended = log->append(drafts);
    for (std::size_t i = 0; i < changes.size(); ++i) {
        if (changes[i].is_secret) wipe(encoded[i]);
    }
    if (!appended) return appended.error();
    const Seq first = *appended;
    const std::lock_guard publish_lock(publish_mutex);
    for (std::size_t i = 0; i < changes.size(); ++i) {
        ledger.apply({first.value + i}, changes[i]);
        facts.apply({first.value + i}, changes[i]);
        note_deleted(changes[i]);
    }
    return first;
}

Result<Changed> Database::Impl::change(ChangeKind kind, const Selector& selector, Wanted wanted,
                                       const ChangeOptions& change_options) {
    return writing([&]() -> Result<Changed> {
        Changed changed;
        {
            const std::lock_guard lock(write_mutex);
            SLUICE_TRY_ASSIGN(changed.seqs,
                              resolve(selector, wanted, *snapshot(), change_options.progress));
            if (kind == ChangeKind::hold || kind == ChangeKind::release) {
                const bool holding = kind == ChangeKind::hold;
                std::erase_if(changed.seqs,
                              [&](Seq seq) { return ledger.is_held(seq) == holding; });
            }
            if (changed.seqs.empty()) return changed;
            SLUICE_TRY_ASSIGN(changed.at,
                              append_change(new_change(kind, change_options, changed.seqs)));
            SLUICE_TRY(advance(change_options.progress));
        }
        SLUICE_TRY(acknowledge());
        return changed;
    });
}

Result<Changed> Database::delete_messages(const Selector& selector, const ChangeOptions& options) {
    return impl_->change(ChangeKind::remove, selector, Impl::Wanted::live, options);
}

Result<Changed> Database::restore(const Selector& selector, const ChangeOptions& options) {
    return impl_->change(ChangeKind::restore, selector, Impl::Wanted::deleted, options);
}

Result<Changed> Database::hold(const Selector& selector, const ChangeOptions& options) {
    return impl_->change(ChangeKind::hold, selector, Impl::Wanted::not_erased, options);
}

Result<Changed> Database::release(const Selector& selector, const ChangeOptions& options) {
    return impl_->change(ChangeKind::release, selector, Impl::Wanted::not_erased, options);
}

Result<Changed> Database::replace(Seq seq, std::string_view body, const ChangeOptions& options) {
    return impl_->writing([&]() -> Result<Changed> {
        if (body.size() > Log::kBodySizeBytesMax) {
            return Error{Errc::invalid_argument,
                         "a body of " + std::to_string(body.size()) + " bytes; at most 16 MiB fit"};
        }
        Changed changed;
        {
            const std::lock_guard lock(impl_->write_mutex);
            SLUICE_TRY_ASSIGN(changed.seqs,
                              impl_->resolve(Selector(std::vector<Seq>{seq}), Impl::Wanted::live,
                                             *impl_->snapshot(), options.progress));
            if (changed.seqs.empty()) {
                return Error{Errc::not_found, "message " + seq_text(seq) + " is deleted or erased"};
            }
            Change change = impl_->new_change(ChangeKind::replace, options, changed.seqs);
            change.body = body;
            SLUICE_TRY_ASSIGN(changed.at, impl_->append_change(change));
            SLUICE_TRY(impl_->advance(options.progress));
        }
        SLUICE_TRY(impl_->acknowledge());
        return changed;
    });
}

Result<Changed> Database::rederive(const Selector& selector, const ChangeOptions& options) {
    return impl_->change(ChangeKind::rederive, selector, Impl::Wanted::live, options);
}

Result<std::vector<Seq>> Database::select(const Selector& selector, bool deleted_too) const {
    const Impl::Wanted wanted = deleted_too ? Impl::Wanted::not_erased : Impl::Wanted::live;
    return impl_->resolve(selector, wanted, *impl_->snapshot(), {});
}

} // namespace sluice
