// Where a consumer of the feed stands, as a text: its numbers with full stops between them.
#include <sluice/feed.hpp>

#include <array>
#include <charconv>
#include <string>

namespace sluice {

namespace {

constexpr std::size_t kNumbersOfPosition = 7;

std::array<std::uint64_t, kNumbersOfPosition> numbers_of(const FeedPosition& position) {
    return {position.told.entry.value,
            position.told.within.value,
            position.gone.entry.value,
            position.gone.within.value,
            position.doubt.value,
            position.derivation,
            position.view};
}

} // namespace

std::string FeedPosition::text() const {
    std::string text;
    for (const std::uint64_t number : numbers_of(*this)) {
        text += (text.empty() ? "" : ".") + std::to_string(number);
    }
    return text;
}

Result<FeedPosition> FeedPosition::from_text(std::string_view text) {
    const Error wrong{Errc::invalid_argument, "this is no position of a feed"};
    std::array<std::uint64_t, kNumbersOfPosition> numbers{};
    const char* at = text.data();
    const char* const end = at + text.size();
    for (std::uint64_t& number : numbers) {
        if (&number != numbers.data() && (at == end || *at++ != '.')) return wrong;
        const auto [stopped, error] = std::from_chars(at, end, number);
        if (error != std::errc()) return wrong;
        at = stopped;
    }
    constexpr std::uint64_t kMax = ~std::uint32_t{0};
    if (at != end || numbers[5] > kMax || numbers[6] > kMax) return wrong;
    FeedPosition position;
    position.told = {{numbers[0]}, {numbers[1]}};
    position.gone = {{numbers[2]}, {numbers[3]}};
    position.doubt = {numbers[4]};
    position.derivation = static_cast<std::uint32_t>(numbers[5]);
    position.view = static_cast<std::uint32_t>(numbers[6]);
    return position;
}

} // namespace sluice
