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
#include <functional>
#include <string>

#include "core/base/result.h"
#include "ui/panels/panel_text.h"
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
  // By the file's ending: png, pdf, svg (where built in) or csv. A picture carries `experiment`,
  // when there is one; where it cannot, the picture is there all the same and the error says so.
  Status exportTo(const QString& path, const std::string& experiment = {});

  // Where an exported picture's experiment comes from: calls back with its text, now or later on
  // the GUI thread; empty: none.
  using TakeText = std::function<void(const std::string&)>;
  using Carried = std::function<void(const TakeText&)>;
  void setCarried(Carried carried) { m_carried = std::move(carried); }
  bool hasCarried() const { return m_carried != nullptr; }
  // What the export menu does: with the experiment. Errors go to errorOccurred().
  void exportCarrying(const QString& path);

 Q_SIGNALS:
  void errorOccurred(const QString& sentence);
  void exported(const QString& path);

 protected:
  // `name` is the stem of exported files and of the card: "attention".
  PlotPanel(const QString& name, QWidget* parent);
  // Takes the plot; buttons for table and export go to the end of the first toolbar row. `page`:
  // what the table replaces, when that is more than the plot.
  void setPlot(PlotWidget* plot, QWidget* page = nullptr);
  QHBoxLayout* addRow();  // another row of controls above the plot
  QHBoxLayout* firstRow() const { return m_firstRow; }
  QMenu* exportMenu() const { return m_exportMenu; }  // after setPlot(): for formats of its own
  void refreshTable();  // after the data changed; does nothing while the table is hidden

 private:
  QMenu* makeExportMenu();
  void askAndExport(const QString& ending);

  Carried m_carried;
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
