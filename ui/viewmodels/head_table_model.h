// All heads of the model as a table: what the copy test says of each, and its strongest weight.
#pragma once

#include <QAbstractTableModel>
#include <QSortFilterProxyModel>

#include "core/lens/head_set.h"
#include "ui/viewmodels/head_choice.h"
#include "ui/viewmodels/head_mosaic_view_model.h"

namespace ropescope::ui {

class HeadTableModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { Layer, Head, Rank, Score, Error, CopyRate, Strongest, ColumnCount };
  // A double to sort by; NaN where there is no value.
  static constexpr int kSortRole = Qt::UserRole;

  HeadTableModel(const HeadMosaicViewModel& mosaic, const HeadChoice& choice,
                 QObject* parent = nullptr);

  HeadRef headOf(int row) const;
  int rowOf(HeadRef head) const;

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  void reshape();
  void refresh();
  double value(HeadRef head, int column) const;

  const HeadMosaicViewModel& m_mosaic;
  const HeadChoice& m_choice;
  int m_layers = 0;
  int m_heads = 0;
  std::vector<int> m_ranks;  // of every head, from 0; -1: not in the ranking
};

// Sorts by numbers; heads without a value come last either way.
class HeadTableOrder : public QSortFilterProxyModel {
  Q_OBJECT

 public:
  explicit HeadTableOrder(QObject* parent = nullptr);

 protected:
  bool lessThan(const QModelIndex& left, const QModelIndex& right) const override;
};

}  // namespace ropescope::ui
