// A parsed condition, between the parser that makes it and the predicate that evaluates it.
#pragma once
#include "base/number.hpp"
#include "base/pointer.hpp"
#include "views/predicate.hpp"

#include <string>
#include <variant>
#include <vector>

namespace sluice {

/// A scalar to compare with. Owns its text; a number is held as keys order it.
using Scalar = std::variant<std::nullptr_t, bool, KeyNumber, std::string>;

void append_scalar_json(std::string& to, const Scalar& scalar);

struct Predicate::Node {
    enum class Type : std::uint8_t {
        exists,
        equal,
        unequal,
        less,
        less_or_equal,
        greater,
        greater_or_equal,
        begins_with,
        negation,    ///< Of its one child.
        conjunction, ///< Of one child or more.
        disjunction,
    };
    Type type = Type::conjunction;
    std::size_t pointer = 0; ///< Of a test: which of Parsed::pointers.
    Scalar scalar;           ///< Of a comparison.
    std::vector<Node> children;
};

/// A condition and what it looks at.
struct ParsedPredicate {
    Predicate::Node root;
    std::vector<Pointer> pointers;

    std::size_t index_of(const Pointer& pointer);
};

/// Errors: invalid_argument, with the column and what was expected there.
Result<ParsedPredicate> parse_predicate(std::string_view text);

} // namespace sluice
