// ask: questions about a document.
#include <algorithm>

#include "app/cli/answers.h"
#include "app/cli/commands.h"
#include "app/cli/inputs.h"
#include "core/base/memory_size.h"

namespace ropescope::cli {
namespace {

using Ids = std::vector<std::int32_t>;

struct Prompt {
  Ids document;
  std::vector<Ids> questions;
  std::int64_t contentTokens = 0;  // of the document's own text
};

Result<Prompt> buildPrompt(Run& run) {
  const auto tokenizer = run.tokenizer();
  if (!tokenizer) return tokenizer.error();
  const auto text = readDocumentText(run, run.options().documents.front());
  if (!text) return text.error();
  const PromptFormat& format = run.engine().promptFormat();
  if (!format.fromModel) {
    run.notice(
        "the model has no prompt_format.json; a plain format is used, which the model may "
        "not have been trained on");
  }
  Prompt prompt;
  auto document = documentPart(format, **tokenizer, *text);
  if (!document) return document.error();
  prompt.document = std::move(document->ids);
  for (const auto& question : run.options().questions) {
    auto part = questionPart(format, **tokenizer, question);
    if (!part) return part.error();
    prompt.questions.push_back(std::move(part->ids));
  }
  return prompt;
}

// Tokens that the session must hold: independent questions share the room behind the document,
// turns of a chat stand behind each other, each answer with its EOS.
std::int64_t neededTokens(const Prompt& prompt, const Options& options) {
  std::int64_t sum = 0;
  std::int64_t longest = 0;
  for (const auto& question : prompt.questions) {
    const std::int64_t turn = static_cast<std::int64_t>(question.size()) + options.maxNewTokens;
    longest = std::max(longest, turn);
    sum += turn + 1;
  }
  return static_cast<std::int64_t>(prompt.document.size()) + (options.chat ? sum - 1 : longest);
}

// Parts of a chat so far: answer and EOS stand before the next question.
void appendTurn(const Run& run, const Tokenizer& tokenizer, const Answer& answer,
                std::vector<Ids>& parts) {
  Ids said = answer.tokenIds;
  const auto& eos = run.engine().config().eos;
  const std::int32_t end = eos.empty() ? tokenizer.eos() : eos.front();
  if (run.engine().promptFormat().answerEndsWithEos && end >= 0) said.push_back(end);
  if (!said.empty()) parts.push_back(std::move(said));
}

// The part of the cure that knows the document.
std::string cureFor(const Prompt& prompt, const Options& options, std::int64_t needed) {
  if (!options.context) return {};
  const std::int64_t room =
      static_cast<std::int64_t>(prompt.document.size()) - (needed - *options.context);
  constexpr std::int64_t kFormatTokens = 16;  // of a template; the cut text may split anew
  if (room <= kFormatTokens) return ", or lower --max-new-tokens";
  const std::int64_t begin = options.documentTokens ? options.documentTokens->begin : 0;
  return ", or take a part with --document-tokens " + std::to_string(begin) + ":" +
         std::to_string(begin + room - kFormatTokens);
}

Json answerRecord(const std::string& question, const Answer& answer) {
  Json record{{"question", question}};
  record.update(answerJson(answer));
  return record;
}

void printQuestion(Run& run, std::size_t index) {
  const auto& questions = run.options().questions;
  if (questions.size() > 1) {
    run.console().print((index > 0 ? "\n" : "") + ("Q: " + questions[index]) + "\n");
  }
}

}  // namespace

Status runAsk(Run& run) {
  const Options& options = run.options();
  const auto prompt = buildPrompt(run);
  if (!prompt) return prompt.error();
  const auto config = generationConfig(run);
  if (!config) return config.error();
  const std::int64_t needed = neededTokens(*prompt, options);
  const auto context = run.contextFor(needed, "document, question and answer need",
                                      cureFor(*prompt, options, needed));
  if (!context) return context.error();
  const auto sessionOptions = run.sessionOptions(*context);
  if (!sessionOptions) return sessionOptions.error();
  run.settings()["chat"] = options.chat;
  run.settings()["questions"] = options.questions;
  auto session = run.engine().newSession(*sessionOptions);
  if (!session) return session.error();

  // Not answered yet: what an interrupted run says of the rest.
  run.fields()["answers"] = Json::array();
  for (const auto& question : options.questions) {
    run.fields()["answers"].push_back(answerRecord(question, Answer{}));
  }
  std::vector<Ids> parts = {prompt->document};
  for (std::size_t i = 0; i < prompt->questions.size() && !run.stopRequested(); ++i) {
    parts.push_back(prompt->questions[i]);
    printQuestion(run, i);
    const auto answer = answerParts(run, **session, parts, *config);
    if (!answer) return answer.error();
    run.console().print("\n");
    run.console().info(answerStatistics(*answer));
    run.fields()["answers"][i] = answerRecord(options.questions[i], *answer);
    run.keepResult();
    if (options.chat) {
      appendTurn(run, *run.tokenizerOrNull(), *answer, parts);
    } else {
      parts.pop_back();
    }
  }
  return Done{};
}

}  // namespace ropescope::cli
