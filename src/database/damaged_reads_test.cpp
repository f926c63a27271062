// P7: files that say what messages were read with, or what transforms made of them, are damaged.
// The messages whose rows they had are derived again, and no others.
#include "base/try.hpp"
#include "database/transform_test_support.hpp"

namespace sluice::test {
namespace {

constexpr int kRounds = 60;

CodeView known_texts() {
    CodeView view;
    view.app = "reader";
    view.map_reading = [](Context& context, const Message& message, Emit& emit) {
        emit(Key(message.body, context.has(Source::facts("keys"), kKey1.key)));
    };
    return view;
}

/// Boxes, edits from far away, blobs, and a view that reads, in many files.
struct InManyFiles : Transforming {
    InManyFiles() {
        database->add_view("known", known_texts()).value();
        put(kKey1);
        for (int i = 0; i < kRounds; ++i) {
            const std::string name = "m" + std::to_string(i);
            append(says("original " + name), name);
            append(boxed("k1", says("inside " + name)));
            append(edits("m" + std::to_string(i * 7 % kRounds), "edited " + name));
            append(R"({"blob":"b)" + std::to_string(i % 5) + "\"}");
        }
        database->merge_views().value();
    }
    /// What no file of a view has heard of when the power goes now.
    void tell_news() {
        database->delete_messages(Seqs{{4}, {40}, {41}, {100}}).value();
        database->replace(Seq{62}, edits("m3", "edited anew")).value();
        put({"blobs", Key("b1")}, "what it says");
        database->drop_fact(kKey1).value();
        append(edits("m9", "edited last"));
    }
};

struct Found {
    std::string difference;
    std::string said;
    std::size_t runs = 0;
    std::size_t runs_again = 0; ///< When everything is right.
};

/// Of a damage that the first opening has not come across, the second is told. The third has
/// nothing to do.
Found found_on(SimulatedDisk& disk, InManyFiles& on) {
    Found found;
    for (int opening = 1; opening <= 3; ++opening) {
        on.runs.clear();
        const auto root = disk.root();
        const auto database = Database::open(*root, on.options).value();
        for (const auto& [transform, seqs] : on.runs) {
            std::size_t& runs = opening <= 2 ? found.runs : found.runs_again;
            runs = std::max(runs, seqs.size());
        }
        const auto added = database->add_view("known", known_texts());
        found.difference = first_difference(*database);
        if (opening == 1) continue;
        added.value();
        found.said = DatabaseOnDisk::rows_in(database->snapshot(), "said") +
                     DatabaseOnDisk::rows_in(database->snapshot(), "known");
    }
    return found;
}

void damage_each_third_file(InManyFiles& on) {
    const auto found_without = found_on(*on.disk.copy_after_power_cut(Fate::lost), on);
    ASSERT_EQ(found_without.difference, "");
    std::size_t segments = 0, files = 0, healed_in_part = 0;
    for (const auto& [path, bytes] : on.disk.copy_after_power_cut(Fate::lost)->all_bytes()) {
        if (!path.starts_with("views/segment-") || ++segments % 3 != 0) continue;
        const auto disk = on.disk.copy_after_power_cut(Fate::lost);
        {
            const auto folder = disk->root()->subdirectory("views", Create::if_missing).value();
            const auto file = folder->open(path.substr(6), Create::never).value();
            const char other = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
            file->write_at(bytes.size() / 2, {&other, 1}).value();
            file->sync().value();
        }
        const Found found = found_on(*disk, on);
        EXPECT_EQ(found.difference, "") << path;
        EXPECT_TRUE(found.said == found_without.said) << path;
        EXPECT_EQ(found.runs_again, 0u) << path;
        ++files;
        const bool is_healed_in_part = found.runs > found_without.runs && found.runs < 2 * kRounds;
        if (is_healed_in_part) ++healed_in_part;
    }
    EXPECT_GT(files, 20u);
    EXPECT_GT(healed_in_part, files / 8);
}

TEST(DamagedReads, CostTheMessagesThatTheyWereOf) {
    InManyFiles on;
    damage_each_third_file(on);
}

TEST(DamagedReads, CostTheMessagesThatTheyWereOfBehindChangesThatNoViewHasHeardOf) {
    InManyFiles on;
    on.tell_news();
    damage_each_third_file(on);
}

// A chain of views: numbers, pairs that look into it, twins that look into those.

std::string numbered(const std::string& word, const Message& message, int more = 0) {
    const auto number = message.json->find("number")->as_int64().value_or(0);
    return word + ' ' + std::to_string(number + more) + '.';
}

CodeView numbers() {
    CodeView view;
    view.app = "numbers";
    view.map = [](const Message& message, Emit& emit) { emit(Key(numbered("number", message))); };
    return view;
}

/// Of each message whether the one before it has a row that begins with `word`.
CodeView lookers(const Database& database, const std::string& app, const std::string& read,
                 const std::string& word) {
    CodeView view;
    view.app = app;
    const Source rows = database.rows_of(read).value();
    view.reads = {rows};
    view.map_reading = [rows, app, word](Context& context, const Message& message, Emit& emit) {
        const Key before(numbered(word, message, -1));
        emit(Key(numbered(app, message), !context.prefix(rows, before).empty()));
    };
    return view;
}

struct Looking : DatabaseOnDisk {
    /// Each view after the other, so that it can be told whose the files are.
    Looking() {
        for (int i = 0; i < 12; ++i) append(R"({"number":)" + std::to_string(i) + '}');
        std::set<std::string> known = files_with("");
        for (const char* const word : {"number", "pair", "twin"}) {
            words.insert(word);
            add_code().value();
            reopen();
            for (const std::string& file : files_with(word + std::string(" 2."))) {
                if (!known.contains(file)) file_of[word] = file;
            }
            known = files_with("");
        }
        close();
    }
    Result<void> add_code() const {
        SLUICE_TRY(database->add_view("numbers", numbers()));
        if (!words.contains("pair")) return {};
        SLUICE_TRY(database->add_view("pairs", lookers(*database, "pair", "numbers", "number")));
        if (!words.contains("twin")) return {};
        return database->add_view("twins", lookers(*database, "twin", "pairs", "pair"));
    }
    std::set<std::string> files_with(const std::string& text) const {
        std::set<std::string> files;
        for (const auto& [path, bytes] : disk.all_bytes()) {
            const bool has_text = bytes.find(text) != bytes.npos;
            if (path.starts_with("views/segment-") && has_text) files.insert(path.substr(6));
        }
        return files;
    }
    /// Of the file that has what the view says of the third message: its header, or that.
    void damage_view(const std::string& word, bool is_header) {
        const auto views = root->subdirectory("views", Create::if_missing).value();
        const std::string name = file_of.at(word);
        const std::size_t at = disk.all_bytes().at("views/" + name).find(word + " 2.");
        views->open(name, Create::never).value()->write_at(is_header ? 8 : at, "damaged").value();
    }
    /// After the code has come, perhaps once more where damage is found only then.
    std::string wrong_with_code() {
        for (bool is_first = true;; is_first = false) {
            open();
            const auto added = add_code();
            const std::string wrong = added ? first_difference(*database) : added.error().context;
            const bool is_named = !added || !database->verify().value().problems.empty();
            close();
            if (!is_first || !is_named) return wrong;
        }
    }

    std::set<std::string> words;
    std::map<std::string, std::string> file_of; ///< By word.
};

/// Each view with each damage.
template <typename Try> void on_each_damage(const Try& attempt) {
    for (const char* const word : {"number", "pair", "twin"}) {
        for (const bool is_header : {true, false}) {
            Looking on;
            on.damage_view(word, is_header);
            SCOPED_TRACE(word + std::string(is_header ? ", the header" : ", a row"));
            attempt(on);
        }
    }
}

void change(Looking& on) {
    on.database->replace({1}, R"({"number":50})").value();
    on.database->delete_messages(Seqs{{6}}).value();
    on.append(R"({"number":5})");
}

TEST(DamagedSources, TellThoseWhoLookedThereWhatHasChangedMeanwhile) {
    on_each_damage([](Looking& on) {
        on.open(); // Without code.
        change(on);
        on.close();
        EXPECT_EQ(on.wrong_with_code(), "");
    });
}

TEST(DamagedSources, TellThoseWhoLookedThereWhenTheCodeComesBeforeTheNextOpening) {
    on_each_damage([](Looking& on) {
        on.open();
        change(on);
        const auto added = on.add_code();
        if (added) {
            EXPECT_EQ(first_difference(*on.database), "");
        }
        on.close();
        EXPECT_EQ(on.wrong_with_code(), "");
    });
}

TEST(DamagedSources, AreDerivedInMemoryByWhoOnlyReads) {
    on_each_damage([](Looking& on) {
        on.open();
        on.append(R"({"number":2})"); // Next to what is damaged, and in no file.
        const std::unique_ptr<Database> writer = std::exchange(on.database, reader_of(on));
        on.add_code().value();
        EXPECT_EQ(wrong_view(*on.database), "");
        on.close();
    });
}

} // namespace
} // namespace sluice::test
