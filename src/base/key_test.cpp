#include "base/json.hpp"

#include <sluice/key.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <variant>

namespace sluice {
namespace {

__extension__ using Wide = __int128;

/// A key element as plain data, with the order of key.hpp written down once more, in other words.
struct Element {
    enum class Kind { null, boolean, integer, real, string, array };
    Kind kind = Kind::null;
    bool boolean = false;
    Wide integer = 0;
    double real = 0;
    std::string string;
    std::vector<Element> array;
};

int rank(const Element& element) {
    switch (element.kind) {
    case Element::Kind::null: return 0;
    case Element::Kind::boolean: return element.boolean ? 2 : 1;
    case Element::Kind::integer:
    case Element::Kind::real: return 3;
    case Element::Kind::string: return 4;
    case Element::Kind::array: return 5;
    }
    return -1;
}

/// x87 long double holds every 64-bit integer and every double, so it compares them exactly.
static_assert(std::numeric_limits<long double>::digits >= 64);
long double number_of(const Element& element) {
    return element.kind == Element::Kind::integer ? static_cast<long double>(element.integer)
                                                  : static_cast<long double>(element.real);
}

int compare(const std::vector<Element>& a, const std::vector<Element>& b);

int compare(const Element& a, const Element& b) {
    if (rank(a) != rank(b)) return rank(a) < rank(b) ? -1 : 1;
    if (rank(a) == 3) {
        const long double x = number_of(a), y = number_of(b);
        return x < y ? -1 : x > y ? 1 : 0;
    }
    if (rank(a) == 4) {
        const int order = a.string.compare(b.string);
        return order < 0 ? -1 : order > 0 ? 1 : 0;
    }
    return rank(a) == 5 ? compare(a.array, b.array) : 0;
}

int compare(const std::vector<Element>& a, const std::vector<Element>& b) {
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        if (const int order = compare(a[i], b[i]); order != 0) return order;
    }
    return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
}

Key key_of(const std::vector<Element>& elements) {
    Key key;
    for (const Element& element : elements) {
        switch (element.kind) {
        case Element::Kind::null: key.append(nullptr); break;
        case Element::Kind::boolean: key.append(element.boolean); break;
        case Element::Kind::integer:
            if (element.integer < 0)
                key.append(static_cast<std::int64_t>(element.integer));
            else
                key.append(static_cast<std::uint64_t>(element.integer));
            break;
        case Element::Kind::real: key.append(element.real); break;
        case Element::Kind::string: key.append(element.string); break;
        case Element::Kind::array: key.append_array(key_of(element.array)); break;
        }
    }
    return key;
}

/// Random tuples that are often equal, often prefixes of each other, and often near the limits.
class Tuples {
public:
    explicit Tuples(unsigned seed) : random_(seed) {}

    std::vector<Element> tuple(int depth = 0) {
        std::vector<Element> elements(below(depth == 0 ? 4 : 3));
        for (Element& element : elements) element = make(depth);
        return elements;
    }

private:
    unsigned below(unsigned end) { return static_cast<unsigned>(random_() % end); }

    Element make(int depth) {
        Element element;
        element.kind = static_cast<Element::Kind>(below(depth < 3 ? 6 : 5));
        element.boolean = below(2) == 1;
        element.integer = integer();
        element.real = real();
        element.string = string();
        if (element.kind == Element::Kind::array) element.array = tuple(depth + 1);
        return element;
    }
    Wide integer() {
        static constexpr Wide kCentres[] = {0, Wide{1} << 53, Wide{1} << 63, Wide{1} << 64, 1000};
        const Wide near = static_cast<Wide>(below(5000)) - 2500;
        const Wide value =
            (below(2) == 1 ? -1 : 1) * (kCentres[below(5)] + (below(2) ? near : near / 800));
        const Wide least = std::numeric_limits<std::int64_t>::min();
        const Wide most = std::numeric_limits<std::uint64_t>::max();
        return std::min(std::max(value, least), most);
    }
    double real() {
        static constexpr double kSpecial[] = {0.0,
                                              -0.0,
                                              0.1,
                                              1e300,
                                              0x1p53,
                                              0x1p63,
                                              0x1p64,
                                              0x1p65,
                                              5e-324,
                                              2.3e-308,
                                              std::numeric_limits<double>::infinity()};
        const double special = kSpecial[below(11)] * (below(2) == 1 ? -1 : 1);
        switch (below(3)) {
        case 0: return special;
        case 1: return std::nextafter(special, below(2) == 1 ? 1e308 : -1e308);
        default: return static_cast<double>(integer());
        }
    }
    std::string string() {
        static constexpr char kBytes[] = {'\0', '\1', '\2', 'a', '\xFF', '"', '\xC3'};
        std::string made(below(4), '\0');
        for (char& c : made) c = kBytes[below(7)];
        return made;
    }

    std::mt19937 random_;
};

int sign(std::strong_ordering order) {
    return order < 0 ? -1 : order > 0 ? 1 : 0;
}

TEST(KeyOrder, OfEncodingsIsThatOfTheTuples) {
    Tuples tuples(1);
    for (int i = 0; i < 200'000; ++i) {
        const auto a = tuples.tuple(), b = tuples.tuple();
        const Key x = key_of(a), y = key_of(b);
        ASSERT_EQ(sign(x <=> y), compare(a, b)) << x.to_json() << ' ' << y.to_json();
    }
}

TEST(KeyOrder, BytesBeginWithThoseOfAnotherKeyOnlyIfItsElementsDo) {
    Tuples tuples(2);
    int prefixes = 0;
    for (int i = 0; i < 200'000; ++i) {
        auto a = tuples.tuple();
        const auto b = tuples.tuple();
        if (i % 3 == 0) a.insert(a.begin(), b.begin(), b.end());
        const bool is_prefix =
            b.size() <= a.size() &&
            compare({a.begin(), a.begin() + static_cast<long>(b.size())}, b) == 0;
        prefixes += is_prefix;
        ASSERT_EQ(key_of(a).encoded().starts_with(key_of(b).encoded()), is_prefix);
    }
    EXPECT_GT(prefixes, 50'000);
}

TEST(KeyOrder, PutsTypesAndTheirValuesInTheDocumentedOrder) {
    const char* const ordered[] = {"[]",
                                   "[null]",
                                   "[null,null]",
                                   "[false]",
                                   "[true]",
                                   "[-1e999]",
                                   "[-18446744073709551616]",
                                   "[-9223372036854775808]",
                                   "[-1.5]",
                                   "[0]",
                                   "[5e-324]",
                                   "[1]",
                                   "[9007199254740992]",
                                   "[9007199254740993]",
                                   "[9007199254740994]",
                                   "[9223372036854775807]",
                                   "[9223372036854775808]",
                                   "[18446744073709551615]",
                                   "[18446744073709551616]",
                                   "[1e999]",
                                   R"([""])",
                                   R"(["\u0000"])",
                                   R"(["\u0000\u0000"])",
                                   R"(["\u0001"])",
                                   R"(["a"])",
                                   R"(["a",1])",
                                   R"(["a\u0000"])",
                                   R"(["ab"])",
                                   R"(["é"])",
                                   "[[]]",
                                   "[[null]]",
                                   "[[null,1]]",
                                   "[[[]]]"};
    for (std::size_t i = 0; i + 1 < std::size(ordered); ++i) {
        EXPECT_LT(Key::from_json(ordered[i]).value(), Key::from_json(ordered[i + 1]).value())
            << ordered[i] << " < " << ordered[i + 1];
    }
}

TEST(KeyBytes, AreThoseOfTheDocument) {
    const Key key = Key(nullptr, false, true, 1, std::string_view("a\0\1", 3));
    EXPECT_EQ(Key(key).append_array(Key(9007199254740993)).encoded(),
              std::string("\x10\x20\x21"
                          "\x30\xBF\xF0\0\0\0\0\0\0"
                          "\x40"
                          "a\1\1\1\2\0"
                          "\x50\x30\xC3\x40\0\0\0\0\0\0\x80\x01\x01",
                          32));
}

TEST(KeyBytes, ReadBack) {
    Tuples tuples(3);
    for (int i = 0; i < 100'000; ++i) {
        const Key key = key_of(tuples.tuple());
        ASSERT_EQ(Key::from_encoded(key.encoded()).value(), key);
    }
}

// If a second encoding of a key were taken for one, a lookup would miss it.
TEST(KeyBytes, WithAChangeAreRefusedOrAreAnotherKeysOwn) {
    Tuples tuples(4);
    std::mt19937 random(5);
    int refused = 0;
    for (int i = 0; i < 200'000; ++i) {
        std::string bytes = key_of(tuples.tuple()).encoded();
        if (bytes.empty()) continue;
        bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
        if (random() % 4 == 0) bytes.resize(random() % bytes.size());
        const auto key = Key::from_encoded(bytes);
        refused += !key;
        if (!key) {
            ASSERT_EQ(key.error().code, Errc::corrupt);
            continue;
        }
        // What is not UTF-8 does not survive JSON.
        const std::string json = key->to_json();
        if (json.find("\xEF\xBF\xBD") == json.npos) {
            ASSERT_EQ(Key::from_json(json).value().encoded(), bytes);
        }
    }
    EXPECT_GT(refused, 10'000);
}

TEST(KeyBytes, ThatNoKeyHasAreRefused) {
    const std::string_view hostile[] = {
        std::string_view("\x01", 1),                                 // An end, and no array.
        std::string_view("\x50", 1),                                 // An array without end.
        std::string_view("\x40\x61", 2),                             // A string without end.
        std::string_view("\x40\x01", 2),                             // Half an escape.
        std::string_view("\x40\x01\x03\x00", 4),                     // No such escape.
        std::string_view("\x30\xBF", 2),                             // Half a number.
        std::string_view("\x30\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 9), // -0
        std::string_view("\x30\xFF\xF8\0\0\0\0\0\0", 9),             // NaN
        std::string_view("\x30\x00\x07\0\0\0\0\0\0", 9),             // NaN
        std::string_view("\x30\xC3\x40\0\0\0\0\0\0", 9),             // 2^53, uncorrected.
        std::string_view("\x30\xC3\x40\0\0\0\0\0\0\x80\x02", 11),    // 2^53 + 2 is a double.
        std::string_view("\x30\xC3\x40\0\0\0\0\0\0\x7F\xFF", 11),    // So is 2^53 - 1.
        std::string_view("\x30\xC3\xF0\0\0\0\0\0\0\x80\x01", 11),    // 2^64 + 1 is too big.
        std::string_view("\x30\xFF\xF0\0\0\0\0\0\0\x80\x01", 11),    // Infinity + 1.
        std::string_view("\x02", 1),                                 // No such type.
    };
    for (const std::string_view bytes : hostile) {
        const auto key = Key::from_encoded(bytes);
        ASSERT_FALSE(key) << key->to_json();
        EXPECT_EQ(key.error().code, Errc::corrupt);
    }
    EXPECT_FALSE(Key::from_encoded(std::string(1'000'000, '\x50')));
}

TEST(KeyJson, PrintsWhatReadsBackAsTheSameKey) {
    Tuples tuples(6);
    int compared = 0;
    for (int i = 0; i < 100'000; ++i) {
        const Key key = key_of(tuples.tuple());
        const std::string json = key.to_json();
        if (json.find("\xEF\xBF\xBD") != json.npos) continue;
        ++compared;
        ASSERT_EQ(Key::from_json(json).value(), key) << json;
    }
    EXPECT_GT(compared, 30'000);
}

TEST(KeyJson, IsCompactAndShortest) {
    const std::pair<const char*, const char*> printed[] = {
        {"[ ]", "[]"},
        {R"( ["@alice" , 42, [true,[ ]], null] )", R"(["@alice",42,[true,[]],null])"},
        {"\"a\"", "[\"a\"]"},
        {"12", "[12]"},
        {"[1.0,1e3,-0,100000,1438787025000,0.1,1e-7,123.456]",
         "[1,1000,0,100000,1438787025000,0.1,1e-07,123.456]"},
        {"[9007199254740993.0,1e19,18446744073709551615,-9223372036854775808]",
         "[9007199254740993,10000000000000000000,18446744073709551615,-9223372036854775808]"},
        {"[1e22,1e400,-1e400,1e-400]", "[1e+22,1e999,-1e999,0]"},
        {R"(["\u0041\"\\\n\u0000\u00e9\ud83d\ude00\u007f/"])", "[\"A\\\"\\\\\\n\\u0000é😀\x7f/\"]"},
    };
    for (const auto& [json, expected] : printed) {
        EXPECT_EQ(Key::from_json(json).value().to_json(), expected);
    }
    EXPECT_EQ(Key("a\xFF"
                  "b\xED\xA0\x80")
                  .to_json(),
              "[\"a\uFFFDb\uFFFD\uFFFD\uFFFD\"]");
}

TEST(KeyJson, ThatIsNoKeyIsRefused) {
    for (const char* json : {"", "[", "[1,]", "{}", "[{}]", "[[1,{\"a\":1}]]", "[1] x", "[NaN]"}) {
        const auto key = Key::from_json(json);
        ASSERT_FALSE(key) << json;
        EXPECT_EQ(key.error().code, Errc::invalid_argument);
    }
}

TEST(KeyAppend, OfAnObjectChangesNothing) {
    JsonParser parser;
    Key key("a");
    EXPECT_FALSE(key.append_json(*parser.parse(R"([1,"b",{"c":1}])")));
    EXPECT_EQ(key, Key("a"));
    EXPECT_TRUE(key.append_json(*parser.parse("[1]")));
    EXPECT_EQ(key.to_json(), R"(["a",[1]])");
}

TEST(KeyAppend, TakesOneNumberForAnother) {
    EXPECT_EQ(Key(1), Key(1.0));
    EXPECT_EQ(Key(0), Key(-0.0));
    EXPECT_EQ(Key(std::uint64_t{1} << 60), Key(0x1p60));
    EXPECT_EQ(Key(short{7}), Key(7U));
    EXPECT_NE(Key(std::uint64_t{1} << 60), Key((std::uint64_t{1} << 60) + 1));
    Key twice("x");
    twice.append_array(twice);
    EXPECT_EQ(twice.to_json(), R"(["x",["x"]])");
}

} // namespace
} // namespace sluice
