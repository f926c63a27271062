// JSON Pointers (RFC 6901), such as "/value/content/type".
#pragma once
#include <sluice/result.hpp>
#include <sluice/value.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Which element of an array `token` means: digits without a leading zero.
std::optional<std::uint32_t> array_index(std::string_view token);

/// A pointer taken apart once, to be followed often.
class Pointer {
public:
    /// Errors: invalid_argument.
    static Result<Pointer> parse(std::string_view text);

    /// What it points to inside `root`; null pointer if nothing is there.
    const Value* find(const Value& root) const;

    const std::vector<std::string>& tokens() const { return tokens_; }
    std::string text() const;

    friend auto operator<=>(const Pointer&, const Pointer&) = default;

private:
    std::vector<std::string> tokens_; ///< Unescaped.
};

/// One step of a pointer; null pointer if nothing is there.
const Value* find_step(const Value& from, std::string_view token);

} // namespace sluice
