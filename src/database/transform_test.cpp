// Transforms in a database: what transform.hpp and database.hpp say of them, in their own words.
#include "database/transform_test_support.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace sluice::test {
namespace {

const FactName kBlob1{"blobs", Key("b1")};
const FactName kBlockBo{"blocks", Key("bo")};

// P1 and P5: what comes later is as if it had been there from the start, and back again.

TEST(Transforms, OpenABoxInEveryViewWhenItsKeyArrivesAndCloseItWhenTheKeyGoes) {
    Transforming on;
    on.database
        ->add_view("how many", R"({"kind":"aggregate","group":["/text"],"value":{"count":true}})")
        .value();
    const Seq box = on.append(boxed("k1", says("inside")));
    on.append(says("outside"));
    EXPECT_EQ(on.said(), R"(["outside"]=3)");
    EXPECT_EQ(on.database->put_fact({kKey1, "v"}).value().seqs, Seqs{box});
    EXPECT_EQ(on.said(), R"(["inside"]=2 ["outside"]=3)");
    EXPECT_EQ(on.rows("how many"), R"(["inside"]{"count":1} ["outside"]{"count":1})");
    EXPECT_EQ(on.database->snapshot().seen(box).value().body, says("inside"));
    EXPECT_TRUE(on.database->snapshot().seen(box).value().transformed);
    EXPECT_EQ(on.body(box), boxed("k1", says("inside"))) << "what is stored stays";
    on.expect_verified();
    EXPECT_EQ(on.database->drop_fact(kKey1).value().seqs, Seqs{box});
    EXPECT_EQ(on.said(), R"(["outside"]=3)");
    EXPECT_EQ(on.rows("how many"), R"(["outside"]{"count":1})");
    on.put(kKey1);
    EXPECT_EQ(on.said(), R"(["inside"]=2 ["outside"]=3)");
    on.database->erase_fact(kKey1).value();
    EXPECT_EQ(on.said(), R"(["outside"]=3)");
    on.expect_verified();
}

TEST(Transforms, OpenAtOnceWhatArrivesAfterItsKey) {
    Transforming on;
    on.put(kKey1);
    const Seq box = on.append(boxed("k1", says("inside")));
    EXPECT_EQ(on.said(), R"(["inside"]=3)");
    EXPECT_EQ(on.runs_of("unbox"), Seqs{box});
}

TEST(Transforms, EditWhicheverOfTheTwoMessagesCameFirst) {
    Transforming first, later;
    later.append(says("as it was"), "m1");
    later.append(edits("m1", "as it is"));
    first.append(edits("m1", "as it is"));
    first.append(says("as it was"), "m1");
    EXPECT_EQ(later.said(), R"(["as it is"]=2 ["as it is"]=3)");
    EXPECT_EQ(first.said(), later.said());
    EXPECT_EQ(first.runs_of("edits").size(), 2u);
    first.expect_verified();
    later.expect_verified();
}

TEST(Transforms, GoBackToTheOriginalWhenItsEditIsDeletedAndForthWhenItIsRestored) {
    Transforming on;
    on.append(says("original"), "m1");
    const Seq one = on.append(edits("m1", "one"));
    const Seq two = on.append(edits("m1", "two"));
    const auto text = [&] { return on.database->snapshot().seen({2}).value().body; };
    EXPECT_EQ(text(), says("two"));
    on.database->delete_messages(Seqs{two}).value();
    EXPECT_EQ(text(), says("one"));
    on.database->delete_messages(Seqs{one}).value();
    EXPECT_EQ(text(), says("original"));
    on.database->restore(Seqs{two}).value();
    EXPECT_EQ(text(), says("two"));
    on.database->restore(Seqs{one}).value();
    EXPECT_EQ(text(), says("two")) << "the newest wins, not the one restored last";
    on.database->replace(two, says("no edit any more")).value();
    EXPECT_EQ(text(), says("one"));
    on.database->erase(Seqs{one}).value();
    EXPECT_EQ(text(), says("original"));
    EXPECT_FALSE(on.database->snapshot().seen({2}).value().transformed);
    on.expect_verified();
}

TEST(Transforms, EditAMessageThatWasDeletedMeanwhileWhenItComesBack) {
    Transforming on;
    const Seq original = on.append(says("original"), "m1");
    on.database->delete_messages(Seqs{original}).value();
    on.runs.clear();
    const Seq edit = on.append(edits("m1", "edited"));
    EXPECT_EQ(on.runs_of("edits"), Seqs{edit}) << "nobody sees the deleted one";
    on.database->restore(Seqs{original}).value();
    EXPECT_EQ(on.said(), R"(["edited"]=2 ["edited"]=4)");
    on.expect_verified();
}

TEST(Transforms, EditWithWhatWasInABox) {
    Transforming on;
    on.append(says("original"), "m1");
    on.append(boxed("k1", edits("m1", "edited")));
    EXPECT_EQ(on.said(), R"(["original"]=2)");
    EXPECT_EQ(on.database->put_fact({kKey1, "v"}).value().seqs, (Seqs{{2}, {3}}));
    EXPECT_EQ(on.said(), R"(["edited"]=2 ["edited"]=3)");
    EXPECT_EQ(on.database->drop_fact(kKey1).value().seqs, (Seqs{{2}, {3}}));
    EXPECT_EQ(on.said(), R"(["original"]=2)");
    on.expect_verified();
}

TEST(Transforms, ShowABlobOnceItIsThereAndItsNewContent) {
    Transforming on;
    const Seq shows = on.append(R"({"blob":"b1"})");
    on.append(R"({"blob":"b2"})");
    EXPECT_EQ(on.said(), "");
    on.runs.clear();
    on.put(kBlob1, "a picture");
    EXPECT_EQ(on.said(), R"(["a picture"]=2)");
    on.put(kBlob1, "another picture");
    EXPECT_EQ(on.said(), R"(["another picture"]=2)");
    on.database->drop_fact(kBlob1).value();
    EXPECT_EQ(on.said(), "");
    EXPECT_EQ(on.runs_of("blobs"), (Seqs{shows, shows, shows})) << "and not the other message";
    on.expect_verified();
}

TEST(Transforms, HideAMessageFromEveryViewAndFromWhatComesBehindThem) {
    Transforming on;
    const Seq original = on.append(says("original"), "m1");
    const Seq edit = on.append(R"({"author":"bo","edit":"m1","text":"edited"})");
    EXPECT_EQ(on.said(), R"(["edited"]=2 ["edited"]=3)");
    EXPECT_EQ(on.database->put_fact({kBlockBo, "v"}).value().seqs, (Seqs{original, edit}));
    EXPECT_EQ(on.said(), R"(["original"]=2)");
    EXPECT_TRUE(on.database->snapshot().seen(edit).value().hidden);
    on.runs.clear();
    on.put(kBlockBo, "for another reason");
    EXPECT_TRUE(on.runs.empty()) << "has() does not mind the value";
    on.database->drop_fact(kBlockBo).value();
    EXPECT_EQ(on.said(), R"(["edited"]=2 ["edited"]=3)");
    on.expect_verified();
}

TEST(Transforms, FailOneMessageAndHealItWhenWhatWasReadChanges) {
    Transforming on;
    on.append(R"({"blob":"b1"})");
    on.append(says("untouched"));
    on.put(kBlob1, "bad");
    EXPECT_EQ(on.said(), R"(["untouched"]=3)");
    EXPECT_TRUE(on.database->snapshot().seen({2}).value().hidden);
    EXPECT_EQ(on.database->transforms()[2].errors, 1u);
    on.expect_verified();
    on.put(kBlob1, "good");
    EXPECT_EQ(on.said(), R"(["good"]=2 ["untouched"]=3)");
    EXPECT_EQ(on.database->transforms()[2].errors, 0u);
    on.put(kBlob1, "bad");
    on.database->replace({2}, says("replaced")).value();
    EXPECT_EQ(on.said(), R"(["replaced"]=2 ["untouched"]=3)");
    on.expect_verified();
}

TEST(Transforms, FailAMessageWhereTheyReadWhatIsNotBeforeThem) {
    Transforming on([](Runs& runs) {
        Transforms all;
        Transforms others;
        const Source other = others.add({"behind", 1, link_edit});
        all.add(counted(runs, "before",
                        [other](Context& context, const Incoming& message, Transformed&) {
                            if (member(message, "looks") == "behind") context.get(other, Key("a"));
                        }));
        all.add(counted(runs, "behind", link_edit));
        return all;
    });
    on.append(R"({"looks":"behind","text":"looks behind"})");
    on.append(says("does not"));
    EXPECT_EQ(on.said(), R"(["does not"]=3)");
    EXPECT_EQ(on.database->transforms()[0].errors, 1u);
    on.expect_verified();
}

// P5: exactly the affected, each at most once.

TEST(TransformWork, TriesOnlyTheNewKeyOnMessagesThatNoKeyOpened) {
    std::vector<std::string> tried;
    Transforming on([&](Runs& runs) {
        Transforms all;
        all.add(counted(
            runs, "unbox", [&](Context& context, const Incoming& message, Transformed& made) {
                const std::string box = member(message, "box");
                if (box.empty()) return;
                const auto key =
                    context.find_any(Source::facts("keys"), Key{}, [&](const Cell& cell) {
                        tried.push_back(std::to_string(message.seq().value) + cell.key().to_json());
                        return cell.key() == Key(box);
                    });
                if (key) made.set_body(says("inside"));
            }));
        return all;
    });
    on.put({"keys", Key("k1")});
    on.append(boxed("k1", says("inside")));
    on.append(boxed("k3", says("inside")));
    on.append(boxed("k4", says("inside")));
    on.put({"keys", Key("k2")});
    tried.clear();
    on.runs.clear();
    on.put({"keys", Key("k3")});
    EXPECT_EQ(on.runs_of("unbox"), (Seqs{{4}, {5}}));
    EXPECT_EQ(tried, (std::vector<std::string>{R"(4["k3"])", R"(5["k3"])"}));
    // A message that another key opened does not care, nor does one in no box.
    on.append(says("in no box"));
    on.runs.clear();
    on.put({"keys", Key("k5")});
    EXPECT_EQ(on.runs_of("unbox"), Seqs{{5}});
    // The key that opened it goes: now all that are left are tried.
    tried.clear();
    on.database->drop_fact({"keys", Key("k3")}).value();
    EXPECT_EQ(on.runs_of("unbox"), Seqs{{4}});
    EXPECT_EQ(tried.size(), 3u);
    on.expect_verified();
}

/// Opens two boxes of one message, each with any key that fits.
Transforms two_boxes(Runs& runs) {
    Transforms all;
    all.add(
        counted(runs, "boxes", [](Context& context, const Incoming& message, Transformed& made) {
            std::string text;
            for (const char* const name : {"left", "right"}) {
                const std::string box = member(message, name);
                if (box.empty()) return;
                const auto key =
                    context.find_any(Source::facts("keys"), Key{},
                                     [&](const Cell& cell) { return cell.key() == Key(box); });
                text += key ? " open" : " shut";
            }
            made.set_body(says(text));
        }));
    return all;
}

TEST(TransformWork, KeepsOneBoxOpenWhileANewKeyIsTriedOnTheOtherOfTheSameMessage) {
    Transforming on(two_boxes);
    on.put(kKey1);
    on.append(R"({"left":"k1","right":"k2"})");
    EXPECT_EQ(on.said(), R"([" open shut"]=3)");
    on.put({"keys", Key("k9")});
    EXPECT_EQ(on.said(), R"([" open shut"]=3)");
    on.put(kKey2);
    EXPECT_EQ(on.said(), R"([" open open"]=3)");
    on.expect_verified();
}

TEST(TransformWork, IsDoneOnceForAllFactsOfABatch) {
    Transforming on;
    for (const char* const key : {"k1", "k2"}) on.append(boxed(key, says(key)));
    on.append(R"({"author":"bo","blob":"b1"})");
    on.runs.clear();
    const NewFact facts[] = {{kKey1, "v"}, {kKey2, "v"}, {kBlob1, "a picture"}, {kBlockBo, "v"}};
    EXPECT_EQ(on.database->put_facts(facts).value().seqs, (Seqs{{2}, {3}, {4}}));
    EXPECT_EQ(on.said(), R"(["k1"]=2 ["k2"]=3)");
    for (const auto& [name, seqs] : on.runs) {
        EXPECT_EQ(std::set<Seq>(seqs.begin(), seqs.end()).size(), seqs.size()) << name;
    }
    EXPECT_EQ(on.runs_of("unbox"), (Seqs{{2}, {3}}));
    on.expect_verified();
}

TEST(TransformWork, StopsWhereTheSameIsMadeAgain) {
    int mapped = 0;
    Transforming on;
    CodeView counts;
    counts.app = "test";
    counts.map = [&](const Message&, Emit&) { ++mapped; };
    on.database->add_view("counts", counts).value();
    on.append(boxed("k1", says("inside")), "m1");
    on.append(R"({"blob":"b1","author":"ada"})");
    on.put(kKey1);
    on.put(kBlob1, "a picture");
    on.runs.clear();
    mapped = 0;
    EXPECT_EQ(on.database->put_fact({kKey1, "another value"}).value().seqs, Seqs{});
    EXPECT_EQ(on.runs_of("unbox"), Seqs{{2}});
    EXPECT_TRUE(on.runs.size() == 1) << "no later transform";
    EXPECT_EQ(mapped, 0) << "no view";
    // Moved, but the last transform makes the same of it.
    on.append(edits("m1", "edited"));
    on.runs.clear();
    mapped = 0;
    on.database->replace({2}, says("something else")).value();
    EXPECT_EQ(on.runs_of("edits"), Seqs{{2}});
    EXPECT_EQ(mapped, 0);
    EXPECT_EQ(on.said(), R"(["a picture"]=3 ["edited"]=2 ["edited"]=7)");
    on.expect_verified();
}

/// Each asks one question of cells under keys ["a", n], and counts what it is asked again.
Transforms askers(Runs& runs) {
    Transforms all;
    const Source cells =
        all.add(counted(runs, "cells", [](Context&, const Incoming& message, Transformed& made) {
            const Value* const json = message.json();
            const Value* const n = json == nullptr ? nullptr : json->find("n");
            if (n != nullptr)
                made.emit(Key(member(message, "in"), n->as_int64().value_or(0)),
                          member(message, "value"));
        }));
    const auto ask = [&](const std::string& name, auto question) {
        all.add(
            counted(runs, name, [=](Context& context, const Incoming& message, Transformed& made) {
                if (member(message, "ask") != name) return;
                made.set_body(says(question(context)));
            }));
    };
    ask("get", [=](Context& context) {
        const auto cell = context.get(cells, Key("a", 5));
        return cell ? std::string(cell->value) : "none";
    });
    ask("has", [=](Context& context) { return context.has(cells, Key("a", 5)) ? "yes" : "no"; });
    ask("first", [=](Context& context) {
        const auto cell = context.first(cells, Key("a"));
        return cell ? std::string(cell->value) : "none";
    });
    ask("last", [=](Context& context) {
        const auto cell = context.last(cells, Key("a"));
        return cell ? std::string(cell->value) : "none";
    });
    ask("prefix", [=](Context& context) {
        std::string all_values;
        for (const Cell& cell : context.prefix(cells, Key("a"))) all_values += cell.value;
        return all_values;
    });
    return all;
}

std::string cell(const std::string& in, int n, const std::string& value) {
    return R"({"in":")" + in + R"(","n":)" + std::to_string(n) + R"(,"value":")" + value + "\"}";
}

class TransformReads : public testing::Test {
protected:
    void SetUp() override {
        for (const char* const name : kNames) {
            asks_[name] = on_.append(R"({"ask":")" + std::string(name) + "\"}");
        }
        on_.runs.clear();
    }
    /// Which questions were asked again, each at most once.
    std::string asked_again() {
        std::string names;
        for (const char* const name : kNames) {
            const Seqs runs = on_.runs_of(name);
            const auto times = std::count(runs.begin(), runs.end(), asks_[name]);
            EXPECT_LE(times, 1) << name;
            if (times > 0) names += std::string(names.empty() ? "" : " ") + name;
        }
        return names;
    }
    std::string answer(const std::string& name) {
        const std::string body = on_.database->snapshot().seen(asks_[name]).value().body;
        return body.substr(9, body.size() - 11);
    }

    static constexpr const char* kNames[] = {"get", "has", "first", "last", "prefix"};
    Transforming on_{askers};
    std::map<std::string, Seq> asks_;
};

TEST_F(TransformReads, AreWrongOnlyByWhatTheyWouldFindDifferently) {
    EXPECT_EQ(answer("get") + answer("first"), "nonenone");
    const Seq five = on_.append(cell("a", 5, "v"));
    EXPECT_EQ(asked_again(), "get has first last prefix") << "absence is a read as well";
    const Seq seven = on_.append(cell("a", 7, "w"));
    EXPECT_EQ(asked_again(), "last prefix");
    const Seq three = on_.append(cell("a", 3, "u"));
    EXPECT_EQ(asked_again(), "first prefix");
    const Seq four = on_.append(cell("a", 4, "x"));
    EXPECT_EQ(asked_again(), "prefix");
    on_.append(cell("b", 1, "elsewhere"));
    on_.append(cell("", 9, "elsewhere"));
    EXPECT_EQ(asked_again(), "");
    EXPECT_EQ(answer("prefix"), "uxvw");
    on_.database->replace(five, cell("a", 5, "V")).value();
    EXPECT_EQ(asked_again(), "get prefix");
    on_.database->replace(four, cell("a", 4, "X")).value();
    EXPECT_EQ(asked_again(), "prefix");
    on_.database->delete_messages(Seqs{three}).value();
    EXPECT_EQ(asked_again(), "first prefix");
    EXPECT_EQ(answer("first"), "X");
    on_.database->delete_messages(Seqs{seven}).value();
    EXPECT_EQ(asked_again(), "last prefix");
    EXPECT_EQ(answer("last"), "V");
    on_.database->delete_messages(Seqs{five}).value();
    EXPECT_EQ(asked_again(), "get has last prefix");
    EXPECT_EQ(answer("get") + answer("has") + answer("last"), "nonenoX");
    on_.database->restore(Seqs{five}).value();
    EXPECT_EQ(asked_again(), "get has last prefix");
    on_.expect_verified();
}

TEST_F(TransformReads, OfOneKeyThatSeveralMessagesGave) {
    const Seq one = on_.append(cell("a", 5, "1"));
    asked_again();
    const Seq two = on_.append(cell("a", 5, "2"));
    EXPECT_EQ(answer("get") + answer("first") + answer("last"), "112") << "by owner";
    asked_again();
    on_.database->replace(two, cell("a", 5, "3")).value();
    EXPECT_EQ(asked_again(), "last prefix");
    on_.database->delete_messages(Seqs{one}).value();
    EXPECT_EQ(answer("get") + answer("has") + answer("first") + answer("last"), "3yes33");
    on_.database->replace(two, cell("a", 6, "4")).value();
    EXPECT_EQ(answer("get") + answer("has") + answer("first") + answer("last"), "noneno44");
    on_.expect_verified();
}

TEST(TransformReading, OfAnyCellThatFitsAreWrongWhenACandidateComesOrOneThatFittedGoes) {
    Transforming on([](Runs& runs) {
        Transforms all;
        const Source links = all.add(counted(runs, "links", link_edit));
        all.add(counted(
            runs, "wishes", [links](Context& context, const Incoming& message, Transformed& made) {
                const std::string wish = member(message, "wish");
                if (wish.empty()) return;
                const auto granted = context.find_any(
                    links, Key("well"), [&](const Cell& cell) { return cell.value == wish; });
                made.set_body(says(granted ? "granted" : "wished"));
            }));
        return all;
    });
    const Seq wish = on.append(R"({"wish":"rain"})");
    on.append(R"({"wish":"sun"})");
    const auto text = [&] { return on.database->snapshot().seen(wish).value().body; };
    EXPECT_EQ(text(), says("wished"));
    const Seq drop = on.append(edits("well", "snow"));
    EXPECT_EQ(text(), says("wished"));
    on.database->replace(drop, edits("well", "rain")).value();
    EXPECT_EQ(text(), says("granted")) << "another value is a candidate as well";
    on.runs.clear();
    const Seq more = on.append(edits("well", "rain"));
    EXPECT_EQ(on.runs_of("wishes"), (Seqs{{3}, more})) << "one that fits is enough";
    on.database->delete_messages(Seqs{drop}).value();
    EXPECT_EQ(text(), says("granted")) << "the other one";
    on.database->delete_messages(Seqs{more}).value();
    EXPECT_EQ(text(), says("wished"));
    on.database->restore(Seqs{more}).value();
    EXPECT_EQ(text(), says("granted"));
    on.expect_verified();
}

TEST(TransformReading, AreForgottenWhenTheMessageIsReadWithoutThem) {
    Transforming on;
    const Seq shows = on.append(R"({"blob":"b1"})");
    on.database->replace(shows, says("no blob")).value();
    on.runs.clear();
    on.put(kBlob1, "a picture");
    EXPECT_TRUE(on.runs.empty());
}

TEST(TransformReading, FindNoCellsOfAMessageThatFailed) {
    Transforming on([](Runs& runs) {
        Transforms all;
        const Source links = all.add(counted(
            runs, "links", [](Context& context, const Incoming& message, Transformed& made) {
                link_edit(context, message, made);
                if (context.has(Source::facts("bad"), Key(member(message, "text")))) {
                    throw std::runtime_error("bad");
                }
            }));
        all.add(counted(runs, "edits",
                        [links](Context& context, const Incoming& message, Transformed& made) {
                            if (message.key().empty()) return;
                            const auto newest = context.last(links, Key(message.key()));
                            if (newest) made.set_body(says(std::string(newest->value)));
                        }));
        return all;
    });
    on.append(says("original"), "m1");
    on.append(edits("m1", "edited"));
    EXPECT_EQ(on.said(), R"(["edited"]=2 ["edited"]=3)");
    on.put({"bad", Key("edited")});
    EXPECT_EQ(on.said(), R"(["original"]=2)");
    on.expect_verified();
    on.database->drop_fact({"bad", Key("edited")}).value();
    EXPECT_EQ(on.said(), R"(["edited"]=2 ["edited"]=3)");
}

// P3: big work is one moment as well.

TEST(TransformWork, InPartsIsOneMomentForReaders) {
    Transforming on;
    std::set<std::string> seen_meanwhile;
    int mapped = 0;
    CodeView code;
    code.app = "test";
    code.map = [&](const Message&, Emit&) {
        if (++mapped % 10 != 0) return;
        std::thread([&] {
            seen_meanwhile.insert(on.said() + std::to_string(on.database->last().value));
        }).join();
    };
    on.database->add_view("code", code).value();
    std::vector<std::string> bodies;
    std::vector<NewMessage> batch;
    for (int i = 0; i < 100; ++i) bodies.push_back(boxed("k1", says("inside")));
    for (const std::string& body : bodies) batch.push_back({body, {}});
    on.database->append(batch).value();
    const Snapshot before = on.database->snapshot();
    seen_meanwhile.clear();
    on.runs.clear();
    mapped = 0;
    on.put(kKey1);
    EXPECT_EQ(mapped, 100);
    EXPECT_EQ(seen_meanwhile, std::set<std::string>{"101"});
    EXPECT_EQ(on.database->snapshot().read("said").value().count_rest(), 100u);
    EXPECT_EQ(DatabaseOnDisk::rows_in(before, "said"), "") << "a snapshot never changes";
    EXPECT_EQ(on.runs_of("unbox").size(), 100u);
    on.expect_verified();
}

TEST(TransformWork, LetsOthersReadWhatWasBeforeWhileAFunctionTakesItsTime) {
    std::mutex mutex;
    std::condition_variable changed;
    int reached = 0;
    bool go_on = true;
    Transforming on([&](Runs& runs) {
        Transforms all;
        all.add(counted(runs, "unbox", unbox));
        all.add(counted(runs, "slow", [&](Context&, const Incoming& message, Transformed&) {
            if (!message.body().starts_with(R"({"text":"inside)")) return;
            std::unique_lock lock(mutex);
            ++reached;
            changed.notify_all();
            changed.wait(lock, [&] { return go_on; });
        }));
        return all;
    });
    for (int i = 0; i < 60; ++i) on.append(boxed("k1", says("inside " + std::to_string(i))));
    const Seq last = on.database->last();
    const Snapshot before = on.database->snapshot();
    {
        const std::lock_guard lock(mutex);
        go_on = false;
    }
    std::thread writer([&] { on.put(kKey1); });
    {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return reached == 1; });
    }
    // By now the first transform has opened all, and most of that is committed in parts.
    EXPECT_EQ(on.said(), "");
    EXPECT_EQ(on.database->last(), last);
    EXPECT_EQ(on.database->wait_for_entry(last, std::chrono::milliseconds(1)), last);
    EXPECT_FALSE(on.database->snapshot().seen({2}).value().transformed);
    EXPECT_EQ(on.database->snapshot().position(), last);
    {
        const std::lock_guard lock(mutex);
        go_on = true;
    }
    changed.notify_all();
    writer.join();
    EXPECT_EQ(on.database->last(), last.next());
    EXPECT_EQ(on.database->snapshot().read("said").value().count_rest(), 60u);
    EXPECT_EQ(DatabaseOnDisk::rows_in(before, "said"), "");
    EXPECT_TRUE(on.database->snapshot().seen({2}).value().transformed);
    on.expect_verified();
}

// P4: applications that are not running.

TEST(TransformsAndViewsInCode, LoseRowsAtOnceAndCatchUpByTheShortList) {
    Transforming on;
    Seqs mapped;
    CodeView code;
    code.app = "test";
    code.map = [&](const Message& message, Emit& emit) {
        mapped.push_back(message.seq);
        emit(Key(message.body));
    };
    on.append(says("original"), "m1");
    on.append(boxed("k1", says("inside")));
    on.append(says("untouched"));
    on.put(kKey1);
    on.database->add_view("code", code).value();
    EXPECT_EQ(on.rows("code").find("inside") != std::string::npos, true);
    on.reopen();
    mapped.clear();
    on.database->drop_fact(kKey1).value();
    EXPECT_EQ(on.rows("code").find("inside"), std::string::npos);
    EXPECT_NE(on.rows("code").find("original"), std::string::npos);
    on.append(edits("m1", "edited"));
    EXPECT_EQ(on.rows("code").find("original"), std::string::npos);
    EXPECT_NE(on.rows("code").find("untouched"), std::string::npos);
    EXPECT_TRUE(mapped.empty());
    on.database->add_view("code", code).value();
    std::sort(mapped.begin(), mapped.end());
    EXPECT_EQ(mapped, (Seqs{{2}, {3}, {7}}));
    on.expect_verified();
}

TEST(TransformsWithoutCode, LeaveNothingToSeeThatShouldNotBeSeen) {
    Transforming on;
    on.put(kKey1);
    on.append(says("original"), "m1");
    on.append(boxed("k1", says("inside")));
    const Seq edit = on.append(edits("m1", "edited"));
    EXPECT_EQ(on.said(), R"(["edited"]=3 ["edited"]=5 ["inside"]=4)");
    on.reopen_without_code();
    EXPECT_FALSE(on.database->transforms().front().loaded);
    EXPECT_FALSE(on.database->recovery_notes().empty());
    on.database->delete_messages(Seqs{edit}).value();
    EXPECT_EQ(on.said(), R"(["inside"]=4)") << "what rested on the edit waits";
    on.database->drop_fact(kKey1).value();
    EXPECT_EQ(on.said(), "");
    on.append(says("appended meanwhile"));
    EXPECT_EQ(on.said(), "") << "views wait";
    EXPECT_EQ(code_of(on.database->add_view("another", kSaid)), Errc::invalid_argument);
    on.expect_verified();
    on.reopen_with_code();
    EXPECT_EQ(on.said(), R"(["appended meanwhile"]=8 ["original"]=3)");
    on.expect_verified();
    on.runs.clear();
    on.put(kBlob1, "a picture");
    EXPECT_TRUE(on.runs.empty()) << "nobody waits any more";
    on.put(kKey1);
    on.database->restore(Seqs{edit}).value();
    EXPECT_EQ(on.said(), R"(["appended meanwhile"]=8 ["edited"]=3 ["edited"]=5 ["inside"]=4)");
    on.expect_verified();
}

TEST(TransformsWithoutCode, LeaveADatabaseThatOpensWhenItsViewsWereThrownAway) {
    Transforming on;
    on.append(says("original"), "m1");
    on.append(edits("m1", "edited"));
    on.close();
    const auto views = on.root->subdirectory("views", Create::if_missing).value();
    for (const std::string& name : views->list().value()) views->remove(name).value();
    views->sync().value();
    on.options.transforms = {};
    on.open();
    EXPECT_EQ(on.said(), "");
    on.append(says("later"));
    on.database->delete_messages(Seqs{{2}}).value();
    on.reopen_with_code();
    EXPECT_EQ(on.said(), R"(["edited"]=3 ["later"]=4)");
    on.expect_verified();
}

// P6, also without the code.

class TransformErasure : public testing::TestWithParam<bool> {
protected:
    /// With or without the code, by parameter.
    void go_on() { GetParam() ? on_.reopen_with_code() : on_.reopen_without_code(); }
    void expect_right_later() {
        on_.reopen_with_code();
        on_.expect_verified();
    }
    Transforming on_;
};

TEST_P(TransformErasure, OfAnEditTakesItsTextOutOfTheMessageThatItEdited) {
    on_.append(says("original"), "m1");
    const Seq edit = on_.append(edits("m1", "a needle in the text"));
    on_.database->merge_views().value();
    go_on();
    on_.database->erase(Seqs{edit}).value();
    on_.expect_nowhere("needle");
    expect_right_later();
    EXPECT_EQ(on_.said(), R"(["original"]=2)");
    on_.expect_nowhere("needle");
}

TEST_P(TransformErasure, OfAnEditThatWasDeletedLongBefore) {
    on_.append(says("original"), "m1");
    const Seq edit = on_.append(edits("m1", "a needle in the text"));
    on_.database->merge_views().value();
    on_.database->delete_messages(Seqs{edit}).value();
    for (int i = 0; i < 40; ++i) on_.append(says("meanwhile"));
    go_on();
    on_.database->erase(Seqs{edit}).value();
    on_.expect_nowhere("needle");
    expect_right_later();
    on_.expect_nowhere("needle");
}

TEST_P(TransformErasure, OfAnEditWhoseOriginalWasDeletedBefore) {
    const Seq original = on_.append(says("original"), "m1");
    const Seq edit = on_.append(edits("m1", "a needle in the text"));
    on_.database->merge_views().value();
    on_.database->delete_messages(Seqs{original}).value();
    go_on();
    on_.database->erase(Seqs{edit}).value();
    on_.expect_nowhere("needle");
    expect_right_later();
    on_.database->restore(Seqs{original}).value();
    EXPECT_EQ(on_.said(), R"(["original"]=2)");
    on_.expect_nowhere("needle");
}

TEST_P(TransformErasure, OfAMessageTakesOutWhatItsBoxHeld) {
    on_.put(kKey1);
    const Seq box = on_.append(R"({"box":"k1","inner":{"text":"ne)"
                               "edle\"}}");
    on_.database->merge_views().value();
    go_on();
    on_.database->erase(Seqs{box}).value();
    on_.expect_nowhere("needle");
    expect_right_later();
}

struct Sealed : Transforming {
    Sealed() : Transforming(sealed_transforms) {}
};

class TransformSecrets : public testing::TestWithParam<bool> {
protected:
    void SetUp() override { on_.put(kKey1, "v", /*is_secret=*/true); }
    void go_on() { GetParam() ? on_.reopen_with_code() : on_.reopen_without_code(); }
    void drop_and_look() {
        on_.database->drop_fact(kKey1).value();
        on_.expect_nowhere("needle");
        on_.reopen_with_code();
        on_.expect_verified();
        on_.expect_nowhere("needle");
    }
    Sealed on_;
};

TEST_P(TransformSecrets, TakeWhatTheyOpenedWithThemWhenTheyAreDropped) {
    on_.append(sealed("a needle inside"));
    EXPECT_EQ(on_.said(), R"(["a needle inside"]=3)");
    go_on();
    drop_and_look();
    EXPECT_EQ(on_.said(), "");
}

TEST_P(TransformSecrets, TakeWithThemWhatOthersMadeOfIt) {
    on_.append(says("original"), "m1");
    on_.append(sealed("a needle inside", "m1"));
    EXPECT_EQ(on_.said(), R"(["a needle inside"]=3 ["a needle inside"]=4)");
    go_on();
    drop_and_look();
    EXPECT_EQ(on_.said(), R"(["original"]=3)");
}

TEST_P(TransformSecrets, TakeWithThemWhatWasReplacedSince) {
    const Seq box = on_.append(sealed("a needle inside"));
    on_.reopen();
    on_.database->replace(box, says("something else")).value();
    go_on();
    drop_and_look();
}

TEST_P(TransformSecrets, TakeWithThemWhatAnEditMadeOfOthersBeforeItWasDeleted) {
    on_.append(says("original"), "m1");
    const Seq edit = on_.append(sealed("a needle inside", "m1"));
    on_.reopen();
    on_.database->delete_messages(Seqs{edit}).value();
    on_.reopen();
    drop_and_look();
}

TEST_P(TransformSecrets, TakeWithThemWhatWasDeletedSince) {
    const Seq box = on_.append(sealed("a needle inside"));
    on_.append(says("another"));
    on_.reopen();
    on_.database->delete_messages(Seqs{box}).value();
    go_on();
    drop_and_look();
    on_.database->restore(Seqs{box}).value();
    EXPECT_EQ(on_.said(), R"(["another"]=4)");
    on_.expect_verified();
}

TEST_P(TransformSecrets, TakeTheSameWithThemWhenTheyAreErased) {
    const Seq box = on_.append(sealed("a needle inside"));
    on_.append(sealed("a needle inside too"));
    on_.reopen();
    on_.database->delete_messages(Seqs{box}).value();
    go_on();
    on_.database->erase_fact(kKey1).value();
    on_.expect_nowhere("needle");
    on_.reopen_with_code();
    on_.expect_verified();
    on_.expect_nowhere("needle");
}

INSTANTIATE_TEST_SUITE_P(WithCodeOrWithout, TransformErasure, testing::Bool());
INSTANTIATE_TEST_SUITE_P(WithCodeOrWithout, TransformSecrets, testing::Bool());

TEST(TransformSecretsDropped, TakeWhatTheyOpenedWithThemAlsoWhenNoTransformIsInUseAnyMore) {
    Sealed on;
    on.put(kKey1, "v", /*is_secret=*/true);
    on.append(sealed("a needle inside"));
    on.reopen();
    for (const char* const name : {"edits", "links", "unseal"}) {
        on.database->drop_transform(name).value();
    }
    on.database->drop_fact(kKey1).value();
    on.expect_nowhere("needle");
    on.expect_verified();
}

// Histories that a crash puts together.

TEST(TransformsAfterACrash, SeeOfAnEditWhatItIsNowWhenItWasDeletedRestoredAndReplaced) {
    Transforming on;
    on.append(says("original"), "m1");
    const Seq edit = on.append(edits("m1", "edited"));
    on.reopen(); // The rows are on the disk; those of what follows are not.
    on.database->delete_messages(Seqs{edit}).value();
    on.database->restore(Seqs{edit}).value();
    on.database->replace(edit, says("no edit any more")).value();
    on.crash(Fate::lost);
    EXPECT_EQ(on.said(), R"(["no edit any more"]=3 ["original"]=2)");
    on.expect_verified();
}

TEST(TransformsAfterACrash, KnowThatAFactWasErasedAndPutAgain) {
    Transforming on;
    on.append(R"({"blob":"b1"})");
    on.append(R"({"author":"bo","text":"of bo"})");
    on.put(kBlob1, "a picture");
    on.put(kBlockBo);
    on.reopen();
    on.database->erase_fact(kBlob1).value();
    on.database->put_fact({kBlob1, "another picture"}).value();
    on.database->erase_fact(kBlockBo).value();
    on.crash(Fate::lost);
    EXPECT_EQ(on.said(), R"(["another picture"]=2 ["of bo"]=3)");
    on.expect_verified();
}

// P7: a fact whose entry is damaged has no value, and nothing is left of what it opened.
TEST(TransformsAfterDamage, ShowWhatTheyWouldWithoutTheFactThatIsDamaged) {
    for (const bool has_code : {true, false}) {
        Transforming on;
        on.append(boxed("k1", says("inside")));
        on.put(kKey1, "a value to be damaged");
        on.put(kBlob1, "another value");
        EXPECT_EQ(on.said(), R"(["inside"]=2)");
        on.close();
        damage(on, "to be damaged");
        if (!has_code) on.options.transforms = {};
        on.open();
        EXPECT_EQ(on.said(), "");
        on.reopen_with_code();
        EXPECT_EQ(on.said(), "");
    }
}

// P1, P7: what cannot be read cannot say whom to wake.
TEST(TransformDamage, OfWhatMessagesWereReadWithIsAnsweredAndHealedByOpening) {
    Transforming on;
    on.append(boxed("k1", says("inside")));
    on.append(says("open"));
    on.database->merge_views().value();
    on.close();
    damage(on, "\x04keysa", 1, "views");
    on.open();
    EXPECT_EQ(code_of(on.database->put_fact({kKey1, "v"})), Errc::corrupt);
    EXPECT_EQ(code_of(on.database->append(NewMessage{says("more"), {}})), Errc::latched);
    EXPECT_EQ(on.said(), R"(["open"]=3)") << "as before, for readers";
    on.reopen();
    EXPECT_EQ(on.said(), R"(["inside"]=2 ["open"]=3)");
    EXPECT_FALSE(on.database->recovery_notes().empty());
    on.append(says("more"));
    on.expect_verified();
}

// Changing the chain.

TEST(TransformsInUse, AreDerivedAgainInAnotherVersion) {
    Transforming on([](Runs& runs) {
        Transforms all;
        all.add(counted(runs, "block", block));
        all.add(counted(runs, "blobs", show_blob));
        all.add(counted(runs, "last", [](Context&, const Incoming&, Transformed&) {}));
        return all;
    });
    for (int i = 0; i < 40; ++i) on.append(R"({"blob":"b1"})");
    on.append(says("plain"));
    on.put(kBlob1, "a picture");
    Transforms newer;
    newer.add(counted(on.runs, "block", block));
    newer.add(counted(
        on.runs, "blobs",
        [](Context& context, const Incoming& message, Transformed& made) {
            if (member(message, "blob").empty()) return;
            const auto blob = context.get(Source::facts("blobs"), Key("b1"));
            if (blob) made.set_body(says(std::string(blob->value) + "!"));
        },
        2));
    newer.add(counted(on.runs, "last", [](Context&, const Incoming&, Transformed&) {}));
    on.runs.clear();
    on.options.transforms = newer;
    on.reopen();
    EXPECT_EQ(on.runs_of("blobs").size(), 41u);
    EXPECT_EQ(on.runs_of("block").size(), 0u);
    EXPECT_EQ(on.runs_of("last").size(), 40u) << "only of what is something else now";
    EXPECT_TRUE(on.said().starts_with(R"(["a picture!"]=2)"));
    EXPECT_EQ(on.database->transforms()[1].version, 2u);
    on.expect_verified();
    on.runs.clear(); // Verifying runs them, too.
    on.reopen();
    EXPECT_TRUE(on.runs.empty());
}

TEST(TransformsInUse, ComeAndGo) {
    Transforming on;
    on.append(says("original"), "m1");
    on.append(edits("m1", "edited"));
    on.append(boxed("k1", says("inside")));
    on.put(kKey1);
    const std::string all = R"(["edited"]=2 ["edited"]=3 ["inside"]=4)";
    EXPECT_EQ(on.said(), all);
    on.database->drop_transform("edits").value();
    EXPECT_EQ(on.said(), R"(["edited"]=3 ["inside"]=4 ["original"]=2)");
    on.expect_verified();
    on.database->drop_transform("unbox").value();
    EXPECT_EQ(on.said(), R"(["edited"]=3 ["original"]=2)");
    EXPECT_EQ(on.database->transforms().size(), 3u);
    on.reopen();
    EXPECT_EQ(on.said(), R"(["edited"]=3 ["original"]=2)");
    on.use_all();
    EXPECT_EQ(on.said(), all);
    on.expect_verified();
    EXPECT_EQ(code_of(on.database->drop_transform("nobody")), Errc::not_found);
    const std::vector<std::string> unknown{"nobody"};
    EXPECT_EQ(code_of(on.database->use_transforms(unknown)), Errc::not_found);
}

TEST(TransformsInUse, AreNotUsedWithoutThoseThatTheyRead) {
    SimulatedDisk disk;
    const auto root = disk.root();
    Database::create(*root).value();
    Options options;
    const auto nothing = [](Context&, const Incoming&, Transformed&) {};
    const Source marks = options.transforms.add({"marks", 1, nothing});
    options.transforms.add({"reader", 1, nothing, {marks}});
    const auto database = Database::open(*root, options).value();
    const std::vector<std::string> alone{"reader"}, both{"marks", "reader"};
    EXPECT_EQ(code_of(database->use_transforms(alone)), Errc::invalid_argument);
    EXPECT_TRUE(database->transforms().empty());
    database->use_transforms(both).value();
    EXPECT_EQ(code_of(database->drop_transform("marks")), Errc::invalid_argument);
    database->drop_transform("reader").value();
    database->use_transforms(alone).value(); // What it reads is in use.
    database->drop_transform("reader").value();
    database->drop_transform("marks").value();
    EXPECT_TRUE(database->transforms().empty());
}

TEST(TransformsInUse, KeepTheirOrder) {
    Transforming on;
    Transforms other;
    other.add({"links", 1, link_edit});
    other.add({"unbox", 1, unbox});
    other.add({"block", 1, block});
    other.add({"blobs", 1, show_blob});
    other.add({"edits", 1, link_edit});
    other.add({"new", 1, block});
    on.options.transforms = other;
    on.reopen();
    EXPECT_EQ(code_of(on.database->use_transforms(std::vector<std::string>{"new"})),
              Errc::invalid_argument);
    EXPECT_EQ(on.database->transforms().size(), 5u);
    EXPECT_EQ(on.database->transforms().front().name, "unbox");
}

TEST(TransformsInUse, HaveNames) {
    DatabaseOnDisk on;
    const std::string too_long(201, 'n');
    on.options.transforms.add({"", 1, block});
    on.options.transforms.add({too_long, 1, block});
    on.reopen();
    for (const std::string& name : {std::string(), too_long}) {
        EXPECT_EQ(code_of(on.database->use_transforms(std::vector<std::string>{name})),
                  Errc::invalid_argument);
    }
}

TEST(TransformsInUse, HaveOneFunctionEach) {
    DatabaseOnDisk on;
    on.options.transforms.add({"twice", 1, block});
    on.options.transforms.add({"twice", 1, unbox});
    on.reopen();
    EXPECT_EQ(code_of(on.database->use_transforms(std::vector<std::string>{"twice"})),
              Errc::invalid_argument);
}

TEST(TransformsInUse, AreLeftAloneWhenTheyAreAskedForAgain) {
    Transforming on;
    on.append(says("original"), "m1");
    const Seq last = on.database->last();
    on.use_all();
    EXPECT_EQ(on.database->last(), last);
}

TEST(TransformsInUse, TakeNoOthersBesideThemWhileTheirCodeIsMissing) {
    Transforming on;
    on.options.transforms = {};
    on.options.transforms.add({"another", 1, block});
    on.reopen();
    EXPECT_EQ(code_of(on.database->use_transforms(std::vector<std::string>{"another"})),
              Errc::invalid_argument);
}

TEST(TransformsInUse, WithoutTheOneWhoseCodeIsMissingGoOn) {
    Transforming on;
    on.append(says("original"), "m1");
    on.append(edits("m1", "edited"));
    on.lose_code_of("block");
    on.reopen();
    on.append(R"({"blob":"b1"})");
    on.put(kBlob1, "a picture");
    on.database->drop_transform("block").value();
    on.append(says("later"));
    on.reopen();
    EXPECT_EQ(on.said(), R"(["a picture"]=4 ["edited"]=2 ["edited"]=3 ["later"]=7)");
    on.expect_verified();
}

TEST(TransformsInUse, KeepTheirPlaceWhenTheyAreAskedForInAnother) {
    Transforming on;
    Transforms other;
    other.add({"links", 1, link_edit});
    const Transforms all = few_transforms(on.runs);
    for (const Transform& each : all.list()) {
        if (each.name != "links") other.add(each);
    }
    on.options.transforms = other;
    on.reopen();
    EXPECT_EQ(code_of(on.database->use_transforms(other.names())), Errc::invalid_argument);
}

// A program that takes a long time has something to show.
TEST(TransformWork, TellsHowFarItIs) {
    Transforming on([](Runs& runs) {
        Transforms all;
        all.add(
            counted(runs, "slow", [](Context& context, const Incoming& message, Transformed& made) {
                unbox(context, message, made);
                if (message.seq() == Seq{20}) {
                    std::this_thread::sleep_for(std::chrono::milliseconds(101));
                }
            }));
        return all;
    });
    for (int i = 0; i < 60; ++i) on.append(boxed("k1", says("inside")));
    std::vector<std::pair<std::uint64_t, std::uint64_t>> told;
    const auto tell = [&](const Progress& progress) {
        EXPECT_EQ(progress.what, "re-deriving");
        told.emplace_back(progress.done, progress.total);
    };
    on.database->put_fact({kKey1, "v"}, {.progress = tell}).value();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_LT(told[0].first, told[0].second);
    EXPECT_GE(told[0].second, 60u);
}

TEST(Transforms, AreWhatALogReadAsSeenShows) {
    Transforming on;
    on.append(boxed("k1", says("inside")));
    on.put(kKey1);
    auto log = on.database->snapshot().log({.seen = true});
    EXPECT_EQ(log.next().value()->body, says("inside"));
}

TEST(TransformsInUse, LeaveViewsInCodeToCatchUpWhenTheOneIsDroppedThatAllWaitedFor) {
    Transforming on;
    CodeView view;
    view.app = "reader";
    view.map = [](const Message& message, Emit& emit) {
        const Value* const text = message.json->find("text");
        if (text != nullptr) emit(Key(text->as_string().value_or("")));
    };
    on.database->add_view("read", view).value();
    on.append(says("original"), "m1");
    on.lose_code_of("block");
    on.reopen();
    on.append(edits("m1", "edited"));
    on.database->drop_transform("block").value();
    EXPECT_EQ(on.said(), R"(["edited"]=2 ["edited"]=3)");
    on.database->add_view("read", view).value();
    EXPECT_EQ(on.rows("read"), R"(["edited"]=2 ["edited"]=3)");
    on.expect_verified();
}

// Damaged, a view has to be derived again, and cannot be before. One that others look into begins
// anew.
TEST(TransformsInUse, HaveADamagedViewDerivedAgainWhenTheOneIsDroppedThatAllWaitedFor) {
    for (const bool is_read : {false, true}) {
        Transforming on;
        CodeView reader;
        reader.app = "reader";
        const Source said = on.database->rows_of("said").value();
        reader.reads = {said};
        reader.map_reading = [said](Context& context, const Message& message, Emit& emit) {
            emit(Key(context.prefix(said, Key(member(message, "text"))).size()));
        };
        if (is_read) on.database->add_view("reader", reader).value();
        const Seq first = on.append(says("a word of its own"));
        on.append(says("two"));
        on.database->merge_views().value();
        on.close();
        damage(on, "a word of its own", 0, "views");
        on.lose_code_of("block");
        on.open();
        EXPECT_EQ(on.said(), "") << "here it is found";
        on.reopen();
        on.append(says("three"));
        on.database->drop_transform("block").value();
        const auto at = [&](std::uint64_t behind) { return std::to_string(first.value + behind); };
        EXPECT_EQ(on.said(), R"(["a word of its own"]=)" + at(0) + R"( ["three"]=)" + at(2) +
                                 R"( ["two"]=)" + at(1));
        if (is_read) {
            on.database->add_view("reader", reader).value();
            EXPECT_EQ(on.rows("reader"), "[1]=" + at(0) + " [1]=" + at(1) + " [1]=" + at(2));
        }
        on.expect_verified();
    }
}

// What cannot be read is derived by nobody, and keeps nobody else from being.
TEST(TransformDamage, OfAMessageLeavesTheOthersToBeDerived) {
    Transforming on;
    const Seq first = on.append(boxed("k1", says("one inside")));
    on.append(boxed("k1", says("another inside")));
    on.close();
    damage(on, "one inside");
    on.open();
    on.put(kKey1);
    EXPECT_EQ(on.said(), R"(["another inside"]=3)");
    EXPECT_EQ(on.body(first), "error: corrupt");
}

/// Message 2 was in a box. What came out of it is damaged, and nobody has noticed.
struct DamagedOutput : Transforming {
    DamagedOutput() {
        append(boxed("k1", says("out of the box")));
        put(kKey1);
        append(says("said"));
        database->merge_views().value();
        close();
        damage(*this, R"({"text":"out of the box"})", 0, "views");
        open();
    }
};

// What transforms made of messages is damaged: nobody takes what is stored for what is seen.
TEST(TransformDamage, OfWhatTheyMadeIsNamedToWhoeverAsks) {
    using Ask = std::function<Errc(Database&)>;
    const std::map<std::string, Ask> asks = {
        {"seen", [](Database& on) { return code_of(on.snapshot().seen({2})); }},
        {"log", [](Database& on) { return code_of(on.snapshot().log({.seen = true}).next()); }},
        {"why", [](Database& on) { return code_of(on.why({2})); }},
        {"feed", [](Database& on) { return code_of(on.feed().value().next()); }},
        {"consumer of a view",
         [](Database& on) { return code_of(on.feed({.view = "said"}).value().next()); }},
        {"message of a row",
         [](Database& on) {
             const Snapshot snapshot = on.snapshot();
             auto rows = snapshot.read("said").value();
             EXPECT_TRUE(rows.next());
             return code_of(rows.message());
         }},
        {"add a view", [](Database& on) { return code_of(on.add_view("again", kSaid)); }},
    };
    for (const auto& [name, ask] : asks) {
        DamagedOutput on;
        EXPECT_EQ(ask(*on.database), Errc::corrupt) << name;
        on.reopen();
        EXPECT_EQ(on.said(), R"(["out of the box"]=2 ["said"]=4)") << name;
        on.database->add_view("again", kSaid).value();
        EXPECT_EQ(on.rows("again"), on.said());
        on.expect_verified();
    }
}

// A damaged file hides what the others have, too, until it is given up: that must not be taken for
// lost, nor for the truth. A view that others look into begins anew, one that is looked into by
// nobody is mended.
TEST(TransformDamage, OfWhatTheyMadeAndOfAViewIsHealedByOpeningAgain) {
    for (const bool is_read : {false, true}) {
        Transforming on;
        const Source said = on.database->rows_of("said").value();
        CodeView reader;
        reader.app = "reader";
        reader.reads = {said};
        reader.map_reading = [](Context&, const Message&, Emit&) {};
        if (is_read) on.database->add_view("reader", reader).value();
        on.put(kKey1);
        on.append(boxed("k1", says("in a whole file")));
        on.reopen();
        on.append(boxed("k1", says("in a damaged one")));
        on.close();
        damage(on, "in a damaged one", 0, "views");
        on.open();
        EXPECT_EQ(on.said(), "") << "here it is found, of the view";
        on.reopen();
        EXPECT_EQ(on.said(), R"(["in a damaged one"]=4 ["in a whole file"]=3)");
        on.expect_verified();
    }
}

TEST(TransformDamage, OfWhatOneMadeKeepsNothingOfItWhenItIsDropped) {
    DamagedOutput on;
    const auto dropped = on.database->drop_transform("unbox");
    if (!dropped) {
        EXPECT_EQ(dropped.error().code, Errc::corrupt);
        on.reopen();
        on.expect_verified();
        on.database->drop_transform("unbox").value();
    }
    EXPECT_EQ(on.said(), R"(["said"]=4)");
    on.expect_verified();
}

TEST(TransformDamage, OfWhatTheyMadeIsNamedToAViewThatCatchesUp) {
    Transforming on;
    CodeView view;
    view.app = "reader";
    view.map = [](const Message& message, Emit& emit) { emit(Key(member(message, "text"))); };
    on.database->add_view("read", view).value();
    on.reopen(); // Without its code.
    on.append(boxed("k1", says("out of the box")));
    on.put(kKey1);
    on.database->merge_views().value();
    on.close();
    damage(on, R"({"text":"out of the box"})", 0, "views");
    on.open();
    EXPECT_EQ(code_of(on.database->add_view("read", view)), Errc::corrupt);
    on.reopen();
    on.database->add_view("read", view).value();
    EXPECT_EQ(on.rows("read"), R"(["out of the box"]=2)");
    on.expect_verified();
}

// P6 behind damage: what a view had of a message cannot be read, and goes from the files that are
// whole.
TEST(TransformDamage, OfAViewThatOthersReadLeavesNothingThatADroppedSecretOpened) {
    Transforming on(sealed_transforms);
    CodeView reader;
    reader.app = "reader";
    reader.reads = {on.database->rows_of("said").value()};
    reader.map_reading = [](Context&, const Message&, Emit&) {};
    on.database->add_view("reader", reader).value();
    on.put(kKey1, "v", /*is_secret=*/true);
    on.append(sealed("in a whole file"));
    on.reopen();
    on.append(sealed("in a damaged one"));
    on.close();
    damage(on, Key("in a damaged one").encoded(), 0, "views");
    on.open();
    on.database->drop_fact(kKey1).value();
    for (const char* const text : {"in a whole file", "in a damaged one"}) on.expect_nowhere(text);
    on.reopen();
    EXPECT_EQ(on.said(), "");
    on.expect_verified();
}

TEST(TransformsInUse, SeeTheLatestOfWhatCameAndWasReplacedWhileCodeWasMissing) {
    Transforming on;
    on.reopen_without_code();
    const Seq seq = on.append(says("first"));
    on.database->replace(seq, says("latest")).value();
    while (!on.database->transforms().empty()) {
        on.database->drop_transform(on.database->transforms().front().name).value();
    }
    EXPECT_TRUE(on.said().starts_with(R"(["latest"]=)")) << on.said();
    on.expect_verified();
}

} // namespace
} // namespace sluice::test
