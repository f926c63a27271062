// Which messages? `--where` and a view's "where", compiled.
#pragma once
#include <sluice/result.hpp>
#include <sluice/value.hpp>

#include <memory>
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
    static Result<Predicate> from_json(const Value& where);

    bool matches(const Value& message) const;
    /// Matches one message's bytes; false for a body that is not JSON.
    bool matches_body(std::string_view body) const;

    struct Node;
    const Node& root() const { return *root_; }

private:
    explicit Predicate(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
    std::shared_ptr<const Node> root_;
};

} // namespace sluice
