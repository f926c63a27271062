// Full-text search: what is asked, and what is found.
#pragma once
#include <sluice/seq.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct SearchQuery {
    static constexpr std::size_t kTextBytesMax = 4096;
    static constexpr std::size_t kWordsMax = 64;

    /// Words, "several words in a row", and beginnings of wor*. A message must have all of them, in
    /// any order and in any of the view's texts. Case and accents do not count; of a word (but not
    /// of a beginning) its stem counts, in a view with a language. Signs between words count as
    /// space: what gives several words without any, such as e-mail, means them in a row.
    std::string_view text;
    std::uint64_t limit = 20;
    /// Length of a snippet, nearly. 0: none, and no message is read. Bytes.
    std::size_t snippet_bytes_max = 160;
};

/// A part of a text. Bytes.
struct TextRange {
    std::size_t begin = 0;
    std::size_t end = 0;
    friend bool operator==(const TextRange&, const TextRange&) = default;
};

struct SearchHit {
    Seq seq;
    double score = 0; ///< BM25 over the messages that the view shows; larger is better.
    /// The part of the message that has most of what was asked for, with "…" where it was cut.
    /// Empty if the message was erased meanwhile.
    std::string snippet = {};
    std::vector<TextRange> marks = {}; ///< The words in `snippet` that were asked for.
};

struct SearchAnswer {
    std::vector<SearchHit> hits; ///< The best first; of equally good ones the newest.
    std::uint64_t total = 0;     ///< How many messages match, shown or not.
};

} // namespace sluice
