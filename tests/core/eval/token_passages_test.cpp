#include "core/eval/token_passages.h"

#include <cmath>
#include <string>

#include <gtest/gtest.h>

namespace ropescope {
namespace {

// One token a word, with the blank before it; BOS first.
std::vector<ByteSpan> wordSpans(const std::string& text) {
  std::vector<ByteSpan> spans{{0, 0}};
  std::int64_t begin = 0;
  for (std::size_t i = 1; i <= text.size(); ++i) {
    if (i < text.size() && text[i] != ' ' && text[i] != '\n') continue;
    spans.push_back({begin, static_cast<std::int64_t>(i)});
    begin = static_cast<std::int64_t>(i);
  }
  return spans;
}

std::string textOf(const std::string& text, const TokenPassage& passage) {
  return text.substr(static_cast<std::size_t>(passage.bytes.begin),
                     static_cast<std::size_t>(passage.bytes.end - passage.bytes.begin));
}

TEST(TokenPassages, ATokenBelongsToTheSentenceThatItWrites) {
  const std::string text = "One two. Three four five! Six";
  const auto passages = sentencePassages(text, wordSpans(text));
  ASSERT_EQ(passages.size(), 3U);
  EXPECT_EQ(textOf(text, passages[0]), "One two.");
  EXPECT_EQ(textOf(text, passages[1]), "Three four five!");
  EXPECT_EQ(textOf(text, passages[2]), "Six");
  // Token 0 is BOS; token 3 is " Three".
  EXPECT_EQ(passages[0].firstToken, 1);
  EXPECT_EQ(passages[0].endToken, 3);
  EXPECT_EQ(passages[1].firstToken, 3);
  EXPECT_EQ(passages[1].endToken, 6);
  EXPECT_EQ(passages[2].endToken, 7);
}

TEST(TokenPassages, ABlankLineEndsASentence) {
  const std::string text = "CHAPTER ONE\n\nIt was dark. It rained\n\n\n";
  const auto passages = sentencePassages(text, wordSpans(text));
  ASSERT_EQ(passages.size(), 3U);
  EXPECT_EQ(textOf(text, passages[0]), "CHAPTER ONE");
  EXPECT_EQ(textOf(text, passages[1]), "It was dark.");
  EXPECT_EQ(textOf(text, passages[2]), "It rained");
}

TEST(TokenPassages, TheTextMayBeginWithinThePrompt) {
  const std::string prompt = "### One. Two.";
  const auto spans = wordSpans(prompt);
  const auto passages = sentencePassages(std::string_view(prompt).substr(4), spans, 4);
  ASSERT_EQ(passages.size(), 2U);
  EXPECT_EQ(passages[0].firstToken, 2);  // after BOS and "###"
  EXPECT_EQ(passages[0].bytes, (ByteSpan{0, 4}));
  EXPECT_EQ(passages[1].firstToken, 3);
}

TEST(TokenPassages, EveryTokenOfTheTextHasOne) {
  const std::string text = "One two. Three.\n\nFour";
  const auto passages = sentencePassages(text, wordSpans(text));
  EXPECT_EQ(passageOf(passages, 0), -1);  // BOS
  EXPECT_EQ(passageOf(passages, 1), 0);
  EXPECT_EQ(passageOf(passages, 2), 0);
  EXPECT_EQ(passageOf(passages, 3), 1);
  EXPECT_EQ(passageOf(passages, 5), 2);  // "\n" and "Four" are tokens 4 and 5
  EXPECT_EQ(passageOf(passages, 99), -1);
}

TEST(TokenPassages, AddsAndAveragesNumbersOfTokens) {
  const std::string text = "One two. Three four five! Six";
  const auto passages = sentencePassages(text, wordSpans(text));
  const double none = std::nan("");
  const std::vector<double> numbers{9, 1, 2, 3, 4, 5};  // token 6 is not there yet
  EXPECT_EQ(passageSums(passages, numbers), (std::vector<double>{3, 12, 0}));
  EXPECT_EQ(passageSums(passages, numbers, 4), (std::vector<double>{0, 9, 0}));
  const auto means = passageMeans(passages, std::vector<double>{none, none, 2, 3, 4, 5, 7}, 1);
  EXPECT_EQ(means, (std::vector<double>{2, 4, 7}));
  const auto long3 = passageMeans(passages, std::vector<double>{none, none, 2, 3, 4, 5, 7}, 3);
  EXPECT_TRUE(std::isnan(long3[0]));
  EXPECT_EQ(long3[1], 4);
}

TEST(TokenPassages, TheLargestComeFirst) {
  const std::vector<double> values{0.5, std::nan(""), 2.0, 0.0, 1.0};
  EXPECT_EQ(largest(values, 2), (std::vector<std::size_t>{2, 4}));
  EXPECT_EQ(largest(values, 9), (std::vector<std::size_t>{2, 4, 0}));
}

TEST(TokenPassages, ParagraphsEndAtBlankLines) {
  const std::string text = "CHAPTER ONE\n\nIt was dark. It rained.\nNobody came.\n \nThen two";
  const auto spans = wordSpans(text);
  const auto sentences = sentencePassages(text, spans);
  const auto paragraphs = paragraphPassages(text, sentences);
  ASSERT_EQ(paragraphs.size(), 3U);
  EXPECT_EQ(textOf(text, paragraphs[0]), "CHAPTER ONE");
  EXPECT_EQ(textOf(text, paragraphs[1]), "It was dark. It rained.\nNobody came.");
  EXPECT_EQ(textOf(text, paragraphs[2]), "Then two");
  EXPECT_EQ(paragraphs[1].endToken, paragraphs[2].firstToken);
}

TEST(TokenPassages, BordersCoverAllTokens) {
  const std::string text = "One two. Three four five! Six";
  const auto passages = sentencePassages(text, wordSpans(text));
  EXPECT_EQ(passageBorders(passages, 9), (std::vector<std::int64_t>{0, 3, 6, 9}));
  EXPECT_EQ(passageBorders(passages, 6), (std::vector<std::int64_t>{0, 3, 6}));
  EXPECT_TRUE(passageBorders({}, 9).empty());
}

TEST(TokenPassages, NothingComesFromNothing) {
  EXPECT_TRUE(sentencePassages("", {}).empty());
  EXPECT_TRUE(sentencePassages(" \n\n ", wordSpans(" \n\n ")).empty());
  EXPECT_EQ(passageOf({}, 0), -1);
}

}  // namespace
}  // namespace ropescope
