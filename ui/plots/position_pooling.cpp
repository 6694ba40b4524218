#include "ui/plots/position_pooling.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ropescope::ui {

PooledPositions pooledPositions(std::span<const double> values, TokenRange range, int cells) {
  PooledPositions pooled;
  range.begin = std::max<std::int64_t>(0, range.begin);
  range.end = std::min(range.end, static_cast<std::int64_t>(values.size()));
  if (range.size() < 1 || cells < 1) return pooled;
  const int count = static_cast<int>(std::min<std::int64_t>(cells, range.size()));
  pooled.tokensPerCell = static_cast<double>(range.size()) / count;
  for (int cell = 0; cell < count; ++cell) {
    const std::int64_t begin = cellBegin(range, count, cell);
    const std::int64_t end = cellBegin(range, count, cell + 1);
    double most = std::numeric_limits<double>::quiet_NaN();
    double sum = 0.0;
    int numbers = 0;
    for (std::int64_t token = begin; token < end; ++token) {
      const double value = values[static_cast<std::size_t>(token)];
      if (std::isnan(value)) continue;
      most = numbers == 0 ? value : std::max(most, value);
      sum += value;
      ++numbers;
    }
    pooled.positions.push_back(static_cast<double>(begin + end - 1) / 2.0);
    pooled.most.push_back(most);
    pooled.mean.push_back(numbers == 0 ? most : sum / numbers);
  }
  return pooled;
}

}  // namespace ropescope::ui
