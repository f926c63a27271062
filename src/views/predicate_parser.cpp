// The grammar of docs/design/where.md, read by recursive descent.
#include "base/json.hpp"
#include "base/try.hpp"
#include "views/predicate_node.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>

namespace sluice {

namespace {

using Node = Predicate::Node;

constexpr int kNestingMax = 100; // Deeper, recursion could end the process and not the parse.

bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

struct Operator {
    std::string_view text;
    Node::Type type;
};
// Where one operator begins another, the longer one comes first.
constexpr std::array<Operator, 7> kOperators = {{
    {"!=", Node::Type::unequal},
    {"<=", Node::Type::less_or_equal},
    {">=", Node::Type::greater_or_equal},
    {"^=", Node::Type::begins_with},
    {"=", Node::Type::equal},
    {"<", Node::Type::less},
    {">", Node::Type::greater},
}};

class Parser {
public:
    explicit Parser(std::string_view text) : text_(text) {}

    Result<ParsedPredicate> parse() {
        SLUICE_TRY_ASSIGN(parsed_.root, alternatives(0));
        if (!rest().empty()) return expected("\"and\", \"or\" or the end");
        return std::move(parsed_);
    }

private:
    std::string_view rest() {
        while (at_ < text_.size() && is_space(text_[at_])) ++at_;
        return text_.substr(at_);
    }
    Error expected(std::string_view what) const {
        const std::string_view before = text_.substr(0, at_);
        const auto characters = std::count_if(before.begin(), before.end(), [](char c) {
            return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
        });
        return {Errc::invalid_argument, "condition, column " + std::to_string(characters + 1) +
                                            ": expected " + std::string(what)};
    }
    bool take_if(std::string_view token) {
        if (!rest().starts_with(token)) return false;
        at_ += token.size();
        return true;
    }
    bool take_word(std::string_view word) {
        const std::string_view left = rest();
        if (!left.starts_with(word)) return false;
        const std::string_view behind = left.substr(word.size());
        const bool ends = behind.empty() || is_space(behind[0]) ||
                          std::string_view("()/\"").find(behind[0]) != behind.npos;
        if (!ends) return false;
        at_ += word.size();
        return true;
    }

    Result<Node> alternatives(int depth);
    Result<Node> requirements(int depth);
    Result<Node> factor(int depth);
    Result<Node> test();
    Result<Pointer> pointer();
    Result<Scalar> scalar(bool is_text);
    /// What stands up to white space or one of `stops`.
    std::string_view take_bare(std::string_view stops);
    /// A JSON string, at whose opening quote the parser stands.
    Result<std::string> quoted();

    std::string_view text_;
    std::size_t at_ = 0;
    ParsedPredicate parsed_;
};

Result<Node> Parser::alternatives(int depth) {
    SLUICE_TRY_ASSIGN(Node first, requirements(depth));
    if (!take_word("or")) return first;
    Node any{Node::Type::disjunction, 0, {}, {}};
    any.children.push_back(std::move(first));
    do {
        SLUICE_TRY_ASSIGN(Node next, requirements(depth));
        any.children.push_back(std::move(next));
    } while (take_word("or"));
    return any;
}

Result<Node> Parser::requirements(int depth) {
    SLUICE_TRY_ASSIGN(Node first, factor(depth));
    if (!take_word("and")) return first;
    Node all{Node::Type::conjunction, 0, {}, {}};
    all.children.push_back(std::move(first));
    do {
        SLUICE_TRY_ASSIGN(Node next, factor(depth));
        all.children.push_back(std::move(next));
    } while (take_word("and"));
    return all;
}

Result<Node> Parser::factor(int depth) {
    if (depth == kNestingMax) {
        return expected("at most " + std::to_string(kNestingMax) + " levels of nesting");
    }
    if (take_word("not")) {
        SLUICE_TRY_ASSIGN(Node inner, factor(depth + 1));
        Node negation{Node::Type::negation, 0, {}, {}};
        negation.children.push_back(std::move(inner));
        return negation;
    }
    if (take_if("(")) {
        SLUICE_TRY_ASSIGN(Node inner, alternatives(depth + 1));
        if (!take_if(")")) return expected("\"and\", \"or\" or \")\"");
        return inner;
    }
    return test();
}

Result<Node> Parser::test() {
    SLUICE_TRY_ASSIGN(const Pointer where, pointer());
    Node node{Node::Type::exists, parsed_.index_of(where), {}, {}};
    const auto found = std::find_if(kOperators.begin(), kOperators.end(),
                                    [&](const Operator& o) { return take_if(o.text); });
    if (found == kOperators.end()) return node;
    node.type = found->type;
    SLUICE_TRY_ASSIGN(node.scalar, scalar(node.type == Node::Type::begins_with));
    return node;
}

Result<Pointer> Parser::pointer() {
    const std::string_view left = rest();
    const std::size_t begin = at_;
    std::string text;
    if (left.starts_with('"')) {
        SLUICE_TRY_ASSIGN(text, quoted());
    } else if (left.starts_with('/')) {
        text = take_bare("()=!<>^\"");
    } else {
        return expected("a pointer such as /value/author, \"not\" or \"(\"");
    }
    auto parsed = Pointer::parse(text);
    if (!parsed) {
        at_ = begin;
        return expected("a pointer: " + parsed.error().context);
    }
    return parsed;
}

Result<Scalar> Parser::scalar(bool is_text) {
    const std::string_view left = rest();
    if (left.starts_with('"')) {
        SLUICE_TRY_ASSIGN(std::string text, quoted());
        return Scalar(std::move(text));
    }
    if (left.empty() || left[0] == ')' || left[0] == '[' || left[0] == '{') {
        return expected("a value: a number, true, false, null, a bare word or a \"JSON string\"");
    }
    const std::string_view word = take_bare(")");
    if (!is_text) {
        if (word == "null") return Scalar(nullptr);
        if (word == "true" || word == "false") return Scalar(word == "true");
        if (is_json_number(word)) return Scalar(KeyNumber::from_json(word));
    }
    return Scalar(std::string(word));
}

std::string_view Parser::take_bare(std::string_view stops) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && !is_space(text_[at_]) && stops.find(text_[at_]) == stops.npos) {
        ++at_;
    }
    return text_.substr(begin, at_ - begin);
}

Result<std::string> Parser::quoted() {
    std::size_t end = at_ + 1;
    for (; end < text_.size() && text_[end] != '"'; ++end) {
        if (text_[end] == '\\') ++end;
    }
    JsonParser parser;
    const Value* const value = end < text_.size()
                                   ? parser.parse(text_.substr(at_, end + 1 - at_)) //
                                   : nullptr;
    if (value == nullptr || !value->as_string()) return expected("a complete JSON string");
    at_ = end + 1;
    return std::string(*value->as_string());
}

} // namespace

std::size_t ParsedPredicate::index_of(const Pointer& pointer) {
    const auto known = std::find(pointers.begin(), pointers.end(), pointer);
    const auto index = static_cast<std::size_t>(known - pointers.begin());
    if (known == pointers.end()) pointers.push_back(pointer);
    return index;
}

Result<ParsedPredicate> parse_predicate(std::string_view text) {
    // No message holds such bytes, and the condition could not be printed.
    if (!simdjson::validate_utf8(text)) {
        return Error{Errc::invalid_argument, "condition: it is not UTF-8"};
    }
    return Parser(text).parse();
}

} // namespace sluice
