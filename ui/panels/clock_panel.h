// The rotary pairs as clocks: where every hand stands at a position, and whether training has shown
// it there.
#pragma once

#include <QCheckBox>
#include <QLabel>

#include "ui/panels/plot_panel.h"
#include "ui/viewmodels/angle_view_model.h"

namespace ropescope::ui {

class ClockPlot;

class ClockPanel : public PlotPanel {
  Q_OBJECT

 public:
  // Shares the model, and so the position, with the other views of the pairs.
  explicit ClockPanel(AngleViewModel& model, QWidget* parent = nullptr);

  ClockPlot& wall() { return *m_wall; }
  PlotTable table() const override { return m_model.clockTable(); }
  // The end of the planned context, where plain RoPE's hands have left what training showed.
  void showExample() override { m_model.setPosition(m_model.lastPosition()); }

 private:
  void showText();

  AngleViewModel& m_model;
  ClockPlot* m_wall;
  QLabel* m_text;
};

}  // namespace ropescope::ui
