// A set of seqs as bits, cheap to copy: a copy shares its chunks, and a change copies one chunk.
#pragma once
#include <sluice/seq.hpp>

#include <array>
#include <bit>
#include <memory>
#include <vector>

namespace sluice {

/// Value semantics. A copy costs one pointer per 32,768 seqs and is safe to read on any thread
/// while the original changes on another.
class SeqBitmap {
public:
    bool contains(Seq seq) const {
        const std::size_t chunk = seq.value / kChunkBits;
        if (chunk >= chunks_.size() || !chunks_[chunk]) return false;
        const std::size_t bit = seq.value % kChunkBits;
        return (*chunks_[chunk])[bit / 64] >> (bit % 64) & 1;
    }
    /// Whether any seq from `first` to `last` is in the set, at the cost of looking.
    bool any_between(Seq first, Seq last) const { return next_from(first) <= last; }

    /// The smallest member not below `from`, or kNone.
    Seq next_from(Seq from) const;
    static constexpr Seq kNone{~std::uint64_t{0}};

    /// Returns whether `seq` was new.
    bool insert(Seq seq);
    /// Returns whether `seq` was there.
    bool remove(Seq seq);

    std::uint64_t size() const { return size_; }

    friend bool operator==(const SeqBitmap& a, const SeqBitmap& b);

private:
    static constexpr std::size_t kChunkBits = 32768;
    using Chunk = std::array<std::uint64_t, kChunkBits / 64>;
    Chunk& writable_chunk(std::size_t index);

    std::vector<std::shared_ptr<Chunk>> chunks_;
    std::uint64_t size_ = 0;
};

} // namespace sluice
