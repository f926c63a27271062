// Any bytes as entries of a log, with their checksums right: messages, and changes that no program
// of ours would have written. A database with them opens, or says what is wrong; reading all of it
// ends; and what it then takes is there when it is opened again. The input is a list of entries: a
// byte for its kind, a byte for its length, its bytes.
//
// Code: log/change log/ledger facts/facts database/open database/advance database/read
// database/erase
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "fuzz/tiny_files.hpp"
#include "log/log.hpp"
#include "support/simulated_disk.hpp"

#include <sluice/database.hpp>

#include <cstddef>
#include <cstdint>

using namespace sluice;

namespace {

constexpr const char* kDefinitions[] = {
    R"({"kind":"index","key":["/a"]})",
    R"({"kind":"aggregate","group":["/a"],"value":{"count":true,"sum":"/n"}})",
    R"({"kind":"search","text":["/a"]})",
    R"({"kind":"links","source":"/a","target":"/b"})",
};

Options options() {
    return test::tiny_files(512);
}

std::unique_ptr<test::SimulatedDisk> make() {
    auto disk = std::make_unique<test::SimulatedDisk>();
    const auto root = disk->root();
    Database::create(*root).value();
    const auto database = Database::open(*root, options()).value();
    for (std::size_t i = 0; i < std::size(kDefinitions); ++i) {
        database->add_view(std::to_string(i), kDefinitions[i]).value();
    }
    database->append(NewMessage{R"({"a":"one","b":"two","n":1})", "key"}).value();
    return disk;
}

void read_all(const Database& database) {
    const Snapshot snapshot = database.snapshot();
    auto log = snapshot.log({.include_changes = true, .seen = true});
    for (std::uint64_t steps = 0;; ++steps) {
        SLUICE_ASSERT(steps <= database.last().value);
        const auto record = log.next();
        if (record && !*record) break;
    }
    for (std::size_t i = 0; i < std::size(kDefinitions); ++i) {
        auto rows = snapshot.read(std::to_string(i));
        if (!rows) continue;
        while (rows->next()) SLUICE_ASSERT(!rows->position().empty());
    }
    static_cast<void>(snapshot.search("2", {.text = "a"}).has_value());
    static_cast<void>(database.facts({}));
    static_cast<void>(database.receipts());
    static_cast<void>(database.verify().has_value());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr int kEntriesMax = 24;
    static const auto made = make();
    const auto disk = made->copy_after_power_cut(test::Fate::kept);
    const auto root = disk->root();
    {
        const auto directory = root->subdirectory("log", Create::if_missing).value();
        const auto log =
            Log::open(*directory, LogOptions{options().log_segment_size_bytes}).value();
        ByteReader input({reinterpret_cast<const char*>(data), size});
        for (int i = 0; i < kEntriesMax && !input.rest().empty(); ++i) {
            Log::Draft draft;
            draft.kind = input.le<std::uint8_t>() % 2 == 0 ? Log::Kind::change : Log::Kind::message;
            const auto length = input.le<std::uint8_t>();
            draft.body = input.take(std::min<std::size_t>(length, input.rest().size()));
            log->append({&draft, 1}).value();
        }
    }

    Seq added;
    {
        const auto opened = Database::open(*root, options());
        if (!opened) return 0;
        read_all(**opened);
        const auto appended = (*opened)->append(NewMessage{R"({"a":"three"})"});
        if (!appended) return 0;
        added = *appended;
    }
    const auto again = Database::open(*root, options());
    SLUICE_ASSERT(again);
    SLUICE_ASSERT((*again)->snapshot().get(added).value().body == R"({"a":"three"})");
    read_all(**again);
    return 0;
}
