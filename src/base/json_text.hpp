// Writing JSON text.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

/// `text` in quotes. What is not UTF-8 in it becomes U+FFFD, because JSON text cannot hold it.
void append_json_string(std::string& to, std::string_view text);

void append_json_number(std::string& to, std::int64_t value);
void append_json_number(std::string& to, std::uint64_t value);
/// An integer below 2^53 in digits, anything else as the shortest text that reads back. JSON has no
/// infinity: it prints as 1e999, which reads back as one. Must not be NaN.
void append_json_number(std::string& to, double value);

} // namespace sluice
