// Names of the store's files: a kind and a number, as in "segment-12".
#pragma once
#include <charconv>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

inline std::string numbered_name(std::string_view prefix, std::uint64_t number) {
    return std::string(prefix) + std::to_string(number);
}

/// The numbers of the files of this kind; other names are not the store's and are left alone.
inline std::vector<std::uint64_t> numbers_of(std::span<const std::string> names,
                                             std::string_view prefix) {
    std::vector<std::uint64_t> numbers;
    for (const std::string& name : names) {
        if (!name.starts_with(prefix)) continue;
        std::uint64_t number = 0;
        const char* const end = name.data() + name.size();
        const auto [read, error] = std::from_chars(name.data() + prefix.size(), end, number);
        if (error == std::errc{} && read == end && numbered_name(prefix, number) == name) {
            numbers.push_back(number);
        }
    }
    return numbers;
}

} // namespace sluice
