// The files of a whole database, overwritten here and there, cut, removed and exchanged. Damage in
// views/ heals: the database opens, and every view is what its log gives. Damage in log/ costs the
// entries hit: the database opens or says why not, a message that can be read is as it was written,
// and what was erased stays away. The input is a byte, which of the two folders, then strikes.
//
// Code: database/open database/verify database/derive store/segment_store store/segment log/log
// log/log_segment
#include "base/assert.hpp"
#include "fuzz/strike.hpp"
#include "fuzz/tiny_files.hpp"
#include "support/simulated_disk.hpp"

#include <sluice/database.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>

using namespace sluice;

namespace {

constexpr std::uint64_t kMessages = 30;
constexpr Seq kErased{4}, kDeleted{9}, kReplaced{11};

Options options() {
    return test::tiny_files(1024);
}

std::string body_of(Seq seq, std::string_view said) {
    return R"({"a":")" + std::to_string(seq.value % 3) + R"(","n":)" + std::to_string(seq.value) +
           R"(,"text":")" + std::string(said) + "\"}";
}

std::unique_ptr<test::SimulatedDisk> make() {
    auto disk = std::make_unique<test::SimulatedDisk>();
    const auto root = disk->root();
    Database::create(*root).value();
    const auto database = Database::open(*root, options()).value();
    database->add_view("index", R"({"kind":"index","key":["/a","/n"]})").value();
    database->add_view("count", R"({"kind":"aggregate","group":["/a"],"value":{"sum":"/n"}})")
        .value();
    database->add_view("search", R"({"kind":"search","text":["/text"]})").value();
    for (std::uint64_t seq = 1; seq <= kMessages; ++seq) {
        const std::string key = "key " + std::to_string(seq);
        database->append(NewMessage{body_of({seq}, "first words"), key}).value();
    }
    database->delete_messages(std::vector<Seq>{kDeleted}).value();
    database->erase(std::vector<Seq>{kErased}).value();
    database->replace(kReplaced, body_of(kReplaced, "other words")).value();
    return disk;
}

bool is_healed(const Database& database) {
    return database.verify().value().equal();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader input({reinterpret_cast<const char*>(data), size});
    const bool is_log = input.le<std::uint8_t>() % 2 == 1;
    static const auto made = make();
    const auto disk = made->copy_after_power_cut(test::Fate::kept);
    const auto root = disk->root();
    {
        const auto folder =
            root->subdirectory(is_log ? "log" : "views", Create::if_missing).value();
        test::strike_all(*folder, input, 6);
    }

    auto opened = Database::open(*root, options());
    if (!is_log && !opened) std::fprintf(stderr, "%s\n", opened.error().context.c_str());
    SLUICE_ASSERT(opened || is_log);
    if (!opened) return 0;
    const Database& database = **opened;
    {
        const Snapshot snapshot = database.snapshot();
        for (std::uint64_t seq = 1; seq <= std::min(kMessages, database.last().value); ++seq) {
            const auto record = snapshot.get({seq});
            if (!is_log) SLUICE_ASSERT(record);
            if (!record || record->state != Record::State::live) continue;
            SLUICE_ASSERT(Seq{seq} != kErased || record->body.empty());
            const bool is_other = record->body == body_of({seq}, "other words");
            SLUICE_ASSERT(is_other || record->body == body_of({seq}, "first words"));
            if (!is_log) SLUICE_ASSERT(Seq{seq} != kDeleted && is_other == (Seq{seq} == kReplaced));
        }
    }
    if (is_log) {
        static_cast<void>(database.verify().has_value()); // Rows of what is damaged may be there.
        return 0;
    }
    // A file that was found damaged when it was first read is derived anew by the next opening.
    if (!is_healed(database)) {
        (*opened).reset();
        opened = Database::open(*root, options());
        SLUICE_ASSERT(is_healed(**opened));
    }
    return 0;
}
