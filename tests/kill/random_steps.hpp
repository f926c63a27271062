// Steps of all kinds in any order, from what there is.
#pragma once
#include "model/step.hpp"

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace sluice::test {

/// The same seed gives the same steps from the same models, to whoever asks.
class RandomSteps {
public:
    /// `life`: no other of the same directory has this number. Its words are in no other's texts.
    RandomSteps(std::uint64_t seed, std::uint64_t life) : random_(seed), life_(life) {}

    Step next(const Model& model);

private:
    std::uint64_t pick(std::uint64_t below) { return random_() % below; }
    std::string new_text();
    steps::Draft new_message();
    template <typename IsMeant> std::vector<Seq> some(const Model& model, const IsMeant& is_meant);
    Step change(const Model& model);
    Step retain(const Model& model);

    std::mt19937_64 random_;
    std::uint64_t life_;
    std::uint64_t word_count_ = 0;
};

/// The texts of these steps are one word again and again, and keys hold one: whoever has it has
/// found a piece. Of another text: all of it.
std::string_view word_in(std::string_view text);
/// All words that are in these bytes.
std::set<std::string> words_in(std::string_view bytes);

} // namespace sluice::test
