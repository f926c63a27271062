#include <sluice/scuttlebutt.hpp>

#include "scuttlebutt/keys.hpp"
#include "scuttlebutt/message_parts.hpp"

#include <algorithm>
#include <tuple>

namespace sluice::scuttlebutt {
namespace {

bool is_true(const Value& content, std::string_view name) {
    const Value* const member = content.find(name);
    return member != nullptr && member->as_bool() == true;
}

/// Old programs wrote an object with the reason.
bool is_flag(const Value& content) {
    const Value* const flagged = content.find("flagged");
    return flagged != nullptr &&
           (flagged->as_bool() == true || flagged->type() == Value::Type::object);
}

/// Whether `a` is the later word of the same feed about the same.
bool is_later(const Contact& a, const Contact& b) {
    return std::tie(a.sequence, a.timestamp, a.relation) >
           std::tie(b.sequence, b.timestamp, b.relation);
}

/// The last word of each feed about each.
using Graph = std::map<std::string_view, std::map<std::string_view, const Contact*>>;
Graph graph_of(std::span<const Contact> contacts) {
    Graph graph;
    for (const Contact& said : contacts) {
        const Contact*& last = graph[said.author][said.contact];
        if (last == nullptr || is_later(said, *last)) last = &said;
    }
    return graph;
}

} // namespace

std::optional<Contact> contact_of(const Message& message) {
    const auto parts = parts_of(message);
    if (!parts) return std::nullopt;
    const Value* const type = parts->content->find("type");
    const Value* const contact = parts->content->find("contact");
    if (type == nullptr || type->as_string() != "contact" || contact == nullptr)
        return std::nullopt;
    const auto feed = contact->as_string();
    if (!feed || !public_key_of_feed(*feed)) return std::nullopt;
    Contact said{std::string(parts->author), std::string(*feed)};
    if (const Value* const sequence = parts->value->find("sequence"))
        said.sequence = sequence->as_int64().value_or(0);
    if (const Value* const timestamp = parts->value->find("timestamp"))
        said.timestamp = timestamp->as_double().value_or(0);
    if (is_true(*parts->content, "blocking") || is_flag(*parts->content)) {
        said.relation = Relation::blocks;
    } else if (is_true(*parts->content, "following")) {
        said.relation = Relation::follows;
    }
    return said;
}

std::map<std::string, unsigned> hops_from(std::string_view from, std::span<const Contact> contacts,
                                          const HopsLimits& limits) {
    Graph graph = graph_of(contacts);
    const auto& own = graph[from];
    const auto is_blocked_by_us = [&](std::string_view feed) {
        const auto found = own.find(feed);
        return found != own.end() && found->second->relation == Relation::blocks;
    };
    std::map<std::string, unsigned> hops{{std::string(from), 0}};
    std::vector<std::string_view> ring{from};
    for (unsigned hop = 1; hop <= limits.hops_max && !ring.empty(); ++hop) {
        std::vector<std::string_view> candidates;
        for (const std::string_view feed : ring) {
            const auto follows = graph.find(feed);
            if (follows == graph.end()) continue;
            for (const auto& [contact, last] : follows->second) {
                if (last->relation == Relation::follows && !is_blocked_by_us(contact))
                    candidates.push_back(contact);
            }
        }
        std::sort(candidates.begin(), candidates.end());
        ring.clear();
        for (const std::string_view feed : candidates) {
            if (hops.size() >= limits.feeds_max) return hops;
            if (hops.emplace(feed, hop).second) ring.push_back(feed);
        }
    }
    return hops;
}

HopsChange hops_change(const std::map<std::string, unsigned>& before,
                       const std::map<std::string, unsigned>& after) {
    HopsChange change;
    for (const auto& [feed, hops] : after) {
        if (!before.contains(feed)) change.entered.push_back(feed);
    }
    for (const auto& [feed, hops] : before) {
        if (!after.contains(feed)) change.left.push_back(feed);
    }
    return change;
}

} // namespace sluice::scuttlebutt
