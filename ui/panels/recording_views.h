// Views of a recorded experiment: the window's plots, filled from a file instead of an engine.
#pragma once

#include <memory>

#include "core/experiment/experiment.h"
#include "ui/panels/plot_panel.h"
#include "ui/viewmodels/angle_view_model.h"
#include "ui/viewmodels/attention_view_model.h"
#include "ui/viewmodels/perplexity_view_model.h"

class QPlainTextEdit;
class QTextBrowser;

namespace ropescope::ui {

using RecordedExperiment = std::shared_ptr<const experiment::Experiment>;

class RecordedMapPanel : public PlotPanel {
  Q_OBJECT

 public:
  explicit RecordedMapPanel(QWidget* parent = nullptr);
  // The first `rows` rows of a map, as it grew while the document was read.
  void show(const RecordedExperiment& recorded, std::size_t setting, std::size_t map, int rows);
  PlotTable table() const override;
  bool isSettled() const override { return !m_model.isLoading(); }

  const AttentionViewModel& model() const { return m_model; }

 private:
  AttentionViewModel m_model;
  QLabel* m_caption;
  RecordedExperiment m_recorded;
  const AttentionMap* m_map = nullptr;  // in m_recorded
};

class RecordedAnglesPanel : public PlotPanel {
  Q_OBJECT

 public:
  explicit RecordedAnglesPanel(QWidget* parent = nullptr);
  void show(const RecordedExperiment& recorded);
  PlotTable table() const override { return m_model.table(); }

  const AngleViewModel& model() const { return m_model; }

 private:
  AngleViewModel m_model;
  QLabel* m_caption;
};

class RecordedCurvesPanel : public PlotPanel {
  Q_OBJECT

 public:
  explicit RecordedCurvesPanel(QWidget* parent = nullptr);
  void show(const RecordedExperiment& recorded, int points);  // of every curve
  PlotTable table() const override { return m_model.table(); }

  const PerplexityViewModel& model() const { return m_model; }

 private:
  PerplexityViewModel m_model;
};

// What a rotary plan says of a recorded setting. No model is needed: the base follows from the
// plain frequencies.
rope::RotaryPlan recordedPlan(const experiment::Plan& plan,
                              const experiment::RecordedSetting& result);
// The first rows of a map, a map by itself.
AttentionMap firstRows(const AttentionMap& map, int rows);

}  // namespace ropescope::ui
