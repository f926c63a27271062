#include "store/term_sort.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

namespace sluice {
namespace {

constexpr std::size_t kHeadBytes = 8;
constexpr std::size_t kSmallGroup = 12; // Below it comparing whole terms is quicker than passes.

struct Keyed {
    std::uint64_t head; ///< The bytes at the group's depth, big-endian, zeros behind the end.
    SortedTerm what;
};

struct Group {
    std::span<Keyed> members;
    std::size_t depth;
};

std::uint64_t head_at(std::string_view term, std::size_t depth) {
    std::uint64_t head = 0;
    if (term.size() - depth >= kHeadBytes) {
        std::memcpy(&head, term.data() + depth, kHeadBytes);
    } else if (term.size() > depth) {
        std::memcpy(&head, term.data() + depth, term.size() - depth);
    }
    return __builtin_bswap64(head);
}

bool ends_within(const Keyed& keyed, std::size_t depth) {
    return keyed.what.term.size() <= depth + kHeadBytes;
}

/// Members with one head. A term that ends here is, but for zero bytes, a prefix of the others: it
/// comes first, the shorter before the longer.
void push_equal_heads(std::vector<Group>& groups, std::span<Keyed> equal, std::size_t depth) {
    const auto longer = std::partition(
        equal.begin(), equal.end(), [&](const Keyed& keyed) { return ends_within(keyed, depth); });
    std::sort(equal.begin(), longer, [](const Keyed& a, const Keyed& b) {
        return a.what.term.size() < b.what.term.size();
    });
    const std::span<Keyed> rest(longer, equal.end());
    if (rest.size() > 1) groups.push_back({rest, depth + kHeadBytes});
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
            member.head = head_at(member.what.term, depth);
            differing |= member.head ^ members[0].head;
        }
        if (differing == 0) {
            push_equal_heads(groups, members, depth);
            continue;
        }
        std::sort(members.begin(), members.end(),
                  [](const Keyed& a, const Keyed& b) { return a.head < b.head; });
        for (std::size_t from = 0, to; from < members.size(); from = to) {
            to = from + 1;
            while (to < members.size() && members[to].head == members[from].head) ++to;
            if (to - from > 1) push_equal_heads(groups, members.subspan(from, to - from), depth);
        }
    }
    std::transform(keyed.begin(), keyed.end(), terms.begin(),
                   [](const Keyed& sorted) { return sorted.what; });
}

} // namespace sluice
