// passkey: a number hidden in a long text, by length and depth.
#include "app/cli/commands.h"
#include "app/cli/retrieval_run.h"
#include "core/eval/passkey_prompt.h"

namespace ropescope::cli {
namespace {

constexpr std::int64_t kDefaultTrials = 10;  // per cell, as YaRN's paper has per length
constexpr std::int64_t kAnswerTokens = 10;   // as in YaRN's program

// --recipe; else the model's own prompt where there is one and a book to hide the key in; else
// YaRN's.
PasskeyRecipe recipeFor(const Run& run) {
  const bool own = run.engine().promptFormat().fromModel && !run.options().documents.empty();
  return run.options().retrieval.recipe.value_or(own ? PasskeyRecipe::Bookworm
                                                     : PasskeyRecipe::Yarn);
}

Result<PasskeyPrompts> promptsFor(Run& run, PasskeyRecipe recipe) {
  const auto tokenizer = run.tokenizer();
  if (!tokenizer) return tokenizer.error();
  PasskeyPrompts::Source source{.recipe = recipe,
                                .seed = run.options().seed,
                                .tokenizer = *tokenizer,
                                .format = run.engine().promptFormat()};
  if (!run.options().documents.empty()) {
    if (recipe != PasskeyRecipe::Bookworm) {
      return Error{ErrorCode::InvalidArgument,
                   "the " + std::string(recipeName(recipe)) +
                       " recipe has a filler of its own and takes no --document; leave it out, or "
                       "add --recipe bookworm"};
    }
    auto book = readBook(run, run.options().documents.front());
    if (!book) return book.error();
    source.book = *std::move(book);
    noticePromptFormat(run);
  }
  return PasskeyPrompts::make(std::move(source));
}

}  // namespace

Status runPasskey(Run& run) {
  const RetrievalOptions& options = run.options().retrieval;
  const PasskeyRecipe recipe = recipeFor(run);
  const auto prompts = promptsFor(run, recipe);
  if (!prompts) return prompts.error();
  auto plan = retrievalPlan(run);
  if (!plan) return plan.error();
  GridRequest request{
      .methods = plan->methods,
      .lengths = plan->lengths,
      .depths = gridDepths(run.options()),
      .trials = options.trials.value_or(kDefaultTrials),
      .mostAnswerTokens = kAnswerTokens,
      .prompt =
          [&](std::int64_t length, double depth, std::int64_t trial) {
            return prompts->prompt({.length = length, .depth = depth, .trial = trial});
          },
      .judge = judgeKey};
  auto log = openResultLog(run, *plan,
                           {{"recipe", recipeName(recipe)},
                            {"depths", request.depths},
                            {"trials", request.trials},
                            {"max_new_tokens", request.mostAnswerTokens}});
  if (!log) return log.error();
  run.settings()["recipe_text"] = recipeText(recipe);
  run.settings()["recipe_chosen_by"] = options.recipe ? "--recipe" : "default";
  run.fields()["recipe"] = recipeName(recipe);
  run.console().info(std::string(recipeText(recipe)));
  return runGrid(run, request, *log, options.threshold.value_or(recipeThreshold(recipe)));
}

}  // namespace ropescope::cli
