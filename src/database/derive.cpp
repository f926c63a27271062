// From messages to rows: for new messages, for messages that mean something else now, for views
// that were away, and for views that are new.
#include "base/bytes.hpp"
#include "base/try.hpp"
#include "database/impl.hpp"

#include <algorithm>

namespace sluice {
namespace {

constexpr std::size_t kChunkMessages = 8192;
constexpr std::size_t kChunkBytes = 16 * 1024 * 1024;

std::vector<std::shared_ptr<const View>> views_of(const std::vector<OpenView>& open_views) {
    std::vector<std::shared_ptr<const View>> views;
    views.reserve(open_views.size());
    for (const OpenView& each : open_views) views.push_back(each.view);
    return views;
}

} // namespace

void sort_unique(std::vector<Seq>& seqs) {
    std::sort(seqs.begin(), seqs.end());
    seqs.erase(std::unique(seqs.begin(), seqs.end()), seqs.end());
}

void Database::Impl::emit_key(RowBatch& batch, Seq seq, std::string_view key) const {
    if (key.empty()) return;
    batch.begin_row(seq);
    batch.emit(key_term(hash(key)));
}

Result<Log::Entry> Database::Impl::latest(Seq seq, Seq position) const {
    SLUICE_TRY_ASSIGN(Log::Entry entry, log->read(seq));
    const Seq version = ledger.version_at(seq, position);
    if (version == seq || entry.erased) return entry;
    SLUICE_TRY_ASSIGN(const Log::Entry newer, log->read(version));
    SLUICE_TRY_ASSIGN(const std::optional<Change> change, change_of(newer, version));
    entry.erased = !change;
    entry.body = change ? change->body : std::string_view();
    return entry;
}

Result<std::optional<Change>> Database::Impl::change_of(const Log::Entry& entry, Seq at) const {
    if (entry.erased) return std::optional<Change>();
    auto change = decode_change(entry.body, at);
    // The bytes stand in a map. If an erasure overwrote them meanwhile, as it does with what
    // messages and facts said, the entry no longer checks.
    const bool may_be_overwritten =
        !change || change->kind == ChangeKind::replace || change->kind == ChangeKind::put_fact;
    if (may_be_overwritten) {
        const auto again = log->read(at);
        if (!again || again->erased) return std::optional<Change>();
    }
    if (!change) return change.error();
    return std::optional(*std::move(change));
}

std::vector<ViewId> Database::Impl::all_but(const std::vector<OpenView>& current,
                                            bool with_keys) const {
    std::vector<ViewId> rest;
    for (const auto& [name, each] : *views) {
        const ViewId id = each.entry.id;
        const bool is_current =
            std::any_of(current.begin(), current.end(),
                        [&](const OpenView& one) { return one.entry.id == id; });
        if (!is_current) rest.push_back(id);
    }
    if (!with_keys) rest.push_back(kKeyRegister);
    if (!chain.is_loaded()) {
        const std::vector<ViewId> waiting = chain_views();
        rest.insert(rest.end(), waiting.begin(), waiting.end());
    }
    return rest;
}

std::optional<Log::Entry> Database::Impl::seen(Seq seq, Seq position,
                                               const StoreSnapshot& rows) const {
    auto message = latest(seq, position);
    if (!message) return std::nullopt;
    const auto body = seen_body(seq, *message, rows);
    if (!body) return std::nullopt;
    message->body = *body;
    return *message;
}

std::optional<std::string_view> Database::Impl::seen_body(Seq seq, const Log::Entry& latest_entry,
                                                          const StoreSnapshot& rows) const {
    if (latest_entry.erased || latest_entry.kind != Log::Kind::message) return std::nullopt;
    const Made made = made_of(seq, rows, chain.outputs());
    if (!made.is_shown()) return std::nullopt;
    return made.kind == Made::Kind::body ? made.body : latest_entry.body;
}

Result<void> Database::Impl::commit(StoreCommit commit, const std::function<void()>& with_it) {
    const auto before = before_commit(commit);
    std::shared_ptr<const Snapshot::Impl> after;
    std::vector<std::shared_ptr<Subscriber>> subscribed;
    {
        // The seq becomes visible and the snapshot complete in one moment, for those who wait for
        // it.
        const std::lock_guard lock(publish_mutex);
        if (with_it) with_it();
        auto committed = store->commit(std::move(commit), ledger.gone());
        tell_readers();
        if (!committed || subscribers.empty() || shown) return committed;
        after = snapshot_locked();
        subscribed = subscribers;
    }
    tell_subscribers(before, after, subscribed);
    return {};
}

Result<void> Database::Impl::breathe(std::unique_lock<std::mutex>& write_lock) const {
    write_lock.unlock();
    // A mutex alone would let us in again before those who wait have woken.
    std::this_thread::sleep_for(std::chrono::microseconds(200));
    if (is_closing_now()) return Error{Errc::busy, "the database is closing"};
    write_lock.lock();
    return {};
}

Result<std::vector<Seq>> Database::Impl::remade_by(Seq first, Seq since, const SeqBitmap& remaking,
                                                   const StoreSnapshot& rows) const {
    SLUICE_TRY_ASSIGN(std::vector<Seq> seqs, rederived_since(first, Deriver::transforms, rows));
    for (Seq at = remaking.next_from(first); at != SeqBitmap::kNone;
         at = remaking.next_from(at.next())) {
        const auto entry = log->read(at);
        if (!entry) continue; // Damaged: verify names it.
        SLUICE_TRY_ASSIGN(const auto change, change_of(*entry, at));
        if (change) seqs.insert(seqs.end(), change->seqs.begin(), change->seqs.end());
    }
    std::erase_if(seqs, [&](Seq seq) { return seq > since; });
    sort_unique(seqs);
    return seqs;
}

std::uint64_t Database::Impl::pending_of(const OpenView& each, const ViewsNow& now_known) const {
    const StoreSnapshot& rows = *now_known.rows;
    const auto reached = now_known.catching_up.find(each.entry.id);
    const Seq since = reached != now_known.catching_up.end()
                          ? std::min(reached->second, rows.position())
                          : rows.since(each.entry.id);
    std::vector<Seq> again;
    if (reads_of(*each.view) != nullptr) {
        again = waiting(rows, pending_term(each.entry.id));
    } else if (since < rows.position()) {
        auto remade = remade_by(since.next(), since, now_known.remaking, rows);
        if (remade) again = *std::move(remade);
    }
    std::uint64_t count = 0;
    const SeqBitmap& deleted = rows.gone().deleted;
    for (const Seq seq : again) {
        if (!deleted.contains(seq)) ++count;
    }
    for (Seq seq = since.next(); seq <= rows.position(); seq = seq.next()) {
        if (!now_known.changes.contains(seq) && !deleted.contains(seq)) ++count;
    }
    return count;
}

// Only what concerns the views is read: messages that are new to them and live, and those that were
// given back or new bytes. A million deletes in between cost a look at a bitmap each.
Result<void> Database::Impl::catch_up(const std::vector<OpenView>& late, bool keys_too, Seq since,
                                      const ProgressFunction& progress,
                                      std::unique_lock<std::mutex>* write_lock) {
    ProgressMeter meter(progress, "catching up", log->last().value - since.value);
    Mapper late_mapper(views_of(late));
    const bool is_any_read = std::any_of(late.begin(), late.end(), [&](const OpenView& each) {
        return chain.is_read(each.entry.id);
    });
    if (is_any_read && has_loaded_readers()) pin_shown(); // They follow in the same moment.

    Seq seq = since;            // As far as new messages are mapped.
    Seq looked_to = since;      // As far as the log was looked through for what is remade.
    std::vector<Seq> to_remake; // What was found there and is left to do, ascending.
    while (true) {
        const Seq end = log->last();
        const auto transformed = store->snapshot();
        SLUICE_TRY_ASSIGN(const std::vector<Seq> remade,
                          remade_by(looked_to.next(), seq, ledger.remaking(), *transformed));
        looked_to = end;
        to_remake.insert(to_remake.end(), remade.begin(), remade.end());
        sort_unique(to_remake);
        const std::size_t count = std::min(to_remake.size(), kChunkMessages);
        const std::vector<Seq> again(to_remake.end() - static_cast<std::ptrdiff_t>(count),
                                     to_remake.end());
        to_remake.resize(to_remake.size() - count);
        StoreCommit step;
        step.position = end;
        std::vector<RowBatch> batches(late.size());
        RowBatch keys;
        std::vector<Seq> fresh;
        std::size_t chunk_bytes = 0;
        const auto map = [&](Seq each) {
            const auto message = seen(each, end, *transformed);
            if (message) late_mapper.map(each, message->key, message->body, batches);
        };
        for (const Seq each : again) {
            if (!ledger.gone().deleted.contains(each)) map(each);
        }
        while (to_remake.empty() && seq < end && fresh.size() < kChunkMessages &&
               chunk_bytes < kChunkBytes) {
            seq = seq.next();
            if (ledger.is_change(seq)) continue;
            const bool is_live = !ledger.gone().deleted.contains(seq);
            if (!is_live && !keys_too) continue;
            const auto entry = log->read(seq);
            // Damaged: it has no rows; verify names it.
            if (!entry || entry->kind != Log::Kind::message || entry->erased) continue;
            chunk_bytes += entry->body.size();
            fresh.push_back(seq);
            if (keys_too) emit_key(keys, seq, entry->key);
            if (is_live) map(seq);
        }
        late_mapper.settle(batches);
        // An owner's catching up may have been cut short before: what it had added is taken out
        // first.
        std::vector<Seq> retract = again;
        retract.insert(retract.end(), fresh.begin(), fresh.end());
        if (is_any_read) {
            Draft marks(store->snapshot(), ledger.gone());
            for (std::size_t i = 0; i < late.size(); ++i) {
                if (!chain.is_read(late[i].entry.id)) continue;
                mark_readers(late[i].entry.id, retract, batches[i], marks);
            }
            step.rows = marks.take();
        }
        for (std::size_t i = 0; i < late.size(); ++i) {
            step.rows.push_back({late[i].entry.id, late[i].entry.app.empty() ? again : retract,
                                 std::move(batches[i])});
        }
        if (keys_too) step.rows.push_back({kKeyRegister, {}, std::move(keys)});
        SLUICE_TRY(check_reads_are_whole());
        const bool is_last_step = seq == end && to_remake.empty();
        step.behind =
            all_but(is_last_step ? late : std::vector<OpenView>{}, is_last_step && keys_too);
        SLUICE_TRY(commit(std::move(step)));
        meter.at(seq.value - since.value);
        if (is_last_step) break;
        if (write_lock != nullptr) {
            {
                const std::lock_guard lock(publish_mutex);
                for (const OpenView& each : late) catching_up[each.entry.id] = seq;
            }
            SLUICE_TRY(breathe(*write_lock));
        }
    }
    if (seq > since) meter.finish();
    count_errors(late, late_mapper);
    return {};
}

Result<void> Database::Impl::mend_plain_views(bool keys_too, const ProgressFunction& progress) {
    std::vector<OpenView> current;
    for (const auto& [name, each] : *views) {
        if (is_plain(each) && can_map(*each.view)) current.push_back(each);
    }
    return mend(current, keys_too, progress);
}

Result<void> Database::Impl::mend(const std::vector<OpenView>& current, bool keys_too,
                                  const ProgressFunction& progress) {
    const std::vector<ViewId> damaged = store->damaged_views();
    std::vector<OpenView> broken;
    std::copy_if(current.begin(), current.end(), std::back_inserter(broken),
                 [&](const OpenView& each) { return is_among(each.entry.id, damaged); });
    const bool are_keys_broken = keys_too && is_among(kKeyRegister, damaged);
    if (broken.empty() && !are_keys_broken) return {};

    SLUICE_TRY(store->save()); // Gives those files up that were found damaged since.
    const auto rows = store->snapshot();
    std::vector<std::unique_ptr<SegmentStore::Loader>> loaders;
    const auto derive = [&](const ViewSpec& spec, const std::string& name, const auto& emit,
                            const auto& settle) -> Result<void> {
        SLUICE_TRY_ASSIGN(auto loader, store->load(spec));
        const SeqBitmap lost = store->lost_rows(spec.id);
        note(std::to_string(lost.size()) + " entries are derived again for " + name +
             ", of which a file is damaged");
        ProgressMeter meter(progress, "deriving again", lost.size());
        std::uint64_t done = 0;
        RowBatch batch;
        for (Seq seq = lost.next_from({1}); seq != SeqBitmap::kNone;
             seq = lost.next_from(seq.next())) {
            emit(seq, batch);
            meter.at(++done);
            if (done % kChunkMessages != 0) continue;
            settle(batch);
            SLUICE_TRY(loader->add(std::exchange(batch, {})));
        }
        settle(batch);
        SLUICE_TRY(loader->add(std::move(batch)));
        loaders.push_back(std::move(loader));
        return {};
    };
    for (const OpenView& each : broken) {
        Mapper again({each.view});
        const ViewSpec spec{each.entry.id, reducer_of(*each.view), false};
        const auto map = [&](Seq seq, RowBatch& batch) {
            if (ledger.gone().deleted.contains(seq)) return;
            const auto message = seen(seq, log->last(), *rows);
            if (message) again.map(seq, message->key, message->body, std::span(&batch, 1));
        };
        SLUICE_TRY(derive(spec, "view " + each.entry.name, map,
                          [&](RowBatch& batch) { again.settle(std::span(&batch, 1)); }));
        count_errors({each}, again);
    }
    SLUICE_TRY(check_reads_are_whole());
    if (are_keys_broken) {
        const ViewSpec spec{kKeyRegister, nullptr, true};
        const auto emit = [&](Seq seq, RowBatch& batch) {
            const auto entry = log->read(seq);
            const bool has_key = entry && !entry->erased && entry->kind == Log::Kind::message;
            if (has_key) emit_key(batch, seq, entry->key);
        };
        SLUICE_TRY(derive(spec, "the register of keys", emit, [](RowBatch&) {}));
    }
    return store->mend(loaders);
}

Result<void> Database::Impl::build(const std::vector<OpenView>& fresh_views, bool keys_too,
                                   std::unique_lock<std::mutex>& write_lock,
                                   const ProgressFunction& progress) {
    Seq up_to;
    Gone gone;
    std::shared_ptr<const StoreSnapshot> transformed;
    {
        const std::lock_guard lock(*write_lock.mutex());
        up_to = log->last();
        gone = ledger.gone();
        transformed = store->snapshot();
    }

    std::vector<std::unique_ptr<SegmentStore::Loader>> loaders;
    for (const OpenView& each : fresh_views) {
        SLUICE_TRY_ASSIGN(auto loader, store->load({each.entry.id, reducer_of(*each.view), false}));
        loaders.push_back(std::move(loader));
    }
    if (keys_too) {
        SLUICE_TRY_ASSIGN(auto loader, store->load({kKeyRegister, nullptr, true}));
        loaders.push_back(std::move(loader));
    }

    ProgressMeter meter(progress, "deriving views", up_to.value);
    Mapper fresh_mapper(views_of(fresh_views));
    std::vector<RowBatch> batches(fresh_views.size());
    RowBatch keys;
    const auto hand_over = [&]() -> Result<void> {
        for (std::size_t i = 0; i < batches.size(); ++i) {
            if (!batches[i].empty()) SLUICE_TRY(loaders[i]->add(std::exchange(batches[i], {})));
        }
        if (!keys.empty()) SLUICE_TRY(loaders.back()->add(std::exchange(keys, {})));
        return {};
    };
    for (Seq seq{1}; seq <= up_to; seq = seq.next()) {
        // What is deleted while this runs is in the dead set that readers consult; it does no harm.
        const bool skip = gone.erased.contains(seq);
        if (const auto message =
                skip ? Result<Log::Entry>(Error{Errc::not_found, {}}) : latest(seq, up_to);
            message && message->kind == Log::Kind::message && !message->erased) {
            const auto body =
                gone.deleted.contains(seq) ? std::nullopt : seen_body(seq, *message, *transformed);
            if (body) fresh_mapper.map(seq, message->key, *body, batches);
            if (keys_too) emit_key(keys, seq, message->key);
        }
        if (seq.value % kChunkMessages == 0) {
            SLUICE_TRY(hand_over());
            meter.at(seq.value);
        }
    }
    fresh_mapper.settle(batches);
    SLUICE_TRY(hand_over());
    meter.finish();

    // From here nothing is appended until the new views have caught up and count as current.
    write_lock.lock();
    SLUICE_TRY(check_reads_are_whole());
    StoreCommit reach; // A store that was thrown away has not come this far yet.
    reach.position = log->last();
    reach.behind = all_but({}, false);
    SLUICE_TRY(commit(std::move(reach)));
    SLUICE_TRY(store->install(loaders, up_to));
    count_errors(fresh_views, fresh_mapper);
    return catch_up(fresh_views, keys_too, up_to, {});
}

} // namespace sluice
