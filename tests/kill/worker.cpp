#include "kill/worker.hpp"

#include "kill/onlooker.hpp"

#include <array>
#include <atomic>
#include <thread>

namespace sluice::test {

Options worker_options(std::uint64_t seed) {
    Options options;
    options.log_segment_size_bytes = std::array{4096u, 16384u, 65536u}[seed % 3];
    options.view_segment_rows_max = std::array{16u, 64u, 256u}[seed / 3 % 3];
    options.view_memory_bytes_max = std::array{1024u, 4096u, 65536u}[seed / 9 % 3];
    return options;
}

void work(Work work, const Tell& tell) {
    auto opened = Database::open(work.path, work.options);
    while (!opened && opened.error().code == Errc::busy) {
        opened = Database::open(work.path, work.options);
    }
    if (!opened) return tell(kWrong, "opening: " + opened.error().context);
    Database& database = **opened;
    tell(kOpened, {});
    work.model.open_again();

    work.gone.learn(work.model);
    std::atomic<bool> is_over{false};
    std::vector<std::thread> readers;
    for (int i = 0; i < 2; ++i) {
        readers.emplace_back([&] {
            while (!is_over) {
                const std::string wrong = wrong_in_one_moment(database, work.gone.words());
                if (!wrong.empty()) tell(kWrong, "a reader: " + wrong);
            }
        });
    }
    for (; work.step_count > 0; --work.step_count) {
        const Step step = work.steps.next(work.model);
        tell(kBegun, {});
        const auto done = step.act(database);
        if (!done) tell(kWrong, step.name + ": " + done.error().context);
        tell(kDone, {});
        step.expect(work.model);
        if (database.last() != work.model.last()) tell(kWrong, step.name + ": another last entry");
        work.gone.learn(work.model);
    }
    is_over = true;
    for (std::thread& reader : readers) reader.join();
}

} // namespace sluice::test
