// A condition is refused, or has a text that means the same and prints as itself.
#include "base/assert.hpp"
#include "views/predicate.hpp"

#include <cstddef>
#include <cstdint>

using namespace sluice;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // Up to the first new line the condition, behind it the message.
    const std::string_view all(reinterpret_cast<const char*>(data), size);
    const std::size_t end = std::min(all.find('\n'), size);
    const std::string_view body = all.substr(std::min(end + 1, size));

    const auto predicate = Predicate::parse(all.substr(0, end));
    if (!predicate) {
        SLUICE_ASSERT(predicate.error().code == Errc::invalid_argument);
        return 0;
    }
    const std::string text = predicate->text();
    const auto again = Predicate::parse(text);
    // Bytes that are not UTF-8 print as U+FFFD, and are another condition then.
    if (text.find("\xEF\xBF\xBD") != text.npos) return 0;
    SLUICE_ASSERT(again && again->text() == text);
    SLUICE_ASSERT(again->matches_body(body) == predicate->matches_body(body));
    return 0;
}
