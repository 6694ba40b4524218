// Window losses of a sweep, put side by side: means with errors, and paired differences.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/eval/paired_comparison.h"
#include "core/eval/sweep_records.h"

namespace ropescope {

// A method at a factor with one variant: a row of the report. Its seeds are taken together.
struct LossGroup {
  std::string base;
  std::string method;
  double factor = 1.0;
  std::string variant;
};

// Cells are measured in any order: methods without scaling first, then by name; factors ascending;
// variants as they first appear.
std::vector<LossGroup> inReportOrder(std::vector<LossGroup> groups);

// Token positions begin … end - 1 of the windows; both are ends of bins, or 0.
struct PositionRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

// More standard errors than this count as a difference.
inline constexpr double kClearErrors = 2.0;

struct GroupMean {
  ClusteredMean mean;             // of the windows' losses, each averaged over the seeds
  std::vector<double> seedMeans;  // one for each seed
};

struct GroupComparison {
  PairedComparison paired;          // each window's loss averaged over the seeds
  std::vector<double> seedGains;    // relative gain in perplexity of each seed alone
  std::optional<double> seedError;  // of the mean difference over seeds, nats; none for one seed

  // The larger of the two errors of the mean difference, by book or over seeds, and of the gain
  // that goes with it; none without an error by book.
  std::optional<double> error() const;
  std::optional<double> gainError() const;

  // Standard errors that the mean difference is away from 0, by error(). Positive when the
  // candidate is better; none without an error by book.
  std::optional<double> errors() const;
};

// Makes `seedError` the comparison's error where that is larger than the one by book.
void widen(PairedComparison& paired, const std::optional<double>& seedError);

// Records with one limit of windows per book, so that all settings have the same windows at one
// length.
class SweepLosses {
 public:
  explicit SweepLosses(const std::vector<PerplexityRecord>& records);

  std::int64_t windowsPerBook() const { return m_windowsPerBook; }  // 0: all

  const std::vector<LossGroup>& groups() const { return m_groups; }  // by method, factor, variant
  const std::vector<std::int64_t>& lengths() const { return m_lengths; }  // ascending
  // What was left out, and why: at every length the books count that most settings have; a seed
  // that lacks one of them, and books beside them, do not.
  const std::vector<std::string>& incomplete() const { return m_incomplete; }
  // Ends of the position bins of windows of this length.
  const std::vector<std::int64_t>& binEnds(std::int64_t length) const;
  // Null when there is none.
  const LossGroup* find(const std::string& base, const std::string& variant) const;

  // Nothing when the group was not measured at this length.
  std::optional<GroupMean> mean(const LossGroup& group, std::int64_t length,
                                const PositionRange& range) const;
  // Over the windows and seeds that both have; a group without seeds stands against every seed of
  // the other. Nothing when there are none.
  std::optional<GroupComparison> compare(const LossGroup& candidate, const LossGroup& baseline,
                                         std::int64_t length, const PositionRange& range) const;
  // The difference of the differences in the same windows, late - early positions: below 0 when
  // the candidate gains more late. Its error is the larger of the two, by book or over seeds.
  std::optional<PairedComparison> growth(const LossGroup& candidate, const LossGroup& baseline,
                                         std::int64_t length, const PositionRange& early,
                                         const PositionRange& late) const;

 private:
  using Seed = std::optional<std::int64_t>;
  using SeedPairs = std::vector<std::pair<Seed, Seed>>;
  using WindowName = std::pair<std::string, std::int64_t>;  // book, number among all its windows
  using WindowLosses = std::map<WindowName, double>;

  void dropIncomplete();
  WindowLosses losses(const LossGroup& group, std::int64_t length, const Seed& seed,
                      const PositionRange& range) const;
  std::vector<Seed> seeds(const LossGroup& group, std::int64_t length) const;
  SeedPairs seedPairs(const LossGroup& candidate, const LossGroup& baseline,
                      std::int64_t length) const;
  std::map<WindowName, PairedLoss> paired(const LossGroup& candidate, const LossGroup& baseline,
                                          std::int64_t length, const PositionRange& range,
                                          const SeedPairs& pairs) const;

  std::vector<PerplexityRecord> m_records;
  std::int64_t m_windowsPerBook = 0;
  std::vector<LossGroup> m_groups;
  std::vector<std::int64_t> m_lengths;
  std::vector<std::string> m_incomplete;
};

}  // namespace ropescope
