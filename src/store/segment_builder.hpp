// Makes a segment from rows in memory.
#pragma once
#include "store/store.hpp"

#include <span>

namespace sluice {

/// A row of a batch that is in seq order.
struct RowRef {
    const RowBatch* batch;
    std::uint32_t row;
    Seq seq() const { return batch->rows()[row].seq; }
};

/// The image of a segment with these rows: at least one, seqs ascending.
std::string build_segment(const ViewSpec& view, std::span<const RowRef> rows);

} // namespace sluice
