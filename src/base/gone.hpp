// Which messages are gone, as of one position of the log.
#pragma once
#include "base/seq_bitmap.hpp"

namespace sluice {

struct Gone {
    SeqBitmap deleted; ///< Deleted or erased: out of every view.
    SeqBitmap erased;
};

} // namespace sluice
