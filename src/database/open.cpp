// Opening and closing. The order at opening: the log with its changes says what is true; the
// catalog says which views there are; the store has their rows up to some seq; the rest of the log
// is mapped again. An erasure that a crash interrupted is finished before anybody can read.
#include "base/try.hpp"
#include "database/impl.hpp"

#include <algorithm>
#include <set>

#include <sodium.h>

namespace sluice {

std::uint64_t now_ms() {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                          std::chrono::system_clock::now().time_since_epoch())
                                          .count());
}

Database::Impl::Impl(Directory& root_directory, const Options& the_options)
    : root(&root_directory), options(the_options), views(std::make_shared<const ViewSet>()) {}

Database::Impl::~Impl() {
    {
        const std::lock_guard publish_lock(publish_mutex);
        is_closing = true;
    }
    closing.notify_all();
    if (watch) watch->interrupt();
    if (follower.joinable()) follower.join();
    if (keeper.joinable()) keeper.join(); // It ends between two steps, and writes until then.
    if (syncer.joinable()) syncer.join();
    // Rows in memory are saved so that the next opening has nothing to map again. If that fails, it
    // maps them again.
    if (is_open && !write_failed && !options.read_only) {
        static_cast<void>(or_out_of_memory([&]() -> Result<void> {
                              SLUICE_TRY(log->sync());
                              SLUICE_TRY(store->save());
                              return save_readings();
                          }).has_value());
    }
    store.reset();
    log.reset();
}

void Database::Impl::abandon() {
    write_failed = true;
    if (log) log->refuse_writes();
    if (store) store->refuse_writes({Errc::latched, "a call was cut short"});
}

Result<void> Database::create(Directory& directory) {
    return or_out_of_memory([&]() -> Result<void> {
        SLUICE_TRY_ASSIGN(const auto names, directory.list());
        if (!names.empty()) return Error{Errc::exists, directory.path() + " is not empty"};
        SLUICE_TRY_ASSIGN(const auto log_directory,
                          directory.subdirectory("log", Create::if_missing));
        SLUICE_TRY_ASSIGN(const auto views_directory,
                          directory.subdirectory("views", Create::if_missing));
        SLUICE_TRY(directory.sync());
        // Before the lock, which says busy where somebody writes one.
        SLUICE_TRY(Log::check_is_none(*log_directory));
        // Of two that make one at the same time each would write a part of it.
        SLUICE_TRY_ASSIGN(const auto lock, log_directory->lock(Log::kLockName));
        return Log::create(*log_directory);
    });
}

Result<void> Database::create(const std::string& path) {
    SLUICE_TRY_ASSIGN(const auto directory, open_directory(path, Create::if_missing));
    return create(*directory);
}

Result<std::unique_ptr<Database>> Database::open(Directory& directory, const Options& options,
                                                 const ProgressFunction& progress) {
    return or_out_of_memory([&]() -> Result<std::unique_ptr<Database>> {
        auto impl = std::make_unique<Impl>(directory, options);
        SLUICE_TRY(impl->open(progress));
        return std::unique_ptr<Database>(new Database(std::move(impl)));
    });
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path, const Options& options,
                                                 const ProgressFunction& progress) {
    return or_out_of_memory([&]() -> Result<std::unique_ptr<Database>> {
        SLUICE_TRY_ASSIGN(auto directory, open_directory(path, Create::never));
        auto impl = std::make_unique<Impl>(*directory, options);
        impl->owned_root = std::move(directory);
        SLUICE_TRY(impl->open(progress));
        return std::unique_ptr<Database>(new Database(std::move(impl)));
    });
}

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::~Database() = default;

/// Before its lock is taken, which says busy where somebody makes a log.
Result<void> Database::Impl::find_log() {
    const auto or_none = [this](const Error& error) {
        const Error none{Errc::not_found, root->path() + " is not a sluice database"};
        return error.code == Errc::not_found ? none : error;
    };
    auto directory = root->subdirectory("log", Create::never);
    if (!directory) return or_none(directory.error());
    log_directory = std::move(*directory);
    const auto identity = Log::identity_of(*log_directory);
    if (!identity) return or_none(identity.error());
    return {};
}

Result<void> Database::Impl::open(const ProgressFunction& progress) {
    if (sodium_init() < 0) return Error{Errc::io, "the system has no source of randomness"};
    SLUICE_TRY(find_log());
    if (!options.read_only) {
        SLUICE_TRY_ASSIGN(file_lock, log_directory->lock(Log::kLockName));
    }
    const LogOptions log_options{options.log_segment_size_bytes, options.read_only,
                                 /*follows=*/options.read_only};
    SLUICE_TRY_ASSIGN(log, Log::open(*log_directory, log_options));
    notes = log->recovery_notes();
    SLUICE_TRY(replay_changes());

    SLUICE_TRY_ASSIGN(auto opened_catalog, Catalog::open(*log_directory));
    catalog.emplace(std::move(opened_catalog));
    if (const CatalogEntry* const known = catalog->find(kDerivationsName)) {
        derivations = Derivations::from_text(known->definition);
    }
    SLUICE_TRY_ASSIGN(views_directory, root->subdirectory("views", Create::if_missing));
    if (options.read_only) return open_to_read(progress);
    SLUICE_TRY_ASSIGN(store, open_store(*views_directory));
    if (store->snapshot()->position() > log->last()) {
        // Somebody put back a copy of the log, or lost its end: nothing derived from what is not
        // there any more may stay.
        note("the views were of a longer log, and are derived anew");
        SLUICE_TRY(remember_derivation({}));
        store.reset();
        SLUICE_TRY_ASSIGN(const auto names, views_directory->list());
        for (const std::string& name : names) SLUICE_TRY(destroy_file(*views_directory, name));
        SLUICE_TRY(views_directory->sync());
        SLUICE_TRY_ASSIGN(store, open_store(*views_directory));
    }
    SLUICE_TRY(open_derived(progress));
    derivations_of_rows = std::make_shared<Derivations>(derivations);
    is_open = true;

    for (const auto& [at, erasure] : ledger.erasures()) {
        if (erasure.receipt) continue;
        const auto finished = writing([&, order = at] { return finish_erasure(order, progress); });
        if (finished) {
            note("finished the erasure ordered by entry " + std::to_string(at.value));
        } else {
            note("the erasure ordered by entry " + std::to_string(at.value) +
                 " is not finished: " + finished.error().context);
        }
    }
    if (!facts.secret_drops().empty()) {
        const auto purged = writing([&] { return purge_behind_secrets(); });
        if (!purged) note("what a dropped key opened: " + purged.error().context);
    }
    start_syncing();
    if (!rules.empty()) start_keeper();
    return {};
}

Result<std::unique_ptr<SegmentStore>> Database::Impl::open_store(Directory& files) const {
    SegmentStoreOptions store_options;
    store_options.segment_rows_max = options.view_segment_rows_max;
    store_options.memory_bytes_max = std::max(options.view_memory_bytes_max, std::uint64_t{1});
    store_options.background = options.background && !options.read_only;
    // Rows must not outlive the messages they came from.
    store_options.before_save = [this](Seq position) { return log->sync_up_to(position); };
    return SegmentStore::open(files, store_options);
}

Result<void> Database::Impl::open_derived(const ProgressFunction& progress) {
    auto opened = try_to_derive(progress);
    if (opened || (!has_lost_reads() && !looks_into_damage())) return opened;
    // Damage is found when somebody looks there. Now all of it is, and given up.
    static_cast<void>(store->check());
    SLUICE_TRY(store->save());
    return try_to_derive(progress);
}

Result<void> Database::Impl::try_to_derive(const ProgressFunction& progress) {
    SLUICE_TRY(load_definitions());
    SLUICE_TRY(open_chain());
    // What is lost of the rows is derived again from the log as it is now: a message with the edit
    // behind it, which was shown without it before.
    const Seq derived_up_to = store->snapshot()->position();
    if (derived_up_to < log->last() && !chain.empty()) {
        SLUICE_TRY(remember_derivation(derived_up_to));
    }
    if (has_lost_reads()) SLUICE_TRY(mend_chain());
    return open_views(progress);
}

Result<void> Database::Impl::replay_changes() {
    const std::vector<Seq> damaged_at_open = log->damaged_at_open();
    std::set<Seq> damaged(damaged_at_open.begin(), damaged_at_open.end());
    SLUICE_TRY_ASSIGN(const std::vector<Seq> illegible, apply_changes(log->changes_at_open()));
    changes_known = log->last();
    damaged.insert(illegible.begin(), illegible.end());
    // What an erasure wiped by half is not damage.
    std::erase_if(damaged, [this](Seq seq) { return ledger.is_wiped(seq); });
    if (!damaged.empty()) {
        note(std::to_string(damaged.size()) + " entries are damaged, the first is " +
             std::to_string(damaged.begin()->value) + "; verify names them all");
    }
    return {};
}

Result<std::vector<Seq>> Database::Impl::apply_changes(std::span<const Seq> entries) {
    std::vector<Seq> illegible;
    for (const Seq at : entries) {
        SLUICE_TRY_ASSIGN(const bool is_legible, apply_change(at));
        if (!is_legible) illegible.push_back(at);
        changes_known = at;
    }
    return illegible;
}

Result<bool> Database::Impl::apply_change(Seq at) {
    const auto apply = [&](const Change& change) {
        const std::lock_guard lock(publish_mutex);
        ledger.apply(at, change);
        facts.apply(at, change);
        note_deleted(change);
    };
    const auto entry = log->read(at);
    if (!entry) {
        // A damaged replacement is still bytes of its message: it hides the version before it,
        // which somebody had a reason to replace, and goes when the message is erased.
        const auto legible = log->read_back(at);
        if (!legible || legible->erased) return false;
        auto change = decode_change(legible->body, at);
        if (change && change->kind == ChangeKind::replace) apply(*change);
        // Likewise a fact: it has no value, rather than the one before.
        if (change && change->kind == ChangeKind::put_fact) {
            change->kind = ChangeKind::drop_fact;
            damaged_facts.push_back({change->collection, change->fact_key});
            apply(*change);
        }
        return false;
    }
    SLUICE_TRY_ASSIGN(const auto change, change_of(*entry, at));
    if (change) {
        apply(*change);
    } else {
        const std::lock_guard lock(publish_mutex);
        ledger.apply_wiped(at);
    }
    return true;
}

Result<void> Database::Impl::remember_derivation(Seq behind) {
    if (options.read_only) return {}; // What it derives nobody else will see.
    derivations.add(behind);
    CatalogEntry entry;
    entry.name = kDerivationsName;
    entry.definition = derivations.text();
    return catalog->put(std::move(entry));
}

Result<void> Database::Impl::load_definitions() {
    auto set = std::make_shared<ViewSet>();
    RuleSet found_rules;
    for (const CatalogEntry& entry : catalog->entries()) {
        if (is_transform(entry) || entry.name == kDerivationsName) continue;
        if (is_engines_own(entry.name)) {
            SLUICE_TRY_ASSIGN(OpenView view, open_rule_view(entry, found_rules));
            set->emplace(entry.name, std::move(view));
            continue;
        }
        const auto loaded = loaded_code.find(entry.name);
        if (loaded != loaded_code.end() && is_same(loaded->second.entry, entry)) {
            set->emplace(entry.name, OpenView{entry, loaded->second.view});
            continue;
        }
        // A definition that compiled once compiles again, unless an older program reads it.
        SLUICE_TRY_ASSIGN(auto view, entry.app.empty() ? compile_view(entry.definition)
                                                       : compile_unloaded_view(entry.definition));
        set->emplace(entry.name, OpenView{entry, std::move(view)});
    }
    {
        const std::lock_guard lock(publish_mutex);
        rules = std::move(found_rules);
    }
    publish(std::move(set));
    return {};
}

Result<void> Database::Impl::open_views(const ProgressFunction& progress) {
    const std::vector<ViewId> stored = store->stored_views();
    const std::vector<ViewId> damaged = store->damaged_views();
    // What a damaged file had is derived again once the view has caught up; unless others looked
    // into it, who would not be told what changed.
    std::vector<ViewId> mendable{kKeyRegister};
    for (const auto& [name, each] : *views) {
        if (is_plain(each)) mendable.push_back(each.entry.id);
    }
    const auto is_stored = [&](ViewId id) {
        return is_among(id, stored) || (is_among(id, damaged) && is_among(id, mendable));
    };
    std::vector<ViewId> known = chain_views();
    known.push_back(kKeyRegister);
    known.push_back(kPending);
    for (const Chain::Stage& reader : chain.readers()) known.push_back(reader.reads());
    for (const auto& [name, each] : *views) known.push_back(each.entry.id);
    // What the catalog does not know is left of an interrupted change of definition.
    std::vector<ViewId> left_over;
    for (const auto* const ids : {&stored, &damaged}) {
        for (const ViewId id : *ids) {
            if (!is_among(id, known)) left_over.push_back(id);
        }
    }
    for (const ViewId id : left_over) wake_readers_of(id);

    const auto is_stage = [this](ViewId id) {
        return std::any_of(chain.readers().begin(), chain.readers().end(),
                           [id](const Chain::Stage& reader) { return reader.cells == id; });
    };

    // Views that stopped at the same seq catch up together; commonly that is all of them. Those
    // that the store has not begin anew.
    std::map<Seq, std::pair<std::vector<OpenView>, bool>> late;
    std::vector<OpenView> fresh;
    const auto since_of = [&](ViewId id) { return store->snapshot()->since(id); };
    const auto begin_with = [&](const ViewSpec& spec) -> Result<std::optional<Seq>> {
        // One that has come nowhere yet may be of an opening that was cut short before its turn:
        // what of the unfinished work was done then is not in it.
        const bool has_come = !unfinished || since_of(spec.id) > Seq{} || is_stage(spec.id);
        const bool is_there = is_stored(spec.id) && has_come;
        if (!is_there) { // Or it is damaged.
            SLUICE_TRY(mark_readers_of(spec.id));
            SLUICE_TRY(store->drop_view(spec.id));
        }
        // Empty, but there: what the log has changed is retracted from every view (P4).
        store->add_view(spec);
        if (!is_there) return std::optional<Seq>();
        return std::optional(since_of(spec.id));
    };
    for (const Chain::Stage& reader : chain.readers()) {
        const bool is_whole = is_stored(reader.cells) && is_stored(reader.reads()) &&
                              since_of(reader.cells) <= since_of(reader.reads());
        if (is_whole) continue;
        // Rows say nothing without their reads, nor reads without the rows.
        SLUICE_TRY(remember_derivation({}));
        for (const ViewId id : reader.views()) {
            SLUICE_TRY(store->drop_view(id));
            store->add_view({id, nullptr, false});
        }
        if (reader.map != nullptr) wake_for_new(reader.cells);
    }
    for (const auto& [name, each] : *views) {
        const ViewSpec spec{each.entry.id, reducer_of(*each.view), false};
        SLUICE_TRY_ASSIGN(const auto since, begin_with(spec));
        if (!can_map(*each.view)) continue; // As it is until its application opens it.
        if (since) {
            late[*since].first.push_back(each);
        } else if (chain.is_loaded()) { // Else until the code of the transforms is here.
            fresh.push_back(each);
        }
    }
    SLUICE_TRY_ASSIGN(const auto keys_since, begin_with({kKeyRegister, nullptr, true}));
    if (keys_since) late[*keys_since].second = true;

    // Whoever has come as far as the transforms goes on with them, in one moment.
    keys_current = keys_since.has_value() && *keys_since == store->snapshot()->position();
    if (keys_current) late[*keys_since].second = false;
    const auto current = late.find(chain_since);
    std::vector<OpenView> mapped_now;
    if (chain.is_loaded() && current != late.end()) {
        mapped_now = std::exchange(current->second.first, {});
    }
    map_for(mapped_now);
    SLUICE_TRY(advance(progress));
    if (!left_over.empty() && !chain.readers().empty()) SLUICE_TRY(store->save());
    for (const ViewId id : left_over) SLUICE_TRY(store->drop_view(id));

    if (chain.is_loaded()) {
        for (const auto& [since, group] : late) {
            if (group.first.empty() && !group.second) continue;
            SLUICE_TRY(catch_up(group.first, group.second, since, progress));
        }
        SLUICE_TRY(mend_plain_views(keys_since.has_value(), progress));
    } else {
        note(without_code("the views stay where they are").context);
    }
    if (!fresh.empty() || !keys_since) {
        std::mutex needless; // Whoever reads has his turn with write_mutex all the time.
        std::unique_lock write_lock(options.read_only ? needless : write_mutex, std::defer_lock);
        // Those whose code is here have looked there already, and found less than there will be.
        if (has_loaded_readers()) {
            for (const OpenView& each : fresh) SLUICE_TRY(mark_readers_of(each.entry.id));
        }
        SLUICE_TRY(build(fresh, !keys_since, write_lock, progress));
    }
    keys_current = true;
    remake_mapper();
    if (!fresh.empty() && has_loaded_readers()) SLUICE_TRY(advance(progress));
    return {};
}

void Database::Impl::start_syncing() {
    if (options.durability != Durability::interval || !options.background) return;
    syncer = std::thread([this] {
        std::unique_lock waiting(publish_mutex);
        while (!closing.wait_for(waiting, options.sync_interval, [this] { return is_closing; })) {
            waiting.unlock();
            // A failure latches the log, and the next append reports it.
            static_cast<void>(or_out_of_memory([this] { return log->sync(); }).has_value());
            waiting.lock();
        }
    });
}

void Database::Impl::note(std::string text) {
    if (keep_shown) return; // A reader takes files over, of which the opening has said it.
    const std::lock_guard lock(publish_mutex);
    notes.push_back(std::move(text));
}

std::vector<std::string> Database::recovery_notes() const {
    const std::lock_guard lock(impl_->publish_mutex);
    return impl_->notes;
}

Result<void> Database::flush() {
    return impl_->writing([&]() -> Result<void> { return impl_->log->sync(); });
}

} // namespace sluice
