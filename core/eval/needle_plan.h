// What a needle grid of the window asks: a pass key, the user's own sentence, or planted facts, at
// many lengths and depths. The same prompts as passkey and needle of the command line.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/eval/passkey_prompt.h"
#include "core/eval/retrieval_grid.h"

namespace ropescope {

enum class NeedleKind {
  PassKey,   // a recipe's number
  Sentence,  // the user's own sentence, question and answer
  Facts,     // sentences of planted_facts.h, another one for every trial
};

struct NeedlePlan {
  NeedleKind kind = NeedleKind::PassKey;
  PasskeyRecipe recipe = PasskeyRecipe::Yarn;  // of a pass key
  std::string sentence = {};                   // of Sentence
  std::string question = {};
  std::string answer = {};
  std::vector<std::int64_t> lengths = {};  // ascending, tokens of a prompt
  std::vector<double> depths = {};         // ascending, 0 to 1
  std::int64_t trials = 1;
  std::uint64_t seed = 0;
};
bool operator==(const NeedlePlan& a, const NeedlePlan& b);

// InvalidArgument names what is missing or out of order.
Status validate(const NeedlePlan& plan);

bool needsDocument(const NeedlePlan& plan);     // all but pass keys in a filler of their own
double foundThreshold(const NeedlePlan& plan);  // share of a cell's trials that counts as found
std::int64_t mostAnswerTokens(const NeedlePlan& plan, const Tokenizer& tokenizer);

struct NeedlePrompt {
  RetrievalPrompt prompt;
  std::string question;  // for people
};

class NeedlePrompts {
 public:
  // `book` may be null where needsDocument() is false.
  // Errors: those of validate(), of the tokenizer and of the format.
  static Result<NeedlePrompts> make(const Engine& engine, NeedlePlan plan,
                                    std::shared_ptr<const BookTokens> book);

  Result<NeedlePrompt> prompt(std::int64_t length, double depth, std::int64_t trial) const;
  // A grid of these prompts. The request holds a copy of everything it needs.
  GridRequest request(std::vector<CurveSettings> methods) const;
  const NeedlePlan& plan() const { return m_plan; }

 private:
  NeedlePrompts() = default;
  Result<NeedlePrompt> fact(std::int64_t length, double depth, std::int64_t trial) const;

  NeedlePlan m_plan;
  std::shared_ptr<const Tokenizer> m_tokenizer;
  PromptFormat m_format;
  std::shared_ptr<const BookTokens> m_book;
  std::shared_ptr<const PasskeyPrompts> m_passkeys;  // PassKey
  std::shared_ptr<const PlantedPrompts> m_planted;   // Sentence
};

// What every cell of one setting depends on, and nothing else: lengths and depths may be added to a
// grid without measuring its cells again. `bookHash` is empty without a book.
ResultJson needleSettings(const Engine& engine, const NeedlePlan& plan, const CurveSettings& method,
                          const std::string& bookHash);

// The name of the file that keeps cells of these settings: "needles-0123456789abcdef.jsonl".
std::string needleFileName(const ResultJson& settings);

}  // namespace ropescope
