#include "kill/gone.hpp"

#include "kill/random_steps.hpp"

#include <array>
#include <atomic>
#include <cstring>
#include <new>
#include <stdexcept>

#include <sys/mman.h>

namespace sluice::test {

/// A word is written, and then counted.
struct Gone::Shared {
    std::atomic<std::size_t> count{0};
    std::array<std::array<char, 24>, 60'000> words{};
};

Gone::Gone() {
    void* const memory =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error("no memory to share");
    shared_ = new (memory) Shared;
}

Gone::~Gone() {
    ::munmap(shared_, sizeof(Shared));
}

void Gone::learn(const Model& model) {
    const std::vector<std::string> known = words();
    std::set<std::string> all(known.begin(), known.end());
    for (const std::string& needle : model.needles()) {
        const std::string word(word_in(needle));
        if (!all.insert(word).second) continue;
        const std::size_t count = shared_->count;
        if (count == shared_->words.size() || word.size() >= shared_->words[count].size()) {
            throw std::runtime_error("no room for what is erased");
        }
        std::memcpy(shared_->words[count].data(), word.c_str(), word.size() + 1);
        shared_->count = count + 1;
    }
}

std::vector<std::string> Gone::words() const {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < shared_->count; ++i) all.emplace_back(shared_->words[i].data());
    return all;
}

} // namespace sluice::test
