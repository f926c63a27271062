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

} // namespace

bool is_same(const CatalogEntry& a, const CatalogEntry& b) {
    return a.name == b.name && a.app == b.app && a.version == b.version &&
           a.definition == b.definition;
}

std::shared_ptr<const ViewSet> Database::Impl::view_set() const {
    return views;
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
        if (chain.is_loaded() && can_map(*each.view)) can_follow.push_back(each);
    }
    map_for(std::move(can_follow));
}

void Database::Impl::map_for(std::vector<OpenView> current) {
    if (mapper) count_errors(mapped, *mapper);
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
            return Error{Errc::invalid_argument, "a transform in use is not in this program, so "
                                                 "nobody can derive a view"};
        }
        std::vector<OpenView> fresh;  // To be derived from the whole log.
        std::vector<OpenView> loaded; // Known views whose function is here now.
        std::vector<OpenView> fresh_readers;
        std::vector<OpenView> loaded_readers;
        {
            const std::lock_guard lock(write_mutex);
            const std::vector<ViewId> damaged = store->damaged_views();
            for (OpenView& each : wanted) {
                const CatalogEntry* const known = catalog->find(each.entry.name);
                const bool same = known != nullptr && is_same(*known, each.entry);
                if (same && each.entry.app.empty()) continue;
                SLUICE_TRY(check_reads(each.entry.name, *each.view));
                const bool is_reader = reads_of(*each.view) != nullptr;
                if (same) {
                    each.entry.id = known->id;
                    // Whoever looked into damaged rows cannot be told what changes in them: such a
                    // view begins anew under its old name and id. Others are mended.
                    const bool is_whole =
                        std::find(damaged.begin(), damaged.end(), known->id) == damaged.end() ||
                        (!is_reader && !chain.is_read(known->id));
                    if (!is_whole && !chain.readers().empty()) SLUICE_TRY(remember_derivation({}));
                    if (is_reader) {
                        (is_whole ? loaded_readers : fresh_readers).push_back(each);
                    } else {
                        (is_whole ? loaded : fresh).push_back(each);
                    }
                    continue;
                }
                SLUICE_TRY_ASSIGN(each.entry.id, take_ids(is_reader ? Chain::kViewsOfReader : 1));
                (is_reader ? fresh_readers : fresh).push_back(each);
            }
        }
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
        auto set = std::make_shared<ViewSet>(*views);
        std::vector<ViewId> replaced;
        for (const auto* const list : {&fresh, &loaded, &loaded_readers}) {
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
        std::vector<CatalogEntry> named;
        named.reserve(fresh.size());
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
        return {};
    });
}

namespace {

Result<void> check_name(std::string_view name) {
    constexpr std::size_t kNameSizeMax = 200;
    const bool printable = std::all_of(name.begin(), name.end(), [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
    });
    if (name.empty() || name.size() > kNameSizeMax || !printable) {
        return Error{Errc::invalid_argument,
                     "a view's name is 1 to 200 bytes without control characters"};
    }
    return {};
}

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
            SLUICE_TRY(check_name(each.name));
            SLUICE_TRY(check_definition_size(each.definition_json));
            SLUICE_TRY_ASSIGN(auto view, compile_view(each.definition_json));
            const std::string definition = canonical_definition(*view);
            wanted.push_back({{{}, each.name, {}, 0, definition}, std::move(view)});
        }
        return impl_->add_views(std::move(wanted), progress);
    });
}

Result<void> Database::add_view(const std::string& name, std::string_view definition_json,
                                const ProgressFunction& progress) {
    return impl_->writing([&] {
        const NewView view{name, std::string(definition_json)};
        return add_views(std::span(&view, 1), progress);
    });
}

Result<void> Database::add_view(const std::string& name, const CodeView& code,
                                const ProgressFunction& progress) {
    SLUICE_TRY(check_name(name));
    if (code.app.empty()) {
        return Error{Errc::invalid_argument, "a view written in code needs the name of its app"};
    }
    if (impl_->options.read_only) return impl_->load_code(name, code, progress);
    return impl_->writing([&]() -> Result<void> {
        SLUICE_TRY_ASSIGN(auto view, compile_view(code));
        const std::string definition = canonical_definition(*view);
        return impl_->add_views({{{{}, name, code.app, code.version, definition}, std::move(view)}},
                                progress);
    });
}

Result<void> Database::drop_view(const std::string& name) {
    return impl_->writing([&]() -> Result<void> {
        const std::lock_guard derive_lock(impl_->derive_mutex);
        const std::lock_guard lock(impl_->write_mutex);
        const auto found = impl_->views->find(name);
        if (found == impl_->views->end()) return Error{Errc::not_found, "there is no view " + name};
        if (const std::string* const reader = reader_of(*impl_->views, name)) {
            return Error{Errc::invalid_argument,
                         "view " + *reader + " reads " + name + ": drop that one first"};
        }
        const std::vector<ViewId> ids = ids_of(found->second);
        auto set = std::make_shared<ViewSet>(*impl_->views);
        set->erase(name);
        SLUICE_TRY(impl_->catalog->remove(name));
        impl_->publish(std::move(set));
        impl_->install_chain();
        impl_->remake_mapper();
        for (const ViewId id : ids) SLUICE_TRY(impl_->store->drop_view(id));
        return {};
    });
}

std::vector<ViewInfo> Database::views() const {
    const std::lock_guard lock(impl_->publish_mutex);
    const auto rows = impl_->shown_rows();
    const auto stats = impl_->store->stats();
    std::vector<ViewInfo> infos;
    for (const auto& [name, each] : *impl_->views) {
        ViewInfo info;
        info.name = name;
        info.kind = name_of(kind_of(*each.view));
        info.app = each.entry.app;
        info.version = each.entry.version;
        info.definition = each.entry.definition;
        info.loaded = is_loaded(*each.view);
        const auto counted = impl_->errors_counted.find(each.entry.id);
        if (counted != impl_->errors_counted.end()) info.errors = counted->second;
        info.since = rows->since(each.entry.id);
        for (const auto& one : stats) {
            if (one.view != each.entry.id) continue;
            info.rows = one.rows;
            info.segments = one.segments;
            info.bytes = one.bytes;
        }
        infos.push_back(std::move(info));
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
