// Rows that no file has yet.
#pragma once
#include "store/segment.hpp"

#include <mutex>

namespace sluice {

/// Rows of one view, in seq order, from one commit or several. Kept as they came: whoever reads
/// them first turns them into a segment, and rows that nobody reads before they are cut into a file
/// are never sorted twice. Row r of the batch is row r of that segment.
class MemoryRun {
public:
    /// `rows` is not empty and in seq order. Runs of a store are numbered in the order of commits.
    MemoryRun(ViewSpec view, RowBatch rows, std::uint64_t number)
        : view_(std::move(view)), rows_(std::move(rows)), number_(number) {}

    std::uint64_t number() const { return number_; }
    const RowBatch& rows() const { return rows_; }
    std::uint32_t row_count() const { return static_cast<std::uint32_t>(rows_.rows().size()); }
    Seq seq_lo() const { return rows_.rows().front().seq; }
    Seq seq_hi() const { return rows_.rows().back().seq; }
    std::optional<std::uint32_t> row_of(Seq seq) const;

    /// Built by the first call, which the others wait for.
    const Segment& segment() const;

private:
    ViewSpec view_;
    RowBatch rows_;
    std::uint64_t number_;
    mutable std::once_flag built_;
    mutable std::shared_ptr<const Segment> segment_;
};

} // namespace sluice
