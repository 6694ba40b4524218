#include "ui/viewmodels/head_table_model.h"

#include <QLocale>
#include <array>
#include <cmath>
#include <limits>

namespace ropescope::ui {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

}  // namespace

HeadTableModel::HeadTableModel(const HeadMosaicViewModel& mosaic, const HeadChoice& choice,
                               QObject* parent)
    : QAbstractTableModel(parent),
      m_mosaic(mosaic),
      m_choice(choice) {
  connect(&m_mosaic, &HeadMosaicViewModel::settingsChanged, this, &HeadTableModel::reshape);
  connect(&m_mosaic, &HeadMosaicViewModel::pictureChanged, this, &HeadTableModel::refresh);
  connect(&m_choice, &HeadChoice::rankingChanged, this, &HeadTableModel::reshape);
  reshape();
}

void HeadTableModel::reshape() {
  const bool same = m_layers == m_mosaic.layers() && m_heads == m_mosaic.heads();
  if (!same) beginResetModel();
  m_layers = m_mosaic.layers();
  m_heads = m_mosaic.heads();
  m_ranks.assign(static_cast<std::size_t>(m_layers * m_heads), -1);
  if (const auto& ranking = m_choice.ranking()) {
    for (std::size_t rank = 0; rank < ranking->heads.size(); ++rank) {
      const int row = rowOf(ranking->heads[rank].head);
      if (row >= 0) m_ranks[static_cast<std::size_t>(row)] = static_cast<int>(rank);
    }
  }
  if (!same) {
    endResetModel();
  } else {
    refresh();
  }
}

void HeadTableModel::refresh() {
  if (rowCount() == 0) return;
  Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, ColumnCount - 1));
}

HeadRef HeadTableModel::headOf(int row) const {
  return {row / m_heads, row % m_heads};
}

int HeadTableModel::rowOf(HeadRef head) const {
  const bool inside =
      head.layer >= 0 && head.layer < m_layers && head.head >= 0 && head.head < m_heads;
  return inside ? head.layer * m_heads + head.head : -1;
}

int HeadTableModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : m_layers * m_heads;
}

int HeadTableModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : ColumnCount;
}

double HeadTableModel::value(HeadRef head, int column) const {
  if (column == Layer) return head.layer;
  if (column == Head) return head.head;
  if (column == Strongest) {
    const auto cell = m_mosaic.strongest(head);
    return cell ? static_cast<double>(cell->weight) : kNone;
  }
  const int rank = m_ranks[static_cast<std::size_t>(rowOf(head))];
  if (rank < 0) return kNone;
  const HeadScore& score = m_choice.ranking()->heads[static_cast<std::size_t>(rank)];
  if (column == Rank) return rank + 1;
  if (column == Score) return score.score;
  return column == Error ? score.standardError : score.copyRate;
}

QVariant HeadTableModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  if (role == Qt::TextAlignmentRole) return QVariant(Qt::AlignRight | Qt::AlignVCenter);
  if (role != Qt::DisplayRole && role != kSortRole) return {};
  const double number = value(headOf(index.row()), index.column());
  if (role == kSortRole) return number;
  if (std::isnan(number)) return {};
  if (index.column() <= Rank) return static_cast<int>(number);
  return QLocale().toString(number, 'f', 3);
}

QVariant HeadTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount) return {};
  const auto at = static_cast<std::size_t>(section);
  if (role == Qt::DisplayRole) {
    const std::array<QString, ColumnCount> titles{tr("layer"),    tr("head"), tr("rank"),
                                                  tr("score"),    tr("± SE"), tr("copies"),
                                                  tr("peak")};
    return titles[at];
  }
  if (role == Qt::ToolTipRole) {
    const std::array<QString, ColumnCount> tips{
        tr("Layer, counted from 0"),
        tr("Head, counted from 0"),
        tr("Place in the copy test, the best head is 1"),
        tr("Copy score: mean attention weight on the token that came next at the earlier "
           "occurrence"),
        tr("Standard error of the score, over prompts"),
        tr("Share of positions at which that token is the one attended most: above 0.1 a head "
           "counts as a retrieval head in arXiv 2404.15574"),
        tr("Strongest weight in the mosaic, ignored keys left out")};
    return tips[at];
  }
  return {};
}

HeadTableOrder::HeadTableOrder(QObject* parent) : QSortFilterProxyModel(parent) {
  setSortRole(HeadTableModel::kSortRole);
}

bool HeadTableOrder::lessThan(const QModelIndex& left, const QModelIndex& right) const {
  const double a = left.data(sortRole()).toDouble();
  const double b = right.data(sortRole()).toDouble();
  if (std::isnan(a) || std::isnan(b)) {
    if (std::isnan(a) == std::isnan(b)) return false;
    return std::isnan(b) == (sortOrder() == Qt::AscendingOrder);
  }
  return a < b;
}

}  // namespace ropescope::ui
