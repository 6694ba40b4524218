#include "core/eval/text_questions.h"

#include <algorithm>
#include <cstdint>

#include "core/eval/sentences.h"

namespace ropescope {
namespace {

using Words = std::vector<std::string_view>;

// Lengths of sentences and questions, in words, as in the recipe.
constexpr std::size_t kShortestSentence = 6;
constexpr std::size_t kLongestSentence = 36;
constexpr std::size_t kShortestQuoted = 10;
constexpr std::int64_t kShortestGap = 4;      // letters of a missing word
constexpr std::int64_t kShortestMention = 6;  // characters

// first … last, both included.
std::size_t between(std::size_t first, std::size_t last, SplitMix& random) {
  return first + random.below(last - first + 1);
}

std::string joined(const Words& words, std::size_t begin, std::size_t end) {
  std::string text;
  for (std::size_t i = begin; i < end; ++i) {
    text += (i > begin ? " " : "") + std::string(words[i]);
  }
  return text;
}

std::string lowered(std::string_view word) {
  std::string text(word);
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::vector<std::string> bareWords(std::string_view sentence) {
  std::vector<std::string> words;
  for (const std::string_view word : wordsOf(sentence)) words.push_back(lowered(bareWord(word)));
  return words;
}

}  // namespace

std::string_view questionTypeName(QuestionType type) {
  switch (type) {
    case QuestionType::Fact:
      return "fact";
    case QuestionType::Word:
      return "word";
    case QuestionType::Quote:
      return "quote";
    case QuestionType::Sentence:
      return "sentence";
  }
  return "fact";
}

std::optional<QuestionType> findQuestionType(std::string_view name) {
  for (const QuestionType type : kQuestionTypes) {
    if (name == questionTypeName(type)) return type;
  }
  return std::nullopt;
}

TextQuestions::TextQuestions(std::string_view text) : m_text(squeezed(text)) {
  std::size_t end = 0;
  for (const std::string_view sentence : wholeSentences(text)) {
    m_sentences.push_back(bareWords(sentence));
    end += sentence.size();
  }
  m_sentences.push_back(bareWords(text.substr(end)));
}

std::optional<TextQuestion> TextQuestions::ask(QuestionType type, std::string_view sentence,
                                               SplitMix& random) const {
  if (sentence.find_first_of("_*#") != std::string_view::npos) return std::nullopt;
  const Words words = wordsOf(sentence);
  if (words.size() < kShortestSentence || words.size() > kLongestSentence) return std::nullopt;
  switch (type) {
    case QuestionType::Word:
      return missingWord(words, random);
    case QuestionType::Quote:
      return quote(words, random);
    case QuestionType::Sentence:
      return mention(words, random);
    case QuestionType::Fact:
      return std::nullopt;
  }
  return std::nullopt;
}

bool TextQuestions::standsOnce(const std::string& text) const {
  const auto first = m_text.find(text);
  return first != std::string::npos && m_text.find(text, first + 1) == std::string::npos;
}

std::optional<TextQuestion> TextQuestions::quote(const Words& words, SplitMix& random) const {
  if (words.size() < kShortestQuoted) return std::nullopt;
  const std::size_t quoted = between(4, std::min<std::size_t>(8, words.size() - 4), random);
  const std::string begin = joined(words, 0, quoted);
  if (!standsOnce(begin)) return std::nullopt;
  return TextQuestion{"Complete the quote: " + begin, joined(words, quoted, words.size())};
}

std::optional<TextQuestion> TextQuestions::missingWord(const Words& words, SplitMix& random) const {
  std::vector<std::size_t> places;
  for (std::size_t i = 2; i < words.size(); ++i) {
    if (lettersOf(words[i]) >= kShortestGap) places.push_back(i);
  }
  if (places.empty()) return std::nullopt;
  const std::size_t gap = places[random.below(places.size())];
  const std::size_t begin = gap - std::min(gap, between(4, 9, random));
  const std::size_t end = std::min(words.size(), gap + between(3, 8, random));
  const std::string left = joined(words, begin, gap);
  const std::string right = joined(words, std::min(gap + 1, end), end);
  // One of the two sides is enough to tell the place.
  if (!standsOnce(left + " ") && (right.empty() || !standsOnce(" " + right))) return std::nullopt;
  return TextQuestion{"Which word is missing: " + left + " ____ " + right,
                      std::string(bareWord(words[gap]))};
}

std::optional<TextQuestion> TextQuestions::mention(const Words& words, SplitMix& random) const {
  std::vector<std::string> rare;
  for (const std::string_view word : words) {
    const std::string_view bare = bareWord(word);
    if (charactersOf(bare) < kShortestMention) continue;
    const auto holds = [&](const std::vector<std::string>& sentence) {
      return std::find(sentence.begin(), sentence.end(), lowered(bare)) != sentence.end();
    };
    if (std::count_if(m_sentences.begin(), m_sentences.end(), holds) == 1) rare.emplace_back(bare);
  }
  if (rare.empty()) return std::nullopt;
  // The longest of three drawn at random.
  std::string longest;
  for (int i = 0; i < 3 && !rare.empty(); ++i) {
    const auto drawn = rare.begin() + static_cast<std::ptrdiff_t>(random.below(rare.size()));
    if (charactersOf(*drawn) > charactersOf(longest)) longest = *drawn;
    rare.erase(drawn);
  }
  return TextQuestion{"Find the sentence that mentions: " + longest,
                      joined(words, 0, words.size())};
}

}  // namespace ropescope
