// A parsed value as JSON text again.
#pragma once
#include <sluice/value.hpp>

#include <string>

namespace sluice {

/// Compact, members in their order, numbers as they were written.
void append_value_json(std::string& to, const Value& value);

} // namespace sluice
