// generate: the continuation of a text or of ids.
#include "app/cli/answers.h"
#include "app/cli/commands.h"
#include "app/cli/inputs.h"
#include "core/tokenizer/utf8.h"

namespace ropescope::cli {
namespace {

Result<std::vector<std::int32_t>> promptIds(Run& run) {
  const Options& options = run.options();
  if (options.tokens) return readTokensFile(run);
  const auto tokenizer = run.tokenizer();
  if (!tokenizer) return tokenizer.error();
  if (const auto bad = firstInvalidUtf8(*options.prompt)) {
    return Error{ErrorCode::InvalidArgument,
                 "--prompt is not UTF-8 (first wrong byte at offset " + std::to_string(*bad) + ")"};
  }
  std::vector<std::int32_t> ids = (*tokenizer)->encode(*options.prompt).ids;
  if ((*tokenizer)->addsBos()) ids.insert(ids.begin(), (*tokenizer)->bos());
  run.settings()["prompt"] = *options.prompt;
  run.settings()["bos"] = (*tokenizer)->addsBos();
  if (ids.empty()) {
    return Error{ErrorCode::InvalidArgument,
                 "--prompt is empty and the model adds no BOS; give at least one character"};
  }
  return ids;
}

}  // namespace

Status runGenerate(Run& run) {
  auto ids = promptIds(run);
  if (!ids) return ids.error();
  const auto config = generationConfig(run);
  if (!config) return config.error();
  const auto context =
      run.contextFor(static_cast<std::int64_t>(ids->size()) + config->maxNewTokens,
                     "prompt and continuation need", ", or lower --max-new-tokens");
  if (!context) return context.error();
  const auto sessionOptions = run.sessionOptions(*context);
  if (!sessionOptions) return sessionOptions.error();
  auto session = run.engine().newSession(*sessionOptions);
  if (!session) return session.error();
  const auto answer = answerParts(run, **session, {*std::move(ids)}, *config);
  if (!answer) return answer.error();
  run.console().print("\n");
  run.console().info(answerStatistics(*answer));
  Json record = answerJson(*answer);
  record["timings"] = record["seconds"];  // "seconds" of the result is the whole call
  record.erase("seconds");
  if (!run.tokenizerOrNull()) record["text"] = nullptr;
  run.fields().update(record);
  return Done{};
}

}  // namespace ropescope::cli
