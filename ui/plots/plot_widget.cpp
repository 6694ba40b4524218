#include "ui/plots/plot_widget.h"

#include <algorithm>

#include <QEvent>
#include <QFontMetrics>
#include <QVBoxLayout>

namespace ropescope::ui {

PlotWidget::PlotWidget(QWidget* parent) : QWidget(parent), m_plot(new QCustomPlot(this)) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(m_plot);
  m_plot->setFocusPolicy(Qt::StrongFocus);
  setFocusProxy(m_plot);
}

void PlotWidget::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) {
    followPalette();
  }
}

void PlotWidget::followPalette() {
  m_theme = themeOf(palette());
  apply(m_plot, m_theme);
  restyle(m_theme);
  replotSoon();
}

void moveLegendAbove(QCustomPlot* plot) {
  auto* row = new QCPLayoutGrid;
  plot->plotLayout()->insertRow(0);
  plot->plotLayout()->addElement(0, 0, row);
  plot->plotLayout()->setRowStretchFactor(0, 0.001);
  row->addElement(0, 0, plot->legend);  // takes it out of the axis rect
  row->addElement(0, 1, new QCPLayoutElement(plot));  // keeps the entries together at the left
  row->setColumnStretchFactor(0, 0.001);
  row->setColumnSpacing(0);
  plot->legend->setFillOrder(QCPLayoutGrid::foColumnsFirst);
  plot->legend->setMargins(QMargins(14, 8, 0, 0));
  plot->legend->setColumnSpacing(18);
  plot->legend->setRowSpacing(2);
  plot->legend->setIconSize(30, 12);
  plot->legend->setVisible(true);
}

void wrapLegend(QCustomPlot* plot) {
  constexpr int kIconAndGaps = 30 + 7 + 18;  // px
  const QFontMetrics metrics(plot->legend->font());
  int widest = 1;
  for (int i = 0; i < plot->plottableCount(); ++i) {
    if (!plot->legend->hasItemWithPlottable(plot->plottable(i))) continue;
    widest = std::max(widest, metrics.horizontalAdvance(plot->plottable(i)->name()));
  }
  plot->legend->setWrap(std::max(1, (plot->width() - 28) / (widest + kIconAndGaps)));
  plot->legend->setFillOrder(QCPLayoutGrid::foColumnsFirst, true);
  plot->legend->simplify();
}

FooterText::FooterText(QCustomPlot* plot) : QCPTextElement(plot) {
  setTextFlags(Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap);
  setMargins(QMargins(14, 0, 14, 8));
}

QSize FooterText::minimumOuterSizeHint() const {
  const int width = mParentPlot->width() - mMargins.left() - mMargins.right();
  const QRect box = QFontMetrics(font()).boundingRect(QRect(0, 0, std::max(40, width), 10'000),
                                                      textFlags(), text());
  return {40, text().isEmpty() ? 0 : box.height() + mMargins.top() + mMargins.bottom()};
}

QSize FooterText::maximumOuterSizeHint() const {
  return {QWIDGETSIZE_MAX, minimumOuterSizeHint().height()};
}

}  // namespace ropescope::ui
