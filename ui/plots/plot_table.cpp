#include "ui/plots/plot_table.h"

#include <QLocale>
#include <algorithm>
#include <cmath>

namespace ropescope::ui {
namespace {

QString csvCell(const QString& cell) {
  const bool quoted = cell.contains(u',') || cell.contains(u'"') || cell.contains(u'\n');
  if (!quoted) return cell;
  QString inner = cell;
  inner.replace(QStringLiteral("\""), QStringLiteral("\"\""));
  return QStringLiteral("\"%1\"").arg(inner);
}

QString plainCell(const QString& cell) {
  return cell;
}

QString write(const PlotTable& table, const TablePart& part, QChar separator,
              QString (*dress)(const QString&)) {
  QString text;
  for (int row = part.firstRow - 1; row < part.endRow; ++row) {
    for (int column = part.firstColumn; column < part.endColumn; ++column) {
      if (column > part.firstColumn) text += separator;
      const bool title = row < part.firstRow;
      text += dress(title ? table.columns[static_cast<std::size_t>(column)].title
                          : table.cell(row, column));
    }
    text += u'\n';
  }
  return text;
}

TablePart whole(const PlotTable& table) {
  return {.endRow = table.rows(), .endColumn = static_cast<int>(table.columns.size())};
}

}  // namespace

int PlotTable::rows() const {
  if (columns.empty()) return 0;
  const TableColumn& first = columns.front();
  return static_cast<int>(
      std::max<qsizetype>(static_cast<qsizetype>(first.numbers.size()), first.texts.size()));
}

QString PlotTable::cell(int row, int column) const {
  const TableColumn& source = columns[static_cast<std::size_t>(column)];
  if (!source.texts.isEmpty()) return source.texts[row];
  const double number = source.numbers[static_cast<std::size_t>(row)];
  if (std::isnan(number)) return {};
  return QString::number(number, 'g', QLocale::FloatingPointShortest);
}

QString toTsv(const PlotTable& table) {
  return write(table, whole(table), u'\t', plainCell);
}
QString toTsv(const PlotTable& table, const TablePart& part) {
  return write(table, part, u'\t', plainCell);
}
QString toCsv(const PlotTable& table) {
  return write(table, whole(table), u',', csvCell);
}

}  // namespace ropescope::ui
