// Random numbers that are the same on every machine, which those of <random>'s distributions are
// not. Not for secrets: whoever knows the seed knows them all.
#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <span>

namespace sluice::scuttlebutt {

/// xoshiro256** by David Blackman and Sebastiano Vigna (2018), its state filled by splitmix64
/// (Guy Steele and others, 2014), as its authors advise. A value: copies go on alike.
class Random {
public:
    /// Every (seed, stream) pair has numbers of its own.
    Random(std::uint64_t seed, std::uint64_t stream) {
        std::uint64_t fill = seed;
        fill = splitmix64(fill) ^ stream;
        for (std::uint64_t& word : state_) word = splitmix64(fill);
    }

    std::uint64_t next() {
        const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
        const std::uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }

    /// 0 <= result < limit. The bias, below limit / 2^32, does not matter here.
    std::uint32_t below(std::uint32_t limit) {
        return static_cast<std::uint32_t>((next() >> 32) * limit >> 32);
    }
    /// 0 <= result < limit, small numbers more often: the first tenth gets a third.
    std::uint32_t low_below(std::uint32_t limit) {
        const std::uint64_t a = below(limit), b = below(limit);
        return static_cast<std::uint32_t>(a * b / limit);
    }
    bool chance(std::uint32_t percent) { return below(100) < percent; }

    void fill(std::span<unsigned char> bytes) {
        for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(next() >> 56);
    }

private:
    static std::uint64_t splitmix64(std::uint64_t& state) {
        std::uint64_t z = state += 0x9E3779B97F4A7C15;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
    }

    std::array<std::uint64_t, 4> state_{};
};

} // namespace sluice::scuttlebutt
