#include "views/definition.hpp"

#include "base/json.hpp"
#include "base/json_text.hpp"
#include "base/try.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace sluice {

namespace {

enum class Author : std::uint8_t { declared, code };

Error wrong(const std::string& part, const std::string& what) {
    return {Errc::invalid_argument, "view definition: " + part + " is " + what};
}

std::string in_quotes(std::string_view name) {
    std::string quoted;
    append_json_string(quoted, name);
    return quoted;
}

/// Refuses members that are not among `names`, so that a slip of the pen is not a silent default.
Result<void> check_names(const std::string& part, const Value& object,
                         std::initializer_list<std::string_view> names) {
    for (const auto& [name, value] : object.members()) {
        if (std::find(names.begin(), names.end(), name) != names.end()) continue;
        std::string known;
        for (const std::string_view one : names) {
            if (!known.empty()) known += ", ";
            append_json_string(known, one);
        }
        return wrong(in_quotes(name),
                     std::string("unknown: ").append(part + " has ").append(known));
    }
    return {};
}

Result<Pointer> parse_pointer(const std::string& part, const Value& value) {
    const auto text = value.as_string();
    if (!text) return wrong(part, "a JSON Pointer in a string");
    auto pointer = Pointer::parse(*text);
    if (!pointer) return wrong(part, "no JSON Pointer: " + pointer.error().context);
    return pointer;
}

Result<std::vector<Pointer>> parse_pointers(const std::string& part, const Value* value) {
    if (value == nullptr || value->type() != Value::Type::array) {
        return wrong(part, R"(an array of JSON Pointers such as ["/value/author"])");
    }
    std::vector<Pointer> pointers;
    for (const Value& element : value->elements()) {
        SLUICE_TRY_ASSIGN(Pointer pointer, parse_pointer("an element of " + part, element));
        pointers.push_back(std::move(pointer));
    }
    return pointers;
}

/// `true`: the member is wanted. Its absence is how not to want it.
Result<bool> parse_wanted(const std::string& part, const Value* value) {
    if (value != nullptr && value->as_bool() != true) return wrong(part, "true, or left out");
    return value != nullptr;
}

Result<std::optional<Pointer>> parse_operand(Author author, const std::string& part,
                                             const Value* value) {
    if (author == Author::code) {
        SLUICE_TRY_ASSIGN(const bool wanted, parse_wanted(part, value));
        return wanted ? std::optional<Pointer>(Pointer()) : std::nullopt;
    }
    if (value == nullptr) return std::optional<Pointer>();
    SLUICE_TRY_ASSIGN(Pointer pointer, parse_pointer(part, *value));
    return std::optional<Pointer>(std::move(pointer));
}

Result<AggregateMembers> parse_members(Author author, const Value* value) {
    if (value == nullptr || value->members().empty()) {
        return wrong(R"("value")", author == Author::code
                                       ? R"(an object such as {"count":true,"sum":true})"
                                       : R"(an object such as {"count":true,"sum":"/value/n"})");
    }
    SLUICE_TRY(check_names(R"("value")", *value, {"count", "sum", "average", "min", "max"}));
    const auto operand = [&](std::string_view name) {
        return parse_operand(author, in_quotes(name) + R"( of "value")", value->find(name));
    };
    AggregateMembers members;
    SLUICE_TRY_ASSIGN(members.count, parse_wanted(R"("count" of "value")", value->find("count")));
    SLUICE_TRY_ASSIGN(members.sum, operand("sum"));
    SLUICE_TRY_ASSIGN(members.average, operand("average"));
    SLUICE_TRY_ASSIGN(members.min, operand("min"));
    SLUICE_TRY_ASSIGN(members.max, operand("max"));
    return members;
}

Result<ViewKind> parse_kind(const Value& root) {
    const Value* const kind = root.find("kind");
    const auto text = kind == nullptr ? std::nullopt : kind->as_string();
    if (text == "index") return ViewKind::index;
    if (text == "aggregate") return ViewKind::aggregate;
    return wrong(R"("kind")", R"("index" or "aggregate")");
}

std::string pointers_json(const std::vector<Pointer>& pointers) {
    std::string json = "[";
    for (const Pointer& pointer : pointers) {
        if (json.size() > 1) json += ',';
        append_json_string(json, pointer.text());
    }
    return json + ']';
}

std::string members_json(Author author, const AggregateMembers& members) {
    std::string json;
    const auto append = [&](std::string_view name, const std::string& value) {
        json += json.empty() ? '{' : ',';
        json += in_quotes(name) + ':' + value;
    };
    const auto append_operand = [&](std::string_view name, const std::optional<Pointer>& operand) {
        if (!operand) return;
        append(name, author == Author::code ? "true" : in_quotes(operand->text()));
    };
    if (members.count) append("count", "true");
    append_operand("sum", members.sum);
    append_operand("average", members.average);
    append_operand("min", members.min);
    append_operand("max", members.max);
    return json + '}';
}

std::string canonical_text(Author author, const Definition& definition) {
    const bool is_index = definition.kind == ViewKind::index;
    std::string json = is_index ? R"({"kind":"index")" : R"({"kind":"aggregate")";
    if (definition.where) json += R"(,"where":)" + definition.where->json();
    if (definition.each) json += R"(,"each":)" + in_quotes(definition.each->text());
    if (author == Author::declared) {
        json += is_index ? R"(,"key":)" : R"(,"group":)";
        json += pointers_json(definition.key);
    }
    if (!is_index) json += R"(,"value":)" + members_json(author, definition.members);
    return json + '}';
}

Result<Definition> parse(Author author, std::string_view json) {
    JsonParser parser;
    const Value* const root = parser.parse(json);
    if (root == nullptr || root->type() != Value::Type::object) {
        return wrong("it", "a JSON object, this is not");
    }
    Definition definition;
    SLUICE_TRY_ASSIGN(definition.kind, parse_kind(*root));
    const bool is_index = definition.kind == ViewKind::index;
    const std::string part = is_index ? "an index" : "an aggregate";
    if (author == Author::code) {
        const std::string code_part = part + " written as a function";
        SLUICE_TRY(is_index ? check_names(code_part, *root, {"kind"})
                            : check_names(code_part, *root, {"kind", "value"}));
    } else {
        SLUICE_TRY(is_index
                       ? check_names(part, *root, {"kind", "where", "each", "key"})
                       : check_names(part, *root, {"kind", "where", "each", "group", "value"}));
        if (const Value* const where = root->find("where")) {
            SLUICE_TRY_ASSIGN(definition.where, Predicate::from_json(*where));
        }
        if (const Value* const each = root->find("each")) {
            SLUICE_TRY_ASSIGN(definition.each, parse_pointer(R"("each")", *each));
        }
        const std::string_view key = is_index ? "key" : "group";
        SLUICE_TRY_ASSIGN(definition.key, parse_pointers(in_quotes(key), root->find(key)));
    }
    if (!is_index) {
        SLUICE_TRY_ASSIGN(definition.members, parse_members(author, root->find("value")));
    }
    definition.canonical = canonical_text(author, definition);
    return definition;
}

} // namespace

Result<Definition> parse_declared_definition(std::string_view json) {
    return parse(Author::declared, json);
}
Result<Definition> parse_code_definition(std::string_view json) {
    return parse(Author::code, json);
}

} // namespace sluice
