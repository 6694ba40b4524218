// Two strips beside an attention map: below it the weights of one query over the keys, to its right
// the weights of one key over the queries, and the cross that shows which two.
#pragma once

#include <array>
#include <vector>

#include "ui/plots/plot_style.h"
#include "ui/viewmodels/token_weights.h"

namespace ropescope::ui {

class WeightStrips : public QObject {
  Q_OBJECT

 public:
  // `map` lies at (0, 0) of the plot's layout; the strips take (1, 0) and (0, 1).
  WeightStrips(QCustomPlot* plot, QCPAxisRect* map, TokenWeights& weights);

  void restyle(PlotTheme theme);
  // As the map's colours: equal ranges read alike.
  void setValueScale(bool logarithmic, const ValueRange& range);
  QCPBars* row() const { return m_row; }
  QCPBars* column() const { return m_column; }

 private:
  QCPAxisRect* addStrip(int layoutRow, int layoutColumn);
  void redraw();
  void placeCross();

  QCustomPlot* m_plot;
  QCPAxisRect* m_map;
  TokenWeights& m_weights;
  QCPAxisRect* m_below;
  QCPAxisRect* m_beside;
  QCPBars* m_row;
  QCPBars* m_column;
  std::array<QCPItemStraightLine*, 2> m_cross{};
  double m_floor = 0.0;  // where bars begin
};

}  // namespace ropescope::ui
