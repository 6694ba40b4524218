// One number per token, pooled to the pixels of an axis.
#pragma once

#include <span>
#include <vector>

#include "core/probe/attention_map.h"

namespace ropescope::ui {

struct PooledPositions {
  std::vector<double> positions;  // middle of each cell's tokens
  std::vector<double> most;       // the largest number of each cell; NaN: none
  std::vector<double> mean;       // over the cell's tokens that have a number
  double tokensPerCell = 1.0;
};

// At most `cells` cells over `range`, cut to the values; a token each when they suffice. NaN values
// count in neither. No token is lost: every one is in the maximum of some cell.
PooledPositions pooledPositions(std::span<const double> values, TokenRange range, int cells);

}  // namespace ropescope::ui
