// Perplexity against context length on the open document, one curve per method.
#pragma once

#include <QLabel>
#include <QLineEdit>
#include <QPushButton>

#include "ui/panels/plot_panel.h"
#include "ui/viewmodels/app_model.h"
#include "ui/viewmodels/perplexity_view_model.h"
#include "ui/worker/engine_runner.h"

namespace ropescope::ui {

class PerplexityPanel : public PlotPanel {
  Q_OBJECT

 public:
  PerplexityPanel(AppModel& app, EngineRunner& runner, QWidget* parent = nullptr);

  PerplexityViewModel& model() { return m_model; }
  PlotTable table() const override { return m_model.table(); }

 private:
  void buildControls();
  void connectControls();
  void connectApp();
  void takeDocument();
  void takePlan();
  void showInputs();
  void showState();

  AppModel& m_app;
  EngineRunner& m_runner;
  PerplexityViewModel m_model;
  QLineEdit* m_curves;
  QLineEdit* m_lengths;
  QPushButton* m_measure;
  QPushButton* m_stop;
  QLabel* m_status;
};

}  // namespace ropescope::ui
