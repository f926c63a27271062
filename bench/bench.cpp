// Measures Sluice for bench/run: one JSON object a line on standard output. Each figure is a median
// of several measurements, and bench/report sets it beside what the peers did in the same run.
#include "bench/fresh.hpp"
#include "bench/measure.hpp"
#include <sluice/import.hpp>

#include <sluice/database.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::bench;

namespace {

const std::vector<Database::NewView> kViews = {
    {"by_author", R"({"kind":"index","key":["/value/author"]})"},
    {"by_type", R"({"kind":"index","key":["/value/content/type","/timestamp"]})"},
    {"by_key", R"({"kind":"index","key":["/key"]})"},
    {"count_by_author", R"({"kind":"aggregate","group":["/value/author"],"value":{"count":true}})"},
};

std::uint64_t import(Database& database, const std::string& log) {
    return import_file(database, log).value().appended;
}

std::vector<Seq> some_messages(Database& database, std::size_t wanted, std::uint64_t seed) {
    std::vector<Seq> live;
    const Snapshot snapshot = database.snapshot();
    ViewCursor cursor = snapshot.read("by_author").value();
    while (cursor.next()) live.push_back(cursor.seq());
    std::mt19937_64 random(seed);
    std::shuffle(live.begin(), live.end(), random);
    live.resize(std::min(wanted, live.size()));
    std::sort(live.begin(), live.end());
    return live;
}

void bulk(const std::string& log) {
    std::uint64_t messages = 0;
    std::vector<double> import_s, fill_s, both_s;
    double fill_mb = 0, both_mb = 0;
    for (int i = 0; i < 3; ++i) {
        {
            Fresh database("bulk");
            import_s.push_back(seconds([&] { messages = import(*database, log); }));
            MemoryWatch memory;
            fill_s.push_back(seconds([&] { database->add_views(kViews).value(); }));
            fill_mb = std::max(fill_mb, memory.peak_mb());
        }
        Fresh database("bulk");
        database->add_views(kViews).value();
        MemoryWatch memory;
        both_s.push_back(seconds([&] {
            import(*database, log);
            database.close(); // Until everything is durable.
        }));
        both_mb = std::max(both_mb, memory.peak_mb());
    }
    const auto rate = [&](const std::vector<double>& s) {
        return static_cast<double>(messages) / median(s);
    };
    report("messages", static_cast<double>(messages), "messages");
    report("import", rate(import_s), "messages/s");
    report("back-fill four views", rate(fill_s), "messages/s");
    report("import and four views", rate(both_s), "messages/s");
    report("memory of back-filling, without mapped files", fill_mb, "MB");
    report("memory of importing, without mapped files", both_mb, "MB");
}

void reading(Fresh& database) {
    const auto scan = [&](const std::string& view) {
        std::vector<double> rates;
        for (int i = 0; i < 7; ++i) {
            std::uint64_t rows = 0;
            const double s = seconds([&] { rows = count(*database, view); });
            rates.push_back(static_cast<double>(rows) / s);
        }
        return median(rates);
    };
    for (const char* const view : {"by_author", "by_type", "by_key"}) {
        report(std::string("scan ") + view + ", as imported", scan(view), "rows/s");
    }
    std::uint64_t segments = 0;
    for (const ViewInfo& info : database->views()) segments = std::max(segments, info.segments);
    report("segments of a view, as imported", static_cast<double>(segments), "segments");
    report("merge all views", seconds([&] { database->merge_views().value(); }), "s");
    for (const char* const view : {"by_author", "by_type", "by_key"}) {
        report(std::string("scan ") + view + ", merged", scan(view), "rows/s");
    }

    const Snapshot snapshot = database->snapshot();
    std::vector<Key> keys;
    {
        ViewCursor cursor = snapshot.read("by_key").value();
        while (cursor.next()) keys.push_back(cursor.key());
    }
    std::mt19937_64 random(1);
    constexpr std::size_t kReads = 200'000;
    std::uint64_t found = 0;
    const double lookups = seconds([&] {
        for (std::size_t i = 0; i < kReads; ++i) {
            ReadOptions options;
            options.exact = keys[random() % keys.size()];
            ViewCursor cursor = snapshot.read("by_key", options).value();
            while (cursor.next()) ++found;
        }
    });
    check(found == kReads, "each key is found once");
    report("point reads by key", static_cast<double>(kReads) / lookups, "reads/s");
    const double gets = seconds([&] {
        for (std::size_t i = 0; i < kReads; ++i) {
            found += snapshot.get(Seq{1 + random() % snapshot.position().value}).has_value();
        }
    });
    report("random gets by seq", static_cast<double>(kReads) / gets, "gets/s");
    const double counts = seconds([&] { found += count(*database, "count_by_author"); });
    report("read all counts by author", counts * 1e3, "ms");
}

void changing(Fresh& database) {
    const std::uint64_t live = database->stats().live;
    const std::vector<Seq> victims = some_messages(*database, live / 100, 7);
    const double deleting = seconds([&] { database->delete_messages(victims).value(); });
    check(count(*database, "by_author") == live - victims.size(), "the index is right");
    report("delete 1 %, all views right", deleting, "s");

    const double restoring = seconds([&] { database->restore(victims).value(); });
    report("restore them", static_cast<double>(victims.size()) / restoring, "messages/s");

    const double erasing = seconds([&] { database->erase(victims).value(); });
    check(count(*database, "by_author") == live - victims.size(), "the index is right");
    report("erase 1 %, until no byte is left", erasing, "s");

    std::vector<double> one_ms;
    for (const Seq seq : some_messages(*database, 300, 8)) {
        one_ms.push_back(1e3 *
                         seconds([&] { database->delete_messages(std::vector{seq}).value(); }));
    }
    report("one durable delete", median(one_ms), "ms");
    std::vector<double> erase_ms;
    for (const Seq seq : some_messages(*database, 15, 9)) {
        erase_ms.push_back(1e3 * seconds([&] { database->erase(std::vector{seq}).value(); }));
    }
    report("one erasure", median(erase_ms), "ms");
}

/// P8: what a delete costs, without the disk's share, which would hide the difference.
double delete_cost_us(Database& database, std::uint64_t seed) {
    const std::vector<Seq> victims = some_messages(database, 4000, seed);
    std::vector<double> us;
    for (const Seq seq : victims) {
        us.push_back(1e6 * seconds([&] { database.delete_messages(std::vector{seq}).value(); }));
    }
    return median(us);
}

std::string body_of(std::uint64_t i) {
    return R"({"key":"%)" + std::to_string(i * 2654435761u) + R"(","value":{"author":"@feed)" +
           std::to_string(i % 997) + R"(","content":{"type":"post","text":")" +
           std::string(500, 'x') + R"("}},"timestamp":)" + std::to_string(1500000000000 + i) + "}";
}

void append_many(Database& database, std::uint64_t messages) {
    std::vector<std::string> bodies(1000);
    for (std::uint64_t i = 0; i < messages; i += bodies.size()) {
        std::vector<NewMessage> batch;
        for (std::size_t k = 0; k < bodies.size(); ++k) {
            bodies[k] = body_of(i + k);
            batch.push_back({bodies[k]});
        }
        database.append(batch).value();
    }
}

void scaling() {
    Options options;
    options.durability = Durability::none;
    const auto cost = [&](std::uint64_t messages, std::size_t view_count) {
        Fresh database("scale", options);
        std::vector<Database::NewView> views;
        for (std::size_t i = 0; i < view_count; ++i) {
            auto view = kViews[i % kViews.size()];
            if (i >= kViews.size()) view.name += std::to_string(i);
            views.push_back(view);
        }
        append_many(*database, messages);
        database->add_views(views).value();
        std::vector<double> us;
        for (std::uint64_t seed = 0; seed < 3; ++seed)
            us.push_back(delete_cost_us(*database, seed));
        return median(us);
    };
    const double base = cost(100'000, 4);
    report("delete in a log of 100,000 with 4 views", base, "us");
    report("delete in a log of 1,000,000 with 4 views", cost(1'000'000, 4), "us");
    report("delete in a log of 100,000 with 40 views", cost(100'000, 40), "us");
}

void appending() {
    constexpr std::uint64_t kMessages = 400'000;
    std::vector<double> shares;
    double rate = 0;
    for (int i = 0; i < 3; ++i) {
        Options options;
        options.durability = Durability::none;
        std::vector<std::string> bodies;
        std::uint64_t bytes = 0;
        for (std::uint64_t k = 0; k < kMessages; ++k) {
            bodies.push_back(body_of(k));
            bytes += bodies.back().size();
        }
        double append_s = 0;
        {
            Fresh database("append", options);
            append_s = seconds([&] {
                for (std::size_t at = 0; at < bodies.size(); at += 1000) {
                    std::vector<NewMessage> batch;
                    for (std::size_t k = at; k < at + 1000; ++k) batch.push_back({bodies[k]});
                    database->append(batch).value();
                }
                database->flush().value();
            });
        }
        const double write_s = sequential_write_seconds(scratch() + "raw", bytes, 600'000);
        rate = static_cast<double>(kMessages) / append_s;
        shares.push_back(write_s / append_s * 100);
    }
    report("append in batches of 1,000, synced at the end", rate, "messages/s");
    report("append, of the sequential write rate", median(shares), "%");
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3 && argc != 4) {
        std::fprintf(stderr,
                     "usage: %s LOG.offset SCRATCH_DIRECTORY [bulk|changing|scaling|appending]\n",
                     argv[0]);
        return 2;
    }
    set_scratch(argv[2]);
    const std::string log = argv[1];
    const std::string only = argc == 4 ? argv[3] : "";
    const auto wanted = [&](const char* part) { return only.empty() || only == part; };
    if (wanted("bulk")) bulk(log);
    if (wanted("changing")) {
        Fresh database("changing");
        database->add_views(kViews).value();
        import(*database, log);
        database.close();
        database.open();
        reading(database);
        changing(database);
        const VerifyReport verified = database->verify().value();
        check(verified.equal(), "every view equals its recomputation");
    }
    if (wanted("scaling")) scaling();
    if (wanted("appending")) appending();
    return 0;
}
