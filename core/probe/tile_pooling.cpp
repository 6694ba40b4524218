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

double sum(const double* values, std::int64_t count) {
  double total = 0.0;
  for (std::int64_t i = 0; i < count; ++i) total += values[i];
  return total;
}

void raise(std::vector<float>& columns, const float* values, std::int64_t count) {
  float* to = columns.data();
  for (std::int64_t i = 0; i < count; ++i) to[i] = values[i] > to[i] ? values[i] : to[i];
}

void increase(std::vector<double>& columns, const float* values, std::int64_t count) {
  double* to = columns.data();
  for (std::int64_t i = 0; i < count; ++i) to[i] += static_cast<double>(values[i]);
}

// Pairs (query, key) with key <= query, of queries before `query` and keys in [begin, end). Query
// begin + i sees i + 1 of the keys, until it sees all.
std::int64_t pairsBefore(std::int64_t query, std::int64_t begin, std::int64_t end) {
  const std::int64_t queries = std::max<std::int64_t>(0, query - begin);
  const std::int64_t few = std::min(queries, end - begin);
  return few * (few + 1) / 2 + (queries - few) * (end - begin);
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

// Rows of one cell go into one row first: that runs over whole vectors, where column cells may be
// a few tokens wide.
void PooledRows::addRows(const WeightTile& tile, std::int64_t first, std::int64_t end,
                         double* cells) {
  // Keys up to the query itself.
  const auto seen = [&](std::int64_t row) {
    return std::clamp<std::int64_t>(tile.firstQuery + row + 1 - tile.firstKey, 0, tile.columns);
  };
  const std::int64_t columns = seen(end - 1);
  if (columns == 0) return;
  const bool isMax = m_request.reducer == Reducer::Max;
  if (isMax) {
    m_largest.assign(static_cast<std::size_t>(columns), static_cast<float>(kNone));
  } else {
    m_sums.assign(static_cast<std::size_t>(columns), 0.0);
  }
  for (std::int64_t row = first; row < end; ++row) {
    const float* values = tile.values + row * tile.columns;
    isMax ? raise(m_largest, values, seen(row)) : increase(m_sums, values, seen(row));
  }
  const std::int64_t endKey = tile.firstKey + columns;
  const auto after = std::upper_bound(m_columnBegin.begin(), m_columnBegin.end(), tile.firstKey);
  auto cell = static_cast<std::size_t>(after - m_columnBegin.begin()) - 1;
  for (std::int64_t key = tile.firstKey; key < endKey; ++cell) {
    const std::int64_t stop = std::min(endKey, m_columnBegin[cell + 1]);
    const std::int64_t from = key - tile.firstKey;
    if (isMax) {
      const float top = maximum(m_largest.data() + from, stop - key);
      cells[cell] = std::max(cells[cell], static_cast<double>(top));
    } else {
      cells[cell] += sum(m_sums.data() + from, stop - key);
    }
    key = stop;
  }
}

void PooledRows::add(const WeightTile& tile) {
  int cell = m_firstCell;
  for (std::int64_t row = 0; row < tile.rows;) {
    while (rowBegin(m_request, cell + 1) <= tile.firstQuery + row) ++cell;
    const std::int64_t end = std::min(tile.rows, rowBegin(m_request, cell + 1) - tile.firstQuery);
    const std::size_t offset =
        static_cast<std::size_t>(cell - m_firstCell) * static_cast<std::size_t>(m_request.width);
    addRows(tile, row, end, m_cells.data() + offset);
    row = end;
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
      const std::int64_t begin = m_columnBegin[column];
      const std::int64_t end = m_columnBegin[column + 1];
      const std::int64_t pairs =
          pairsBefore(endQuery, begin, end) - pairsBefore(firstQuery, begin, end);
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
