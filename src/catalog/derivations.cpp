#include "catalog/derivations.hpp"

#include "base/json.hpp"

#include <algorithm>

namespace sluice {

std::optional<Seq> Derivations::behind_since(std::uint32_t number) const {
    if (number > last()) return Seq{}; // A position of another database.
    const auto next = std::find_if(all_.begin(), all_.end(),
                                   [&](const One& each) { return each.number > number; });
    return next == all_.end() ? std::nullopt : std::optional(next->behind);
}

void Derivations::add(Seq behind) {
    const std::uint32_t number = last() + 1;
    // What lies behind a smaller seq says it for those before it, too.
    std::erase_if(all_, [&](const One& each) { return each.behind >= behind; });
    all_.push_back({number, behind});
    if (all_.size() <= kCountMax) return;
    all_[1].behind = all_[0].behind;
    all_.erase(all_.begin());
}

std::string Derivations::text() const {
    std::string text = "[";
    for (const One& each : all_) {
        if (text.size() > 1) text += ',';
        text += '[' + std::to_string(each.number) + ',' + std::to_string(each.behind.value) + ']';
    }
    return text + ']';
}

Derivations Derivations::from_text(std::string_view text) {
    Derivations found;
    JsonParser parser;
    const Value* const list = parser.parse(text);
    if (list == nullptr) return found;
    for (const Value& each : list->elements()) {
        const auto pair = each.elements();
        if (pair.size() != 2) continue;
        found.all_.push_back({static_cast<std::uint32_t>(pair[0].as_int64().value_or(0)),
                              {static_cast<std::uint64_t>(pair[1].as_int64().value_or(0))}});
    }
    return found;
}

} // namespace sluice
