// Which rotary pairs made one token look at another.
#pragma once

#include <QComboBox>
#include <QLabel>

#include "ui/panels/plot_panel.h"
#include "ui/panels/token_controls.h"
#include "ui/viewmodels/contribution_view_model.h"

namespace ropescope::ui {

class ContributionPanel : public PlotPanel {
  Q_OBJECT

 public:
  explicit ContributionPanel(LensParts parts, QWidget* parent = nullptr);

  ContributionViewModel& model() { return m_model; }
  PlotTable table() const override { return m_model.table(); }
  void showExample() override;
  bool isSettled() const override;

 protected:
  void showEvent(QShowEvent* event) override;
  void hideEvent(QHideEvent* event) override;

 private:
  void showComparisons();
  void showText();

  ContributionViewModel m_model;
  TokenControls* m_controls;
  QComboBox* m_compare;
  QLabel* m_text;
};

}  // namespace ropescope::ui
