#include "core/eval/sweep_report.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
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
  struct Windows {
    std::set<std::int64_t, std::greater<>> taken;  // by different sweeps
    std::int64_t all = 0;
  };
  std::map<std::string, std::map<std::int64_t, Windows>> windows;
  std::map<std::string, std::int64_t> tokens;
  std::set<std::int64_t> lengths;
  for (const PerplexityRecord& record : records) {
    tokens[record.book] = record.bookTokens;
    lengths.insert(record.length);
    Windows& own = windows[record.book][record.length];
    own.taken.insert(static_cast<std::int64_t>(record.losses.size()));
    own.all = record.windowsOfBook;
  }
  const auto textOf = [](const Windows& own) {
    std::string text;
    for (const auto taken : own.taken) text += (text.empty() ? "" : ", ") + countText(taken);
    const bool every = own.taken.empty() || *own.taken.begin() == own.all;
    return every ? text : text + " of " + countText(own.all);
  };
  std::vector<std::string> header = {"book", "tokens"};
  for (const auto length : lengths) header.push_back("windows of " + countText(length));
  MarkdownTable table(header);
  for (const auto& [book, count] : tokens) {
    std::vector<std::string> row = {book, countText(count)};
    for (const auto length : lengths) row.push_back(textOf(windows[book][length]));
    table.add(std::move(row));
  }
  return table.empty() ? "" : table.text();
}

std::vector<LossGroup> groupsOf(const std::vector<SweepLosses>& sets) {
  std::vector<LossGroup> groups;
  for (const SweepLosses& losses : sets) {
    for (const LossGroup& group : losses.groups()) {
      const bool known = std::any_of(groups.begin(), groups.end(), [&](const LossGroup& each) {
        return each.base == group.base && each.variant == group.variant;
      });
      if (!known) groups.push_back(group);
    }
  }
  return inReportOrder(std::move(groups));
}

// All windows first, then by falling limits.
std::vector<SweepLosses> windowSets(const std::vector<PerplexityRecord>& records) {
  const auto before = [](std::int64_t a, std::int64_t b) { return b != 0 && (a == 0 || a > b); };
  std::map<std::int64_t, std::vector<PerplexityRecord>, decltype(before)> byLimit(before);
  for (const PerplexityRecord& record : records) byLimit[record.windowsPerBook].push_back(record);
  std::vector<SweepLosses> sets;
  for (const auto& [limit, own] : byLimit) sets.emplace_back(own);
  return sets;
}

// "pi-4x-psc-seed0" of every setting's calibration.
std::set<std::string> calibrationsOf(const SweepRecords& records) {
  std::set<std::string> names;
  const auto add = [&](const auto& cells) {
    for (const auto& cell : cells) {
      const std::string& label = cell.setting.label;
      const std::string key = "calibration=";
      const auto at = label.find(key);
      if (at == std::string::npos) continue;
      const auto begin = at + key.size();
      const std::string file = label.substr(begin, label.find(',', begin) - begin);
      names.insert(std::filesystem::path(file).stem().string());
    }
  };
  add(records.perplexity);
  add(records.passkey);
  add(records.questions);
  return names;
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
    const std::string suffix = variant.substr(3);  // "-long": trained like this, if there are any
    for (const std::string baseline : {"lora", "lora-wide", "wide"}) {
      if (has(baseline + suffix)) {
        pairs.push_back({variant, baseline + suffix});
      } else if (has(baseline)) {
        pairs.push_back({variant, baseline});
      }
    }
    if (variant != "psc" && has("psc")) pairs.push_back({variant, "psc"});
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

std::string sweepReport(const SweepRecords& records, const ReportOptions& options) {
  const bool swept = records.header.is_object();
  auto sets = windowSets(records.perplexity);
  auto groups = groupsOf(sets);
  LossReport report{
      .sets = std::move(sets),
      .groups = std::move(groups),
      .pairs = options.comparisons,
      .trainedLength = swept ? records.header.value("trained_length", std::int64_t{0}) : 0,
      .dtype = swept ? records.header.value("dtype", "?") : "",
      .budget = budgetText(records.trainings, calibrationsOf(records))};
  if (report.pairs.empty()) report.pairs = defaultComparisons(report.groups);
  std::string text = "# Calibrations compared\n\n" + inputsSection(records, options) +
                     verdictSection(report) + searchSection(records.searches) +
                     trainingSection(records.trainings) + perplexitySection(report) +
                     growthSection(report) +
                     comparisonSection(report) + positionSection(report) +
                     passkeySection(records.passkey, report.dtype) +
                     questionSection(records.questions, report.dtype);
  std::vector<std::string> notes = records.notices;
  for (const SweepLosses& losses : report.sets) {
    notes.insert(notes.end(), losses.incomplete().begin(), losses.incomplete().end());
  }
  const auto unpaired = unpairedNotes(report);
  notes.insert(notes.end(), unpaired.begin(), unpaired.end());
  if (!notes.empty()) text += "## Notes\n\n";
  for (const std::string& note : notes) text += "- " + note + "\n";
  return text;
}

}  // namespace ropescope
