// Pooling tiles of attention weights into the cells of a picture. Plain C++, no torch.
#pragma once

#include <cstdint>
#include <vector>

#include "core/probe/attention_map.h"

namespace ropescope {

// Values of queries firstQuery … against keys firstKey …: log weights for max, weights for mean.
// Entries of keys after their query are ignored (causal mask by absolute position).
struct WeightTile {
  const float* values = nullptr;  // [rows, columns]
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t firstQuery = 0;
  std::int64_t firstKey = 0;
};

// The cells of a run of picture rows while tiles come in.
class PooledRows {
 public:
  PooledRows(const MapRequest& request, int firstCell, int lastCell);
  void add(const WeightTile& tile);
  void write(std::vector<float>& picture) const;  // [height, width], this run's rows only

 private:
  // Rows [first, end) of the tile, all of one cell row.
  void addRows(const WeightTile& tile, std::int64_t first, std::int64_t end, double* cells);

  MapRequest m_request;
  int m_firstCell;
  std::vector<std::int64_t> m_columnBegin;  // [width + 1] first key of every column cell
  std::vector<double> m_cells;              // [rows of cells, width] maximum or sum
  std::vector<float> m_largest;             // of a tile's columns, for max
  std::vector<double> m_sums;               // of a tile's columns, for mean
};

}  // namespace ropescope
