// Sentences and words by the recipe's rules.
#include "core/eval/sentences.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_models.h"

namespace ropescope::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Sentences, EndAtPunctuationPerhapsAQuoteAndWhiteSpace) {
  EXPECT_THAT(wholeSentences("One. Two!\n\nThree?” Four.' “Five, v.5” rest"),
              ElementsAre("One. ", "Two!\n\n", "Three?” ", "Four.' "));
  EXPECT_THAT(wholeSentences("Wait... What?! No"), ElementsAre("Wait... ", "What?! "));
  EXPECT_THAT(wholeSentences("no end"), IsEmpty());
  EXPECT_THAT(wholeSentences(""), IsEmpty());
  const auto breaks = sentenceBreaks("Yes.’  No.");
  ASSERT_EQ(breaks.size(), 1U);
  EXPECT_EQ(breaks[0].end, 7);  // a quote of three bytes
  EXPECT_EQ(breaks[0].next, 9);
}

TEST(Sentences, GiveBareWordsAndTheirLetters) {
  EXPECT_EQ(bareWord("“don’t,”"), "don’t");
  EXPECT_EQ(bareWord("—cafés!—"), "cafés");
  EXPECT_EQ(bareWord("..."), "");
  EXPECT_EQ(lettersOf("“cafés”"), 5);
  EXPECT_EQ(lettersOf("know—that"), 8);
  EXPECT_EQ(squeezed("  a\n b\t\tc "), "a b c");
  EXPECT_THAT(plainWords("The house, a House; house2 and houses—mice café houselets eleven"),
              ElementsAre("eleven", "house", "houselets", "houses"));
}

// Numbers from Python 3.11 with the recipe's own expressions, on a passage of a novel.
TEST(Sentences, CountAsTheRecipeDoesOnABook) {
  const std::string text = readText(testsDir() / "golden" / "inputs" / "excerpt.txt");
  const auto sentences = wholeSentences(text);
  EXPECT_EQ(sentences.size(), 112U);  // sentences() has the rest as its 113th
  EXPECT_EQ(sentences[1], "As for Miladi, she will be best out of your path, Victor. ");
  std::vector<std::size_t> counts;
  for (const auto sentence : sentences) counts.push_back(wordsOf(sentence).size());
  EXPECT_THAT(std::vector(counts.begin(), counts.begin() + 10),
              ElementsAre(17, 12, 1, 4, 7, 4, 9, 1, 27, 1));
  const auto usable =
      std::count_if(counts.begin(), counts.end(), [](std::size_t n) { return n >= 6 && n <= 36; });
  EXPECT_EQ(usable + 1, 69);  // the rest is one of the recipe's 69
  const auto words = plainWords(text);
  EXPECT_EQ(words.size(), 577U);
  EXPECT_EQ(words.front(), "about");
  EXPECT_EQ(words.back(), "youth");
  std::size_t longWords = 0;
  std::size_t gaps = 0;
  for (const auto word : wordsOf(text)) {
    longWords += charactersOf(bareWord(word)) > 5 ? 1U : 0U;
    gaps += lettersOf(word) > 3 ? 1U : 0U;
  }
  EXPECT_EQ(wordsOf(text).size(), 2630U);
  EXPECT_EQ(longWords, 626U);
  EXPECT_EQ(gaps, 1435U);
}

}  // namespace
}  // namespace ropescope::test
