// Links as rows of the store, and what is read from them. docs/format/links.md has the bytes.
//
// A link is two terms of one message's row: one that begins with its source, one with its target.
// Who says what now is decided when reading: of all live rows of a link the one with the highest
// seq has the word. So a link needs no repair when a message goes: the one before has it again.
#pragma once
#include "store/store.hpp"

#include <sluice/links.hpp>
#include <sluice/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sluice::link_rows {

/// The first element of a term.
inline constexpr std::string_view kFrom = "from";
inline constexpr std::string_view kTo = "to";

/// Values of rows: the usual one costs no byte.
inline constexpr std::string_view kHolds = "";
inline constexpr std::string_view kEnds = std::string_view("\0", 1);

/// Appends both terms to the row begun last. The three are encoded elements of keys.
void emit(RowBatch& batch, std::string_view source, std::string_view relation,
          std::string_view target, std::string_view value);

/// Errors: invalid_argument (a part is not one element); corrupt.
Result<std::vector<Link>> read(const StoreSnapshot& rows, ViewId view, const LinkQuery& query);
Result<Walk> walk(const StoreSnapshot& rows, ViewId view, const WalkQuery& query);

} // namespace sluice::link_rows
