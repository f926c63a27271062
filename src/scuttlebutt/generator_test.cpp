#include "scuttlebutt/generator.hpp"

#include "scuttlebutt/private_box.hpp"

#include <sluice/scuttlebutt.hpp>

#include <simdjson.h>
#include <sodium.h>

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include <gtest/gtest.h>

namespace sluice::scuttlebutt {
namespace {

std::string all_messages(const GeneratorOptions& options) {
    Generator generator = Generator::create(options).value();
    std::string all;
    while (const auto message = generator.next()) all.append(message->json).push_back('\n');
    return all;
}

std::string sha256_hex(const std::string& text) {
    Bytes32 digest;
    crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(text.data()),
                       text.size());
    std::string hex(65, '\0');
    sodium_bin2hex(hex.data(), hex.size(), digest.data(), digest.size());
    hex.pop_back();
    return hex;
}

/// Two thousand messages, made once: what they must be is looked at from many sides.
struct Network {
    std::vector<std::string> ids;
    std::vector<std::string> messages;
    std::vector<Feed> feeds;

    static const Network& get() {
        static const Network network;
        return network;
    }

private:
    Network() {
        Generator generator = Generator::create({.messages = 2'000, .seed = 3}).value();
        while (const auto message = generator.next()) {
            ids.emplace_back(message->id);
            messages.emplace_back(message->json);
        }
        feeds.assign(generator.feeds().begin(), generator.feeds().end());
    }
};

/// Calls `look(value, content, place)` for each message.
template <typename Look> void for_each_message(const Look& look) {
    simdjson::dom::parser parser;
    for (std::size_t i = 0; i < Network::get().messages.size(); ++i) {
        const simdjson::dom::element message = parser.parse(Network::get().messages[i]);
        look(message["value"], message["value"]["content"], i);
    }
}

std::string text_of(simdjson::dom::element json) {
    return std::string(std::string_view(json));
}

TEST(Generator, GivesTheSameMessagesOnEveryMachineForever) {
    EXPECT_EQ(sha256_hex(all_messages({.messages = 1'000, .seed = 1})),
              "2ed042064a2589218760f957b0da8fc69cd93806fd89c46d8bfc744aaa7a9e4e");
}

TEST(Generator, GivesTheSameMessagesForAnyNumberOfThreads) {
    const std::string one = all_messages({.messages = 6'000, .seed = 5, .threads = 1});
    EXPECT_TRUE(one == all_messages({.messages = 6'000, .seed = 5, .threads = 2}));
    EXPECT_TRUE(one == all_messages({.messages = 6'000, .seed = 5, .threads = 7}));
}

TEST(Generator, GivesOtherMessagesForAnotherSeed) {
    EXPECT_NE(all_messages({.messages = 1, .seed = 1}), all_messages({.messages = 1, .seed = 2}));
}

TEST(Generator, BeginsALongLogAsItBeginsAShortOne) {
    const std::string shorter = all_messages({.messages = 700, .feeds = 20});
    const std::string longer = all_messages({.messages = 1'500, .feeds = 20});
    EXPECT_TRUE(std::string_view(longer).starts_with(shorter));
}

TEST(Generator, GivesAsManyMessagesAsAsked) {
    for (const std::uint64_t messages : {0U, 1U, 16U, 17U, 333U}) {
        Generator generator = Generator::create({.messages = messages}).value();
        std::uint64_t count = 0;
        while (generator.next()) ++count;
        EXPECT_EQ(count, messages);
        EXPECT_FALSE(generator.next());
    }
}

TEST(Generator, HasAFeedForEverySeventyMessages) {
    const auto feeds = [](std::uint64_t messages, std::uint32_t wanted) {
        return Generator::create({.messages = messages, .feeds = wanted})->feeds().size();
    };
    EXPECT_EQ(feeds(0, 0), 10);
    EXPECT_EQ(feeds(7'000, 0), 100);
    EXPECT_EQ(feeds(10'000'000, 0), 1'000);
    EXPECT_EQ(feeds(0, 3), 3);
    EXPECT_EQ(Generator::create({.feeds = 100'001}).error().code, Errc::invalid_argument);
}

TEST(Generator, OfASingleFeedWorks) {
    Generator generator = Generator::create({.messages = 200, .feeds = 1}).value();
    while (const auto message = generator.next())
        EXPECT_EQ(verify_message(message->json), Verdict::genuine);
}

TEST(Generator, SignsAndHashesEveryMessage) {
    const Network& network = Network::get();
    for (std::size_t i = 0; i < network.messages.size(); ++i) {
        EXPECT_EQ(verify_message(network.messages[i]), Verdict::genuine) << network.messages[i];
        EXPECT_EQ(network.messages[i].substr(8, 52), network.ids[i]);
    }
}

TEST(Generator, MakesEachFeedAChain) {
    struct End {
        std::string id;
        std::uint64_t sequence = 0;
    };
    std::unordered_map<std::string, End> ends;
    for_each_message([&](simdjson::dom::element value, simdjson::dom::element, std::size_t place) {
        End& end = ends[text_of(value["author"])];
        EXPECT_EQ(std::uint64_t(value["sequence"]), end.sequence + 1);
        if (end.sequence == 0) {
            EXPECT_TRUE(value["previous"].is_null());
        } else {
            EXPECT_EQ(text_of(value["previous"]), end.id);
        }
        end = {Network::get().ids[place], end.sequence + 1};
    });
}

TEST(Generator, LetsBothClocksGoForward) {
    simdjson::dom::parser parser;
    std::uint64_t claimed_before = 0, received_before = 0;
    for (const std::string& json : Network::get().messages) {
        const simdjson::dom::element message = parser.parse(json);
        const std::uint64_t claimed = message["value"]["timestamp"],
                            received = message["timestamp"];
        EXPECT_GT(claimed, claimed_before);
        EXPECT_GT(received, received_before);
        EXPECT_GT(received, claimed);
        EXPECT_LT(received, claimed + 60'000);
        claimed_before = claimed;
        received_before = received;
    }
}

TEST(Generator, MixesTheTypesAsPromised) {
    std::map<std::string, double> percent;
    std::size_t size_bytes = 0;
    const auto& messages = Network::get().messages;
    for_each_message(
        [&](simdjson::dom::element, simdjson::dom::element content, std::size_t place) {
            percent[content.is_string() ? "private" : text_of(content["type"])] +=
                100.0 / static_cast<double>(messages.size());
            size_bytes += messages[place].size();
        });
    EXPECT_NEAR(percent["post"], 40, 4);
    EXPECT_NEAR(percent["vote"], 40, 4);
    EXPECT_NEAR(percent["contact"], 8, 2);
    EXPECT_NEAR(percent["about"], 5, 2);
    EXPECT_NEAR(percent["private"], 7, 2);
    EXPECT_EQ(percent.size(), 5);
    EXPECT_NEAR(static_cast<double>(size_bytes) / static_cast<double>(messages.size()), 620, 30);
}

TEST(Generator, LinksToWhatWasThereBefore) {
    std::set<std::string> known_messages, known_feeds;
    for (const Feed& feed : Network::get().feeds) known_feeds.insert(feed.keys.id);
    std::map<std::string, int> seen;
    const auto check = [&](const std::string& what, const std::string& link) {
        ++seen[what + " " + link[0]];
        if (link[0] == '%') {
            EXPECT_TRUE(known_messages.contains(link)) << what;
        }
        if (link[0] == '@') {
            EXPECT_TRUE(known_feeds.contains(link)) << what;
        }
        if (link[0] == '&') {
            EXPECT_EQ(link.size(), 52);
        }
    };
    for_each_message(
        [&](simdjson::dom::element value, simdjson::dom::element content, std::size_t place) {
            for (const char* const member : {"root", "branch", "contact", "about"}) {
                simdjson::dom::element link;
                if (!content[member].get(link)) check(member, text_of(link));
            }
            simdjson::dom::element inner;
            if (!content["vote"].get(inner)) check("vote", text_of(inner["link"]));
            if (!content["image"].get(inner)) check("image", text_of(inner["link"]));
            if (!content["contact"].get(inner)) {
                EXPECT_NE(text_of(inner), text_of(value["author"]));
            }
            simdjson::dom::array mentions;
            if (!content["mentions"].get(mentions)) {
                for (const simdjson::dom::element mention : mentions) {
                    check("mention", text_of(mention["link"]));
                    EXPECT_TRUE(mention["name"].is_string());
                }
            }
            for (const char* const member :
                 {"channel", "name", "following", "blocking", "description"}) {
                if (!content[member].error()) ++seen[member];
            }
            known_messages.insert(Network::get().ids[place]);
        });
    // Everything that views are made of is there, and not just once.
    for (const char* const what :
         {"root %", "branch %", "vote %", "mention %", "mention @", "mention &", "contact @",
          "about @", "image &", "channel", "name", "following", "blocking", "description"}) {
        EXPECT_GE(seen[what], 5) << what;
    }
}

TEST(Generator, AnswersWithTheRootOfTheThread) {
    std::unordered_map<std::string, std::string> roots; // Of posts by id.
    std::size_t deeper = 0;
    for_each_message(
        [&](simdjson::dom::element, simdjson::dom::element content, std::size_t place) {
            if (content.is_string() || text_of(content["type"]) != "post") return;
            const std::string& id = Network::get().ids[place];
            simdjson::dom::element root;
            if (content["root"].get(root)) {
                roots[id] = id;
                return;
            }
            const std::string branch = text_of(content["branch"]);
            EXPECT_EQ(text_of(root), roots[branch]);
            if (branch != roots[branch]) ++deeper;
            roots[id] = text_of(root);
        });
    EXPECT_GT(deeper, 50);
}

TEST(Generator, BoxesPrivateMessagesForTheirRecipientsOnly) {
    const Network& network = Network::get();
    std::map<std::size_t, int> circles;
    simdjson::dom::parser parser;
    for_each_message([&](simdjson::dom::element value, simdjson::dom::element content,
                         std::size_t) {
        if (!content.is_string()) return;
        std::string plaintext;
        std::set<std::string> openers, recipients;
        for (const Feed& feed : network.feeds) {
            const auto opened = private_unbox(std::string_view(content), feed.box_keys.secret_key);
            if (!opened) continue;
            openers.insert(feed.keys.id);
            plaintext = *opened;
        }
        const simdjson::dom::element inside = parser.parse(plaintext);
        EXPECT_EQ(text_of(inside["type"]), "post");
        for (const simdjson::dom::element recipient : inside["recps"])
            recipients.insert(text_of(recipient));
        EXPECT_EQ(openers, recipients);
        EXPECT_TRUE(recipients.contains(text_of(value["author"])));
        ++circles[recipients.size()];
    });
    for (std::size_t size = 1; size <= kPrivateBoxRecipientsMax; ++size)
        EXPECT_GE(circles[size], 1) << size;
    EXPECT_EQ(circles.size(), kPrivateBoxRecipientsMax);
}

TEST(Generator, HasFewFeedsThatWriteMuchAndManyThatWriteLittle) {
    std::unordered_map<std::string, std::size_t> written;
    for_each_message([&](simdjson::dom::element value, simdjson::dom::element, std::size_t) {
        ++written[text_of(value["author"])];
    });
    const auto& feeds = Network::get().feeds;
    ASSERT_EQ(feeds.size(), 28);
    std::size_t first = 0, second = 0; // Halves of the feeds.
    for (std::size_t i = 0; i < feeds.size(); ++i)
        (i < 14 ? first : second) += written[feeds[i].keys.id];
    EXPECT_EQ(first + second, 2'000);
    EXPECT_NEAR(static_cast<double>(first) / static_cast<double>(second), 2.7, 0.4);
    EXPECT_GT(written[feeds[0].keys.id], 5 * written[feeds[27].keys.id]);
}

} // namespace
} // namespace sluice::scuttlebutt
