// A view's definition as data: parsed from JSON, checked, and written in one way.
#pragma once
#include "base/pointer.hpp"
#include "views/predicate.hpp"
#include "views/view.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// What an aggregate answers for a group. A pointer says where the numbers are; in a view written
/// as a function it is the empty one, and the function says.
struct AggregateMembers {
    bool count = false;
    std::optional<Pointer> sum;
    std::optional<Pointer> average;
    std::optional<Pointer> min;
    std::optional<Pointer> max;
};

struct Definition {
    ViewKind kind = ViewKind::index;
    std::optional<Predicate> where;
    std::optional<Pointer> each;
    std::vector<Pointer> key; ///< Of an index; of an aggregate, its "group".
    AggregateMembers members; ///< Of an aggregate.

    /// Equal text, equal view.
    std::string canonical;
};

/// Errors: invalid_argument, naming the part that is wrong and what it may be.
Result<Definition> parse_declared_definition(std::string_view json);
/// The definition of a view whose function says which messages, keys and numbers.
/// Errors: invalid_argument, as above.
Result<Definition> parse_code_definition(std::string_view json);

} // namespace sluice
