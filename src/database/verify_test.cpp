// P1, as verify() proves it: what it says of views that are not what the log says. Functions that
// change their mind, as none may, make them so.
#include "database/database_test_support.hpp"

namespace sluice::test {
namespace {

std::int64_t n_of(const Message& message) {
    return message.json->find("n")->as_int64().value();
}

/// Ten messages, and a view whose function gives other rows from one moment on.
struct ChangedMind : DatabaseOnDisk {
    explicit ChangedMind(const char* definition) {
        view.app = "moody";
        view.definition = definition;
    }
    void map(std::function<void(const Message&, Emit&, bool has_changed)> function) {
        view.map = [this, function](const Message& message, Emit& emit) {
            function(message, emit, has_changed);
        };
        database->add_view("moody", view).value();
        append_some(10);
        expect_verified();
        has_changed = true;
    }
    VerifyReport::View found() const {
        const VerifyReport report = database->verify().value();
        EXPECT_FALSE(report.equal());
        for (const auto& each : report.views) {
            if (each.name == "moody") return each;
            EXPECT_EQ(each.difference_count, 0u) << each.name;
        }
        return {};
    }

    CodeView view;
    bool has_changed = false;
};

constexpr const char* kIndex = R"({"kind":"index"})";
constexpr const char* kSums = R"({"kind":"aggregate","value":{"count":true,"sum":true}})";

TEST(Verify, NamesTheEntriesWhoseRowsAreMissingOrShouldNotBeThere) {
    ChangedMind on(kIndex);
    on.map([](const Message& message, Emit& emit, bool has_changed) {
        const bool is_odd = n_of(message) % 2 == 1;
        if (is_odd != has_changed) emit(Key("one key"));
    });
    const auto view = on.found();
    EXPECT_EQ(view.difference_count, 10u);
    EXPECT_EQ(view.differences.front(), "a row of entry 1 should not be there");
    EXPECT_EQ(view.differences.back(), "a row of entry 10 is missing");
}

TEST(Verify, NamesTheEntriesWhoseRowsAreUnderOtherKeys) {
    ChangedMind on(kIndex);
    on.map([](const Message& message, Emit& emit, bool has_changed) {
        const Key key(has_changed ? -n_of(message) : n_of(message));
        emit(key);
        emit(key); // Which is one row.
    });
    EXPECT_EQ(on.found().difference_count, 20u);
    on.has_changed = false;
    on.expect_verified();
}

TEST(Verify, CountsAllDifferencesAndShowsTheFirst) {
    ChangedMind on(kIndex);
    on.map([](const Message& message, Emit& emit, bool has_changed) {
        for (int i = 0; i < 10; ++i) emit(Key(has_changed, n_of(message), i));
    });
    const auto view = on.found();
    EXPECT_EQ(view.difference_count, 200u);
    EXPECT_EQ(view.differences.size(), 20u);
}

TEST(Verify, NamesAnEntryOfEachGroupThatIsMissingOrHasAnotherValue) {
    ChangedMind on(kSums);
    on.map([](const Message& message, Emit& emit, bool has_changed) {
        const std::int64_t n = n_of(message);
        emit(Key("same"), n);
        if (n == 3) emit(Key("sum"), std::int64_t{has_changed});
        if (n == 4 || (n == 5 && has_changed)) emit(Key("count"));
        if (n == 6) emit(Key(has_changed ? "before" : "behind"));
        if (n == 7 && has_changed) emit(Key("z"));
        if (n == 8 && !has_changed) emit(Key("zz"));
        if (n == 9 && has_changed) emit(Key("zzz"));
        if (n == 10 && !has_changed) emit(Key("zzzz"));
    });
    const auto view = on.found();
    EXPECT_EQ(
        view.differences,
        (std::vector<std::string>{
            "the group of entry 6 is missing", "group 2 should not be there",
            "the group of entry 4 has another value", "the group of entry 3 has another value",
            "the group of entry 7 is missing", "group 7 should not be there",
            "the group of entry 9 is missing", "group 9 should not be there"}));
}

/// A fold that counts otherwise when it has changed its mind.
struct Moody {
    static inline std::size_t of_each = 1;
    std::size_t count = 0;
    void add(Seq, std::string_view) { count += of_each; }
    void combine(const Moody& later) { count += later.count; }
    std::string to_json() const { return std::to_string(count); }
    std::string encoded() const { return std::to_string(count); }
    static std::optional<Moody> decode(std::string_view bytes) {
        return Moody{static_cast<std::size_t>(std::stoul(std::string(bytes)))};
    }
};

TEST(Verify, NamesAnEntryOfEachGroupThatFoldsToAnotherAnswer) {
    ChangedMind on(R"({"kind":"fold"})");
    on.view.fold = fold_of<Moody>();
    on.map([](const Message& message, Emit& emit, bool has_changed) {
        emit(Key(n_of(message) % 2), std::string_view(has_changed ? "other" : "value"));
    });
    EXPECT_EQ(on.found().difference_count, 10u) << "each value, and no count";
    on.has_changed = false;
    on.database->merge_views().value();
    on.expect_verified();
    Moody::of_each = 2;
    const auto view = on.found();
    Moody::of_each = 1;
    EXPECT_EQ(view.differences,
              (std::vector<std::string>{"the group of entry 2 has another answer",
                                        "the group of entry 1 has another answer"}));
}

// What is erased may be said by others, as their text or as their name.
TEST(Verify, TakesForLeftOverOnlyWhatNobodyElseSays) {
    DatabaseOnDisk on;
    const std::string text = "0123456789abcdefghijklmnopqrstuvwxyz";
    const Seq first = on.append(text);
    const Seq second = on.append(text + "!");
    on.append("{}", text);
    on.database->erase(Seqs{first}).value();
    on.expect_verified();
    on.database->erase(Seqs{second}).value();
    on.expect_verified();
}

TEST(Verify, NamesTheEntriesWhoseGroupsOfAFoldAreMissing) {
    ChangedMind on(R"({"kind":"fold"})");
    on.view.fold = fold_of<Moody>();
    on.map([](const Message& message, Emit& emit, bool has_changed) {
        emit(Key(has_changed, n_of(message) % 2), std::string_view("value"));
    });
    EXPECT_EQ(on.found().difference_count, 20u);
}

TEST(Verify, NamesTheEntriesWhoseGroupOfAFoldIsMissingBehindTheOthers) {
    ChangedMind on(R"({"kind":"fold"})");
    on.view.fold = fold_of<Moody>();
    on.map([](const Message& message, Emit& emit, bool has_changed) {
        emit(Key(1), std::string_view("value"));
        if (has_changed && n_of(message) > 5) emit(Key(2), std::string_view("value"));
    });
    EXPECT_EQ(on.found().difference_count, 5u);
}

} // namespace
} // namespace sluice::test
