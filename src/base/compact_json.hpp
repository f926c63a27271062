// JSON text on one line.
#pragma once
#include <string>
#include <string_view>

namespace sluice {

/// Appends `json`, which must be JSON, without the white space between its tokens.
void append_compact_json(std::string& to, std::string_view json);

} // namespace sluice
