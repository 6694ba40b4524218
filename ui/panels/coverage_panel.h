// Distances at which pairs meet angles that training never showed, and how much of the current
// answer's attention goes so far back.
#pragma once

#include <QComboBox>
#include <QLabel>
#include <QSlider>
#include <QSpinBox>
#include <QTimer>

#include "ui/panels/plot_panel.h"
#include "ui/viewmodels/answer_rows.h"
#include "ui/viewmodels/app_model.h"
#include "ui/viewmodels/coverage_view_model.h"
#include "ui/viewmodels/head_choice.h"

namespace ropescope::ui {

// What the panel watches; all outlive it.
struct CoverageSources {
  AppModel& app;
  EngineRunner& runner;
  ChatModel& chat;
  HeadChoice& heads;
};

class CoveragePanel : public PlotPanel {
  Q_OBJECT

 public:
  explicit CoveragePanel(const CoverageSources& sources, QWidget* parent = nullptr);

  CoverageViewModel& model() { return m_model; }
  PlotTable table() const override { return m_model.table(); }
  void showExample() override;
  bool isSettled() const override { return !m_waiting && !m_ask.isActive(); }

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  void buildControls();
  void connectSources();
  void takePlan();
  HeadSetKind chosenKind() const;
  HeadSet wantedHeads() const;
  void askSoon();
  void ask();
  void accept(const AnswerRows::Rows& rows, const Result<DistanceMass>& mass);
  QString headsText(const HeadSet& heads) const;
  void showPlans();
  void showDistance();
  void showText();

  AppModel& m_app;
  EngineRunner& m_runner;
  HeadChoice& m_headChoice;
  AnswerRows m_rows;
  CoverageViewModel m_model;
  QComboBox* m_method;
  QComboBox* m_scale;
  QComboBox* m_heads;
  QSpinBox* m_ignored;
  QSpinBox* m_distance;
  QSlider* m_slider;
  QLabel* m_text;
  QTimer m_ask;
  bool m_waiting = false;
};

}  // namespace ropescope::ui
