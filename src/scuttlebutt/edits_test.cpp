#include "scuttlebutt/edits.hpp"

#include "base/json.hpp"
#include "scuttlebutt/context_test_support.hpp"
#include "scuttlebutt/private_box.hpp"
#include "scuttlebutt/read_keys.hpp"

#include <sluice/scuttlebutt.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sluice::scuttlebutt {
namespace {

using test::World;

std::string id_of(unsigned char byte) {
    Bytes32 bytes;
    bytes.fill(byte);
    return "%" + to_base64(bytes) + ".sha256";
}

struct Draft {
    unsigned char id = 1;
    std::string author = "@ann";
    int sequence = 1;
    int timestamp = 1;
    std::string content = R"({"type":"post","text":"one","root":"%r"})";
};
std::string message_of(const Draft& draft) {
    return R"({"key":")" + id_of(draft.id) + R"(","value":{"author":")" + draft.author +
           R"(","sequence":)" + std::to_string(draft.sequence) + R"(,"timestamp":)" +
           std::to_string(draft.timestamp) + R"(,"content":)" + draft.content +
           R"(},"timestamp":9})";
}
std::string edit_of(unsigned char target, const std::string& text) {
    return R"({"type":"edit","original":")" + id_of(target) + R"(","text":")" + text + "\"}";
}
std::string revision_of(unsigned char root, const std::string& branch, const std::string& text) {
    return R"({"type":"post","revisionRoot":")" + id_of(root) + R"(","revisionBranch":)" + branch +
           R"(,"text":")" + text + "\"}";
}
std::string replacement_of(unsigned char target, const std::string& text) {
    return R"({"type":"task","replaces":")" + id_of(target) + R"(","text":")" + text + "\"}";
}
std::string quoted_id(unsigned char byte) {
    return '"' + id_of(byte) + '"';
}

/// Runs all transforms, and answers what the first message's text is.
class Edits : public ::testing::Test {
protected:
    Edits() { original = world.append(message_of({})); }
    std::string shown(Seq seq) {
        const auto body = world.derive(transforms())[seq.value - 1];
        if (!body) return "(gone)";
        JsonParser parser;
        const Value* const text = parser.parse(*body)->at("/value/content/text");
        return text == nullptr ? "(none)" : std::string(*text->as_string());
    }
    std::string text() { return shown(original); }
    Seq edit(const Draft& draft) { return world.append(message_of(draft)); }

    World world;
    Seq original;
};

TEST_F(Edits, ShowTheMessageWithItsNewContentAndSayByWhat) {
    const Seq seq =
        edit({.id = 2,
              .sequence = 5,
              .timestamp = 7,
              .content = R"({"type":"edit","original":")" + id_of(1) +
                         R"(","root":"%elsewhere","text":"two \ud800","mentions":[1.0]})"});
    const auto bodies = world.derive(transforms());
    EXPECT_EQ(bodies[original.value - 1],
              R"({"key":")" + id_of(1) +
                  R"(","value":{"author":"@ann","sequence":1,"timestamp":1,"content":)" +
                  R"({"type":"post","text":"two \ud800","root":"%r","mentions":[1.0]}},)" +
                  R"("timestamp":9,"edited":{"key":")" + id_of(2) +
                  R"(","author":"@ann","timestamp":7}})");
    EXPECT_EQ(shown(seq), "two \xEF\xBF\xBD"); // The edit stays what it was.
}

TEST_F(Edits, OfTypeUpdateCountToo) {
    edit({.id = 2,
          .sequence = 2,
          .content = R"({"type":"update","updated":")" + id_of(1) + R"(","text":"two"})"});
    EXPECT_EQ(text(), "two");
    // "original" says more than "updated", which may name an edit that is not here.
    edit({.id = 3,
          .sequence = 3,
          .content = R"({"type":"update","updated":")" + id_of(99) + R"(","original":")" +
                     id_of(1) + R"(","text":"three"})"});
    EXPECT_EQ(text(), "three");
}

TEST_F(Edits, ByRevisionsNameTheFirstMessageAndBranchAsTheyLike) {
    edit({.id = 2, .sequence = 2, .content = revision_of(1, quoted_id(1), "two")});
    EXPECT_EQ(text(), "two");
    const std::string both = "[" + quoted_id(2) + "," + quoted_id(9) + "]";
    const Seq three = edit({.id = 3, .sequence = 3, .content = revision_of(1, both, "three")});
    EXPECT_EQ(text(), "three");
    edit({.id = 4, .sequence = 4, .content = revision_of(1, "null", "four")});
    EXPECT_EQ(text(), "four");
    EXPECT_EQ(shown(three), "three");
    edit({.id = 5, .author = "@bo", .sequence = 9, .content = revision_of(1, "[]", "bo's")});
    EXPECT_EQ(text(), "four");
    // Each names the root, so none needs those between.
    world.remove(three);
    EXPECT_EQ(text(), "four");
}

TEST_F(Edits, ByReplacementsLeadFromOneToTheNext) {
    const Seq three = edit({.id = 3, .sequence = 3, .content = replacement_of(2, "three")});
    EXPECT_EQ(text(), "one");
    const Seq two = edit({.id = 2, .sequence = 2, .content = replacement_of(1, "two")});
    EXPECT_EQ(text(), "three");
    EXPECT_EQ(shown(two), "two");
    world.remove(three);
    EXPECT_EQ(text(), "two");
    world.remove(two);
    EXPECT_EQ(world.derive(transforms())[0], message_of({}));
}

TEST_F(Edits, OfSeveralKindsAreOfOneRoot) {
    edit({.id = 2, .sequence = 2, .content = revision_of(1, quoted_id(1), "revision")});
    edit({.id = 3, .sequence = 3, .content = replacement_of(2, "replacement")});
    EXPECT_EQ(text(), "replacement");
    edit({.id = 4, .sequence = 4, .content = edit_of(3, "edit")});
    EXPECT_EQ(text(), "edit");
    // The first name that is there counts.
    edit({.id = 5,
          .sequence = 5,
          .content = R"({"replaces":)" + quoted_id(99) + R"(,"revisionRoot":)" + quoted_id(98) +
                     R"(,"type":"update","updated":)" + quoted_id(1) + R"(,"text":"update"})"});
    EXPECT_EQ(text(), "update");
    edit({.id = 6,
          .sequence = 6,
          .content = R"({"replaces":)" + quoted_id(99) + R"(,"original":)" + quoted_id(97) +
                     R"(,"revisionRoot":)" + quoted_id(1) + R"(,"text":"revision"})"});
    EXPECT_EQ(text(), "revision");
}

TEST_F(Edits, ThatGiveTheWholeContentTakeAwayWhatTheyDoNotHave) {
    world = {};
    const std::string content = R"({"type":"task","text":"one","image":"&x","root":"%r"})";
    original = world.append(message_of({.content = content}));
    const auto shown_content = [this] {
        const std::string body = *world.derive(transforms())[original.value - 1];
        const std::size_t begin = body.find("\"content\":") + 10;
        return body.substr(begin, body.find("},\"timestamp\"") - begin);
    };
    edit({.id = 2, .sequence = 2, .content = edit_of(1, "two")});
    EXPECT_EQ(shown_content(), R"({"type":"task","text":"two","image":"&x","root":"%r"})");
    edit({.id = 3,
          .sequence = 3,
          .content = R"({"type":"other","replaces":)" + quoted_id(1) +
                     R"(,"root":"%elsewhere","text":"three","tags":[]})"});
    EXPECT_EQ(shown_content(), R"({"type":"task","text":"three","root":"%r","tags":[]})");
    edit({.id = 4, .sequence = 4, .content = revision_of(1, "[]", "four")});
    EXPECT_EQ(shown_content(), R"({"type":"task","text":"four","root":"%r"})");
}

TEST_F(Edits, AreFoundByNamesHoweverTheyAreWritten) {
    edit({.id = 2,
          .sequence = 2,
          .content = R"({"repl\u0061ces":)" + quoted_id(1) + R"(,"text":"two"})"});
    EXPECT_EQ(text(), "two");
    edit({.id = 3,
          .sequence = 3,
          .content =
              R"({ "text" : "a \"quote\" and \\" , "revisionRoot" : )" + quoted_id(1) + " }"});
    EXPECT_EQ(text(), R"(a "quote" and \)");
}

TEST_F(Edits, GoWithTheEdit) {
    const Seq two = edit({.id = 2, .sequence = 2, .content = edit_of(1, "two")});
    const Seq three = edit({.id = 3, .sequence = 3, .content = edit_of(1, "three")});
    EXPECT_EQ(text(), "three");
    world.remove(three);
    EXPECT_EQ(text(), "two");
    world.remove(two);
    EXPECT_EQ(world.derive(transforms())[0], message_of({}));
}

// Messages arrive in any order.
TEST_F(Edits, WinByTheAuthorsOwnOrderWhicheverArrivedFirst) {
    std::vector<Draft> edits = {
        {.id = 2, .sequence = 9, .timestamp = 1, .content = edit_of(1, "by sequence")},
        {.id = 3, .sequence = 10, .timestamp = 0, .content = edit_of(1, "newest")},
        {.id = 4, .sequence = 2, .timestamp = 99, .content = edit_of(1, "by claimed time")}};
    do {
        World shuffled;
        for (const Draft& each : edits) shuffled.append(message_of(each));
        const Seq at = shuffled.append(message_of({}));
        const std::string body = *shuffled.derive(transforms())[at.value - 1];
        EXPECT_NE(body.find("newest"), std::string::npos) << body;
    } while (std::next_permutation(edits.begin(), edits.end(),
                                   [](const Draft& a, const Draft& b) { return a.id < b.id; }));
    // Of a feed that has forked, two messages have one sequence: then time decides, then id.
    edit({.id = 5, .sequence = 4, .timestamp = 4, .content = edit_of(1, "earlier")});
    edit({.id = 7, .sequence = 4, .timestamp = 5, .content = edit_of(1, "later, greater id")});
    edit({.id = 6, .sequence = 4, .timestamp = 5, .content = edit_of(1, "later")});
    EXPECT_EQ(text(), "later, greater id");
}

TEST_F(Edits, AreTheAuthorsOnly) {
    edit({.id = 2, .author = "@bo", .sequence = 9, .timestamp = 9, .content = edit_of(1, "bo's")});
    EXPECT_EQ(text(), "one");
    edit({.id = 3, .sequence = 2, .timestamp = 2, .content = edit_of(1, "ann's")});
    EXPECT_EQ(text(), "ann's");
    edit({.id = 4, .author = "@a", .sequence = 9, .timestamp = 3, .content = edit_of(1, "a's")});
    EXPECT_EQ(text(), "ann's");
    // An author whose name begins like another's is another.
    edit({.id = 5, .author = "@ann2", .sequence = 9, .content = edit_of(1, "ann2's")});
    EXPECT_EQ(text(), "ann's");
}

TEST_F(Edits, AreEverybodysWhereAFactSaysSo) {
    const FactName anyone = anyone_may_edit_name();
    EXPECT_EQ(anyone.collection, "scuttlebutt.settings");
    EXPECT_EQ(anyone.key, Key{"anyone-may-edit"});
    edit({.id = 2, .author = "@bo", .sequence = 1, .timestamp = 9, .content = edit_of(1, "bo's")});
    edit({.id = 3, .sequence = 50, .timestamp = 8, .content = edit_of(1, "ann's")});
    EXPECT_EQ(text(), "ann's");
    world.put({anyone, "yes"});
    EXPECT_EQ(text(), "bo's");
    world.drop(anyone);
    EXPECT_EQ(text(), "ann's");
}

TEST_F(Edits, OfAnEditAreOfTheMessage) {
    edit({.id = 4, .sequence = 9, .content = edit_of(3, "edit of the edit of the edit")});
    edit({.id = 5, .sequence = 5, .content = edit_of(1, "edit")});
    const Seq second = edit({.id = 3, .sequence = 3, .content = edit_of(2, "edit of the edit")});
    edit({.id = 2, .sequence = 2, .content = edit_of(1, "first edit")});
    EXPECT_EQ(text(), "edit of the edit of the edit");
    EXPECT_EQ(shown(second), "edit of the edit");
    // Without it nobody knows what the one behind it is an edit of.
    world.remove(second);
    EXPECT_EQ(text(), "edit");
}

TEST_F(Edits, OfAnothersEditAreForTheMessagesAuthorToMake) {
    edit({.id = 2, .author = "@bo", .sequence = 2, .content = edit_of(1, "bo's")});
    edit({.id = 3, .author = "@bo", .sequence = 3, .content = edit_of(2, "bo's again")});
    EXPECT_EQ(text(), "one");
    edit({.id = 4, .sequence = 4, .content = edit_of(3, "ann's")});
    EXPECT_EQ(text(), "ann's");
}

TEST_F(Edits, ThatRunInCirclesLeadNowhere) {
    world.append(message_of({.id = 10, .content = edit_of(10, "itself")}));
    world.append(message_of({.id = 11, .content = edit_of(12, "a")}));
    world.append(message_of({.id = 12, .content = edit_of(13, "b")}));
    world.append(message_of({.id = 13, .content = edit_of(11, "c")}));
    world.append(message_of({.id = 14, .sequence = 8, .content = edit_of(12, "into the circle")}));
    const auto bodies = world.derive(transforms());
    for (std::size_t i = 1; i < bodies.size(); ++i)
        EXPECT_EQ(bodies[i]->find("edited"), std::string::npos) << *bodies[i];
    EXPECT_EQ(text(), "one");
}

TEST_F(Edits, ThatNameThemselvesAreMessagesLikeOthers) {
    const Seq itself = edit({.id = 10, .content = edit_of(10, "itself")});
    edit({.id = 11, .sequence = 2, .content = edit_of(10, "edited")});
    EXPECT_EQ(shown(itself), "edited");
    EXPECT_EQ(text(), "one");
}

TEST_F(Edits, AreFollowedThirtyTwoFarAndNoFarther) {
    for (unsigned i = 0; i < kEditChainMax; ++i) {
        edit({.id = static_cast<unsigned char>(i + 2),
              .sequence = static_cast<int>(i + 2),
              .content = edit_of(static_cast<unsigned char>(i + 1), std::to_string(i + 1))});
    }
    EXPECT_EQ(text(), "32");
    edit({.id = 100, .sequence = 100, .content = edit_of(kEditChainMax + 1, "33")});
    EXPECT_EQ(text(), "32");
}

TEST_F(Edits, ThatAreNoneChangeNothing) {
    for (const std::string& content :
         {std::string(R"({"type":"edit","text":"x"})"),
          std::string(R"({"type":"edit","original":1,"text":"x"})"),
          std::string(R"({"type":"edit","original":"%x.sha256","text":"x"})"),
          R"({"type":"post","original":")" + id_of(1) + R"(","text":"x"})",
          std::string(R"({"type":"post","revisionRoot":"%x","replaces":["%y"],"text":"x"})"),
          R"({"type":"post","revisionBranch":")" + id_of(1) + R"(","text":"x"})",
          R"({"original":")" + id_of(1) + R"(","text":"x"})", R"(["edit",")" + id_of(1) + "\"]",
          std::string("null"), std::string("\"edit\""),
          edit_of(1, std::string(kEditContentSizeBytesMax, 'x'))}) {
        edit({.id = 2, .sequence = 2, .content = content});
    }
    world.append("{}");
    world.append("no JSON");
    world.append(R"({"value":{"author":1,"content":{"type":"edit"}}})");
    std::string nameless = message_of({
        .content = edit_of(1, "x"),
    });
    nameless.replace(nameless.find("\"key\""), 5, "\"nokey\"");
    world.append(nameless);
    EXPECT_EQ(world.derive(transforms())[0], message_of({}));
}

TEST_F(Edits, HaveNumbersThatMayBeAnything) {
    std::string odd = message_of({.id = 2, .content = edit_of(1, "odd")});
    odd.replace(odd.find(R"("sequence":1)"), 12, R"("sequence":"9")");
    odd.replace(odd.find(R"("timestamp":1)"), 13, R"("timestamp":1e999)");
    world.append(odd);
    EXPECT_EQ(text(), "odd");
    edit({.id = 3, .sequence = 1, .content = edit_of(1, "even")});
    EXPECT_EQ(text(), "even");
}

TEST_F(Edits, MayBeBoxedAndAreMarkedThen) {
    Bytes32 seed;
    seed.fill(1);
    const KeyPair reader = key_pair_from_seed(seed);
    const Bytes32 recipient = box_keys_of(reader).public_key;
    const PreparedFact key = identity_fact(reader);
    for (const std::string& content :
         {edit_of(1, "in private"), revision_of(1, quoted_id(1), "in private"),
          replacement_of(1, "in private")}) {
        const std::string box = private_box(content, {&recipient, 1}, {}).value();
        const Seq boxed = edit({.id = 2, .sequence = 2, .content = "\"" + box + "\""});
        EXPECT_EQ(text(), "one");
        world.put(key.fact());
        EXPECT_EQ(text(), "in private");
        EXPECT_NE(world.derive(transforms())[0]->find(R"("timestamp":1,"private":true}})"),
                  std::string::npos);
        world.drop(key.name);
        EXPECT_EQ(world.derive(transforms())[0], message_of({}));
        world.remove(boxed);
    }
}

TEST_F(Edits, OfABoxedMessageShowWhenItIsOpened) {
    Bytes32 seed;
    seed.fill(1);
    const KeyPair reader = key_pair_from_seed(seed);
    const Bytes32 recipient = box_keys_of(reader).public_key;
    const std::string box = private_box(R"({"text":"secret"})", {&recipient, 1}, {}).value();
    const Seq boxed = world.append(message_of({.id = 8, .content = "\"" + box + "\""}));
    edit({.id = 9, .sequence = 2, .content = edit_of(8, "edited")});
    EXPECT_EQ(shown(boxed), "(none)");
    world.put(identity_fact(reader).fact());
    EXPECT_EQ(shown(boxed), "edited");
}

// A message that nobody edits, as nearly all, must cost one look.
TEST_F(Edits, CostAMessageWithoutThemOneRead) {
    static_cast<void>(world.derive(transforms()));
    EXPECT_EQ(world.reads, 1u);
}

} // namespace
} // namespace sluice::scuttlebutt
