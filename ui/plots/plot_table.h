// The numbers of a plot as a table: for screen readers, for copying, for files. No widget.
#pragma once

#include <QString>
#include <QStringList>
#include <vector>

namespace ropescope::ui {

// One column: texts when there are any, else numbers (NaN is an empty cell).
struct TableColumn {
  QString title = {};  // with its unit
  std::vector<double> numbers = {};
  QStringList texts = {};
};

// All columns have the same number of rows.
struct PlotTable {
  std::vector<TableColumn> columns;

  int rows() const;
  QString cell(int row, int column) const;  // full precision, '.' as the decimal point
};

// Rows of tab-separated cells, the titles first.
QString toTsv(const PlotTable& table);
// RFC 4180: quotes where a cell holds a comma, a quote or a line break.
QString toCsv(const PlotTable& table);

// Rows [firstRow, endRow) and columns [firstColumn, endColumn) below their titles.
struct TablePart {
  int firstRow = 0;
  int endRow = 0;
  int firstColumn = 0;
  int endColumn = 0;
};
QString toTsv(const PlotTable& table, const TablePart& part);

}  // namespace ropescope::ui
