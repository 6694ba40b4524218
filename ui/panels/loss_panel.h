// The loss of every token of the document over its position, and the sentences that the model
// predicts worst.
#pragma once

#include <QPushButton>

#include "ui/panels/plot_panel.h"
#include "ui/viewmodels/loss_view_model.h"

namespace ropescope::ui {

class PassageList;
class PositionPlot;

class LossPanel : public PlotPanel {
  Q_OBJECT

 public:
  LossPanel(LossViewModel& model, TextShading& shading, QWidget* parent = nullptr);

  PlotTable table() const override { return m_model.table(); }
  void showExample() override { measure(); }
  bool isSettled() const override { return !m_model.isRunning(); }
  PassageList& list() { return *m_list; }
  PositionPlot& positions() { return *m_positions; }

 private:
  void measure();
  void connectPointing();
  void showLosses();

  LossViewModel& m_model;
  TextShading& m_shading;
  QPushButton* m_measure;
  QPushButton* m_stop;
  QLabel* m_status;
  PositionPlot* m_positions;
  PassageList* m_list;
};

}  // namespace ropescope::ui
