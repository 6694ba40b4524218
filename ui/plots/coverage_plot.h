// Draws a CoverageViewModel: the attention by distance above the map pair x distance.
#pragma once

#include <array>

#include "ui/plots/plot_widget.h"
#include "ui/viewmodels/coverage_view_model.h"

namespace ropescope::ui {

class CoverageBands;

class CoveragePlot : public PlotWidget {
  Q_OBJECT

 public:
  explicit CoveragePlot(const CoverageViewModel& model, QWidget* parent = nullptr);

  // What is drawn, for tests.
  QCPGraph* massCurve(bool unseen) const { return unseen ? m_unseenMass : m_seenMass; }
  QCPAxisRect* mapRect() const { return m_map; }

 Q_SIGNALS:
  void distancePicked(qint64 distance);  // a click or a drag in the plot

 protected:
  void restyle(PlotTheme theme) override;
  void showEvent(QShowEvent* event) override;

 private:
  void buildRects();
  void buildItems();
  void redraw();
  void redrawMass();
  void redrawDistance();
  void hover(QMouseEvent* event);
  void pick(QMouseEvent* event);
  void drawSoon();
  double place(double distance) const;  // on the axis: a logarithmic one has no 0
  QCPAxis* x(const QCPAxisRect* rect) const { return rect->axis(QCPAxis::atBottom); }
  QCPAxis* y(const QCPAxisRect* rect) const { return rect->axis(QCPAxis::atLeft); }

  const CoverageViewModel& m_model;
  QCPAxisRect* m_top;
  QCPAxisRect* m_map;
  QCPGraph* m_seenMass = nullptr;
  QCPGraph* m_unseenMass = nullptr;
  CoverageBands* m_bands = nullptr;
  std::array<QCPItemStraightLine*, 2> m_trained{};  // above and below
  std::array<QCPItemStraightLine*, 2> m_distance{};
  QCPItemText* m_trainedText = nullptr;
  QCPItemText* m_turnedText = nullptr;
  QCPItemText* m_unseenText = nullptr;
  QCPItemText* m_noMass = nullptr;
};

}  // namespace ropescope::ui
