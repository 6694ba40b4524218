// The pass key test: a number hidden in a long text (Mohtashami, Jaggi 2023, arXiv:2305.16300), as
// four groups ran it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/eval/planted_document.h"
#include "core/eval/retrieval_prompt.h"

namespace ropescope {

enum class PasskeyRecipe {
  Yarn,      // eval/passkey.py of jquesnelle/yarn: key 1 … 50,000
  Pi,        // arXiv:2306.15595, figure 3: a key of five digits
  LongRope,  // evaluation/passkey.py of microsoft/LongRoPE: as YaRN, the same keys at every length
  Bookworm,  // the bundled model's own prompt: a book, and the question it was trained on
};
inline constexpr std::array kPasskeyRecipes{PasskeyRecipe::Yarn, PasskeyRecipe::Pi,
                                            PasskeyRecipe::LongRope, PasskeyRecipe::Bookworm};
std::string_view recipeName(PasskeyRecipe recipe);  // "yarn", "pi", "longrope", "bookworm"
std::optional<PasskeyRecipe> findRecipe(std::string_view name);

// One sentence for results: filler, key, and what differs from the published program.
std::string_view recipeText(PasskeyRecipe recipe);

// The share of found keys that counts as found: all, or 20 % as in PI's paper.
double recipeThreshold(PasskeyRecipe recipe);

struct PasskeySpot {
  std::int64_t length = 0;  // tokens of the prompt, BOS and question included
  double depth = 0.0;
  std::int64_t trial = 0;
};

class PasskeyPrompts {
 public:
  struct Source {
    PasskeyRecipe recipe = PasskeyRecipe::Yarn;
    std::uint64_t seed = 0;
    std::shared_ptr<const Tokenizer> tokenizer;
    PromptFormat format = {};                          // Bookworm only
    std::shared_ptr<const BookTokens> book = nullptr;  // Bookworm only: its filler
  };
  // Errors: those of the tokenizer and the format; InvalidArgument when Bookworm has no book.
  static Result<PasskeyPrompts> make(Source source);

  // Tokens of a prompt without filler, for the longest key.
  std::int64_t leastLength() const { return m_leastLength; }

  // Depends on the seed and the spot alone. Filler takes what is left of the length; the needle
  // starts round(depth * filler tokens) tokens behind the filler's start.
  // Errors: InvalidArgument naming the least length; those of PlantedPrompts::atDepth.
  Result<RetrievalPrompt> prompt(const PasskeySpot& spot) const;

 private:
  PasskeyPrompts() = default;
  Result<RetrievalPrompt> published(const std::string& key, const PasskeySpot& spot) const;

  Source m_source;
  std::int64_t m_leastLength = 0;
  std::optional<PlantedPrompts> m_planted;  // Bookworm
  TokenIds m_task;                          // BOS, the task and its line end
  TokenIds m_question;                      // a line end before it
};

}  // namespace ropescope
