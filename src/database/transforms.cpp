// Which transforms are in use, and changing that.
//
// The catalog has an entry for each, under a name that no view can have, with its place in the
// order. The store says of which chain its rows are (chain_state in advance.cpp): where the two
// disagree, a crash came between, and everything is derived anew.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/json.hpp"
#include "base/try.hpp"
#include "database/impl.hpp"

#include <algorithm>

namespace sluice {
namespace {

constexpr std::string_view kMark = "\x01"; // Begins the catalog's name of a transform.

std::string catalog_name(std::string_view transform) {
    return std::string(kMark).append(transform);
}

std::string definition_of(std::size_t order) {
    return R"({"kind":"transform","order":)" + std::to_string(order) + "}";
}

std::int64_t order_of(const CatalogEntry& entry) {
    JsonParser parser;
    const Value* const definition = parser.parse(entry.definition);
    const Value* const order = definition == nullptr ? nullptr : definition->find("order");
    return order == nullptr ? 0 : order->as_int64().value_or(0);
}

const Transform* code_of(const Transforms& transforms, std::string_view name) {
    const auto list = transforms.list();
    const auto found = std::find_if(list.begin(), list.end(),
                                    [&](const Transform& each) { return each.name == name; });
    return found == list.end() ? nullptr : &*found;
}

Result<void> check_name(std::string_view name, const Transforms& transforms) {
    constexpr std::size_t kNameSizeBytesMax = 200;
    if (name.empty() || name.size() > kNameSizeBytesMax) {
        return Error{Errc::invalid_argument, "a transform's name is 1 to 200 bytes"};
    }
    const auto list = transforms.list();
    if (std::count_if(list.begin(), list.end(),
                      [&](const Transform& each) { return each.name == name; }) > 1) {
        return Error{Errc::invalid_argument,
                     "this program has several transforms " + std::string(name)};
    }
    return {};
}

/// The catalog's entries of transforms, in their order.
std::vector<CatalogEntry> transforms_in(const Catalog& catalog) {
    std::vector<CatalogEntry> entries;
    for (const CatalogEntry& entry : catalog.entries()) {
        if (is_transform(entry)) entries.push_back(entry);
    }
    std::sort(entries.begin(), entries.end(), [](const CatalogEntry& a, const CatalogEntry& b) {
        return order_of(a) < order_of(b);
    });
    return entries;
}

/// `any_version`: else code of another version than the one in use is no code.
std::vector<Chain::Stage> stages_of(const std::vector<CatalogEntry>& entries,
                                    const Transforms& transforms, bool any_version = true) {
    std::vector<Chain::Stage> stages;
    for (const CatalogEntry& entry : entries) {
        const std::string name = entry.name.substr(kMark.size());
        const Transform* code = code_of(transforms, name);
        if (code != nullptr && code->version != entry.version && !any_version) code = nullptr;
        stages.push_back({.name = name,
                          .version = code != nullptr ? code->version : entry.version,
                          .cells = entry.id,
                          .run = code != nullptr ? code->run : nullptr});
    }
    return stages;
}

/// Errors: corrupt, where the store is of another chain, or of none that can be told.
Result<std::optional<Worklist>> unfinished_work(std::string_view state, const Chain& chain,
                                                Seq last) {
    const Error other{Errc::corrupt, "the views are of other transforms"};
    if (state.empty() && chain.transforms().empty()) return std::optional<Worklist>();
    ByteReader from(state);
    const std::string_view signature = from.sized();
    if (!from.ok()) return other;
    if (from.done() && signature == chain.signature()) return std::optional<Worklist>();
    if (signature != chain.signature_of_all() || from.varint() != last.value) return other;
    SLUICE_TRY_ASSIGN(Worklist work, decode_worklist(from.rest(), last));
    if (work.dirty.size() != chain.stages().size()) return other;
    return std::optional(std::move(work));
}

} // namespace

bool is_transform(const CatalogEntry& entry) {
    return entry.name.starts_with(kMark);
}

bool is_engines_own(std::string_view catalog_name) {
    return !catalog_name.empty() && static_cast<unsigned char>(catalog_name.front()) < 0x20;
}

std::vector<ViewId> Database::Impl::chain_views() const {
    std::vector<ViewId> ids;
    for (const Chain::Stage& stage : chain.transforms()) {
        for (const ViewId view : stage.views()) ids.push_back(view);
    }
    ids.push_back(kRederived);
    return ids;
}

void Database::Impl::install_chain() {
    // A reader cannot derive everything again by another version: that is the writer's to do.
    std::vector<Chain::Stage> stages =
        stages_of(transforms_in(*catalog), options.transforms, !options.read_only);
    for (Chain::Stage& reader : reader_stages()) stages.push_back(std::move(reader));
    chain = Chain(std::move(stages));
    is_chain_loaded = chain.is_loaded();
    for (const ViewId view : chain_views()) store->add_view({view, nullptr, view == kRederived});
    for (const Chain::Stage& reader : chain.readers()) {
        store->add_view({reader.reads(), nullptr, false});
    }
    store->add_view({kPending, nullptr, false});
}

Result<ViewId> Database::Impl::take_ids(std::uint32_t count) {
    SLUICE_TRY_ASSIGN(const ViewId first, catalog->take_id());
    for (std::uint32_t i = 1; i < count; ++i) {
        SLUICE_TRY_ASSIGN(const ViewId next, catalog->take_id());
        SLUICE_ASSERT(next.value == first.value + i);
    }
    return first;
}

SeqBitmap Database::Impl::live_messages(Seq behind) const {
    SeqBitmap live;
    for (Seq seq = behind.next(); seq <= log->last(); seq = seq.next()) {
        if (!ledger.is_change(seq) && !ledger.gone().deleted.contains(seq)) live.insert(seq);
    }
    return live;
}

Error Database::Impl::without_code(std::string_view so) const {
    const auto transforms = chain.transforms();
    const auto is_missing = [](const Chain::Stage& stage) { return stage.run == nullptr; };
    const auto missing = std::find_if(transforms.begin(), transforms.end(), is_missing);
    SLUICE_ASSERT(missing != transforms.end());
    return {Errc::invalid_argument, "transform " + missing->name +
                                        " is in use and not in this program, so " +
                                        std::string(so)};
}

Result<void> Database::Impl::forget_derived() {
    if (log->last() > Seq{}) SLUICE_TRY(remember_derivation({}));
    unfinished.reset();
    extra = {};
    chain_since = {};
    for (const auto& ids : {store->stored_views(), store->damaged_views()}) {
        for (const ViewId id : ids) {
            if (id != kKeyRegister) SLUICE_TRY(store->drop_view(id));
        }
    }
    install_chain();
    return {};
}

// The messages are named durably before their rows are given up: who comes behind a crash finds
// either the damage or the names.
Result<void> Database::Impl::mend_chain() {
    static_cast<void>(store->check()); // Damage is found when somebody looks: now all of it.
    const std::vector<ViewId> damaged = store->damaged_views();
    const bool is_under_way = store->snapshot()->attachment() != chain_state(nullptr);
    if (!chain.is_loaded() || is_under_way || !extra.dirty.empty() || is_among(kPending, damaged) ||
        is_among(kRederived, damaged)) {
        note("what messages were read with is damaged: views are derived anew");
        return forget_derived();
    }
    SLUICE_TRY(store->save()); // Gives the damaged files up.
    std::vector<std::unique_ptr<SegmentStore::Loader>> nothing;
    SeqBitmap lost;
    for (const ViewId view : views_of_reads()) {
        if (!is_among(view, damaged)) continue;
        insert_all(lost, store->lost_rows(view));
        SLUICE_TRY_ASSIGN(auto loader, store->load({view, nullptr, false}));
        nothing.push_back(std::move(loader));
    }
    Draft draft(store->snapshot(), ledger.gone());
    chain_since = draft.below().since(kRederived);
    std::uint64_t count = 0;
    for_each(lost, [&](Seq seq) {
        if (seq > chain_since || ledger.is_change(seq)) return;
        draft.set_term(kPending, seq, kLostTerm, true);
        ++count;
    });
    note(std::to_string(count) + " entries are derived again: what they were read with is damaged");
    SLUICE_TRY(save_marks(draft));
    SLUICE_TRY(store->mend(nothing));
    return take_lost();
}

Result<void> Database::Impl::save_marks(Draft& marks) {
    StoreCommit step;
    step.position = marks.below().position();
    step.behind = all_but({}, false);
    for (const ViewId view : views_of_reads()) step.behind.push_back(view);
    step.rows = marks.take();
    SLUICE_TRY(store->commit(std::move(step), ledger.gone()));
    return store->save();
}

Result<void> Database::Impl::take_lost() {
    for (const Seq seq : waiting(*store->snapshot(), kLostTerm)) extra.afresh.insert(seq);
    if (extra.afresh.size() == 0 || options.read_only) return {};
    // Damage is no entry of the log. Without one, a view whose code is away has no `since` before
    // which this was, and would never hear of it.
    SLUICE_TRY(append_change(new_change(ChangeKind::transforms, {}, {})));
    return {};
}

Result<void> Database::Impl::open_chain() {
    const std::vector<CatalogEntry> entries = transforms_in(*catalog);
    std::vector<ViewId> stored = store->stored_views();
    for (const ViewId id : store->damaged_views()) stored.push_back(id); // Which can be mended.
    std::vector<Chain::Stage> stages = stages_of(entries, {}); // The versions that rows are of.
    for (Chain::Stage& reader : reader_stages()) stages.push_back(std::move(reader));
    const Chain as_stored(std::move(stages));
    install_chain();
    if (!chain.transforms().empty()) {
        const std::lock_guard lock(publish_mutex);
        outputs =
            std::make_shared<std::vector<ViewId>>(chain.outputs().begin(), chain.outputs().end());
    }
    const auto rows = store->snapshot();
    std::vector<ViewId> needed = chain_views();
    needed.push_back(kPending);
    const bool is_whole =
        chain.transforms().empty() ||
        std::all_of(needed.begin(), needed.end(), [&](ViewId id) { return is_among(id, stored); });
    auto work = unfinished_work(rows->attachment(), as_stored, log->last());
    const bool is_upgrade = chain.is_loaded() && chain.signature() != as_stored.signature();
    if (!is_whole || !work || (is_upgrade && *work)) {
        if (rows->position() > Seq{} && !entries.empty()) {
            note("transforms and views are derived anew");
        }
        SLUICE_TRY(forget_derived());
    } else {
        chain_since = chain.transforms().empty() ? rows->position() : rows->since(kRederived);
        unfinished = *std::move(work);
        SLUICE_TRY(take_lost());
        if (extra.afresh.size() > 0 && !chain.is_loaded()) SLUICE_TRY(forget_derived());
    }
    if (!is_upgrade) return {};
    SLUICE_TRY(append_change(new_change(ChangeKind::transforms, {}, {})));
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (entries[i].version == chain.transforms()[i].version) continue;
        CatalogEntry entry = entries[i];
        entry.version = chain.transforms()[i].version;
        SLUICE_TRY(catalog->put(std::move(entry)));
        extra.dirty.emplace_back(i, live_messages());
    }
    return {};
}

namespace {

/// Errors: invalid_argument (one of `names` reads a transform that is neither among them nor in
/// use).
Result<void> check_their_reads(std::span<const std::string> names, const Transforms& code,
                               const Catalog& catalog) {
    for (const std::string& name : names) {
        for (const Source& source : code_of(code, name)->reads) {
            const bool is_used = catalog.find(catalog_name(source.name())) != nullptr ||
                                 std::ranges::find(names, source.name()) != names.end();
            if (is_used) continue;
            return Error{Errc::invalid_argument,
                         "transform " + name + " reads " + source.name() + ": use that one, too"};
        }
    }
    return {};
}

} // namespace

Result<void> Database::use_transforms(std::span<const std::string> names,
                                      const ProgressFunction& progress) {
    return impl_->writing([&]() -> Result<void> {
        Impl& impl = *impl_;
        const std::lock_guard derive_lock(impl.derive_mutex);
        const std::lock_guard lock(impl.write_mutex);
        for (const std::string& name : names) {
            SLUICE_TRY(check_name(name, impl.options.transforms));
            if (code_of(impl.options.transforms, name) == nullptr) {
                return Error{Errc::not_found, "this program has no transform " + name};
            }
        }
        SLUICE_TRY(check_their_reads(names, impl.options.transforms, *impl.catalog));
        if (!impl.chain.is_loaded()) {
            return impl.without_code("nothing can be put beside it");
        }
        std::vector<CatalogEntry> before = transforms_in(*impl.catalog);
        std::vector<CatalogEntry> entries;
        std::vector<std::size_t> fresh;
        std::size_t known = 0;
        for (const Transform& each : impl.options.transforms.list()) {
            const std::string name = catalog_name(each.name);
            if (known < before.size() && before[known].name == name) {
                entries.push_back(before[known++]);
            } else if (std::find(names.begin(), names.end(), each.name) != names.end() &&
                       impl.catalog->find(name) == nullptr) {
                fresh.push_back(entries.size());
                CatalogEntry entry{{}, name, {}, each.version, {}};
                SLUICE_TRY_ASSIGN(entry.id, impl.take_ids(Chain::kViewsOfTransform));
                entries.push_back(std::move(entry));
            }
        }
        if (known < before.size()) {
            return Error{Errc::invalid_argument,
                         "this program has its transforms in another order than the one in use"};
        }
        if (fresh.empty()) return {};
        for (std::size_t i = 0; i < entries.size(); ++i) entries[i].definition = definition_of(i);
        SLUICE_TRY(impl.catalog->put(entries));
        if (impl.chain.transforms().empty()) {
            impl.chain_since = impl.store->snapshot()->position();
        }
        impl.install_chain();
        SLUICE_TRY(impl.append_change(impl.new_change(ChangeKind::transforms, {}, {})));
        // Those behind the first new one, too: they may read its cells, and could not until now.
        for (std::size_t stage = fresh.front(); stage < impl.chain.stages().size(); ++stage) {
            impl.extra.dirty.emplace_back(stage, impl.live_messages());
        }
        return impl.advance(progress);
    });
}

Result<void> Database::drop_transform(const std::string& name, const ProgressFunction& progress) {
    return impl_->writing([&]() -> Result<void> {
        Impl& impl = *impl_;
        const std::lock_guard derive_lock(impl.derive_mutex);
        const std::lock_guard lock(impl.write_mutex);
        const CatalogEntry* const found = impl.catalog->find(catalog_name(name));
        if (found == nullptr) {
            return Error{Errc::not_found, "no transform " + name + " is in use"};
        }
        for (const Transform& each : impl.options.transforms.list()) {
            const bool reads_it = impl.catalog->find(catalog_name(each.name)) != nullptr &&
                                  std::ranges::any_of(each.reads, [&](const Source& source) {
                                      return source.name() == name;
                                  });
            if (!reads_it) continue;
            return Error{Errc::invalid_argument,
                         "transform " + each.name + " reads " + name + ": drop that one first"};
        }
        const std::vector<Chain::Stage> stages =
            impl.chain.stages(); // The chain is about to change.
        // Transforms come before views, which may have the same name.
        const auto dropped = std::find_if(stages.begin(), stages.end(),
                                          [&](const auto& each) { return each.name == name; });
        const Chain::Stage& stage = *dropped;
        const auto at = static_cast<std::size_t>(dropped - stages.begin());
        const auto rows = impl.store->snapshot();
        // What it made is known by its rows alone: damage there must be found before they go.
        for (const ViewId view : impl.views_of_reads()) static_cast<void>(rows->status(view));
        SLUICE_TRY(impl.check_reads_are_whole());
        SLUICE_TRY(impl.catalog->remove(found->name));

        const auto outputs = rows->scan(stage.outputs(), {});
        while (outputs->next()) impl.extra.afresh.insert(outputs->seq());
        for (std::size_t later = at + 1; later < stages.size(); ++later) {
            insert_all(impl.extra.afresh, Chain::readers_of(stage.cells, stages[later], *rows));
        }
        const bool was_loaded = impl.chain.is_loaded();
        impl.install_chain();
        std::vector<OpenView> late;
        if (!was_loaded && impl.chain.is_loaded()) {
            // It was this one that all waited for. Views that stopped where the transforms did go
            // on with them, in one moment, and others catch up.
            std::vector<OpenView> current;
            for (const auto& [view_name, each] : *impl.views) {
                if (!can_map(*each.view)) continue;
                const bool is_current = rows->since(each.entry.id) == impl.chain_since;
                (is_current ? current : late).push_back(each);
            }
            impl.map_for(std::move(current));
        }
        SLUICE_TRY(impl.append_change(impl.new_change(ChangeKind::transforms, {}, {})));
        SLUICE_TRY(impl.advance(progress));
        for (const OpenView& each : late) {
            SLUICE_TRY(impl.catch_up({each}, false, rows->since(each.entry.id), progress));
        }
        if (!was_loaded && impl.chain.is_loaded()) {
            SLUICE_TRY(impl.mend_plain_views(/*keys_too=*/true, progress));
        }
        impl.remake_mapper();
        SLUICE_TRY(impl.store->save());
        for (const ViewId view : stage.views()) SLUICE_TRY(impl.store->drop_view(view));
        return {};
    });
}

std::vector<TransformInfo> Database::transforms() const {
    const std::lock_guard lock(impl_->write_mutex);
    const auto stats = impl_->store->stats();
    const auto rows_of = [&](ViewId view) {
        const auto found = std::find_if(stats.begin(), stats.end(),
                                        [&](const auto& one) { return one.view == view; });
        return found == stats.end() ? 0 : found->rows;
    };
    std::vector<TransformInfo> infos;
    const auto rows = impl_->store->snapshot();
    for (const Chain::Stage& stage : impl_->chain.transforms()) {
        const char failed = static_cast<char>(Made::Kind::failed);
        const auto errors =
            rows->scan(stage.outputs(), ScanRange::exact(std::string_view(&failed, 1)));
        infos.push_back({stage.name, stage.version, stage.run != nullptr, rows_of(stage.cells),
                         rows_of(stage.outputs()), errors->count_rest()});
    }
    return infos;
}

} // namespace sluice
