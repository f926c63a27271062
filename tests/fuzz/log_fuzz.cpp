// A log of a few entries whose files are then overwritten here and there, cut, and opened. Opening
// and reading answer, with entries or errors; what is read intact is what was written; and the log
// goes on with the next seq. The input is a list of strikes.
//
// Code: log/log log/log_segment log/format
#include "base/assert.hpp"
#include "fuzz/strike.hpp"
#include "log/log.hpp"
#include "support/simulated_disk.hpp"

#include <cstddef>
#include <cstdint>

namespace {

constexpr std::uint64_t kEntries = 12;

std::string body_of(std::uint64_t seq) {
    return "body of entry " + std::to_string(seq);
}

// Small segments: every part of the format occurs more than once.
const sluice::LogOptions kOptions{.segment_size_bytes = 256};

std::unique_ptr<sluice::test::SimulatedDisk> make() {
    using sluice::Log;
    auto disk = std::make_unique<sluice::test::SimulatedDisk>();
    const auto directory = disk->root();
    Log::create(*directory).value();
    const auto log = Log::open(*directory, kOptions).value();
    for (std::uint64_t seq = 1; seq <= kEntries; ++seq) {
        const std::string body = body_of(seq);
        const Log::Draft draft{.key = "k", .body = body};
        log->append({&draft, 1}).value();
        if (seq % 4 == 0) log->sync().value();
    }
    const sluice::Seq wiped[] = {{3}, {7}};
    log->wipe(wiped).value();
    return disk;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using sluice::Log;
    static const auto made = make();
    const auto disk = made->copy_after_power_cut(sluice::test::Fate::kept);
    const auto directory = disk->root();
    sluice::ByteReader input({reinterpret_cast<const char*>(data), size});
    sluice::test::strike_all(*directory, input, 8);

    const auto opened = Log::open(*directory, kOptions);
    if (!opened) return 0;
    const auto& log = *opened;
    SLUICE_ASSERT(log->last().value <= kEntries);
    for (std::uint64_t seq = 1; seq <= log->last().value; ++seq) {
        const auto entry = log->read({seq});
        if (!entry || entry->erased) continue;
        SLUICE_ASSERT(entry->key == "k" && entry->body == body_of(seq));
        SLUICE_ASSERT(seq != 3 && seq != 7);
    }
    (void)log->check();
    const Log::Draft draft{.key = "k", .body = "next"};
    const sluice::Seq before = log->last();
    if (const auto next = log->append({&draft, 1})) {
        SLUICE_ASSERT(*next == before.next());
        SLUICE_ASSERT(log->read(*next).value().body == "next");
    }
    return 0;
}
