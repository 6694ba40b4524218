// Two settings on the same windows: difference of their losses, with an error clustered by book.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace ropescope {

// One window under both settings: mean loss per token, nats.
struct PairedLoss {
  std::string book;
  double baseline = 0.0;
  double candidate = 0.0;
};

struct BookDifference {
  std::string book;
  std::int64_t windows = 0;
  double meanDifference = 0.0;  // nats
};

struct PairedComparison {
  std::int64_t windows = 0;
  std::int64_t books = 0;
  double meanDifference = 0.0;  // candidate - baseline, nats; below 0: the candidate is better
  std::optional<double> standardError;  // of meanDifference, clustered by book; none for one book
  double relativeGain = 0.0;            // of the perplexity: 1 - exp(meanDifference)
  std::optional<double>
      relativeGainError;                // by the derivative: exp(meanDifference) * standardError
  std::string note;                     // why there is no error, or that few books carry it
  std::vector<BookDifference> perBook;  // in order of first appearance

  // |meanDifference| > `factor` standard errors; nothing without an error.
  std::optional<bool> exceeds(double factor) const;
};

// Fewer books than this and the error is itself a rough guess (note says so).
inline constexpr std::int64_t kFewBooks = 10;

// Every window counts alike. InvalidArgument without windows or with a loss that is not finite.
//
// d_i = candidate_i - baseline_i, d = sum d_i / n over n windows in G books:
//   V = G / (G - 1) * (1 / n^2) * sum over books of (sum over its windows of (d_i - d))^2
// The cluster-robust variance of a mean (a regression on an intercept alone) with the usual factor
// for few clusters: Cameron and Miller, "A Practitioner's Guide to Cluster-Robust Inference", J.
// Human Resources 50(2), 2015. arXiv:2411.00640 asks for the same on evaluations of language
// models.
Result<PairedComparison> comparePaired(const std::vector<PairedLoss>& windows);

// The same for one mean over windows: the loss of one setting with its clustered error.
struct ClusteredMean {
  std::int64_t windows = 0;
  std::int64_t books = 0;
  double mean = 0.0;
  std::optional<double> standardError;
};
struct BookValue {
  std::string book;
  double value = 0.0;
};
Result<ClusteredMean> clusteredMean(const std::vector<BookValue>& values);

}  // namespace ropescope
