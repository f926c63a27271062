#include "transform/tracked_context.hpp"

#include <algorithm>

namespace sluice {

SourceId TrackedContext::id_of(const Source& source) const {
    if (source.kind() == Source::Kind::facts) return {{}, source.name()};
    return {world_.find_source(source)};
}

Cell TrackedContext::keep(const Cell& cell) {
    if (cell.owner == Seq{}) return cell; // Facts stay where they are during the call.
    kept_.emplace_back(cell.encoded_key);
    const std::string_view key = kept_.back();
    kept_.emplace_back(cell.value);
    return {key, kept_.back(), cell.owner};
}

void TrackedContext::scan(const Source& source, const ScanRange& range, const Visit& visit) {
    if (source.kind() != Source::Kind::facts) {
        world_.rows->scan(id_of(source).view, range, [&](const Draft::Hit& hit) {
            return visit({hit.term, hit.value, hit.seq});
        });
        return;
    }
    const auto& facts = world_.facts->all();
    auto from = facts.lower_bound({source.name(), range.from});
    auto to = range.to ? facts.lower_bound({source.name(), *range.to})
                       : std::find_if(from, facts.end(), [&](const auto& fact) {
                             return fact.first.collection != source.name();
                         });
    while (from != to) {
        const auto& [id, fact] = range.reverse ? *--to : *from++;
        if (!visit({id.key, fact.value, {}})) return;
    }
}

std::optional<Cell> TrackedContext::first_of(const Source& source, const ScanRange& range) {
    std::optional<Cell> found;
    scan(source, range, [&](const Cell& cell) {
        found = keep(cell);
        return false;
    });
    return found;
}

void TrackedContext::note_found(const ReadTokens& make, const Cell& cell) {
    tokens_.insert(cell.owner == Seq{} ? make.exact(cell.encoded_key)
                                       : make.seen(cell.owner, cell.encoded_key));
}

std::optional<Cell> TrackedContext::get(const Source& source, const Key& key) {
    const ReadTokens make(id_of(source));
    const auto found = first_of(source, ScanRange::exact(key.encoded()));
    tokens_.insert(make.exact(key.encoded()));
    if (found) note_found(make, *found);
    return found;
}

bool TrackedContext::has(const Source& source, const Key& key) {
    const ReadTokens make(id_of(source));
    const auto found = first_of(source, ScanRange::exact(key.encoded()));
    // With one cell there, it does not matter which others come and go.
    tokens_.insert(found && found->owner != Seq{} ? make.seen_there(found->owner, key.encoded())
                                                  : make.presence(key.encoded()));
    return found.has_value();
}

std::vector<Cell> TrackedContext::prefix(const Source& source, const Key& prefix) {
    const ReadTokens make(id_of(source));
    std::vector<Cell> cells;
    scan(source, ScanRange::with_prefix(prefix.encoded()), [&](const Cell& cell) {
        cells.push_back(keep(cell));
        return true;
    });
    tokens_.insert(make.prefix(prefix.encoded()));
    for (const Cell& cell : cells) note_found(make, cell);
    return cells;
}

std::optional<Cell> TrackedContext::first(const Source& source, const Key& prefix) {
    const ReadTokens make(id_of(source));
    const auto found = first_of(source, ScanRange::with_prefix(prefix.encoded()));
    tokens_.insert(
        make.first(prefix.encoded(), found ? std::optional(found->encoded_key) : std::nullopt));
    if (found) note_found(make, *found);
    return found;
}

std::optional<Cell> TrackedContext::last(const Source& source, const Key& prefix) {
    const ReadTokens make(id_of(source));
    ScanRange range = ScanRange::with_prefix(prefix.encoded());
    range.reverse = true;
    const auto found = first_of(source, range);
    tokens_.insert(
        make.last(prefix.encoded(), found ? std::optional(found->encoded_key) : std::nullopt));
    if (found) note_found(make, *found);
    return found;
}

/// Whether none of the other facts with the prefix fits. A token does not say which of several
/// questions of a function it is of: where one of them found a fact, each may be the one that did.
bool TrackedContext::is_only_new(const ReadTokens& make, std::string_view prefix,
                                 const std::string& missed) const {
    if (!only_new_ || !only_new_->tokens.contains(missed)) return false;
    const std::string found = make.exact(prefix);
    const auto first = only_new_->tokens.lower_bound(found);
    return first == only_new_->tokens.end() || !first->starts_with(found);
}

std::optional<Cell> TrackedContext::find_any(const Source& source, const Key& prefix,
                                             const std::function<bool(const Cell&)>& fits) {
    const ReadTokens make(id_of(source));
    const std::string missed = make.any(prefix.encoded());
    std::optional<Cell> found;
    const auto try_cell = [&](const Cell& cell) {
        if (fits(cell)) found = keep(cell);
        return !found;
    };
    if (source.kind() == Source::Kind::facts && is_only_new(make, prefix.encoded(), missed)) {
        for (const FactId& id : only_new_->facts) {
            const bool asked =
                id.collection == source.name() && id.key.starts_with(prefix.encoded());
            const Facts::Fact* const fact = asked ? world_.facts->find(id) : nullptr;
            if (fact != nullptr && !try_cell({id.key, fact->value, {}})) break;
        }
        // What the function does from here on it has not done before.
        if (found) only_new_.reset();
    } else {
        scan(source, ScanRange::with_prefix(prefix.encoded()), try_cell);
    }
    if (found) {
        note_found(make, *found);
    } else {
        tokens_.insert(missed);
    }
    return found;
}

} // namespace sluice
