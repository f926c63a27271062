// Adding, switching and dropping views, and what there is to say about a database.
#include "base/try.hpp"
#include "database/impl.hpp"

#include <algorithm>

namespace sluice {

namespace {

std::vector<ViewId> ids_of(const OpenView& view) {
    const ViewId id = view.entry.id;
    if (reads_of(*view.view) == nullptr) return {id};
    return {id, {id.value + 1}};
}

/// Does it when the block ends, however that is.
class OnLeaving {
public:
    explicit OnLeaving(std::function<void()> work) : work_(std::move(work)) {}
    ~OnLeaving() { work_(); }
    OnLeaving(const OnLeaving&) = delete;
    OnLeaving& operator=(const OnLeaving&) = delete;

private:
    std::function<void()> work_;
};

} // namespace

bool is_same(const CatalogEntry& a, const CatalogEntry& b) {
    return a.app.empty() == b.app.empty() && a.version == b.version && a.definition == b.definition;
}

const OpenView* find_view(const ViewSet& views, std::string_view name) {
    const auto found = is_engines_own(name) ? views.end() : views.find(name);
    return found == views.end() ? nullptr : &found->second;
}

Result<const OpenView*> known_view(const ViewSet& views, std::string_view name) {
    const OpenView* const found = find_view(views, name);
    if (found == nullptr) return Error{Errc::not_found, "there is no view " + std::string(name)};
    return found;
}

Result<const OpenView*> view_of_messages(const ViewSet& views, std::string_view name) {
    SLUICE_TRY_ASSIGN(const OpenView* const found, known_view(views, name));
    if (!shows_rows(kind_of(*found->view))) {
        return Error{Errc::invalid_argument,
                     "the rows of view " + std::string(name) + " are groups, not messages"};
    }
    return found;
}

void Database::Impl::publish(std::shared_ptr<const ViewSet> set) {
    const std::lock_guard lock(publish_mutex);
    views = std::move(set);
    derivations_of_rows = std::make_shared<Derivations>(derivations);
    void_switched_views();
    tell_readers();
}

void Database::Impl::count_errors(const std::vector<OpenView>& mapped_views, Mapper& their_mapper) {
    const auto errors = their_mapper.take_errors();
    if (errors.empty()) return;
    const std::lock_guard lock(publish_mutex);
    for (std::size_t i = 0; i < mapped_views.size(); ++i) {
        errors_counted[mapped_views[i].entry.id] += errors[i];
    }
}

void Database::Impl::remake_mapper() {
    std::vector<OpenView> can_follow;
    for (const auto& [name, each] : *views) {
        const bool is_late = catching_up.contains(each.entry.id);
        if (chain.is_loaded() && can_map(*each.view) && !is_late) can_follow.push_back(each);
    }
    map_for(std::move(can_follow));
}

void Database::Impl::map_for(std::vector<OpenView> current) {
    if (mapper) {
        mapper->discard_unsettled(); // Of a call that failed.
        count_errors(mapped, *mapper);
    }
    mapped = std::move(current);
    std::vector<std::shared_ptr<const View>> to_map;
    for (const OpenView& each : mapped) to_map.push_back(each.view);
    mapper.emplace(std::move(to_map));
    std::vector<OpenView> following = mapped;
    for (const auto& [name, each] : *views) {
        const bool is_reader = reads_of(*each.view) != nullptr;
        if (is_reader && is_loaded(*each.view) && chain.is_loaded()) following.push_back(each);
    }
    unmapped = all_but(following, /*with_keys=*/true);
}

Result<void> Database::Impl::add_views(std::vector<OpenView> wanted,
                                       const ProgressFunction& progress) {
    return writing([&]() -> Result<void> {
        const std::lock_guard derive_lock(derive_mutex);
        if (!chain.is_loaded()) {
            return without_code("nobody can derive a view");
        }
        std::vector<OpenView> fresh;  // To be derived from the whole log.
        std::vector<OpenView> loaded; // Known views whose function is here now.
        std::vector<OpenView> fresh_readers;
        std::vector<OpenView> loaded_readers;
        std::vector<OpenView> beside;      // Loaded, and caught up later.
        std::vector<CatalogEntry> changed; // Known views of which another use is to be noted.
        {
            const std::lock_guard lock(write_mutex);
            const std::vector<ViewId> damaged = store->damaged_views();
            for (OpenView& each : wanted) {
                const CatalogEntry* const known = catalog->find(each.entry.name);
                const bool same = known != nullptr && is_same(*known, each.entry);
                const bool is_declared = each.entry.app.empty();
                const std::vector<CatalogUse> by = std::move(each.entry.uses);
                if (same) {
                    each.entry = *known;
                    note_opened(each.entry, by);
                    if (each.entry != *known) changed.push_back(each.entry);
                    if (is_declared) continue;
                }
                SLUICE_TRY(check_reads(each.entry.name, *each.view));
                const bool is_reader = reads_of(*each.view) != nullptr;
                if (same) {
                    // Whoever looked into damaged rows cannot be told what changes in them: such a
                    // view begins anew under its old name and id. Others are mended.
                    const ViewId id = each.entry.id;
                    const bool is_damaged = is_among(id, damaged);
                    if (is_damaged && !is_plain(each) && !chain.readers().empty()) {
                        SLUICE_TRY(remember_derivation({}));
                        SLUICE_TRY(mark_readers_of(id));
                    }
                    if (is_reader) {
                        (is_damaged ? fresh_readers : loaded_readers).push_back(each);
                    } else if (is_damaged && !is_plain(each)) {
                        fresh.push_back(each);
                    } else if (is_plain(each) && each.when_behind == WhenBehind::read_on) {
                        beside.push_back(each);
                    } else {
                        loaded.push_back(each);
                    }
                    continue;
                }
                // Who worked with what had the name works with what has it now.
                each.entry.uses = known != nullptr ? known->uses : std::vector<CatalogUse>();
                note_opened(each.entry, by);
                SLUICE_TRY_ASSIGN(each.entry.id, take_ids(is_reader ? Chain::kViewsOfReader : 1));
                (is_reader ? fresh_readers : fresh).push_back(each);
            }
            const std::lock_guard publish_lock(publish_mutex);
            for (const OpenView& each : fresh) building.push_back(each.entry);
        }
        const OnLeaving built([this] {
            const std::lock_guard publish_lock(publish_mutex);
            building.clear();
        });
        std::unique_lock write_lock(write_mutex, std::defer_lock);
        if (fresh.empty()) {
            write_lock.lock();
        } else {
            SLUICE_TRY(build(fresh, false, write_lock, progress));
        }
        for (const OpenView& each : fresh_readers) SLUICE_TRY(build_reader(each, progress));
        fresh.insert(fresh.end(), fresh_readers.begin(), fresh_readers.end());
        for (const OpenView& each : loaded) {
            // The code of a fold came with the function: from now on the store keeps partials.
            store->add_view({each.entry.id, reducer_of(*each.view), false});
            // One app may register its function anew at any time; then there is nothing to catch
            // up.
            SLUICE_TRY(catch_up({each}, false, store->snapshot()->since(each.entry.id), progress));
        }
        SLUICE_TRY(mend(loaded, /*keys_too=*/false, progress));
        for (const OpenView& each : beside) {
            store->add_view({each.entry.id, reducer_of(*each.view), false});
        }
        {
            const std::lock_guard publish_lock(publish_mutex);
            for (const OpenView& each : loaded) catching_up.erase(each.entry.id);
            // Where it is as far as the log this is done in a moment.
            const auto rows = store->snapshot();
            for (const OpenView& each : beside) {
                catching_up.emplace(each.entry.id, rows->since(each.entry.id));
            }
        }
        auto set = std::make_shared<ViewSet>(*views);
        for (const CatalogEntry& entry : changed) set->find(entry.name)->second.entry = entry;
        std::vector<ViewId> replaced;
        for (const auto* const list : {&fresh, &loaded, &loaded_readers, &beside}) {
            for (const OpenView& each : *list) {
                const auto old = set->find(each.entry.name);
                if (old != set->end() && old->second.entry.id != each.entry.id) {
                    for (const ViewId id : ids_of(old->second)) replaced.push_back(id);
                }
                set->insert_or_assign(each.entry.name, each);
            }
        }
        // The rows first, then the name: a crash in between leaves rows that no name leads to,
        // which the next opening drops.
        if (!fresh.empty()) SLUICE_TRY(store->save());
        std::vector<CatalogEntry> named = std::move(changed);
        for (const OpenView& each : fresh) named.push_back(each.entry);
        if (!named.empty()) SLUICE_TRY(catalog->put(named));
        const bool has_readers = !chain.readers().empty() || !loaded_readers.empty();
        if (has_readers) pin_shown(); // They follow in the same moment.
        publish(std::move(set));
        install_chain();
        remake_mapper();
        if (has_readers) {
            for (const ViewId id : replaced) wake_readers_of(id);
            for (const OpenView& each : loaded_readers) wake_for_new(each.entry.id);
            SLUICE_TRY(advance(progress));
            // While what was replaced is there, it tells an opening whom it has to wake.
            if (!replaced.empty()) SLUICE_TRY(store->save());
        }
        for (const ViewId id : replaced) SLUICE_TRY(store->drop_view(id));
        if (!beside.empty()) start_keeper();
        return {};
    });
}

Result<void> check_label(const std::string& what, std::string_view name) {
    constexpr std::size_t kNameSizeMax = 200;
    const bool printable = std::all_of(name.begin(), name.end(), [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
    });
    if (name.empty() || name.size() > kNameSizeMax || !printable) {
        return Error{Errc::invalid_argument,
                     what + "'s name is 1 to 200 bytes without control characters"};
    }
    return {};
}

namespace {

/// Comparing its pointers and conditions with each other is not to take long.
Result<void> check_definition_size(std::string_view json) {
    constexpr std::size_t kDefinitionSizeBytesMax = 64 * 1024;
    if (json.size() <= kDefinitionSizeBytesMax) return {};
    return Error{Errc::invalid_argument, "a view's definition is at most 64 KiB long"};
}

} // namespace

Result<void> Database::add_views(std::span<const NewView> views, const ProgressFunction& progress) {
    return impl_->writing([&]() -> Result<void> {
        std::vector<OpenView> wanted;
        for (const NewView& each : views) {
            SLUICE_TRY(check_label("a view", each.name));
            SLUICE_TRY(check_definition_size(each.definition_json));
            SLUICE_TRY_ASSIGN(auto view, compile_view(each.definition_json));
            const std::string definition = canonical_definition(*view);
            OpenView one{{{}, each.name, {}, 0, definition}, std::move(view)};
            if (!each.app.empty()) {
                SLUICE_TRY(check_label("an app", each.app));
                one.entry.uses.push_back({each.app, 0});
            }
            wanted.push_back(std::move(one));
        }
        return impl_->add_views(std::move(wanted), progress);
    });
}

Result<void> Database::add_view(const std::string& name, std::string_view definition_json,
                                const ProgressFunction& progress) {
    return impl_->writing([&] {
        const NewView view{name, std::string(definition_json), {}};
        return add_views(std::span(&view, 1), progress);
    });
}

Result<void> Database::add_view(const std::string& name, const CodeView& code,
                                const ProgressFunction& progress) {
    SLUICE_TRY(check_label("a view", name));
    if (code.app.empty()) {
        return Error{Errc::invalid_argument, "a view written in code needs the name of its app"};
    }
    SLUICE_TRY(check_label("an app", code.app));
    if (impl_->options.read_only) return impl_->load_code(name, code, progress);
    return impl_->writing([&]() -> Result<void> {
        SLUICE_TRY_ASSIGN(auto view, compile_view(code));
        const std::string definition = canonical_definition(*view);
        OpenView one{{{}, name, code.app, code.version, definition}, std::move(view)};
        one.entry.uses.push_back({code.app, 0});
        one.when_behind = code.when_behind;
        return impl_->add_views({std::move(one)}, progress);
    });
}

Result<void> Database::Impl::drop_views(const std::vector<std::string>& names,
                                        const std::vector<CatalogEntry>& changed) {
    std::vector<ViewId> ids;
    auto set = std::make_shared<ViewSet>(*views);
    std::vector<CatalogEntry> entries = catalog->entries();
    for (const std::string& name : names) {
        const auto found = set->find(name);
        for (const ViewId id : ids_of(found->second)) ids.push_back(id);
        set->erase(found);
        std::erase_if(entries, [&](const CatalogEntry& each) { return each.name == name; });
    }
    for (const CatalogEntry& entry : changed) {
        set->find(entry.name)->second.entry = entry;
        *std::find_if(entries.begin(), entries.end(),
                      [&](const CatalogEntry& each) { return each.name == entry.name; }) = entry;
    }
    SLUICE_TRY(catalog->replace(std::move(entries)));
    {
        const std::lock_guard lock(publish_mutex);
        for (const ViewId id : ids) catching_up.erase(id);
    }
    publish(std::move(set));
    install_chain();
    remake_mapper();
    for (const ViewId id : ids) SLUICE_TRY(store->drop_view(id));
    return {};
}

Result<void> Database::drop_view(const std::string& name) {
    return impl_->writing([&]() -> Result<void> {
        const std::lock_guard derive_lock(impl_->derive_mutex);
        const std::lock_guard lock(impl_->write_mutex);
        SLUICE_TRY(known_view(*impl_->views, name));
        if (const std::string* const reader = reader_of(*impl_->views, name)) {
            return Error{Errc::invalid_argument,
                         "view " + *reader + " reads " + name + ": drop that one first"};
        }
        return impl_->drop_views({name}, {});
    });
}

std::string_view name_of(ViewInfo::State state) {
    switch (state) {
    case ViewInfo::State::current: return "current";
    case ViewInfo::State::behind: return "behind";
    case ViewInfo::State::building: return "building";
    case ViewInfo::State::waits_for_code: return "waits for its code";
    case ViewInfo::State::damaged: return "damaged";
    }
    return "unknown";
}

namespace {

ViewInfo info_of_entry(const CatalogEntry& entry) {
    ViewInfo info;
    info.name = entry.name;
    info.app = entry.app;
    info.version = entry.version;
    info.definition = entry.definition;
    info.opened_ms = entry.opened_ms;
    for (const CatalogUse& use : entry.uses) info.uses.push_back({use.app, use.opened_ms});
    return info;
}

} // namespace

Database::Impl::ViewsNow Database::Impl::views_now() const {
    const std::lock_guard lock(publish_mutex);
    const auto seen = shown ? shown_views : views;
    return {shown_rows(), seen,     store->stats(),    store->damaged_views(), errors_counted,
            catching_up,  building, ledger.remaking(), ledger.changes()};
}

ViewInfo Database::Impl::info_of(const OpenView& each, const ViewsNow& now_known) const {
    const ViewId id = each.entry.id;
    const StoreSnapshot& rows = *now_known.rows;
    ViewInfo info = info_of_entry(each.entry);
    info.kind = name_of(kind_of(*each.view));
    info.loaded = is_loaded(*each.view);
    info.since = rows.since(id);
    // What a reader reads, nobody writes down.
    const bool was_read = each.was_read->load(std::memory_order_relaxed);
    if (was_read && !options.read_only) info.opened_ms = now();
    const auto counted = now_known.errors.find(id);
    if (counted != now_known.errors.end()) info.errors = counted->second;
    for (const auto& one : now_known.stats) {
        if (one.view != id) continue;
        info.rows = one.rows;
        info.segments = one.segments;
        info.bytes = one.bytes;
    }
    info.pending = pending_of(each, now_known);
    if (is_among(id, now_known.damaged)) {
        info.state = ViewInfo::State::damaged;
    } else if (info.pending > 0) {
        info.state = info.loaded && is_chain_loaded ? ViewInfo::State::behind
                                                    : ViewInfo::State::waits_for_code;
    }
    return info;
}

std::vector<ViewInfo> Database::views() const {
    const Impl::ViewsNow now = impl_->views_now();
    std::vector<ViewInfo> infos;
    for (const auto& [name, each] : *now.views) {
        if (!is_engines_own(name)) infos.push_back(impl_->info_of(each, now));
    }
    for (const CatalogEntry& entry : now.building) {
        if (is_engines_own(entry.name)) continue;
        const auto known = std::find_if(infos.begin(), infos.end(), [&](const ViewInfo& each) {
            return each.name == entry.name;
        });
        ViewInfo& info = known != infos.end() ? *known : infos.emplace_back(info_of_entry(entry));
        info.state = ViewInfo::State::building;
    }
    return infos;
}

Result<void> Database::merge_views() {
    return impl_->writing([&]() -> Result<void> {
        const std::lock_guard derive_lock(impl_->derive_mutex);
        const std::lock_guard lock(impl_->write_mutex);
        return impl_->store->merge_all();
    });
}

Stats Database::stats() const {
    const std::lock_guard lock(impl_->publish_mutex);
    const Ledger& ledger = impl_->ledger;
    Stats stats;
    stats.last = impl_->log->last();
    stats.changes = ledger.change_count();
    stats.erased = ledger.gone().erased.size();
    stats.deleted = ledger.gone().deleted.size() - stats.erased;
    stats.live = stats.last.value - stats.changes - ledger.gone().deleted.size();
    stats.held = ledger.held().size();
    stats.log_bytes = impl_->log->size_bytes();
    stats.log_segments = impl_->log->segment_count();
    for (const auto& one : impl_->store->stats()) stats.view_bytes += one.bytes;
    const Seq in_files =
        impl_->options.read_only ? impl_->position_taken : impl_->store->saved_position();
    stats.not_in_files = stats.last.value - in_files.value;
    switch (impl_->options.durability) {
    case Durability::every_commit: stats.durability = "every-commit"; break;
    case Durability::interval: stats.durability = "interval"; break;
    case Durability::none: stats.durability = "none"; break;
    }
    stats.assurance = impl_->log->medium() == Medium::device ? "device" : "files";
    return stats;
}

} // namespace sluice
