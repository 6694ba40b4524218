// One setting's needle grid: depths down, lengths across. A cell holds how many of its trials were
// found.
#pragma once

#include <QAbstractTableModel>
#include <QString>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/eval/retrieval_grid.h"

namespace ropescope::ui {

class NeedleGridModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Role { ShareRole = Qt::UserRole + 1 };  // found / trials; invalid: not measured

  explicit NeedleGridModel(QString title, QObject* parent = nullptr);

  void setAxes(std::vector<std::int64_t> lengths, std::vector<double> depths);
  // A cell off the axes is kept for later axes.
  void setCell(const RetrievalCell& cell);
  void clear();

  const QString& title() const { return m_title; }
  const std::vector<std::int64_t>& lengths() const { return m_lengths; }
  const std::vector<double>& depths() const { return m_depths; }
  const RetrievalCell* cell(int row, int column) const;  // null: not measured
  // Of this setting: longest length found at every depth, as are all shorter ones; none: not even
  // the shortest. `threshold` is the share of trials that counts as found.
  std::optional<std::int64_t> effectiveContext(double threshold) const;
  int measuredCells() const;

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  using Key = std::pair<std::int64_t, double>;  // length, depth

  QString sentence(int row, int column) const;

  QString m_title;
  std::vector<std::int64_t> m_lengths;
  std::vector<double> m_depths;
  std::map<Key, RetrievalCell> m_cells;
};

// "25 %"
QString depthText(double depth);

}  // namespace ropescope::ui
