#include "store/term_sort.hpp"

#include "store/term_lead.hpp"

#include <algorithm>
#include <span>

namespace sluice {
namespace {

constexpr std::size_t kSmallGroup = 12; // Below it comparing whole terms is quicker than passes.

struct Keyed {
    std::uint64_t lead; ///< The bytes at the group's depth, big-endian, zeros behind the end.
    SortedTerm what;
};

struct Group {
    std::span<Keyed> members;
    std::size_t depth;
};

bool ends_within(const Keyed& keyed, std::size_t depth) {
    return keyed.what.term.size() <= depth + kLeadBytes;
}

/// Members with one lead. A term that ends here is, but for zero bytes, a prefix of the others: it
/// comes first, the shorter before the longer.
void push_equal_leads(std::vector<Group>& groups, std::span<Keyed> equal, std::size_t depth) {
    const auto longer = std::partition(
        equal.begin(), equal.end(), [&](const Keyed& keyed) { return ends_within(keyed, depth); });
    std::sort(equal.begin(), longer, [](const Keyed& a, const Keyed& b) {
        return a.what.term.size() < b.what.term.size();
    });
    const std::span<Keyed> rest(longer, equal.end());
    if (rest.size() > 1) groups.push_back({rest, depth + kLeadBytes});
}

} // namespace

void sort_terms(std::vector<SortedTerm>& terms) {
    std::vector<Keyed> keyed;
    keyed.reserve(terms.size());
    for (const SortedTerm& term : terms) keyed.push_back({0, term});

    // A list of work and no recursion: the depth is bounded by the longest term, which is large.
    std::vector<Group> groups{{keyed, 0}};
    while (!groups.empty()) {
        const auto [members, depth] = groups.back();
        groups.pop_back();
        if (members.size() <= kSmallGroup) {
            std::sort(members.begin(), members.end(), [at = depth](const Keyed& a, const Keyed& b) {
                return a.what.term.substr(at) < b.what.term.substr(at);
            });
            continue;
        }
        std::uint64_t differing = 0;
        for (Keyed& member : members) {
            member.lead = lead_at(member.what.term, depth);
            differing |= member.lead ^ members[0].lead;
        }
        if (differing == 0) {
            push_equal_leads(groups, members, depth);
            continue;
        }
        std::sort(members.begin(), members.end(),
                  [](const Keyed& a, const Keyed& b) { return a.lead < b.lead; });
        for (std::size_t from = 0, to; from < members.size(); from = to) {
            to = from + 1;
            while (to < members.size() && members[to].lead == members[from].lead) ++to;
            if (to - from > 1) push_equal_leads(groups, members.subspan(from, to - from), depth);
        }
    }
    std::transform(keyed.begin(), keyed.end(), terms.begin(),
                   [](const Keyed& sorted) { return sorted.what; });
}

} // namespace sluice
