// Draws an AngleViewModel as a wall of clocks: one hand per rotary pair.
#pragma once

#include "ui/plots/plot_widget.h"
#include "ui/viewmodels/angle_view_model.h"

namespace ropescope::ui {

// Where the clocks stand: as many columns as make them largest.
struct ClockGrid {
  int columns = 1;
  int rows = 1;
  double cell = 0.0;  // pixels, side of a square
  QPointF origin;     // upper left corner of the first cell

  static ClockGrid fit(const QRectF& area, int clocks);
  QRectF cellOf(int clock) const;
  int clockAt(const QPointF& point, int clocks) const;  // -1: none
};

class ClockItem;

class ClockPlot : public PlotWidget {
  Q_OBJECT

 public:
  explicit ClockPlot(const AngleViewModel& model, QWidget* parent = nullptr);

  void setPlainShown(bool shown);  // plain RoPE's hands behind the plan's
  ClockGrid grid() const;

 protected:
  void restyle(PlotTheme theme) override;
  void showEvent(QShowEvent* event) override;

 private:
  void redraw();       // faces and hands
  void redrawHands();  // hands alone, on a layer of their own
  void hover(QMouseEvent* event);

  const AngleViewModel& m_model;
  ClockItem* m_faces;
  ClockItem* m_hands;
  bool m_stale = false;  // something changed while hidden
};

}  // namespace ropescope::ui
