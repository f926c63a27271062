// Retention: which messages are due, and taking them.
//
// A rule has an index of the engine's own (retention_rule.hpp), in which the due ones of an age are
// a range from the front. For a count or a size there are also sums of each group: by how much one
// is over, and so how far to go from its front. Groups that nothing was added to are not looked at.
#include "base/json.hpp"
#include "base/try.hpp"
#include "database/impl.hpp"

#include <algorithm>
#include <limits>

namespace sluice {
namespace {

constexpr std::size_t kBatchDeleted = 16384;
constexpr std::size_t kBatchErased = 131072; // Each rewrites whole segments.
constexpr std::size_t kExaminedAtOnce = 16384;

bool erases(const Retention& rule) {
    return rule.rule().action == RetentionRule::Action::erase;
}

ViewId id_of(const ViewSet& views, const std::string& name) {
    return views.find(name)->second.entry.id;
}

std::string reason_of(const Retention& rule) {
    return "retention rule " + rule.rule().name;
}

} // namespace

Result<OpenView> Database::Impl::open_rule_view(const CatalogEntry& entry, RuleSet& into) {
    const char mark = entry.name.front();
    if (mark != Retention::kIndexMark && mark != Retention::kSumsMark) {
        return Error{Errc::unsupported_version, "the catalog has something of a newer version"};
    }
    std::shared_ptr<Retention>& rule = into[entry.name.substr(1)];
    if (!rule) {
        SLUICE_TRY_ASSIGN(rule, Retention::from_definition(entry.name.substr(1), entry.definition));
    }
    SLUICE_TRY_ASSIGN(auto view, mark == Retention::kIndexMark ? Retention::index_view(rule)
                                                               : Retention::sums_view(rule));
    return OpenView{entry, std::move(view)};
}

void Database::Impl::note_deleted(const Change& change) {
    if (change.kind != ChangeKind::remove) return;
    for (const auto& [name, rule] : rules) rule->note_deleted(change.seqs);
}

std::shared_ptr<Retention> Database::Impl::find_rule(std::string_view name) const {
    const auto found = rules.find(name);
    return found == rules.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Retention>> Database::Impl::rules_in_turn() const {
    const std::lock_guard lock(write_mutex);
    std::vector<std::shared_ptr<Retention>> in_turn;
    in_turn.reserve(rules.size());
    for (const auto& [name, rule] : rules) in_turn.push_back(rule);
    std::stable_partition(in_turn.begin(), in_turn.end(),
                          [](const auto& rule) { return erases(*rule); });
    return in_turn;
}

/// Also not with a neighbour whose header is lost, as an erasure takes it.
bool Database::Impl::is_held_back(const Retention& rule, Seq seq) const {
    if (!erases(rule)) return ledger.is_held(seq);
    const auto [first, last] = log->wiped_with(seq);
    return ledger.held().any_between(first, last);
}

std::optional<std::int64_t> Database::Impl::cutoff_of(const Retention& rule) const {
    const std::int64_t cutoff = static_cast<std::int64_t>(now()) - rule.rule().older_than->count();
    return cutoff > 0 ? std::optional(cutoff) : std::nullopt;
}

Result<void> Database::Impl::due_by_age(Retention& rule, std::size_t count_max,
                                        RetentionBatch& batch) const {
    const auto cutoff = cutoff_of(rule);
    if (!cutoff) return {};
    const auto rows = store->snapshot();
    ScanRange range;
    range.to = Key(*cutoff + 1).encoded();
    const auto index = rows->scan(id_of(*views, Retention::index_name(rule.rule().name)), range);
    while (batch.seqs.size() < count_max && index->next()) {
        const Seq seq = index->seq();
        if (is_held_back(rule, seq)) {
            ++batch.held;
        } else {
            batch.seqs.push_back(seq);
        }
    }
    return index->status();
}

std::optional<RetentionPlace> Database::Impl::place_of_deleted(const Retention& rule,
                                                               Seq seq) const {
    const auto message = latest(seq, log->last());
    if (!message || message->erased || message->kind != Log::Kind::message) return std::nullopt;
    JsonParser parser;
    return rule.place_of({seq, message->key, message->body, parser.parse(message->body)});
}

Result<void> Database::Impl::due_of_deleted(Retention& rule, std::size_t count_max,
                                            RetentionBatch& batch) {
    if (!std::exchange(rule.knows_deleted, true)) rule.note_deleted(ledger.gone());
    for (std::size_t i = 0; i < kExaminedAtOnce && rule.unexamined.size() > 0; ++i) {
        const Seq seq = rule.unexamined.next_from({1});
        rule.unexamined.remove(seq);
        if (const auto place = place_of_deleted(rule, seq))
            rule.deleted.push({place->time_ms, seq});
    }
    batch.is_part = rule.unexamined.size() > 0;
    const auto cutoff = cutoff_of(rule);
    std::vector<Retention::Waiting> stay;
    while (cutoff && !rule.deleted.empty() && rule.deleted.top().first <= *cutoff &&
           batch.seqs.size() < count_max) {
        const Retention::Waiting top = rule.deleted.top();
        rule.deleted.pop();
        const Gone& gone = ledger.gone();
        if (!gone.deleted.contains(top.second) || gone.erased.contains(top.second)) continue;
        // It may have been restored in between, replaced and deleted again.
        const auto place = place_of_deleted(rule, top.second);
        if (!place) continue;
        if (place->time_ms > *cutoff) {
            stay.emplace_back(place->time_ms, top.second);
        } else if (is_held_back(rule, top.second)) {
            ++batch.held;
            stay.push_back(top);
        } else {
            batch.seqs.push_back(top.second);
        }
    }
    for (const Retention::Waiting& each : stay) rule.deleted.push(each);
    return {};
}

Result<void> Database::Impl::due_by_group(Retention& rule, std::size_t count_max,
                                          RetentionBatch& batch) const {
    const auto rows = store->snapshot();
    const ViewId index_id = id_of(*views, Retention::index_name(rule.rule().name));
    const OpenView& sums = views->find(Retention::sums_name(rule.rule().name))->second;
    if (!rule.knows_groups) {
        const auto all = rows->groups(sums.entry.id, {});
        while (all->next()) rule.touch(all->term());
        SLUICE_TRY(all->status());
        rule.knows_groups = true;
    }
    JsonParser parser;
    for (const std::string& group : rule.touched()) {
        if (batch.seqs.size() >= count_max) return {};
        const auto sum = rows->groups(sums.entry.id, ScanRange::exact(group));
        std::uint64_t count = 0, size_bytes = 0;
        if (sum->next()) {
            const std::string text =
                aggregate_to_json(*sums.view, sum->row_count(), sum->partial());
            const Value* const json = parser.parse(text);
            count = static_cast<std::uint64_t>(json->find("count")->as_int64().value_or(0));
            size_bytes = static_cast<std::uint64_t>(json->find("sum")->as_int64().value_or(0));
        }
        SLUICE_TRY(sum->status());
        const auto is_over = [&] {
            return rule.rule().keep_last ? count > *rule.rule().keep_last
                                         : size_bytes > *rule.rule().keep_bytes;
        };
        bool is_settled = true;
        const auto index = rows->scan(index_id, ScanRange::with_prefix(group));
        while (is_over() && index->next()) {
            SLUICE_TRY_ASSIGN(const RetentionPlace place,
                              Retention::decode(index->term(), group.size()));
            if (is_held_back(rule, place.seq)) {
                ++batch.held;
                is_settled = false; // Looked at again, in case it is released.
            } else if (batch.seqs.size() >= count_max) {
                is_settled = false;
                break;
            } else {
                batch.seqs.push_back(place.seq);
            }
            --count;
            size_bytes -= std::min(size_bytes, place.size_bytes);
        }
        SLUICE_TRY(index->status());
        if (is_settled) batch.settled.push_back(group);
    }
    return {};
}

Result<RetentionBatch> Database::Impl::due(Retention& rule, std::size_t count_max) {
    RetentionBatch batch;
    if (rule.has_groups()) {
        SLUICE_TRY(due_by_group(rule, count_max, batch));
    } else {
        SLUICE_TRY(due_by_age(rule, count_max, batch));
        if (erases(rule)) SLUICE_TRY(due_of_deleted(rule, count_max, batch));
    }
    sort_unique(batch.seqs);
    return batch;
}

/// One batch, in one change.
Result<Seq> Database::Impl::take_due(const Retention& rule, const std::vector<Seq>& seqs,
                                     const RetentionTurn& turn) {
    const ChangeOptions why{
        .reason = reason_of(rule), .actor = "sluice", .progress = turn.progress};
    if (erases(rule)) {
        SLUICE_TRY(log->sync());
        SLUICE_TRY_ASSIGN(const Changed changed,
                          erase_all(new_change(ChangeKind::erase, why, seqs), why, turn.patience));
        return changed.at;
    }
    SLUICE_TRY_ASSIGN(const Seq at, append_change(new_change(ChangeKind::remove, why, seqs)));
    SLUICE_TRY(advance(turn.progress));
    return at;
}

void Database::Impl::note_run(Retention& rule,
                              const std::function<void(Retention::Runs&)>& note_in) {
    const std::lock_guard lock(publish_mutex);
    note_in(rule.runs);
}

/// Looks at what is due, and takes it unless it is a dry run: under one lock, so that no hold comes
/// between the two. Answers whether there may be more.
Result<bool> Database::Impl::apply_batch(const Retention& wanted, const RetentionTurn& turn,
                                         RetentionRun& run) {
    const std::lock_guard derive_lock(derive_mutex);
    const std::lock_guard lock(write_mutex);
    // It may have been dropped meanwhile; a reader compiles it anew with each catalog.
    const auto known = find_rule(wanted.rule().name);
    if (!known || known->definition() != wanted.definition()) return false;
    Retention& rule = *known;
    if (!chain.is_loaded()) {
        return without_code("nobody can tell what a rule of retention is about");
    }
    if (erases(rule) && !turn.is_dry_run) {
        // What readers kept from being finished comes first, so that it does not pile up.
        SLUICE_TRY(finish_owed_erasures({}, Pinned::wait, turn.patience));
    }
    const std::size_t count_max = turn.is_dry_run ? std::numeric_limits<std::size_t>::max()
                                  : erases(rule)  ? kBatchErased
                                                  : kBatchDeleted;
    SLUICE_TRY_ASSIGN(RetentionBatch batch, due(rule, count_max));
    run.held = batch.held;
    if (turn.is_dry_run) {
        run.seqs.insert(run.seqs.end(), batch.seqs.begin(), batch.seqs.end());
        return batch.is_part;
    }
    rule.settle(batch.settled);
    note_run(rule, [&](Retention::Runs& runs) {
        runs.held = batch.held;
        runs.last_run_ms = now();
    });
    if (batch.seqs.empty()) return batch.is_part;
    const auto taken = take_due(rule, batch.seqs, turn);
    note_run(rule, [&](Retention::Runs& runs) {
        const SeqBitmap& gone = ledger.gone().deleted;
        runs.taken += static_cast<std::uint64_t>(std::count_if(
            batch.seqs.begin(), batch.seqs.end(), [&](Seq seq) { return gone.contains(seq); }));
    });
    if (!taken) {
        // Some may be left: a reader that pins them keeps an erasure from being finished, but not
        // from being ordered.
        rule.knows_groups = false;
        rule.note_deleted(batch.seqs);
        return taken.error();
    }
    run.seqs.insert(run.seqs.end(), batch.seqs.begin(), batch.seqs.end());
    run.changes.push_back(*taken);
    return true;
}

Result<RetentionRun> Database::Impl::apply_rule(const std::shared_ptr<Retention>& rule,
                                                const RetentionTurn& turn) {
    RetentionRun run{rule->rule().name, rule->rule().action, {}};
    const auto batches = [&]() -> Result<void> {
        while (true) {
            SLUICE_TRY_ASSIGN(const bool goes_on, apply_batch(*rule, turn, run));
            if (!goes_on || is_closing_now()) break;
            std::this_thread::sleep_for(std::chrono::microseconds(200)); // Others write, too.
        }
        if (run.changes.empty()) return {};
        return acknowledge();
    };
    const auto done = turn.is_dry_run ? or_out_of_memory(batches) : writing(batches);
    if (turn.is_dry_run) {
        // What is deleted and was found is due the next time, too.
        const std::lock_guard lock(write_mutex);
        std::vector<Seq> found = run.seqs;
        std::erase_if(found, [&](Seq seq) { return !ledger.gone().deleted.contains(seq); });
        if (const auto known = find_rule(run.rule)) known->note_deleted(found);
    } else {
        note_run(*rule, [&](Retention::Runs& runs) {
            runs.error = done ? std::string() : done.error().context;
        });
    }
    if (!done) return done.error();
    sort_unique(run.seqs);
    return run;
}

Result<void> Database::add_retention(const RetentionRule& rule, const ProgressFunction& progress) {
    SLUICE_TRY(check_label("a rule", rule.name));
    return impl_->writing([&]() -> Result<void> {
        Impl& impl = *impl_;
        const std::lock_guard retention_lock(impl.retention_mutex);
        std::string view_definition;
        if (!rule.view.empty()) {
            const std::lock_guard lock(impl.write_mutex);
            SLUICE_TRY_ASSIGN(const OpenView* const view, known_view(*impl.views, rule.view));
            if (!view->entry.app.empty()) {
                return Error{Errc::invalid_argument,
                             "view " + rule.view +
                                 " is written in code, which a rule cannot keep: "
                                 "name a declared one"};
            }
            view_definition = view->entry.definition;
        }
        SLUICE_TRY_ASSIGN(const auto compiled, Retention::compile(rule, view_definition));
        {
            const std::lock_guard lock(impl.write_mutex);
            if (const auto known = impl.find_rule(rule.name)) {
                if (known->definition() == compiled->definition()) return {};
                return Error{Errc::exists, "there is another rule " + rule.name +
                                               ": drop it first, or choose another name"};
            }
        }
        std::vector<OpenView> wanted;
        SLUICE_TRY_ASSIGN(auto index, Retention::index_view(compiled));
        const std::string& definition = compiled->definition();
        wanted.push_back(
            {{{}, Retention::index_name(rule.name), {}, 0, definition}, std::move(index)});
        if (compiled->has_groups()) {
            SLUICE_TRY_ASSIGN(auto sums, Retention::sums_view(compiled));
            wanted.push_back(
                {{{}, Retention::sums_name(rule.name), {}, 0, definition}, std::move(sums)});
        }
        SLUICE_TRY(impl.add_views(std::move(wanted), progress));
        const std::lock_guard derive_lock(impl.derive_mutex);
        {
            const std::lock_guard lock(impl.write_mutex);
            const std::lock_guard publish_lock(impl.publish_mutex);
            impl.rules.emplace(rule.name, compiled);
        }
        impl.start_keeper();
        return {};
    });
}

Result<void> Database::drop_retention(const std::string& name) {
    return impl_->writing([&]() -> Result<void> {
        Impl& impl = *impl_;
        const std::lock_guard retention_lock(impl.retention_mutex);
        const std::lock_guard derive_lock(impl.derive_mutex);
        const std::lock_guard lock(impl.write_mutex);
        const auto rule = impl.find_rule(name);
        if (!rule) return Error{Errc::not_found, "there is no rule " + name};
        std::vector<std::string> names{Retention::index_name(name)};
        if (rule->has_groups()) names.push_back(Retention::sums_name(name));
        {
            const std::lock_guard publish_lock(impl.publish_mutex);
            impl.rules.erase(name);
        }
        return impl.drop_views(names, {});
    });
}

std::vector<RetentionInfo> Database::retention() const {
    const std::lock_guard lock(impl_->publish_mutex);
    std::vector<RetentionInfo> infos;
    for (const auto& [name, rule] : impl_->rules) {
        const Retention::Runs& runs = rule->runs;
        infos.push_back({rule->rule(), runs.taken, runs.held, runs.last_run_ms, runs.error});
    }
    return infos;
}

Result<std::vector<RetentionRun>> Database::apply_retention(const RetentionOptions& options,
                                                            const ProgressFunction& progress) {
    const auto apply = [&]() -> Result<std::vector<RetentionRun>> {
        std::vector<RetentionRun> runs;
        bool is_known = options.rule.empty();
        for (const auto& rule : impl_->rules_in_turn()) {
            if (!options.rule.empty() && rule->rule().name != options.rule) continue;
            is_known = true;
            SLUICE_TRY_ASSIGN(RetentionRun run,
                              impl_->apply_rule(rule, {options.dry_run, progress, {}}));
            runs.push_back(std::move(run));
        }
        if (!is_known) return Error{Errc::not_found, "there is no rule " + options.rule};
        return runs;
    };
    // A reader refuses it whatever is due.
    return options.dry_run ? or_out_of_memory(apply) : impl_->writing(apply);
}

} // namespace sluice
