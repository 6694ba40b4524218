// What a search for LongRoPE factors searches in: candidates, their bounds and the seeds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/rope/rope_method.h"

namespace ropescope::calibration {

// lambda_i = plain frequency / the method's frequency, one per rotary pair.
struct Candidate {
  std::vector<double> factors;      // [P] lambda, grows with the pair
  std::int64_t unscaledTokens = 0;  // n-hat

  // Genes that shape the factors and are not scored themselves; each for one variant.
  int alpha = 0;     // piecewise: pairs up to here become 1 when drawn,
  int beta = 0;      // those above here the factor s
  int critical = 0;  // critical: first pair that is searched
};

// Half a step of the grid: what lies closer is the same candidate and is not scored again.
inline constexpr double kGridStep = 0.01;
bool sameRotation(const Candidate& a, const Candidate& b);
bool isMonotone(const std::vector<double>& factors);

enum class SearchVariant {
  Paper,      // arXiv:2402.13753: every factor a gene ("dim_mono" in the authors' code)
  Piecewise,  // alpha and beta genes in front of it ("dim_piece_mono")
  Critical,   // LongRoPE2, arXiv:2502.20082: NTK below a critical pair, search from it on
  Local,      // not from a paper: steps from the best candidate, for few evaluations
};
std::string_view variantName(SearchVariant variant);  // "paper", "piecewise", "critical", "local"
std::optional<SearchVariant> findVariant(std::string_view name);

struct SearchSettings {
  SearchVariant variant = SearchVariant::Paper;
  std::int64_t population = 64;     // P of the paper; a quarter of it each mutated and crossed per
                                    // iteration, half of it parents
  std::int64_t evaluations = 1344;  // P + 40 iterations of P / 2
  bool searchUnscaled = false;      // n-hat is a gene
  std::int64_t unscaledTokens = 0;  // n-hat of every candidate when it is none
  std::uint64_t seed = 0;
};

struct Seed {
  std::string name;  // "ntk"; "pi, ntk, yarn" when these are the same
  Candidate candidate;
};

struct SearchSpace {
  rope::RopeContext context;  // factor resolved
  std::vector<Seed> seeds;
  double smallest = 1.0;  // of a factor
  double largest = 1.0;
  std::vector<std::int64_t> unscaledChoices;  // of n-hat; one of them: no gene
  int firstCritical = 0;                      // candidates of the critical pair, both ends included
  int lastCritical = 0;
};

// Pairs that turn less than once (first) within the trained length start here: ceil(P log_b(L / 2
// pi)), LongRoPE2's theoretical critical pair; `turns` = 10 gives the first candidate for the real
// one.
int criticalPair(const rope::RopeContext& context, double turns);

// Seeds: PI, NTK and YaRN at the factor, and plain RoPE when the target is within the trained
// length. Factors lie in [1, 1.25 s], for the critical variant in [s, 2 s] from the critical pair
// on. Errors: InvalidArgument for settings that cannot work.
Result<SearchSpace> makeSearchSpace(const rope::RopeContext& context,
                                    const SearchSettings& settings);

// How a session rotates with the candidate: the longrope method, its own attention factor.
rope::MethodChoice choiceOf(const Candidate& candidate, const rope::RopeContext& context);

}  // namespace ropescope::calibration
