// What a sweep says about its question: does one variant beat another on every method, and more at
// greater length?
#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/memory_size.h"
#include "core/eval/markdown.h"
#include "core/eval/sweep_report.h"
#include "core/eval/sweep_settings.h"
#include "core/rope/rope_method.h"

namespace ropescope {
namespace {

enum class Outcome { Better, Worse, Unclear };

Outcome outcomeOf(const std::optional<double>& errors) {
  if (!errors || std::abs(*errors) <= kClearErrors) return Outcome::Unclear;
  return *errors > 0.0 ? Outcome::Better : Outcome::Worse;
}

Outcome outcomeOf(const PairedComparison& paired) {
  const bool rounding = std::abs(paired.meanDifference) < kLossUnit;
  if (rounding || paired.exceeds(kClearErrors) != true) return Outcome::Unclear;
  return paired.meanDifference < 0.0 ? Outcome::Better : Outcome::Worse;
}

// One method at one factor, at its target length.
struct Finding {
  std::string base;
  std::string method;
  double factor = 1.0;
  std::int64_t length = 0;
  GroupComparison comparison;
  std::optional<PairedComparison> growth;  // last bin against first bin of the window
};

std::vector<Finding> findingsOf(const LossReport& report, const VariantPair& pair) {
  std::vector<Finding> findings;
  for (const LossGroup& group : report.groups) {
    if (group.variant != pair.candidate) continue;
    const std::int64_t length = targetLength(group, report.trainedLength);
    const auto best = bestComparison(report, group.base, pair, length);
    if (!best) continue;
    Finding finding{group.base, group.method, group.factor, length, best->comparison, std::nullopt};
    const auto& ends = best->losses->binEnds(length);
    if (ends.size() > 1) {
      finding.growth =
          best->losses->growth(*best->candidate, *best->baseline, length, {0, ends.front()},
                               {ends[ends.size() - 2], ends.back()});
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

// How the gain of one method changes from its smallest to its largest factor. The windows differ,
// the books are the same: one difference of differences for each book. Seeds of different factors
// have nothing in common, so their errors add as squares.
std::optional<PairedComparison> growthWithFactor(const Finding& small, const Finding& large) {
  std::map<std::string, double> before;
  for (const BookDifference& book : small.comparison.paired.perBook) {
    before[book.book] = book.meanDifference;
  }
  std::vector<PairedLoss> books;
  for (const BookDifference& book : large.comparison.paired.perBook) {
    const auto same = before.find(book.book);
    if (same != before.end()) books.push_back({book.book, same->second, book.meanDifference});
  }
  const auto paired = comparePaired(books);
  if (!paired) return std::nullopt;
  PairedComparison result = *paired;
  widen(result, std::hypot(small.comparison.seedError.value_or(0.0),
                           large.comparison.seedError.value_or(0.0)));
  return result;
}

std::string outcomeText(const GroupComparison& result) {
  const auto errors = result.errors();
  if (!errors) return "no error, so no verdict";
  const bool bySeeds = result.seedError.value_or(0.0) > *result.paired.standardError;
  const std::string text =
      fixedText(std::abs(*errors), 1) + " standard errors " + (bySeeds ? "over seeds" : "by book");
  switch (outcomeOf(errors)) {
    case Outcome::Better:
      return "better (" + text + ")";
    case Outcome::Worse:
      return "worse (" + text + ")";
    case Outcome::Unclear:
      return "no clear difference (" + text + ")";
  }
  return {};
}

std::string growthText(const std::optional<PairedComparison>& growth) {
  if (!growth || !growth->standardError) return "–";
  const std::string number = plusMinus(-growth->meanDifference, growth->standardError, 4);
  switch (outcomeOf(*growth)) {
    case Outcome::Better:
      return number + ": grows";
    case Outcome::Worse:
      return number + ": shrinks";
    case Outcome::Unclear:
      return number + ": unclear";
  }
  return {};
}

using Outcomes = std::vector<std::pair<std::string, Outcome>>;

// "**holds** in 3 of 3: …" from what was measured.
std::string summary(const Outcomes& outcomes, const char* better, const char* worse) {
  std::map<Outcome, std::string> names;
  std::int64_t good = 0;
  for (const auto& [name, outcome] : outcomes) {
    names[outcome] += (names[outcome].empty() ? "`" : ", `") + name + "`";
    if (outcome == Outcome::Better) ++good;
  }
  const auto all = static_cast<std::int64_t>(outcomes.size());
  std::string text = std::string(good == all ? "**holds**" : "**does not hold**") + ": " +
                     countText(good) + " of " + countText(all);
  for (const auto& [outcome, what] :
       {std::pair(Outcome::Better, better), std::pair(Outcome::Unclear, "no clear difference"),
        std::pair(Outcome::Worse, worse)}) {
    if (names.contains(outcome)) text += std::string("; ") + what + " " + names[outcome];
  }
  return text + ".";
}

std::string factorTable(const std::vector<Finding>& findings, Outcomes& outcomes) {
  std::map<std::string, std::vector<const Finding*>> methods;
  for (const Finding& finding : findings) methods[finding.method].push_back(&finding);
  MarkdownTable table({"method", "factors", "rise of the gain (nats) over books"});
  for (auto& [method, own] : methods) {
    std::sort(own.begin(), own.end(),
              [](const auto* a, const auto* b) { return a->factor < b->factor; });
    const auto add = [&](const Finding& small, const Finding& large, bool isStep) {
      const auto growth = growthWithFactor(small, large);
      if (small.factor == large.factor || !growth) return;
      const std::string factors =
          rope::valueText(small.factor) + " to " + rope::valueText(large.factor);
      if (isStep) outcomes.emplace_back(method + " " + factors, outcomeOf(*growth));
      table.add({method, factors, growthText(growth)});
    };
    for (std::size_t i = 1; i < own.size(); ++i) add(*own[i - 1], *own[i], true);
    if (own.size() > 2) add(*own.front(), *own.back(), false);
  }
  return table.empty() ? "" : table.text();
}

std::string verdictFor(const std::vector<Finding>& findings, const VariantPair& pair) {
  MarkdownTable table({"setting", "length", "gain", "verdict", "books", "windows",
                       "rise of the gain (nats) from first to last positions"});
  Outcomes helps;
  Outcomes along;
  for (const Finding& finding : findings) {
    const PairedComparison& paired = finding.comparison.paired;
    helps.emplace_back(finding.base, outcomeOf(finding.comparison.errors()));
    if (finding.growth) along.emplace_back(finding.base, outcomeOf(*finding.growth));
    table.add({"`" + finding.base + "`", countText(finding.length),
               gainText(paired.relativeGain, finding.comparison.gainError()),
               outcomeText(finding.comparison), countText(paired.books), countText(paired.windows),
               growthText(finding.growth)});
  }
  Outcomes withFactor;
  const std::string factors = factorTable(findings, withFactor);
  std::string text =
      "### " + pair.candidate + " against " + pair.baseline + "\n\n" + table.text() + factors;
  text += "- \"" + pair.candidate + " is better than " + pair.baseline + "\" " +
          summary(helps, "better", "worse") + "\n";
  if (!along.empty()) {
    text += "- \"The gain grows along the window\" " + summary(along, "grows", "shrinks") + "\n";
  }
  if (!withFactor.empty()) {
    text += "- \"The gain grows with every step of the factor\" " +
            summary(withFactor, "grows", "shrinks") + "\n";
  }
  return text + "\n";
}

}  // namespace

std::int64_t targetLength(const LossGroup& group, std::int64_t trainedLength) {
  return std::llround(group.factor * static_cast<double>(trainedLength));
}

std::string verdictSection(const LossReport& report) {
  std::string text;
  std::int64_t books = 0;
  for (const VariantPair& pair : report.pairs) {
    if (pair.baseline == kUntrained) continue;  // that training helps is not the question
    const auto findings = findingsOf(report, pair);
    if (findings.empty()) continue;
    text += verdictFor(findings, pair);
    books = std::max(books, findings.front().comparison.paired.books);
  }
  if (text.empty()) return {};
  return "## What this says\n\nAt each setting's target length, its factor times the trained "
         "length. " +
         conditionsText(report) +
         " \"Better\" and \"worse\" need more than two standard errors of the paired difference: "
         "clustered by book and, with several seeds, over the seeds as well. The rise of a gain is "
         "a difference of such differences, with the larger of the same two errors. " +
         confidenceText(books) + "\n\n" + text;
}

}  // namespace ropescope
