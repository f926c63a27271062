// What an aggregate keeps for a group, and how it is folded.
//
// There is one form for it at every height: what one message gives to a group, what the store keeps
// for a block of messages, and what it folds for an answer are all a Tally, encoded as
// docs/format/aggregate.md says. Folding is adding up tallies.
#pragma once
#include "store/store.hpp"
#include "views/definition.hpp"
#include "views/exact_sum.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Which parts the tallies of one view have.
class TallyShape {
public:
    explicit TallyShape(const AggregateMembers& members);

    /// What has to be summed: a sum and an average of one pointer are one part.
    const std::vector<Pointer>& summed() const { return summed_; }
    const std::optional<Pointer>& min() const { return members_.min; }
    const std::optional<Pointer>& max() const { return members_.max; }
    bool is_only_count() const { return summed_.empty() && !members_.min && !members_.max; }

private:
    friend class Tally;
    AggregateMembers members_;
    std::vector<Pointer> summed_;
    std::size_t sum_part_ = 0;     ///< Which of summed() the member "sum" is.
    std::size_t average_part_ = 0; ///< Which of summed() the member "average" is.
};

/// How often, how much, from what, to what. Depends only on what was added, in any order.
class Tally {
public:
    /// `shape` must outlive this.
    explicit Tally(const TallyShape& shape) : shape_(&shape), sums_(shape.summed().size()) {}

    void clear();
    void add_times(std::uint64_t count) { count_ += count; }
    void add_number(std::size_t summed, std::string_view json_number);
    /// One scalar as an encoded element of a key.
    void add_min(std::string_view element);
    void add_max(std::string_view element);

    /// Empty for one message that gives a count and nothing else: the usual value of a view that
    /// only counts costs no byte.
    std::string encoded() const;
    void append_to(std::string& to) const;
    /// Adds what append_to() wrote; no change for what it did not write.
    void add_encoded(std::string_view bytes);

    /// The answer: {"count":3,"sum":12.5,...}
    std::string to_json() const;

private:
    bool is_one_count() const;

    const TallyShape* shape_;
    std::uint64_t count_ = 0;
    std::vector<ExactSum> sums_; ///< As shape.summed().
    std::string min_;            ///< Empty: none.
    std::string max_;
};

class TallyReducer : public Reducer {
public:
    explicit TallyReducer(TallyShape shape) : shape_(std::move(shape)) {}
    std::unique_ptr<Accumulator> accumulator() const override;

private:
    TallyShape shape_;
};

} // namespace sluice
