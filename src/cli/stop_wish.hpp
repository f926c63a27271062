// Signals as wishes, for commands that end between two steps.
#pragma once
#include <csignal>
#include <initializer_list>
#include <utility>
#include <vector>

namespace sluice::cli {

/// While it lives, the first of these signals is a wish, and the next one ends the process. One at
/// a time.
class StopWish {
public:
    explicit StopWish(std::initializer_list<int> signals) {
        wished = 0;
        struct sigaction action {};
        action.sa_handler = [](int) { wished = 1; };
        action.sa_flags = static_cast<int>(SA_RESETHAND);
        for (const int signal : signals) {
            struct sigaction before {};
            ::sigaction(signal, &action, &before);
            before_.emplace_back(signal, before);
        }
    }
    ~StopWish() {
        for (const auto& [signal, before] : before_) ::sigaction(signal, &before, nullptr);
    }
    StopWish(const StopWish&) = delete;
    StopWish& operator=(const StopWish&) = delete;

    static bool is_made() { return wished != 0; }

private:
    static inline volatile std::sig_atomic_t wished = 0; // A signal handler reaches nothing else.
    std::vector<std::pair<int, struct sigaction>> before_;
};

} // namespace sluice::cli
