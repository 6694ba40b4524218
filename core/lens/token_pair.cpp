#include "core/lens/token_pair.h"

namespace ropescope {

std::vector<PairShare> pairShares(const HeadContents& contents) {
  const std::size_t pairs = contents.query.size() / 2;
  std::vector<PairShare> shares(pairs);
  for (std::size_t p = 0; p < pairs; ++p) {
    const double qx = contents.query[p];
    const double qy = contents.query[p + pairs];
    const double kx = contents.key[p];
    const double ky = contents.key[p + pairs];
    shares[p].amplitude = std::hypot(qx, qy) * std::hypot(kx, ky);
    if (shares[p].amplitude > 0.0) shares[p].phase = std::atan2(qy, qx) - std::atan2(ky, kx);
  }
  return shares;
}

std::vector<double> contributions(const HeadContents& contents, const rope::RotaryPlan& plan,
                                  std::int64_t query, std::int64_t key) {
  const auto shares = pairShares(contents);
  const double scale = plan.attentionFactorAt(query) * plan.attentionFactorAt(key) /
                       std::sqrt(static_cast<double>(contents.query.size()));
  std::vector<double> values(shares.size());
  for (std::size_t p = 0; p < values.size(); ++p) {
    const double turn = plan.angle(query, p) - plan.angle(key, p);
    values[p] = scale * shares[p].amplitude * std::cos(shares[p].phase + turn);
  }
  return values;
}

std::vector<double> scoreCurve(std::span<const PairShare> shares, const rope::RotaryPlan& plan,
                               std::span<const std::int64_t> distances) {
  const double scale = plan.attentionFactor * plan.attentionFactor /
                       std::sqrt(2.0 * static_cast<double>(shares.size()));
  std::vector<double> scores(distances.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    double sum = 0.0;
    for (std::size_t p = 0; p < shares.size(); ++p) {
      sum += shares[p].amplitude *
             std::cos(shares[p].phase + static_cast<double>(distances[i]) * plan.invFreq[p]);
    }
    scores[i] = scale * sum;
  }
  return scores;
}

}  // namespace ropescope
