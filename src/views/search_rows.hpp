// Texts as rows of the store. docs/format/search.md has the bytes.
//
// A message that has a word has terms
//     ["length"]        how many words it has
//     ["stem", s]       where it has words with the stem s; left out in a view without stems
//     ["word", w]       where it has the word w
// so that retracting and erasing are what they are for all rows, and nothing about the collection
// is kept: how many messages have a word, and how long messages are, is counted from what lives.
#pragma once
#include "store/store.hpp"
#include "views/words.hpp"

#include <sluice/value.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::search_rows {

std::string length_term();
std::string stem_term(std::string_view stem);
std::string word_term(std::string_view word);
/// What the terms of all words begin with that begin so.
std::string word_term_prefix(std::string_view beginning);

/// The texts that a pointer finds: a string, or each string in an array.
template <typename Visit> void for_each_text(const Value& found, const Visit& visit) {
    if (const auto text = found.as_string()) visit(*text);
    for (const Value& element : found.elements()) {
        if (const auto text = element.as_string()) visit(*text);
    }
}

/// What a row's value says.
struct Occurrences {
    std::uint32_t length = 0;             ///< Words of the message.
    std::vector<std::uint32_t> positions; ///< Ascending; empty for length_term().
};
void append_value(std::string& to, std::uint32_t length,
                  const std::vector<std::uint32_t>& positions);
/// False if these bytes are no value.
bool read_value(std::string_view bytes, Occurrences& into);

/// Collects the words of one message and emits its row.
class Writer {
public:
    explicit Writer(const std::string& language) : forms_(language) {}

    /// A text of the message. Words of different texts are never in a row.
    void add_text(std::string_view text);
    /// Appends to the row begun last; nothing if there was no word. Then begins anew.
    void emit_into(RowBatch& batch);

private:
    using Places = std::map<std::string, std::vector<std::uint32_t>, std::less<>>;
    static void emit_all(RowBatch& batch, const Places& places, std::uint32_t length,
                         std::string (*term_of)(std::string_view));

    WordForms forms_;
    std::uint32_t position_ = 0;
    std::uint32_t length_ = 0;
    Places stems_;
    Places words_;
};

/// Sums the lengths: under length_term() that is how many words there are.
std::shared_ptr<const Reducer> length_reducer();
std::uint64_t read_length_sum(std::string_view partial);

} // namespace sluice::search_rows
