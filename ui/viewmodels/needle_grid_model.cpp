#include "ui/viewmodels/needle_grid_model.h"

#include <QLocale>
#include <algorithm>
#include <cmath>

#include "core/eval/proportion.h"
#include "ui/text/number_text.h"

namespace ropescope::ui {

QString depthText(double depth) {
  return QObject::tr("%1 %").arg(QLocale().toString(100.0 * depth, 'g', 4));
}

NeedleGridModel::NeedleGridModel(QString title, QObject* parent)
    : QAbstractTableModel(parent),
      m_title(std::move(title)) {}

void NeedleGridModel::setAxes(std::vector<std::int64_t> lengths, std::vector<double> depths) {
  if (lengths == m_lengths && depths == m_depths) return;
  beginResetModel();
  m_lengths = std::move(lengths);
  m_depths = std::move(depths);
  endResetModel();
}

void NeedleGridModel::setCell(const RetrievalCell& cell) {
  m_cells[{cell.length, cell.depth}] = cell;
  const auto column = std::find(m_lengths.begin(), m_lengths.end(), cell.length);
  const auto row = std::find(m_depths.begin(), m_depths.end(), cell.depth);
  if (column == m_lengths.end() || row == m_depths.end()) return;
  const QModelIndex at =
      index(static_cast<int>(row - m_depths.begin()), static_cast<int>(column - m_lengths.begin()));
  Q_EMIT dataChanged(at, at);
}

void NeedleGridModel::clear() {
  beginResetModel();
  m_cells.clear();
  endResetModel();
}

const RetrievalCell* NeedleGridModel::cell(int row, int column) const {
  const auto found = m_cells.find(
      {m_lengths[static_cast<std::size_t>(column)], m_depths[static_cast<std::size_t>(row)]});
  return found == m_cells.end() ? nullptr : &found->second;
}

std::optional<std::int64_t> NeedleGridModel::effectiveContext(double threshold) const {
  GridRequest request{.methods = {}, .lengths = m_lengths, .depths = m_depths, .prompt = {}};
  std::vector<RetrievalCell> cells;
  for (const auto& [key, cell] : m_cells) cells.push_back(cell);
  if (cells.empty()) return std::nullopt;
  CurveSettings own;
  own.label = cells.front().method;
  request.methods = {std::move(own)};
  return ropescope::effectiveContext(cells, request, threshold).front().length;
}

int NeedleGridModel::measuredCells() const {
  int measured = 0;
  for (int row = 0; row < rowCount(); ++row) {
    for (int column = 0; column < columnCount(); ++column) {
      measured += cell(row, column) != nullptr ? 1 : 0;
    }
  }
  return measured;
}

int NeedleGridModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_depths.size());
}

int NeedleGridModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_lengths.size());
}

// "YaRN × 4, 4,096 tokens, depth 50 %: 2 of 3 found (95 % interval 21–94 %). Answers: …"
QString NeedleGridModel::sentence(int row, int column) const {
  const QString place = tr("%1, %2 tokens, depth %3")
                            .arg(m_title, tokensText(m_lengths[static_cast<std::size_t>(column)]),
                                 depthText(m_depths[static_cast<std::size_t>(row)]));
  const RetrievalCell* measured = cell(row, column);
  if (measured == nullptr) return tr("%1: not measured yet").arg(place);
  const ShareInterval interval = wilsonInterval(measured->found(), measured->trials());
  QStringList answers;
  for (const RetrievalAnswer& each : measured->answers) {
    answers << tr("wanted %1, answered %2: %3")
                   .arg(QString::fromStdString(each.expected),
                        QString::fromStdString(each.answer).trimmed(),
                        each.judgement.found ? tr("found") : tr("missed"));
  }
  return tr("%1: %2 of %3 found, 95 % interval %4 to %5 %\n%6\nClick to open this prompt.")
      .arg(place)
      .arg(measured->found())
      .arg(measured->trials())
      .arg(std::lround(100.0 * interval.low))
      .arg(std::lround(100.0 * interval.high))
      .arg(answers.join(u'\n'));
}

QVariant NeedleGridModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const RetrievalCell* measured = cell(index.row(), index.column());
  switch (role) {
    case Qt::DisplayRole:
      if (measured == nullptr) return QStringLiteral("–");
      return QStringLiteral("%1/%2").arg(measured->found()).arg(measured->trials());
    case Qt::ToolTipRole:
    case Qt::AccessibleTextRole:
      return sentence(index.row(), index.column());
    case Qt::TextAlignmentRole:
      return static_cast<int>(Qt::AlignCenter);
    case ShareRole:
      if (measured == nullptr || measured->trials() == 0) return {};
      return static_cast<double>(measured->found()) / static_cast<double>(measured->trials());
    default:
      return {};
  }
}

QVariant NeedleGridModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (role != Qt::DisplayRole || section < 0) return {};
  const auto at = static_cast<std::size_t>(section);
  if (orientation == Qt::Horizontal) {
    return at < m_lengths.size() ? QVariant(tokensText(m_lengths[at])) : QVariant();
  }
  return at < m_depths.size() ? QVariant(depthText(m_depths[at])) : QVariant();
}

}  // namespace ropescope::ui
