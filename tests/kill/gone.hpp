// What is known to be erased, in memory that processes share.
#pragma once
#include "model/model.hpp"

#include <set>
#include <string>
#include <vector>

namespace sluice::test {

/// Words of erased texts (random_steps.hpp). Made before the processes that share it, and theirs as
/// long as one of them lives. One at a time learns; any number read beside it.
class Gone {
public:
    Gone();
    ~Gone();
    Gone(const Gone&) = delete;
    Gone& operator=(const Gone&) = delete;

    /// All that is erased according to `model`.
    void learn(const Model& model);
    std::vector<std::string> words() const;

private:
    struct Shared;
    Shared* shared_;
};

} // namespace sluice::test
