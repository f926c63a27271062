// A fact that is about to be put, with the bytes of its value.
#pragma once
#include "base/secret.hpp"

#include <sluice/fact.hpp>

#include <string>

namespace sluice::scuttlebutt {

struct PreparedFact {
    FactName name;
    std::string value;
    bool is_secret = false;
    ~PreparedFact() {
        if (is_secret) wipe(value);
    }

    /// Borrows the value: valid as long as this is.
    NewFact fact() const { return {name, value, is_secret}; }
};

} // namespace sluice::scuttlebutt
