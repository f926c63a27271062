// Makes new segments from old ones, without their dead rows.
#pragma once
#include "store/liveness.hpp"

#include <functional>

namespace sluice {

struct MergeInput {
    const Segment* segment = nullptr; ///< Whole: damage() has answered null.
    Liveness liveness;
};

/// Cuts the live rows of all inputs, in seq order, into images of at most `rows_max` rows, and
/// hands each to `take` as it is made. No live seq may be in two inputs. A term that no live row
/// has is in no image. Stops at the first error of `take`.
Result<void> merge_segments(const ViewSpec& view, std::span<const MergeInput> inputs,
                            std::uint32_t rows_max,
                            const std::function<Result<void>(std::string image)>& take);

} // namespace sluice
