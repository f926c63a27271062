// Erasing. Each step is durable before the next begins, and finish_erasure() can be repeated from
// its start, which is what an opening after a crash does:
//   1. all that is appended is durable          so that no torn tail can be mistaken for these
//   entries
//   2. the erase entry, synced                  the commit point: from here the messages are gone
//   3. the dead set: out of every read and view
//   4. bodies, keys and checksums overwritten in place, synced, read back, holes punched
//   5. view segments rewritten without the rows, manifest record, old files overwritten and removed
//   6. the receipt entry, synced                an erasure without one is unfinished
#include "base/try.hpp"
#include "database/impl.hpp"

#include <algorithm>

namespace sluice {
namespace {

constexpr std::string_view kDevice = "device";
constexpr std::string_view kFiles = "files";

Receipt receipt_of(const Ledger::Erasure& erasure) {
    Receipt receipt;
    receipt.erasure = erasure.at;
    receipt.seqs = erasure.change.seqs;
    receipt.reason = erasure.change.reason;
    receipt.actor = erasure.change.actor;
    if (erasure.receipt) {
        const ReceiptDetails& details = erasure.receipt->receipt;
        receipt.time_ms = erasure.receipt->time_ms;
        receipt.assurance = details.reaches_device ? kDevice : kFiles;
        receipt.entries_wiped = details.entries_wiped;
        receipt.segments_rewritten = details.segments_rewritten;
        receipt.bytes_destroyed = details.bytes_destroyed;
    }
    return receipt;
}

} // namespace

Result<void> Database::Impl::finish_erasure(Seq erasure, const ProgressFunction& progress,
                                            Pinned by_snapshots, Patience patience) {
    const Change order = ledger.erasures().at(erasure).change;
    std::vector<Seq> entries = order.seqs;
    entries.insert(entries.end(), order.replacements.begin(), order.replacements.end());
    std::sort(entries.begin(), entries.end());

    // What was derived from what is erased may have been derived anew since, in files that still
    // have it as it was; not before the first of these entries was there.
    SLUICE_TRY_ASSIGN(const std::vector<Seq> rederived,
                      rederived_since(entries.front(), Deriver::any, *store->snapshot()));
    // A fact has no name any more when it is wiped: what follows from its going must not be lost.
    if (order.seqs.empty() && !chain.empty()) SLUICE_TRY(store->save());

    ProgressMeter meter(progress, "erasing", entries.size() + 1);
    constexpr std::size_t kStep = 16384;
    Result<void> wiped_all;
    for (std::size_t i = 0; i < entries.size(); i += kStep) {
        const auto step = std::span(entries).subspan(i, std::min(kStep, entries.size() - i));
        // A damaged entry that cannot be found leaves the erasure unfinished, and keeps none of the
        // other steps from being done.
        if (auto wiped = log->wipe(step); !wiped) {
            if (wiped.error().code != Errc::corrupt) return wiped;
            wiped_all = std::move(wiped);
        }
        meter.at(i + step.size());
    }
    if (by_snapshots == Pinned::end) end_snapshots();
    const auto waits = patience.value_or(options.erase_patience);
    SLUICE_TRY_ASSIGN(const auto purged, store->purge(order.seqs, rederived, waits, by_snapshots));
    SLUICE_TRY(wiped_all);
    meter.finish();

    Change receipt = new_change(ChangeKind::receipt, {}, {});
    receipt.receipt.erasure = erasure;
    receipt.receipt.reaches_device = log->medium() == Medium::device;
    receipt.receipt.entries_wiped = entries.size();
    receipt.receipt.segments_rewritten = purged.segments_rewritten;
    receipt.receipt.bytes_destroyed = purged.bytes_destroyed;
    SLUICE_TRY(append_change(receipt));
    SLUICE_TRY(advance({}));
    return log->sync();
}

Result<Changed> Database::Impl::carry_out(const Change& order, const ChangeOptions& how,
                                          Patience patience) {
    for (const auto* const seqs : {&order.seqs, &order.replacements}) {
        for (const Seq seq : *seqs) {
            const auto [first, last] = log->wiped_with(seq);
            const Seq held = ledger.held().next_from(first);
            if (held <= last) {
                return Error{Errc::held, "message " + std::to_string(held.value) +
                                             " is under a legal hold; nothing was erased"};
            }
        }
    }
    remember_needles(order.seqs);
    Changed changed;
    changed.seqs = order.seqs;
    SLUICE_TRY_ASSIGN(changed.at, append_change(order));
    SLUICE_TRY(log->sync());
    SLUICE_TRY(advance(how.progress));
    SLUICE_TRY(finish_erasure(changed.at, how.progress,
                              how.end_snapshots ? Pinned::end : Pinned::wait, patience));
    changed.receipt = receipt_of(ledger.erasures().at(changed.at));
    return changed;
}

void Database::Impl::end_snapshots() {
    const std::lock_guard lock(publish_mutex);
    *std::exchange(ended, std::make_shared<std::atomic<bool>>(false)) = true;
}

Result<Changed> Database::erase(const Selector& selector, const ChangeOptions& options) {
    return impl_->writing([&]() -> Result<Changed> {
        const std::lock_guard derive_lock(impl_->derive_mutex);
        const std::lock_guard lock(impl_->write_mutex);
        Changed changed;
        SLUICE_TRY_ASSIGN(changed.seqs, impl_->resolve(selector, Impl::Wanted::not_erased,
                                                       *impl_->snapshot(), options.progress));
        if (!changed.seqs.empty()) {
            SLUICE_TRY(impl_->log->sync());
            SLUICE_TRY_ASSIGN(
                changed, impl_->erase_all(
                             impl_->new_change(ChangeKind::erase, options, changed.seqs), options));
        }
        // What was asked for may have been erased before, by a call that answered busy.
        SLUICE_TRY(impl_->finish_owed_erasures(options.progress,
                                               options.end_snapshots ? Pinned::end : Pinned::wait));
        return changed;
    });
}

Result<Changed> Database::Impl::erase_all(Change order, const ChangeOptions& how,
                                          Patience patience) {
    if (order.seqs.empty() && order.replacements.empty()) return Changed();
    for (const Seq seq : order.seqs) {
        // A damaged message keeps its key from coming back as any other, unless the key itself
        // is what is damaged.
        const auto entry = log->read_back(seq);
        if (entry && !entry->key.empty()) order.refused.push_back(hash(entry->key));
        const std::vector<Seq> replacements = ledger.replacements(seq);
        order.replacements.insert(order.replacements.end(), replacements.begin(),
                                  replacements.end());
    }
    // A change that replaced several messages is named once.
    sort_unique(order.replacements);
    // Sorted, so that the order of the hashes does not say which is whose.
    std::sort(order.refused.begin(), order.refused.end(),
              [](const KeyHash& a, const KeyHash& b) { return a.bytes < b.bytes; });
    return carry_out(order, how, patience);
}

Result<Changed> Database::scrub(const ChangeOptions& options) {
    return impl_->writing([&]() -> Result<Changed> {
        Impl& impl = *impl_;
        const std::lock_guard derive_lock(impl.derive_mutex);
        const std::lock_guard lock(impl.write_mutex);
        SLUICE_TRY(impl.log->sync());

        std::vector<Seq> wiped;
        for_each(impl.ledger.wiped(), [&](Seq seq) { wiped.push_back(seq); });
        SLUICE_TRY_ASSIGN(const std::vector<Seq> not_wiped, impl.log->not_wiped(wiped));
        SLUICE_TRY(impl.log->wipe(not_wiped));

        Change order = impl.new_change(ChangeKind::erase, options, {});
        Change lost = impl.new_change(ChangeKind::remove, options, {});
        ProgressMeter meter(options.progress, "checking", impl.log->last().value);
        const auto damages = impl.log->check([&](Seq seq) { meter.at(seq.value); });
        for (const Log::Damage& damage : damages) {
            const bool is_lost = damage.file.empty(); // There is nothing that could be wiped.
            // Of those whose headers are lost none can be kept if the others are overwritten.
            const SeqBitmap& held = impl.ledger.held();
            if (!is_lost && held.any_between(damage.first, damage.last)) continue;
            for (Seq seq = damage.first; seq <= damage.last; seq = seq.next()) {
                if (is_lost) {
                    if (!impl.ledger.gone().deleted.contains(seq)) lost.seqs.push_back(seq);
                    continue;
                }
                if (impl.ledger.is_wiped(seq)) continue;
                const auto legible = impl.log->read_back(seq);
                const bool is_change =
                    impl.ledger.is_change(seq) || (legible && legible->kind == Log::Kind::change);
                (is_change ? order.replacements : order.seqs).push_back(seq);
            }
        }
        if (!lost.seqs.empty()) {
            SLUICE_TRY(impl.append_change(lost));
            SLUICE_TRY(impl.advance(options.progress));
        }
        return impl.erase_all(std::move(order), options);
    });
}

Result<void> Database::resume_erasures() {
    return impl_->writing([&]() -> Result<void> {
        const std::lock_guard derive_lock(impl_->derive_mutex);
        const std::lock_guard lock(impl_->write_mutex);
        return impl_->finish_owed_erasures({});
    });
}

Result<void> Database::Impl::finish_owed_erasures(const ProgressFunction& progress,
                                                  Pinned by_snapshots, Patience patience) {
    std::vector<Seq> owed;
    for (const auto& [at, erasure] : ledger.erasures()) {
        if (!erasure.receipt) owed.push_back(at);
    }
    for (const Seq at : owed) SLUICE_TRY(finish_erasure(at, progress, by_snapshots, patience));
    return {};
}

std::vector<Receipt> Database::receipts() const {
    const std::lock_guard lock(impl_->publish_mutex);
    std::vector<Receipt> receipts;
    for (const auto& [at, erasure] : impl_->ledger.erasures()) {
        receipts.push_back(receipt_of(erasure));
    }
    return receipts;
}

} // namespace sluice
