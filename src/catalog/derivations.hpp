// What is remembered of rows that were thrown away or lost, for those who were told of them.
#pragma once
#include <sluice/seq.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Usually the entry that has a message derived again is noted with it (kRederived). Where rows are
/// derived anew from some entry on, after a crash or because they were thrown away, that cannot be:
/// nobody knows what they were. So this says from which entry on, and whoever was told of more
/// begins there again. Kept in the catalog. docs/format/catalog.md.
class Derivations {
public:
    static constexpr std::size_t kCountMax = 64;

    /// The number of the last one; 0: there was none.
    std::uint32_t last() const { return all_.empty() ? 0 : all_.back().number; }
    /// For who knows of those up to `number`: the entry behind which rows were derived anew since.
    /// None: nowhere.
    std::optional<Seq> behind_since(std::uint32_t number) const;
    void add(Seq behind);

    /// JSON, such as [[1,0],[2,140]].
    std::string text() const;
    /// Of text that is none: as if everything had been derived anew.
    static Derivations from_text(std::string_view text);

private:
    struct One {
        std::uint32_t number = 0;
        Seq behind;
    };
    std::vector<One> all_; ///< Numbers and entries ascend.
};

} // namespace sluice
