#include "ui/viewmodels/distance_bins.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace ropescope::ui {
namespace {

constexpr std::int64_t kLinearBins = 96;
constexpr double kBinsPerOctave = 4;

}  // namespace

std::vector<std::int64_t> distanceBins(DistanceScale scale, std::int64_t longest) {
  const std::int64_t end = longest + 1;
  std::vector<std::int64_t> borders{0};
  if (scale == DistanceScale::Linear) {
    const std::int64_t bins = std::min(kLinearBins, end);
    for (std::int64_t bin = 1; bin <= bins; ++bin) borders.push_back(end * bin / bins);
    return borders;
  }
  for (double exponent = 0; borders.back() < end; exponent += 1 / kBinsPerOctave) {
    const std::int64_t border = std::llround(std::exp2(exponent));
    if (border > borders.back()) borders.push_back(std::min(end, border));
  }
  return borders;
}

double sumOf(const std::vector<double>& byDistance, std::int64_t begin, std::int64_t end) {
  const auto at = [&](std::int64_t distance) {
    return byDistance.begin() + std::min(distance, static_cast<std::int64_t>(byDistance.size()));
  };
  return std::accumulate(at(begin), at(end), 0.0);
}

}  // namespace ropescope::ui
