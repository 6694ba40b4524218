#include "core/eval/sentences.h"

#include <algorithm>
#include <array>
#include <set>

namespace ropescope {
namespace {

bool isSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// ” ’ in UTF-8, and the plain ones.
constexpr std::array<std::string_view, 4> kClosingQuotes = {"\"", "'", "\xE2\x80\x9D",
                                                            "\xE2\x80\x99"};

struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
};

// `text` is valid UTF-8 and not empty.
Character firstCharacter(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t bytes = byte(0) < 0x80 ? 1 : byte(0) < 0xE0 ? 2 : byte(0) < 0xF0 ? 3 : 4;
  if (bytes == 1 || bytes > text.size()) return {byte(0), 1};
  char32_t code = byte(0) & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) code = code << 6U | (byte(i) & 0x3FU);
  return {code, bytes};
}

// What Python's \w is in books: letters beyond ASCII count, signs and general punctuation do not.
bool isWordCharacter(char32_t code) {
  if (code < 0x80) {
    return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') ||
           (code >= '0' && code <= '9') || code == '_';
  }
  if (code < 0xC0) return code == 0xAA || code == 0xB5 || code == 0xBA;
  if (code == 0xD7 || code == 0xF7) return false;
  return !(code >= 0x2000 && code <= 0x2BFF) && !(code >= 0x3000 && code <= 0x303F);
}

}  // namespace

std::vector<SentenceBreak> sentenceBreaks(std::string_view text) {
  std::vector<SentenceBreak> breaks;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '.' && text[i] != '!' && text[i] != '?') continue;
    std::size_t end = i + 1;
    for (const std::string_view quote : kClosingQuotes) {
      if (text.substr(end, quote.size()) != quote) continue;
      end += quote.size();
      break;
    }
    std::size_t next = end;
    while (next < text.size() && isSpace(text[next])) ++next;
    if (next == end) continue;
    breaks.push_back({static_cast<std::int64_t>(end), static_cast<std::int64_t>(next)});
    i = next - 1;
  }
  return breaks;
}

std::vector<std::string_view> wholeSentences(std::string_view text) {
  std::vector<std::string_view> sentences;
  std::size_t begin = 0;
  for (const SentenceBreak& each : sentenceBreaks(text)) {
    const auto next = static_cast<std::size_t>(each.next);
    sentences.push_back(text.substr(begin, next - begin));
    begin = next;
  }
  return sentences;
}

std::vector<std::string_view> wordsOf(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && !isSpace(text[end])) ++end;
    if (end > i) words.push_back(text.substr(i, end - i));
    i = end + 1;
  }
  return words;
}

std::string_view bareWord(std::string_view word) {
  std::size_t begin = 0;
  while (begin < word.size()) {
    const Character first = firstCharacter(word.substr(begin));
    if (isWordCharacter(first.code)) break;
    begin += first.bytes;
  }
  std::size_t end = begin;
  for (std::size_t i = begin; i < word.size();) {
    const Character character = firstCharacter(word.substr(i));
    i += character.bytes;
    if (isWordCharacter(character.code)) end = i;
  }
  return word.substr(begin, end - begin);
}

std::int64_t lettersOf(std::string_view word) {
  std::int64_t letters = 0;
  while (!word.empty()) {
    const Character first = firstCharacter(word);
    if (isWordCharacter(first.code)) ++letters;
    word.remove_prefix(first.bytes);
  }
  return letters;
}

std::int64_t charactersOf(std::string_view word) {
  return std::count_if(word.begin(), word.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;  // not within a character
  });
}

std::vector<std::string> plainWords(std::string_view text) {
  constexpr std::size_t kShortest = 5;
  constexpr std::size_t kLongest = 9;
  std::set<std::string> words;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    bool plain = true;
    while (end < text.size()) {
      const Character character = firstCharacter(text.substr(end));
      if (!isWordCharacter(character.code)) break;
      plain = plain && character.code >= 'a' && character.code <= 'z';
      end += character.bytes;
    }
    if (plain && end - i >= kShortest && end - i <= kLongest)
      words.emplace(text.substr(i, end - i));
    i = end > i ? end : end + firstCharacter(text.substr(end)).bytes;
  }
  return {words.begin(), words.end()};
}

std::string squeezed(std::string_view text) {
  std::string result;
  for (const std::string_view word : wordsOf(text)) {
    if (!result.empty()) result += ' ';
    result += word;
  }
  return result;
}

}  // namespace ropescope
