#include "views/words.hpp"

#include "base/assert.hpp"

#include <libstemmer.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace sluice {
namespace {

enum class Role : std::uint8_t {
    separates,
    joins,     ///< Part of a run.
    stands,    ///< A word by itself: a letter of a script without spaces.
    continues, ///< A mark or an invisible sign: part of the word before it, if there is one.
};

struct Range {
    utf8proc_int32_t first;
    utf8proc_int32_t last;
};
// Thai, Lao, Myanmar, Khmer, kana, and the ideographs of Chinese and Japanese. Ascending.
constexpr std::array kWithoutSpaces = {
    Range{0x0E00, 0x0EFF}, Range{0x1000, 0x109F},   Range{0x1780, 0x17FF},   Range{0x3005, 0x3007},
    Range{0x3031, 0x3035}, Range{0x303B, 0x303C},   Range{0x3041, 0x309F},   Range{0x30A1, 0x30FF},
    Range{0x31F0, 0x31FF}, Range{0x3400, 0x4DBF},   Range{0x4E00, 0x9FFF},   Range{0xF900, 0xFAFF},
    Range{0xFF66, 0xFF9F}, Range{0x1B000, 0x1B16F}, Range{0x20000, 0x3FFFF},
};
static_assert(std::is_sorted(kWithoutSpaces.begin(), kWithoutSpaces.end(),
                             [](Range a, Range b) { return a.last < b.first; }));

constexpr utf8proc_int32_t kZeroWidthSpace = 0x200B;

Role role_of(utf8proc_int32_t character) {
    switch (utf8proc_category(character)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: {
        const auto range = std::find_if(kWithoutSpaces.begin(), kWithoutSpaces.end(),
                                        [&](Range each) { return character <= each.last; });
        return range != kWithoutSpaces.end() && range->first <= character ? Role::stands
                                                                          : Role::joins;
    }
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return Role::joins;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME: return Role::continues;
    case UTF8PROC_CATEGORY_CF:
        return character == kZeroWidthSpace ? Role::separates : Role::continues;
    default: return Role::separates;
    }
}

constexpr bool is_ascii(char c) {
    return static_cast<unsigned char>(c) < 0x80;
}
constexpr bool is_ascii_word(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct Step {
    std::size_t size;
    Role role;
};

/// The character at the front of `text`, which is not empty.
Step step_at(std::string_view text) {
    if (is_ascii(text.front())) {
        return {1, is_ascii_word(text.front()) ? Role::joins : Role::separates};
    }
    utf8proc_int32_t character = -1;
    const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                       static_cast<utf8proc_ssize_t>(text.size()), &character);
    if (size <= 0) return {1, Role::separates};
    return {static_cast<std::size_t>(size), role_of(character)};
}

std::string mapped(std::string_view text, int options) {
    utf8proc_uint8_t* bytes = nullptr;
    const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                   static_cast<utf8proc_ssize_t>(text.size()), &bytes,
                                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | options));
    if (size < 0) return {};
    std::string result(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    std::free(bytes);
    return result;
}

/// Only the marks that European scripts put on letters: in Indic scripts marks are the vowels.
std::string without_accents(std::string_view text) {
    std::string apart = mapped(text, UTF8PROC_DECOMPOSE);
    std::string left;
    for (std::size_t i = 0; i < apart.size(); ++i) {
        // U+0300 to U+036F are CC 80 to CD AF.
        const auto lead = static_cast<unsigned char>(apart[i]);
        if ((lead == 0xCC || lead == 0xCD) && i + 1 < apart.size()) {
            const auto next = static_cast<unsigned char>(apart[i + 1]);
            if (lead == 0xCC || next <= 0xAF) {
                ++i;
                continue;
            }
        }
        left += apart[i];
    }
    return mapped(left, UTF8PROC_COMPOSE);
}

void cut(std::string& form) {
    if (form.size() <= WordForms::kFormBytesMax) return;
    std::size_t size = WordForms::kFormBytesMax;
    while (size > 0 && (static_cast<unsigned char>(form[size]) & 0xC0) == 0x80) --size;
    form.resize(size);
}

} // namespace

std::vector<std::string> stemmed_languages() {
    std::vector<std::string> languages;
    for (const char** each = sb_stemmer_list(); *each != nullptr; ++each) {
        languages.emplace_back(*each);
    }
    return languages;
}

bool WordWalk::next() {
    begin_ = end_;
    while (begin_ < text_.size()) {
        Step step = step_at(text_.substr(begin_));
        end_ = begin_ + step.size;
        if (step.role == Role::joins || step.role == Role::stands) {
            const bool is_run = step.role == Role::joins;
            while (end_ < text_.size()) {
                step = step_at(text_.substr(end_));
                const bool goes_on =
                    step.role == Role::continues || (is_run && step.role == Role::joins);
                if (!goes_on) break;
                end_ += step.size;
            }
            return true;
        }
        begin_ = end_;
    }
    end_ = begin_;
    return false;
}

void WordForms::Deleter::operator()(sb_stemmer* stemmer) const {
    sb_stemmer_delete(stemmer);
}

WordForms::WordForms(const std::string& language)
    : stemmer_(language.empty() ? nullptr : sb_stemmer_new(language.c_str(), "UTF_8")) {
    SLUICE_ASSERT(language.empty() || stemmer_);
}

void WordForms::take(std::string_view word) {
    const bool is_plain = std::all_of(word.begin(), word.end(), is_ascii);
    if (is_plain) {
        plain_ = word;
        for (char& c : plain_) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    } else {
        plain_ =
            mapped(word, UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
    }
    cut(plain_);
    if (stemmer_) {
        // The languages' rules know accents, so these go afterwards.
        const auto* const stem =
            sb_stemmer_stem(stemmer_.get(), reinterpret_cast<const sb_symbol*>(plain_.data()),
                            static_cast<int>(plain_.size()));
        SLUICE_ASSERT(stem != nullptr); // It would be out of memory.
        stem_.assign(reinterpret_cast<const char*>(stem),
                     static_cast<std::size_t>(sb_stemmer_length(stemmer_.get())));
        if (!is_plain) stem_ = without_accents(stem_);
        cut(stem_);
    }
    if (!is_plain) plain_ = without_accents(plain_);
    cut(plain_);
}

} // namespace sluice
