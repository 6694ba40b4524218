// Draws a PscViewModel: gates by component above, turns by pair below; bands over the document,
// dots for the chosen token.
#pragma once

#include <array>

#include "ui/plots/plot_widget.h"
#include "ui/viewmodels/psc_view_model.h"

namespace ropescope::ui {

class PscPlot : public PlotWidget {
  Q_OBJECT

 public:
  explicit PscPlot(const PscViewModel& model, QWidget* parent = nullptr);

  QCPGraph* gateDots() const { return m_parts[Gates].token; }
  QCPGraph* turnDots() const { return m_parts[Turns].token; }

 protected:
  void restyle(PlotTheme theme) override;

 private:
  enum Which { Gates, Turns, kParts };
  // One quantity over its axis rect.
  struct Part {
    QCPAxisRect* rect = nullptr;
    QCPGraph* low = nullptr;  // 5 %
    QCPGraph* quarter = nullptr;
    QCPGraph* median = nullptr;
    QCPGraph* threeQuarters = nullptr;
    QCPGraph* high = nullptr;
    QCPGraph* token = nullptr;
    QCPItemStraightLine* neutral = nullptr;  // gate 1, turn 0
  };

  void buildPart(Which which, double neutral);
  void redraw();
  void fill(Part& part, const QuantileBand& band, const QVector<double>& token);
  void hover(QMouseEvent* event);

  const PscViewModel& m_model;
  std::array<Part, kParts> m_parts;
  QCPItemText* m_message = nullptr;
};

}  // namespace ropescope::ui
