// What a test's message says, known without reading its JSON.
#pragma once
#include <sluice/key.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::test {

/// A JSON scalar that sums, averages and bounds are tried with. As a number it is
/// hundredths / 100 + huge * 1e300 + tiny * 1e-300, where the latter two are doubles.
struct Scalar {
    std::string_view json;
    Key key; ///< As the only element of a key.
    bool is_number = true;
    std::int64_t hundredths = 0;
    int huge = 0;
    int tiny = 0;
};
const std::vector<Scalar>& scalars();

struct Content {
    std::string author;
    std::string type;
    std::optional<std::size_t> number; ///< Which of scalars().
    std::vector<std::string> tags;
    std::string text;
    bool is_json = true; ///< False: the body is the text, and no declared view has a row.

    std::string body() const;
};

/// `text` is part of the body; the rest is chosen by `seed`.
Content make_content(std::uint64_t seed, std::string text);

/// Numbers of one group, added up without the code under test.
class Numbers {
public:
    void add(const Scalar& scalar);
    /// Whether the answers of an aggregate are those of these numbers.
    bool is_sum(std::string_view json) const;
    bool is_average(std::string_view json) const;

private:
    double sum() const;

    std::int64_t count_ = 0;
    std::int64_t hundredths_ = 0;
    int huge_ = 0;
    int tiny_ = 0;
};

} // namespace sluice::test
