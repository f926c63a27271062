// Facts: entries of the log that say what messages are read with.
#include "base/try.hpp"
#include "database/impl.hpp"

namespace sluice {

Fact::~Fact() {
    if (is_secret) wipe(value);
}

namespace {

constexpr std::size_t kCollectionSizeBytesMax = 255;
constexpr std::size_t kKeySizeBytesMax = 65535;

Result<FactId> id_of(const FactName& name) {
    if (name.collection.empty() || name.collection.size() > kCollectionSizeBytesMax) {
        return Error{Errc::invalid_argument,
                     "the collection of a fact has a name of 1 to 255 bytes"};
    }
    if (name.key.encoded().empty() || name.key.encoded().size() > kKeySizeBytesMax) {
        return Error{Errc::invalid_argument,
                     "the key of a fact has at least one element and at most 65,535 bytes"};
    }
    return FactId{name.collection, name.key.encoded()};
}

Error no_such_fact(const FactName& name) {
    // Its key may say something about a person, so it is not repeated.
    return {Errc::not_found, "there is no such fact in " + name.collection};
}

} // namespace

Result<Changed> Database::put_fact(const NewFact& fact, const ChangeOptions& options) {
    return put_facts(std::span(&fact, 1), options);
}

Result<Changed> Database::put_facts(std::span<const NewFact> facts, const ChangeOptions& options) {
    return impl_->writing([&]() -> Result<Changed> {
        std::vector<FactId> ids;
        for (const NewFact& fact : facts) {
            SLUICE_TRY_ASSIGN(FactId id, id_of(fact.name));
            ids.push_back(std::move(id));
            if (fact.value.size() <= Log::kBodySizeBytesMax) continue;
            return Error{Errc::invalid_argument, "a value of " + std::to_string(fact.value.size()) +
                                                     " bytes; at most 16 MiB fit"};
        }
        Changed changed;
        {
            const std::lock_guard lock(impl_->write_mutex);
            std::vector<Change> changes;
            for (std::size_t i = 0; i < facts.size(); ++i) {
                const Facts::Fact* const known = impl_->facts.find(ids[i]);
                if (known != nullptr && known->value == facts[i].value &&
                    known->is_secret == facts[i].is_secret) {
                    continue;
                }
                Change change = impl_->new_change(ChangeKind::put_fact, options, {});
                change.collection = ids[i].collection;
                change.fact_key = ids[i].key;
                change.is_secret = facts[i].is_secret;
                change.body = facts[i].value;
                changes.push_back(std::move(change));
            }
            if (changes.empty()) return changed;
            SLUICE_TRY_ASSIGN(changed.at, impl_->append_changes(changes));
            SLUICE_TRY(impl_->advance(options.progress));
            SLUICE_TRY_ASSIGN(changed.seqs, impl_->rederived_by(changed.at, Impl::Deriver::any,
                                                                *impl_->store->snapshot()));
        }
        SLUICE_TRY(impl_->acknowledge());
        return changed;
    });
}

Result<Changed> Database::drop_fact(const FactName& name, const ChangeOptions& options) {
    return impl_->writing([&]() -> Result<Changed> {
        SLUICE_TRY_ASSIGN(const FactId id, id_of(name));
        Changed changed;
        {
            const std::lock_guard derive_lock(impl_->derive_mutex);
            const std::lock_guard lock(impl_->write_mutex);
            if (impl_->facts.find(id) == nullptr) return no_such_fact(name);
            Change change = impl_->new_change(ChangeKind::drop_fact, options, {});
            change.collection = id.collection;
            change.fact_key = id.key;
            SLUICE_TRY_ASSIGN(changed.at, impl_->append_change(change));
            SLUICE_TRY(impl_->advance(options.progress));
            SLUICE_TRY_ASSIGN(changed.seqs, impl_->rederived_by(changed.at, Impl::Deriver::any,
                                                                *impl_->store->snapshot()));
            SLUICE_TRY(impl_->purge_behind_secrets());
        }
        SLUICE_TRY(impl_->acknowledge());
        return changed;
    });
}

Result<Changed> Database::erase_fact(const FactName& name, const ChangeOptions& options) {
    return impl_->writing([&]() -> Result<Changed> {
        SLUICE_TRY_ASSIGN(const FactId id, id_of(name));
        const std::lock_guard derive_lock(impl_->derive_mutex);
        const std::lock_guard lock(impl_->write_mutex);
        Change order = impl_->new_change(ChangeKind::erase, options, {});
        order.replacements = impl_->facts.entries_of(id);
        if (order.replacements.empty()) return no_such_fact(name);
        SLUICE_TRY(impl_->log->sync());
        if (const Facts::Fact* const fact = impl_->facts.find(id)) {
            impl_->remember_needle(fact->value);
        }
        SLUICE_TRY_ASSIGN(Changed changed, impl_->carry_out(order, options));
        SLUICE_TRY_ASSIGN(changed.seqs, impl_->rederived_by(changed.at, Impl::Deriver::any,
                                                            *impl_->store->snapshot()));
        return changed;
    });
}

std::vector<Fact> Database::facts(std::string_view collection) const {
    const std::lock_guard lock(impl_->publish_mutex);
    std::vector<Fact> facts;
    for (const auto& [id, fact] : impl_->facts.all()) {
        if (!collection.empty() && id.collection != collection) continue;
        const auto key = Key::from_encoded(id.key);
        if (!key) continue; // No entry that we wrote.
        facts.push_back(
            {{id.collection, *key}, std::string(fact.value.bytes()), fact.is_secret, fact.at});
    }
    return facts;
}

} // namespace sluice
