#include "base/seq_bitmap.hpp"

namespace sluice {

Seq SeqBitmap::next_from(Seq from) const {
    std::size_t chunk = from.value / kChunkBits;
    std::size_t bit = from.value % kChunkBits;
    for (; chunk < chunks_.size(); ++chunk, bit = 0) {
        if (!chunks_[chunk]) continue;
        const Chunk& words = *chunks_[chunk];
        std::uint64_t word = words[bit / 64] & (~std::uint64_t{0} << (bit % 64));
        for (std::size_t w = bit / 64;;) {
            if (word != 0) {
                return {chunk * kChunkBits + w * 64 +
                        static_cast<std::size_t>(std::countr_zero(word))};
            }
            if (++w == words.size()) break;
            word = words[w];
        }
    }
    return kNone;
}

SeqBitmap::Chunk& SeqBitmap::writable_chunk(std::size_t index) {
    if (index >= chunks_.size()) chunks_.resize(index + 1);
    std::shared_ptr<Chunk>& chunk = chunks_[index];
    // A count of one is ours alone: a copy could only be made from this object, on this thread.
    if (!chunk) {
        chunk = std::make_shared<Chunk>();
    } else if (chunk.use_count() > 1) {
        chunk = std::make_shared<Chunk>(*chunk);
    }
    return *chunk;
}

bool SeqBitmap::insert(Seq seq) {
    if (contains(seq)) return false;
    const std::size_t bit = seq.value % kChunkBits;
    writable_chunk(seq.value / kChunkBits)[bit / 64] |= std::uint64_t{1} << (bit % 64);
    ++size_;
    return true;
}

bool SeqBitmap::remove(Seq seq) {
    if (!contains(seq)) return false;
    const std::size_t bit = seq.value % kChunkBits;
    writable_chunk(seq.value / kChunkBits)[bit / 64] &= ~(std::uint64_t{1} << (bit % 64));
    --size_;
    return true;
}

bool operator==(const SeqBitmap& a, const SeqBitmap& b) {
    if (a.size_ != b.size_) return false;
    Seq x = a.next_from({}), y = b.next_from({});
    while (x == y && x != SeqBitmap::kNone) {
        x = a.next_from(x.next());
        y = b.next_from(y.next());
    }
    return x == y;
}

} // namespace sluice
