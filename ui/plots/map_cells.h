// An attention map's cells in the hands of QCustomPlot.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <qcustomplot.h>

#include "core/probe/attention_map.h"
#include "ui/viewmodels/map_tile.h"

namespace ropescope::ui {

inline QCPRange toRange(const ViewRange& range) {
  return {range.lower, range.upper};
}
inline ViewRange toView(const QCPRange& range) {
  return {range.lower, range.upper};
}

// QCustomPlot takes the middles of the first and the last cell.
inline QCPRange middles(const TokenRange& tokens, int cells) {
  const double half = static_cast<double>(tokens.size()) / cells / 2;
  return {static_cast<double>(tokens.begin) + half, static_cast<double>(tokens.end) - half};
}

// `values` [height, width] of the request; those below `least` are drawn as `least`, NaN stays.
inline void fillCells(QCPColorMapData* cells, const MapRequest& request,
                      std::span<const float> values, float least) {
  // A single row or column has no middle-to-middle distance: it is drawn as two halves.
  const int columns = std::max(2, request.width);
  const int rows = std::max(2, request.height);
  cells->setSize(columns, rows);
  cells->setRange(middles(request.keys, columns), middles(request.queries, rows));
  for (int row = 0; row < rows; ++row) {
    const auto from = static_cast<std::size_t>(std::min(row, request.height - 1)) *
                      static_cast<std::size_t>(request.width);
    for (int column = 0; column < columns; ++column) {
      const float value =
          values[from + static_cast<std::size_t>(std::min(column, request.width - 1))];
      cells->setCell(column, row, static_cast<double>(value < least ? least : value));
    }
  }
}

}  // namespace ropescope::ui
