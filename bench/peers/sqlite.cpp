// The same messages, indexes and counts in SQLite: one transaction for each batch of 4,096
// messages, WAL, synchronous=NORMAL, the counts kept by a trigger. The columns are taken out of the
// JSON before, which is quicker than SQLite's own JSON functions.
#include "bench/measure.hpp"
#include "import/record_source.hpp"

#include <simdjson.h>
#include <sqlite3.h>

#include <filesystem>

using namespace sluice::bench;

namespace {

void run(sqlite3* db, const char* sql) {
    char* error = nullptr;
    const int result = sqlite3_exec(db, sql, nullptr, nullptr, &error);
    if (result != SQLITE_OK) std::fprintf(stderr, "sqlite: %s\n", error);
    check(result == SQLITE_OK, sql);
}

void bind(sqlite3_stmt* statement, int column, std::string_view text) {
    sqlite3_bind_text(statement, column, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

std::uint64_t load(const std::string& log, const std::string& path) {
    sqlite3* db = nullptr;
    check(sqlite3_open(path.c_str(), &db) == SQLITE_OK, "the database can be made");
    run(db, "pragma journal_mode=wal");
    run(db, "pragma synchronous=normal");
    run(db, "create table message(seq integer primary key, key text, author text, type text, "
            "timestamp real, body text)");
    run(db, "create index by_key on message(key)");
    run(db, "create index by_author on message(author)");
    run(db, "create index by_type on message(type, timestamp)");
    run(db, "create table counts(author text primary key, n integer) without rowid");
    run(db, "create trigger added after insert on message begin insert into counts "
            "values(new.author, 1) "
            "on conflict(author) do update set n = n + 1; end");
    run(db, "create trigger gone after delete on message begin update counts set n = n - 1 "
            "where author = old.author; end");
    sqlite3_stmt* insert = nullptr;
    check(sqlite3_prepare_v2(db,
                             "insert into message(key, author, type, timestamp, body) "
                             "values(?, ?, ?, ?, ?)",
                             -1, &insert, nullptr) == SQLITE_OK,
          "the statement compiles");

    const auto source =
        sluice::open_record_source(log, sluice::ForeignFormat::flumelog_offset).value();
    simdjson::ondemand::parser parser;
    std::uint64_t messages = 0;
    run(db, "begin");
    for (;;) {
        const auto record = source->next().value();
        if (!record) break;
        if (record->deleted) continue;
        const simdjson::padded_string body(record->bytes);
        simdjson::ondemand::document document = parser.iterate(body);
        std::string_view key, author, type = "private";
        double timestamp = 0;
        key = document["key"].get_string();
        simdjson::ondemand::object value = document["value"].get_object();
        for (auto field : value) {
            const std::string_view name = field.unescaped_key();
            if (name == "author") author = field.value().get_string();
            if (name == "content" &&
                field.value().type() == simdjson::ondemand::json_type::object) {
                type = field.value()["type"].get_string();
            }
        }
        timestamp = document["timestamp"].get_double();
        bind(insert, 1, key);
        bind(insert, 2, author);
        bind(insert, 3, type);
        sqlite3_bind_double(insert, 4, timestamp);
        bind(insert, 5, record->bytes);
        check(sqlite3_step(insert) == SQLITE_DONE, "the row is inserted");
        sqlite3_reset(insert);
        if (++messages % 4096 == 0) run(db, "commit; begin");
    }
    run(db, "commit");
    sqlite3_finalize(insert);
    sqlite3_close(db);
    return messages;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: %s LOG.offset SCRATCH_DIRECTORY\n", argv[0]);
        return 2;
    }
    const std::string directory = std::string(argv[2]) + "/sqlite";
    std::vector<double> rates;
    for (int i = 0; i < 3; ++i) {
        std::filesystem::remove_all(directory);
        std::filesystem::create_directory(directory);
        std::uint64_t messages = 0;
        const double s = seconds([&] { messages = load(argv[1], directory + "/db"); });
        rates.push_back(static_cast<double>(messages) / s);
    }
    std::filesystem::remove_all(directory);
    report("sqlite: import, three indexes and a trigger", median(rates), "messages/s");
    return 0;
}
