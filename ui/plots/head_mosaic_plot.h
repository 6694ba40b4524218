// Draws a HeadMosaicViewModel as one colour map: layers downward, heads to the right; the chosen
// head and the retrieval heads in frames.
#pragma once

#include <optional>
#include <vector>

#include "core/lens/head_set.h"
#include "ui/plots/head_preview.h"
#include "ui/plots/plot_widget.h"
#include "ui/viewmodels/head_choice.h"
#include "ui/viewmodels/head_mosaic_view_model.h"

namespace ropescope::ui {

class HeadMosaicPlot : public PlotWidget {
  Q_OBJECT

 public:
  HeadMosaicPlot(HeadMosaicViewModel& model, HeadChoice& choice, QWidget* parent = nullptr);

  void setMarked(int best);  // frames around so many heads of the ranking
  QCPColorMap* colorMap() const { return m_map; }
  HeadPreview* preview() const { return m_preview; }
  std::optional<HeadRef> headAt(const QPointF& point) const;  // px of the plot
  QRectF pixelsOf(HeadRef head) const;

 protected:
  void restyle(PlotTheme theme) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void buildItems();
  void buildScale();
  void connectPlot();
  void reshape();  // another model or grid: axes, labels
  void redraw();   // cells, colours, texts
  void fill(HeadRef head);
  void markHeads();
  void arrangeLabels();
  void reportPixels();
  void hover(const QPoint& point);
  bool handleKey(int key);
  QImage imageOf(HeadRef head) const;
  QString labelOf(HeadRef head, bool room) const;
  std::optional<int> rankOf(HeadRef head) const;  // from 0; none: not marked

  HeadMosaicViewModel& m_model;
  HeadChoice& m_choice;
  int m_marked = HeadChoice::kBest;
  QCPColorMap* m_map;
  QCPColorScale* m_scale;
  QCPItemText* m_message = nullptr;
  QCPItemRect* m_chosen = nullptr;
  std::vector<QCPItemRect*> m_frames;   // of marked heads
  std::vector<QCPItemText*> m_labels;   // of every head, while there is room for them
  std::vector<QCPItemText*> m_missing;  // of layers that were not captured
  FooterText* m_footer;
  HeadPreview* m_preview;
};

}  // namespace ropescope::ui
