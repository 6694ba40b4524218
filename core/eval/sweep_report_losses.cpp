// Perplexities and paired differences of a sweep's report.
#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/memory_size.h"
#include "core/eval/markdown.h"
#include "core/eval/student_t.h"
#include "core/eval/sweep_report.h"

namespace ropescope {
namespace {

constexpr const char* kNone = "–";

std::string pairText(const VariantPair& pair) {
  return pair.candidate + " against " + pair.baseline;
}

// "+1.2 / +1.4 / +1.1" for seeds 0, 1, 2.
std::string seedGainsText(const std::vector<double>& gains) {
  if (gains.size() < 2) return kNone;
  std::string text;
  for (const double gain : gains) text += (text.empty() ? "" : " / ") + gainText(gain, {});
  return text;
}

std::string errorsText(const GroupComparison& result) {
  const auto errors = result.errors();
  return errors ? fixedText(*errors, 1) : kNone;
}

std::string clearText(const GroupComparison& result) {
  const auto errors = result.errors();
  if (!errors) return "no error";
  return *errors > kClearErrors ? "better" : *errors < -kClearErrors ? "worse" : "no";
}

std::int64_t booksOf(const SweepLosses& losses) {
  std::int64_t books = 0;
  for (const LossGroup& group : losses.groups()) {
    for (const std::int64_t length : losses.lengths()) {
      const auto mean = losses.mean(group, length, {0, length});
      if (mean) books = std::max(books, mean->mean.books);
    }
  }
  return books;
}

std::string perplexityCell(const SweepLosses& losses, const LossGroup& group, std::int64_t length) {
  const auto mean = losses.mean(group, length, {0, length});
  if (!mean) return kNone;
  const double perplexity = std::exp(mean->mean.mean);
  const auto& error = mean->mean.standardError;
  std::string text =
      plusMinus(perplexity, error ? std::optional(perplexity * *error) : std::nullopt, 2);
  if (mean->seedMeans.size() > 1) {
    const auto [low, high] = std::minmax_element(mean->seedMeans.begin(), mean->seedMeans.end());
    text += " (" + fixedText(std::exp(*low), 2) + "–" + fixedText(std::exp(*high), 2) + ")";
  }
  return text;
}

}  // namespace

std::string conditionsText(const LossReport& report) {
  return "Protocol: windows of the stated length that do not overlap, " +
         countOf(booksOf(report.losses), "book") +
         ", each read once from its start, every token "
         "scored, " +
         report.dtype + "." + (report.budget.empty() ? "" : " " + report.budget);
}

std::string confidenceText(std::int64_t books) {
  if (books < 2) return "With one book there is no standard error.";
  return "With " + countText(books) + " books an error has " + countOf(books - 1, "degree") +
         " of freedom: two standard errors are " +
         fixedText(100.0 * studentWithin(kClearErrors, books - 1), 0) + " % confidence, not 95 %.";
}

std::string perplexitySection(const LossReport& report) {
  const SweepLosses& losses = report.losses;
  if (losses.groups().empty()) return {};
  std::vector<std::string> header = {"setting", "variant"};
  std::vector<std::string> windows = {"windows", kNone};
  for (const std::int64_t length : losses.lengths()) {
    header.push_back(countText(length));
    std::int64_t count = 0;
    for (const LossGroup& group : losses.groups()) {
      const auto mean = losses.mean(group, length, {0, length});
      if (mean) count = std::max(count, mean->mean.windows);
    }
    windows.push_back(countText(count));
  }
  MarkdownTable table(header);
  table.add(std::move(windows));
  for (const LossGroup& group : losses.groups()) {
    std::vector<std::string> row = {"`" + group.base + "`", group.variant};
    for (const std::int64_t length : losses.lengths()) {
      row.push_back(perplexityCell(losses, group, length));
    }
    table.add(std::move(row));
  }
  return "## Perplexity by length\n\n" + conditionsText(report) +
         " Perplexity: exp of the mean over windows ± standard error clustered by book. Of several "
         "seeds the mean loss, with the lowest and highest perplexity of a seed in brackets.\n\n" +
         table.text();
}

std::string comparisonSection(const LossReport& report) {
  const SweepLosses& losses = report.losses;
  std::string text;
  for (const VariantPair& pair : report.pairs) {
    std::vector<std::string> header = {"setting", "length",  "gain",  "standard errors",
                                       "clear",   "windows", "seeds", "gain by book"};
    MarkdownTable table(header);
    for (const LossGroup& group : losses.groups()) {
      const LossGroup* baseline = losses.find(group.base, pair.baseline);
      if (group.variant != pair.candidate || baseline == nullptr) continue;
      for (const std::int64_t length : losses.lengths()) {
        const auto result = losses.compare(group, *baseline, length, {0, length});
        if (!result) continue;
        const PairedComparison& paired = result->paired;
        std::string books;
        for (const BookDifference& book : paired.perBook) {
          books += (books.empty() ? "" : " / ") + gainText(-std::expm1(book.meanDifference), {});
        }
        table.add({"`" + group.base + "`", countText(length),
                   gainText(paired.relativeGain, result->gainError()), errorsText(*result),
                   clearText(*result), countText(paired.windows), seedGainsText(result->seedGains),
                   books});
      }
    }
    if (!table.empty()) text += "### " + pairText(pair) + "\n\n" + table.text();
  }
  if (text.empty()) return {};
  return "## Paired differences\n\n" + conditionsText(report) +
         " The same windows under both variants. Gain: relative fall of "
         "the "
         "perplexity, 1 - exp(mean difference of the losses) ± standard error; "
         "above 0 the first variant is better. Seeds: the gain of each seed alone. Standard "
         "errors: how "
         "many the difference is away from 0. The error is the larger of two, clustered by book "
         "and, "
         "with several seeds, over the seeds. Clear: beyond two of them. " +
         confidenceText(booksOf(losses)) + "\n\n" + text;
}

std::string positionSection(const LossReport& report) {
  const SweepLosses& losses = report.losses;
  if (losses.lengths().empty()) return {};
  const auto columns = losses.binEnds(losses.lengths().back());
  std::string text;
  for (const VariantPair& pair : report.pairs) {
    std::vector<std::string> header = {"setting", "window"};
    std::int64_t begin = 0;
    for (const std::int64_t end : columns) {
      header.push_back(countText(begin) + " – " + countText(end));
      begin = end;
    }
    MarkdownTable table(header);
    for (const LossGroup& group : losses.groups()) {
      const LossGroup* baseline = losses.find(group.base, pair.baseline);
      if (group.variant != pair.candidate || baseline == nullptr) continue;
      const std::int64_t length = targetLength(group, report.trainedLength);
      const auto& ends = losses.binEnds(length);
      if (ends.size() < 2 || !losses.compare(group, *baseline, length, {0, length})) continue;
      std::vector<std::string> row = {"`" + group.base + "`", countText(length)};
      begin = 0;
      for (const std::int64_t end : columns) {
        const bool within = std::find(ends.begin(), ends.end(), end) != ends.end();
        const auto result =
            within ? losses.compare(group, *baseline, length, {begin, end}) : std::nullopt;
        row.push_back(result ? gainText(result->paired.relativeGain, result->gainError()) : kNone);
        begin = end;
      }
      table.add(std::move(row));
    }
    if (!table.empty()) text += "### " + pairText(pair) + ", by position\n\n" + table.text();
  }
  if (text.empty()) return {};
  return "## Gain by position\n\nThe same gains by the position of the token, in windows of each "
         "setting's target length (factor times trained length). ± is the larger "
         "error again, by book or over seeds.\n\n" +
         text;
}

}  // namespace ropescope
