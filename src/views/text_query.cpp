#include "views/text_query.hpp"

#include <algorithm>

namespace sluice {
namespace {

Error wrong(const std::string& what) {
    return {Errc::invalid_argument, "search: " + what};
}

/// The words of one quoted or unquoted part. A star right behind the last one makes it a beginning.
Phrase phrase_of(std::string_view part, bool star_follows, WordForms& forms) {
    Phrase phrase;
    std::size_t end = 0;
    for (WordWalk walk(part); walk.next();) {
        forms.take(walk.word());
        if (forms.plain().empty()) continue;
        end = walk.end();
        const bool is_prefix = end == part.size() ? star_follows : part[end] == '*';
        phrase.push_back({is_prefix ? forms.plain() : forms.stem(), is_prefix});
    }
    return phrase;
}

} // namespace

Result<std::vector<Phrase>> parse_text_query(std::string_view text, WordForms& forms) {
    if (text.size() > SearchQuery::kTextBytesMax) {
        return wrong("more than " + std::to_string(SearchQuery::kTextBytesMax) + " bytes");
    }
    constexpr std::string_view kSpace = " \t\r\n";
    std::vector<Phrase> phrases;
    std::size_t words = 0;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t begin = at, end = 0;
        if (kSpace.find(text[at]) != std::string_view::npos) {
            ++at;
            continue;
        }
        if (text[at] == '"') {
            begin = at + 1;
            end = text.find('"', begin);
            if (end == std::string_view::npos) return wrong("the quotes do not close");
            at = end + 1;
        } else {
            end = std::min(text.find_first_of(" \t\r\n\"", at), text.size());
            at = end;
        }
        const bool star_follows = at < text.size() && text[at] == '*';
        Phrase phrase = phrase_of(text.substr(begin, end - begin), star_follows, forms);
        words += phrase.size();
        if (words > SearchQuery::kWordsMax) {
            return wrong("more than " + std::to_string(SearchQuery::kWordsMax) + " words");
        }
        if (!phrase.empty()) phrases.push_back(std::move(phrase));
    }
    if (phrases.empty()) return wrong("no word to look for");
    return phrases;
}

} // namespace sluice
