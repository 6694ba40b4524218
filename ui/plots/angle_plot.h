// Draws an AngleViewModel: three linked plots of every rotary pair (scale; wavelength, frequency or
// turns; angle), or one of them alone.
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
  QCPGraph* speedCurve() const { return m_curves.front().speed; }
  QCPGraph* angleDots() const { return m_curves.front().angle; }

 protected:
  void restyle(PlotTheme theme) override;
  void resizeEvent(QResizeEvent* event) override;
  void showEvent(QShowEvent* event) override;

 private:
  enum Part { Factor, Speed, Angle, kParts };
  // The same plan in the three plots.
  struct Curve {
    QCPGraph* factor = nullptr;
    QCPGraph* speed = nullptr;  // wavelength, frequency or turns
    QCPGraph* angle = nullptr;
  };

  void buildPart(Part part);
  void buildItems();
  void linkAxes();
  void labelAxes();
  void arrange();  // beside each other when there is room, else below each other
  bool isShown(Part part) const;
  int shownParts() const;
  void showParts();
  Curve addCurve();
  void resizeCurves(std::size_t curves);
  void redraw();
  void redrawAngles();
  void redrawGhost();
  void fitAxes(bool rearranged);
  void fill(const Curve& curve, const AngleCurve& values);
  void markTrained();
  const AngleCurve& values(std::size_t curve) const;
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
  PairQuantity m_quantity = PairQuantity::All;  // as drawn
};

}  // namespace ropescope::ui
