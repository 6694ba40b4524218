// The results of a sweep as Markdown: what was measured, and what that says.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/eval/sweep_losses.h"
#include "core/eval/sweep_records.h"

namespace ropescope {

// Variants whose losses are set against each other.
struct VariantPair {
  std::string candidate;  // "psc"
  std::string baseline;   // "lora"
};

struct ReportOptions {
  std::vector<VariantPair> comparisons;  // empty: defaultComparisons()
  std::string command;                   // that makes the report again, printed in it
};

// "psc" against lora, lora-wide and wide, as far as they were measured; "psc-long" against
// lora-long and wide-long where there are any, else lora and wide, and against psc; the trained
// ones against untrained.
std::vector<VariantPair> defaultComparisons(const std::vector<LossGroup>& groups);

// Sections appear when there are records for them. The same records, the same text.
std::string sweepReport(const SweepRecords& records, const ReportOptions& options);

// What all tables of losses are made from and say.
struct LossReport {
  std::vector<SweepLosses> sets;  // by windows per book: all first, then falling
  std::vector<LossGroup> groups;  // of all sets
  std::vector<VariantPair> pairs;
  std::int64_t trainedLength = 0;
  std::string dtype;
  std::string budget;  // of the training, a sentence; empty: not known
};

// The comparison with the most windows: of the first set that has windows under both variants.
struct SetComparison {
  const SweepLosses* losses = nullptr;
  const LossGroup* candidate = nullptr;
  const LossGroup* baseline = nullptr;
  GroupComparison comparison;  // of all positions
};
std::optional<SetComparison> bestComparison(const LossReport& report, const std::string& base,
                                            const VariantPair& pair, std::int64_t length);
// Settings that were measured under both variants of a pair, but not on the same windows.
std::vector<std::string> unpairedNotes(const LossReport& report);

// Its sections; each empty without records for it.
std::string inputsSection(const SweepRecords& records, const ReportOptions& options);
std::string searchSection(const std::vector<SearchRecord>& searches);
std::string trainingSection(const std::vector<TrainingRecord>& trainings);
// At each setting's own target length, factor times the trained length: who wins by more than two
// standard errors, and whether it grows along the window and with the factor.
std::string verdictSection(const LossReport& report);
std::string perplexitySection(const LossReport& report);
std::string growthSection(const LossReport& report);  // at every length of the longest windows
std::string comparisonSection(const LossReport& report);
std::string positionSection(const LossReport& report);
std::string passkeySection(const std::vector<PasskeyRecord>& records, const std::string& dtype);
std::string questionSection(const std::vector<QuestionRecord>& records, const std::string& dtype);

// "60 steps of 8,192 tokens" when all runs have it, else where it stands. `calibrations` are those
// that were judged, by name without folder and suffix: runs that are not known are counted.
std::string budgetText(const std::vector<TrainingRecord>& trainings,
                       const std::set<std::string>& calibrations);
// Factor times the trained length.
std::int64_t targetLength(const LossGroup& group, std::int64_t trainedLength);
// How the windows were read, on what, and what the training took.
std::string conditionsText(const LossReport& report);
// What two standard errors are worth with so many books.
std::string confidenceText(std::int64_t books);

}  // namespace ropescope
