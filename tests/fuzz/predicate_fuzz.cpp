// A line with a condition, then messages. A condition that is understood says the same after it was
// written down and read again.
//
// Code: views/predicate views/predicate_parser
#include "base/assert.hpp"
#include "views/predicate.hpp"

#include <cstddef>
#include <cstdint>

using sluice::Predicate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::size_t line = input.find('\n');
    const std::string_view body = line == std::string_view::npos ? "" : input.substr(line + 1);

    const auto predicate = Predicate::parse(input.substr(0, line));
    if (!predicate) return 0;
    const auto again = Predicate::parse(predicate->text());
    SLUICE_ASSERT(again && again->text() == predicate->text());
    SLUICE_ASSERT(again->matches_body(body) == predicate->matches_body(body));
    return 0;
}
