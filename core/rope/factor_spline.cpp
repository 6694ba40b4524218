#include "core/rope/factor_spline.h"

#include <cmath>

namespace ropescope::rope {
namespace {

struct Knot {
  double x = 0.0;
  double y = 0.0;      // log factor
  double slope = 0.0;  // of the curve
};

// Slopes that keep every piece monotone: 0 at an extremum, else the weighted harmonic mean of the
// slopes beside it (Fritsch and Butland 1984).
void setSlopes(std::vector<Knot>& knots) {
  const std::size_t last = knots.size() - 1;
  const auto secant = [&](std::size_t i) {
    return (knots[i + 1].y - knots[i].y) / (knots[i + 1].x - knots[i].x);
  };
  if (last == 0) return;
  knots[0].slope = secant(0);
  knots[last].slope = secant(last - 1);
  for (std::size_t i = 1; i < last; ++i) {
    const double before = secant(i - 1);
    const double after = secant(i);
    if (before * after <= 0.0) continue;
    const double left = knots[i].x - knots[i - 1].x;
    const double right = knots[i + 1].x - knots[i].x;
    const double a = 2.0 * right + left;
    const double b = right + 2.0 * left;
    knots[i].slope = (a + b) / (a / before + b / after);
  }
}

double at(const Knot& left, const Knot& right, double x) {
  const double width = right.x - left.x;
  const double t = (x - left.x) / width;
  const double u = 1.0 - t;
  return left.y * u * u * (1.0 + 2.0 * t) + left.slope * width * t * u * u +
         right.y * t * t * (3.0 - 2.0 * t) - right.slope * width * t * t * u;
}

}  // namespace

std::vector<double> splineFactors(const std::vector<FactorHandle>& handles, int pairs) {
  std::vector<Knot> knots;
  for (const FactorHandle& handle : handles) {
    knots.push_back({.x = static_cast<double>(handle.pair), .y = std::log(handle.factor)});
  }
  setSlopes(knots);
  std::vector<double> factors;
  std::size_t piece = 0;
  for (int pair = 0; pair < pairs; ++pair) {
    const double x = pair;
    while (piece + 2 < knots.size() && x > knots[piece + 1].x) ++piece;
    double y = knots.back().y;
    if (x <= knots.front().x) {
      y = knots.front().y;
    } else if (x < knots.back().x) {
      y = at(knots[piece], knots[piece + 1], x);
    }
    factors.push_back(std::exp(y));
  }
  return factors;
}

}  // namespace ropescope::rope
