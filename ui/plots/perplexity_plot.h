// Draws a PerplexityViewModel: perplexity against context length, one curve per method.
#pragma once

#include <vector>

#include "ui/plots/plot_widget.h"
#include "ui/viewmodels/perplexity_view_model.h"

namespace ropescope::ui {

class PerplexityPlot : public PlotWidget {
  Q_OBJECT

 public:
  explicit PerplexityPlot(const PerplexityViewModel& model, QWidget* parent = nullptr);

  QCPGraph* curve(std::size_t index) const { return m_curves[index].graph; }
  std::size_t curves() const { return m_curves.size(); }

 protected:
  void restyle(PlotTheme theme) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  struct Curve {
    QCPGraph* graph = nullptr;
    QCPErrorBars* errors = nullptr;
  };

  void buildItems();
  void redraw();
  void resizeCurves(std::size_t curves);
  bool isZoomed() const;  // by the user
  void resetView();       // double click or 0
  void fitAxes(const std::vector<PerplexityLine>& lines);
  void showTrainedLength();
  void styleCurves(PlotTheme theme);
  void hover(QMouseEvent* event);

  const PerplexityViewModel& m_model;
  std::vector<Curve> m_curves;
  QCPRange m_fittedX;
  QCPRange m_fittedY;
  QCPItemStraightLine* m_trained = nullptr;
  QCPItemText* m_trainedText = nullptr;
  QCPItemText* m_hint = nullptr;         // when there is nothing to show
  QCPTextElement* m_protocol = nullptr;  // below the axes
};

}  // namespace ropescope::ui
