// The thread that does what nobody waits for, beside others that write, hold and close.
#include "database/retention_test_support.hpp"

#include <thread>

namespace sluice::test {
namespace {

using std::chrono::milliseconds;

Options in_background() {
    Options options = small_files();
    options.background = true;
    options.durability = Durability::none;
    options.retention_interval = milliseconds(1);
    return options;
}

/// The same with files as large as they are elsewhere: for many messages.
Options in_large_files() {
    Options options = Options();
    options.durability = Durability::none;
    return options;
}

CodeView by_length(WhenBehind when_behind) {
    CodeView view;
    view.app = "mail";
    view.when_behind = when_behind;
    view.map = [](const Message& message, Emit& emit) { emit(Key(message.body.size())); };
    return view;
}

/// 20,000 messages came while the owner of the view was away, who is back and reads on.
struct CatchingUp : DatabaseOnDisk {
    CatchingUp() : DatabaseOnDisk(in_large_files()) {
        database->add_view("lengths", by_length(WhenBehind::wait)).value();
        reopen();
        database->append(std::vector<NewMessage>(20000, NewMessage{"abc"})).value();
        database->add_view("lengths", by_length(WhenBehind::read_on)).value();
    }
};

TEST(RetentionThreads, TakeWhatIsDueWithoutBeingAsked) {
    RetainingDatabase on(in_background());
    on.append_aged(99);
    on.add(older_than_days(90));
    EXPECT_TRUE(becomes([&] { return on.body({1}) == "deleted"; }));
    on.reopen();
    on.append_aged(1);
    *on.now += 100 * kDayMs;
    EXPECT_TRUE(becomes([&] { return on.body({3}) == "deleted"; })) << "also after an opening";
    EXPECT_TRUE(becomes([&] { return on.database->retention()[0].taken == 1; }));
}

// A hold that returned is never broken, whatever else is under way.
TEST(RetentionThreads, NeverTakeWhatIsHeld) {
    RetainingDatabase on(in_background());
    on.add(erasing(older_than_days(90)));
    on.add({.name = "few", .keep_last = 3});
    std::vector<Seq> held;
    std::thread other([&] {
        for (int i = 0; i < 60; ++i) on.append_aged(1, "b");
    });
    for (int i = 0; i < 60; ++i) {
        const Seq seq = on.append_aged(99);
        const auto hold = on.database->hold(Seqs{seq});
        if (hold && !hold->seqs.empty() && on.body(seq).starts_with('{')) held.push_back(seq);
    }
    other.join();
    on.database->apply_retention().value();
    for (const Seq seq : held) EXPECT_EQ(on.body(seq).substr(0, 1), "{") << seq.value;
    on.expect_verified();
}

TEST(RetentionThreads, CatchUpWhileOthersAppendAndRead) {
    CatchingUp on;
    for (int i = 0; i < 50; ++i) {
        on.append("defg");
        ASSERT_TRUE(on.database->replace({static_cast<std::uint64_t>(i + 1)}, "other"));
        static_cast<void>(on.info("lengths"));
    }
    EXPECT_TRUE(becomes([&] { return on.info("lengths").state == ViewInfo::State::current; }));
    on.expect_verified();
}

TEST(RetentionThreads, StopWhenTheDatabaseCloses) {
    for (int i = 0; i < 10; ++i) {
        CatchingUp on;
        std::this_thread::sleep_for(milliseconds(i));
        on.reopen();
        ASSERT_TRUE(on.database->add_view("lengths", by_length(WhenBehind::wait)));
        ASSERT_EQ(on.database->snapshot().read("lengths")->count_rest(), 20000u);
    }
}

} // namespace
} // namespace sluice::test
