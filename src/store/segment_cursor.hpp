// Reading a view: rows of several segments as one walk, and groups of them as another.
#pragma once
#include "store/store_state.hpp"

namespace sluice {

/// The walks borrow the state. A null view gives an empty walk, a damaged one an empty walk with a
/// status.
std::unique_ptr<Cursor> scan_view(const ViewState* view, const Gone& gone, const ScanRange& range);
std::vector<RowBatch::Emission> row_of_view(const ViewState* view, Seq seq);
std::vector<bool> may_have_terms(const ViewState* view, std::span<const std::string_view> terms);
std::unique_ptr<GroupCursor> group_view(const ViewState* view, const Gone& gone,
                                        const ScanRange& range);

} // namespace sluice
