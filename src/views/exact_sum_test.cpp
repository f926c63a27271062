#include "views/exact_sum.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <random>

namespace sluice {
namespace {

using Numbers = std::vector<std::string>;

ExactSum sum_of(const Numbers& numbers) {
    ExactSum sum;
    for (const std::string& number : numbers) static_cast<void>(sum.add(number));
    return sum;
}

std::string bytes_of(const ExactSum& sum) {
    std::string bytes;
    sum.append_to(bytes);
    return bytes;
}

std::string sum_json(const Numbers& numbers) {
    std::string json;
    sum_of(numbers).append_sum_json(json);
    return json;
}

std::string average_json(const Numbers& numbers) {
    std::string json;
    sum_of(numbers).append_average_json(json);
    return json;
}

TEST(ExactSum, IsExactForDecimals) {
    EXPECT_EQ(sum_json({"0.1", "0.2"}), "0.3");
    EXPECT_EQ(sum_json({"1", "2", "3"}), "6");
    EXPECT_EQ(sum_json({"1e3", "1.50"}), "1001.5");
    EXPECT_EQ(sum_json({"9223372036854775807", "9223372036854775807", "1"}),
              "18446744073709551615");
    EXPECT_EQ(sum_json({"-9223372036854775808", "-1"}), "-9223372036854775809");
    EXPECT_EQ(sum_json({"1e59", "1e-40", "-1e59"}), "1e-40");
    EXPECT_EQ(sum_json({"99999999999999999999999999999999999999", "1"}),
              "100000000000000000000000000000000000000");
    EXPECT_EQ(sum_json({"0.5", "-0.5"}), "0");
    EXPECT_EQ(sum_json({"-0.25"}), "-0.25");
    EXPECT_EQ(sum_json({"-0", "0.0", "0e999"}), "0");
    EXPECT_EQ(sum_json({"0.001"}), "0.001");
    EXPECT_EQ(sum_json({"12e-9"}), "1.2e-8");
    EXPECT_EQ(sum_json({"3e45"}), "3e45");
}

TEST(ExactSum, OfNothingIsNull) {
    EXPECT_EQ(sum_json({}), "null");
    EXPECT_EQ(average_json({}), "null");
    EXPECT_EQ(bytes_of({}), std::string(1, '\0'));
}

TEST(ExactSum, TakesTheNearestDoubleOfWhatIsNoDecimalAndRoundsOnce) {
    EXPECT_EQ(sum_json({"1e300"}), "1e+300");
    EXPECT_EQ(sum_json({"1e300", "1", "-1e300"}), "1");
    EXPECT_EQ(sum_json({"1e300", "0.1", "-1e300", "0.2"}), "0.3");
    EXPECT_EQ(sum_json({"5e-324", "5e-324"}), "1e-323");
    EXPECT_EQ(sum_json({"1.7976931348623157e308", "5e-324", "-1.7976931348623157e308"}), "5e-324");
    EXPECT_EQ(sum_json({"1e60"}), "1e+60");
    EXPECT_EQ(sum_json({"1e-41"}), "1e-41");
    EXPECT_EQ(sum_json({"1.7e308", "1.7e308"}), "1e999");
    EXPECT_EQ(sum_json({"0.123456789012345678901234567890123456789"}), "0.12345678901234568");
    // Halfway between two doubles, and a hair above it.
    EXPECT_EQ(sum_json({"1e-300", "9007199254740993"}), "9007199254740994");
    EXPECT_EQ(sum_json({"-1e-300", "9007199254740993"}), "9007199254740992");
}

TEST(ExactSum, PassesOverNumbersBeyondEveryDouble) {
    ExactSum sum;
    EXPECT_FALSE(sum.add("1e309"));
    EXPECT_FALSE(sum.add("-1e999999999999999999999"));
    EXPECT_TRUE(sum.add("1e-999999999999999999999")); // Nearest to zero.
    EXPECT_EQ(sum.count(), 1U);
    EXPECT_EQ(sum_json({"1e309", "7"}), "7");
    EXPECT_EQ(average_json({"1e309", "7"}), "7");
}

TEST(ExactAverage, IsRoundedOnceToSeventeenDigits) {
    EXPECT_EQ(average_json({"1", "2"}), "1.5");
    EXPECT_EQ(average_json({"1", "0", "0"}), "0.33333333333333333");
    EXPECT_EQ(average_json({"2", "0", "0"}), "0.66666666666666667");
    EXPECT_EQ(average_json({"-2", "0", "0"}), "-0.66666666666666667");
    EXPECT_EQ(average_json({"0.1", "0.2"}), "0.15");
    EXPECT_EQ(average_json({"10"}), "10");
    EXPECT_EQ(average_json({"0"}), "0");
    EXPECT_EQ(average_json({"1e300", "1e300"}),
              "1.0000000000000001e300"); // The double's own digits.
    // Half to even, and what is behind the half.
    EXPECT_EQ(average_json({"1.00000000000000005"}), "1");
    EXPECT_EQ(average_json({"1.00000000000000015"}), "1.0000000000000002");
    EXPECT_EQ(average_json({"1.000000000000000050000000000000000001"}), "1.0000000000000001");
    EXPECT_EQ(average_json({"99999999999999999.5"}), "100000000000000000");
    EXPECT_EQ(average_json({"5e-324"}), "4.9406564584124654e-324");
}

/// Numbers of every class, often cancelling each other.
std::string random_number(std::mt19937& random) {
    const std::string sign = random() % 2 == 0 ? "-" : "";
    const auto digits = [&](std::size_t count) {
        std::string text(1, static_cast<char>('1' + random() % 9));
        while (text.size() < count) text += static_cast<char>('0' + random() % 10);
        return text;
    };
    switch (random() % 6) {
    case 0: return sign + digits(1 + random() % 3);
    case 1: return sign + digits(1 + random() % 40);
    case 2: return sign + digits(1 + random() % 20) + '.' + digits(1 + random() % 25);
    case 3: return sign + "0.1";
    case 4: return sign + digits(2) + 'e' + std::to_string(static_cast<int>(random() % 700) - 350);
    default: return sign + "1e300";
    }
}

// What Accumulator asks for: neither the order nor the grouping shows.
TEST(ExactSum, HasTheSameBytesInAnyOrderAndGrouping) {
    std::mt19937 random(1);
    for (int round = 0; round < 3000; ++round) {
        Numbers numbers(random() % 30);
        for (std::string& number : numbers) number = random_number(random);
        const std::string expected = bytes_of(sum_of(numbers));

        std::shuffle(numbers.begin(), numbers.end(), random);
        ExactSum grouped;
        for (std::size_t first = 0; first < numbers.size();) {
            const std::size_t size =
                std::min<std::size_t>(1 + random() % 8, numbers.size() - first);
            const auto begin = numbers.begin() + static_cast<std::ptrdiff_t>(first);
            const std::string part =
                bytes_of(sum_of({begin, begin + static_cast<std::ptrdiff_t>(size)}));
            ByteReader reader(part);
            ASSERT_TRUE(grouped.add_encoded(reader) && reader.done());
            first += size;
        }
        ASSERT_EQ(bytes_of(grouped), expected);
    }
}

TEST(ExactSum, AgreesWithIntegersOfTheMachine) {
    std::mt19937_64 random(2);
    for (int round = 0; round < 5000; ++round) {
        Int128 expected = 0;
        ExactSum sum;
        for (int i = 0; i < 5; ++i) {
            const auto number = static_cast<std::int64_t>(random()) >> random() % 60;
            const int form = static_cast<int>(random() % 3);
            std::string text = std::to_string(number);
            if (form == 1) text += ".0";
            if (form == 2) text += "e0";
            ASSERT_TRUE(sum.add(text));
            expected += number;
        }
        std::string json;
        sum.append_sum_json(json);
        std::int64_t high = 0;
        if (expected == static_cast<std::int64_t>(expected)) {
            ASSERT_EQ(json, std::to_string(static_cast<std::int64_t>(expected)));
            ASSERT_EQ(std::from_chars(json.data(), json.data() + json.size(), high).ec,
                      std::errc());
        }
        ASSERT_EQ(static_cast<double>(expected), nearest_double(json));
    }
}

TEST(ExactSumBytes, AreThoseOfTheDocument) {
    EXPECT_EQ(bytes_of(sum_of({"0"})), std::string("\1\0", 2));
    EXPECT_EQ(bytes_of(sum_of({"5"})), "\1\1\5");
    EXPECT_EQ(bytes_of(sum_of({"-1", "-1"})), "\2\1\xFE");
    EXPECT_EQ(bytes_of(sum_of({"255"})), std::string("\1\2\xFF\0", 4));
    EXPECT_EQ(bytes_of(sum_of({"0.1", "0.2", "7"})), "\3\x21\7\1\1\3");
    EXPECT_EQ(bytes_of(sum_of({"-1e30"})), bytes_of(sum_of({"-10e29"})));
    EXPECT_EQ(bytes_of(sum_of({"5e-324"})), std::string("\1\x40\0\1\1", 5));
    EXPECT_EQ(bytes_of(sum_of({"1e300", "-1e300"})), std::string("\2\0", 2));
    EXPECT_EQ(bytes_of(sum_of({"0.5", "-0.5"})), std::string("\2\0", 2));
}

TEST(ExactSumBytes, ThatAreHostileAreRefusedOrRead) {
    std::mt19937 random(3);
    int refused = 0;
    for (int round = 0; round < 50'000; ++round) {
        std::string bytes = bytes_of(sum_of({random_number(random), random_number(random)}));
        bytes[random() % bytes.size()] = static_cast<char>(random());
        if (random() % 2 == 0) bytes.resize(random() % (bytes.size() + 1));
        ByteReader reader(bytes);
        ExactSum sum;
        if (!sum.add_encoded(reader)) {
            ++refused;
            ASSERT_EQ(bytes_of(sum), bytes_of({}));
        }
        std::string json;
        sum.append_sum_json(json);
        sum.append_average_json(json);
    }
    EXPECT_GT(refused, 5000);
    for (const std::string_view bytes :
         {std::string_view("\1\x40\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1\0", 13),
          std::string_view("\1\x20\x29\1\1", 5), std::string_view("\1\x1F", 2)}) {
        ByteReader reader(bytes);
        EXPECT_FALSE(ExactSum().add_encoded(reader));
    }
}

TEST(JsonNumbers, AreThoseOfTheGrammar) {
    for (const char* good : {"0", "-0", "12", "-1.5", "0.0", "1e5", "1E+5", "1.25e-10", "10"}) {
        EXPECT_TRUE(is_json_number(good)) << good;
    }
    for (const char* bad : {"", "-", "+1", "01", "1.", ".5", "1e", "1e+", "1.e5", "0x1", "1 ", " 1",
                            "1a", "--1", "1e5.0", "Infinity", "nan"}) {
        EXPECT_FALSE(is_json_number(bad)) << bad;
    }
}

} // namespace
} // namespace sluice
