// P7: files that say what messages were read with, or what transforms made of them, are damaged.
// The messages whose rows they had are derived again, and no others.
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
            const auto folder = disk->root()->subdirectory("views").value();
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

} // namespace
} // namespace sluice::test
