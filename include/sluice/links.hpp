// Links between things that messages name: read from either end, and walked.
#pragma once
#include <sluice/key.hpp>
#include <sluice/seq.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace sluice {

/// That `source` stands in `relation` to `target`. All three are keys of one element, such as
/// Key("@alice"). However many messages say so, it is one link.
struct Link {
    Key source;
    Key relation; ///< null in a view without relations.
    Key target;
    Seq seq; ///< The newest message that says so.
};

/// Which links of a view? What is left out may be anything.
struct LinkQuery {
    std::optional<Key> from = {};
    std::optional<Key> to = {};
    std::optional<Key> relation = {};
    std::uint64_t limit = ~std::uint64_t{0};
};

enum class WalkDirection : std::uint8_t {
    forward,  ///< From sources to targets.
    backward, ///< From targets to sources.
};

/// From one node to all that it reaches over links.
struct WalkQuery {
    Key start;
    WalkDirection direction = WalkDirection::forward;
    std::optional<Key> relation = {};
    std::uint32_t depth_max = 1; ///< Links on the way. Farther nodes are not looked for.
    std::uint64_t nodes_max = 10000;
};

struct Walk {
    struct Step {
        Key node;
        std::uint32_t distance = 0; ///< Links on the shortest way from the start.
        Key via;                    ///< The node before it on such a way.
    };
    /// The nearest first; at one distance in the order of their `via` in this list, then as
    /// Snapshot::links() has the links. Each node once, the start not at all.
    std::vector<Step> steps;
    bool complete = true; ///< False: there are more than nodes_max.
};

} // namespace sluice
