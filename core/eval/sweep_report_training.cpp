// What the calibrations of a sweep's report took to make.
#include <algorithm>
#include <functional>
#include <map>
#include <tuple>

#include "core/base/memory_size.h"
#include "core/eval/markdown.h"
#include "core/eval/sweep_report.h"
#include "core/rope/rope_method.h"

namespace ropescope {
namespace {

std::string joined(const std::vector<std::string>& texts) {
  std::string text;
  for (const std::string& each : texts) text += (text.empty() ? "" : ", ") + each;
  return text;
}

std::string minutesText(double seconds) {
  return fixedText(seconds / 60.0, 1);
}

// What a column says of a run.
struct TrainingColumn {
  const char* title;
  std::function<std::string(const TrainingRecord&)> text;
  bool always = false;  // a column even when all runs say the same
};

std::string stepsText(const TrainingRecord& run) {
  const bool finished = run.steps == run.stepsWanted;
  return countText(run.steps) + (finished ? "" : " of " + countText(run.stepsWanted));
}

std::string corpusText(const TrainingRecord& run) {
  return countOf(run.corpusFiles, "file");
}

// Columns that are the same for all runs are said once, above the table.
std::string trainingTable(const std::vector<TrainingRecord>& trainings) {
  const std::vector<TrainingColumn> all = {
      {"calibration", [](const auto& run) { return run.name; }, true},
      {"method", [](const auto& run) { return run.method; }},
      {"factor", [](const auto& run) { return rope::valueText(run.factor); }},
      {"context", [](const auto& run) { return countText(run.context); }},
      {"seed", [](const auto& run) { return std::to_string(run.seed); }},
      {"modules", [](const auto& run) { return run.modules; }},
      {"parameters", [](const auto& run) { return countText(run.parameters); }},
      {"alpha", [](const auto& run) { return run.alpha; }},
      {"rate", [](const auto& run) { return run.rate; }},
      {"start", [](const auto& run) { return run.init; }},
      {"corpus", corpusText},
      {"dtype", [](const auto& run) { return run.dtype; }},
      {"device", [](const auto& run) { return run.device; }},
      {"steps", stepsText, true},
      {"tokens", [](const auto& run) { return countText(run.steps * run.tokensPerStep); }, true},
      {"minutes", [](const auto& run) { return minutesText(run.seconds); }, true},
      {"first loss", [](const auto& run) { return fixedText(run.firstLoss, 4); }, true},
      {"last loss", [](const auto& run) { return fixedText(run.lastLoss, 4); }, true}};
  std::string common;
  std::vector<TrainingColumn> columns;
  for (const TrainingColumn& column : all) {
    std::set<std::string> texts;
    for (const TrainingRecord& run : trainings) texts.insert(column.text(run));
    if (column.always || texts.size() > 1) {
      columns.push_back(column);
    } else {
      common += (common.empty() ? "" : ", ") + std::string(column.title) + " " + *texts.begin();
    }
  }
  std::vector<std::string> header;
  for (const TrainingColumn& column : columns) header.emplace_back(column.title);
  MarkdownTable table(header);
  for (const TrainingRecord& run : trainings) {
    std::vector<std::string> row;
    for (const TrainingColumn& column : columns) row.push_back(column.text(run));
    table.add(std::move(row));
  }
  return (common.empty() ? "" : "The same for all runs: " + common + ".\n\n") + table.text();
}

// Windows are drawn by the seed from the corpus, so many a step.
std::string sameWindowsText(const std::vector<TrainingRecord>& trainings) {
  using Draw = std::tuple<std::string, double, std::int64_t, std::int64_t>;
  std::map<Draw, const TrainingRecord*> first;
  std::vector<std::string> others;
  for (const TrainingRecord& run : trainings) {
    const auto [known, fresh] =
        first.try_emplace(Draw{run.method, run.factor, run.context, run.seed}, &run);
    const TrainingRecord& one = *known->second;
    if (fresh || (one.corpus == run.corpus && one.corpusFiles == run.corpusFiles &&
                  one.tokensPerStep == run.tokensPerStep)) continue;
    others.push_back(run.name);
  }
  if (others.empty()) {
    return "Runs of one method, factor, context and seed saw the same windows in the same order, "
           "as "
           "far as their steps go.";
  }
  return "Other windows than the first run of the same method, factor, context and seed saw: " +
         joined(others) + ".";
}

}  // namespace

std::string trainingSection(const std::vector<TrainingRecord>& trainings) {
  if (trainings.empty()) return {};
  double seconds = 0.0;
  for (const TrainingRecord& each : trainings) seconds += each.seconds;
  return "## Training\n\nBudget of every run. " + sameWindowsText(trainings) +
         " Losses in nats per token: of the first step, and the mean of the last " +
         std::to_string(kLastSteps) + " steps. " +
         countOf(static_cast<std::int64_t>(trainings.size()), "run") + ", " + minutesText(seconds) +
         " minutes together. " + trainingTable(trainings);
}

std::string budgetText(const std::vector<TrainingRecord>& trainings,
                       const std::set<std::string>& calibrations) {
  std::set<std::string> unknown = calibrations;
  for (const TrainingRecord& run : trainings) unknown.erase(run.name);
  const std::string missing =
      unknown.empty() ? ""
                      : "How " + std::to_string(unknown.size()) + " of " +
                            countOf(static_cast<std::int64_t>(calibrations.size()), "calibration") +
                            " were trained is not among these files.";
  if (trainings.empty()) return missing;
  const TrainingRecord& first = trainings.front();
  const auto all = [&](const auto& equal) {
    return std::all_of(trainings.begin(), trainings.end(), equal);
  };
  const auto tokens = [](const TrainingRecord& run) { return run.steps * run.tokensPerStep; };
  std::string budget;
  if (all([&](const auto& run) {
        return run.steps == first.steps && run.tokensPerStep == first.tokensPerStep;
      })) {
    budget =
        "for " + countOf(first.steps, "step") + " of " + countText(first.tokensPerStep) + " tokens";
  } else if (all([&](const auto& run) { return tokens(run) == tokens(first); })) {
    budget = "on " + countText(tokens(first)) + " tokens";
  }
  if (budget.empty()) {
    return "Budgets of the training differ between runs, see Training." +
           (missing.empty() ? "" : " " + missing);
  }
  return missing.empty() ? "Every variant was trained " + budget + "."
                         : "The variants that are known were trained " + budget + ". " + missing;
}

}  // namespace ropescope
