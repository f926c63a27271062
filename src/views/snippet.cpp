// The part of a message that shows best why it was found.
#include "views/text_search.hpp"

#include <algorithm>
#include <set>

namespace sluice {
namespace {

constexpr std::string_view kEllipsis = "…";

/// A word of a text, and which word of the query it is.
struct Found {
    TextRange range;
    std::size_t query_word;
};

class Matcher {
public:
    Matcher(std::span<const Phrase> phrases, WordForms& forms) : forms_(forms) {
        for (const Phrase& phrase : phrases)
            words_.insert(words_.end(), phrase.begin(), phrase.end());
    }
    std::vector<Found> find_in(std::string_view text) {
        std::vector<Found> all;
        for (WordWalk walk(text); walk.next();) {
            forms_.take(walk.word());
            const auto word =
                std::find_if(words_.begin(), words_.end(), [&](const QueryWord& each) {
                    return each.is_prefix ? forms_.plain().starts_with(each.form)
                                          : forms_.stem() == each.form;
                });
            if (word == words_.end()) continue;
            all.push_back(
                {{walk.begin(), walk.end()}, static_cast<std::size_t>(word - words_.begin())});
        }
        return all;
    }

private:
    std::vector<QueryWord> words_;
    WordForms& forms_;
};

/// A text and the range of `found` in it that a snippet should show.
struct Choice {
    std::string_view text;
    std::vector<Found> found;
    std::size_t first = 0;
    std::size_t last = 0;
    std::size_t different = 0; ///< Words of the query in the range.
};

/// The range, no longer than `bytes_max` but at least one word, with most words of the query.
void choose_range(Choice& choice, std::size_t bytes_max) {
    const std::vector<Found>& found = choice.found;
    std::multiset<std::size_t> inside;
    for (std::size_t first = 0, end = 0; first < found.size(); ++first) {
        end = std::max(end, first);
        while (end < found.size() &&
               (end == first || found[end].range.end - found[first].range.begin <= bytes_max)) {
            inside.insert(found[end++].query_word);
        }
        const std::size_t different = std::set<std::size_t>(inside.begin(), inside.end()).size();
        if (different > choice.different) {
            choice.different = different;
            choice.first = first;
            choice.last = end - 1;
        }
        inside.erase(inside.find(found[first].query_word));
    }
}

/// Goes from `at` to the end of a character, forward.
std::size_t character_end(std::string_view text, std::size_t at) {
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
    return at;
}

/// What of the text is shown: the words of the range and what is around them, whole words.
TextRange widened(std::string_view text, TextRange core, std::size_t bytes_max) {
    const std::size_t size = core.end - core.begin;
    const std::size_t room = bytes_max > size ? bytes_max - size : 0;
    // More behind than before: what follows explains more.
    std::size_t begin = core.begin - std::min(core.begin, room / 3);
    const std::size_t end = std::min(text.size(), core.end + (room - (core.begin - begin)));
    if (begin > 0) {
        const std::size_t space = text.find(' ', begin);
        begin = space < core.begin ? space + 1 : character_end(text, begin);
    }
    TextRange shown{begin, character_end(text, end)};
    if (end < text.size()) {
        const std::size_t space = text.rfind(' ', end);
        if (space != std::string_view::npos && space >= core.end) shown.end = space;
    }
    return shown;
}

} // namespace

void add_snippet(SearchHit& hit, std::span<const std::string_view> texts,
                 std::span<const Phrase> phrases, WordForms& forms, std::size_t bytes_max) {
    Matcher matcher(phrases, forms);
    Choice best;
    for (const std::string_view text : texts) {
        Choice choice{.text = text, .found = matcher.find_in(text)};
        choose_range(choice, bytes_max);
        if (choice.different > best.different) best = std::move(choice);
    }
    hit.snippet.clear();
    hit.marks.clear();
    if (best.different == 0) return;
    const TextRange core{best.found[best.first].range.begin, best.found[best.last].range.end};
    const TextRange shown = widened(best.text, core, bytes_max);
    if (shown.begin > 0) hit.snippet = kEllipsis;
    const std::size_t shift = hit.snippet.size();
    for (std::size_t i = shown.begin; i < shown.end; ++i) {
        const char c = best.text[i];
        hit.snippet += static_cast<unsigned char>(c) < 0x20 ? ' ' : c; // On one line.
    }
    if (shown.end < best.text.size()) hit.snippet += kEllipsis;
    for (const Found& each : best.found) {
        if (each.range.begin < shown.begin || each.range.end > shown.end) continue;
        hit.marks.push_back(
            {each.range.begin - shown.begin + shift, each.range.end - shown.begin + shift});
    }
}

} // namespace sluice
