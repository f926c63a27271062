// Sorting many distinct terms that share long prefixes, as composite keys do.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace sluice {

struct SortedTerm {
    std::string_view term;
    std::uint32_t id; ///< The caller's; goes where the term goes.
};

/// Ascending as memcmp orders them. The terms must be distinct.
///
/// Eight bytes at a time, most significant first: the terms of a group agree in all bytes before
/// the group's depth. Where they agree in the next eight too, the group just goes deeper, so that a
/// shared prefix costs one pass over it and no comparison.
void sort_terms(std::vector<SortedTerm>& terms);

} // namespace sluice
