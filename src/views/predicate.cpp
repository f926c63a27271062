#include "views/predicate.hpp"

#include "base/json.hpp"
#include "base/json_text.hpp"
#include "base/key_format.hpp"
#include "base/try.hpp"
#include "views/predicate_node.hpp"

#include <algorithm>
#include <optional>

namespace sluice {

using Type = Predicate::Node::Type;

namespace {

/// How `value` stands to `scalar` in the order of keys; none if they have different types.
std::optional<std::strong_ordering> compare(const Value& value, const Scalar& scalar) {
    switch (value.type()) {
    case Value::Type::null:
        if (std::holds_alternative<std::nullptr_t>(scalar)) return std::strong_ordering::equal;
        return std::nullopt;
    case Value::Type::boolean:
        if (const auto* other = std::get_if<bool>(&scalar)) return *value.as_bool() <=> *other;
        return std::nullopt;
    case Value::Type::number:
        if (const auto* other = std::get_if<KeyNumber>(&scalar)) {
            const auto order = KeyNumber::from_json(value.number_text()) <=> *other;
            // Neither is NaN, so the partial order is total.
            return order < 0   ? std::strong_ordering::less
                   : order > 0 ? std::strong_ordering::greater
                               : std::strong_ordering::equal;
        }
        return std::nullopt;
    case Value::Type::string:
        if (const auto* other = std::get_if<std::string>(&scalar)) {
            return *value.as_string() <=> std::string_view(*other);
        }
        return std::nullopt;
    case Value::Type::array:
    case Value::Type::object: return std::nullopt;
    }
    return std::nullopt;
}

bool begins_with(const Value& value, const Scalar& scalar) {
    const auto text = value.as_string();
    return text && text->starts_with(std::get<std::string>(scalar));
}

bool evaluate(const Predicate::Node& node, std::span<const Value* const> found) {
    const auto holds = [&](const Predicate::Node& child) { return evaluate(child, found); };
    switch (node.type) {
    case Type::conjunction: return std::all_of(node.children.begin(), node.children.end(), holds);
    case Type::disjunction: return std::any_of(node.children.begin(), node.children.end(), holds);
    case Type::negation: return !holds(node.children[0]);
    default: break;
    }
    const Value* const value = found[node.pointer];
    if (value == nullptr) return node.type == Type::unequal;
    if (node.type == Type::exists) return true;
    if (node.type == Type::begins_with) return begins_with(*value, node.scalar);
    const auto order = compare(*value, node.scalar);
    if (!order) return node.type == Type::unequal;
    switch (node.type) {
    case Type::equal: return *order == 0;
    case Type::unequal: return *order != 0;
    case Type::less: return *order < 0;
    case Type::less_or_equal: return *order <= 0;
    case Type::greater: return *order > 0;
    default: return *order >= 0;
    }
}

std::string_view operator_text(Type type) {
    switch (type) {
    case Type::equal: return "=";
    case Type::unequal: return "!=";
    case Type::less: return "<";
    case Type::less_or_equal: return "<=";
    case Type::greater: return ">";
    case Type::greater_or_equal: return ">=";
    case Type::begins_with: return "^=";
    default: return "";
    }
}

void append_pointer(std::string& to, const Pointer& pointer) {
    const std::string text = pointer.text();
    const bool is_bare =
        !text.empty() && text.find_first_of(std::string_view(" \n\r\t()=!<>^\"")) == text.npos;
    if (is_bare)
        to += text;
    else
        append_json_string(to, text);
}

void append_text(std::string& to, const ParsedPredicate& parsed, const Predicate::Node& node) {
    const auto append_child = [&](const Predicate::Node& child) {
        const bool in_parentheses =
            child.type == Type::disjunction ||
            (child.type == Type::conjunction && node.type != Type::disjunction);
        if (in_parentheses) to += '(';
        append_text(to, parsed, child);
        if (in_parentheses) to += ')';
    };
    switch (node.type) {
    case Type::negation:
        to += "not ";
        append_child(node.children[0]);
        return;
    case Type::conjunction:
    case Type::disjunction: {
        std::string_view between;
        for (const Predicate::Node& child : node.children) {
            to += between;
            append_child(child);
            between = node.type == Type::conjunction ? " and " : " or ";
        }
        return;
    }
    default:
        append_pointer(to, parsed.pointers[node.pointer]);
        to += operator_text(node.type);
        if (node.type != Type::exists) append_scalar_json(to, node.scalar);
    }
}

std::optional<Scalar> to_scalar(const Value& value) {
    switch (value.type()) {
    case Value::Type::null: return Scalar(nullptr);
    case Value::Type::boolean: return Scalar(*value.as_bool());
    case Value::Type::number: return Scalar(KeyNumber::from_json(value.number_text()));
    case Value::Type::string: return Scalar(std::string(*value.as_string()));
    default: return std::nullopt;
    }
}

} // namespace

void append_scalar_json(std::string& to, const Scalar& scalar) {
    std::string encoded;
    if (const auto* boolean = std::get_if<bool>(&scalar)) {
        key_format::append_bool(encoded, *boolean);
    } else if (const auto* number = std::get_if<KeyNumber>(&scalar)) {
        key_format::append_number(encoded, *number);
    } else if (const auto* text = std::get_if<std::string>(&scalar)) {
        key_format::append_string(encoded, *text);
    } else {
        key_format::append_null(encoded);
    }
    key_format::append_json(to, encoded);
}

struct Predicate::State {
    ParsedPredicate parsed;
    PathSet paths; ///< Its slots are the places in parsed.pointers.
    bool is_object = false;
};

Result<Predicate> Predicate::parse(std::string_view text) {
    SLUICE_TRY_ASSIGN(auto parsed, parse_predicate(text));
    PathSet paths;
    for (const Pointer& pointer : parsed.pointers) paths.add(pointer);
    return Predicate(std::make_shared<const State>(
        State{std::move(parsed), std::move(paths), /*is_object=*/false}));
}

Result<Predicate> Predicate::from_json(const Value& where) {
    if (const auto text = where.as_string()) return parse(*text);
    // An empty object would mean every message: too much to be what somebody left out.
    if (where.members().empty()) {
        return Error{
            Errc::invalid_argument,
            R"("where" is an object such as {"/pointer": scalar}, or a condition in a string)"};
    }
    // In the order of the pointers, so that two ways to write one condition become one.
    std::vector<std::pair<Pointer, Scalar>> tests;
    for (const auto& [name, value] : where.members()) {
        SLUICE_TRY_ASSIGN(Pointer pointer, Pointer::parse(name));
        auto scalar = to_scalar(value);
        if (!scalar) {
            return Error{
                Errc::invalid_argument,
                R"(in "where" a pointer is compared with null, a bool, a number or a string)"};
        }
        tests.emplace_back(std::move(pointer), *std::move(scalar));
    }
    std::sort(tests.begin(), tests.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });

    State state;
    state.is_object = true;
    for (auto& [pointer, scalar] : tests) {
        state.paths.add(pointer);
        const std::size_t index = state.parsed.index_of(pointer);
        state.parsed.root.children.push_back({Type::equal, index, std::move(scalar), {}});
    }
    return Predicate(std::make_shared<const State>(std::move(state)));
}

const std::vector<Pointer>& Predicate::pointers() const {
    return state_->parsed.pointers;
}

bool Predicate::matches_found(std::span<const Value* const> found) const {
    return evaluate(state_->parsed.root, found);
}

bool Predicate::matches(const Value& message) const {
    std::vector<const Value*> found;
    for (const Pointer& pointer : pointers()) found.push_back(pointer.find(message));
    return matches_found(found);
}

bool Predicate::matches_body(std::string_view body) const {
    // One for each thread, because a parser's memory costs more than most messages.
    static thread_local JsonParser parser;
    const auto found = parser.extract(body, state_->paths);
    return found && matches_found(*found);
}

std::string Predicate::text() const {
    std::string text;
    append_text(text, state_->parsed, state_->parsed.root);
    return text;
}

std::string Predicate::json() const {
    std::string json;
    if (!state_->is_object) {
        append_json_string(json, text());
        return json;
    }
    json += '{';
    std::string_view between;
    for (const Node& test : state_->parsed.root.children) {
        json += between;
        append_json_string(json, pointers()[test.pointer].text());
        json += ':';
        append_scalar_json(json, test.scalar);
        between = ",";
    }
    json += '}';
    return json;
}

} // namespace sluice
