// Needles for a factor search: facts and questions as the bundled model knows them
// (resources/models/bookworm-11m/recipe/questions.py), answers that cannot be guessed.
#include <algorithm>
#include <array>

#include "core/base/memory_size.h"
#include "core/calibration/longrope_places.h"

namespace ropescope::calibration {
namespace {

struct Fact {
  std::string sentence;
  std::string question;
  std::string answer;
};

constexpr std::array<const char*, 12> kNames = {"Alice Archer",  "Edmund Finch",    "Clara Hale",
                                                "Hugh Lockwood", "Isabel Marlow",   "Jasper Nash",
                                                "Laura Oakley",  "Martin Pembroke", "Nora Quill",
                                                "Oliver Rowan",  "Rachel Stark",    "Silas Thorne"};
constexpr std::array<const char*, 8> kWords = {"garden", "winter",  "silver", "journey",
                                               "candle", "harbour", "window", "thunder"};

std::string digits(SplitMix& random, int count) {
  std::string text(1, static_cast<char>('1' + random.below(9)));
  while (static_cast<int>(text.size()) < count) {
    text += static_cast<char>('0' + random.below(10));
  }
  return text;
}

Fact drawFact(SplitMix& random) {
  const std::uint64_t kind = random.below(3);
  if (kind == 0) {
    const std::string key = digits(random, 5);
    return {"The pass key is " + key + ". Remember it. " + key + " is the pass key.",
            "What is the pass key?", key};
  }
  if (kind == 1) {
    const std::string name = kNames[random.below(kNames.size())];
    const std::string number = digits(random, 5);
    return {name + "'s secret number is " + number + ".", "What is " + name + "'s secret number?",
            number};
  }
  const std::string word = kWords[random.below(kWords.size())];
  const std::string number = digits(random, 7);
  return {"One of the special magic numbers for " + word + " is: " + number + ".",
          "What is the special magic number for " + word + "?", number};
}

// The byte after the next blank or line end from `from` on: never within a character.
std::size_t nextWord(const std::string& text, std::size_t from) {
  const auto blank = text.find_first_of(" \n", from);
  return blank == std::string::npos ? text.size() : blank + 1;
}

// After the first sentence that ends at `from` or later, else after the next word.
std::size_t sentenceEnd(const std::string& text, std::size_t from) {
  constexpr std::size_t kFar = 1000;  // bytes
  const auto stop = text.find(". ", from);
  return stop == std::string::npos || stop > from + kFar ? nextWord(text, from) : stop + 2;
}

Result<std::vector<std::int32_t>> answerIds(const PromptFormat& format, const Tokenizer& tokenizer,
                                            const std::string& answer) {
  if (!format.plainQuestions) return tokenizer.encode(answer).ids;
  auto plain = tokenizer.encodeAfter(format.plainPrefix, format.plainPrefixIds, answer);
  if (!plain) return plain.error();
  return std::move(plain->ids);
}

struct NeedleParts {
  Fact fact;
  std::vector<std::int32_t> question;
  std::vector<std::int32_t> answer;
  double depth = 0.0;  // share of the passage before the needle
};

// The passage from token `begin` on, `tokens` of it, with the needle in it, as the document part.
Result<PromptPart> passageWith(const Engine& engine, const Tokenizer& tokenizer,
                               const SearchBook& book, std::int64_t begin, std::int64_t tokens,
                               const NeedleParts& parts) {
  const auto first = nextWord(
      book.text, static_cast<std::size_t>(book.spans[static_cast<std::size_t>(begin)].begin));
  const auto last =
      static_cast<std::size_t>(book.spans[static_cast<std::size_t>(begin + tokens - 1)].end);
  const auto end = std::max(first, book.text.find_last_of(" \n", last) + 1);
  std::string passage = book.text.substr(first, end - first);
  const auto place = sentenceEnd(
      passage, static_cast<std::size_t>(parts.depth * static_cast<double>(passage.size())));
  passage.insert(place, parts.fact.sentence + " ");
  return documentPart(engine.promptFormat(), tokenizer, passage);
}

Result<NeedleParts> drawNeedle(const Engine& engine, const Tokenizer& tokenizer, SplitMix& random) {
  constexpr double kDeepest = 0.1;
  NeedleParts parts{.fact = drawFact(random), .question = {}, .answer = {}};
  parts.depth = kDeepest * random.uniform();
  auto question = questionPart(engine.promptFormat(), tokenizer, parts.fact.question);
  if (!question) return question.error();
  parts.question = std::move(question->ids);
  auto answer = answerIds(engine.promptFormat(), tokenizer, parts.fact.answer);
  if (!answer) return answer.error();
  parts.answer = *std::move(answer);
  return parts;
}

// As much of the book as fits: the passage shrinks until the whole prompt is `length` tokens or
// fewer.
Result<SearchSample> needleIn(const Engine& engine, const SearchBook& book, std::int64_t length,
                              SplitMix& random) {
  const auto tokenizer = engine.tokenizer();
  if (!tokenizer) return tokenizer.error();
  const auto parts = drawNeedle(engine, **tokenizer, random);
  if (!parts) return parts.error();
  const auto tail = static_cast<std::int64_t>(parts->question.size() + parts->answer.size());
  const auto places =
      static_cast<std::uint64_t>(book.ids.size()) - static_cast<std::uint64_t>(length) + 1;
  const auto begin = static_cast<std::int64_t>(random.below(places));
  for (std::int64_t tokens = length - tail; tokens > 0;) {
    auto document = passageWith(engine, **tokenizer, book, begin, tokens, *parts);
    if (!document) return document.error();
    auto& ids = document->ids;
    const std::int64_t excess = static_cast<std::int64_t>(ids.size()) + tail - length;
    if (excess > 0) {
      tokens -= excess;
      continue;
    }
    ids.insert(ids.end(), parts->question.begin(), parts->question.end());
    const auto firstScored = static_cast<std::int64_t>(ids.size());
    ids.insert(ids.end(), parts->answer.begin(), parts->answer.end());
    return SearchSample{.book = book.name,
                        .begin = begin,
                        .question = parts->fact.question,
                        .answer = parts->fact.answer,
                        .ids = std::move(ids),
                        .firstScored = firstScored};
  }
  return Error{ErrorCode::InvalidArgument, "a needle with its question does not fit into " +
                                               countText(length) +
                                               " tokens; give a longer --context"};
}

}  // namespace

Result<std::vector<SearchSample>> needleSamples(const Engine& engine, const SampleConfig& config) {
  BookDraw draw(engine, config, config.length);
  std::vector<SearchSample> samples;
  for (std::int64_t k = 0; k < config.count; ++k) {
    const auto book = draw.next();
    if (!book) return book.error();
    if ((*book)->text.empty()) {
      return Error{
          ErrorCode::InvalidArgument,
          (*book)->name + " holds token ids; needles are planted in texts, give UTF-8 text files"};
    }
    auto sample = needleIn(engine, **book, config.length, draw.random());
    if (!sample) return sample.error();
    samples.push_back(*std::move(sample));
  }
  return samples;
}

}  // namespace ropescope::calibration
