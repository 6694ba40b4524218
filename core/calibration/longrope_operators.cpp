#include "core/calibration/longrope_operators.h"

#include <algorithm>
#include <cmath>

namespace ropescope::calibration {
namespace {

constexpr double kMutation = 0.3;
constexpr double kTakesOther = 0.5;
constexpr double kStepsOfOne = 1.0 / kGridStep;
constexpr double kRounding = 1e-6;    // of a grid step, for bounds that are grid values themselves
constexpr double kShapeSpread = 2.0;  // pairs: alpha and beta are redrawn from N(old, 2)
constexpr int kMutationPasses = 300;
constexpr int kCrossoverTries = 20;

}  // namespace

CandidateOperators::CandidateOperators(const SearchSpace& space, const SearchSettings& settings,
                                       SplitMix& random)
    : m_space(space),
      m_variant(settings.variant),
      m_random(random) {}

int CandidateOperators::between(int first, int last) {
  return first + static_cast<int>(m_random.below(static_cast<std::uint64_t>(last - first + 1)));
}

// Sum of twelve uniforms: variance 1, and the same bits with every mathematics library.
double CandidateOperators::roughlyNormal() {
  double sum = -6.0;
  for (int i = 0; i < 12; ++i) sum += m_random.uniform();
  return sum;
}

void CandidateOperators::redrawShape(Candidate& candidate) {
  if (m_variant == SearchVariant::Critical && drawn(kMutation)) {
    candidate.critical = between(m_space.firstCritical, m_space.lastCritical);
  }
  if (m_variant != SearchVariant::Piecewise || pairs() < 3) return;
  const bool first = drawn(0.5);
  int& gene = first ? candidate.alpha : candidate.beta;
  const int old = gene;
  const int least = first ? 0 : candidate.alpha + 1;
  const int most = first ? candidate.beta - 1 : pairs() - 1;
  do {
    gene = old + static_cast<int>(std::lround(kShapeSpread * roughlyNormal()));
  } while (gene < least || gene > most);
}

void CandidateOperators::mutateFactor(Candidate& candidate, int pair) {
  auto& factors = candidate.factors;
  const auto at = static_cast<std::size_t>(pair);
  if (m_variant == SearchVariant::Piecewise && pair <= candidate.alpha) {
    factors[at] = 1.0;
    return;
  }
  if (m_variant == SearchVariant::Piecewise && pair > candidate.beta) {
    factors[at] = m_space.context.factor;
    return;
  }
  const bool critical = m_variant == SearchVariant::Critical;
  const double least = critical ? m_space.context.factor : m_space.smallest;
  const bool isFirst = pair == (critical ? candidate.critical : 0);
  const double below = isFirst ? least : std::max(least, factors[at - 1]);
  const double above = at + 1 == factors.size() ? m_space.largest : factors[at + 1];
  const auto first = static_cast<std::int64_t>(std::ceil(below * kStepsOfOne - kRounding));
  const auto last = static_cast<std::int64_t>(std::floor(above * kStepsOfOne + kRounding));
  if (first > last) return;
  const auto step = first + static_cast<std::int64_t>(
                                m_random.below(static_cast<std::uint64_t>(last - first + 1)));
  factors[at] = static_cast<double>(step) / kStepsOfOne;
}

void CandidateOperators::mutatePass(Candidate& candidate) {
  const int first = m_variant == SearchVariant::Critical ? candidate.critical : 0;
  for (int pair = first; pair < pairs(); ++pair) {
    if (drawn(kMutation)) mutateFactor(candidate, pair);
  }
}

void CandidateOperators::mutateUnscaled(Candidate& candidate) {
  const auto& choices = m_space.unscaledChoices;
  if (choices.size() < 2 || !drawn(kMutation)) return;
  candidate.unscaledTokens = choices[m_random.below(choices.size())];
}

// LongRoPE2 scales the pairs below the critical one by NTK with the base that meets its factor:
// lambda_i = (b' / b)^(2 i / D), lambda_c given, so lambda_i = lambda_c^(i / c).
void CandidateOperators::complete(Candidate& candidate) const {
  if (m_variant != SearchVariant::Critical) return;
  auto& factors = candidate.factors;
  const auto critical = static_cast<std::size_t>(candidate.critical);
  for (std::size_t pair = critical; pair < factors.size(); ++pair) {
    const double before = pair == critical ? m_space.context.factor : factors[pair - 1];
    factors[pair] = std::clamp(factors[pair], before, m_space.largest);
  }
  for (std::size_t pair = 0; pair < critical; ++pair) {
    factors[pair] =
        std::pow(factors[critical], static_cast<double>(pair) / static_cast<double>(critical));
  }
}

std::optional<Candidate> CandidateOperators::mutate(const Candidate& parent, const IsNew& isNew) {
  Candidate child = parent;
  redrawShape(child);
  complete(child);
  for (int pass = 0; pass < kMutationPasses; ++pass) {
    mutatePass(child);
    mutateUnscaled(child);
    complete(child);
    if (isMonotone(child.factors) && isNew(child)) return child;
  }
  return std::nullopt;
}

std::optional<Candidate> CandidateOperators::crossover(const Candidate& better,
                                                       const Candidate& other, const IsNew& isNew) {
  const auto taken = [&] { return drawn(kMutation) && drawn(kTakesOther); };
  const auto usable = [&](Candidate& child) {
    complete(child);
    return isMonotone(child.factors) && isNew(child);
  };
  for (int attempt = 0; attempt < kCrossoverTries; ++attempt) {
    Candidate child = better;
    if (taken()) {
      child.alpha = other.alpha;
      child.beta = other.beta;
      child.critical = other.critical;
    }
    for (std::size_t pair = 0; pair < child.factors.size(); ++pair) {
      if (!taken()) continue;
      child.factors[pair] = other.factors[pair];
      if (usable(child)) return child;
    }
    if (taken()) {
      child.unscaledTokens = other.unscaledTokens;
      if (usable(child)) return child;
    }
  }
  return mutate(better, isNew);
}

}  // namespace ropescope::calibration
