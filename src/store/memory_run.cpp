#include "store/memory_run.hpp"

#include "store/segment_builder.hpp"

#include <algorithm>

namespace sluice {

std::optional<std::uint32_t> MemoryRun::row_of(Seq seq) const {
    const std::vector<RowBatch::Row>& rows = rows_.rows();
    const auto found =
        std::lower_bound(rows.begin(), rows.end(), seq,
                         [](const RowBatch::Row& row, Seq wanted) { return row.seq < wanted; });
    if (found == rows.end() || found->seq != seq) return std::nullopt;
    return static_cast<std::uint32_t>(found - rows.begin());
}

const Segment& MemoryRun::segment() const {
    std::call_once(built_, [this] {
        std::vector<RowRef> refs;
        refs.reserve(row_count());
        for (std::uint32_t row = 0; row < row_count(); ++row) refs.push_back({&rows_, row});
        segment_ = Segment::in_memory(build_segment(view_, refs));
    });
    return *segment_;
}

} // namespace sluice
