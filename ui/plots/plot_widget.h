// What all plots share: one QCustomPlot that fills the widget and follows the palette.
#pragma once

#include <QWidget>

#include "ui/plots/plot_style.h"

namespace ropescope::ui {

class PlotWidget : public QWidget {
  Q_OBJECT

 public:
  explicit PlotWidget(QWidget* parent = nullptr);

  QCustomPlot* plot() const { return m_plot; }
  PlotTheme theme() const { return m_theme; }

 protected:
  void changeEvent(QEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

  // Colours everything; called once by followPalette() and again when the palette changes.
  virtual void restyle(PlotTheme theme) = 0;
  void followPalette();  // last line of a constructor
  void replotSoon() { m_plot->replot(QCustomPlot::rpQueuedReplot); }

 private:
  QCustomPlot* m_plot;
  PlotTheme m_theme = PlotTheme::Light;
};

// A legend that stands above the axes in a row of its own, so that it never covers data.
void moveLegendAbove(QCustomPlot* plot);
// As many entries beside each other as fit; call on resize and after adding curves.
void wrapLegend(QCustomPlot* plot);

// A line of small print below the axes that wraps at the plot's width.
class FooterText : public QCPTextElement {
  Q_OBJECT

 public:
  explicit FooterText(QCustomPlot* plot);
  QSize minimumOuterSizeHint() const override;
  QSize maximumOuterSizeHint() const override;
};

}  // namespace ropescope::ui
