#include "ui/plots/plot_widget.h"

#include <QEvent>
#include <QFontMetrics>
#include <QResizeEvent>
#include <QVBoxLayout>
#include <algorithm>
#include <numeric>
#include <vector>

namespace ropescope::ui {
namespace {

// A view behind another one may have no room at all: nothing to paint on, which QCustomPlot
// complains of with every layer.
class RoomyPlot : public QCustomPlot {
 public:
  using QCustomPlot::QCustomPlot;

 protected:
  void resizeEvent(QResizeEvent* event) override {
    if (!event->size().isEmpty()) QCustomPlot::resizeEvent(event);
  }
};

}  // namespace

PlotWidget::PlotWidget(QWidget* parent) : QWidget(parent), m_plot(new RoomyPlot(this)) {
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

void PlotWidget::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  if (m_plot->legend != nullptr && m_plot->legend->visible()) wrapLegend(m_plot);
  replotSoon();
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
  row->addElement(0, 0, plot->legend);                // takes it out of the axis rect
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
  std::vector<int> widths;
  for (int i = 0; i < plot->plottableCount(); ++i) {
    if (!plot->legend->hasItemWithPlottable(plot->plottable(i))) continue;
    widths.push_back(metrics.horizontalAdvance(plot->plottable(i)->name()) + kIconAndGaps);
  }
  const auto fits = [&](std::size_t columns) {
    std::vector<int> widest(columns, 0);
    for (std::size_t i = 0; i < widths.size(); ++i) {
      widest[i % columns] = std::max(widest[i % columns], widths[i]);
    }
    return std::accumulate(widest.begin(), widest.end(), 0) <= plot->width() - 20;
  };
  std::size_t columns = std::max<std::size_t>(1, widths.size());
  while (columns > 1 && !fits(columns)) --columns;
  plot->legend->setWrap(static_cast<int>(columns));
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
