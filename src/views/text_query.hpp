// What a search asks for, taken apart.
#pragma once
#include "views/words.hpp"

#include <sluice/result.hpp>
#include <sluice/search.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct QueryWord {
    std::string form;       ///< As WordForms makes it.
    bool is_prefix = false; ///< `form` is the beginning of a plain word; else it is a stem.
};
/// Words in a row; often one.
using Phrase = std::vector<QueryWord>;

/// The grammar is in SearchQuery. Errors: invalid_argument (no word; over one of its limits; quotes
/// that do not close).
Result<std::vector<Phrase>> parse_text_query(std::string_view text, WordForms& forms);

} // namespace sluice
