// Perplexities and paired differences of a sweep's report.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

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

std::int64_t booksOf(const LossReport& report) {
  std::int64_t books = 0;
  for (const SweepLosses& losses : report.sets) {
    for (const LossGroup& group : losses.groups()) {
      for (const std::int64_t length : losses.lengths()) {
        const auto mean = losses.mean(group, length, {0, length});
        if (mean) books = std::max(books, mean->mean.books);
      }
    }
  }
  return books;
}

std::set<std::int64_t> lengthsOf(const LossReport& report) {
  std::set<std::int64_t> lengths;
  for (const SweepLosses& losses : report.sets) {
    lengths.insert(losses.lengths().begin(), losses.lengths().end());
  }
  return lengths;
}

std::string limitText(std::int64_t windowsPerBook) {
  return windowsPerBook == 0 ? "All windows"
                             : "At most " + countOf(windowsPerBook, "window") + " a book";
}

// Of positions up to `end` in windows of `length`.
std::string perplexityCell(const SweepLosses& losses, const LossGroup& group, std::int64_t length,
                           std::int64_t end) {
  const auto mean = losses.mean(group, length, {0, end});
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
         countOf(booksOf(report), "book") +
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

std::optional<SetComparison> bestComparison(const LossReport& report, const std::string& base,
                                            const VariantPair& pair, std::int64_t length) {
  for (const SweepLosses& losses : report.sets) {
    const LossGroup* candidate = losses.find(base, pair.candidate);
    const LossGroup* baseline = losses.find(base, pair.baseline);
    if (candidate == nullptr || baseline == nullptr) continue;
    const auto result = losses.compare(*candidate, *baseline, length, {0, length});
    if (result) return SetComparison{&losses, candidate, baseline, *result};
  }
  return std::nullopt;
}

std::vector<std::string> unpairedNotes(const LossReport& report) {
  const auto measured = [&](const std::string& base, const std::string& variant,
                            std::int64_t length) {
    return std::any_of(report.sets.begin(), report.sets.end(), [&](const SweepLosses& losses) {
      const LossGroup* group = losses.find(base, variant);
      return group != nullptr && losses.mean(*group, length, {0, length}).has_value();
    });
  };
  std::vector<std::string> notes;
  for (const VariantPair& pair : report.pairs) {
    const auto hasBoth = [&](const LossGroup& group) {
      return group.variant == pair.candidate &&
             std::any_of(report.groups.begin(), report.groups.end(), [&](const LossGroup& other) {
               return other.base == group.base && other.variant == pair.baseline;
             });
    };
    if (std::none_of(report.groups.begin(), report.groups.end(), hasBoth)) {
      notes.push_back(pairText(pair) + ": no setting has perplexities under both, not compared");
    }
    for (const LossGroup& group : report.groups) {
      if (group.variant != pair.candidate) continue;
      for (const std::int64_t length : lengthsOf(report)) {
        if (!measured(group.base, pair.candidate, length) ||
            !measured(group.base, pair.baseline, length) ||
            bestComparison(report, group.base, pair, length)) {
          continue;
        }
        notes.push_back(pairText(pair) + ", " + group.base + " at " + countText(length) +
                        ": no window was measured under both by a common seed, not compared");
      }
    }
  }
  return notes;
}

namespace {

std::string perplexityTable(const SweepLosses& losses) {
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
      row.push_back(perplexityCell(losses, group, length, length));
    }
    table.add(std::move(row));
  }
  return table.text();
}

}  // namespace

std::string perplexitySection(const LossReport& report) {
  if (report.groups.empty()) return {};
  std::string text =
      "## Perplexity by length\n\n" + conditionsText(report) +
      " Perplexity: exp of the mean over windows ± standard error clustered by book. Of several "
      "seeds the mean loss, with the lowest and highest perplexity of a seed in brackets.\n\n";
  for (const SweepLosses& losses : report.sets) {
    if (losses.groups().empty()) continue;
    if (report.sets.size() > 1) text += "### " + limitText(losses.windowsPerBook()) + "\n\n";
    text += perplexityTable(losses);
  }
  return text;
}

namespace {

// Every setting that has windows of `longest`; empty without one.
std::string growthTable(const SweepLosses& losses, std::int64_t longest) {
  const auto& ends = losses.binEnds(longest);
  if (ends.size() < 2) return {};
  std::vector<std::string> header = {"setting", "variant"};
  for (const std::int64_t end : ends) header.push_back("to " + countText(end));
  MarkdownTable table(header);
  std::int64_t windows = 0;
  for (const LossGroup& group : losses.groups()) {
    const auto whole = losses.mean(group, longest, {0, longest});
    if (!whole) continue;
    windows = std::max(windows, whole->mean.windows);
    std::vector<std::string> row = {"`" + group.base + "`", group.variant};
    for (const std::int64_t end : ends) {
      row.push_back(perplexityCell(losses, group, longest, end));
    }
    table.add(std::move(row));
  }
  if (table.empty()) return {};
  return limitText(losses.windowsPerBook()) + ", " + countText(windows) + " in all:\n\n" +
         table.text();
}

}  // namespace

std::string growthSection(const LossReport& report) {
  const auto lengths = lengthsOf(report);
  if (lengths.empty()) return {};
  std::string tables;
  for (const SweepLosses& losses : report.sets) tables += growthTable(losses, *lengths.rbegin());
  if (tables.empty()) return {};
  return "## Perplexity as the context grows\n\nOne pass over each window of " +
         countText(*lengths.rbegin()) +
         " tokens: the mean over all positions up to a length, every setting with its one factor. "
         "± as above.\n\n" +
         tables;
}

std::string comparisonSection(const LossReport& report) {
  std::string text;
  for (const VariantPair& pair : report.pairs) {
    std::vector<std::string> header = {"setting", "length",  "gain",  "standard errors",
                                       "clear",   "windows", "seeds", "gain by book"};
    MarkdownTable table(header);
    for (const LossGroup& group : report.groups) {
      if (group.variant != pair.candidate) continue;
      for (const std::int64_t length : lengthsOf(report)) {
        const auto best = bestComparison(report, group.base, pair, length);
        if (!best) continue;
        const GroupComparison& result = best->comparison;
        const PairedComparison& paired = result.paired;
        std::string books;
        for (const BookDifference& book : paired.perBook) {
          books += (books.empty() ? "" : " / ") + gainText(-std::expm1(book.meanDifference), {});
        }
        table.add({"`" + group.base + "`", countText(length),
                   gainText(paired.relativeGain, result.gainError()), errorsText(result),
                   clearText(result), countText(paired.windows), seedGainsText(result.seedGains),
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
         confidenceText(booksOf(report)) + "\n\n" + text;
}

std::string positionSection(const LossReport& report) {
  const auto lengths = lengthsOf(report);
  if (lengths.empty()) return {};
  std::vector<std::int64_t>
      columns;  // of the longest windows, whose bins hold those of shorter ones
  for (const SweepLosses& losses : report.sets) {
    if (columns.empty()) columns = losses.binEnds(*lengths.rbegin());
  }
  std::string text;
  for (const VariantPair& pair : report.pairs) {
    std::vector<std::string> header = {"setting", "window"};
    std::int64_t begin = 0;
    for (const std::int64_t end : columns) {
      header.push_back(countText(begin) + " – " + countText(end));
      begin = end;
    }
    MarkdownTable table(header);
    for (const LossGroup& group : report.groups) {
      if (group.variant != pair.candidate) continue;
      const std::int64_t length = targetLength(group, report.trainedLength);
      const auto best = bestComparison(report, group.base, pair, length);
      if (!best) continue;
      const auto& ends = best->losses->binEnds(length);
      if (ends.size() < 2) continue;
      std::vector<std::string> row = {"`" + group.base + "`", countText(length)};
      begin = 0;
      for (const std::int64_t end : columns) {
        const bool within = std::find(ends.begin(), ends.end(), end) != ends.end();
        const auto result =
            within ? best->losses->compare(*best->candidate, *best->baseline, length, {begin, end})
                   : std::nullopt;
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
