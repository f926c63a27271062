// The thread that does what nobody waits for: it catches up views that serve reads meanwhile,
// applies retention, and writes down which views were read.
#include "base/try.hpp"
#include "database/impl.hpp"

#include <algorithm>

namespace sluice {
namespace {

// With those who have files that an erasure destroys. Others wait to write meanwhile, and the next
// turn tries again. A reader that only follows lets them go in less.
constexpr std::chrono::milliseconds kPatienceBeside{250};

} // namespace

bool Database::Impl::is_closing_now() const {
    const std::lock_guard lock(publish_mutex);
    return is_closing;
}

void Database::Impl::start_keeper() {
    if (!options.background) return;
    {
        const std::lock_guard lock(publish_mutex);
        has_work_beside = true;
    }
    closing.notify_all();
    if (!keeper.joinable()) keeper = std::thread([this] { keep(); });
}

void Database::Impl::keep() {
    auto next_turn = std::chrono::steady_clock::now() + options.retention_interval;
    std::unique_lock waiting(publish_mutex);
    while (true) {
        closing.wait_until(waiting, next_turn, [this] { return is_closing || has_work_beside; });
        if (is_closing) return;
        const bool is_called = std::exchange(has_work_beside, false);
        waiting.unlock();
        // Errors stay with what they concern: the rule says so, the view is behind. A failed write
        // latches the database, and the next call reports it.
        if (is_called) static_cast<void>(catch_up_beside({}).has_value());
        if (std::chrono::steady_clock::now() >= next_turn) {
            static_cast<void>(writing([&]() -> Result<void> {
                                  const std::lock_guard lock(write_mutex);
                                  return save_readings();
                              }).has_value());
            static_cast<void>(or_out_of_memory([&]() -> Result<void> {
                                  apply_rules_beside();
                                  return {};
                              }).has_value());
            next_turn = std::chrono::steady_clock::now() + options.retention_interval;
        }
        waiting.lock();
    }
}

void Database::Impl::apply_rules_beside() {
    const auto patience = std::min(options.erase_patience, kPatienceBeside);
    for (const auto& rule : rules_in_turn()) {
        if (is_closing_now()) return;
        static_cast<void>(apply_rule(rule, {false, {}, patience}).has_value());
    }
}

void Database::Impl::end_catching_up(ViewId id) {
    const std::lock_guard lock(publish_mutex);
    catching_up.erase(id);
}

Result<void> Database::Impl::catch_up_beside(const ProgressFunction& progress) {
    return writing([&]() -> Result<void> {
        const std::lock_guard derive_lock(derive_mutex);
        std::unique_lock write_lock(write_mutex);
        while (!catching_up.empty()) {
            const ViewId id = catching_up.begin()->first;
            const auto late = std::find_if(views->begin(), views->end(), [&](const auto& each) {
                return each.second.entry.id == id;
            });
            if (late == views->end() || !chain.is_loaded()) {
                end_catching_up(id);
                continue;
            }
            const OpenView view = late->second;
            SLUICE_TRY(
                catch_up({view}, false, store->snapshot()->since(id), progress, &write_lock));
            SLUICE_TRY(mend({view}, /*keys_too=*/false, progress));
            end_catching_up(id);
            remake_mapper();
        }
        return {};
    });
}

Result<void> Database::wait_for_views(const ProgressFunction& progress) {
    if (impl_->options.read_only) return {}; // What it has the code of never stays behind.
    return impl_->catch_up_beside(progress);
}

} // namespace sluice
