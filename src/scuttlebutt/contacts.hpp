// Who follows and who blocks whom, and how far that reaches.
#pragma once
#include <sluice/fact.hpp>
#include <sluice/view.hpp>

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::scuttlebutt {

enum class Relation : std::uint8_t { none, follows, blocks };

/// One feed's last word about another.
struct Contact {
    std::string author;
    std::string contact;
    Relation relation = Relation::none;
    friend bool operator==(const Contact&, const Contact&) = default;
};

/// What a message of type "contact" says. As in ssb-friends, "blocking" (or "flagged") counts
/// before "following", and without either the feeds are nothing to each other. Nothing when it is
/// no such message, or names no feed.
std::optional<Contact> contact_of(const Message& message);

struct HopsLimits {
    unsigned hops_max = 3;
    std::size_t feeds_max = 1'000'000; ///< Among the farthest, those that come first by id.
};
/// How many follows lead from `from` to each feed, 0 to itself. Of one pair of feeds the last
/// contact counts. What `from` blocks is nowhere, and nothing is reached through it; blocks by
/// others only end what they follow themselves.
std::map<std::string, unsigned> hops_from(std::string_view from, std::span<const Contact> contacts,
                                          const HopsLimits& limits = {});

/// Which feeds come within hops, and which leave. Both sorted.
struct HopsChange {
    std::vector<std::string> entered;
    std::vector<std::string> left;
};
HopsChange hops_change(const std::map<std::string, unsigned>& before,
                       const std::map<std::string, unsigned>& after);

/// A block is a fact: collection "scuttlebutt.blocks", key [feed's id].
FactName block_name(std::string_view feed);
/// Whether a feed is blocked, by whoever can say which facts there are.
bool is_blocked(std::string_view feed, const std::function<bool(const FactName&)>& has_fact);

} // namespace sluice::scuttlebutt
