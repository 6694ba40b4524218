#include "core/calibration/longrope_local.h"

#include <algorithm>
#include <cmath>

namespace ropescope::calibration {
namespace {

constexpr double kLargestSize = 0.5;
constexpr double kSmallestSize = 0.03;  // smaller ones drown in the rounding of bfloat16
constexpr double kGrow = 1.5;
constexpr double kShrink = 0.9;        // about one success in five keeps the size
constexpr double kUnscaledStep = 0.1;  // share of steps that move n-hat, where it is searched
constexpr int kTries = 1000;
constexpr int kTriesOfSize = 50;  // then the steps around the best are used up: larger ones

double onGrid(double factor) {
  return std::round(factor / kGridStep) / std::round(1.0 / kGridStep);
}

// The neighbouring choice of n-hat, up or down.
std::int64_t neighbour(const std::vector<std::int64_t>& choices, std::int64_t value, bool up) {
  auto at = std::lower_bound(choices.begin(), choices.end(), value) - choices.begin();
  at = std::clamp<std::ptrdiff_t>(at + (up ? 1 : -1), 0,
                                  static_cast<std::ptrdiff_t>(choices.size()) - 1);
  return choices[static_cast<std::size_t>(at)];
}

}  // namespace

LocalSteps::LocalSteps(const SearchSpace& space, std::uint64_t seed)
    : m_space(space),
      m_random(seed) {}

LocalSteps::Step LocalSteps::draw() {
  const auto pairs = static_cast<std::uint64_t>(m_space.context.headDim / 2);
  Step step;
  step.center = static_cast<int>(m_random.below(pairs));
  // 1, 2, 4 … pairs: single pairs and the whole curve alike.
  std::uint64_t widths = 1;
  while ((std::uint64_t{1} << widths) <= pairs) ++widths;
  step.width = 1 << m_random.below(widths);
  const double size = 2.0 * m_size * m_random.uniform();
  step.share = m_random.uniform() < 0.5 ? -size : size;
  return step;
}

Candidate LocalSteps::moved(const Candidate& from, const Step& step) const {
  Candidate to = from;
  auto& factors = to.factors;
  for (int pair = 0; pair < static_cast<int>(factors.size()); ++pair) {
    const double weight = 1.0 - std::abs(pair - step.center) / static_cast<double>(step.width);
    if (weight <= 0.0) continue;
    double& factor = factors[static_cast<std::size_t>(pair)];
    const double change = 1.0 + weight * std::abs(step.share);
    factor = std::clamp(onGrid(step.share > 0.0 ? factor * change : factor / change),
                        m_space.smallest, m_space.largest);
  }
  const auto center = static_cast<std::size_t>(step.center);
  for (std::size_t pair = center + 1; pair < factors.size(); ++pair) {
    factors[pair] = std::max(factors[pair], factors[pair - 1]);
  }
  for (std::size_t pair = center; pair > 0; --pair) {
    factors[pair - 1] = std::min(factors[pair - 1], factors[pair]);
  }
  return to;
}

std::optional<Candidate> LocalSteps::next(const Candidate& best, const IsNew& isNew) {
  if (m_again) {
    m_again = false;
    m_last.share = std::clamp(m_last.share * kGrow, -kLargestSize, kLargestSize);
    Candidate further = moved(best, m_last);
    if (isNew(further)) return further;
  }
  for (int attempt = 0; attempt < kTries; ++attempt) {
    if (m_space.unscaledChoices.size() > 1 && m_random.uniform() < kUnscaledStep) {
      Candidate shifted = best;
      shifted.unscaledTokens =
          neighbour(m_space.unscaledChoices, best.unscaledTokens, m_random.uniform() < 0.5);
      m_last = {};
      if (isNew(shifted)) return shifted;
      continue;
    }
    m_last = draw();
    Candidate candidate = moved(best, m_last);
    if (isNew(candidate)) return candidate;
    if (attempt % kTriesOfSize == kTriesOfSize - 1) m_size = std::min(m_size * kGrow, kLargestSize);
  }
  return std::nullopt;
}

void LocalSteps::report(bool better) {
  m_again = better && m_last.share != 0.0;
  m_size = std::clamp(m_size * (better ? kGrow : kShrink), kSmallestSize, kLargestSize);
}

}  // namespace ropescope::calibration
