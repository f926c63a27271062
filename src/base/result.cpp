#include <sluice/result.hpp>

namespace sluice {

std::string_view name_of(Errc code) {
    switch (code) {
    case Errc::io: return "io";
    case Errc::no_space: return "no_space";
    case Errc::corrupt: return "corrupt";
    case Errc::not_found: return "not_found";
    case Errc::busy: return "busy";
    case Errc::invalid_argument: return "invalid_argument";
    case Errc::unsupported_version: return "unsupported_version";
    case Errc::exists: return "exists";
    case Errc::held: return "held";
    case Errc::refused: return "refused";
    case Errc::latched: return "latched";
    case Errc::read_only: return "read_only";
    case Errc::ended: return "ended";
    }
    return "unknown";
}

} // namespace sluice
