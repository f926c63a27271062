// Applications: which views they use, when they were last here, and forgetting them.
#include "base/try.hpp"
#include "database/impl.hpp"

#include <algorithm>

namespace sluice {

bool Database::Impl::is_stale(std::uint64_t opened_ms) const {
    constexpr std::uint64_t kNotedEveryMs = std::uint64_t{6} * 60 * 60 * 1000;
    const std::uint64_t time = now();
    // Also of a clock that was ahead.
    return opened_ms > time || time - opened_ms >= kNotedEveryMs;
}

void Database::Impl::note_opened(CatalogEntry& entry, const std::vector<CatalogUse>& by) const {
    if (is_stale(entry.opened_ms)) entry.opened_ms = now();
    for (const CatalogUse& use : by) {
        const auto known =
            std::find_if(entry.uses.begin(), entry.uses.end(),
                         [&](const CatalogUse& each) { return each.app == use.app; });
        const bool is_known = known != entry.uses.end();
        if (!is_known || is_stale(known->opened_ms)) entry.note_use(use.app, now());
    }
}

Result<void> Database::Impl::save_readings() {
    std::vector<CatalogEntry> noted;
    for (const auto& [name, each] : *views) {
        if (is_engines_own(name)) continue;
        // Of a catalog from before there were such notes nobody knows: count from now.
        const bool was_read = each.was_read->load(std::memory_order_relaxed);
        if (!was_read && each.entry.opened_ms != 0) continue;
        if (!is_stale(each.entry.opened_ms)) continue;
        CatalogEntry entry = each.entry;
        entry.opened_ms = now();
        noted.push_back(std::move(entry));
    }
    if (noted.empty()) return {};
    SLUICE_TRY(catalog->put(noted));
    auto set = std::make_shared<ViewSet>(*views);
    for (CatalogEntry& entry : noted) {
        OpenView& each = set->find(entry.name)->second;
        each.was_read->store(false, std::memory_order_relaxed);
        each.entry = std::move(entry);
    }
    publish(std::move(set));
    return {};
}

Result<Forgotten> Database::Impl::forget(const std::string& app, bool is_dry_run) {
    Forgotten forgotten;
    std::vector<CatalogEntry> kept;
    for (const auto& [name, each] : *views) {
        if (!each.entry.is_used_by(app)) continue;
        if (each.entry.uses.size() == 1) {
            forgotten.dropped.push_back(name);
            continue;
        }
        CatalogEntry entry = each.entry;
        std::erase_if(entry.uses, [&](const CatalogUse& use) { return use.app == app; });
        if (entry.app == app) entry.app = entry.uses.front().app;
        forgotten.kept.push_back(name);
        kept.push_back(std::move(entry));
    }
    if (forgotten.dropped.empty() && forgotten.kept.empty()) {
        return Error{Errc::not_found, "no view is of app " + app};
    }
    for (const auto& [name, each] : *views) {
        const std::vector<std::string>* const reads = reads_of(*each.view);
        const auto is_dropped = [&](const std::string& view) {
            return std::binary_search(forgotten.dropped.begin(), forgotten.dropped.end(), view);
        };
        if (reads == nullptr || is_dropped(name)) continue;
        const auto read = std::find_if(reads->begin(), reads->end(), is_dropped);
        if (read == reads->end()) continue;
        return Error{Errc::invalid_argument, "view " + name + " of app " + each.entry.app +
                                                 " reads " + *read + ": drop that one first"};
    }
    if (!is_dry_run) SLUICE_TRY(drop_views(forgotten.dropped, kept));
    return forgotten;
}

Result<Forgotten> Database::forget_app(const std::string& app, const ForgetOptions& options) {
    return impl_->writing([&]() -> Result<Forgotten> {
        const std::lock_guard derive_lock(impl_->derive_mutex);
        const std::lock_guard lock(impl_->write_mutex);
        return impl_->forget(app, options.dry_run);
    });
}

std::vector<AppInfo> Database::apps() const {
    std::map<std::string, AppInfo> by_name;
    for (const ViewInfo& view : views()) {
        for (const ViewInfo::Use& use : view.uses) {
            AppInfo& app = by_name[use.app];
            app.name = use.app;
            app.opened_ms = std::max(app.opened_ms, use.opened_ms);
            app.views.push_back(view);
        }
    }
    std::vector<AppInfo> apps;
    apps.reserve(by_name.size());
    for (auto& [name, app] : by_name) apps.push_back(std::move(app));
    return apps;
}

} // namespace sluice
