// Questions that a text answers by itself, in the wording that the bundled model was trained on
// (resources/models/bookworm-11m/recipe/questions.py, text_questions()).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/random.h"

namespace ropescope {

enum class QuestionType {
  Fact,      // planted in the text (planted_facts.h)
  Word,      // "Which word is missing: …"
  Quote,     // "Complete the quote: …"
  Sentence,  // "Find the sentence that mentions: …"
};
inline constexpr std::array kQuestionTypes{QuestionType::Fact, QuestionType::Word,
                                           QuestionType::Quote, QuestionType::Sentence};
std::string_view questionTypeName(QuestionType type);  // "fact", "word", "quote", "sentence"
std::optional<QuestionType> findQuestionType(std::string_view name);

struct TextQuestion {
  std::string question;
  std::string answer;
};

class TextQuestions {
 public:
  // `text`: the whole document, planted facts included.
  explicit TextQuestions(std::string_view text);

  // A question about one of the text's sentences; none when it has no suitable words, holds marks
  // (_ * #), or when the text would answer it in more than one way.
  std::optional<TextQuestion> ask(QuestionType type, std::string_view sentence,
                                  SplitMix& random) const;

 private:
  using Words = std::vector<std::string_view>;
  std::optional<TextQuestion> quote(const Words& words, SplitMix& random) const;
  std::optional<TextQuestion> missingWord(const Words& words, SplitMix& random) const;
  std::optional<TextQuestion> mention(const Words& words, SplitMix& random) const;
  bool standsOnce(const std::string& text) const;

  std::string m_text;                                 // squeezed
  std::vector<std::vector<std::string>> m_sentences;  // their bare words in lower case
};

}  // namespace ropescope
