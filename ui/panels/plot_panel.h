// What all views with a plot share: a toolbar row, the plot or its numbers as a table, export, and
// the explanation card resources/cards/NAME.md.
#pragma once

#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>
#include <QWidget>

#include "core/base/result.h"
#include "ui/panels/view_page.h"
#include "ui/plots/plot_table_view.h"
#include "ui/plots/plot_widget.h"

namespace ropescope::ui {

class PlotPanel : public QWidget, public ViewPage {
  Q_OBJECT

 public:
  QCustomPlot* plot() const { return m_plot->plot(); }
  PlotTableView* tableView() const { return m_table; }
  void showTable(bool shown);
  bool isTableShown() const;
  virtual PlotTable table() const = 0;
  // By the file's ending: png, pdf, svg (where built in) or csv.
  Status exportTo(const QString& path);

 Q_SIGNALS:
  void errorOccurred(const QString& sentence);

 protected:
  // `name` is the stem of exported files and of the card: "attention".
  PlotPanel(const QString& name, QWidget* parent);
  // Takes the plot; buttons for table and export go to the end of the first toolbar row.
  void setPlot(PlotWidget* plot);
  QHBoxLayout* addRow();  // another row of controls above the plot
  QHBoxLayout* firstRow() const { return m_firstRow; }
  QMenu* exportMenu() const { return m_exportMenu; }  // after setPlot(): for formats of its own
  void refreshTable();  // after the data changed; does nothing while the table is hidden
  static QLabel* labelFor(const QString& text, QWidget* control);  // with its buddy

 private:
  QMenu* makeExportMenu();
  void askAndExport(const QString& ending);

  QString m_name;
  QVBoxLayout* m_layout;
  QHBoxLayout* m_firstRow;
  QStackedWidget* m_stack;
  PlotWidget* m_plot = nullptr;
  QMenu* m_exportMenu = nullptr;
  PlotTableView* m_table;
  QToolButton* m_tableButton;
};

}  // namespace ropescope::ui
