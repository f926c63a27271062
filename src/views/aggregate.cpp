#include "views/aggregate.hpp"

#include "base/json_text.hpp"
#include "base/key_format.hpp"

#include <algorithm>

namespace sluice {

namespace {

std::size_t part_for(std::vector<Pointer>& parts, const std::optional<Pointer>& pointer) {
    if (!pointer) return 0;
    const auto known = std::find(parts.begin(), parts.end(), *pointer);
    const auto part = static_cast<std::size_t>(known - parts.begin());
    if (known == parts.end()) parts.push_back(*pointer);
    return part;
}

class TallyAccumulator : public Accumulator {
public:
    explicit TallyAccumulator(const TallyShape& shape) : tally_(shape) {}
    void clear() override { tally_.clear(); }
    void add_value(std::string_view value) override { tally_.add_encoded(value); }
    void add_partial(std::string_view partial) override { tally_.add_encoded(partial); }
    std::string partial() const override { return tally_.encoded(); }

private:
    Tally tally_;
};

} // namespace

TallyShape::TallyShape(const AggregateMembers& members) : members_(members) {
    sum_part_ = part_for(summed_, members.sum);
    average_part_ = part_for(summed_, members.average);
}

void Tally::clear() {
    count_ = 0;
    for (ExactSum& sum : sums_) sum.clear();
    min_.clear();
    max_.clear();
}

void Tally::add_number(std::size_t summed, std::string_view json_number) {
    // A number beyond every double is not one, and the count of numbers leaves it out.
    static_cast<void>(sums_[summed].add(json_number));
}

void Tally::add_min(std::string_view element) {
    if (min_.empty() || element < min_) min_ = element;
}

void Tally::add_max(std::string_view element) {
    if (element > max_) max_ = element; // Nothing sorts before everything.
}

bool Tally::is_one_count() const {
    return count_ == 1 && min_.empty() && max_.empty() &&
           std::all_of(sums_.begin(), sums_.end(), [](const auto& s) { return s.count() == 0; });
}

std::string Tally::encoded() const {
    std::string bytes;
    append_to(bytes);
    return bytes;
}

void Tally::append_to(std::string& to) const {
    if (is_one_count()) return;
    append_varint(to, count_);
    for (const ExactSum& sum : sums_) sum.append_to(to);
    if (shape_->min()) append_sized(to, min_);
    if (shape_->max()) append_sized(to, max_);
}

void Tally::add_encoded(std::string_view bytes) {
    if (bytes.empty()) {
        ++count_;
        return;
    }
    ByteReader reader(bytes);
    const std::uint64_t count = reader.varint();
    std::vector<ExactSum> sums(sums_.size());
    for (ExactSum& sum : sums) {
        if (!sum.add_encoded(reader)) return;
    }
    const std::string_view min = shape_->min() ? reader.sized() : std::string_view();
    const std::string_view max = shape_->max() ? reader.sized() : std::string_view();
    if (!reader.done()) return;

    count_ += count;
    for (std::size_t i = 0; i < sums.size(); ++i) sums_[i].add(sums[i]);
    if (!min.empty()) add_min(min);
    add_max(max);
}

std::string Tally::to_json() const {
    std::string json;
    const auto append_name = [&](std::string_view name) {
        json += json.empty() ? '{' : ',';
        append_json_string(json, name);
        json += ':';
    };
    const auto append_element = [&](const std::string& element) {
        if (element.empty())
            json += "null";
        else
            key_format::append_json(json, element);
    };
    const AggregateMembers& members = shape_->members_;
    if (members.count) {
        append_name("count");
        append_json_number(json, count_);
    }
    if (members.sum) {
        append_name("sum");
        sums_[shape_->sum_part_].append_sum_json(json);
    }
    if (members.average) {
        append_name("average");
        sums_[shape_->average_part_].append_average_json(json);
    }
    if (members.min) {
        append_name("min");
        append_element(min_);
    }
    if (members.max) {
        append_name("max");
        append_element(max_);
    }
    return json + '}';
}

std::unique_ptr<Accumulator> TallyReducer::accumulator() const {
    return std::make_unique<TallyAccumulator>(shape_);
}

} // namespace sluice
