// Why a message is seen as it is, in the words of database.hpp.
#include "database/transform_test_support.hpp"

namespace sluice::test {
namespace {

/// As `get facts blobs ["b1"]`, with the owner behind it, and "in vain" if nothing was found.
std::string text_of(const std::vector<Explanation::Look>& looks) {
    std::string text;
    for (const Explanation::Look& look : looks) {
        text += (text.empty() ? "" : ", ") + look.kind + ' ' + look.source + ' ' + look.key;
        if (look.owner != Seq{}) text += " of " + std::to_string(look.owner.value);
        if (!look.found) text += " in vain";
    }
    return text;
}

/// Each transform that did something with the message: what it made, and what it looked at.
std::string steps_of(const Explanation& why) {
    std::string text;
    for (const Explanation::Step& step : why.steps) {
        if (step.made == "unchanged" && step.looks.empty() && step.cells.empty()) continue;
        text += (text.empty() ? "" : "; ") + step.transform + ": " + step.made;
        for (const std::string& cell : step.cells) text += " gave " + cell;
        if (!step.looks.empty()) text += " by " + text_of(step.looks);
    }
    return text;
}
std::string why(const Transforming& on, Seq seq) {
    return steps_of(on.database->why(seq).value());
}

TEST(Why, SaysWhatEachTransformMadeOfAMessageAndByWhichFacts) {
    Transforming on;
    const Seq box = on.append(boxed("k1", says("inside")));
    EXPECT_EQ(why(on, box), R"(unbox: unchanged by find any facts keys [] in vain)");
    on.put(kKey1);
    EXPECT_EQ(why(on, box), R"(unbox: body by get facts keys ["k1"])");

    const Seq bo = on.append(R"({"author":"bo","text":"hello"})");
    EXPECT_EQ(why(on, bo), R"(block: unchanged by has facts blocks ["bo"] in vain)");
    on.put({"blocks", Key("bo")});
    EXPECT_EQ(why(on, bo), R"(block: hidden by has facts blocks ["bo"])");
    EXPECT_TRUE(on.database->why(bo).value().views.empty());

    const Seq blob = on.append(R"({"blob":"b1"})");
    EXPECT_EQ(why(on, blob), R"(blobs: unchanged by get facts blobs ["b1"] in vain)");
    on.put({"blobs", Key("b1")}, "bad");
    EXPECT_EQ(why(on, blob), R"(blobs: failed by get facts blobs ["b1"])");
}

TEST(Why, SaysByWhichOtherMessagesAMessageIsRead) {
    Transforming on;
    const Seq original = on.append(says("original"), "m1");
    EXPECT_EQ(why(on, original), R"(edits: unchanged by last cells links ["m1"] in vain)");
    const Seq edit = on.append(edits("m1", "edited"));
    const Explanation explained = on.database->why(original).value();
    EXPECT_TRUE(steps_of(explained).starts_with("edits: body by ")) << steps_of(explained);
    EXPECT_NE(steps_of(explained).find("cells links [\"m1\"] of " + std::to_string(edit.value)),
              std::string::npos)
        << steps_of(explained);
    EXPECT_EQ(explained.rederived_by, edit);
    ASSERT_EQ(explained.views.size(), 1u);
    EXPECT_EQ(explained.views[0].view, "said");
    EXPECT_EQ(explained.views[0].keys, std::vector<std::string>{R"(["edited"])"});
    EXPECT_TRUE(why(on, edit).starts_with(R"(links: unchanged gave ["m1"])")) << why(on, edit);
}

/// Cells, and a transform that looks for them in every way.
Transforms ways_to_look(Runs&) {
    Transforms all;
    const Source cells = all.add({"cells", 1, link_edit});
    all.add({"looks", 1, [cells](Context& context, const Incoming& message, Transformed&) {
                 if (message.key().empty()) return;
                 const Key key(message.key());
                 context.get(cells, key);
                 context.has(cells, key);
                 context.prefix(cells, key);
                 context.first(cells, key);
                 context.last(cells, key);
                 context.find_any(cells, key, [](const Cell&) { return true; });
                 context.first(Source::facts("facts"), key);
             }});
    return all;
}

TEST(Why, NamesEveryWayToLookForTheCellsOfATransform) {
    Transforming on(ways_to_look);
    const Seq alone = on.append(says("alone"), "m1");
    const std::string in_vain = why(on, alone);
    for (const char* const look :
         {"get cells cells [\"m1\"] in vain", "has cells cells [\"m1\"] in vain",
          "first cells cells [\"m1\"] in vain", "last cells cells [\"m1\"] in vain",
          "find any cells cells [\"m1\"] in vain", "prefix cells cells [\"m1\"]",
          "first facts facts [\"m1\"] in vain"}) {
        EXPECT_NE(in_vain.find(look), std::string::npos) << look << " not in " << in_vain;
    }
    on.append(edits("m1", "edited"));
    on.put({"facts", Key("m1")});
    const std::string found = why(on, alone);
    for (const char* const look : {"get cells cells [\"m1\"] of 3", "has cells cells [\"m1\"] of 3",
                                   "first cells cells [\"m1\"]", "last cells cells [\"m1\"]",
                                   "first facts facts [\"m1\"]"}) {
        EXPECT_NE(found.find(look), std::string::npos) << look << " not in " << found;
    }
    EXPECT_EQ(found.find("get cells cells [\"m1\"] in vain"), std::string::npos) << found;
}

TEST(Why, SaysOfWhatIsGoneOnlyThatItIs) {
    Transforming on;
    const Seq seq = on.append(says("original"), "m1");
    on.database->delete_messages(Seqs{seq}).value();
    const Explanation why = on.database->why(seq).value();
    EXPECT_EQ(why.record.state, Record::State::deleted);
    EXPECT_TRUE(why.steps.empty());
    EXPECT_EQ(code_of(on.database->why({99})), Errc::not_found);
}

TEST(Why, SaysWhatAViewLookedAtThatShowsNothing) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    on.database->add_view("liked", R"({"kind":"index","key":["/likes"]})").value();
    const Source liked = on.database->rows_of("liked").value();
    CodeView view;
    view.app = "ranks";
    view.reads = {liked};
    view.map_reading = [liked](Context& context, const Message&, Emit& emit) {
        if (context.has(liked, Key("ada"))) emit(Key("ada is liked"));
    };
    on.database->add_view("ranked", view).value();
    const Seq seq = on.append(R"({"name":"ada"})");
    const Explanation why = on.database->why(seq).value();
    ASSERT_EQ(why.views.size(), 1u);
    EXPECT_EQ(why.views[0].view, "ranked");
    EXPECT_TRUE(why.views[0].keys.empty());
    EXPECT_EQ(text_of(why.views[0].looks), R"(has rows liked ["ada"] in vain)");
}

TEST(Why, SaysWhichEntryHadAMessageDerivedAgainForAViewThatReads) {
    DatabaseOnDisk on;
    on.database->add_view("liked", R"({"kind":"index","key":["/likes"]})").value();
    const Source liked = on.database->rows_of("liked").value();
    CodeView view;
    view.app = "ranks";
    view.reads = {liked};
    view.map_reading = [liked](Context& context, const Message& message, Emit& emit) {
        const Value* const name = message.json->find("name");
        if (name != nullptr) emit(Key(context.prefix(liked, Key("ada")).size()));
    };
    on.database->add_view("ranked", view).value();
    const Seq ada = on.append(R"({"name":"ada"})");
    EXPECT_EQ(on.database->why(ada).value().rederived_by, Seq{0});
    const Seq like = on.append(R"({"likes":"ada"})");
    EXPECT_EQ(on.database->why(ada).value().rederived_by, like);
}

} // namespace
} // namespace sluice::test
