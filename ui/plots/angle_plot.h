// Draws an AngleViewModel: factor, wavelength and angle of every rotary pair, three linked plots.
#pragma once

#include <array>
#include <vector>

#include "ui/plots/plot_widget.h"
#include "ui/viewmodels/angle_view_model.h"

namespace ropescope::ui {

class AnglePlot : public PlotWidget {
  Q_OBJECT

 public:
  explicit AnglePlot(const AngleViewModel& model, QWidget* parent = nullptr);

  // What is drawn, for tests: curve of the plan, then plain RoPE.
  QCPGraph* factorCurve() const { return m_curves.front().factor; }
  QCPGraph* ghostCurve() const { return m_ghost.factor; }
  QCPGraph* angleDots() const { return m_curves.front().angle; }

 protected:
  void restyle(PlotTheme theme) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  enum Part { Factor, Wavelength, Angle, kParts };
  // The same plan in the three plots.
  struct Curve {
    QCPGraph* factor = nullptr;
    QCPGraph* wavelength = nullptr;
    QCPGraph* angle = nullptr;
  };

  void buildPart(Part part);
  void buildItems();
  void linkAxes();
  void labelAxes();
  void arrange();  // beside each other when there is room, else below each other
  Curve addCurve();
  void resizeCurves(std::size_t curves);
  void redraw();
  void redrawAngles();
  void redrawGhost();
  void fitAxes();
  void fill(const Curve& curve, const AngleCurve& values);
  void styleCurve(const Curve& curve, std::size_t index, PlotTheme theme);
  void hover(QMouseEvent* event);
  QCPAxis* x(Part part) const { return m_rects[part]->axis(QCPAxis::atBottom); }
  QCPAxis* y(Part part) const { return m_rects[part]->axis(QCPAxis::atLeft); }

  const AngleViewModel& m_model;
  std::array<QCPAxisRect*, kParts> m_rects{};
  std::vector<Curve> m_curves;               // plan, plain, then the others
  Curve m_ghost;                             // of the settings before the last flip
  std::array<QCPItemRect*, 2> m_unturned{};  // pairs that never turned once
  QCPItemText* m_unturnedText = nullptr;
  QCPItemStraightLine* m_trained = nullptr;
  QCPItemText* m_trainedText = nullptr;
  QCPItemText* m_positionText = nullptr;
  bool m_isWide = false;
};

}  // namespace ropescope::ui
