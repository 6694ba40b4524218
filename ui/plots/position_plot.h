// Draws one number per token over its position: the largest and the mean of every pixel.
#pragma once

#include <vector>

#include "ui/plots/plot_widget.h"
#include "ui/plots/position_pooling.h"

namespace ropescope::ui {

struct PositionSeries {
  std::vector<double> values;  // by position; NaN: no number
  QString valueTitle;          // with its unit
  QString caption;             // below the axes
  QString hint;                // instead of a curve
};

class PositionPlot : public PlotWidget {
  Q_OBJECT

 public:
  explicit PositionPlot(QWidget* parent = nullptr);

  void setSeries(PositionSeries series);
  const PositionSeries& series() const { return m_series; }
  const PooledPositions& pooled() const { return m_pooled; }
  void markPosition(std::int64_t position);  // -1: none
  std::int64_t markedPosition() const { return m_marked; }
  void resetView();  // double click or 0

 Q_SIGNALS:
  void pointed(qint64 position);  // the pointer is there; -1: it left
  void picked(qint64 position);   // a click

 protected:
  void restyle(PlotTheme theme) override;
  void keyPressEvent(QKeyEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void connectMouse();
  void repool();
  void placeMark();
  std::int64_t positionAt(const QMouseEvent* event) const;  // -1: outside
  void hover(QMouseEvent* event);

  PositionSeries m_series;
  PooledPositions m_pooled;
  std::int64_t m_marked = -1;
  bool m_following = true;  // the view is the whole of the series
  int m_pooledWidth = 0;    // pixels
  QPoint m_pressed;
  QCPGraph* m_most;
  QCPGraph* m_mean;
  QCPItemStraightLine* m_mark;
  QCPItemText* m_hint;
  QCPTextElement* m_caption;
};

}  // namespace ropescope::ui
