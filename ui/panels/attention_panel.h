// The attention map of one head of the current session.
#pragma once

#include <QComboBox>
#include <QPushButton>
#include <QSpinBox>

#include "ui/panels/color_controls.h"
#include "ui/panels/plot_panel.h"
#include "ui/viewmodels/app_model.h"
#include "ui/viewmodels/attention_view_model.h"
#include "ui/viewmodels/token_weights.h"
#include "ui/worker/engine_runner.h"

namespace ropescope::ui {

class AttentionPanel : public PlotPanel {
  Q_OBJECT

 public:
  AttentionPanel(AppModel& app, EngineRunner& runner, QWidget* parent = nullptr);

  AttentionViewModel& model() { return m_model; }
  TokenWeights& weights() { return m_weights; }
  PlotTable table() const override;
  bool isSettled() const override;

 private:
  void buildControls();
  void addHeadControls();
  void addColorControls();
  void connectControls();
  void connectApp();
  void showSelection();
  void showSession();
  void startSession();
  // `key`: of requests with the same one only the newest is answered.
  void request(const QString& key, const MapRequest& request,
               const AttentionViewModel::Deliver& deliver);

  AppModel& m_app;
  EngineRunner& m_runner;
  AttentionViewModel m_model;
  TokenWeights m_weights{m_model};
  QSpinBox* m_layer;
  QSpinBox* m_head;
  QComboBox* m_reducer;
  QComboBox* m_granularity;
  ColorControls* m_colors;
  QPushButton* m_read;
  QPushButton* m_keep;
  std::int64_t m_documentHeld = 0;  // tokens of the document that the session begins with
  bool m_flipping = false;          // the next plan comes by a flip between settings
};

// The picture's cells: one row per cell row, one column per cell column.
PlotTable attentionTable(const AttentionMap& map);
// Appends what the strips beside the map show: two columns for its row, two for its column. Columns
// with fewer rows than others end in empty cells.
void appendStrips(PlotTable& table, const TokenWeights& weights);

}  // namespace ropescope::ui
