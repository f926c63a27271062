// Views that read views, facts and cells: promises P1, P3 to P6 and P8 for them.
#include "base/json.hpp"
#include "database/database_test_support.hpp"
#include "database/transform_test_support.hpp"

#include <functional>

namespace sluice::test {
namespace {

// {"name":"ada","says":...} gives authors a row ["ada"]
// {"likes":"ada"}           gives liked a row ["ada", who is liked by message N]
// ranked has of each author a row [number of likes, name], so it reads liked
// shouted has of each ranked author a row, so it reads ranked

constexpr const char* kNames = R"({"kind":"index","key":["/name"]})";
constexpr const char* kLiked = R"({"kind":"index","key":["/likes"]})";

std::string author(const std::string& name) {
    return R"({"name":")" + name + "\"}";
}
std::string likes(const std::string& name) {
    return R"({"likes":")" + name + "\"}";
}
std::string name_in(const Message& message, std::string_view member_name = "name") {
    const Value* const value = message.json == nullptr ? nullptr : message.json->find(member_name);
    return value == nullptr ? "" : std::string(value->as_string().value_or(""));
}

/// Gives `liked` its rows, from bodies.
struct LikedAhead final : MapAhead {
    void expect(std::span<const Message>) override {}
    void map(const Message& message, Emit& emit) override {
        const Message parsed{message.seq, message.key, message.body, parser.parse(message.body)};
        const std::string name = name_in(parsed, "likes");
        if (!name.empty()) emit(Key(name));
    }
    JsonParser parser;
};

class Readers : public testing::Test {
protected:
    Readers() {
        on.reopen();
        on.database->add_view("names", kNames).value();
        on.database->add_view("liked", kLiked).value();
    }

    CodeView ranked(std::uint32_t version = 1) {
        CodeView view;
        view.app = "ranks";
        view.version = version;
        const Source liked = on.database->rows_of("liked").value();
        view.reads = {liked};
        view.map_reading = [this, liked](Context& context, const Message& message, Emit& emit) {
            runs.push_back(message.seq);
            const std::string name = name_in(message);
            if (name.empty()) return;
            const auto found = context.prefix(liked, Key(name));
            emit(Key(static_cast<std::int64_t>(found.size()), name));
        };
        return view;
    }
    /// Whether each author is ranked at all with two likes or more.
    CodeView loved() {
        CodeView view;
        view.app = "loves";
        const Source ranks = on.database->rows_of("ranked").value();
        view.reads = {ranks};
        view.map_reading = [ranks](Context& context, const Message& message, Emit& emit) {
            const std::string name = name_in(message);
            if (!name.empty() && context.has(ranks, Key(std::int64_t{2}, name))) {
                emit(Key(name, "loved"));
            }
        };
        return view;
    }
    void add_ranked() { on.database->add_view("ranked", ranked()).value(); }
    /// `ranked`, which keeps in `seen` what others see of it and of `liked` while it runs.
    void add_watched(std::string& seen) {
        CodeView view = ranked();
        view.map_reading = [this, &seen, map = view.map_reading](
                               Context& context, const Message& message, Emit& emit) {
            map(context, message, emit);
            const Snapshot now = on.database->snapshot();
            seen = DatabaseOnDisk::rows_in(now, "liked") + " and " +
                   DatabaseOnDisk::rows_in(now, "ranked");
        };
        on.database->add_view("ranked", view).value();
    }
    /// Of each author who is liked first of all.
    CodeView gossip() {
        CodeView view;
        view.app = "gossip";
        const Source liked = on.database->rows_of("liked").value();
        view.reads = {liked};
        view.map_reading = [liked](Context& context, const Message& message, Emit& emit) {
            if (name_in(message).empty()) return;
            const auto first = context.first(liked, Key());
            emit(first ? first->key() : Key("silence"));
        };
        return view;
    }
    /// What `liked` has, of an application.
    static CodeView owned_liked() {
        CodeView view;
        view.app = "owner";
        view.map = [](const Message& message, Emit& emit) {
            const std::string name = name_in(message, "likes");
            if (!name.empty()) emit(Key(name));
        };
        return view;
    }

    DatabaseOnDisk on;
    Seqs runs; ///< The messages on which `ranked` was run.
};

TEST_F(Readers, HearOfRowsOfAFunctionThatIsToldOfMessagesAhead) {
    CodeView liked;
    liked.app = "owner";
    liked.map_ahead = [] { return std::make_unique<LikedAhead>(); };
    on.database->add_view("liked", liked).value();
    add_ranked();
    on.append(author("ada"));
    const Seq like = on.append(likes("ada"));
    EXPECT_EQ(on.rows("liked"), "[\"ada\"]=" + std::to_string(like.value));
    EXPECT_EQ(on.rows("ranked"), "[1,\"ada\"]=1");
    on.database->delete_messages(Seqs{like}).value();
    EXPECT_EQ(on.rows("ranked"), "[0,\"ada\"]=1");
    EXPECT_TRUE(on.database->verify().value().equal());
}

// P1, P5
TEST_F(Readers, FollowWhatTheyRead) {
    const Seq ada = on.append(author("ada"));
    const Seq bo = on.append(author("bo"));
    on.append(likes("ada"));
    add_ranked();
    EXPECT_EQ(on.rows("ranked"), R"([0,"bo"]=2 [1,"ada"]=1)");

    runs.clear();
    const Seq like = on.append(likes("bo"));
    EXPECT_EQ(on.rows("ranked"), R"([1,"ada"]=1 [1,"bo"]=2)");
    EXPECT_EQ(runs, (Seqs{bo, like})) << "the author concerned and the new message, no other";

    runs.clear();
    on.database->delete_messages(Seqs{like}).value();
    EXPECT_EQ(on.rows("ranked"), R"([0,"bo"]=2 [1,"ada"]=1)");
    EXPECT_EQ(runs, (Seqs{bo}));

    runs.clear();
    on.database->restore(Seqs{like}).value();
    EXPECT_EQ(on.rows("ranked"), R"([1,"ada"]=1 [1,"bo"]=2)");

    runs.clear();
    on.database->replace(like, likes("ada")).value();
    EXPECT_EQ(on.rows("ranked"), R"([0,"bo"]=2 [2,"ada"]=1)");
    EXPECT_EQ(runs, (Seqs{ada, bo, like}));
    on.expect_verified();
}

// P1: strata.
TEST_F(Readers, AreReadByOthersInTurn) {
    on.append(author("ada"));
    add_ranked();
    on.database->add_view("loved", loved()).value();
    EXPECT_EQ(on.rows("loved"), "");
    on.append(likes("ada"));
    on.append(likes("ada"));
    EXPECT_EQ(on.rows("loved"), R"(["ada","loved"]=1)");
    on.append(likes("ada"));
    EXPECT_EQ(on.rows("loved"), "");
    on.expect_verified();
}

// P4: without the code, rows that rest on what is gone are gone at once.
TEST_F(Readers, LoseWhatRestsOnWhatIsGoneWhenTheirCodeIsNotHere) {
    const Seq ada = on.append(author("ada"));
    const Seq bo = on.append(author("bo"));
    const Seq like = on.append(likes("ada"));
    add_ranked();
    on.reopen();
    on.database->delete_messages(Seqs{like}).value();
    EXPECT_EQ(on.rows("ranked"), R"([0,"bo"]=2)");
    const Seq newer = on.append(likes("bo"));
    EXPECT_EQ(on.rows("ranked"), "") << "both are known to be wrong";
    const Seq cy = on.append(author("cy"));
    on.expect_verified();

    runs.clear();
    add_ranked();
    EXPECT_EQ(on.rows("ranked"), R"([0,"ada"]=1 [0,"cy"]=6 [1,"bo"]=2)");
    EXPECT_EQ(runs, (Seqs{ada, bo, newer, cy})) << "the short list and what is new";
    on.expect_verified();
}

// P5: nothing is done twice.
TEST_F(Readers, AreNotRunAgainWhenNothingHappenedWhileTheyWereAway) {
    on.append(author("ada"));
    add_ranked();
    on.reopen();
    runs.clear();
    add_ranked();
    EXPECT_EQ(runs, Seqs{});
    EXPECT_EQ(on.rows("ranked"), R"([0,"ada"]=1)");
}

TEST_F(Readers, ReadFacts) {
    const Seq ada = on.append(author("ada"));
    CodeView view;
    view.app = "titles";
    view.map_reading = [](Context& context, const Message& message, Emit& emit) {
        const std::string name = name_in(message);
        const auto title = context.get(Source::facts("titles"), Key(name));
        if (!name.empty()) emit(Key(title ? std::string(title->value) : "nobody", name));
    };
    on.database->add_view("titles", view).value();
    EXPECT_EQ(on.rows("titles"), R"(["nobody","ada"]=1)");
    const Changed put = on.database->put_fact({{"titles", Key("ada")}, "countess"}).value();
    EXPECT_EQ(put.seqs, Seqs{ada});
    EXPECT_EQ(on.rows("titles"), R"(["countess","ada"]=1)");
    on.database->drop_fact({"titles", Key("ada")}).value();
    EXPECT_EQ(on.rows("titles"), R"(["nobody","ada"]=1)");
    on.expect_verified();
}

TEST_F(Readers, AreToldOfViewsThatTakeAnotherDefinition) {
    on.append(R"({"likes":"ada","loves":"bo"})");
    on.append(author("ada"));
    on.append(author("bo"));
    add_ranked();
    EXPECT_EQ(on.rows("ranked"), R"([0,"bo"]=3 [1,"ada"]=2)");
    on.database->add_view("liked", R"({"kind":"index","key":["/loves"]})").value();
    EXPECT_EQ(on.rows("ranked"), R"([0,"ada"]=2 [1,"bo"]=3)");
    on.expect_verified();
}

TEST_F(Readers, BuildNewVersionsAnew) {
    on.append(author("ada"));
    on.append(likes("ada"));
    add_ranked();
    on.database->add_view("loved", loved()).value();
    CodeView twice = ranked(2);
    const Source liked = on.database->rows_of("liked").value();
    twice.map_reading = [liked](Context& context, const Message& message, Emit& emit) {
        const std::string name = name_in(message);
        const auto found = context.prefix(liked, Key(name));
        if (!name.empty()) emit(Key(static_cast<std::int64_t>(2 * found.size()), name));
    };
    on.database->add_view("ranked", twice).value();
    EXPECT_EQ(on.rows("ranked"), R"([2,"ada"]=1)");
    EXPECT_EQ(on.rows("loved"), R"(["ada","loved"]=1)") << "who reads it follows";
    on.expect_verified();
}

TEST_F(Readers, FailForOneMessageAndHeal) {
    const Seq ada = on.append(author("ada"));
    on.append(author("bo"));
    CodeView view = ranked();
    const Source liked = view.reads.front();
    view.map_reading = [liked](Context& context, const Message& message, Emit& emit) {
        const std::string name = name_in(message);
        if (name.empty()) return;
        emit(Key(name));
        if (context.has(liked, Key(name))) throw std::runtime_error("too popular");
    };
    on.database->add_view("humble", view).value();
    const Seq like = on.append(likes("ada"));
    EXPECT_EQ(on.rows("humble"), R"(["bo"]=2)");
    EXPECT_EQ(on.info("humble").errors, 1u);
    on.database->delete_messages(Seqs{like}).value();
    EXPECT_EQ(on.rows("humble"), R"(["ada"]=1 ["bo"]=2)");
    EXPECT_EQ(ada, Seq{1});
    on.expect_verified();
}

// P6
TEST_F(Readers, KeepNothingOfWhatTheyReadWhenItIsErased) {
    const std::string secret = "a secret that was told in confidence to nobody at all";
    const Seq told = on.append(likes(secret));
    on.append(author("ada"));
    on.database->add_view("gossip", gossip()).value();
    on.append(author("bo"));
    for (const bool is_loaded : {true, false}) {
        if (!is_loaded) on.reopen();
        on.append(author("cy"));
    }
    EXPECT_NE(on.rows("gossip").find(secret), std::string::npos);
    on.database->erase(Seqs{told}).value();
    EXPECT_EQ(on.disk.find(secret).size(), 0u);
    EXPECT_EQ(on.disk.find_on_device(secret).size(), 0u);
    on.database->add_view("gossip", gossip()).value();
    EXPECT_EQ(on.rows("gossip"), R"(["silence"]=2 ["silence"]=3 ["silence"]=4 ["silence"]=5)");
    on.expect_verified();
}

// P6: also not in files with rows that others took the place of.
TEST_F(Readers, KeepNothingInFilesOfWhatTheyReadWhenItIsErased) {
    const std::string secret = "a secret that was told in confidence to nobody at all";
    const Seq told = on.append(likes(secret));
    on.append(author("ada"));
    on.database->add_view("gossip", gossip()).value();
    on.database->merge_views().value();
    on.append(likes("a much louder voice"));
    EXPECT_EQ(on.rows("gossip"), R"(["a much louder voice"]=2)");
    on.database->erase(Seqs{told}).value();
    EXPECT_EQ(on.disk.find(secret).size(), 0u);
    EXPECT_EQ(on.disk.find_on_device(secret).size(), 0u);
    on.expect_verified();
}

TEST_F(Readers, AreRefusedWhereTheyWouldReadThemselves) {
    add_ranked();
    on.database->add_view("loved", loved()).value();
    CodeView circle = ranked(2);
    circle.reads = {on.database->rows_of("loved").value()};
    const auto refused = on.database->add_view("ranked", circle);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid_argument);
    EXPECT_EQ(refused.error().context, "view ranked would read itself");
    EXPECT_EQ(on.database->drop_view("ranked").error().context,
              "view loved reads ranked: drop that one first");
    EXPECT_EQ(on.database->add_view("ranked", kCounts).error().context,
              "view loved reads ranked, so it must be an index");
    EXPECT_EQ(on.database->rows_of("nothing").error().code, Errc::not_found);
    on.database->drop_view("loved").value();
    on.database->drop_view("ranked").value();
    on.expect_verified();
}

TEST_F(Readers, MayReadOnlyWhatTheyWereRegisteredToRead) {
    on.append(author("ada"));
    CodeView view = ranked();
    view.reads = {on.database->rows_of("names").value()};
    on.database->add_view("sly", view).value();
    EXPECT_EQ(on.rows("sly"), "");
    EXPECT_EQ(on.info("sly").errors, 1u);
}

// P1: a view that is read catches up, and who reads it follows.
TEST_F(Readers, FollowAViewWhoseOwnerComesBack) {
    on.database->add_view("liked", owned_liked()).value();
    const Seq ada = on.append(author("ada"));
    add_ranked();
    on.reopen();
    add_ranked();
    on.append(likes("ada"));
    EXPECT_EQ(on.rows("ranked"), R"([0,"ada"]=1)") << "the view that it reads is behind";
    on.expect_verified();
    runs.clear();
    on.database->add_view("liked", owned_liked()).value();
    EXPECT_EQ(on.rows("ranked"), R"([1,"ada"]=1)");
    EXPECT_EQ(runs, Seqs{ada});
    on.expect_verified();
}

// P5: the short list is empty once it is worked off.
TEST_F(Readers, AreRunOnceOnWhatWaitedForTheirCode) {
    on.append(author("ada"));
    const Seq like = on.append(likes("ada"));
    add_ranked();
    on.reopen();
    on.database->delete_messages(Seqs{like}).value();
    EXPECT_EQ(on.rows("ranked"), "");
    add_ranked();
    runs.clear();
    const Seq newer = on.append(likes("nobody"));
    EXPECT_EQ(runs, (Seqs{newer}));
    EXPECT_EQ(on.rows("ranked"), R"([0,"ada"]=1)");
}

// P1, P4: what is read loses a row because its own code is not here, and who reads it follows.
TEST_F(Readers, FollowAViewThatLosesARowWhileItsOwnerIsAway) {
    on.database->add_view("liked", owned_liked()).value();
    on.append(author("ada"));
    const Seq like = on.append(likes("ada"));
    add_ranked();
    on.reopen();
    add_ranked();
    EXPECT_EQ(on.rows("ranked"), R"([1,"ada"]=1)");
    on.database->replace(like, likes("nobody")).value();
    EXPECT_EQ(on.rows("liked"), "");
    EXPECT_EQ(on.rows("ranked"), R"([0,"ada"]=1)");
    on.expect_verified();
}

// P3: while they follow, others see what they read as it was when they were right.
TEST_F(Readers, ShowAnotherDefinitionOfWhatTheyReadOnlyWhenTheyFollow) {
    on.append(R"({"likes":"ada","loves":"bo"})");
    on.append(author("ada"));
    std::string seen;
    add_watched(seen);
    on.database->add_view("liked", R"({"kind":"index","key":["/loves"]})").value();
    EXPECT_EQ(seen, R"(["ada"]=1 and [1,"ada"]=2)");
    EXPECT_EQ(on.rows("liked") + " and " + on.rows("ranked"), R"(["bo"]=1 and [0,"ada"]=2)");
}

// P3
TEST_F(Readers, ShowAViewWhoseOwnerComesBackOnlyWhenTheyFollow) {
    on.database->add_view("liked", owned_liked()).value();
    on.append(author("ada"));
    add_ranked();
    on.reopen();
    std::string seen;
    add_watched(seen);
    on.append(likes("ada"));
    seen.clear();
    on.database->add_view("liked", owned_liked()).value();
    EXPECT_EQ(seen, R"( and [0,"ada"]=1)");
    EXPECT_EQ(on.rows("liked") + " and " + on.rows("ranked"), R"(["ada"]=2 and [1,"ada"]=1)");
}

// P1: rows that nobody knows the reads of cannot follow, so they are derived anew.
TEST_F(Readers, BeginAnewWhereTheirReadsAreDamaged) {
    on.append(author("ada"));
    CodeView view = ranked();
    const Source liked = view.reads.front();
    view.map_reading = [liked](Context& context, const Message& message, Emit& emit) {
        const std::string name = name_in(message);
        if (!name.empty()) emit(Key(name, context.has(liked, Key("the fan of " + name))));
    };
    on.database->add_view("ranked", view).value();
    on.database->merge_views().value();
    on.close();
    damage(on, "the fan of ada", 0, "views");
    on.open();
    // Looks for readers, and finds the damage.
    const auto refused = on.database->append(NewMessage{likes("the fan of ada"), {}});
    EXPECT_EQ(code_of(refused), Errc::corrupt);
    EXPECT_EQ(code_of(on.database->append(NewMessage{likes("bo"), {}})), Errc::latched);
    on.reopen();
    EXPECT_EQ(on.rows("ranked"), "");
    on.database->add_view("ranked", view).value();
    EXPECT_EQ(on.rows("ranked"), R"(["ada",true]=1)");
    on.expect_verified();
}

// P1, P7: nobody can tell any more whom to wake when the old rows are gone.
TEST_F(Readers, KeepWhatFollowsFromAnotherDefinitionWhenThePowerGoes) {
    on.append(R"({"likes":"ada","loves":"bo"})");
    on.append(author("ada"));
    on.append(author("bo"));
    add_ranked();
    on.database->add_view("liked", R"({"kind":"index","key":["/loves"]})").value();
    on.crash(Fate::lost);
    add_ranked();
    EXPECT_EQ(on.rows("ranked"), R"([0,"ada"]=2 [1,"bo"]=3)");
    on.expect_verified();
}

/// The power goes in any of the operations of `act`; then `then` is to find nothing wrong.
void cut_at_each_operation(DatabaseOnDisk& on, const std::function<void()>& act,
                           const std::function<void(SimulatedDisk&)>& then) {
    std::uint64_t states = 0;
    on.disk.observe([&] {
        if (testing::Test::HasFailure()) return;
        ++states;
        const auto disk = on.disk.copy_after_power_cut(Fate::kept);
        then(*disk);
        EXPECT_FALSE(testing::Test::HasFailure()) << "operation " << on.disk.operations();
    });
    act();
    on.disk.observe({});
    EXPECT_GT(states, 2u);
}

void expect_right(const Database& database) {
    for (const VerifyReport::View& view : database.verify().value().views) {
        for (const std::string& difference : view.differences) {
            ADD_FAILURE() << view.name << ": " << difference;
        }
    }
}

// P1, P7: the same at an opening that finishes what was interrupted.
TEST_F(Readers, FollowAnInterruptedChangeOfDefinitionAlthoughThePowerGoesTwice) {
    on.append(R"({"likes":"ada","loves":"bo"})");
    on.append(author("ada"));
    on.append(author("bo"));
    add_ranked();
    const CodeView view = ranked();
    const auto switch_definition = [&] {
        on.database->add_view("liked", R"({"kind":"index","key":["/loves"]})").value();
    };
    cut_at_each_operation(on, switch_definition, [&](SimulatedDisk& disk) {
        auto root = disk.root();
        auto database = Database::open(*root, on.options).value();
        disk.cut_power(Fate::lost, 0);
        database.reset();
        root = disk.root();
        database = Database::open(*root, on.options).value();
        database->add_view("ranked", view).value();
        expect_right(*database);
    });
}

// P1, P7: the name is known already, so a part must not pass for the whole.
TEST_F(Readers, AreBuiltAnewBehindDamageAlthoughThePowerGoes) {
    for (int i = 0; i < 100; ++i) on.append(author("author " + std::to_string(i)));
    CodeView view = ranked();
    view.map_reading = [liked = view.reads.front()](Context& context, const Message& message,
                                                    Emit& emit) {
        const std::string name = name_in(message);
        emit(Key("what is said of " + name, context.has(liked, Key(name))));
    };
    on.database->add_view("ranked", view).value();
    on.database->merge_views().value();
    on.close();
    damage(on, "what is said of author 7", 0, "views");
    on.open();
    on.database->add_view("ranked", view).value(); // Follows: nobody has looked at its rows yet.
    EXPECT_EQ(on.rows("ranked"), "");
    const auto build = [&] { on.database->add_view("ranked", view).value(); };
    cut_at_each_operation(on, build, [&](SimulatedDisk& disk) {
        const auto root = disk.root();
        const auto database = Database::open(*root, on.options).value();
        static_cast<void>(DatabaseOnDisk::rows_in(database->snapshot(), "ranked"));
        database->add_view("ranked", view).value();
        expect_right(*database);
    });
    on.expect_verified();
}

// P5
TEST_F(Readers, NeedWhatTheyReadToBeThere) {
    CodeView view = ranked();
    on.database->drop_view("liked").value();
    EXPECT_EQ(code_of(on.database->add_view("ranked", view)), Errc::not_found);
    EXPECT_EQ(code_of(on.database->rows_of("liked")), Errc::not_found);
    on.database->add_view("counts", kCounts).value();
    EXPECT_EQ(code_of(on.database->rows_of("counts")), Errc::invalid_argument);
}

TEST_F(Readers, WhySaysWhatTheyLookedAt) {
    const Seq ada = on.append(author("ada"));
    const Seq like = on.append(likes("ada"));
    add_ranked();
    const Explanation why = on.database->why(ada).value();
    const auto found = std::find_if(why.views.begin(), why.views.end(),
                                    [](const auto& each) { return each.view == "ranked"; });
    ASSERT_NE(found, why.views.end());
    ASSERT_EQ(found->looks.size(), 2u);
    EXPECT_EQ(found->looks[0].source, "rows liked");
    EXPECT_EQ(found->looks[0].kind, "prefix");
    EXPECT_EQ(found->looks[1].owner, like);
}

} // namespace
} // namespace sluice::test
