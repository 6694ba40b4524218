// Draws the tile of an AttentionViewModel: queries downward, keys to the right, weights in colour.
#pragma once

#include <array>

#include "ui/plots/plot_widget.h"
#include "ui/viewmodels/attention_view_model.h"
#include "ui/viewmodels/token_weights.h"

namespace ropescope::ui {

class WeightStrips;

class AttentionMapPlot : public PlotWidget {
  Q_OBJECT

 public:
  explicit AttentionMapPlot(AttentionViewModel& model, QWidget* parent = nullptr);
  // Strips with the weights of the row and the column under the pointer; a click pins them.
  void addStrips(TokenWeights& weights);
  WeightStrips* strips() const { return m_strips; }

  QCPColorMap* colorMap() const { return m_map; }
  QCPAxisRect* axisRect() const { return m_rect; }

 protected:
  void restyle(PlotTheme theme) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void buildItems();
  void connectPlot();
  void redraw();    // tile and colours
  void showView();  // axes from the model
  void readView();  // model from the axes, after a drag or the wheel
  void reportPixels();
  void labelAxes();
  void placeIgnored();
  bool handleKey(int key);
  void hover(QMouseEvent* event);
  void click(QMouseEvent* event);

  AttentionViewModel& m_model;
  QCPAxisRect* m_rect;
  QCPColorMap* m_map;
  QCPColorScale* m_scale;
  QCPItemRect* m_ignored;
  QCPItemText* m_corner;
  QCPItemText* m_message;
  TokenWeights* m_weights = nullptr;
  WeightStrips* m_strips = nullptr;
  FooterText* m_footer = nullptr;
  QPoint m_pressed;
  bool m_settingAxes = false;
};

}  // namespace ropescope::ui
