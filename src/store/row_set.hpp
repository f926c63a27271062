// Rows of one segment, by number: which of them were superseded.
#pragma once
#include "base/seq_bitmap.hpp"

#include <optional>

namespace sluice {

/// Copies share their memory, as those of SeqBitmap do.
class RowSet {
public:
    bool contains(std::uint32_t row) const { return bits_.contains({row}); }
    bool insert(std::uint32_t row) { return bits_.insert({row}); }
    std::uint64_t size() const { return bits_.size(); }
    std::optional<std::uint32_t> next_from(std::uint64_t row) const {
        const Seq next = bits_.next_from({row});
        if (next == SeqBitmap::kNone) return std::nullopt;
        return static_cast<std::uint32_t>(next.value);
    }

private:
    SeqBitmap bits_;
};

} // namespace sluice
