#include "ui/plots/weight_strips.h"

#include <QLocale>
#include <algorithm>
#include <cmath>

#include "ui/plots/axis_ticks.h"

namespace ropescope::ui {
namespace {

constexpr int kThickness = 46;  // pixels of a strip

// Bars of the values above `floor`; the others and those in the future have none.
void fill(QCPBars* bars, const WeightLine& line, double floor) {
  QVector<double> positions;
  QVector<double> heights;
  for (qsizetype i = 0; i < line.weights.size(); ++i) {
    if (!(line.weights[i] > floor)) continue;  // NaN is not
    positions << line.positions[i];
    heights << line.weights[i];
  }
  bars->setBaseValue(floor);
  bars->setData(positions, heights, /*alreadySorted=*/true);
  const double cell = line.positions.size() > 1 ? line.positions[1] - line.positions[0] : 1.0;
  bars->setWidth(cell);
}

// A strip has room for two values: the largest, and 0 or the first power of ten.
QSharedPointer<QCPAxisTicker> endTicks(bool logarithmic, const ValueRange& range) {
  constexpr double kRoom = 0.4;  // of the strip; labels would run into each other behind it
  const QSharedPointer<QCPAxisTickerText> ticks(new QCPAxisTickerText);
  ticks->addTick(range.upper, QLocale().toString(range.upper, 'g', 2));
  if (!logarithmic) {
    ticks->addTick(0.0, QStringLiteral("0"));
  } else if (range.lower > 0.0) {
    const double exponent = std::ceil(std::log10(range.lower) - 1e-9);
    const double share =
        (exponent - std::log10(range.lower)) / std::log10(range.upper / range.lower);
    const double power = std::pow(10.0, exponent);
    if (share < kRoom) ticks->addTick(std::max(power, range.lower), LogTicker::label(power));
  }
  return ticks;
}

}  // namespace

WeightStrips::WeightStrips(QCustomPlot* plot, QCPAxisRect* map, TokenWeights& weights)
    : QObject(plot),
      m_plot(plot),
      m_map(map),
      m_weights(weights),
      m_below(addStrip(1, 0)),
      m_beside(addStrip(0, 1)),
      m_row(new QCPBars(m_below->axis(QCPAxis::atBottom), m_below->axis(QCPAxis::atLeft))),
      m_column(new QCPBars(m_beside->axis(QCPAxis::atLeft), m_beside->axis(QCPAxis::atBottom))) {
  m_below->setMinimumSize(0, kThickness);
  m_below->setMaximumSize(QWIDGETSIZE_MAX, kThickness);
  m_beside->setMinimumSize(kThickness, 0);
  m_beside->setMaximumSize(kThickness, QWIDGETSIZE_MAX);
  auto* sides = new QCPMarginGroup(plot);
  m_map->setMarginGroup(QCP::msLeft | QCP::msRight, sides);
  m_below->setMarginGroup(QCP::msLeft | QCP::msRight, sides);
  m_beside->setMarginGroup(QCP::msTop | QCP::msBottom, m_map->marginGroup(QCP::msTop));
  m_beside->axis(QCPAxis::atLeft)->setRangeReversed(true);  // queries go downward
  for (QCPAxis* axis : {m_below->axis(QCPAxis::atLeft), m_beside->axis(QCPAxis::atBottom)}) {
    axis->setTicks(true);
    axis->setTickLabels(true);
    axis->setLabel(tr("weight"));
  }

  const auto follow = [](QCPAxis* from, QCPAxis* to) {
    connect(from, QOverload<const QCPRange&>::of(&QCPAxis::rangeChanged), to,
            QOverload<const QCPRange&>::of(&QCPAxis::setRange));
  };
  follow(plot->xAxis, m_below->axis(QCPAxis::atBottom));
  follow(plot->yAxis, m_beside->axis(QCPAxis::atLeft));
  for (auto*& line : m_cross) {
    line = new QCPItemStraightLine(plot);
    line->setClipAxisRect(m_map);
    line->setSelectable(false);
    line->setVisible(false);
  }
  connect(&m_weights, &TokenWeights::changed, this, &WeightStrips::redraw);
}

QCPAxisRect* WeightStrips::addStrip(int layoutRow, int layoutColumn) {
  auto* rect = new QCPAxisRect(m_plot, /*setupDefaultAxes=*/false);
  m_plot->plotLayout()->addElement(layoutRow, layoutColumn, rect);
  for (QCPAxis* axis : rect->addAxes(QCPAxis::atLeft | QCPAxis::atBottom)) {
    axis->setTicks(false);
    axis->setSubTicks(false);
    axis->setTickLabels(false);
    axis->grid()->setVisible(false);
  }
  rect->setRangeDrag({});
  rect->setRangeZoom({});
  return rect;
}

void WeightStrips::restyle(PlotTheme theme) {
  for (QCPAxisRect* rect : {m_below, m_beside}) {
    apply(rect, theme);
    for (QCPAxis* axis : rect->axes()) apply(axis, theme);
  }
  m_below->setMinimumMargins(QMargins(0, 2, 0, 2));
  m_beside->setMinimumMargins(QMargins(2, 0, 2, 0));
  const QColor color = curvePen(theme, 0).color();
  for (QCPBars* bars : {m_row, m_column}) {
    bars->setPen(QPen(color, 0));  // a pixel at least, however narrow the cell
    bars->setBrush(color);
  }
  for (auto* line : m_cross) line->setPen(referencePen(theme));
}

void WeightStrips::setValueScale(bool logarithmic, const ValueRange& range) {
  const auto type = logarithmic ? QCPAxis::stLogarithmic : QCPAxis::stLinear;
  m_floor = logarithmic ? range.lower : 0.0;
  for (QCPAxis* axis : {m_below->axis(QCPAxis::atLeft), m_beside->axis(QCPAxis::atBottom)}) {
    axis->setScaleType(type);
    axis->setRange(m_floor, range.upper);
    axis->setTicker(endTicks(logarithmic, range));
  }
  redraw();
}

void WeightStrips::redraw() {
  fill(m_row, m_weights.row(), m_floor);
  fill(m_column, m_weights.column(), m_floor);
  placeCross();
  m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void WeightStrips::placeCross() {
  for (auto* line : m_cross) line->setVisible(m_weights.isPinned());
  const double x = static_cast<double>(m_weights.key()) + 0.5;
  const double y = static_cast<double>(m_weights.query()) + 0.5;
  m_cross[0]->point1->setCoords(x, y);
  m_cross[0]->point2->setCoords(x, y + 1);
  m_cross[1]->point1->setCoords(x, y);
  m_cross[1]->point2->setCoords(x + 1, y);
}

}  // namespace ropescope::ui
