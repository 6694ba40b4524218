// Found factors against PI, NTK and YaRN on books that the search did not see.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/calibration/longrope_space.h"
#include "core/engine/engine.h"
#include "core/eval/evaluation_windows.h"
#include "core/eval/paired_comparison.h"

namespace ropescope::calibration {

// More than this many standard errors of the paired difference count as a difference.
inline constexpr double kClearlyBetter = 2.0;

struct JudgeConfig {
  std::int64_t windowsPerBook = 0;  // 0: all that do not overlap
  SessionOptions session;           // calibration and chunk; rotation and length are set here
};

struct Verdict {
  std::string method;           // "ntk"
  ClusteredMean loss;           // of the method, nats
  PairedComparison difference;  // found - method: below 0, the found factors are better
  bool beaten = false;          // by more than kClearlyBetter standard errors
};

struct Judgement {
  std::int64_t length = 0;  // tokens of a window
  ClusteredMean found;
  std::vector<Verdict> verdicts;
};

// All windows of all books under the found factors and under each method at the same factor, each
// with its own attention factor; plain RoPE too when the target is within the trained length. With
// a calibration, which belongs to the longrope method, the seeds' factors under that method
// instead. Errors: InvalidArgument when no book has a window; those of windowLosses.
Result<Judgement> judgeFactors(const Engine& engine, const std::vector<EvaluationBook>& books,
                               const SearchSpace& space, const Candidate& found,
                               const JudgeConfig& config, const JobControl& job);

// "beats ntk by 0.0312 +- 0.0041 nats (7.6 standard errors)", or that it does not.
std::string verdictText(const Verdict& verdict);

}  // namespace ropescope::calibration
