// What generated messages say.
#pragma once
#include "scuttlebutt/keys.hpp"
#include "scuttlebutt/random.hpp"

#include <cstdint>
#include <deque>
#include <span>
#include <string>

namespace sluice::scuttlebutt {

/// Somebody who writes generated messages.
struct Feed {
    KeyPair keys;
    BoxKeys box_keys;
    std::string name;
};

enum class ContentKind : std::uint8_t { post, vote, contact, about, private_post };

/// 40 % posts, 40 % votes, 8 % contacts, 5 % abouts, 7 % private posts.
ContentKind choose_content_kind(Random& random);

/// A post that others may answer, mention or vote on.
struct KnownPost {
    std::string id;
    std::string root; ///< Of its thread: its own id when it began one.
};

/// All that a message can refer to. Borrowed, and only read.
struct ContentContext {
    std::span<const Feed> feeds;
    const std::deque<KnownPost>& posts; ///< Newest last.
    std::size_t author;                 ///< Place in `feeds`.
};

struct Content {
    std::string json; ///< As JSON.stringify writes it. For a private post the quoted box.
    std::string root; ///< Of a post that answers another one; else empty.
};

/// The same for the same arguments. Only `vote` needs `context.posts` to have any.
Content make_content(ContentKind kind, const ContentContext& context, Random& random);

} // namespace sluice::scuttlebutt
