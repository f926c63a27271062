#include "base/seq_bitmap.hpp"

namespace sluice {
namespace {

using seq_tree::Node;

constexpr std::uint64_t kNoBit = ~std::uint64_t{0};

/// The first bit of `node` that is set and not below `from`; kNoBit if there is none.
std::uint64_t first_bit(const Node<0>& node, std::uint64_t from) {
    std::uint64_t word = node.words[from / 64] & (~std::uint64_t{0} << (from % 64));
    for (std::size_t w = from / 64;;) {
        if (word != 0) return w * 64 + static_cast<std::uint64_t>(std::countr_zero(word));
        if (++w == node.words.size()) return kNoBit;
        word = node.words[w];
    }
}

template <unsigned kHeight> std::uint64_t first_bit(const Node<kHeight>& node, std::uint64_t from) {
    constexpr std::uint64_t kBits = Node<kHeight>::Child::kBits;
    std::uint64_t within = from % kBits;
    for (std::size_t c = from / kBits; c < node.children.size(); ++c, within = 0) {
        if (!node.children[c]) continue;
        const std::uint64_t bit = first_bit(*node.children[c], within);
        if (bit != kNoBit) return c * kBits + bit;
    }
    return kNoBit;
}

/// The node, made or copied so that it is nobody else's.
template <unsigned kHeight> Node<kHeight>& own(std::shared_ptr<Node<kHeight>>& node) {
    // A count of one is ours alone: a copy could only be made from this object, on this thread.
    if (!node) {
        node = std::make_shared<Node<kHeight>>();
    } else if (node.use_count() > 1) {
        node = std::make_shared<Node<kHeight>>(*node);
    }
    return *node;
}

template <unsigned kHeight>
std::uint64_t& own_word(std::shared_ptr<Node<kHeight>>& node, std::uint64_t bit) {
    if constexpr (kHeight == 0) {
        return own(node).words[bit / 64];
    } else {
        constexpr std::uint64_t kBits = Node<kHeight>::Child::kBits;
        return own_word(own(node).children[bit / kBits], bit % kBits);
    }
}

} // namespace

Seq SeqBitmap::next_from(Seq from) const {
    std::uint64_t within = from.value % Root::kBits;
    for (std::size_t r = from.value / Root::kBits; r < roots_.size(); ++r, within = 0) {
        if (!roots_[r]) continue;
        const std::uint64_t bit = first_bit(*roots_[r], within);
        if (bit != kNoBit) return {r * Root::kBits + bit};
    }
    return kNone;
}

std::uint64_t& SeqBitmap::writable_word(Seq seq) {
    const std::size_t root = seq.value / Root::kBits;
    if (root >= roots_.size()) roots_.resize(root + 1);
    return own_word(roots_[root], seq.value % Root::kBits);
}

bool SeqBitmap::insert(Seq seq) {
    if (contains(seq)) return false;
    writable_word(seq) |= std::uint64_t{1} << (seq.value % 64);
    ++size_;
    return true;
}

bool SeqBitmap::remove(Seq seq) {
    if (!contains(seq)) return false;
    writable_word(seq) &= ~(std::uint64_t{1} << (seq.value % 64));
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
