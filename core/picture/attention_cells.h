// From the weights of an attention map to the cells and the colour range that are drawn.
#pragma once

#include <cstdint>
#include <vector>

namespace ropescope::picture {

// Rows are queries. NaN: masked.
struct CellGrid {
  int columns = 0;
  int rows = 0;
  std::vector<float> values;  // [rows, columns]

  float at(int row, int column) const {
    return values[static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) +
                  static_cast<std::size_t>(column)];
  }
};

// Joins `across` x `down` cells into one by their maximum, so that a single bright cell is never
// lost; the last ones of a row or column may join fewer. A cell is masked when all of its are.
CellGrid joinByMaximum(const CellGrid& cells, int across, int down);

struct WeightRange {
  double low = 0;  // positive
  double high = 1;
  bool hasBelow = false;  // some drawn cell lies below `low` (zeros included)
  bool hasAbove = false;
  int ignoredColumns = 0;
};

// From a percentile up to the largest weight: a single bright cell must stand out from everything
// else, which a scale cut off below it would not grant, and on a log scale it costs the others
// little. Columns before `firstColumn` (attention sinks) do not count. `relativeFloor` is the low
// end over the high one unless most weights are smaller still.
WeightRange chooseRange(const CellGrid& cells, int firstColumn, double relativeFloor);

}  // namespace ropescope::picture
