// questions: what the bundled model was trained to answer, asked about any book.
#include <algorithm>

#include "app/cli/commands.h"
#include "app/cli/curve_output.h"
#include "app/cli/retrieval_run.h"
#include "app/cli/text.h"
#include "core/base/file_io.h"
#include "core/base/memory_size.h"
#include "core/eval/question_run.h"

namespace ropescope::cli {
namespace {

std::vector<QuestionType> chosenTypes(const Options& options) {
  std::vector<QuestionType> types;
  for (const QuestionType type : kQuestionTypes) {
    const auto& wanted = options.retrieval.types;
    const bool named = std::find(wanted.begin(), wanted.end(), type) != wanted.end();
    if (wanted.empty() || named) types.push_back(type);
  }
  return types;
}

Result<std::vector<QuestionLength>> makeQuestions(Run& run, const RetrievalPlan& plan) {
  const auto tokenizer = run.tokenizer();
  if (!tokenizer) return tokenizer.error();
  std::vector<std::shared_ptr<const BookTokens>> books;
  for (const auto& path : run.options().documents) {
    auto book = readBook(run, path);
    if (!book) return book.error();
    books.push_back(*std::move(book));
  }
  std::vector<QuestionLength> lengths;
  for (const std::int64_t length : plan.lengths) {
    auto set = bookQuestions(*tokenizer, run.engine().promptFormat(), books,
                             {.length = length,
                              .count = run.options().retrieval.count,
                              .types = chosenTypes(run.options()),
                              .seed = run.options().seed});
    if (!set) return set.error();
    for (const std::string& notice : set->notices) run.notice(notice);
    lengths.push_back({.length = length, .windows = std::move(set->windows)});
  }
  return lengths;
}

Json accuracyJson(const QuestionAccuracy& accuracy) {
  return {{"method", accuracy.method},
          {"length", accuracy.length},
          {"type", questionTypeName(accuracy.type)},
          {"correct", accuracy.correct},
          {"asked", accuracy.asked},
          {"share", static_cast<double>(accuracy.correct) / static_cast<double>(accuracy.asked)},
          {"low", accuracy.interval.low},
          {"high", accuracy.interval.high}};
}

std::string accuracyCsv(const std::vector<QuestionAccuracy>& accuracy) {
  std::string csv = "method,length,type,correct,asked,low,high\n";
  for (const auto& each : accuracy) {
    csv += csvField(each.method) + "," + std::to_string(each.length) + "," +
           std::string(questionTypeName(each.type)) + "," + std::to_string(each.correct) + "," +
           std::to_string(each.asked) + "," + exactNumber(each.interval.low) + "," +
           exactNumber(each.interval.high) + "\n";
  }
  return csv;
}

std::string accuracyTable(const std::vector<QuestionAccuracy>& accuracy) {
  Table table({"method", "length", "type", "correct", "share", "95 % interval"});
  for (const auto& each : accuracy) {
    const double share = static_cast<double>(each.correct) / static_cast<double>(each.asked);
    table.add(
        {each.method, countText(each.length), std::string(questionTypeName(each.type)),
         std::to_string(each.correct) + "/" + std::to_string(each.asked),
         fixed(100.0 * share, 0) + " %",
         fixed(100.0 * each.interval.low, 0) + "–" + fixed(100.0 * each.interval.high, 0) + " %"});
  }
  return "Questions answered to the word, by length (tokens):\n" + table.text();
}

Status writeResult(Run& run, const std::vector<QuestionAccuracy>& accuracy) {
  run.fields()["accuracy"] = Json::array();
  for (const auto& each : accuracy) run.fields()["accuracy"].push_back(accuracyJson(each));
  if (accuracy.empty()) return Done{};
  run.keepResult();
  run.console().print(accuracyTable(accuracy));
  if (!run.options().csv) return Done{};
  Status written = writeFileAtomically(*run.options().csv, accuracyCsv(accuracy));
  if (written) run.console().info("shares written to " + run.options().csv->string());
  return written;
}

}  // namespace

Status runQuestions(Run& run) {
  auto plan = retrievalPlan(run);
  if (!plan) return plan.error();
  noticePromptFormat(run);
  auto lengths = makeQuestions(run, *plan);
  if (!lengths) return lengths.error();
  Json types = Json::array();
  for (const QuestionType type : chosenTypes(run.options())) {
    types.push_back(questionTypeName(type));
  }
  auto log = openResultLog(run, *plan,
                           {{"count", run.options().retrieval.count}, {"types", std::move(types)}});
  if (!log) return log.error();
  run.settings()["question_room"] = kQuestionRoom;
  run.settings()["questions_per_window"] = kQuestionsPerWindow;
  const QuestionRequest request{.methods = plan->methods, .lengths = *std::move(lengths)};
  std::vector<AnsweredWindow> windows;
  const Status measured = measureQuestions(
      run.engine(), request, *log, [&](const AnsweredWindow& window) { windows.push_back(window); },
      run.job());
  run.console().endProgress();
  const Status written = writeResult(run, questionAccuracy(windows, request));
  return measured ? written : measured;
}

}  // namespace ropescope::cli
