// One moment: from what the log says to what transforms and views make of it, in one commit.
//
// Everything here is a function of the log between where the rows stand and its end, and of the
// rows. So a crash needs no other recovery than to do it again. Big work is committed in parts at
// the old position, each with the list of what is left to do; readers go on with the snapshot from
// before.
#include "base/bytes.hpp"
#include "base/try.hpp"
#include "database/impl.hpp"

#include <algorithm>

namespace sluice {
namespace {

std::vector<Seq> listed(const SeqBitmap& seqs) {
    std::vector<Seq> list;
    list.reserve(seqs.size());
    for_each(seqs, [&](Seq seq) { list.push_back(seq); });
    return list;
}

} // namespace

std::string rederived_term(Seq at) {
    std::string term;
    append_be(term, at.value, sizeof at.value);
    return term;
}

std::string pending_term(ViewId reader) {
    std::string term = "v";
    append_be(term, reader.value, sizeof reader.value);
    return term;
}

Result<Log::Entry> Database::Impl::read_new(Seq seq) const {
    const bool is_our_own = is_open && !options.read_only;
    return is_our_own ? log->read_back(seq) : log->read(seq);
}

Result<Delta> Database::Impl::delta_behind(Seq since, Seq keys_since, RowBatch& fresh_keys) const {
    Delta delta;
    std::map<FactId, bool> facts_changed; // Whether they were there.
    const auto fact_changed = [&](const FactId& id, bool is_erased) {
        facts_changed.emplace(id, is_erased || facts.was_there(id, since));
    };
    const Gone& gone = ledger.gone();
    for (Seq seq = std::min(since, keys_since).next(); seq <= log->last(); seq = seq.next()) {
        const auto entry = read_new(seq);
        if (!entry || entry->erased) continue; // Damaged: it has no rows; verify names it.
        if (entry->kind == Log::Kind::message) {
            if (seq > since && !gone.deleted.contains(seq)) delta.fresh.push_back(seq);
            if (seq > keys_since) emit_key(fresh_keys, seq, entry->key);
            continue;
        }
        if (seq <= since) continue;
        SLUICE_TRY_ASSIGN(const std::optional<Change> found, change_of(*entry, seq));
        if (!found) continue; // It was wiped meanwhile.
        const Change& change = *found;
        switch (change.kind) {
        case ChangeKind::erase:
            for (const Seq fact_entry : change.replacements) {
                const auto named = log->read_back(fact_entry);
                if (!named || named->erased) continue;
                const auto fact = decode_change(named->body, fact_entry);
                if (fact && !fact->collection.empty()) {
                    fact_changed({fact->collection, fact->fact_key}, /*is_erased=*/true);
                }
            }
            [[fallthrough]];
        case ChangeKind::remove:
            for (const Seq target : change.seqs) {
                if (target <= since && gone.deleted.contains(target)) delta.gone.push_back(target);
            }
            break;
        case ChangeKind::restore:
        case ChangeKind::replace:
        case ChangeKind::rederive:
            for (const Seq target : change.seqs) {
                if (target > since || gone.deleted.contains(target)) continue;
                delta.again.push_back(target);
                if (change.kind == ChangeKind::restore) delta.back.push_back(target);
            }
            break;
        case ChangeKind::put_fact:
        case ChangeKind::drop_fact:
            fact_changed({change.collection, change.fact_key}, /*is_erased=*/false);
            break;
        case ChangeKind::hold:
        case ChangeKind::release:
        case ChangeKind::receipt:
        case ChangeKind::import_mark:
        case ChangeKind::transforms: break;
        }
    }
    // Damage is no entry of the log, so the rows may be of a time when there was none.
    if (!is_open) {
        for (const FactId& id : damaged_facts) fact_changed(id, /*is_erased=*/true);
    }
    sort_unique(delta.again);
    sort_unique(delta.gone);
    for (const auto& [id, was_there] : facts_changed) delta.facts.push_back({id, was_there});
    return delta;
}

std::optional<Chain::Stored> Database::Impl::stored_message(Seq seq, bool is_new) const {
    // It has another version only where transforms waited for their code.
    const bool is_first = is_new && ledger.version_at(seq, log->last()) == seq;
    const auto message = is_first ? read_new(seq) : latest(seq, log->last());
    // A change that names a change is none of ours, and makes no message of it.
    if (!message || message->erased || message->kind != Log::Kind::message) return std::nullopt;
    return Chain::Stored{message->key, message->body};
}

Chain::World Database::Impl::world() const {
    return {&facts, [this](Seq seq) { return stored_message(seq, seq > chain_since); }};
}

/// The state of one call of advance().
struct Database::Impl::Advance {
    Advance(const std::shared_ptr<const StoreSnapshot>& rows, Seq end, const Gone& gone,
            std::size_t view_count)
        : from(rows->position()), to(end), draft(rows, gone), batches(view_count) {}

    Seq from; ///< Where readers are until it is done.
    Seq to;
    Delta delta;
    RowBatch keys;
    Draft draft;
    Worklist work;
    std::vector<RowBatch> batches; ///< Rows for the views of `mapped`.
    std::vector<Seq> mapped_again; ///< Messages in `batches` that had rows before, maybe.
    std::vector<Seq> too_early;    ///< Of these, views that are behind may have rows.
    bool in_parts = false;
    /// An interruption left rows, also of messages that are new.
    bool is_resumed = false;
    /// The log does not say which messages are derived again.
    bool is_noted = false;
};

/// What the store keeps beside the rows: of which chain they are, and what is left to do.
std::string Database::Impl::chain_state(const Worklist* work) const {
    std::string state;
    if (chain.transforms().empty() && work == nullptr) return state; // As before there were any.
    append_sized(state, work != nullptr ? chain.signature_of_all() : chain.signature());
    if (work != nullptr) {
        append_varint(state, log->last().value);
        state += encode(*work);
    }
    return state;
}

Result<void> Database::Impl::advance(const ProgressFunction& progress) {
    const auto rows = store->snapshot();
    Advance run(rows, log->last(), ledger.gone(), mapped.size());
    if (mapper) mapper->discard_unsettled(); // Of a call that failed.
    const Seq keys_since = keys_current ? rows->since(kKeyRegister) : run.to;
    const bool anybody = !chain.empty() || !mapped.empty() || !unmapped.empty();
    SLUICE_TRY_ASSIGN(run.delta,
                      delta_behind(anybody ? chain_since : run.to, keys_since, run.keys));
    note_gone(run);
    if (!chain.is_loaded()) {
        SLUICE_TRY(advance_without_code(run));
    } else {
        run.is_noted = !chain.transforms().empty() || extra.afresh.size() > 0 ||
                       !waiting(*rows, kPendingTerm).empty();
        run.work = plan(run);
        if (run.is_resumed) retract_too_early(run);
        SLUICE_TRY(derive_rows(run, progress));
        if (!is_open) {
            for (const Seq seq : waiting(run.draft.below(), kLostTerm)) {
                run.draft.set_term(kPending, seq, kLostTerm, false);
            }
        }
        chain_since = run.to;
    }

    SLUICE_TRY(check_reads_are_whole());

    StoreCommit step;
    step.position = run.to;
    step.behind = unmapped;
    if (!keys_current) step.behind.push_back(kKeyRegister);
    step.rows = run.draft.take();
    add_view_rows(step, run);
    if (!run.keys.empty()) step.rows.push_back({kKeyRegister, {}, std::move(run.keys)});
    if (std::string state = chain_state(nullptr); state != rows->attachment() || run.in_parts) {
        step.attachment = std::move(state);
    }
    if (mapper) count_errors(mapped, *mapper);
    return commit(std::move(step), [this] {
        if (!keep_shown) show_current();
        if (std::ranges::equal(*outputs, chain.outputs())) return;
        outputs =
            std::make_shared<std::vector<ViewId>>(chain.outputs().begin(), chain.outputs().end());
    });
}

/// Damage is found when a file is first looked at, and hides what it hits.
bool Database::Impl::has_lost_reads() const {
    if (chain.empty()) return false;
    const std::vector<ViewId> damaged = store->damaged_views();
    if (damaged.empty()) return false;
    const std::vector<ViewId> needed = views_of_reads();
    return std::any_of(needed.begin(), needed.end(),
                       [&](ViewId id) { return is_among(id, damaged); });
}

std::vector<ViewId> Database::Impl::views_of_reads() const {
    std::vector<ViewId> needed = chain_views();
    needed.push_back(kPending);
    for (const Chain::Stage& reader : chain.readers()) needed.push_back(reader.reads());
    return needed;
}

/// Whoever was to be woken may not have been: then nothing of this may be shown, and opening begins
/// anew.
Result<void> Database::Impl::check_reads_are_whole() {
    if (!has_lost_reads() && !looks_into_damage()) return {};
    if (is_open) {
        static_cast<void>(store->save().has_value()); // Whoever opens it again need not look.
        abandon();
    }
    return Error{Errc::corrupt,
                 "a file that views or transforms read is damaged; open the database again to "
                 "derive what it had"};
}

Result<std::vector<Seq>> Database::Impl::rederived_by(Seq first, Deriver deriver,
                                                      const StoreSnapshot& rows) const {
    ScanRange by_transforms;
    by_transforms.from = rederived_term(first);
    by_transforms.to = kRederivedByViews;
    ScanRange by_views;
    by_views.from = std::string(kRederivedByViews) + rederived_term(first);
    std::vector<Seq> seqs;
    const auto add = [&](const ScanRange& range) {
        const auto rederived = rows.scan(kRederived, range);
        while (rederived->next()) seqs.push_back(rederived->seq());
    };
    add(by_transforms);
    if (deriver == Deriver::any) add(by_views);
    SLUICE_TRY(rows.status(kRederived));
    sort_unique(seqs);
    return seqs;
}

/// Of what is deleted dead rows are left, which may have bytes of what the message was read with.
void Database::Impl::note_gone(Advance& run) {
    const StoreSnapshot& rows = run.draft.below();
    for (const Seq seq : run.delta.gone) {
        const auto has_made = [&](const Chain::Stage& stage) {
            // At an opening, a merge before the crash may have dropped some rows and not others.
            return !is_open || !rows.row(stage.cells, seq).empty() ||
                   (!stage.is_view && !rows.row(stage.outputs(), seq).empty());
        };
        if (std::any_of(chain.stages().begin(), chain.stages().end(), has_made)) {
            run.draft.set_row(kRederived, seq, {{rederived_term(run.to), {}}});
        }
    }
}

void Database::Impl::add_view_rows(StoreCommit& step, Advance& run) {
    if (mapper) mapper->settle(run.batches);
    for (std::size_t i = 0; i < mapped.size(); ++i) {
        if (run.batches[i].empty() && run.mapped_again.empty()) continue;
        if (chain.is_read(mapped[i].entry.id)) continue; // Its rows are in the draft.
        step.rows.push_back(
            {mapped[i].entry.id, run.mapped_again, std::exchange(run.batches[i], {})});
    }
    // P4: views whose code is not here lose the rows too; their owner adds the new ones later.
    const std::vector<Seq> again = std::exchange(run.mapped_again, {});
    const std::vector<Seq> too_early = std::exchange(run.too_early, {});
    for (const auto& [name, each] : *views) {
        const ViewId id = each.entry.id;
        if (follows(id) || chain.is_read(id) || reads_of(*each.view) != nullptr) continue;
        std::vector<Seq> retracted = again;
        const Seq since = run.draft.below().since(id);
        for (const Seq seq : too_early) {
            if (seq > since) retracted.push_back(seq);
        }
        if (!retracted.empty()) step.rows.push_back({id, std::move(retracted), {}});
    }
}

/// What is to be done: by what an interruption left, or by the log, and for messages that waited.
Worklist Database::Impl::plan(Advance& run) {
    Worklist work;
    if (unfinished) {
        work = *std::exchange(unfinished, std::nullopt);
        run.is_resumed = true;
    } else {
        Delta delta = run.delta;
        for_each(extra.afresh, [&](Seq seq) { delta.back.push_back(seq); });
        delta.again.insert(delta.again.end(), delta.back.begin(), delta.back.end());
        // Their rows are of before they went, and say nothing about what their coming back changes.
        // Whoever read their cells was told that they are gone; after a crash or without the code,
        // both may be news.
        delta.gone.insert(delta.gone.end(), delta.back.begin(), delta.back.end());
        for (const Seq seq : delta.back) chain.forget(seq, run.draft);
        work = chain.plan(delta, world(), run.draft.below());
    }
    for (const auto& [stage, units] : extra.dirty) {
        for_each(units, [&, at = stage](Seq seq) { work.add(at, seq); });
    }
    const StoreSnapshot& rows = run.draft.below();
    for (const Seq seq : waiting(rows, kPendingTerm)) {
        for (std::size_t i = work.stage; i < chain.stages().size(); ++i) work.add(i, seq);
    }
    for (std::size_t i = chain.transforms().size(); i < chain.stages().size(); ++i) {
        const Chain::Stage& view = chain.stages()[i];
        if (view.map == nullptr) continue;
        for (const Seq seq : waiting(rows, pending_term(view.cells))) work.add(i, seq);
    }
    extra = {};
    return work;
}

/// An interrupted part may have left rows of new messages in views whose code is not here any more:
/// behind their `since`, where they show nothing until their code maps them.
void Database::Impl::retract_too_early(Advance& run) {
    run.too_early = run.delta.fresh;
    const auto is_behind = [&](ViewId view, Seq seq) {
        return seq > run.draft.below().since(view);
    };
    for (std::size_t i = chain.transforms().size(); i < chain.stages().size(); ++i) {
        if (chain.stages()[i].map != nullptr) continue;
        for (const Seq seq : run.too_early) {
            if (is_behind(chain.stages()[i].cells, seq)) run.work.add(i, seq);
        }
    }
    for (const auto& [name, each] : *views) {
        const ViewId id = each.entry.id;
        if (!chain.is_read(id) || follows(id)) continue;
        for (const Seq seq : run.too_early) {
            if (is_behind(id, seq)) chain.set_row(id, seq, {}, run.work, run.draft);
        }
    }
}

/// Messages that nobody could derive when it was due.
std::vector<Seq> Database::Impl::waiting(const StoreSnapshot& rows, std::string_view term) const {
    std::vector<Seq> seqs;
    const auto pending = rows.scan(kPending, ScanRange::exact(term));
    while (pending->next()) seqs.push_back(pending->seq());
    return seqs;
}

bool Database::Impl::follows(ViewId view) const {
    return std::find(unmapped.begin(), unmapped.end(), view) == unmapped.end();
}

Result<void> Database::Impl::advance_without_code(Advance& run) {
    Worklist work;
    if (unfinished) {
        // The log alone does not lead to units that had their turn: they have other tokens by now.
        // And new messages are to be new to all stages when the code is here.
        work = *std::exchange(unfinished, std::nullopt);
        work.stage = 0;
        const auto add = [&](Seq seq) { work.add(0, seq); };
        for_each(work.moved, add);
        for_each(work.moved_out, add);
        for (const Seq seq : run.delta.fresh) {
            add(seq);
            run.draft.set_row(kRederived, seq, {{rederived_term(run.to), {}}});
        }
    } else {
        work = chain.plan(run.delta, world(), run.draft.below());
    }
    // The program that has the code may be another one, which knows of this from the rows only.
    for_each(extra.afresh, [&](Seq seq) { work.add(0, seq); });
    for (const auto& [stage, units] : extra.dirty) {
        for_each(units, [&, at = stage](Seq seq) { work.add(at, seq); });
    }
    extra = {};
    SeqBitmap pending = chain.retract(work, run.draft);
    for (const Seq seq : run.delta.again) pending.insert(seq);
    for_each(pending, [&](Seq seq) {
        // What is behind the transforms' `since` is new to them anyway.
        if (seq <= chain_since) run.draft.set_term(kPending, seq, kPendingTerm, true);
    });
    run.mapped_again = listed(pending);
    return {};
}

/// Commits what there is, as part of a moment that has not come yet.
Result<void> Database::Impl::save_part(Advance& run) {
    SLUICE_TRY(check_reads_are_whole());
    // The rows must not become durable before the entries that they come from.
    if (!run.in_parts) SLUICE_TRY(log->sync());
    StoreCommit step;
    step.position = run.from;
    // Nobody's `since` moves, and this says so of those who are behind already.
    step.behind = all_but({}, false);
    const std::vector<ViewId> transforms = chain_views();
    step.behind.insert(step.behind.end(), transforms.begin(), transforms.end());
    step.rows = run.draft.take();
    add_view_rows(step, run);
    step.attachment = chain_state(&run.work);
    pin_shown();
    run.in_parts = true;
    static_cast<void>(before_commit(step));
    SLUICE_TRY(store->commit(std::move(step), ledger.gone()));
    run.draft.rebase(store->snapshot());
    return {};
}

/// A message's rows in the views that only map, of which it has none yet if it is new.
void Database::Impl::map_moved(Advance& run, Seq seq, bool is_new) {
    const Made made = made_of(seq, run.draft, chain.outputs());
    if (made.is_shown() && !mapped.empty() && !ledger.gone().deleted.contains(seq)) {
        if (const auto message = stored_message(seq, is_new)) {
            const bool is_made = made.kind == Made::Kind::body;
            mapper->map(seq, message->key, is_made ? made.body : message->body, run.batches);
        }
    }
    if (chain.readers().empty()) return;
    if (mapper) mapper->settle(run.batches);
    for (std::size_t i = 0; i < mapped.size(); ++i) {
        if (!chain.is_read(mapped[i].entry.id)) continue;
        chain.set_row(mapped[i].entry.id, seq, emissions_of(run.batches[i]), run.work, run.draft);
        run.batches[i].clear();
    }
    if (is_new) return;
    for (const auto& [name, each] : *views) {
        const ViewId id = each.entry.id;
        if (chain.is_read(id) && !follows(id)) chain.set_row(id, seq, {}, run.work, run.draft);
    }
}

/// A view that reads has been brought right for a message, or waits for its code with it.
void Database::Impl::settle(Advance& run, const Chain::Stage& view, Seq seq, bool is_other) {
    // Without the code, what is behind its `since` is new to it anyway.
    const bool must_wait = view.map == nullptr && seq <= run.draft.below().since(view.cells);
    run.draft.set_term(kPending, seq, pending_term(view.cells), must_wait);
    if (!is_other || (seq > chain_since && !run.is_resumed)) return;
    for (const auto& note : run.draft.row(kRederived, seq)) {
        if (!note.term.starts_with(kRederivedByViews)) continue;
        run.draft.set_term(kRederived, seq, std::string(note.term), false);
        break;
    }
    run.draft.set_term(kRederived, seq, std::string(kRederivedByViews) + rederived_term(run.to),
                       true);
}

Result<void> Database::Impl::derive_rows(Advance& run, const ProgressFunction& progress) {
    Worklist& work = run.work;
    std::uint64_t total = work.moved.size();
    for (const SeqBitmap& dirty : work.dirty) total += dirty.size();
    ProgressMeter meter(progress, "re-deriving", total);
    // A part fills about a segment: it is committed in whole files.
    const std::size_t part_rows = options.view_segment_rows_max;
    const Chain::World the_world = world();
    Chain::Run chain_run{&run.delta, &the_world, &ledger.gone(), &run.draft, part_rows, {}, {}};
    chain_run.save = [&] {
        const std::uint64_t left = work.dirty[work.stage].size() + work.moved_out.size();
        meter.at(total - std::min(total, left));
        return save_part(run);
    };
    chain_run.settled = [&](const Chain::Stage& view, Seq seq, bool is_other) {
        settle(run, view, seq, is_other);
    };
    SLUICE_TRY(chain.run_transforms(work, chain_run));
    // Their rows were taken away when they could not be derived, so they are due in any case.
    for (const Seq seq : waiting(run.draft.below(), kPendingTerm)) {
        if (!ledger.gone().deleted.contains(seq)) work.moved.insert(seq);
    }

    std::size_t in_part = 0;
    for (Seq seq = work.moved.next_from({1}); seq != SeqBitmap::kNone;
         seq = work.moved.next_from(seq.next())) {
        const bool is_new = seq > chain_since;
        if (!is_new) {
            run.mapped_again.push_back(seq);
            run.draft.set_term(kPending, seq, kPendingTerm, false);
        }
        if (run.is_noted && (!is_new || run.is_resumed)) {
            run.draft.set_row(kRederived, seq, {{rederived_term(run.to), {}}});
        }
        map_moved(run, seq, is_new);
        if (++in_part % part_rows == 0 && !chain.empty()) {
            // From here on these are done.
            for (Seq done = work.moved.next_from({1}); done <= seq;
                 done = work.moved.next_from(done.next())) {
                work.moved.remove(done);
            }
            SLUICE_TRY(save_part(run));
            meter.at(std::min(total, std::uint64_t{in_part}));
        }
    }
    work.moved = {};
    return chain.run_readers(work, chain_run);
}

Result<std::vector<Seq>> Database::Impl::rederived_since(Seq since, Deriver deriver,
                                                         const StoreSnapshot& rows) const {
    SLUICE_TRY_ASSIGN(std::vector<Seq> seqs, rederived_by(since, deriver, rows));
    const auto pending =
        rows.scan(kPending, deriver == Deriver::any ? ScanRange() : ScanRange::exact(kPendingTerm));
    while (pending->next()) seqs.push_back(pending->seq());
    SLUICE_TRY(pending->status());
    sort_unique(seqs);
    return seqs;
}

Result<void> Database::Impl::purge_behind_secrets() {
    const std::set<Seq> owed = facts.secret_drops();
    for (const Seq drop : owed) {
        // What it opened may have been derived again, for other reasons, since it was put.
        const FactId* const id = facts.named_by(drop);
        const Seq first = id != nullptr ? facts.entries_of(*id).front() : drop;
        SLUICE_TRY_ASSIGN(const std::vector<Seq> seqs,
                          rederived_since(first, Deriver::any, *store->snapshot()));
        if (chain.empty() && seqs.empty()) continue;
        SLUICE_TRY_ASSIGN(const auto purged, store->purge({}, seqs, options.erase_patience));
        Change receipt = new_change(ChangeKind::receipt, {}, {});
        receipt.receipt.erasure = drop;
        receipt.receipt.reaches_device = log->medium() == Medium::device;
        receipt.receipt.segments_rewritten = purged.segments_rewritten;
        receipt.receipt.bytes_destroyed = purged.bytes_destroyed;
        SLUICE_TRY(append_change(receipt));
        SLUICE_TRY(advance({}));
    }
    return {};
}

} // namespace sluice
