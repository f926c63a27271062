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

/// How a declared fold makes one answer of a group's values.
enum class DeclaredFold : std::uint8_t { first, last, set, list, merge };

struct FoldMembers {
    DeclaredFold fold = DeclaredFold::last;
    Pointer value;
};

struct LinkMembers {
    std::optional<Pointer> source; ///< Of the message, also with "each". None: its application key.
    Pointer target;
    std::optional<Pointer> relation; ///< None: `constant_relation`, or null if that is empty.
    std::string constant_relation;
    std::optional<Pointer> state; ///< None: a message can only say that there is a link.
};

struct SearchMembers {
    std::vector<Pointer> text;
    std::string language; ///< Empty: words are taken as they are.
};

struct Definition {
    ViewKind kind = ViewKind::index;
    std::optional<Predicate> where;
    std::optional<Pointer> each;
    std::vector<Pointer> key; ///< Of an index; of an aggregate or fold, its "group".

    // Of the kind that they are named after.
    AggregateMembers members;
    FoldMembers fold;
    LinkMembers links;
    SearchMembers search;
    /// Of a view written in code that looks things up: the views whose rows it reads, sorted.
    std::optional<std::vector<std::string>> reads;

    /// Equal text, equal view.
    std::string canonical;
};

/// Errors: invalid_argument, naming the part that is wrong and what it may be.
Result<Definition> parse_declared_definition(std::string_view json);
/// The definition of a view whose function says which messages, keys and numbers.
/// Errors: invalid_argument, as above.
Result<Definition> parse_code_definition(std::string_view json);
/// The same definition of a view that reads the rows of these.
Definition with_reads(Definition definition, std::vector<std::string> names);

} // namespace sluice
