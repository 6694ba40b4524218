// A PlotTable on the screen.
#pragma once

#include <QAbstractTableModel>
#include <QTableView>

#include "ui/plots/plot_table.h"

namespace ropescope::ui {

class PlotTableModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  explicit PlotTableModel(QObject* parent = nullptr);
  void setTable(PlotTable table);
  const PlotTable& table() const { return m_table; }

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  PlotTable m_table;
};

// Shows a PlotTable; Ctrl+C copies the selection, or everything, as tab-separated text.
class PlotTableView : public QTableView {
  Q_OBJECT

 public:
  explicit PlotTableView(QWidget* parent = nullptr);
  void setTable(PlotTable table) { m_model->setTable(std::move(table)); }
  PlotTableModel* tableModel() const { return m_model; }
  QString selectionAsTsv() const;
  void copySelection() const;

 protected:
  void keyPressEvent(QKeyEvent* event) override;

 private:
  PlotTableModel* m_model;
};

}  // namespace ropescope::ui
