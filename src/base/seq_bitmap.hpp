// A set of seqs as bits, cheap to copy: a copy shares everything, and a change copies one path.
#pragma once
#include <sluice/seq.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <vector>

namespace sluice {

namespace seq_tree {

/// A subtree over kBits seqs, shared by the sets that have it in common. Null stands for an empty
/// one.
template <unsigned kHeight> struct Node {
    using Child = Node<kHeight - 1>;
    static constexpr std::size_t kFanOut = 16;
    static constexpr std::uint64_t kBits = kFanOut * Child::kBits;
    std::array<std::shared_ptr<Child>, kFanOut> children;
};
template <> struct Node<0> {
    static constexpr std::uint64_t kBits = 8192;
    std::array<std::uint64_t, kBits / 64> words{};
};

} // namespace seq_tree

/// Value semantics. A copy costs a pointer for each 33 million seqs, a change after a copy about
/// 2 KB of copying however many there are. A copy is safe to read on any thread while the original
/// changes on another. (A persistent trie in the manner of Bagwell, "Ideal Hash Trees", 2001, over
/// the seq itself.)
class SeqBitmap {
public:
    bool contains(Seq seq) const {
        const std::uint64_t root = seq.value / Root::kBits;
        return root < roots_.size() && contains(roots_[root].get(), seq.value % Root::kBits);
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

    /// Calls visit(seq), ascending, for each that only one of the two has. Costs what differs: what
    /// a copy shares with its original is not looked at.
    template <typename Visit>
    static void for_each_difference(const SeqBitmap& a, const SeqBitmap& b, const Visit& visit) {
        for (std::size_t i = 0; i < std::max(a.roots_.size(), b.roots_.size()); ++i) {
            visit_difference(i < a.roots_.size() ? a.roots_[i].get() : nullptr,
                             i < b.roots_.size() ? b.roots_[i].get() : nullptr, i * Root::kBits,
                             visit);
        }
    }

private:
    using Root = seq_tree::Node<3>;

    template <unsigned kHeight>
    static bool contains(const seq_tree::Node<kHeight>* node, std::uint64_t bit) {
        if (node == nullptr) return false;
        if constexpr (kHeight == 0) {
            return node->words[bit / 64] >> (bit % 64) & 1;
        } else {
            constexpr std::uint64_t kBits = seq_tree::Node<kHeight>::Child::kBits;
            return contains(node->children[bit / kBits].get(), bit % kBits);
        }
    }
    template <unsigned kHeight, typename Visit>
    static void visit_difference(const seq_tree::Node<kHeight>* a, const seq_tree::Node<kHeight>* b,
                                 std::uint64_t first, const Visit& visit) {
        if (a == b) return;
        if constexpr (kHeight == 0) {
            for (std::size_t i = 0; i < seq_tree::Node<0>::kBits / 64; ++i) {
                std::uint64_t bits =
                    (a != nullptr ? a->words[i] : 0) ^ (b != nullptr ? b->words[i] : 0);
                for (; bits != 0; bits &= bits - 1) {
                    visit(Seq{first + i * 64 + static_cast<unsigned>(std::countr_zero(bits))});
                }
            }
        } else {
            for (std::size_t i = 0; i < seq_tree::Node<kHeight>::kFanOut; ++i) {
                visit_difference(a != nullptr ? a->children[i].get() : nullptr,
                                 b != nullptr ? b->children[i].get() : nullptr,
                                 first + i * seq_tree::Node<kHeight>::Child::kBits, visit);
            }
        }
    }
    std::uint64_t& writable_word(Seq seq);

    std::vector<std::shared_ptr<Root>> roots_;
    std::uint64_t size_ = 0;
};

} // namespace sluice
