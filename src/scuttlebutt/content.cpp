#include "scuttlebutt/content.hpp"

#include "scuttlebutt/js_json.hpp"
#include "scuttlebutt/private_box.hpp"
#include "scuttlebutt/vocabulary.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace sluice::scuttlebutt {
namespace {

template <typename List> const auto& pick(const List& list, Random& random) {
    return list[random.below(static_cast<std::uint32_t>(list.size()))];
}

void append_member(std::string& json, std::string_view key, std::string_view text) {
    json.append(",\"").append(key).append("\":");
    append_js_string(json, text);
}
void append_member(std::string& json, std::string_view key, std::uint32_t number) {
    json.append(",\"").append(key).append("\":").append(std::to_string(number));
}

void append_sentence(std::string& text, Random& random) {
    const std::size_t begin = text.size();
    for (std::uint32_t words = 3 + random.below(11); words > 0; --words) {
        if (text.size() > begin) text.append(random.chance(7) ? ", " : " ");
        const auto count = static_cast<std::uint32_t>(vocabulary::kWords.size());
        text.append(vocabulary::kWords[random.low_below(count)]);
    }
    char& first = text[begin];
    if (first >= 'a' && first <= 'z') first = static_cast<char>(first - 'a' + 'A');
    text.push_back("....!?"[random.below(6)]);
}

std::string make_text(std::uint32_t sentences_max, Random& random) {
    std::string text;
    for (std::uint32_t sentences = 1 + random.below(sentences_max); sentences > 0; --sentences) {
        if (!text.empty()) text.append(random.chance(15) ? "\n\n" : " ");
        append_sentence(text, random);
    }
    return text;
}

/// Recent posts more often, as people do.
const KnownPost& pick_post(const ContentContext& context, Random& random) {
    const auto count = static_cast<std::uint32_t>(context.posts.size());
    return context.posts[count - 1 - random.low_below(count)];
}

/// Somebody else, as long as there is anybody else.
const Feed& pick_other_feed(const ContentContext& context, Random& random) {
    const auto others = static_cast<std::uint32_t>(context.feeds.size() - 1);
    if (others == 0) return context.feeds[context.author];
    const std::size_t step = 1 + random.below(others);
    return context.feeds[(context.author + step) % context.feeds.size()];
}

std::string make_blob_id(Random& random) {
    Bytes32 digest;
    random.fill(digest);
    return "&" + to_base64(digest) + ".sha256";
}

/// {"link":...,...} of a picture, without the closing brace.
std::string open_picture(Random& random, const vocabulary::Picture& picture) {
    std::string json = "{\"link\":\"" + make_blob_id(random) + "\"";
    append_member(json, "type", picture.type);
    append_member(json, "size", 2000 + random.below(2'000'000));
    return json;
}

void append_mentions(std::string& json, const ContentContext& context, Random& random) {
    json.append(",\"mentions\":[");
    for (std::uint32_t left = 1 + random.low_below(4); left > 0; --left) {
        const std::uint32_t which = random.below(10);
        if (which < 5) {
            const Feed& feed = pick_other_feed(context, random);
            json.append("{\"link\":\"").append(feed.keys.id).append("\"");
            append_member(json, "name", feed.name);
        } else if (which < 7 && !context.posts.empty()) {
            json.append("{\"link\":\"").append(pick_post(context, random).id).append("\"");
            append_member(json, "name", pick(vocabulary::kWords, random));
        } else {
            const vocabulary::Picture& picture = pick(vocabulary::kPictures, random);
            json.append(open_picture(random, picture));
            append_member(json, "name",
                          std::string(pick(vocabulary::kWords, random)).append(picture.ending));
        }
        json.append(left > 1 ? "}," : "}");
    }
    json.append("]");
}

Content make_post(const ContentContext& context, Random& random) {
    Content content;
    content.json = "{\"type\":\"post\"";
    append_member(content.json, "text", make_text(6, random));
    if (!context.posts.empty() && random.chance(45)) {
        const KnownPost& answered = pick_post(context, random);
        content.root = answered.root;
        append_member(content.json, "root", answered.root);
        append_member(content.json, "branch", answered.id);
    } else if (random.chance(40)) {
        append_member(content.json, "channel", pick(vocabulary::kChannels, random));
    }
    if (random.chance(35)) append_mentions(content.json, context, random);
    content.json.push_back('}');
    return content;
}

std::string make_vote(const ContentContext& context, Random& random) {
    std::string json =
        "{\"type\":\"vote\",\"vote\":{\"link\":\"" + pick_post(context, random).id + "\"";
    const bool taken_back = random.chance(5);
    append_member(json, "value", taken_back ? 0 : 1);
    append_member(json, "expression",
                  taken_back ? "Unlike" : pick(vocabulary::kExpressions, random));
    return json.append("}}");
}

std::string make_contact(const ContentContext& context, Random& random) {
    std::string json = "{\"type\":\"contact\"";
    append_member(json, "contact", pick_other_feed(context, random).keys.id);
    const std::uint32_t which = random.below(100);
    json.append(which < 80   ? ",\"following\":true}"
                : which < 90 ? ",\"following\":false}"
                : which < 98 ? ",\"blocking\":true}"
                             : ",\"blocking\":false}");
    return json;
}

std::string make_about(const ContentContext& context, Random& random) {
    // People mostly describe themselves.
    const Feed& described =
        random.chance(90) ? context.feeds[context.author] : pick_other_feed(context, random);
    std::string json = "{\"type\":\"about\"";
    append_member(json, "about", described.keys.id);
    const std::uint32_t which = random.below(3); // A name, a picture or both.
    if (which != 1) append_member(json, "name", described.name);
    if (which != 0) {
        json.append(",\"image\":")
            .append(open_picture(random, pick(vocabulary::kPictures, random)));
        append_member(json, "width", 64 + random.below(1024));
        append_member(json, "height", 64 + random.below(1024));
        json.push_back('}');
    }
    if (random.chance(30)) append_member(json, "description", make_text(2, random));
    return json.append("}");
}

/// A box for its author and up to six others, small circles more often.
std::string make_private_post(const ContentContext& context, Random& random) {
    const std::size_t wanted = 1 + random.below(1 + random.below(kPrivateBoxRecipientsMax));
    std::vector<const Feed*> circle{&context.feeds[context.author]};
    while (circle.size() < std::min(wanted, context.feeds.size())) {
        const Feed* const other = &pick_other_feed(context, random);
        if (std::find(circle.begin(), circle.end(), other) == circle.end()) circle.push_back(other);
    }

    std::string json = "{\"type\":\"post\"";
    append_member(json, "text", make_text(4, random));
    json.append(",\"recps\":[");
    std::vector<Bytes32> recipients;
    for (const Feed* const feed : circle) {
        json.append(recipients.empty() ? "\"" : ",\"").append(feed->keys.id).append("\"");
        recipients.push_back(feed->box_keys.public_key);
    }
    json.append("]}");

    PrivateBoxEntropy entropy{};
    random.fill(entropy.nonce);
    random.fill(entropy.ephemeral_secret_key);
    random.fill(entropy.body_key);
    const Result<std::string> box = private_box(json, recipients, entropy);
    SLUICE_ASSERT(box.has_value()); // 1 to 7 recipients, each with a key we made.
    return "\"" + *box + "\"";
}

} // namespace

ContentKind choose_content_kind(Random& random) {
    const std::uint32_t percent = random.below(100);
    if (percent < 40) return ContentKind::post;
    if (percent < 80) return ContentKind::vote;
    if (percent < 88) return ContentKind::contact;
    if (percent < 93) return ContentKind::about;
    return ContentKind::private_post;
}

Content make_content(ContentKind kind, const ContentContext& context, Random& random) {
    switch (kind) {
    case ContentKind::post: return make_post(context, random);
    case ContentKind::vote: return {make_vote(context, random), {}};
    case ContentKind::contact: return {make_contact(context, random), {}};
    case ContentKind::about: return {make_about(context, random), {}};
    case ContentKind::private_post: return {make_private_post(context, random), {}};
    }
    SLUICE_ASSERT(false);
    return {};
}

} // namespace sluice::scuttlebutt
