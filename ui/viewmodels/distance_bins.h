// Distances in tokens, put into bins for a plot.
#pragma once

#include <cstdint>
#include <vector>

namespace ropescope::ui {

enum class DistanceScale { Linear, Logarithmic };

// Borders of bins that hold every distance 0 … longest once: bin b is [borders[b], borders[b + 1]).
std::vector<std::int64_t> distanceBins(DistanceScale scale, std::int64_t longest);

// Sum of byDistance[begin … end); what lies beyond its end is 0.
double sumOf(const std::vector<double>& byDistance, std::int64_t begin, std::int64_t end);

}  // namespace ropescope::ui
