#include "base/assert.hpp"
#include "base/json.hpp"
#include "base/json_text.hpp"
#include "base/key_format.hpp"
#include "base/memory.hpp"
#include "views/compiled_view.hpp"
#include "views/link_rows.hpp"
#include "views/search_rows.hpp"
#include "views/value_json.hpp"
#include "views/view.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <stdexcept>

namespace sluice {

namespace {

/// What one message gives to the groups of one aggregate. The store keeps one value for a term in a
/// row, so several contributions to one group become one before they are emitted.
class Contributions {
public:
    void clear() {
        items_.clear();
        bytes_.clear();
    }
    void add(std::string_view group, const Tally& tally) {
        const std::size_t begin = bytes_.size();
        bytes_ += group;
        const std::size_t middle = bytes_.size();
        tally.append_to(bytes_);
        items_.push_back({begin, middle, bytes_.size()});
    }
    void emit_into(RowBatch& batch, const TallyShape& shape);

private:
    struct Item {
        std::size_t begin;
        std::size_t middle;
        std::size_t end;
    };
    std::string_view group(const Item& item) const {
        return std::string_view(bytes_).substr(item.begin, item.middle - item.begin);
    }
    std::string_view tally(const Item& item) const {
        return std::string_view(bytes_).substr(item.middle, item.end - item.middle);
    }

    std::string bytes_;
    std::vector<Item> items_;
};

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

/// What one message gives to the groups of one fold: all its values under a group are one row.
class FoldContributions {
public:
    void clear() { rows_.clear(); }
    void add(std::string_view group, Seq seq, std::string_view value) {
        append_fold_value(rows_[std::string(group)], seq, value);
    }
    void emit_into(RowBatch& batch) const {
        for (const auto& [group, value] : rows_) batch.emit(group, value);
    }

private:
    std::map<std::string, std::string> rows_;
};

/// The Emit of one call of one view function.
class RowEmit : public Emit {
public:
    RowEmit(const View& view, Seq seq, RowBatch& batch, Contributions& contributions,
            FoldContributions& folded)
        : view_(view), seq_(seq), batch_(batch), contributions_(contributions), folded_(folded),
          tally_(view.shape) {}

    void operator()(const Key& key) override {
        if (view_.definition.kind == ViewKind::index) {
            batch_.emit(key.encoded());
        } else if (is_fold()) {
            throw std::invalid_argument("a fold needs values");
        } else {
            add(key);
        }
    }
    void operator()(const Key& group, std::string_view value) override {
        if (!is_fold()) throw std::invalid_argument("only a fold takes bytes");
        folded_.add(group.encoded(), seq_, value);
    }
    void operator()(const Key& group, const Value& value) override {
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
    void operator()(const Key& group, std::int64_t value) override {
        check_takes_values();
        std::string text;
        append_json_number(text, value);
        if (is_fold()) return (*this)(group, std::string_view(text));
        add_number(text);
        add_bounds(Key(value).encoded());
        add(group);
    }
    void operator()(const Key& group, double value) override {
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

private:
    bool is_fold() const { return view_.definition.kind == ViewKind::fold; }
    void check_takes_values() const {
        if (view_.definition.kind != ViewKind::index) return;
        throw std::invalid_argument("the rows of an index have no value");
    }
    void add_number(std::string_view json_number) {
        if (!view_.shape.summed().empty()) tally_.add_number(0, json_number);
    }
    void add_bounds(std::string_view element) {
        if (view_.shape.min()) tally_.add_min(element);
        if (view_.shape.max()) tally_.add_max(element);
    }
    void add(const Key& group) {
        tally_.add_times(1);
        contributions_.add(group.encoded(), tally_);
        tally_.clear();
    }

    const View& view_;
    Seq seq_;
    RowBatch& batch_;
    Contributions& contributions_;
    FoldContributions& folded_;
    Tally tally_;
};

/// A pointer of a declared view, and its slot if it starts from the message. In a view with "each"
/// it starts from the element.
struct Source {
    const Pointer* pointer = nullptr;
    std::size_t slot = PathSet::kNoSlot;
};

/// A declared view with its pointers resolved to slots. Borrows from the view.
struct Plan {
    Plan(const View& planned, PathSet& paths);

    const View* view;
    std::vector<std::size_t> where;
    std::vector<const Value*> where_found;
    std::size_t each = PathSet::kNoSlot;
    std::vector<Source> key;
    std::vector<Source> summed;
    std::optional<Source> min;
    std::optional<Source> max;
    Tally tally;
    std::optional<Source> folded;
    std::optional<Source> link_source; ///< Starts from the message, also with "each".
    std::optional<Source> link_target;
    std::optional<Source> link_relation;
    std::string constant_relation; ///< Encoded.
    std::optional<Source> link_state;
    std::vector<Source> texts;
    std::optional<search_rows::Writer> words;
};

Plan::Plan(const View& planned, PathSet& paths) : view(&planned), tally(planned.shape) {
    const Definition& definition = planned.definition;
    const auto source = [&](const Pointer& pointer) {
        return Source{&pointer, definition.each ? PathSet::kNoSlot : paths.add(pointer)};
    };
    if (definition.where) {
        for (const Pointer& pointer : definition.where->pointers()) {
            where.push_back(paths.add(pointer));
        }
        where_found.resize(where.size());
    }
    if (definition.each) each = paths.add(*definition.each);
    for (const Pointer& pointer : definition.key) key.push_back(source(pointer));
    for (const Pointer& pointer : planned.shape.summed()) summed.push_back(source(pointer));
    if (planned.shape.min()) min = source(*planned.shape.min());
    if (planned.shape.max()) max = source(*planned.shape.max());
    if (definition.kind == ViewKind::fold) folded = source(definition.fold.value);
    if (definition.kind == ViewKind::links) {
        const LinkMembers& links = definition.links;
        if (links.source) link_source = Source{&*links.source, paths.add(*links.source)};
        link_target = source(links.target);
        if (links.relation) link_relation = source(*links.relation);
        if (links.state) link_state = source(*links.state);
        if (links.constant_relation.empty()) {
            key_format::append_null(constant_relation);
        } else {
            key_format::append_string(constant_relation, links.constant_relation);
        }
    }
    for (const Pointer& pointer : definition.search.text) texts.push_back(source(pointer));
    if (definition.kind == ViewKind::search) words.emplace(definition.search.language);
}

} // namespace

struct Mapper::Impl {
    using Slots = std::span<const Value* const>;

    explicit Impl(std::vector<std::shared_ptr<const View>> mapped);

    void map_declared(Plan& plan, const Message& message, Slots slots, RowBatch& batch);
    void map_element(Plan& plan, const Message& message, Slots slots, const Value* element,
                     RowBatch& batch);
    static void map_link(Plan& plan, const Message& message, Slots slots, const Value* element,
                         RowBatch& batch);
    static void map_texts(Plan& plan, Slots slots, RowBatch& batch);
    void append_tally(Plan& plan, Slots slots, const Value* element);
    void map_code(std::size_t index, const Message& message, RowBatch& batch);

    std::vector<std::shared_ptr<const View>> views;
    std::vector<std::optional<Plan>> plans; ///< By view; none for code views.
    bool has_code = false;
    PathSet paths;
    JsonParser parser;
    std::vector<std::uint64_t> errors;

    // Kept from message to message for their memory only.
    std::string key;
    std::string element_bytes;
    Contributions contributions;
    FoldContributions folded;
};

Mapper::Impl::Impl(std::vector<std::shared_ptr<const View>> mapped)
    : views(std::move(mapped)), plans(views.size()), errors(views.size()) {
    for (std::size_t i = 0; i < views.size(); ++i) {
        if (views[i]->is_code) {
            has_code = has_code || can_map(*views[i]);
        } else {
            plans[i].emplace(*views[i], paths);
        }
    }
}

namespace {

const Value* find(const Source& source, std::span<const Value* const> slots, const Value* element) {
    return element == nullptr ? slots[source.slot] : source.pointer->find(*element);
}

template <typename Visit> void each_element(const Value& values, const Visit& visit) {
    for (const Value& element : values.elements()) visit(element);
    for (const auto& [name, value] : values.members()) visit(value);
}

} // namespace

void Mapper::Impl::map_declared(Plan& plan, const Message& message, Slots slots, RowBatch& batch) {
    const Definition& definition = plan.view->definition;
    if (definition.where) {
        std::transform(plan.where.begin(), plan.where.end(), plan.where_found.begin(),
                       [&](std::size_t slot) { return slots[slot]; });
        if (!definition.where->matches_found(plan.where_found)) return;
    }
    contributions.clear();
    folded.clear();
    if (definition.kind == ViewKind::search) {
        map_texts(plan, slots, batch);
    } else if (!definition.each) {
        map_element(plan, message, slots, nullptr, batch);
    } else if (const Value* const each = slots[plan.each]) {
        each_element(*each, [&](const Value& element) {
            map_element(plan, message, slots, &element, batch);
        });
        if (definition.kind == ViewKind::aggregate) {
            contributions.emit_into(batch, plan.view->shape);
        }
    }
    if (definition.kind == ViewKind::fold) folded.emit_into(batch);
}

/// `element` is null pointer for the message itself.
void Mapper::Impl::map_element(Plan& plan, const Message& message, Slots slots,
                               const Value* element, RowBatch& batch) {
    const Definition& definition = plan.view->definition;
    if (definition.kind == ViewKind::links) return map_link(plan, message, slots, element, batch);
    key.clear();
    for (const Source& source : plan.key) {
        const Value* const part = find(source, slots, element);
        if (part == nullptr || !key_format::append_value(key, *part)) return;
    }
    if (definition.kind == ViewKind::index) {
        batch.emit(key);
        return;
    }
    if (definition.kind == ViewKind::fold) {
        const Value* const value = find(*plan.folded, slots, element);
        element_bytes.clear();
        if (value != nullptr && append_folded_value(element_bytes, definition.fold.fold, *value)) {
            folded.add(key, message.seq, element_bytes);
        }
        return;
    }
    if (element == nullptr && plan.view->shape.is_only_count()) {
        batch.emit(key); // The empty value: counted once.
        return;
    }
    append_tally(plan, slots, element);
    if (element == nullptr) {
        batch.emit(key, plan.tally.encoded());
    } else {
        contributions.add(key, plan.tally);
    }
}

void Mapper::Impl::map_link(Plan& plan, const Message& message, Slots slots, const Value* element,
                            RowBatch& batch) {
    const auto encode = [&](const Value* value, std::string& to) {
        return value != nullptr && key_format::append_value(to, *value);
    };
    std::string source, target, relation = plan.constant_relation;
    if (!plan.link_source) {
        if (message.key.empty()) return;
        key_format::append_string(source, message.key);
    } else if (!encode(find(*plan.link_source, slots, nullptr), source)) {
        return;
    }
    if (!encode(find(*plan.link_target, slots, element), target)) return;
    if (plan.link_relation) {
        relation.clear();
        if (!encode(find(*plan.link_relation, slots, element), relation)) return;
    }
    std::string_view value = link_rows::kHolds;
    if (plan.link_state) {
        const Value* const state = find(*plan.link_state, slots, element);
        const auto holds = state == nullptr ? std::nullopt : state->as_bool();
        if (!holds) return; // It says nothing about this link.
        if (!*holds) value = link_rows::kEnds;
    }
    link_rows::emit(batch, source, relation, target, value);
}

/// A text is a string, or each string in an array.
void Mapper::Impl::map_texts(Plan& plan, Slots slots, RowBatch& batch) {
    for (const Source& source : plan.texts) {
        const Value* const found = find(source, slots, nullptr);
        if (found == nullptr) continue;
        search_rows::for_each_text(*found,
                                   [&](std::string_view text) { plan.words->add_text(text); });
    }
    plan.words->emit_into(batch);
}

/// Fills plan.tally with what one element counts.
void Mapper::Impl::append_tally(Plan& plan, Slots slots, const Value* element) {
    plan.tally.clear();
    plan.tally.add_times(1);
    for (std::size_t i = 0; i < plan.summed.size(); ++i) {
        const Value* const number = find(plan.summed[i], slots, element);
        if (number == nullptr || number->type() != Value::Type::number) continue;
        plan.tally.add_number(i, number->number_text());
    }
    const auto encode = [&](const std::optional<Source>& source) {
        element_bytes.clear();
        const Value* const value = source ? find(*source, slots, element) : nullptr;
        return value != nullptr && value->type() != Value::Type::array &&
               key_format::append_value(element_bytes, *value);
    };
    if (encode(plan.min)) plan.tally.add_min(element_bytes);
    if (encode(plan.max)) plan.tally.add_max(element_bytes);
}

void Mapper::Impl::map_code(std::size_t index, const Message& message, RowBatch& batch) {
    const View& view = *views[index];
    contributions.clear();
    folded.clear();
    RowEmit emit(view, message.seq, batch, contributions, folded);
    // The one place where code that is not ours runs: whatever it throws costs this message's row
    // of this view, and nothing else.
    if (!run_foreign([&] { view.function(message, emit); })) {
        batch.discard_row();
        ++errors[index];
        return;
    }
    if (view.definition.kind == ViewKind::aggregate) contributions.emit_into(batch, view.shape);
    if (view.definition.kind == ViewKind::fold) folded.emit_into(batch);
}

Mapper::Mapper(std::vector<std::shared_ptr<const View>> views)
    : impl_(std::make_unique<Impl>(std::move(views))) {}
Mapper::~Mapper() = default;
Mapper::Mapper(Mapper&&) noexcept = default;
Mapper& Mapper::operator=(Mapper&&) noexcept = default;

void Mapper::map(Seq seq, std::string_view key, std::string_view body,
                 std::span<RowBatch> batches) {
    Impl& impl = *impl_;
    SLUICE_ASSERT(batches.size() == impl.views.size());

    // With a function around, the whole message is needed, and what the declared views want is in
    // it. Either way the text is gone over once, and whether it is JSON is the same (J2).
    const Value* json = nullptr;
    std::optional<Impl::Slots> slots;
    if (impl.has_code) {
        json = impl.parser.parse(body);
        if (json != nullptr) slots = impl.parser.extract_parsed(*json, impl.paths);
    } else {
        slots = impl.parser.extract(body, impl.paths);
    }

    const Message message{seq, key, body, json};
    for (std::size_t i = 0; i < impl.views.size(); ++i) {
        batches[i].begin_row(seq);
        if (impl.plans[i]) {
            if (slots) impl.map_declared(*impl.plans[i], message, *slots, batches[i]);
        } else if (can_map(*impl.views[i])) {
            impl.map_code(i, message, batches[i]);
        }
    }
}

std::span<const std::uint64_t> Mapper::errors() const {
    return impl_->errors;
}

} // namespace sluice
