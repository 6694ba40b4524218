// Draws an AttentionCompareModel: two maps and their difference, one zoom for all three.
#pragma once

#include <array>

#include "ui/plots/plot_widget.h"
#include "ui/viewmodels/attention_compare_model.h"

namespace ropescope::ui {

class AttentionComparePlot : public PlotWidget {
  Q_OBJECT

 public:
  explicit AttentionComparePlot(AttentionCompareModel& model, QWidget* parent = nullptr);

  enum Part { Left, Right, Difference, kParts };
  QCPColorMap* colorMap(Part part) const { return m_maps[part]; }
  QCPAxisRect* axisRect(Part part) const { return m_rects[part]; }
  FooterText* footer() const { return m_footer; }

 protected:
  void restyle(PlotTheme theme) override;
  void resizeEvent(QResizeEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void buildPart(Part part);
  QCPColorScale* buildScale();
  void connectPlot();
  void arrange();  // three beside each other, or the difference below when there is little width
  void redraw();
  void redrawDifference();
  void showTitles();
  void showView();
  void readView(Part part);
  void reportPixels();
  void hover(QMouseEvent* event);
  bool handleKey(int key);
  QCPAxis* x(Part part) const { return m_rects[part]->axis(QCPAxis::atBottom); }
  QCPAxis* y(Part part) const { return m_rects[part]->axis(QCPAxis::atLeft); }

  AttentionCompareModel& m_model;
  QCPLayoutGrid* m_grid;
  std::array<QCPLayoutGrid*, 2> m_rows{};  // the second only where there is little width
  std::array<QCPAxisRect*, kParts> m_rects{};
  std::array<QCPColorMap*, kParts> m_maps{};
  std::array<QCPItemText*, kParts> m_titles{};
  std::array<QCPItemTracer*, kParts> m_cross{};  // the point that the mouse is at, in all three
  QCPColorScale* m_weights = nullptr;
  QCPColorScale* m_differences = nullptr;
  QCPItemText* m_message = nullptr;
  FooterText* m_footer = nullptr;
  bool m_isWide = true;
  bool m_settingAxes = false;
};

}  // namespace ropescope::ui
