// needle: the user's own sentence, hidden in the user's own document.
#include <algorithm>

#include "app/cli/commands.h"
#include "app/cli/retrieval_run.h"

namespace ropescope::cli {
namespace {

constexpr std::int64_t kLeastAnswerTokens = 32;  // room for a sentence around the answer
constexpr std::int64_t kSpareTokens = 8;

// Trial 0 reads the document from its start, the last one its end.
double windowShare(std::int64_t trial, std::int64_t trials) {
  return trials < 2 ? 0.0 : static_cast<double>(trial) / static_cast<double>(trials - 1);
}

Result<PlantedPrompts> promptsFor(Run& run) {
  if (run.options().questions.size() != 1) {
    return Error{ErrorCode::InvalidArgument, "needle asks one question, " +
                                                 std::to_string(run.options().questions.size()) +
                                                 " are given; call it once for each"};
  }
  const auto tokenizer = run.tokenizer();
  if (!tokenizer) return tokenizer.error();
  const auto book = readBook(run, run.options().documents.front());
  if (!book) return book.error();
  noticePromptFormat(run);
  return PlantedPrompts::make(*tokenizer, run.engine().promptFormat(), *book,
                              run.options().questions.front());
}

}  // namespace

Status runNeedle(Run& run) {
  const RetrievalOptions& options = run.options().retrieval;
  const auto prompts = promptsFor(run);
  if (!prompts) return prompts.error();
  auto plan = retrievalPlan(run);
  if (!plan) return plan.error();
  const auto answerIds = encodeInside(*run.tokenizerOrNull(), options.answer);
  if (!answerIds) return answerIds.error();
  GridRequest request{
      .methods = plan->methods,
      .lengths = plan->lengths,
      .depths = gridDepths(run.options()),
      .trials = options.trials.value_or(1),
      .mostAnswerTokens =
          std::max(kLeastAnswerTokens, static_cast<std::int64_t>(answerIds->size()) + kSpareTokens),
      .prompt = {},
      .judge = judgeText};
  request.prompt = [&](std::int64_t length, double depth, std::int64_t trial) {
    auto prompt = prompts->inWindow(options.needle, {.length = length, .depth = depth},
                                    windowShare(trial, request.trials));
    if (prompt) prompt->expected = options.answer;
    return prompt;
  };
  auto log = openResultLog(run, *plan,
                           {{"needle", options.needle},
                            {"question", run.options().questions.front()},
                            {"answer", options.answer},
                            {"depths", request.depths},
                            {"trials", request.trials},
                            {"max_new_tokens", request.mostAnswerTokens}});
  if (!log) return log.error();
  return runGrid(run, request, *log, options.threshold.value_or(1.0));
}

}  // namespace ropescope::cli
