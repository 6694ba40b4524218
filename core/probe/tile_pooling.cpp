#include "core/probe/tile_pooling.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace ropescope {
namespace {

constexpr double kNone = -std::numeric_limits<double>::infinity();
constexpr std::int64_t kLanes = 16;

// Independent lanes let the compiler use vector registers without changing what is computed.
float maximum(const float* values, std::int64_t count) {
  std::array<float, kLanes> lanes;
  lanes.fill(-std::numeric_limits<float>::infinity());
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      const auto at = static_cast<std::size_t>(lane);
      lanes[at] = values[i + lane] > lanes[at] ? values[i + lane] : lanes[at];
    }
  }
  for (; i < count; ++i) lanes[0] = values[i] > lanes[0] ? values[i] : lanes[0];
  return *std::max_element(lanes.begin(), lanes.end());
}

double sum(const float* values, std::int64_t count) {
  std::array<double, kLanes> lanes{};
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      lanes[static_cast<std::size_t>(lane)] += static_cast<double>(values[i + lane]);
    }
  }
  for (; i < count; ++i) lanes[0] += static_cast<double>(values[i]);
  double total = 0.0;
  for (const double lane : lanes) total += lane;
  return total;
}

}  // namespace

PooledRows::PooledRows(const MapRequest& request, int firstCell, int lastCell)
    : m_request(request),
      m_firstCell(firstCell) {
  for (int column = 0; column <= request.width; ++column) {
    m_columnBegin.push_back(columnBegin(request, column));
  }
  const auto cells =
      static_cast<std::size_t>(lastCell - firstCell + 1) * static_cast<std::size_t>(request.width);
  m_cells.assign(cells, request.reducer == Reducer::Max ? kNone : 0.0);
}

void PooledRows::addRow(const float* values, std::int64_t columns, std::int64_t firstKey,
                        double* cells) {
  const std::int64_t endKey = firstKey + columns;
  const auto after = std::upper_bound(m_columnBegin.begin(), m_columnBegin.end(), firstKey);
  auto cell = static_cast<std::size_t>(after - m_columnBegin.begin()) - 1;
  for (std::int64_t key = firstKey; key < endKey; ++cell) {
    const std::int64_t stop = std::min(endKey, m_columnBegin[cell + 1]);
    const float* part = values + (key - firstKey);
    if (m_request.reducer == Reducer::Max) {
      cells[cell] = std::max(cells[cell], static_cast<double>(maximum(part, stop - key)));
    } else {
      cells[cell] += sum(part, stop - key);
    }
    key = stop;
  }
}

void PooledRows::add(const WeightTile& tile) {
  int cell = m_firstCell;
  for (std::int64_t row = 0; row < tile.rows; ++row) {
    const std::int64_t query = tile.firstQuery + row;
    while (rowBegin(m_request, cell + 1) <= query) ++cell;
    // Keys up to the query itself.
    const std::int64_t columns = std::min(tile.columns, query + 1 - tile.firstKey);
    if (columns <= 0) continue;
    const std::size_t offset =
        static_cast<std::size_t>(cell - m_firstCell) * static_cast<std::size_t>(m_request.width);
    addRow(tile.values + row * tile.columns, columns, tile.firstKey, m_cells.data() + offset);
  }
}

void PooledRows::write(std::vector<float>& picture) const {
  const auto width = static_cast<std::size_t>(m_request.width);
  const std::size_t rows = m_cells.size() / width;
  for (std::size_t row = 0; row < rows; ++row) {
    const int cell = m_firstCell + static_cast<int>(row);
    const std::int64_t firstQuery = rowBegin(m_request, cell);
    const std::int64_t endQuery = rowBegin(m_request, cell + 1);
    for (std::size_t column = 0; column < width; ++column) {
      // Pairs with key <= query in the cell.
      std::int64_t pairs = 0;
      for (std::int64_t query = firstQuery; query < endQuery; ++query) {
        pairs += std::max<std::int64_t>(
            0, std::min(m_columnBegin[column + 1], query + 1) - m_columnBegin[column]);
      }
      const double value = m_cells[row * width + column];
      float& target = picture[static_cast<std::size_t>(cell) * width + column];
      if (pairs == 0) {
        target = std::numeric_limits<float>::quiet_NaN();
      } else if (m_request.reducer == Reducer::Max) {
        target = static_cast<float>(std::min(1.0, std::exp(value)));
      } else {
        target = static_cast<float>(value / static_cast<double>(pairs));
      }
    }
  }
}

}  // namespace ropescope
