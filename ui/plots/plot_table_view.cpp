#include "ui/plots/plot_table_view.h"

#include <QApplication>
#include <QClipboard>
#include <QHeaderView>
#include <QItemSelection>
#include <QKeyEvent>
#include <QLocale>
#include <algorithm>
#include <cmath>

namespace ropescope::ui {

namespace {

constexpr int kWidestColumn = 40;  // characters; a longer text is whole in the tooltip

int alignment(const TableColumn& column) {
  return static_cast<int>((column.texts.isEmpty() ? Qt::AlignRight : Qt::AlignLeft) |
                          Qt::AlignVCenter);
}

}  // namespace

PlotTableModel::PlotTableModel(QObject* parent) : QAbstractTableModel(parent) {}

void PlotTableModel::setTable(PlotTable table) {
  beginResetModel();
  m_table = std::move(table);
  endResetModel();
}

int PlotTableModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : m_table.rows();
}

int PlotTableModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_table.columns.size());
}

QVariant PlotTableModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const TableColumn& column = m_table.columns[static_cast<std::size_t>(index.column())];
  const bool isText = !column.texts.isEmpty();
  if (role == Qt::TextAlignmentRole) return alignment(column);
  if (role == Qt::ToolTipRole) return m_table.cell(index.row(), index.column());
  if (role != Qt::DisplayRole) return {};
  if (isText) return column.texts[index.row()];
  const double number = column.numbers[static_cast<std::size_t>(index.row())];
  if (std::isnan(number)) return QString();
  const bool whole = number == std::trunc(number) && std::abs(number) < 1e15;
  return whole ? QLocale().toString(static_cast<qlonglong>(number))
               : QLocale().toString(number, 'g', 7);
}

QVariant PlotTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation == Qt::Vertical) return role == Qt::DisplayRole ? section + 1 : QVariant();
  const TableColumn& column = m_table.columns[static_cast<std::size_t>(section)];
  if (role == Qt::TextAlignmentRole) return alignment(column);
  return role == Qt::DisplayRole ? column.title : QVariant();
}

PlotTableView::PlotTableView(QWidget* parent)
    : QTableView(parent),
      m_model(new PlotTableModel(this)) {
  setModel(m_model);
  setAlternatingRowColors(true);
  setWordWrap(false);
  verticalHeader()->setVisible(false);
  horizontalHeader()->setSectionResizeMode(QHeaderView::Interactive);
  connect(m_model, &QAbstractItemModel::modelReset, this, [this] {
    constexpr int kColumnsMeasured = 40;  // measuring a thousand columns takes seconds
    if (m_model->columnCount() > kColumnsMeasured) return;
    resizeColumnsToContents();
    const int widest = kWidestColumn * fontMetrics().averageCharWidth();
    for (int i = 0; i < m_model->columnCount(); ++i) {
      setColumnWidth(i, std::min(columnWidth(i), widest));
    }
  });
}

QString PlotTableView::selectionAsTsv() const {
  const PlotTable& table = m_model->table();
  const QItemSelection selected = selectionModel()->selection();
  if (selected.isEmpty()) return toTsv(table);
  TablePart part{.firstRow = table.rows(), .firstColumn = static_cast<int>(table.columns.size())};
  for (const QItemSelectionRange& range : selected) {
    part.firstRow = std::min(part.firstRow, range.top());
    part.endRow = std::max(part.endRow, range.bottom() + 1);
    part.firstColumn = std::min(part.firstColumn, range.left());
    part.endColumn = std::max(part.endColumn, range.right() + 1);
  }
  return toTsv(table, part);
}

void PlotTableView::copySelection() const {
  QApplication::clipboard()->setText(selectionAsTsv());
}

void PlotTableView::keyPressEvent(QKeyEvent* event) {
  if (event->matches(QKeySequence::Copy)) {
    copySelection();
    return;
  }
  QTableView::keyPressEvent(event);
}

}  // namespace ropescope::ui
