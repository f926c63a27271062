#include "inspect/database_files.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace sluice {

bool is_log_file_name(const std::string& name) {
    constexpr std::array<std::string_view, 5> kNames{"identity", "identity.new", "catalog",
                                                     "catalog.new", "lock"};
    if (std::find(kNames.begin(), kNames.end(), name) != kNames.end()) return true;
    constexpr std::size_t kDigits = 20;
    const std::string_view digits = std::string_view(name).substr(0, kDigits);
    const std::string_view rest = std::string_view(name).substr(digits.size());
    return digits.size() == kDigits &&
           digits.find_first_not_of("0123456789") == std::string_view::npos &&
           (rest == ".log" || rest == ".idx" || rest == ".idx.new");
}

} // namespace sluice
