// Which messages? `--where` and a view's "where", compiled.
#pragma once
#include "base/pointer.hpp"

#include <sluice/result.hpp>
#include <sluice/value.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// A condition on one JSON message. Immutable once parsed; copies share.
class Predicate {
public:
    /// The grammar of docs/design/where.md:
    ///   /value/author=@abc= and (/value/sequence>=10 or not /value/content/type^=po)
    /// Errors: invalid_argument, with the column and what was expected there.
    static Result<Predicate> parse(std::string_view text);
    /// {"/pointer": scalar, ...}: all must be equal; or a JSON string in the grammar above.
    /// Errors: invalid_argument.
    static Result<Predicate> from_json(const Value& where);

    bool matches(const Value& message) const;
    /// Matches one message's bytes; false for a body that is not JSON.
    bool matches_body(std::string_view body) const;

    /// What the condition looks at, each once.
    const std::vector<Pointer>& pointers() const;
    /// matches(), for who has followed pointers() already: `found` has what each points to.
    bool matches_found(std::span<const Value* const> found) const;

    /// The condition in the grammar, with one way to write each: equal text, equal condition.
    std::string text() const;
    /// The condition as from_json() reads it: an object if it only asks for equal values, with its
    /// pointers in order; otherwise text() as a string.
    std::string json() const;

    struct Node;

private:
    struct State;
    explicit Predicate(std::shared_ptr<const State> state) : state_(std::move(state)) {}
    std::shared_ptr<const State> state_;
};

} // namespace sluice
