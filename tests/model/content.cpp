#include "model/content.hpp"

#include <array>
#include <cmath>
#include <cstdlib>

namespace sluice::test {

const std::vector<Scalar>& scalars() {
    static const std::vector<Scalar> all = {
        {"0.1", Key(0.1), true, 10},
        {"0.2", Key(0.2), true, 20},
        {"-0.1", Key(-0.1), true, -10},
        {"12.50", Key(12.5), true, 1250},
        {"1", Key(1), true, 100},
        {"-3", Key(-3), true, -300},
        {"7e2", Key(700), true, 70000},
        {"1e300", Key(1e300), true, 0, 1},
        {"-1e300", Key(-1e300), true, 0, -1},
        {"1e-300", Key(1e-300), true, 0, 0, 1},
        {"-1e-300", Key(-1e-300), true, 0, 0, -1},
        {"\"zz\"", Key("zz"), false},
    };
    return all;
}

std::string Content::body() const {
    if (!is_json) return text;
    std::string json = R"({"author":")" + author + R"(","type":")" + type + R"(","tags":[)";
    for (std::size_t i = 0; i < tags.size(); ++i) {
        json += (i == 0 ? "\"" : ",\"") + tags[i] + '"';
    }
    json += ']';
    if (number) json += R"(,"n":)" + std::string(scalars()[*number].json);
    return json + R"(,"text":")" + text + "\"}";
}

Content make_content(std::uint64_t seed, std::string text) {
    static constexpr std::array kAuthors = {"ada", "bo", "cy"};
    static constexpr std::array kTypes = {"post", "vote", "odd"};
    static constexpr std::array kTags = {"red", "green", "red", "blue"};
    const auto take = [&](std::uint64_t choices) {
        const std::uint64_t chosen = seed % choices;
        seed /= choices;
        return chosen;
    };
    Content content;
    content.is_json = take(11) != 0;
    content.author = kAuthors[take(kAuthors.size())];
    content.type = kTypes[take(kTypes.size())];
    const std::uint64_t number = take(scalars().size() + 2);
    if (number < scalars().size()) content.number = number;
    for (std::uint64_t left = take(4); left > 0; --left) {
        content.tags.emplace_back(kTags[take(kTags.size())]);
    }
    content.text = std::move(text);
    return content;
}

void Numbers::add(const Scalar& scalar) {
    if (!scalar.is_number) return;
    ++count_;
    hundredths_ += scalar.hundredths;
    huge_ += scalar.huge;
    tiny_ += scalar.tiny;
}

namespace {

/// hundredths / 100 as people write it, without trailing zeros.
std::string decimal_text(std::int64_t hundredths) {
    const std::int64_t magnitude = std::abs(hundredths);
    std::string text = std::to_string(magnitude / 100);
    if (const std::int64_t places = magnitude % 100; places != 0) {
        text += '.' + std::to_string(places / 10);
        if (places % 10 != 0) text += std::to_string(places % 10);
    }
    return (hundredths < 0 ? "-" : "") + text;
}

double number_of(std::string_view json) {
    return std::strtod(std::string(json).c_str(), nullptr);
}

} // namespace

/// The double nearest to the exact sum. What is smaller by hundreds of orders of magnitude only
/// decides between two doubles that are equally near; fma() lets it.
double Numbers::sum() const {
    const double tiny = tiny_ * 1e-300;
    const double small = hundredths_ != 0 ? number_of(decimal_text(hundredths_)) : tiny;
    return huge_ != 0 ? std::fma(huge_, 1e300, small) : small;
}

bool Numbers::is_sum(std::string_view json) const {
    if (count_ == 0) return json == "null";
    if (huge_ == 0 && tiny_ == 0) return json == decimal_text(hundredths_);
    return number_of(json) == sum();
}

bool Numbers::is_average(std::string_view json) const {
    if (count_ == 0) return json == "null";
    // Divided once more than rounded: the last bits may differ.
    const double expected = sum() / static_cast<double>(count_);
    return std::abs(number_of(json) - expected) <= std::abs(expected) * 1e-15;
}

} // namespace sluice::test
