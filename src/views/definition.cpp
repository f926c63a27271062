#include "views/definition.hpp"

#include "base/json.hpp"
#include "base/try.hpp"
#include "views/definition_parts.hpp"
#include "views/words.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice {

namespace {

enum class Author : std::uint8_t { declared, code };

using namespace definition_parts;

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
    return parse_optional_pointer(part, value);
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

constexpr std::array<std::pair<std::string_view, DeclaredFold>, 5> kFolds = {{
    {"first", DeclaredFold::first},
    {"last", DeclaredFold::last},
    {"set", DeclaredFold::set},
    {"list", DeclaredFold::list},
    {"merge", DeclaredFold::merge},
}};

Result<FoldMembers> parse_fold(const Value& root) {
    const Value* const fold = root.find("fold");
    const auto name = fold == nullptr ? std::nullopt : fold->as_string();
    const auto known = std::find_if(kFolds.begin(), kFolds.end(),
                                    [&](const auto& each) { return each.first == name; });
    if (known == kFolds.end()) {
        return wrong(R"("fold")", R"("first", "last", "set", "list" or "merge")");
    }
    const Value* const value = root.find("value");
    if (value == nullptr) return wrong(R"("value")", "a JSON Pointer in a string");
    FoldMembers members;
    members.fold = known->second;
    SLUICE_TRY_ASSIGN(members.value, parse_pointer(R"("value")", *value));
    return members;
}

Result<LinkMembers> parse_links(const Value& root) {
    LinkMembers members;
    SLUICE_TRY_ASSIGN(members.source, parse_optional_pointer(R"("source")", root.find("source")));
    const Value* const target = root.find("target");
    if (target == nullptr) return wrong(R"("target")", "a JSON Pointer in a string");
    SLUICE_TRY_ASSIGN(members.target, parse_pointer(R"("target")", *target));
    if (const Value* const relation = root.find("relation")) {
        const auto text = relation->as_string();
        if (!text || text->empty()) {
            return wrong(R"("relation")", "a JSON Pointer or a name in a string, or left out");
        }
        if (text->front() == '/') {
            SLUICE_TRY_ASSIGN(members.relation, parse_pointer(R"("relation")", *relation));
        } else {
            members.constant_relation = *text;
        }
    }
    SLUICE_TRY_ASSIGN(members.state, parse_optional_pointer(R"("state")", root.find("state")));
    return members;
}

Result<SearchMembers> parse_search(const Value& root) {
    SearchMembers members;
    SLUICE_TRY_ASSIGN(members.text, parse_pointers(R"("text")", root.find("text")));
    if (members.text.empty()) return wrong(R"("text")", "at least one JSON Pointer");
    if (const Value* const language = root.find("language")) {
        const auto name = language->as_string();
        const std::vector<std::string> known = stemmed_languages();
        if (!name ||
            (*name != "none" && std::find(known.begin(), known.end(), *name) == known.end())) {
            std::string names = R"("none")";
            for (const std::string& each : known) names += ", " + in_quotes(each);
            return wrong(R"("language")", "one of " + names);
        }
        if (*name != "none") members.language = *name;
    }
    return members;
}

constexpr std::array<std::pair<std::string_view, ViewKind>, 5> kKinds = {{
    {"index", ViewKind::index},
    {"aggregate", ViewKind::aggregate},
    {"fold", ViewKind::fold},
    {"links", ViewKind::links},
    {"search", ViewKind::search},
}};

Result<ViewKind> parse_kind(Author author, const Value& root) {
    const Value* const kind = root.find("kind");
    const auto text = kind == nullptr ? std::nullopt : kind->as_string();
    for (const auto& [name, known] : kKinds) {
        if (text != name) continue;
        if (author == Author::declared) return known;
        if (known != ViewKind::links && known != ViewKind::search) return known;
    }
    return wrong(R"("kind")", author == Author::declared
                                  ? R"("index", "aggregate", "fold", "links" or "search")"
                                  : R"("index", "aggregate" or "fold" for a function)");
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

Result<std::vector<std::string>> parse_reads(const Value& reads) {
    const Error error = wrong(R"("reads")", "an array of names of views");
    if (reads.type() != Value::Type::array) return error;
    std::vector<std::string> names;
    for (const Value& each : reads.elements()) {
        const auto name = each.as_string();
        if (!name) return error;
        names.emplace_back(*name);
    }
    return names;
}

std::string names_json(const std::vector<std::string>& names) {
    std::string json = "[";
    for (const std::string& name : names) {
        if (json.size() > 1) json += ',';
        json += in_quotes(name);
    }
    return json + ']';
}

std::string canonical_text(Author author, const Definition& definition) {
    std::string json = R"({"kind":)" + in_quotes(name_of(definition.kind));
    const auto append = [&](std::string_view name, const std::string& value) {
        json += ',' + in_quotes(name) + ':' + value;
    };
    const auto append_pointer = [&](std::string_view name, const std::optional<Pointer>& pointer) {
        if (pointer) append(name, in_quotes(pointer->text()));
    };
    if (definition.where) append("where", definition.where->json());
    append_pointer("each", definition.each);
    const bool is_declared = author == Author::declared;
    switch (definition.kind) {
    case ViewKind::index:
        if (is_declared) append("key", pointers_json(definition.key));
        break;
    case ViewKind::aggregate:
        if (is_declared) append("group", pointers_json(definition.key));
        append("value", members_json(author, definition.members));
        break;
    case ViewKind::fold:
        if (!is_declared) break;
        append("group", pointers_json(definition.key));
        for (const auto& [name, fold] : kFolds) {
            if (fold == definition.fold.fold) append("fold", in_quotes(name));
        }
        append_pointer("value", definition.fold.value);
        break;
    case ViewKind::links: {
        const LinkMembers& links = definition.links;
        append_pointer("source", links.source);
        append_pointer("target", links.target);
        append_pointer("relation", links.relation);
        if (!links.constant_relation.empty())
            append("relation", in_quotes(links.constant_relation));
        append_pointer("state", links.state);
        break;
    }
    case ViewKind::search:
        append("text", pointers_json(definition.search.text));
        if (!definition.search.language.empty()) {
            append("language", in_quotes(definition.search.language));
        }
        break;
    }
    if (definition.reads) append("reads", names_json(*definition.reads));
    return json + '}';
}

/// The members that a kind may have.
Result<void> check_members(Author author, ViewKind kind, const Value& root) {
    const std::string part =
        std::string(kind == ViewKind::index || kind == ViewKind::aggregate ? "an " : "a ") +
        std::string(name_of(kind)) + " view";
    if (author == Author::code) {
        const std::string code_part = part + " written as a function";
        if (kind == ViewKind::aggregate) {
            return check_names(code_part, root, {"kind", "value", "reads"});
        }
        return check_names(code_part, root, {"kind", "reads"});
    }
    switch (kind) {
    case ViewKind::index: return check_names(part, root, {"kind", "where", "each", "key"});
    case ViewKind::aggregate:
        return check_names(part, root, {"kind", "where", "each", "group", "value"});
    case ViewKind::fold:
        return check_names(part, root, {"kind", "where", "each", "group", "fold", "value"});
    case ViewKind::links:
        return check_names(part, root,
                           {"kind", "where", "each", "source", "target", "relation", "state"});
    case ViewKind::search: return check_names(part, root, {"kind", "where", "text", "language"});
    }
    return {};
}

Result<Definition> parse(Author author, std::string_view json) {
    JsonParser parser;
    const Value* const root = parser.parse(json);
    if (root == nullptr || root->type() != Value::Type::object) {
        return wrong("it", "a JSON object, this is not");
    }
    Definition definition;
    SLUICE_TRY_ASSIGN(definition.kind, parse_kind(author, *root));
    SLUICE_TRY(check_members(author, definition.kind, *root));
    const bool is_declared = author == Author::declared;
    if (const Value* const where = root->find("where")) {
        SLUICE_TRY_ASSIGN(definition.where, Predicate::from_json(*where));
    }
    SLUICE_TRY_ASSIGN(definition.each, parse_optional_pointer(R"("each")", root->find("each")));
    const ViewKind kind = definition.kind;
    if (is_declared && kind == ViewKind::index) {
        SLUICE_TRY_ASSIGN(definition.key, parse_pointers(R"("key")", root->find("key")));
    }
    if (is_declared && (kind == ViewKind::aggregate || kind == ViewKind::fold)) {
        SLUICE_TRY_ASSIGN(definition.key, parse_pointers(R"("group")", root->find("group")));
    }
    if (kind == ViewKind::aggregate) {
        SLUICE_TRY_ASSIGN(definition.members, parse_members(author, root->find("value")));
    }
    if (is_declared && kind == ViewKind::fold) {
        SLUICE_TRY_ASSIGN(definition.fold, parse_fold(*root));
    }
    if (kind == ViewKind::links) {
        SLUICE_TRY_ASSIGN(definition.links, parse_links(*root));
    }
    if (kind == ViewKind::search) {
        SLUICE_TRY_ASSIGN(definition.search, parse_search(*root));
    }
    if (const Value* const reads = root->find("reads")) {
        SLUICE_TRY_ASSIGN(definition.reads, parse_reads(*reads));
    }
    definition.canonical = canonical_text(author, definition);
    return definition;
}

} // namespace

std::string_view name_of(ViewKind kind) {
    for (const auto& [name, known] : kKinds) {
        if (known == kind) return name;
    }
    return "unknown";
}

Result<Definition> parse_declared_definition(std::string_view json) {
    return parse(Author::declared, json);
}
Result<Definition> parse_code_definition(std::string_view json) {
    return parse(Author::code, json);
}
Definition with_reads(Definition definition, std::vector<std::string> names) {
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    definition.reads = std::move(names);
    definition.canonical = canonical_text(Author::code, definition);
    return definition;
}

} // namespace sluice
