#include "core/picture/attention_cells.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ropescope::picture {
namespace {

// `share` 0..1 of the sorted values; the values are partly reordered.
double percentile(std::vector<float>& values, double share) {
  const auto rank =
      static_cast<std::ptrdiff_t>(std::lround(share * static_cast<double>(values.size() - 1)));
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  return values[static_cast<std::size_t>(rank)];
}

std::vector<float> positiveValues(const CellGrid& cells, int firstColumn) {
  std::vector<float> found;
  for (int row = 0; row < cells.rows; ++row) {
    for (int column = firstColumn; column < cells.columns; ++column) {
      if (cells.at(row, column) > 0) found.push_back(cells.at(row, column));
    }
  }
  return found;
}

}  // namespace

CellGrid joinByMaximum(const CellGrid& cells, int across, int down) {
  CellGrid joined;
  joined.columns = (cells.columns + across - 1) / across;
  joined.rows = (cells.rows + down - 1) / down;
  joined.values.assign(
      static_cast<std::size_t>(joined.columns) * static_cast<std::size_t>(joined.rows),
      std::numeric_limits<float>::quiet_NaN());
  for (int row = 0; row < cells.rows; ++row) {
    for (int column = 0; column < cells.columns; ++column) {
      float& target = joined.values[static_cast<std::size_t>(row / down) *
                                        static_cast<std::size_t>(joined.columns) +
                                    static_cast<std::size_t>(column / across)];
      target = std::fmax(target, cells.at(row, column));  // a number beats NaN
    }
  }
  return joined;
}

WeightRange chooseRange(const CellGrid& cells, int firstColumn, double relativeFloor) {
  constexpr double kBottomShare = 0.2;  // the background recedes
  constexpr double kDeepest = 1e-8;     // below float32 noise of a softmax nothing is shown
  WeightRange range{.low = relativeFloor, .high = 1, .ignoredColumns = firstColumn};
  std::vector<float> values = positiveValues(cells, firstColumn);
  if (values.empty()) {
    values = positiveValues(cells, 0);
    range.ignoredColumns = 0;
  }
  // With all weights zero any scale is true.
  if (!values.empty()) {
    range.high = *std::max_element(values.begin(), values.end());
    const double floor = range.high * relativeFloor;
    const double bottom = percentile(values, kBottomShare);
    // With most weights under the floor, the scale follows them down.
    range.low = percentile(values, 0.5) < floor ? bottom : std::max(bottom, floor);
    range.low = std::clamp(range.low, range.high * kDeepest, range.high / 10);
  }
  for (const float value : cells.values) {
    range.hasBelow = range.hasBelow || value < range.low;
    range.hasAbove = range.hasAbove || value > range.high;
  }
  return range;
}

}  // namespace ropescope::picture
