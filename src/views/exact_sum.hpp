// Sums and averages of JSON numbers without rounding on the way.
#pragma once
#include "base/bytes.hpp"
#include "base/number.hpp"
#include "views/wide_int.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sluice {

/// The exact sum of numbers. What it holds depends only on which numbers were added, never on the
/// order or the grouping, so that taking some away and summing anew gives the same bits.
///
/// A number is the decimal it is written as if it has at most 38 significant digits, none of them
/// above 10^59 or below 10^-40; otherwise it is the nearest double. A number beyond every double
/// does not count as a number.
class ExactSum {
public:
    void clear();
    /// False, and no change, if the number is beyond every double. `json_number` must be one.
    bool add(std::string_view json_number);
    void add(std::int64_t value);
    void add(const ExactSum& other);

    /// How many numbers were added.
    std::uint64_t count() const { return count_; }

    /// docs/format/aggregate.md
    void append_to(std::string& to) const;
    /// Adds what append_to() wrote. False, and no change, if it did not write this.
    bool add_encoded(ByteReader& from);

    // As JSON; null if there was no number.
    /// Exact; but if some number was not a decimal as above, the nearest double.
    void append_sum_json(std::string& to) const;
    /// The exact average, rounded once to 17 significant digits, half to even.
    void append_average_json(std::string& to) const;

private:
    static constexpr int kDecimalPlaces = 40;  ///< Below the point.
    static constexpr int kDecimalDigits = 60;  ///< Above the point.
    static constexpr int kDoublePlaces = 1074; ///< Binary places of the finest double.

    // Enough bits for 2^64 numbers of the greatest size.
    using Decimals = WideInt<7>; ///< In units of 10^-40: 333 + 64 bits and the sign.
    using Doubles = WideInt<34>; ///< In units of 2^-1074: 2,098 + 64 bits and the sign.
    using Total = WideInt<80>;   ///< In units of 10^-1074.

    void add_decimal(const Decimal& decimal);
    void add_double(double value);
    bool has_doubles() const { return doubles_ && !doubles_->is_zero(); }
    /// The sum times 10^places(), which is an integer.
    Total total() const;
    int places() const { return has_doubles() ? kDoublePlaces : kDecimalPlaces; }

    std::uint64_t count_ = 0;
    Int128 integers_ = 0; ///< Those that are written as 64-bit integers.
    bool has_decimals_ = false;
    Decimals decimals_;
    std::unique_ptr<Doubles> doubles_; ///< Rare and large, hence apart. Null: none yet.
};

} // namespace sluice
