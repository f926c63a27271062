#include "views/link_rows.hpp"

#include "base/key_format.hpp"
#include "base/try.hpp"

#include <functional>
#include <unordered_set>

namespace sluice::link_rows {
namespace {

std::string term_of(std::string_view side, std::string_view near, std::string_view relation,
                    std::string_view far) {
    std::string term;
    key_format::append_string(term, side);
    term.append(near).append(relation).append(far);
    return term;
}

/// Takes the element at the front; empty, and no change, if there is none.
std::string_view take_element(std::string_view& encoded) {
    std::string_view left = encoded;
    std::size_t depth = 0;
    do {
        const auto token = key_format::take_token(left);
        if (!token) return {};
        if (token->type == key_format::Token::Type::array) ++depth;
        if (token->type == key_format::Token::Type::array_end && depth-- == 0) return {};
    } while (depth > 0);
    const std::string_view element = encoded.substr(0, encoded.size() - left.size());
    encoded = left;
    return element;
}

Result<void> check_element(const std::optional<Key>& key, const char* part) {
    if (!key) return {};
    std::string_view left = key->encoded();
    if (!take_element(left).empty() && left.empty()) return {};
    return Error{Errc::invalid_argument,
                 std::string("links: ") + part + " must be a key of one element"};
}

/// A link as it is seen from one end. Encoded elements.
struct Seen {
    std::string_view near;
    std::string_view relation;
    std::string_view far;
    Seq seq;
};

/// Visits the links that hold, in the order of their terms, until `visit` answers false.
Result<void> each(const StoreSnapshot& rows, ViewId view, const ScanRange& range,
                  const std::function<bool(const Seen&)>& visit) {
    const auto cursor = rows.scan(view, range);
    std::string term; // Of the rows last seen, and what the newest of them says.
    Seq seq;
    bool holds = false;
    const auto tell = [&]() -> Result<bool> {
        if (!holds) return true;
        std::string_view rest = term;
        take_element(rest);
        const std::string_view near = take_element(rest);
        const std::string_view relation = take_element(rest);
        const std::string_view far = take_element(rest);
        if (far.empty() || !rest.empty()) { // Whoever has no element has none behind it.
            return Error{Errc::corrupt, "the row of entry " + std::to_string(seq.value) +
                                            " in a links view cannot be read"};
        }
        return visit({near, relation, far, seq});
    };
    while (cursor->next()) {
        if (cursor->term() != term) {
            SLUICE_TRY_ASSIGN(const bool goes_on, tell());
            if (!goes_on) return {};
            term = cursor->term();
        }
        seq = cursor->seq(); // Rows of one term come in the order of their seqs.
        holds = cursor->value() != kEnds;
    }
    SLUICE_TRY(cursor->status());
    SLUICE_TRY(tell());
    return {};
}

Key key_of(std::string_view element) {
    return Key::from_encoded(element).value();
}

ScanRange range_of(std::string_view side, const std::optional<Key>& near,
                   const std::optional<Key>& relation, const std::optional<Key>& far) {
    const std::string_view near_bytes = near ? std::string_view(near->encoded()) : "";
    if (!near) return ScanRange::with_prefix(term_of(side, {}, {}, {}));
    if (!relation) return ScanRange::with_prefix(term_of(side, near_bytes, {}, {}));
    if (!far) return ScanRange::with_prefix(term_of(side, near_bytes, relation->encoded(), {}));
    return ScanRange::exact(term_of(side, near_bytes, relation->encoded(), far->encoded()));
}

} // namespace

void emit(RowBatch& batch, std::string_view source, std::string_view relation,
          std::string_view target, std::string_view value) {
    batch.emit(term_of(kFrom, source, relation, target), value);
    batch.emit(term_of(kTo, target, relation, source), value);
}

Result<std::vector<Link>> read(const StoreSnapshot& rows, ViewId view, const LinkQuery& query) {
    SLUICE_TRY(check_element(query.from, "`from`"));
    SLUICE_TRY(check_element(query.to, "`to`"));
    SLUICE_TRY(check_element(query.relation, "the relation"));
    std::vector<Link> links;
    if (query.limit == 0) return links;
    const bool backward = !query.from && query.to;
    const ScanRange range = backward ? range_of(kTo, query.to, query.relation, query.from)
                                     : range_of(kFrom, query.from, query.relation, query.to);
    SLUICE_TRY(each(rows, view, range, [&](const Seen& seen) {
        const std::string_view target = backward ? seen.near : seen.far;
        if (query.relation && seen.relation != query.relation->encoded()) return true;
        if (query.to && target != query.to->encoded()) return true;
        links.push_back({key_of(backward ? seen.far : seen.near), key_of(seen.relation),
                         key_of(target), seen.seq});
        return links.size() < query.limit;
    }));
    return links;
}

Result<Walk> walk(const StoreSnapshot& rows, ViewId view, const WalkQuery& query) {
    SLUICE_TRY(check_element(query.start, "the start"));
    SLUICE_TRY(check_element(query.relation, "the relation"));
    const std::string_view side = query.direction == WalkDirection::forward ? kFrom : kTo;
    Walk walk;
    std::unordered_set<std::string> reached = {query.start.encoded()};
    // The steps are the queue: those from `next` on are still to be looked at.
    Key node = query.start;
    std::uint32_t distance = 0;
    for (std::size_t next = 0; distance < query.depth_max; ++next) {
        SLUICE_TRY(
            each(rows, view, range_of(side, node, query.relation, {}), [&](const Seen& seen) {
                if (reached.contains(std::string(seen.far))) return true;
                walk.complete = walk.steps.size() < query.nodes_max;
                if (!walk.complete) return false;
                reached.emplace(seen.far);
                walk.steps.push_back({key_of(seen.far), distance + 1, node});
                return true;
            }));
        if (!walk.complete || next == walk.steps.size()) break;
        node = walk.steps[next].node;
        distance = walk.steps[next].distance;
    }
    return walk;
}

} // namespace sluice::link_rows
