#include "base/secret.hpp"

#include <sluice/scuttlebutt.hpp>

namespace sluice::scuttlebutt {

PreparedFact::~PreparedFact() {
    if (is_secret) wipe(value);
}

GroupKey::~GroupKey() {
    wipe(key.data(), key.size());
}

std::vector<NewFact> facts_of(std::span<const PreparedFact> prepared) {
    std::vector<NewFact> facts;
    facts.reserve(prepared.size());
    for (const PreparedFact& each : prepared) facts.push_back(each.fact());
    return facts;
}

} // namespace sluice::scuttlebutt
