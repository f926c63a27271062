// A line with a search, then messages, one a line: any bytes. What is found are the messages that
// have the phrases when each is read from its beginning to its end, and a snippet marks words that
// were asked for.
//
// Code: views/text_query views/text_search views/snippet views/words views/search_rows
#include "base/assert.hpp"
#include "store/memory_store.hpp"
#include "views/search_rows.hpp"
#include "views/text_search.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

using namespace sluice;

namespace {

constexpr ViewId kSearch{16};
constexpr std::size_t kMessagesMax = 16;

bool fits(const QueryWord& word, const WordForms& forms) {
    return word.is_prefix ? forms.plain().starts_with(word.form) : forms.stem() == word.form;
}

/// The plain definition.
bool has_phrase(std::string_view text, const Phrase& phrase, WordForms& forms) {
    std::vector<std::pair<std::string, std::string>> words;
    for (WordWalk walk(text); walk.next();) {
        SLUICE_ASSERT(walk.begin() < walk.end() && walk.end() <= text.size());
        forms.take(walk.word());
        SLUICE_ASSERT(forms.plain().size() <= WordForms::kFormBytesMax);
        if (!forms.plain().empty()) words.emplace_back(forms.plain(), forms.stem());
    }
    const auto is_word = [](const auto& word, const QueryWord& wanted) {
        return wanted.is_prefix ? word.first.starts_with(wanted.form) : word.second == wanted.form;
    };
    return std::search(words.begin(), words.end(), phrase.begin(), phrase.end(), is_word) !=
           words.end();
}

void check_snippet(SearchHit hit, std::string_view text, const std::vector<Phrase>& phrases,
                   WordForms& forms) {
    constexpr std::size_t kSnippetBytesMax = 30;
    add_snippet(hit, {&text, 1}, phrases, forms, kSnippetBytesMax);
    SLUICE_ASSERT(!hit.snippet.empty() && !hit.marks.empty());
    std::size_t behind = 0;
    for (const TextRange& mark : hit.marks) {
        SLUICE_ASSERT(behind <= mark.begin && mark.begin < mark.end &&
                      mark.end <= hit.snippet.size());
        behind = mark.end;
        forms.take(std::string_view(hit.snippet).substr(mark.begin, mark.end - mark.begin));
        SLUICE_ASSERT(std::any_of(phrases.begin(), phrases.end(), [&](const Phrase& phrase) {
            return std::any_of(phrase.begin(), phrase.end(),
                               [&](const QueryWord& word) { return fits(word, forms); });
        }));
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static WordForms forms("english");
    std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto next_line = [&] {
        const std::string_view line = input.substr(0, input.find('\n'));
        input.remove_prefix(std::min(line.size() + 1, input.size()));
        return line;
    };
    const auto phrases = parse_text_query(next_line(), forms);

    std::vector<std::string_view> texts;
    MemoryStore store;
    store.add_view({kSearch, search_rows::length_reducer(), false});
    StoreCommit::Rows rows{kSearch, {}, {}};
    search_rows::Writer writer("english");
    while (!input.empty() && texts.size() < kMessagesMax) {
        texts.push_back(next_line());
        rows.batch.begin_row({texts.size()});
        writer.add_text(texts.back());
        writer.emit_into(rows.batch);
    }
    if (!phrases) return 0;
    StoreCommit commit;
    commit.position = {texts.size()};
    commit.rows.push_back(std::move(rows));
    store.commit(std::move(commit), {}).value();
    const auto snapshot = store.snapshot();
    const auto answer = search_text(*snapshot, kSearch, true, *phrases, kMessagesMax).value();
    SLUICE_ASSERT(answer.total == answer.hits.size());

    std::vector<Seq> found, expected;
    for (const SearchHit& hit : answer.hits) {
        found.push_back(hit.seq);
        check_snippet(hit, texts[hit.seq.value - 1], *phrases, forms);
    }
    std::sort(found.begin(), found.end());
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const bool has_all =
            std::all_of(phrases->begin(), phrases->end(),
                        [&](const Phrase& phrase) { return has_phrase(texts[i], phrase, forms); });
        if (has_all) expected.push_back({i + 1});
    }
    SLUICE_ASSERT(found == expected);
    return 0;
}
