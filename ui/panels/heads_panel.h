// All heads of all layers at once: the mosaic, the search for retrieval heads, and their list.
#pragma once

#include <QComboBox>
#include <QPushButton>
#include <QSpinBox>
#include <QSplitter>
#include <QTableView>

#include "core/lens/retrieval_heads.h"
#include "ui/panels/color_controls.h"
#include "ui/panels/plot_panel.h"
#include "ui/plots/head_mosaic_plot.h"
#include "ui/viewmodels/app_model.h"
#include "ui/viewmodels/head_choice.h"
#include "ui/viewmodels/head_mosaic_view_model.h"
#include "ui/viewmodels/head_table_model.h"
#include "ui/worker/engine_runner.h"

namespace ropescope::ui {

class HeadsPanel : public PlotPanel {
  Q_OBJECT

 public:
  HeadsPanel(AppModel& app, EngineRunner& runner, HeadChoice& choice, QWidget* parent = nullptr);

  HeadMosaicViewModel& model() { return m_model; }
  HeadMosaicPlot& mosaic() { return *m_mosaic; }
  QTableView& list() { return *m_list; }
  bool isSearching() const { return m_searching; }
  void findRetrievalHeads();
  void stopSearch();
  PlotTable table() const override;

  void showExample() override;
  bool isSettled() const override;

 protected:
  void showEvent(QShowEvent* event) override;
  void hideEvent(QHideEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  void buildControls();
  void buildSearchRow();
  void buildList();
  void connectControls();
  void connectApp();
  void connectList();
  void startSession();
  void showSettings();
  void showSession();
  void showSearch();
  void selectChosen();  // in the list
  void showBest();      // once after a search, as soon as the list can be seen
  void takeRanking(const Result<CopyTestResult>& found, const QString& plan);
  void request(const MosaicRequest& request, const HeadMosaicViewModel::Deliver& deliver);

  AppModel& m_app;
  EngineRunner& m_runner;
  HeadChoice& m_choice;
  HeadMosaicViewModel m_model;
  HeadTableModel m_heads;
  HeadTableOrder m_order;
  bool m_searching = false;
  bool m_bestWaits = false;  // for the list to be seen
  bool m_flipping = false;   // the plan that follows is another slot's
  HeadMosaicPlot* m_mosaic;
  QSplitter* m_split;
  QTableView* m_list;
  int m_listWidth = 0;  // px, so that no number is cut
  QComboBox* m_reducer;
  ColorControls* m_colors;
  QPushButton* m_read;
  QPushButton* m_find;
  QSpinBox* m_best;
  QToolButton* m_showList;
  QLabel* m_found;
};

// Every cell of the mosaic that is drawn: a row per head and cell row, a column per cell column.
PlotTable mosaicTable(const HeadMosaicViewModel& model);

}  // namespace ropescope::ui
