#include <sluice/scuttlebutt.hpp>

namespace sluice::scuttlebutt {

std::vector<NewFact> facts_of(std::span<const PreparedFact> prepared) {
    std::vector<NewFact> facts;
    facts.reserve(prepared.size());
    for (const PreparedFact& each : prepared) facts.push_back(each.fact());
    return facts;
}

} // namespace sluice::scuttlebutt
