#include "views/code_rows.hpp"

#include "base/json_text.hpp"
#include "base/key_format.hpp"
#include "views/value_json.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace sluice {

void Contributions::emit_into(RowBatch& batch, const TallyShape& shape) {
    std::sort(items_.begin(), items_.end(),
              [&](const Item& a, const Item& b) { return group(a) < group(b); });
    for (auto first = items_.begin(); first != items_.end();) {
        const auto last = std::find_if(
            first, items_.end(), [&](const Item& item) { return group(item) != group(*first); });
        if (last - first == 1) {
            batch.emit(group(*first), tally(*first));
        } else {
            Tally sum(shape);
            for (auto item = first; item != last; ++item) sum.add_encoded(tally(*item));
            batch.emit(group(*first), sum.encoded());
        }
        first = last;
    }
}

void RowEmit::operator()(const Key& key) {
    if (view_.definition.kind == ViewKind::index) {
        batch_.emit(key.encoded());
    } else if (is_fold()) {
        throw std::invalid_argument("a fold needs values");
    } else {
        add(key);
    }
}

void RowEmit::operator()(const Key& group, std::string_view value) {
    if (!is_fold()) throw std::invalid_argument("only a fold takes bytes");
    folded_.add(group.encoded(), seq_, value);
}

void RowEmit::operator()(const Key& group, const Value& value) {
    check_takes_values();
    if (is_fold()) {
        std::string json;
        append_value_json(json, value);
        return (*this)(group, std::string_view(json));
    }
    if (value.type() == Value::Type::number) add_number(value.number_text());
    std::string element;
    const bool is_scalar =
        value.type() != Value::Type::array && value.type() != Value::Type::object;
    if (is_scalar && key_format::append_value(element, value)) add_bounds(element);
    add(group);
}

void RowEmit::operator()(const Key& group, std::int64_t value) {
    check_takes_values();
    std::string text;
    append_json_number(text, value);
    if (is_fold()) return (*this)(group, std::string_view(text));
    add_number(text);
    add_bounds(Key(value).encoded());
    add(group);
}

void RowEmit::operator()(const Key& group, double value) {
    check_takes_values();
    if (is_fold()) {
        if (!std::isfinite(value)) throw std::invalid_argument("a number that JSON lacks");
        std::string text;
        append_json_number(text, value);
        return (*this)(group, std::string_view(text));
    }
    if (std::isfinite(value)) {
        // A double is the decimal that it prints as: a function that emits what it reads as 0.1
        // then sums like a declared view, which reads the text.
        std::string text;
        append_json_number(text, value);
        add_number(text);
        add_bounds(Key(value).encoded());
    }
    add(group);
}

void RowEmit::check_takes_values() const {
    if (view_.definition.kind != ViewKind::index) return;
    throw std::invalid_argument("the rows of an index have no value");
}

void RowEmit::add_number(std::string_view json_number) {
    if (!view_.shape.summed().empty()) tally_.add_number(0, json_number);
}

void RowEmit::add_bounds(std::string_view element) {
    if (view_.shape.min()) tally_.add_min(element);
    if (view_.shape.max()) tally_.add_max(element);
}

void RowEmit::add(const Key& group) {
    tally_.add_times(1);
    contributions_.add(group.encoded(), tally_);
    tally_.clear();
}

ReadingMapper::ReadingMapper(std::shared_ptr<const View> view)
    : view_(std::move(view)), rows_(std::make_unique<CodeRows>()) {}
ReadingMapper::~ReadingMapper() = default;

bool ReadingMapper::map(Context& context, const Message& message, RowBatch& batch) {
    return rows_->emit(*view_, message.seq, batch,
                       [&](Emit& emit) { view_->reading(context, message, emit); });
}

} // namespace sluice
