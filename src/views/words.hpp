// Texts, word by word: what a text is searched by. docs/design/views.md says it for people.
//
// A word is a run of letters, digits and the marks on them, as Unicode classifies them. In scripts
// that are written without spaces each letter is a word, and a run of them is found as words in a
// row. Nothing depends on a dictionary. What does depend on the machine's libraries is which
// characters are letters and how they fold (the Unicode of utf8proc: characters that it did not
// know before, mostly), and what the stem of a word is (the rules of libstemmer). After one of them
// was upgraded, rows from before may differ from what is computed now.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct sb_stemmer;

namespace sluice {

/// What libstemmer knows, in its order.
std::vector<std::string> stemmed_languages();

/// Goes through a text. Invalid UTF-8 in it separates words.
class WordWalk {
public:
    explicit WordWalk(std::string_view text) : text_(text) {}
    /// Moves to the next word; false at the end.
    bool next();
    std::size_t begin() const { return begin_; }
    std::size_t end() const { return end_; }
    std::string_view word() const { return text_.substr(begin_, end_ - begin_); }

private:
    std::string_view text_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

/// Makes of words what they are found by. Not thread-safe: one per thread.
class WordForms {
public:
    /// Longer forms are cut to this, at a character. Bytes.
    static constexpr std::size_t kFormBytesMax = 120;

    /// `language` is empty or one of stemmed_languages().
    explicit WordForms(const std::string& language);

    bool has_stems() const { return stemmer_ != nullptr; }
    /// Takes a word of a WordWalk; the forms below are those of the last one taken.
    void take(std::string_view word);
    /// Without case, accents and differences of encoding. May be empty: such a word is none.
    const std::string& plain() const { return plain_; }
    /// The stem of it; plain() if there is no language.
    const std::string& stem() const { return has_stems() ? stem_ : plain_; }

private:
    struct Deleter {
        void operator()(sb_stemmer* stemmer) const;
    };
    std::unique_ptr<sb_stemmer, Deleter> stemmer_;
    std::string plain_;
    std::string stem_;
};

} // namespace sluice
