// Score against distance: calm within the trained range, and beyond it?
#pragma once

#include <QComboBox>
#include <QLabel>

#include "ui/panels/plot_panel.h"
#include "ui/panels/token_controls.h"
#include "ui/viewmodels/score_view_model.h"

namespace ropescope::ui {

class ScorePanel : public PlotPanel {
  Q_OBJECT

 public:
  explicit ScorePanel(LensParts parts, QWidget* parent = nullptr);

  ScoreViewModel& model() { return m_model; }
  PlotTable table() const override { return m_model.table(); }
  void showExample() override;
  bool isSettled() const override;

 protected:
  void showEvent(QShowEvent* event) override;
  void hideEvent(QHideEvent* event) override;

 private:
  void buildControls();

  ScoreViewModel m_model;
  TokenControls* m_controls;
  QComboBox* m_contents;
  QComboBox* m_shown;
  QLabel* m_text;
};

}  // namespace ropescope::ui
