// Any sequence of operations, reopenings and power cuts, held against the model after each: the
// histories of tests/property, steered by what the code does with them. The input is a byte for the
// sizes of files, then for each operation a byte and its choice.
//
// Code: database/[a-z]+ store/[a-z_]+ log/[a-z_]+ facts/facts transform/[a-z_]+
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "model/history.hpp"

#include <cstdio>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::uint8_t kActs = static_cast<std::uint8_t>(sluice::test::Act::erase_fact) + 1;
    constexpr std::size_t kOperationsMax = 40;
    sluice::ByteReader input({reinterpret_cast<const char*>(data), size});
    const std::uint64_t seed = input.le<std::uint8_t>();
    sluice::test::Life life(seed);
    sluice::test::History history;
    while (history.size() < kOperationsMax) {
        const auto act = static_cast<sluice::test::Act>(input.le<std::uint8_t>() % kActs);
        const std::uint64_t choice = input.le<std::uint32_t>();
        if (!input.ok()) break;
        history.push_back({act, choice});
        const std::string wrong = life.live(history.back());
        if (wrong.empty()) continue;
        std::fprintf(stderr, "%s\n%s\n", wrong.c_str(),
                     sluice::test::text_of(seed, history).c_str());
        SLUICE_ASSERT(wrong.empty());
    }
    const std::string wrong = life.end();
    if (!wrong.empty()) {
        std::fprintf(stderr, "at the end: %s\n%s\n", wrong.c_str(),
                     sluice::test::text_of(seed, history).c_str());
    }
    SLUICE_ASSERT(wrong.empty());
    return 0;
}
