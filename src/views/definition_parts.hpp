// Reading the parts that definitions of all kinds are made of. Each mistake is named by its part.
#pragma once
#include "base/pointer.hpp"

#include <sluice/result.hpp>
#include <sluice/value.hpp>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::definition_parts {

Error wrong(const std::string& part, const std::string& what);
std::string in_quotes(std::string_view name);

/// Refuses members that are not among `names`, so that a slip of the pen is not a silent default.
Result<void> check_names(const std::string& part, const Value& object,
                         std::initializer_list<std::string_view> names);

Result<Pointer> parse_pointer(const std::string& part, const Value& value);
/// None if `value` is null pointer.
Result<std::optional<Pointer>> parse_optional_pointer(const std::string& part, const Value* value);
Result<std::vector<Pointer>> parse_pointers(const std::string& part, const Value* value);

std::string pointers_json(const std::vector<Pointer>& pointers);

} // namespace sluice::definition_parts
