// Draws a PerplexityViewModel: perplexity against context length, one curve per method.
#pragma once

#include <optional>
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
  QCPGraph* publishedCurve(std::size_t index) const { return m_published[index].graph; }
  std::size_t publishedCurves() const { return m_published.size(); }

  // A line at this many tokens with every curve's value there; 0: none.
  void setCursor(qint64 tokens);
  QString cursorText() const;

 Q_SIGNALS:
  void positionHovered(qint64 tokens);  // under the mouse; -1: it left the axes

 protected:
  void restyle(PlotTheme theme) override;
  void keyPressEvent(QKeyEvent* event) override;
  void leaveEvent(QEvent* event) override;

 private:
  struct Curve {
    QCPGraph* graph = nullptr;
    QCPErrorBars* errors = nullptr;
  };

  struct Published {
    QCPGraph* graph = nullptr;
    QCPGraph* bounds = nullptr;  // points that are only known to lie above
  };
  // The point under the mouse.
  struct Near {
    QString title;
    QString detail;
    double length = 0.0;
    double perplexity = 0.0;
    double error = 0.0;  // 0: none
  };

  void buildItems();
  void redraw();
  void drawPublished(const std::vector<PerplexityLine>& lines);
  void drawCursor();
  void resizeCurves(std::size_t curves);
  void resizePublished(std::size_t curves);
  bool isZoomed() const;  // by the user
  void resetView();       // double click or 0
  void fitAxes();
  void showTrainedLength();
  void styleCurves(PlotTheme theme);
  std::optional<Near> near(const QPointF& at) const;
  void hover(QMouseEvent* event);

  const PerplexityViewModel& m_model;
  std::vector<Curve> m_curves;
  std::vector<Published> m_published;
  std::vector<PerplexityLine> m_lines;           // as drawn
  std::vector<PerplexityLine> m_publishedLines;  // as drawn
  qint64 m_cursorTokens = 0;
  QCPRange m_fittedX;
  QCPRange m_fittedY;
  QCPItemStraightLine* m_trained = nullptr;
  QCPItemText* m_trainedText = nullptr;
  QCPItemText* m_hint = nullptr;  // when there is nothing to show
  QCPItemStraightLine* m_cursor = nullptr;
  QCPItemText* m_cursorText = nullptr;
  QCPTextElement* m_protocol = nullptr;  // below the axes
};

}  // namespace ropescope::ui
