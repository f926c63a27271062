// Searching the rows of a search view, and showing what was found. Pure reading: the answer depends
// on the live rows of a snapshot and on nothing else.
#pragma once
#include "store/store.hpp"
#include "views/text_query.hpp"

#include <sluice/result.hpp>
#include <sluice/search.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Ranks by BM25, k1 = 1.2 and b = 0.75, each phrase counting like a word. `has_stems`: the view
/// has a language. The hits have no snippets. Errors: corrupt.
Result<SearchAnswer> search_text(const StoreSnapshot& rows, ViewId view, bool has_stems,
                                 std::span<const Phrase> phrases, std::uint64_t limit);

/// Fills in the hit's snippet and marks, from the texts of its message.
void add_snippet(SearchHit& hit, std::span<const std::string_view> texts,
                 std::span<const Phrase> phrases, WordForms& forms, std::size_t bytes_max);

} // namespace sluice
