// English text as sentences and words, by the rules that the bundled model's questions were made
// with (resources/models/bookworm-11m/recipe/questions.py).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ropescope {

// Where a sentence stands: one of . ! ? and perhaps a closing quote, then white space.
struct SentenceBreak {
  std::int64_t end = 0;   // byte behind the punctuation
  std::int64_t next = 0;  // byte behind the white space
};
std::vector<SentenceBreak> sentenceBreaks(std::string_view text);

// Whole sentences with the white space behind them. What follows the last break is left out.
std::vector<std::string_view> wholeSentences(std::string_view text);

// Pieces between white space.
std::vector<std::string_view> wordsOf(std::string_view text);

// A word without the punctuation around it.
std::string_view bareWord(std::string_view word);

// Letters, digits and underscores of a word, in characters.
std::int64_t lettersOf(std::string_view word);

// All its characters.
std::int64_t charactersOf(std::string_view word);

// In order and each once: words of 5 to 9 lower-case letters a to z that stand in `text`.
std::vector<std::string> plainWords(std::string_view text);

// Trimmed, every run of white space one blank.
std::string squeezed(std::string_view text);

}  // namespace ropescope
