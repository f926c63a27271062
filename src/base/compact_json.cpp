#include "base/compact_json.hpp"

#include <algorithm>

namespace sluice {

void append_compact_json(std::string& to, std::string_view json) {
    constexpr std::string_view kSpaceOrQuote = " \t\r\n\"";
    while (!json.empty()) {
        const std::size_t plain = std::min(json.find_first_of(kSpaceOrQuote), json.size());
        to += json.substr(0, plain);
        json.remove_prefix(plain);
        if (json.empty()) return;

        std::size_t used = 1;
        if (json[0] == '"') {
            while (used < json.size() && json[used] != '"') used += json[used] == '\\' ? 2U : 1U;
            used = std::min(used + 1, json.size());
            to += json.substr(0, used);
        }
        json.remove_prefix(used);
    }
}

} // namespace sluice
