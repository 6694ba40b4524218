#include "core/eval/sweep_report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/base/memory_size.h"
#include "core/eval/markdown.h"
#include "core/eval/sweep_settings.h"
#include "core/rope/rope_method.h"

namespace ropescope {
namespace {

std::string joined(const std::vector<std::string>& texts) {
  std::string text;
  for (const std::string& each : texts) text += (text.empty() ? "" : ", ") + each;
  return text;
}

// Books with their tokens and how many windows of each length were read.
std::string bookTable(const std::vector<PerplexityRecord>& records) {
  std::map<std::string, std::map<std::int64_t, std::string>> windows;
  std::map<std::string, std::int64_t> tokens;
  std::set<std::int64_t> lengths;
  for (const PerplexityRecord& record : records) {
    tokens[record.book] = record.bookTokens;
    lengths.insert(record.length);
    const auto taken = static_cast<std::int64_t>(record.losses.size());
    windows[record.book][record.length] =
        countText(taken) +
        (taken < record.windowsOfBook ? " of " + countText(record.windowsOfBook) : "");
  }
  std::vector<std::string> header = {"book", "tokens"};
  for (const auto length : lengths) header.push_back("windows of " + countText(length));
  MarkdownTable table(header);
  for (const auto& [book, count] : tokens) {
    std::vector<std::string> row = {book, countText(count)};
    for (const auto length : lengths) row.push_back(windows[book][length]);
    table.add(std::move(row));
  }
  return table.empty() ? "" : table.text();
}

std::string minutesText(double seconds) {
  return fixedText(seconds / 60.0, 1);
}

}  // namespace

std::vector<VariantPair> defaultComparisons(const std::vector<LossGroup>& groups) {
  std::vector<std::string> variants;
  for (const LossGroup& group : groups) {
    if (std::find(variants.begin(), variants.end(), group.variant) == variants.end()) {
      variants.push_back(group.variant);
    }
  }
  const auto has = [&](const std::string& name) {
    return std::find(variants.begin(), variants.end(), name) != variants.end();
  };
  std::vector<VariantPair> pairs;
  for (const std::string& variant : variants) {
    if (variant != "psc" && variant.rfind("psc-", 0) != 0) continue;
    for (const char* baseline : {"lora", "lora-wide", "wide", "psc"}) {
      if (has(baseline) && variant != baseline) pairs.push_back({variant, baseline});
    }
  }
  for (const std::string& variant : variants) {
    if (variant != kUntrained && has(kUntrained)) pairs.push_back({variant, kUntrained});
  }
  return pairs;
}

std::string inputsSection(const SweepRecords& records, const ReportOptions& options) {
  std::string text;
  if (!options.command.empty()) {
    text += "Made by one command from the result files; edit those, not this:\n\n```\n" +
            options.command + "\n```\n\n";
  }
  if (records.header.is_object()) {
    text += "Model " + records.header.value("model", "?") + " (hash " +
            records.header.value("model_hash", "?").substr(0, 12) + "), trained at " +
            countText(records.header.value("trained_length", std::int64_t{0})) + " tokens, " +
            records.header.value("dtype", "?") + " on " + joined(records.devices) + ". Program " +
            joined(records.versions) + ".\n\n";
  }
  const std::string books = bookTable(records.perplexity);
  if (!books.empty()) text += "Books that judge:\n\n" + books;
  return text.empty() ? "" : "## What was measured\n\n" + text;
}

std::string searchSection(const std::vector<SearchRecord>& searches) {
  if (searches.empty()) return {};
  MarkdownTable table({"factors", "target", "evaluations", "against", "perplexity found",
                       "perplexity of the other", "found - other (nats)", "verdict", "windows",
                       "books", "dtype"});
  for (const SearchRecord& search : searches) {
    std::string verdict = "one book: no error, no verdict";
    if (search.error) {
      const double errors = -search.difference / *search.error;
      const std::string text = fixedText(std::abs(errors), 1) + " standard errors";
      verdict = errors > kClearErrors    ? "better by " + text
                : errors < -kClearErrors ? "worse by " + text
                                         : "no clear difference (" + text + ")";
    }
    table.add({search.name, countText(search.length), countText(search.evaluations), search.method,
               fixedText(search.foundPerplexity, 2), fixedText(search.methodPerplexity, 2),
               plusMinus(search.difference, search.error, 4), verdict, countText(search.windows),
               countText(search.books), search.dtype});
  }
  return "## LongRoPE factors: found against given ones\n\nUntrained, on windows of the target "
         "length from books that the search did not see. Differences are paired by window, errors "
         "clustered by book.\n\n" +
         table.text();
}

std::string trainingSection(const std::vector<TrainingRecord>& trainings) {
  if (trainings.empty()) return {};
  MarkdownTable table({"calibration", "method", "factor", "context", "seed", "parameters", "steps",
                       "tokens", "minutes", "first loss", "last loss", "dtype"});
  double seconds = 0.0;
  for (const TrainingRecord& each : trainings) {
    seconds += each.seconds;
    const bool finished = each.steps == each.stepsWanted;
    table.add({each.name, each.method, rope::valueText(each.factor), countText(each.context),
               std::to_string(each.seed), countText(each.parameters),
               countText(each.steps) + (finished ? "" : " of " + countText(each.stepsWanted)),
               countText(each.steps * each.tokensPerStep), minutesText(each.seconds),
               fixedText(each.firstLoss, 4), fixedText(each.lastLoss, 4), each.dtype});
  }
  return "## Training\n\nBudget of every run; variants of one method, factor and seed saw the same "
         "windows in the same order. Losses in nats per token: of the first step, and the mean of "
         "the last " +
         std::to_string(kLastSteps) + " steps. " +
         countOf(static_cast<std::int64_t>(trainings.size()), "run") + ", " + minutesText(seconds) +
         " minutes together.\n\n" + table.text();
}

std::string budgetText(const std::vector<TrainingRecord>& trainings) {
  if (trainings.empty()) return {};
  const TrainingRecord& first = trainings.front();
  const bool same = std::all_of(trainings.begin(), trainings.end(), [&](const auto& each) {
    return each.steps == first.steps && each.tokensPerStep == first.tokensPerStep;
  });
  if (!same) return "Budgets of the training differ between runs, see Training.";
  return "Every variant was trained for " + countOf(first.steps, "step") + " of " +
         countText(first.tokensPerStep) + " tokens.";
}

std::string sweepReport(const SweepRecords& records, const ReportOptions& options) {
  const bool swept = records.header.is_object();
  LossReport report{
      .losses = SweepLosses(records.perplexity),
      .pairs = options.comparisons,
      .trainedLength = swept ? records.header.value("trained_length", std::int64_t{0}) : 0,
      .dtype = swept ? records.header.value("dtype", "?") : "",
      .budget = budgetText(records.trainings)};
  if (report.pairs.empty()) report.pairs = defaultComparisons(report.losses.groups());
  std::string text = "# Calibrations compared\n\n" + inputsSection(records, options) +
                     verdictSection(report) + searchSection(records.searches) +
                     trainingSection(records.trainings) + perplexitySection(report) +
                     comparisonSection(report) + positionSection(report) +
                     passkeySection(records.passkey, report.dtype) +
                     questionSection(records.questions, report.dtype);
  std::vector<std::string> notes = records.notices;
  const auto& incomplete = report.losses.incomplete();
  notes.insert(notes.end(), incomplete.begin(), incomplete.end());
  if (!notes.empty()) text += "## Notes\n\n";
  for (const std::string& note : notes) text += "- " + note + "\n";
  return text;
}

}  // namespace ropescope
