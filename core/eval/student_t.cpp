#include "core/eval/student_t.h"

#include <cmath>
#include <numbers>

namespace ropescope {

double studentWithin(double t, std::int64_t degrees) {
  const double theta = std::atan(std::abs(t) / std::sqrt(static_cast<double>(degrees)));
  const double cosine = std::cos(theta);
  const bool odd = degrees % 2 == 1;
  // Terms cos^k, k = 1, 3 … or 0, 2 … up to degrees - 2, each by its factor from the one before.
  double term = odd ? cosine : 1.0;
  double sum = 0.0;
  for (std::int64_t k = odd ? 1 : 0; k <= degrees - 2; k += 2) {
    sum += term;
    const auto power = static_cast<double>(k);
    term *= cosine * cosine * (power + 1.0) / (power + 2.0);
  }
  if (!odd) return std::sin(theta) * sum;
  return 2.0 * std::numbers::inv_pi * (theta + std::sin(theta) * sum);
}

}  // namespace ropescope
