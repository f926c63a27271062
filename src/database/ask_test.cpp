// Folds, links and searches through the database, in the words of database.hpp.
#include "database/database_test_support.hpp"

#include <algorithm>

namespace sluice::test {
namespace {

std::string text_of(const Key& key) {
    const std::string json = key.to_json();
    return json.substr(1, json.size() - 2);
}

std::string links(const DatabaseOnDisk& on, const std::string& view, const LinkQuery& query) {
    const auto found = on.database->snapshot().links(view, query);
    if (!found) return "error: " + std::string(name_of(found.error().code));
    std::string text;
    for (const Link& link : *found) {
        text += (text.empty() ? "" : " ") + text_of(link.source) + text_of(link.relation) +
                text_of(link.target) + '=' + std::to_string(link.seq.value);
    }
    return text;
}

std::string walk(const DatabaseOnDisk& on, const WalkQuery& query) {
    const auto found = on.database->snapshot().walk("follows", query);
    if (!found) return "error: " + std::string(name_of(found.error().code));
    std::string text;
    for (const Walk::Step& step : found->steps) {
        text += (text.empty() ? "" : " ") + text_of(step.node) + std::to_string(step.distance) +
                "via" + text_of(step.via);
    }
    return text + (found->complete ? "" : " ...");
}

struct Follows : DatabaseOnDisk {
    Follows() {
        database
            ->add_view("follows", R"({"kind":"links","where":{"/type":"contact"},)"
                                  R"("source":"/author","target":"/contact","state":"/following"})")
            .value();
    }
    Seq says(const std::string& author, const std::string& contact, const std::string& following) {
        return append(R"({"type":"contact","author":")" + author + R"(","contact":")" + contact +
                      R"(","following":)" + following + '}');
    }
};

TEST(Links, HoldWhatTheNewestMessageSays) {
    Follows on;
    on.says("ann", "bo", "true");
    const Seq ended = on.says("ann", "bo", "false");
    on.says("ann", "cy", "true");
    on.says("ann", "dee", "null"); // Says nothing.
    EXPECT_EQ(links(on, "follows", {.from = Key("ann")}), R"("ann"null"cy"=3)");
    on.database->delete_messages(Seqs{ended}).value();
    EXPECT_EQ(links(on, "follows", {.from = Key("ann")}), R"("ann"null"bo"=1 "ann"null"cy"=3)");
    on.database->restore(Seqs{ended}).value();
    on.says("ann", "bo", "true");
    EXPECT_EQ(links(on, "follows", {.to = Key("bo")}), R"("ann"null"bo"=7)");
    on.expect_verified();
}

TEST(Links, AreReadFromEitherEndByRelation) {
    DatabaseOnDisk on;
    on.database
        ->add_view("links", R"({"kind":"links","each":"/m","target":"/to","relation":"/as"})")
        .value();
    on.append(R"({"m":[{"to":"x","as":"root"},{"to":"y","as":"branch"},{"to":{},"as":"no"}]})",
              "p");
    on.append(R"({"m":[{"to":"x","as":"branch"},{"to":7,"as":"root"},{"to":"x"}]})", "q");
    on.append(R"({"m":[{"to":"x","as":"root"}]})"); // Has no application key.
    EXPECT_EQ(links(on, "links", {}),
              R"("p""branch""y"=1 "p""root""x"=1 "q""branch""x"=2 "q""root"7=2)");
    EXPECT_EQ(links(on, "links", {.to = Key("x")}), R"("q""branch""x"=2 "p""root""x"=1)");
    EXPECT_EQ(links(on, "links", {.to = Key("x"), .relation = Key("root")}), R"("p""root""x"=1)");
    EXPECT_EQ(links(on, "links", {.from = Key("q"), .to = Key("x")}), R"("q""branch""x"=2)");
    EXPECT_EQ(links(on, "links", {.relation = Key("branch")}),
              R"("p""branch""y"=1 "q""branch""x"=2)");
    EXPECT_EQ(links(on, "links", {.to = Key(7), .limit = 1}), R"("q""root"7=2)");
    EXPECT_EQ(links(on, "links", {.limit = 2}), R"("p""branch""y"=1 "p""root""x"=1)");
    EXPECT_EQ(links(on, "links", {.from = Key("p", 1)}), "error: invalid_argument");
    EXPECT_EQ(links(on, "links", {.from = Key()}), "error: invalid_argument");
    EXPECT_EQ(links(on, "nothing", {}), "error: not_found");
}

TEST(Links, AreWalkedBreadthFirstAndOnce) {
    Follows on;
    for (const auto& [from, to] : std::vector<std::pair<const char*, const char*>>{{"a", "c"},
                                                                                   {"a", "b"},
                                                                                   {"b", "a"},
                                                                                   {"b", "d"},
                                                                                   {"c", "d"},
                                                                                   {"c", "c"},
                                                                                   {"d", "e"},
                                                                                   {"e", "a"}}) {
        on.says(from, to, "true");
    }
    EXPECT_EQ(walk(on, {.start = Key("a"), .depth_max = 9}),
              R"("b"1via"a" "c"1via"a" "d"2via"b" "e"3via"d")");
    EXPECT_EQ(walk(on, {.start = Key("a")}), R"("b"1via"a" "c"1via"a")");
    EXPECT_EQ(walk(on, {.start = Key("a"), .depth_max = 2, .nodes_max = 2}),
              R"("b"1via"a" "c"1via"a" ...)");
    EXPECT_EQ(walk(on, {.start = Key("a"), .depth_max = 3, .nodes_max = 4}),
              R"("b"1via"a" "c"1via"a" "d"2via"b" "e"3via"d")");
    EXPECT_EQ(walk(on, {.start = Key("d"), .direction = WalkDirection::backward, .depth_max = 2}),
              R"("b"1via"d" "c"1via"d" "a"2via"b")");
    EXPECT_EQ(walk(on, {.start = Key("a"), .depth_max = 0}), "");
    EXPECT_EQ(walk(on, {.start = Key("z"), .depth_max = 5}), "");
    EXPECT_EQ(walk(on, {.start = Key("a"), .relation = Key("x"), .depth_max = 5}), "");
    EXPECT_EQ(walk(on, {.start = Key("a", "b")}), "error: invalid_argument");
}

struct Texts : DatabaseOnDisk {
    explicit Texts(const std::string& more = R"(,"language":"english")") {
        database->add_view("texts", R"({"kind":"search","text":["/title","/text"])" + more + '}')
            .value();
    }
    Seq says(const std::string& text, const std::string& title = {}) {
        return append(R"({"title":")" + title + R"(","text":")" + text + "\"}");
    }
    std::string find(const std::string& query) const {
        const auto answer = database->snapshot().search("texts", {.text = query});
        if (!answer) return "error: " + std::string(name_of(answer.error().code));
        std::string text;
        for (const SearchHit& hit : answer->hits) {
            text += (text.empty() ? "" : " ") + std::to_string(hit.seq.value);
        }
        return text;
    }
};

TEST(Search, FindsWordsPhrasesAndBeginnings) {
    Texts on;
    on.says("The ship runs into the harbour");
    on.says("Running ships", "harbour street");
    on.says("A café in Harbour Street 14");
    EXPECT_EQ(on.find("ship"), "2 1");
    EXPECT_EQ(on.find("RUN ships"), "2 1");
    EXPECT_EQ(on.find("cafe"), "3");
    EXPECT_EQ(on.find("\"harbour street\""), "2 3");
    EXPECT_EQ(on.find("\"street harbour\""), "");
    EXPECT_EQ(on.find("\"street running\""), ""); // Of two texts.
    EXPECT_EQ(on.find("\"harbour street\" 14"), "3");
    EXPECT_EQ(on.find("runn*"), "2");
    EXPECT_EQ(on.find("run*"), "2 1");
    EXPECT_EQ(on.find("\"harbour stre*\""), "2 3");
    EXPECT_EQ(on.find("harbour-street"), "2 3");
    on.says("begin beginning");
    EXPECT_EQ(on.find("begi*"), "4"); // Two words, one message.
    EXPECT_EQ(on.find("nothing"), "");
    EXPECT_EQ(on.find("street nothing"), "");
    EXPECT_EQ(on.find("the"), "1");
    on.expect_verified();
}

TEST(Search, PrefersWhatHasMoreOfTheRarerWord) {
    Texts on;
    on.says("common rare rare");
    on.says("common common rare");
    for (int i = 0; i < 5; ++i) on.says("common and more");
    EXPECT_EQ(on.find("common rare"), "1 2");
}

TEST(Search, RefusesWhatAsksNothingOrTooMuch) {
    Texts on;
    EXPECT_EQ(on.find(""), "error: invalid_argument");
    EXPECT_EQ(on.find(" .,* "), "error: invalid_argument");
    EXPECT_EQ(on.find("\"open"), "error: invalid_argument");
    EXPECT_EQ(on.find(std::string(SearchQuery::kTextBytesMax + 1, 'x')), "error: invalid_argument");
    std::string words;
    for (std::size_t i = 0; i < SearchQuery::kWordsMax; ++i) words += "w ";
    EXPECT_EQ(on.find(words), "");
    EXPECT_EQ(on.find(words + "w"), "error: invalid_argument");
    on.database->add_view("counts", kCounts).value();
    EXPECT_EQ(code_of(on.database->snapshot().search("counts", {.text = "a"})),
              Errc::invalid_argument);
    EXPECT_EQ(code_of(on.database->snapshot().search("none", {.text = "a"})), Errc::not_found);
}

// P1 for ranking: what is gone counts neither for how rare a word is nor for how long texts are.
TEST(Search, RanksAsIfWhatIsGoneHadNeverBeen) {
    Texts with, without;
    const auto say_all = [](Texts& on) {
        on.says("red red green");
        on.says("red and a number of other words");
        on.says("green");
    };
    say_all(with);
    Seqs extra;
    for (int i = 0; i < 60; ++i) {
        extra.push_back(with.says(std::string(i < 30 ? "red" : "violet red") + " and long, long"));
    }
    say_all(without);
    with.database->delete_messages(Seqs(extra.begin(), extra.begin() + 30)).value();
    with.database->erase(Seqs(extra.begin() + 30, extra.end())).value();
    for (const char* query : {"red", "gre*", "red green", "\"red green\"", "number"}) {
        const auto a = with.database->snapshot().search("texts", {.text = query}).value();
        const auto b = without.database->snapshot().search("texts", {.text = query}).value();
        ASSERT_EQ(a.hits.size(), b.hits.size()) << query;
        for (std::size_t i = 0; i < a.hits.size(); ++i) {
            EXPECT_EQ(a.hits[i].seq, b.hits[i].seq) << query;
            EXPECT_EQ(a.hits[i].score, b.hits[i].score) << query; // To the bit.
        }
    }
    EXPECT_TRUE(with.disk.find("violet").empty()); // P6
    with.expect_verified();
}

TEST(Search, ShowsWhereTheWordsAre) {
    Texts on;
    std::string filler;
    for (int i = 0; i < 40; ++i) filler += "filler ";
    on.says(filler + "The ship, running into\\nthe Harbour. " + filler, "ship");
    const auto answer = on.database->snapshot()
                            .search("texts", {.text = "run harb*", .snippet_bytes_max = 60})
                            .value();
    ASSERT_EQ(answer.hits.size(), 1u);
    const SearchHit& hit = answer.hits[0];
    EXPECT_EQ(hit.snippet, "…The ship, running into the Harbour. filler filler filler…");
    ASSERT_EQ(hit.marks.size(), 2u);
    EXPECT_EQ(hit.snippet.substr(hit.marks[0].begin, hit.marks[0].end - hit.marks[0].begin),
              "running");
    EXPECT_EQ(hit.snippet.substr(hit.marks[1].begin, hit.marks[1].end - hit.marks[1].begin),
              "Harbour");
    const auto bare = on.database->snapshot()
                          .search("texts", {.text = "ship", .limit = 0, .snippet_bytes_max = 0})
                          .value();
    EXPECT_EQ(bare.total, 1u);
    EXPECT_TRUE(bare.hits.empty());
}

TEST(Search, OrAWalkOfAViewOfAnotherKindIsRefused) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    const Snapshot snapshot = on.database->snapshot();
    EXPECT_EQ(code_of(snapshot.search("authors", {.text = "ada"})), Errc::invalid_argument);
    EXPECT_EQ(code_of(snapshot.walk("authors", {})), Errc::invalid_argument);
    EXPECT_EQ(code_of(snapshot.search("nobody", {.text = "ada"})), Errc::not_found);
}

TEST(Search, DoesNotTakeADamagedViewForAnEmptyOne) {
    DatabaseOnDisk on;
    on.database->add_view("texts", R"({"kind":"search","text":["/text"],"language":"english"})")
        .value();
    on.append_some(12);
    on.database->merge_views().value();
    on.close();
    damage(on, "said", 0, "views");
    on.open();
    EXPECT_EQ(code_of(on.database->snapshot().search("texts", {.text = "said"})), Errc::corrupt);
}

TEST(Search, SaysThatAMessageIsDamagedWhereItWouldShowAPieceOfIt) {
    DatabaseOnDisk on;
    on.database
        ->add_view("texts", R"({"kind":"search","text":["/text","/title"],"language":"english"})")
        .value();
    on.append(body_of("ada", 1, "the harbour"));
    const SearchQuery query{.text = "harbour", .snippet_bytes_max = 60};
    EXPECT_EQ(on.database->snapshot().search("texts", query).value().hits.size(), 1u);
    on.close();
    damage(on, "the harbour");
    on.open();
    EXPECT_EQ(code_of(on.database->snapshot().search("texts", query)), Errc::corrupt);
}

TEST(Folds, AnswerForGroupsAndForgetWhatIsGone) {
    DatabaseOnDisk on;
    const auto add = [&](const std::string& fold) {
        on.database
            ->add_view(fold,
                       R"({"kind":"fold","group":["/g"],"fold":")" + fold + R"(","value":"/v"})")
            .value();
    };
    for (const char* fold : {"first", "last", "set", "list", "merge"}) add(fold);
    on.append(R"({"g":1,"v":{"a":1,"b":[2]}})");
    on.append(R"({"g":1,"v":"x"})");
    on.append(R"({"g":1,"v":{"b":null,"c":"d"}})");
    const Seq newest = on.append(R"({"g":1,"v":1.0})");
    on.append(R"({"g":2,"v":1})");
    on.append(R"({"g":2})");
    EXPECT_EQ(on.rows("first"), R"([1]{"a":1,"b":[2]} [2]1)");
    EXPECT_EQ(on.rows("last"), R"([1]1.0 [2]1)");
    EXPECT_EQ(on.rows("set"), R"([1][1,"x"] [2][1])");
    EXPECT_EQ(on.rows("list"), R"([1][{"a":1,"b":[2]},"x",{"b":null,"c":"d"},1.0] [2][1])");
    EXPECT_EQ(on.rows("merge"), R"([1]{"a":1,"b":null,"c":"d"})");
    on.database->delete_messages(Seqs{newest, Seq{3}}).value();
    EXPECT_EQ(on.rows("last"), R"([1]"x" [2]1)");
    EXPECT_EQ(on.rows("set"), R"([1]["x"] [2][1])");
    EXPECT_EQ(on.rows("merge"), R"([1]{"a":1,"b":[2]})");
    EXPECT_EQ(on.info("last").kind, "fold");
    on.expect_verified();
}

struct Chain {
    std::string text;
    void add(Seq, std::string_view value) { text += value; }
    void combine(const Chain& later) { text += later.text; }
    std::string to_json() const { return '"' + text + '"'; }
    std::string encoded() const { return text; }
    static std::optional<Chain> decode(std::string_view bytes) { return Chain{std::string(bytes)}; }
};

CodeView chain() {
    CodeView view;
    view.app = "writer";
    view.definition = R"({"kind":"fold"})";
    view.map = [](const Message& message, Emit& emit) {
        const auto n = message.json->find("n")->as_int64().value();
        if (n == 13) emit(Key("no value")); // Throws: a fold needs one.
        emit(Key("all"), n);
        emit(Key("all"), std::string_view(n % 2 == 0 ? "," : ";"));
    };
    view.fold = fold_of<Chain>();
    return view;
}

TEST(Folds, WrittenInCodeComeBackWithTheirCode) {
    DatabaseOnDisk on;
    on.database->add_view("chain", chain()).value();
    on.append_some(30);
    std::string expected;
    const auto expect = [&](const Seqs& without) {
        expected = "[\"all\"]\"";
        for (int n = 1; n <= 30; ++n) {
            const bool is_out =
                std::count(without.begin(), without.end(), Seq{static_cast<std::uint64_t>(n)}) > 0;
            if (n != 13 && !is_out) expected += std::to_string(n) + (n % 2 == 0 ? "," : ";");
        }
        expected += '"';
        EXPECT_EQ(on.rows("chain"), expected);
    };
    expect({});
    EXPECT_EQ(on.info("chain").errors, 1u);
    on.database->delete_messages(Seqs{{7}}).value();
    expect({{7}});
    on.reopen();
    EXPECT_EQ(on.rows("chain"), "error: invalid_argument");
    on.database->delete_messages(Seqs{{20}}).value();
    on.database->merge_views().value();
    on.database->add_view("chain", chain()).value();
    expect({{7}, {20}});
    on.database->restore(Seqs{{7}}).value(); // Its row is now in a later file than its neighbours.
    expect({{20}});
    on.database->merge_views().value();
    expect({{20}});
    on.expect_verified();

    CodeView without = chain();
    without.fold = nullptr;
    EXPECT_EQ(code_of(on.database->add_view("bad", without)), Errc::invalid_argument);
    CodeView index = chain();
    index.definition = R"({"kind":"index"})";
    EXPECT_EQ(code_of(on.database->add_view("bad", index)), Errc::invalid_argument);
    CodeView declared_only = chain();
    declared_only.definition = R"({"kind":"links"})";
    EXPECT_EQ(code_of(on.database->add_view("bad", declared_only)), Errc::invalid_argument);
}

} // namespace
} // namespace sluice::test
