#include "views/words.hpp"

#include <gtest/gtest.h>

namespace sluice {
namespace {

std::string forms_of(std::string_view text, const std::string& language = {}) {
    WordForms forms(language);
    std::string all;
    for (WordWalk walk(text); walk.next();) {
        forms.take(walk.word());
        all += (all.empty() ? "" : " ") + forms.plain();
        if (forms.has_stems()) all += '/' + forms.stem();
    }
    return all;
}

TEST(Words, AreRunsOfLettersAndDigits) {
    EXPECT_EQ(forms_of("Don't panic: 42 times, e-mail@x_y!"), "don t panic 42 times e mail x y");
    EXPECT_EQ(forms_of(""), "");
    EXPECT_EQ(forms_of(" ... \n"), "");
    EXPECT_EQ(forms_of("Москва 東京"), "москва 東 京");
    EXPECT_EQ(forms_of("한국어 문서"), "한국어 문서");
    EXPECT_EQ(forms_of("हिन्दी में"), "हिन्दी में"); // Its vowels are marks, and stay.
}

TEST(Words, AreEqualWithoutCaseAccentsAndEncoding) {
    EXPECT_EQ(forms_of("Café CAFE\u0301 ＣＡＦＥ ﬁsh STRASSE straße Ёлка"),
              "cafe cafe cafe fish strasse strasse елка");
    EXPECT_EQ(forms_of("soft\u00ADhyphen zero\u200Bwidth"), "softhyphen zero width");
}

TEST(Words, HaveStemsInALanguage) {
    EXPECT_EQ(forms_of("running Runs", "english"), "running/run runs/run");
    EXPECT_EQ(forms_of("Häuser", "german"), "hauser/haus");
}

TEST(Words, ThatAreTooLongAreCutAtACharacter) {
    std::string word = "x";
    while (word.size() < 400) word += "é";
    EXPECT_LE(forms_of(word).size(), WordForms::kFormBytesMax);
    word.clear();
    while (word.size() < 400) word += "字";
    word = "я";
    while (word.size() < 401) word += "яz";
    const std::string form = forms_of(word);
    EXPECT_LE(form.size(), WordForms::kFormBytesMax);
    EXPECT_EQ(forms_of(form), form);
}

TEST(Words, EndAtBytesThatAreNoText) {
    EXPECT_EQ(forms_of("ab\xFF\xC3 cd"), "ab cd");
    EXPECT_EQ(forms_of(std::string_view("a\0b", 3)), "a b");
}

} // namespace
} // namespace sluice
