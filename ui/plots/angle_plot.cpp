#include "ui/plots/angle_plot.h"

#include <QToolTip>
#include <algorithm>
#include <cmath>
#include <numbers>

#include "ui/plots/axis_ticks.h"

namespace ropescope::ui {
namespace {

constexpr double kWideAspect = 2.2;  // width / height from which the plots stand side by side
constexpr int kLowPart = 170;        // px; the long axis labels do not fit into less
constexpr double kRoom = 0.08;       // of the data's range, kept free above and below

QCPRange valuesOf(const QCPGraph* graph) {
  bool found = false;
  const QCPRange range = graph->getValueRange(found);
  return found ? range : QCPRange(1, 1);
}

}  // namespace

AnglePlot::AnglePlot(const AngleViewModel& model, QWidget* parent)
    : PlotWidget(parent),
      m_model(model) {
  plot()->setAutoAddPlottableToLegend(false);
  moveLegendAbove(plot());
  plot()->plotLayout()->remove(plot()->axisRect());
  auto* grid = new QCPLayoutGrid;
  plot()->plotLayout()->addElement(1, 0, grid);
  grid->setRowSpacing(0);
  grid->setColumnSpacing(0);
  for (const Part part : {Factor, Wavelength, Angle}) buildPart(part);
  labelAxes();
  arrange();
  buildItems();
  linkAxes();
  connect(plot(), &QCustomPlot::mouseMove, this, &AnglePlot::hover);
  connect(&m_model, &AngleViewModel::curvesChanged, this, &AnglePlot::redraw);
  connect(&m_model, &AngleViewModel::positionChanged, this, &AnglePlot::redrawAngles);
  m_ghost = addCurve();  // first: it lies below the others
  resizeCurves(2);
  followPalette();
  redraw();
}

void AnglePlot::buildPart(Part part) {
  m_rects[part] = new QCPAxisRect(plot());
  if (part == Wavelength) {
    y(part)->setScaleType(QCPAxis::stLogarithmic);
    y(part)->setTicker(QSharedPointer<QCPAxisTicker>(new LogTicker));
  }
  if (part == Angle) {
    const QSharedPointer<QCPAxisTickerPi> ticker(new QCPAxisTickerPi);
    ticker->setTickCount(4);
    y(part)->setTicker(ticker);
    y(part)->setRange(-0.25, 2 * std::numbers::pi + 0.25);
  }
  x(part)->setTicker(QSharedPointer<QCPAxisTicker>(new TokenTicker));
  // Shades lie below the grid, everything else above it.
  m_rects[part]->setBackground(QBrush(Qt::NoBrush));
}

void AnglePlot::buildItems() {
  const auto clipTo = [this](QCPAbstractItem* item, Part part) {
    for (QCPItemPosition* position : item->positions()) {
      position->setAxisRect(m_rects[part]);
      position->setAxes(x(part), y(part));
    }
    item->setClipAxisRect(m_rects[part]);
    item->setClipToAxisRect(true);
    item->setSelectable(false);
  };
  plot()->addLayer(QStringLiteral("shade"), plot()->layer(QStringLiteral("background")));
  for (const std::size_t i : {0UL, 1UL}) {
    m_unturned[i] = new QCPItemRect(plot());
    clipTo(m_unturned[i], i == 0 ? Factor : Wavelength);
    m_unturned[i]->setPen(Qt::NoPen);
    m_unturned[i]->setLayer(QStringLiteral("shade"));
    for (QCPItemPosition* corner : {m_unturned[i]->topLeft, m_unturned[i]->bottomRight}) {
      corner->setTypeX(QCPItemPosition::ptPlotCoords);
      corner->setTypeY(QCPItemPosition::ptAxisRectRatio);
    }
  }
  m_unturnedText = new QCPItemText(plot());
  clipTo(m_unturnedText, Wavelength);
  m_unturnedText->position->setType(QCPItemPosition::ptAxisRectRatio);
  m_unturnedText->position->setCoords(1, 1);
  m_unturnedText->setPositionAlignment(Qt::AlignRight | Qt::AlignBottom);

  m_positionText = new QCPItemText(plot());
  clipTo(m_positionText, Angle);
  m_positionText->position->setType(QCPItemPosition::ptAxisRectRatio);
  m_positionText->position->setCoords(1, 0);
  m_positionText->setPositionAlignment(Qt::AlignRight | Qt::AlignTop);

  m_trained = new QCPItemStraightLine(plot());
  clipTo(m_trained, Wavelength);
  m_trainedText = new QCPItemText(plot());
  clipTo(m_trainedText, Wavelength);
  m_trainedText->position->setTypeX(QCPItemPosition::ptAxisRectRatio);
  m_trainedText->setPositionAlignment(Qt::AlignLeft | Qt::AlignBottom);
}

void AnglePlot::linkAxes() {
  plot()->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
  const auto ranged = QOverload<const QCPRange&>::of(&QCPAxis::rangeChanged);
  for (const Part part : {Factor, Wavelength, Angle}) {
    m_rects[part]->setRangeDragAxes(x(part), nullptr);
    m_rects[part]->setRangeZoomAxes(x(part), nullptr);
    connect(x(part), ranged, this, [this](const QCPRange& range) {
      for (const Part other : {Factor, Wavelength, Angle}) x(other)->setRange(range);
      replotSoon();
    });
  }
  connect(plot(), &QCustomPlot::mouseDoubleClick, this, &AnglePlot::redraw);
}

void AnglePlot::arrange() {
  auto* grid = static_cast<QCPLayoutGrid*>(plot()->plotLayout()->element(1, 0));
  for (QCPAxisRect* rect : m_rects) {
    if (rect->layout() != nullptr) rect->layout()->take(rect);
  }
  grid->simplify();
  auto* margins = new QCPMarginGroup(plot());
  for (const Part part : {Factor, Wavelength, Angle}) {
    grid->addElement(m_isWide ? 0 : part, m_isWide ? part : 0, m_rects[part]);
    const bool labelled = m_isWide || part == Angle;
    x(part)->setLabel(labelled ? tr("rotary pair") : QString());
    x(part)->setTickLabels(labelled);
    m_rects[part]->setMarginGroup(QCP::msAll, nullptr);
    m_rects[part]->setMarginGroup(
        m_isWide ? QCP::msTop | QCP::msBottom : QCP::msLeft | QCP::msRight, margins);
  }
}

void AnglePlot::resizeEvent(QResizeEvent* event) {
  PlotWidget::resizeEvent(event);
  const bool wide = width() > kWideAspect * height();
  if (wide != m_isWide) {
    m_isWide = wide;
    arrange();
  }
  labelAxes();
}

void AnglePlot::labelAxes() {
  const bool isLow = height() / (m_isWide ? 1 : kParts) < kLowPart;
  y(Factor)->setLabel(isLow ? tr("factor") : tr("factor [plain / this]"));
  y(Wavelength)->setLabel(isLow ? tr("tokens") : tr("wavelength [tokens]"));
  y(Angle)->setLabel(isLow ? tr("rad") : tr("angle mod 2π [rad]"));
}

AnglePlot::Curve AnglePlot::addCurve() {
  Curve curve{.factor = plot()->addGraph(x(Factor), y(Factor)),
              .wavelength = plot()->addGraph(x(Wavelength), y(Wavelength)),
              .angle = plot()->addGraph(x(Angle), y(Angle))};
  curve.angle->setLineStyle(QCPGraph::lsNone);
  curve.factor->addToLegend();
  return curve;
}

void AnglePlot::resizeCurves(std::size_t curves) {
  if (curves == m_curves.size()) return;
  while (m_curves.size() < curves) m_curves.push_back(addCurve());
  while (m_curves.size() > curves) {
    const Curve& last = m_curves.back();
    for (QCPGraph* graph : {last.factor, last.wavelength, last.angle}) plot()->removeGraph(graph);
    m_curves.pop_back();
  }
  for (std::size_t i = 0; i < m_curves.size(); ++i) styleCurve(m_curves[i], i, theme());
}

void AnglePlot::styleCurve(const Curve& curve, std::size_t index, PlotTheme theme) {
  constexpr std::size_t kPlain = 1;
  constexpr int kFewPairs = 40;  // more markers would melt into a band
  const bool isPlain = index == kPlain;
  const std::size_t look = index > kPlain ? index - 1 : 0;
  const QPen pen = isPlain ? referencePen(theme) : curvePen(theme, look);
  const bool marked = !isPlain && m_model.pairs().size() <= kFewPairs;
  const QCPScatterStyle marker = curveMarker(theme, look);
  for (QCPGraph* graph : {curve.factor, curve.wavelength}) {
    graph->setPen(pen);
    graph->setScatterStyle(marked ? marker : QCPScatterStyle());
  }
  const QCPScatterStyle ring(QCPScatterStyle::ssCircle, QPen(plotColors(theme).reference, 1.2),
                             Qt::NoBrush, 7);
  curve.angle->setScatterStyle(isPlain ? ring : marker);
}

void AnglePlot::restyle(PlotTheme theme) {
  const PlotColors colors = plotColors(theme);
  for (std::size_t i = 0; i < m_curves.size(); ++i) styleCurve(m_curves[i], i, theme);
  for (QCPGraph* graph : {m_ghost.factor, m_ghost.wavelength}) graph->setPen(ghostPen(theme));
  for (QCPItemRect* shade : m_unturned) shade->setBrush(QBrush(colors.shade));
  m_trained->setPen(faintPen(theme));
  styleNote(m_trainedText, theme);
  styleNote(m_unturnedText, theme);
  styleNote(m_positionText, theme);
  m_trainedText->setBrush(Qt::NoBrush);
  m_unturnedText->setBrush(Qt::NoBrush);
  for (const Part part : {Factor, Wavelength, Angle}) {
    const bool last = m_isWide || part == Angle;
    m_rects[part]->setMinimumMargins(QMargins(12, 10, 14, last ? 10 : 6));
  }
  wrapLegend(plot());
}

void AnglePlot::fill(const Curve& curve, const AngleCurve& values) {
  curve.factor->setName(values.title);
  curve.factor->setData(m_model.pairs(), values.factors, true);
  curve.wavelength->setData(m_model.pairs(), values.wavelengths, true);
}

void AnglePlot::redraw() {
  resizeCurves(2 + m_model.others().size());
  fill(m_curves[0], m_model.current());
  fill(m_curves[1], m_model.plain());
  for (std::size_t i = 0; i < m_model.others().size(); ++i) {
    fill(m_curves[i + 2], m_model.others()[i]);
  }
  for (std::size_t i = 0; i < m_curves.size(); ++i) styleCurve(m_curves[i], i, theme());
  redrawGhost();
  fitAxes();
  const double pairs = static_cast<double>(m_model.pairs().size());
  const double unturned = m_model.firstUnturnedPair() - 0.5;
  for (QCPItemRect* shade : m_unturned) {
    shade->setVisible(m_model.firstUnturnedPair() < pairs);
    shade->topLeft->setCoords(unturned, 0);
    shade->bottomRight->setCoords(pairs - 0.5, 1);
  }
  m_unturnedText->setText(tr("shaded: never turned once in training"));
  m_unturnedText->setVisible(m_model.firstUnturnedPair() < pairs);
  m_trained->point1->setCoords(0, m_model.trainedLength());
  m_trained->point2->setCoords(1, m_model.trainedLength());
  m_trainedText->position->setCoords(0, m_model.trainedLength());
  m_trainedText->setText(
      tr("trained %1").arg(QLocale().toString(static_cast<int>(m_model.trainedLength()))));
  plot()->setAccessibleName(tr("Rotation of every pair"));
  wrapLegend(plot());
  redrawAngles();
}

void AnglePlot::redrawGhost() {
  const AngleCurve* ghost = m_model.ghost();
  for (QCPGraph* graph : {m_ghost.factor, m_ghost.wavelength}) graph->setVisible(ghost != nullptr);
  m_ghost.factor->removeFromLegend();
  if (ghost == nullptr) return;
  fill(m_ghost, *ghost);
  m_ghost.factor->setName(tr("before: %1").arg(ghost->title));
  m_ghost.factor->addToLegend();
}

void AnglePlot::fitAxes() {
  QCPRange factors(1, 1);
  QCPRange wavelengths(m_model.trainedLength(), m_model.trainedLength());
  for (const Curve& curve : m_curves) {
    factors.expand(valuesOf(curve.factor));
    wavelengths.expand(valuesOf(curve.wavelength));
  }
  const double room = std::max(factors.size(), 0.5) * kRoom;
  factors = {factors.lower - room, factors.upper + room};
  wavelengths = {wavelengths.lower / 1.5, wavelengths.upper * 1.5};
  if (m_model.ghost() != nullptr) {  // a flip: only a curve that would leave the picture moves them
    factors = factors.expanded(y(Factor)->range());
    wavelengths = wavelengths.expanded(y(Wavelength)->range());
  } else {
    const double pairs = static_cast<double>(m_model.pairs().size());
    x(Factor)->setRange(-0.5, std::max(pairs, 1.0) - 0.5);
  }
  y(Factor)->setRange(factors);
  if (m_model.hasPlan()) y(Wavelength)->setRange(wavelengths);
}

void AnglePlot::redrawAngles() {
  m_curves[0].angle->setData(m_model.pairs(), m_model.current().wrapped, true);
  m_curves[1].angle->setData(m_model.pairs(), m_model.plain().wrapped, true);
  m_positionText->setText(m_model.positionText());
  m_positionText->setVisible(m_model.hasPlan());
  plot()->setAccessibleDescription(m_model.planText() + QStringLiteral(". ") +
                                   m_model.coverageText());
  replotSoon();
}

void AnglePlot::hover(QMouseEvent* event) {
  for (const Part part : {Factor, Wavelength, Angle}) {
    if (!m_rects[part]->rect().contains(event->pos())) continue;
    const int pair = static_cast<int>(std::lround(x(part)->pixelToCoord(event->pos().x())));
    QToolTip::showText(event->globalPosition().toPoint(), m_model.describe(pair), plot());
    return;
  }
  QToolTip::hideText();
}

}  // namespace ropescope::ui
