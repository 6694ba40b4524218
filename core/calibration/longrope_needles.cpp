// Needles for a factor search: planted facts whose answers are numbers, which cannot be guessed.
#include <array>

#include "core/base/memory_size.h"
#include "core/calibration/longrope_places.h"
#include "core/eval/planted_document.h"
#include "core/eval/planted_facts.h"

namespace ropescope::calibration {
namespace {

constexpr std::array kKinds = {FactKind::PassKey, FactKind::MagicNumber, FactKind::SecretNumber};
constexpr std::array kWords = {"garden", "winter",  "silver", "journey",
                               "candle", "harbour", "window", "thunder"};
constexpr double kDeepest = 0.1;  // share of the text before the needle

Result<std::vector<std::int32_t>> answerIds(const PromptFormat& format, const Tokenizer& tokenizer,
                                            const std::string& answer) {
  if (!format.plainQuestions) return tokenizer.encode(answer).ids;
  auto plain = tokenizer.encodeAfter(format.plainPrefix, format.plainPrefixIds, answer);
  if (!plain) return plain.error();
  return std::move(plain->ids);
}

Result<SearchSample> needleIn(const Engine& engine, const SearchBook& book, std::int64_t length,
                              SplitMix& random) {
  const auto tokenizer = engine.tokenizer();
  if (!tokenizer) return tokenizer.error();
  const PlantedFact fact =
      drawFact(kKinds[random.below(kKinds.size())], {kWords.begin(), kWords.end()}, random);
  const auto& [question, answer] = fact.questions.front();
  const auto answered = answerIds(engine.promptFormat(), **tokenizer, answer);
  if (!answered) return answered.error();
  const auto tokens = bookTokens(**tokenizer, book.name, book.text);
  if (!tokens) return tokens.error();
  const auto prompts =
      PlantedPrompts::make(*tokenizer, engine.promptFormat(), *tokens, question);
  if (!prompts) return prompts.error();
  const NeedlePlace place{.length = length - static_cast<std::int64_t>(answered->size()),
                          .depth = kDeepest * random.uniform()};
  const auto prompt = prompts->inWindow(fact.sentence, place, random.uniform());
  if (!prompt) return prompt.error();
  SearchSample sample{.book = book.name, .question = question, .answer = answer, .ids = {}};
  for (const auto& part : prompt->parts) {
    sample.ids.insert(sample.ids.end(), part.begin(), part.end());
  }
  sample.begin = prompt->needleBegin;
  sample.firstScored = static_cast<std::int64_t>(sample.ids.size());
  sample.ids.insert(sample.ids.end(), answered->begin(), answered->end());
  return sample;
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
