#include "base/assert.hpp"
#include "base/json.hpp"
#include "base/key_format.hpp"
#include "views/code_rows.hpp"
#include "views/compiled_view.hpp"
#include "views/link_rows.hpp"
#include "views/search_rows.hpp"
#include "views/view.hpp"

#include <algorithm>

namespace sluice {

namespace {

/// A pointer of a declared view, and its slot if it starts from the message. In a view with "each"
/// it starts from the element.
struct Operand {
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
    std::vector<Operand> key;
    std::vector<Operand> summed;
    std::optional<Operand> min;
    std::optional<Operand> max;
    Tally tally;
    std::optional<Operand> folded;
    std::optional<Operand> link_source; ///< Starts from the message, also with "each".
    std::optional<Operand> link_target;
    std::optional<Operand> link_relation;
    std::string constant_relation; ///< Encoded.
    std::optional<Operand> link_state;
    std::vector<Operand> texts;
    std::optional<search_rows::Writer> words;
};

Plan::Plan(const View& planned, PathSet& paths) : view(&planned), tally(planned.shape) {
    const Definition& definition = planned.definition;
    const auto source = [&](const Pointer& pointer) {
        return Operand{&pointer, definition.each ? PathSet::kNoSlot : paths.add(pointer)};
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
        if (links.source) link_source = Operand{&*links.source, paths.add(*links.source)};
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

/// Messages that are kept until functions are called with many of them at once.
class GatheredMessages {
public:
    bool empty() const { return spans_.empty(); }
    bool is_full() const { return spans_.size() >= kMessagesMax || bytes_.size() >= kBytesMax; }
    void add(Seq seq, std::string_view key, std::string_view body) {
        spans_.push_back({seq, bytes_.size(), key.size(), body.size()});
        bytes_.append(key).append(body);
    }
    /// Valid until the next add() or clear().
    std::vector<Message> messages() const {
        std::vector<Message> messages;
        messages.reserve(spans_.size());
        for (const Span& span : spans_) {
            const std::string_view both =
                std::string_view(bytes_).substr(span.begin, span.key_size + span.body_size);
            messages.push_back(
                {span.seq, both.substr(0, span.key_size), both.substr(span.key_size)});
        }
        return messages;
    }
    void clear() {
        spans_.clear();
        bytes_.clear();
    }

private:
    static constexpr std::size_t kMessagesMax = 2048;
    static constexpr std::size_t kBytesMax = 4 * 1024 * 1024;
    struct Span {
        Seq seq;
        std::size_t begin;
        std::size_t key_size;
        std::size_t body_size;
    };
    std::vector<Span> spans_;
    std::string bytes_;
};

} // namespace

struct Mapper::Impl {
    using Slots = std::span<const Value* const>;

    bool is_ahead(std::size_t index) const { return ahead[index] != nullptr; }
    void make_ahead();
    explicit Impl(std::vector<std::shared_ptr<const View>> mapped);

    void map_declared(Plan& plan, const Message& message, Slots slots, RowBatch& batch);
    void map_element(Plan& plan, const Message& message, Slots slots, const Value* element,
                     RowBatch& batch);
    static void map_link(Plan& plan, const Message& message, Slots slots, const Value* element,
                         RowBatch& batch);
    static void map_texts(Plan& plan, Slots slots, RowBatch& batch);
    void append_tally(Plan& plan, Slots slots, const Value* element);
    void map_code(std::size_t index, const Message& message, RowBatch& batch);
    void announce_gathered();
    void map_announced(std::span<RowBatch> batches);

    std::vector<std::shared_ptr<const View>> views;
    std::vector<std::optional<Plan>> plans;       ///< By view; none for code views.
    std::vector<std::unique_ptr<MapAhead>> ahead; ///< By view; null pointer for most.
    bool has_declared = false;
    bool has_code = false;      ///< That needs a message as it comes.
    bool has_ahead = false;     ///< That is told of many at once.
    GatheredMessages gathered;  ///< That no function has been told of.
    GatheredMessages announced; ///< That functions were told of, and are making rows of.
    PathSet paths;
    JsonParser parser;
    std::vector<std::uint64_t> errors;

    // Kept from message to message for their memory only.
    std::string key;
    std::string element_bytes;
    Contributions contributions;
    FoldContributions folded;
    CodeRows code_rows;
};

Mapper::Impl::Impl(std::vector<std::shared_ptr<const View>> mapped)
    : views(std::move(mapped)), plans(views.size()), ahead(views.size()), errors(views.size()) {
    for (std::size_t i = 0; i < views.size(); ++i) {
        if (views[i]->ahead) {
            has_ahead = true;
        } else if (views[i]->is_code) {
            has_code = has_code || can_map(*views[i]);
        } else {
            plans[i].emplace(*views[i], paths);
            has_declared = true;
        }
    }
    make_ahead();
}

void Mapper::Impl::make_ahead() {
    for (std::size_t i = 0; i < views.size(); ++i) {
        if (views[i]->ahead) ahead[i] = views[i]->ahead();
    }
}

namespace {

const Value* find(const Operand& source, std::span<const Value* const> slots,
                  const Value* element) {
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
    for (const Operand& source : plan.key) {
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
    for (const Operand& source : plan.texts) {
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
    const auto encode = [&](const std::optional<Operand>& source) {
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
    const bool is_done = code_rows.emit(view, message.seq, batch, [&](Emit& emit) {
        is_ahead(index) ? ahead[index]->map(message, emit) : view.function(message, emit);
    });
    if (!is_done) ++errors[index];
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
    } else if (impl.has_declared) {
        slots = impl.parser.extract(body, impl.paths);
    }

    const Message message{seq, key, body, json};
    for (std::size_t i = 0; i < impl.views.size(); ++i) {
        if (impl.is_ahead(i)) continue;
        batches[i].begin_row(seq);
        if (impl.plans[i]) {
            if (slots) impl.map_declared(*impl.plans[i], message, *slots, batches[i]);
        } else if (can_map(*impl.views[i])) {
            impl.map_code(i, message, batches[i]);
        }
    }
    if (!impl.has_ahead) return;
    impl.gathered.add(seq, key, body);
    if (!impl.gathered.is_full()) return;
    impl.announce_gathered();
    impl.map_announced(batches);
    std::swap(impl.gathered, impl.announced);
}

/// Functions of another thread work on these while those before them are mapped.
void Mapper::Impl::announce_gathered() {
    if (gathered.empty()) return;
    const std::vector<Message> messages = gathered.messages();
    for (const auto& each : ahead) {
        // Where it threw, map() answers without it, or throws too.
        if (each) static_cast<void>(run_foreign([&] { each->expect(messages); }));
    }
}

void Mapper::Impl::map_announced(std::span<RowBatch> batches) {
    SLUICE_ASSERT(batches.size() == views.size());
    const std::vector<Message> messages = announced.messages();
    for (std::size_t i = 0; i < views.size(); ++i) {
        if (!is_ahead(i)) continue;
        for (const Message& message : messages) {
            batches[i].begin_row(message.seq);
            map_code(i, message, batches[i]);
        }
    }
    announced.clear();
}

void Mapper::settle(std::span<RowBatch> batches) {
    impl_->announce_gathered();
    impl_->map_announced(batches);
    std::swap(impl_->gathered, impl_->announced);
    impl_->map_announced(batches);
}

void Mapper::discard_unsettled() {
    if (impl_->gathered.empty() && impl_->announced.empty()) return;
    impl_->gathered.clear();
    impl_->announced.clear();
    impl_->make_ahead();
}

std::vector<std::uint64_t> Mapper::take_errors() {
    SLUICE_ASSERT(impl_->gathered.empty() && impl_->announced.empty());
    std::vector<std::uint64_t>& errors = impl_->errors;
    if (std::ranges::all_of(errors, [](std::uint64_t count) { return count == 0; })) return {};
    return std::exchange(errors, std::vector<std::uint64_t>(errors.size()));
}

} // namespace sluice
