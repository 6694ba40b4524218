#include "core/eval/passkey_prompt.h"

#include <algorithm>
#include <cmath>

#include "core/base/memory_size.h"
#include "core/rope/rope_method.h"

namespace ropescope {
namespace {

// Wording of arXiv:2305.16300, which all three programs kept. Each stands on a line of its own.
constexpr std::string_view kTask =
    "There is an important info hidden inside a lot of irrelevant text. Find it and memorize them. "
    "I will quiz you about the important information there.";
constexpr std::string_view kFiller =
    "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.";
constexpr std::string_view kQuestion = "What is the pass key? The pass key is";
// The bundled model answers in a line of its own (recipe/questions.py).
constexpr const char* kBookQuestion = "What is the pass key?";

constexpr const char* kLongestKey = "50000";

std::string needleText(const std::string& key) {
  return "The pass key is " + key + ". Remember it. " + key + " is the pass key.";
}

std::string drawKey(PasskeyRecipe recipe, SplitMix& random) {
  const bool fiveDigits = recipe == PasskeyRecipe::Pi || recipe == PasskeyRecipe::Bookworm;
  return std::to_string(fiveDigits ? 10000 + random.below(90000) : 1 + random.below(50000));
}

// LongRoPE's program starts its random numbers anew at every length.
std::string streamName(PasskeyRecipe recipe, const PasskeySpot& spot) {
  const std::string length =
      recipe == PasskeyRecipe::LongRope ? "any" : std::to_string(spot.length);
  return "passkey/" + length + "/" + rope::valueText(spot.depth) + "/" + std::to_string(spot.trial);
}

void append(TokenIds& ids, const TokenIds& more) {
  ids.insert(ids.end(), more.begin(), more.end());
}

// The first `count` tokens of the filler, repeated with blanks between.
Result<TokenIds> fillerIds(const Tokenizer& tokenizer, std::int64_t count) {
  std::string text(kFiller);
  while (true) {
    auto ids = encodeInside(tokenizer, text);
    if (!ids) return ids.error();
    if (static_cast<std::int64_t>(ids->size()) >= count) {
      ids->resize(static_cast<std::size_t>(count));
      return ids;
    }
    text += " " + text;
  }
}

Status checkLength(std::int64_t length, std::int64_t least) {
  if (length >= least) return Done{};
  return Error{ErrorCode::InvalidArgument,
               "a prompt of " + countText(length) +
                   " tokens is too short: its task, pass key and question alone take " +
                   countText(least) + "; give lengths from " + std::to_string(least) + " up"};
}

}  // namespace

std::string_view recipeName(PasskeyRecipe recipe) {
  switch (recipe) {
    case PasskeyRecipe::Yarn:
      return "yarn";
    case PasskeyRecipe::Pi:
      return "pi";
    case PasskeyRecipe::LongRope:
      return "longrope";
    case PasskeyRecipe::Bookworm:
      return "bookworm";
  }
  return "yarn";
}

std::optional<PasskeyRecipe> findRecipe(std::string_view name) {
  for (const PasskeyRecipe recipe : kPasskeyRecipes) {
    if (name == recipeName(recipe)) return recipe;
  }
  return std::nullopt;
}

std::string_view recipeText(PasskeyRecipe recipe) {
  switch (recipe) {
    case PasskeyRecipe::Yarn:
      return "YaRN's prompt: repeated filler, key 1 to 50,000; here the filler is cut at a token "
             "so "
             "that the length is exact, and depths are a grid instead of drawn";
    case PasskeyRecipe::Pi:
      return "PI's prompt: repeated filler, key of five digits; here the filler is cut at a token "
             "so "
             "that the length is exact, instead of repeated whole";
    case PasskeyRecipe::LongRope:
      return "LongRoPE's prompt: repeated filler, key 1 to 50,000, the same keys at every length; "
             "here the filler is cut at a token instead of by 3.65 characters a token, and depths "
             "are a grid instead of drawn";
    case PasskeyRecipe::Bookworm:
      return "the model's own document and question format: a window of a book with the key "
             "between "
             "two sentences, key of five digits, length exact to the token";
  }
  return "";
}

double recipeThreshold(PasskeyRecipe recipe) {
  return recipe == PasskeyRecipe::Pi ? 0.2 : 1.0;
}

Result<PasskeyPrompts> PasskeyPrompts::make(Source source) {
  PasskeyPrompts prompts;
  prompts.m_source = std::move(source);
  const Source& from = prompts.m_source;
  if (from.recipe == PasskeyRecipe::Bookworm) {
    if (!from.book) {
      return Error{ErrorCode::InvalidArgument,
                   "the bookworm recipe hides the key in a book and none is given; add --document "
                   "FILE, or take another recipe with --recipe"};
    }
    auto planted = PlantedPrompts::make(from.tokenizer, from.format, from.book, kBookQuestion);
    if (!planted) return planted.error();
    const auto least = planted->leastLength(needleText(kLongestKey));
    if (!least) return least.error();
    prompts.m_planted = *std::move(planted);
    prompts.m_leastLength = *least;
    return prompts;
  }
  const auto question = encodeInside(*from.tokenizer, "\n" + std::string(kQuestion));
  const auto needle = encodeInside(*from.tokenizer, "\n" + needleText(kLongestKey) + "\n");
  if (!question) return question.error();
  if (!needle) return needle.error();
  if (from.tokenizer->addsBos()) prompts.m_task.push_back(from.tokenizer->bos());
  append(prompts.m_task, from.tokenizer->encode(std::string(kTask) + "\n").ids);
  prompts.m_question = *question;
  prompts.m_leastLength =
      static_cast<std::int64_t>(prompts.m_task.size() + needle->size() + prompts.m_question.size());
  return prompts;
}

Result<RetrievalPrompt> PasskeyPrompts::published(const std::string& key,
                                                  const PasskeySpot& spot) const {
  const auto needle = encodeInside(*m_source.tokenizer, "\n" + needleText(key) + "\n");
  const auto lineEnd = encodeInside(*m_source.tokenizer, "\n");
  if (!needle) return needle.error();
  if (!lineEnd) return lineEnd.error();
  const auto room =
      spot.length - static_cast<std::int64_t>(m_task.size() + needle->size() + m_question.size());
  const std::int64_t before = std::llround(spot.depth * static_cast<double>(room));
  const auto filler = fillerIds(*m_source.tokenizer, std::max(before, room - before));
  if (!filler) return filler.error();
  RetrievalPrompt prompt;
  TokenIds document = m_task;
  document.insert(document.end(), filler->begin(), filler->begin() + before);
  prompt.needleBegin = static_cast<std::int64_t>(document.size() + lineEnd->size());
  append(document, *needle);
  // As published: behind the needle the filler starts anew.
  document.insert(document.end(), filler->begin(), filler->begin() + (room - before));
  prompt.parts = {std::move(document), m_question};
  return prompt;
}

Result<RetrievalPrompt> PasskeyPrompts::prompt(const PasskeySpot& spot) const {
  if (Status fits = checkLength(spot.length, m_leastLength); !fits) return fits.error();
  SplitMix random(seedFor(m_source.seed, streamName(m_source.recipe, spot)));
  const std::string key = drawKey(m_source.recipe, random);
  auto prompt = m_planted ? m_planted->atDepth(needleText(key),
                                               {.length = spot.length, .depth = spot.depth}, random)
                          : published(key, spot);
  if (prompt) prompt->expected = key;
  return prompt;
}

}  // namespace ropescope
