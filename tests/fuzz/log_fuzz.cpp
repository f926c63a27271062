// A log of a few entries whose files are then overwritten here and there, cut, and opened. Opening
// and reading answer, with entries or errors; what is read intact is what was written; and the log
// goes on with the next seq. The input is a list of strikes: which file, what, where, with which
// byte.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "log/log.hpp"
#include "support/simulated_disk.hpp"

#include <cstddef>
#include <cstdint>

namespace {

constexpr std::uint64_t kEntries = 12;

std::string body_of(std::uint64_t seq) {
    return "body of entry " + std::to_string(seq);
}

void strike(sluice::Directory& directory, sluice::ByteReader& input) {
    const std::vector<std::string> names = directory.list().value();
    const std::string& name = names[input.le<std::uint8_t>() % names.size()];
    const auto what = input.le<std::uint8_t>();
    const auto file = directory.open(name, sluice::Create::never).value();
    const std::uint64_t at =
        file->size_bytes() == 0 ? 0 : input.le<std::uint16_t>() % file->size_bytes();
    if (what == 0) {
        file->truncate(at).value();
    } else if (what == 1 && names.size() > 1) {
        directory.remove(name).value();
    } else {
        const auto byte = static_cast<char>(input.le<std::uint8_t>());
        file->write_at(at, std::string_view(&byte, 1)).value();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using sluice::Log;
    sluice::test::SimulatedDisk disk;
    const auto directory = disk.root();
    // Small segments: every part of the format occurs more than once.
    const sluice::LogOptions options{.segment_size_bytes = 256};
    Log::create(*directory).value();
    {
        const auto log = Log::open(*directory, options).value();
        for (std::uint64_t seq = 1; seq <= kEntries; ++seq) {
            const std::string body = body_of(seq);
            const Log::Draft draft{.key = "k", .body = body};
            log->append({&draft, 1}).value();
            if (seq % 4 == 0) log->sync().value();
        }
        const sluice::Seq wiped[] = {{3}, {7}};
        log->wipe(wiped).value();
    }

    sluice::ByteReader input({reinterpret_cast<const char*>(data), size});
    for (int strikes = 0; strikes < 8 && !input.rest().empty(); ++strikes) {
        strike(*directory, input);
    }

    const auto opened = Log::open(*directory, options);
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
