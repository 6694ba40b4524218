// Draws a ContributionViewModel: one signed bar a rotary pair, another method's as outlines.
#pragma once

#include "ui/plots/plot_widget.h"
#include "ui/viewmodels/contribution_view_model.h"

namespace ropescope::ui {

class ContributionPlot : public PlotWidget {
  Q_OBJECT

 public:
  explicit ContributionPlot(const ContributionViewModel& model, QWidget* parent = nullptr);

  QCPBars* bars() const { return m_bars; }
  QCPBars* ghost() const { return m_ghost; }

 protected:
  void restyle(PlotTheme theme) override;

 private:
  void redraw();
  void fitAxes();
  void hover(QMouseEvent* event);

  const ContributionViewModel& m_model;
  QCPBars* m_ghost;
  QCPBars* m_bars;
  QCPItemStraightLine* m_zero;
  QCPItemRect* m_unturned;  // pairs that never turned once in training
  QCPItemText* m_unturnedText;
  QCPItemText* m_message;
};

}  // namespace ropescope::ui
