#include "core/eval/needle_plan.h"

#include <algorithm>
#include <array>

#include "core/base/file_io.h"
#include "core/base/sha256.h"
#include "core/eval/planted_facts.h"

namespace ropescope {
namespace {

constexpr std::int64_t kKeyTokens = 10;          // as in YaRN's program
constexpr std::int64_t kLeastAnswerTokens = 32;  // room for a sentence around the answer
constexpr std::int64_t kSpareTokens = 8;
// Facts whose answers are numbers: they cannot be guessed.
constexpr std::array kNeedleFacts = {FactKind::PassKey, FactKind::MagicNumber,
                                   FactKind::SecretNumber};
constexpr std::array kFactWords = {"garden", "winter",  "silver", "journey",
                                   "candle", "harbour", "window", "thunder"};

Error wrong(const std::string& what) {
  return Error{ErrorCode::InvalidArgument, what};
}

// Trial 0 reads the document from its start, the last one its end; as the command line's needle.
double windowShare(std::int64_t trial, std::int64_t trials) {
  return trials < 2 ? 0.0 : static_cast<double>(trial) / static_cast<double>(trials - 1);
}

std::string kindName(const NeedlePlan& plan) {
  switch (plan.kind) {
    case NeedleKind::PassKey:
      return "passkey " + std::string(recipeName(plan.recipe));
    case NeedleKind::Sentence:
      return "sentence";
    case NeedleKind::Facts:
      return "facts";
  }
  return "";
}

std::string hashOf(const std::string& bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.hex();
}

// Of a file its content counts, not its place.
ResultJson fileHash(const std::filesystem::path& path) {
  const auto bytes = readFile(path);
  return bytes ? ResultJson(hashOf(*bytes)) : ResultJson(nullptr);
}

ResultJson parametersOf(const rope::MethodChoice& choice) {
  ResultJson parameters = ResultJson::object();
  const auto method = rope::findMethod(choice.id);
  if (!method) return parameters;
  for (const rope::ParameterSpec& spec : method->parameters()) {
    const auto given = choice.values.find(spec.name);
    if (given == choice.values.end()) continue;
    parameters[spec.name] = spec.kind == rope::ParameterKind::File
                                ? fileHash(std::get<std::string>(given->second))
                                : ResultJson(rope::valueText(given->second));
  }
  return parameters;
}

}  // namespace

bool operator==(const NeedlePlan& a, const NeedlePlan& b) {
  return a.kind == b.kind && a.recipe == b.recipe && a.sentence == b.sentence &&
         a.question == b.question && a.answer == b.answer && a.lengths == b.lengths &&
         a.depths == b.depths && a.trials == b.trials && a.seed == b.seed;
}

Status validate(const NeedlePlan& plan) {
  if (plan.lengths.empty()) return wrong("no lengths are given; for example 1024, 2048, 4096");
  if (plan.depths.empty()) return wrong("no depths are given; for example 0, 50, 100 percent");
  for (std::size_t i = 1; i < plan.lengths.size(); ++i) {
    if (plan.lengths[i] <= plan.lengths[i - 1]) return wrong("lengths must ascend");
  }
  for (std::size_t i = 0; i < plan.depths.size(); ++i) {
    const bool ascends = i == 0 || plan.depths[i] > plan.depths[i - 1];
    if (!ascends || !(plan.depths[i] >= 0.0 && plan.depths[i] <= 1.0)) {
      return wrong("depths must ascend and lie between 0 and 100 percent of the text");
    }
  }
  if (plan.trials < 1) {
    return wrong("trials are " + std::to_string(plan.trials) + "; at least 1 is wanted");
  }
  if (plan.kind != NeedleKind::Sentence) return Done{};
  if (plan.sentence.empty()) return wrong("the sentence to hide is empty; write one");
  if (plan.question.empty()) return wrong("the question about the sentence is empty; write one");
  if (plan.answer.empty()) return wrong("the answer that is wanted is empty; write it");
  return Done{};
}

bool needsDocument(const NeedlePlan& plan) {
  return plan.kind != NeedleKind::PassKey || plan.recipe == PasskeyRecipe::Bookworm;
}

double foundThreshold(const NeedlePlan& plan) {
  return plan.kind == NeedleKind::PassKey ? recipeThreshold(plan.recipe) : 1.0;
}

std::int64_t mostAnswerTokens(const NeedlePlan& plan, const Tokenizer& tokenizer) {
  if (plan.kind == NeedleKind::PassKey) return kKeyTokens;
  if (plan.kind == NeedleKind::Facts) return kLeastAnswerTokens;
  const auto ids = encodeInside(tokenizer, plan.answer);
  const std::int64_t answer = ids ? static_cast<std::int64_t>(ids->size()) : 0;
  return std::max(kLeastAnswerTokens, answer + kSpareTokens);
}

Result<NeedlePrompts> NeedlePrompts::make(const Engine& engine, NeedlePlan plan,
                                          std::shared_ptr<const BookTokens> book) {
  if (Status valid = validate(plan); !valid) return valid.error();
  if (needsDocument(plan) && !book) {
    return wrong(
        "the needle is hidden in the open document and none is open; open one, or take "
        "the pass key of YaRN, which has a filler of its own");
  }
  const auto tokenizer = engine.tokenizer();
  if (!tokenizer) return tokenizer.error();
  NeedlePrompts prompts;
  prompts.m_plan = std::move(plan);
  prompts.m_tokenizer = *tokenizer;
  prompts.m_format = engine.promptFormat();
  prompts.m_book = needsDocument(prompts.m_plan) ? std::move(book) : nullptr;
  if (prompts.m_plan.kind == NeedleKind::PassKey) {
    auto passkeys = PasskeyPrompts::make({.recipe = prompts.m_plan.recipe,
                                          .seed = prompts.m_plan.seed,
                                          .tokenizer = *tokenizer,
                                          .format = prompts.m_format,
                                          .book = prompts.m_book});
    if (!passkeys) return passkeys.error();
    prompts.m_passkeys = std::make_shared<const PasskeyPrompts>(*std::move(passkeys));
  } else if (prompts.m_plan.kind == NeedleKind::Sentence) {
    auto planted =
        PlantedPrompts::make(*tokenizer, prompts.m_format, prompts.m_book, prompts.m_plan.question);
    if (!planted) return planted.error();
    prompts.m_planted = std::make_shared<const PlantedPrompts>(*std::move(planted));
  }
  return prompts;
}

// The fact depends on seed and trial alone: all lengths, depths and methods look for the same ones.
Result<NeedlePrompt> NeedlePrompts::fact(std::int64_t length, double depth,
                                         std::int64_t trial) const {
  SplitMix random(seedFor(m_plan.seed, "facts/" + std::to_string(trial)));
  const PlantedFact fact = drawFact(kNeedleFacts[random.below(kNeedleFacts.size())],
                                    {kFactWords.begin(), kFactWords.end()}, random);
  const auto& [question, answer] = fact.questions.front();
  const auto planted = PlantedPrompts::make(m_tokenizer, m_format, m_book, question);
  if (!planted) return planted.error();
  auto prompt = planted->inWindow(fact.sentence, {.length = length, .depth = depth},
                                  windowShare(trial, m_plan.trials));
  if (!prompt) return prompt.error();
  prompt->expected = answer;
  return NeedlePrompt{*std::move(prompt), question};
}

Result<NeedlePrompt> NeedlePrompts::prompt(std::int64_t length, double depth,
                                           std::int64_t trial) const {
  if (m_plan.kind == NeedleKind::Facts) return fact(length, depth, trial);
  if (m_passkeys) {
    auto prompt = m_passkeys->prompt({.length = length, .depth = depth, .trial = trial});
    if (!prompt) return prompt.error();
    return NeedlePrompt{*std::move(prompt), "What is the pass key?"};
  }
  auto prompt = m_planted->inWindow(m_plan.sentence, {.length = length, .depth = depth},
                                    windowShare(trial, m_plan.trials));
  if (!prompt) return prompt.error();
  prompt->expected = m_plan.answer;
  return NeedlePrompt{*std::move(prompt), m_plan.question};
}

GridRequest NeedlePrompts::request(std::vector<CurveSettings> methods) const {
  GridRequest request{.methods = std::move(methods),
                      .lengths = m_plan.lengths,
                      .depths = m_plan.depths,
                      .trials = m_plan.trials,
                      .mostAnswerTokens = mostAnswerTokens(m_plan, *m_tokenizer),
                      .prompt = {},
                      .judge = m_passkeys ? judgeKey : judgeText};
  request.prompt = [prompts = *this](std::int64_t length, double depth,
                                     std::int64_t trial) -> Result<RetrievalPrompt> {
    auto prompt = prompts.prompt(length, depth, trial);
    if (!prompt) return prompt.error();
    return std::move(prompt->prompt);
  };
  return request;
}

ResultJson needleSettings(const Engine& engine, const NeedlePlan& plan, const CurveSettings& method,
                          const std::string& bookHash) {
  const rope::MethodChoice choice = decidedChoice(method, engine, plan.lengths.back());
  ResultJson settings = {{"kind", kindName(plan)},
                         {"model_hash", engine.modelHash()},
                         {"device", engine.device()},
                         {"dtype", engine.dtype()},
                         {"seed", plan.seed},
                         {"trials", plan.trials},
                         {"document_sha256", bookHash},
                         {"method", method.label},
                         {"rope", method.rope.id},
                         {"factor_follows_length", method.factorFollowsLength},
                         {"parameters", parametersOf(choice)}};
  settings["factor"] = choice.factor ? ResultJson(*choice.factor) : ResultJson(nullptr);
  if (plan.kind == NeedleKind::Sentence) {
    settings["sentence"] = plan.sentence;
    settings["question"] = plan.question;
    settings["answer"] = plan.answer;
  }
  if (method.calibration) {
    settings["calibration"] = {{"sha256", fileHash(method.calibration->info().path)},
                               {"psc_strength", method.pscStrength},
                               {"lora", method.lora}};
  }
  return settings;
}

std::string needleFileName(const ResultJson& settings) {
  constexpr std::size_t kDigits = 16;
  return "needles-" +
         hashOf(settings.dump(-1, ' ', false, ResultJson::error_handler_t::replace))
             .substr(0, kDigits) +
         ".jsonl";
}

}  // namespace ropescope
