// A smooth factor curve through a few handles, as people draw one.
#pragma once

#include <vector>

namespace ropescope::rope {

struct FactorHandle {
  int pair = 0;
  double factor = 1.0;  // above 0
};

// One factor per pair: a monotone cubic (Fritsch and Carlson 1980) of the logarithm over the pair,
// which goes through every handle, never beyond two neighbours, and is level outside of the first
// and the last. `handles`: at least one, pairs ascending.
std::vector<double> splineFactors(const std::vector<FactorHandle>& handles, int pairs);

}  // namespace ropescope::rope
