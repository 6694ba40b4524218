// Search for LongRoPE factors, arXiv:2402.13753 section 3.2. The scoring function is passed in: the
// search knows candidates and losses, nothing of models and texts.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/calibration/longrope_space.h"

namespace ropescope::calibration {

// Lower is better. NaN and infinity are allowed: such a candidate is the worst. An error ends the
// search.
using CandidateScore = std::function<Result<double>(const Candidate& candidate)>;

struct Evaluation {
  std::int64_t number = 0;  // from 1
  std::string origin;       // "seed ntk", "mutation of 3", "crossover of 3 and 9", "step from 12"
  Candidate candidate;
  double loss = 0.0;  // infinite when it was no finite number
  bool isSeed = false;
};

enum class SearchEnd {
  Evaluations,  // all that were wanted are made
  Time,         // the clock said so
  Stopped,      // a person said so
  Exhausted,    // no new candidate can be made from the best ones
};

struct SearchResult {
  std::vector<Evaluation> evaluations;  // in order
  std::size_t best = 0;                 // smallest loss, the earliest of equals
  SearchEnd end = SearchEnd::Evaluations;
  std::int64_t replayed = 0;  // evaluations that came from the log

  const Evaluation& bestEvaluation() const { return evaluations[best]; }
};

struct SearchHooks {
  CandidateScore score;
  // What an earlier call has scored, in order: these losses are taken instead of scoring again, so
  // that a resumed search goes on exactly as if it had never stopped. Number, factors, n-hat and
  // loss are used.
  std::vector<Evaluation> replay;
  // After every new evaluation, before anything is made of it. An error ends the search.
  std::function<Status(const Evaluation&)> record;
  // After every evaluation, replayed ones included: the result so far.
  std::function<void(const SearchResult&)> onEvaluation;
  // Asked before every new evaluation; decides when to stop and nothing else. May be empty.
  std::function<bool()> outOfTime;
};

// Deterministic: space, settings and losses decide every candidate. Nothing is scored twice. The
// stop token is looked at before every new evaluation; a stop is no error, what is there is
// returned. Errors: InvalidArgument when no seed has a finite loss, CorruptFile when the replay
// does not fit, Cancelled when a stop left nothing, and those of `score` and `record`.
Result<SearchResult> searchFactors(const SearchSpace& space, const SearchSettings& settings,
                                   const SearchHooks& hooks, const JobControl& job);

}  // namespace ropescope::calibration
