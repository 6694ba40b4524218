// Perplexity against context length on the open document, one curve per method.
#pragma once

#include <QLabel>
#include <QPushButton>
#include <filesystem>

#include "ui/panels/plot_panel.h"
#include "ui/viewmodels/app_model.h"
#include "ui/viewmodels/perplexity_view_model.h"
#include "ui/worker/engine_runner.h"

namespace ropescope::ui {

class PerplexityPlot;
class PerplexitySetup;

class PerplexityPanel : public PlotPanel {
  Q_OBJECT

 public:
  // `resources`: calibrations and published curves are looked for there; empty: none.
  PerplexityPanel(AppModel& app, EngineRunner& runner, std::filesystem::path resources,
                  QWidget* parent = nullptr);

  PerplexityViewModel& model() { return m_model; }
  PerplexityPlot& curvePlot() { return *m_curvePlot; }
  PerplexitySetup& setup() { return *m_setup; }
  PlotTable table() const override { return m_model.table(); }
  void addBooks(const QStringList& paths);
  // The measured curves: lengths across, one curve a row.
  Status exportWideCsv(const QString& path);

  void showExample() override { m_model.start(); }
  bool isSettled() const override { return m_model.state() == PerplexityViewModel::State::Idle; }

 Q_SIGNALS:
  // Under the mouse, in tokens from the document's start; -1: none. The document shows the last
  // token of so long a text.
  void positionHovered(qint64 tokens);

 private:
  void buildControls();
  void connectControls();
  void connectApp();
  void takeDocument();
  void takeModel();
  void takePlan();
  void readBook(const QString& path);
  void askWideCsv();
  void showSetup();
  void showState();

  AppModel& m_app;
  EngineRunner& m_runner;
  PerplexityViewModel m_model;
  PerplexityPlot* m_curvePlot;
  PerplexitySetup* m_setup;
  QPushButton* m_measure;
  QPushButton* m_stop;
  QPushButton* m_setupButton;
  QLabel* m_status;
};

}  // namespace ropescope::ui
