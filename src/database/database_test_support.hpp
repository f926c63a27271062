// A database on a simulated disk, and the few sentences that its tests are made of.
#pragma once
#include "support/simulated_disk.hpp"

#include <sluice/database.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sluice::test {

using Seqs = std::vector<Seq>;

inline constexpr const char* kByAuthor = R"({"kind":"index","key":["/author","/n"]})";
inline constexpr const char* kCounts =
    R"({"kind":"aggregate","group":["/author"],"value":{"count":true,"sum":"/n"}})";

inline Options small_files() {
    Options options;
    options.background = false;
    options.log_segment_size_bytes = 4096;
    options.view_segment_rows_max = 16;
    options.view_memory_bytes_max = 2048;
    options.erase_patience = std::chrono::milliseconds(1);
    return options;
}

inline std::string body_of(const std::string& author, int n, const std::string& text = {}) {
    return R"({"author":")" + author + R"(","n":)" + std::to_string(n) + R"(,"text":")" + text +
           "\"}";
}

struct DatabaseOnDisk {
    explicit DatabaseOnDisk(const Options& the_options = small_files()) : options(the_options) {
        Database::create(*root).value();
        open();
    }
    void open() { database = Database::open(*root, options).value(); }
    void close() { database.reset(); }
    void reopen() {
        close();
        open();
    }
    /// The power goes now, and comes back.
    void crash(Fate fate, std::uint64_t seed = 0) {
        disk.cut_power(fate, seed);
        close();
        root = disk.root();
        open();
    }

    Seq append(std::string_view body, std::string_view key = {}) {
        return database->append(NewMessage{body, key}).value();
    }
    /// Messages of two authors in turn, numbered from 1.
    void append_some(int count) {
        for (int i = 1; i <= count; ++i) {
            append(body_of(i % 2 == 1 ? "ada" : "bo", i, "said in " + std::to_string(i) + '!'));
        }
    }
    std::string body(Seq seq) const {
        const auto record = database->snapshot().get(seq);
        if (!record) return "error: " + std::string(name_of(record.error().code));
        if (record->state != Record::State::live) return std::string(name_of(record->state));
        return record->body;
    }
    std::string rows(const std::string& view, const ReadOptions& how = {}) const {
        return rows_in(database->snapshot(), view, how);
    }
    /// Like `["ada",1]=1 ["bo",2]=2`, or for an aggregate `["ada"]{"count":1}`.
    static std::string rows_in(const Snapshot& snapshot, const std::string& view,
                               const ReadOptions& how = {}) {
        auto cursor = snapshot.read(view, how);
        if (!cursor) return "error: " + std::string(name_of(cursor.error().code));
        std::string text;
        while (cursor->next()) {
            text += (text.empty() ? "" : " ") + cursor->key().to_json() + cursor->value();
            if (cursor->seq() != Seq{}) text += '=' + std::to_string(cursor->seq().value);
        }
        return text;
    }
    ViewInfo info(const std::string& view) const {
        for (const ViewInfo& each : database->views()) {
            if (each.name == view) return each;
        }
        ADD_FAILURE() << "no view " << view;
        return {};
    }
    void expect_verified() const {
        const VerifyReport report = database->verify().value();
        EXPECT_TRUE(report.equal());
        for (const std::string& problem : report.problems) ADD_FAILURE() << problem;
        for (const VerifyReport::View& view : report.views) {
            for (const std::string& difference : view.differences) {
                ADD_FAILURE() << view.name << ": " << difference;
            }
        }
    }

    Options options;
    SimulatedDisk disk;
    std::unique_ptr<Directory> root = disk.root();
    std::unique_ptr<Database> database;
};

inline Options to_read(Options options = small_files()) {
    options.read_only = true;
    return options;
}
inline std::unique_ptr<Database> reader_of(DatabaseOnDisk& on) {
    return Database::open(*on.root, to_read(on.options)).value();
}

/// What is not as computed from nothing, or what of something erased is left: the first of it.
inline std::string first_difference(const Database& database) {
    const VerifyReport report = database.verify().value();
    for (const std::string& problem : report.problems) return problem;
    for (const std::string& file : report.needles_found) return "a needle in " + file;
    for (const VerifyReport::View& view : report.views) {
        for (const std::string& difference : view.differences) return view.name + ": " + difference;
    }
    return {};
}

/// A view that shows something else than the log says, and not that it is damaged.
inline std::string wrong_view(const Database& database) {
    const VerifyReport report = database.verify().value();
    std::set<std::string> believed;
    for (const ViewInfo& view : database.views()) {
        if (view.state != ViewInfo::State::damaged) believed.insert(view.name);
    }
    for (const VerifyReport::View& view : report.views) {
        // Nobody can ask about those of the engine, but whether all is well.
        const bool is_believed = believed.contains(view.name) || report.problems.empty();
        if (view.difference_count > 0 && is_believed) {
            return view.name + ": " + view.differences.front();
        }
    }
    return {};
}

template <typename T> Errc code_of(const Result<T>& result) {
    if (!result) return result.error().code;
    ADD_FAILURE() << "an error was expected";
    return {};
}

/// Changes one byte, `before` bytes in front of `text`, wherever a file of `folder` has it.
inline void damage(DatabaseOnDisk& on, const std::string& text, std::uint64_t before = 0,
                   const std::string& folder = "log") {
    const auto directory = on.root->subdirectory(folder, Create::if_missing).value();
    std::size_t damaged = 0;
    for (const auto& found : on.disk.find(text)) {
        if (!found.where.starts_with(folder + '/')) continue;
        const auto file =
            directory->open(found.where.substr(folder.size() + 1), Create::never).value();
        const std::uint64_t at = found.position - before;
        char byte = 0;
        file->read_at(at, &byte, 1).value();
        byte = static_cast<char>(byte ^ 0x10);
        file->write_at(at, {&byte, 1}).value();
        file->sync().value();
        ++damaged;
    }
    ASSERT_GT(damaged, 0u);
}

} // namespace sluice::test
