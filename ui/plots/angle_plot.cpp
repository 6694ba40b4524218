#include "ui/plots/angle_plot.h"

#include <QToolTip>
#include <algorithm>
#include <cmath>
#include <numbers>

#include "ui/plots/axis_ticks.h"

namespace ropescope::ui {
namespace {

constexpr double kWideAspect = 2.2;  // width / height from which the plots stand side by side
constexpr int kLowPart = 170;        // px; axis labels do not fit into one line of less
constexpr int kNoteRoom = 20;        // px above the angles, for the position
constexpr double kRoom = 0.08;       // of the data's range, kept free above and below
constexpr double kSmallMarker = 5;   // px, where several methods' angles lie over each other

QCPRange valuesOf(const QCPGraph* graph) {
  bool found = false;
  const QCPRange range = graph->getValueRange(found);
  return found ? range : QCPRange(1, 1);
}

const QVector<double>& speedOf(const AngleCurve& curve, PairQuantity quantity) {
  if (quantity == PairQuantity::Frequency) return curve.frequencies;
  return quantity == PairQuantity::Turns ? curve.turns : curve.wavelengths;
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
  for (const Part part : {Factor, Speed, Angle}) buildPart(part);
  labelAxes();
  arrange();
  buildItems();
  linkAxes();
  connect(plot(), &QCustomPlot::mouseMove, this, &AnglePlot::hover);
  connect(plot(), &QCustomPlot::beforeReplot, this, [this] {
    for (const Part part : {Factor, Speed}) fitTickCount(*y(part));
  });
  connect(&m_model, &AngleViewModel::curvesChanged, this, &AnglePlot::redraw);
  connect(&m_model, &AngleViewModel::positionChanged, this, &AnglePlot::redrawAngles);
  m_ghost = addCurve();  // first: it lies below the others
  resizeCurves(2);
  followPalette();
  redraw();
}

void AnglePlot::buildPart(Part part) {
  m_rects[part] = new QCPAxisRect(plot());
  if (part == Speed) {
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
    clipTo(m_unturned[i], i == 0 ? Factor : Speed);
    m_unturned[i]->setPen(Qt::NoPen);
    m_unturned[i]->setLayer(QStringLiteral("shade"));
    for (QCPItemPosition* corner : {m_unturned[i]->topLeft, m_unturned[i]->bottomRight}) {
      corner->setTypeX(QCPItemPosition::ptPlotCoords);
      corner->setTypeY(QCPItemPosition::ptAxisRectRatio);
    }
  }
  m_unturnedText = new QCPItemText(plot());
  clipTo(m_unturnedText, Speed);
  m_unturnedText->position->setType(QCPItemPosition::ptAxisRectRatio);
  m_unturnedText->position->setCoords(1, 1);
  m_unturnedText->setPositionAlignment(Qt::AlignRight | Qt::AlignBottom);

  m_positionText = new QCPItemText(plot());
  clipTo(m_positionText, Angle);
  m_positionText->position->setType(QCPItemPosition::ptAxisRectRatio);
  m_positionText->position->setCoords(1, 0);
  // In the margin: the angles fill their plot.
  m_positionText->setPositionAlignment(Qt::AlignRight | Qt::AlignBottom);
  m_positionText->setClipToAxisRect(false);

  m_trained = new QCPItemStraightLine(plot());
  clipTo(m_trained, Speed);
  m_trainedText = new QCPItemText(plot());
  clipTo(m_trainedText, Speed);
  m_trainedText->position->setTypeX(QCPItemPosition::ptAxisRectRatio);
  m_trainedText->setPositionAlignment(Qt::AlignLeft | Qt::AlignBottom);
}

void AnglePlot::linkAxes() {
  plot()->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
  const auto ranged = QOverload<const QCPRange&>::of(&QCPAxis::rangeChanged);
  for (const Part part : {Factor, Speed, Angle}) {
    m_rects[part]->setRangeDragAxes(x(part), nullptr);
    m_rects[part]->setRangeZoomAxes(x(part), nullptr);
    connect(x(part), ranged, this, [this](const QCPRange& range) {
      for (const Part other : {Factor, Speed, Angle}) x(other)->setRange(range);
      replotSoon();
    });
  }
  connect(plot(), &QCustomPlot::mouseDoubleClick, this, &AnglePlot::redraw);
}

void AnglePlot::arrange() {
  auto* grid = static_cast<QCPLayoutGrid*>(plot()->plotLayout()->element(1, 0));
  for (QCPAxisRect* rect : m_rects) {
    if (rect->layout() != nullptr) rect->layout()->take(rect);
    rect->setMarginGroup(QCP::msAll, nullptr);
  }
  grid->simplify();
  auto* margins = new QCPMarginGroup(plot());
  int place = 0;
  for (const Part part : {Factor, Speed, Angle}) {
    if (!isShown(part)) continue;
    grid->addElement(m_isWide ? 0 : place, m_isWide ? place : 0, m_rects[part]);
    const bool labelled = m_isWide || ++place == shownParts();
    if (m_isWide) ++place;
    x(part)->setLabel(labelled ? tr("rotary pair") : QString());
    x(part)->setTickLabels(labelled);
    m_rects[part]->setMarginGroup(
        m_isWide ? QCP::msTop | QCP::msBottom : QCP::msLeft | QCP::msRight, margins);
  }
}

bool AnglePlot::isShown(Part part) const {
  switch (m_quantity) {
    case PairQuantity::All:
      return true;
    case PairQuantity::Scale:
      return part == Factor;
    case PairQuantity::Angle:
      return part == Angle;
    case PairQuantity::Frequency:
    case PairQuantity::Wavelength:
    case PairQuantity::Turns:
      return part == Speed;
  }
  return true;
}

int AnglePlot::shownParts() const {
  return m_quantity == PairQuantity::All ? int{kParts} : 1;
}

// An axis rect outside of the layout still draws, and so does what belongs to it.
void AnglePlot::showParts() {
  for (const Part part : {Factor, Speed, Angle}) {
    m_rects[part]->setVisible(isShown(part));
    for (QCPAxis* axis : {x(part), y(part)}) axis->grid()->setVisible(isShown(part));
  }
  for (const Curve& curve : m_curves) {
    curve.factor->setVisible(isShown(Factor));
    curve.speed->setVisible(isShown(Speed));
    curve.angle->setVisible(isShown(Angle));
  }
  const bool hasGhost = m_model.ghost() != nullptr;
  m_ghost.factor->setVisible(hasGhost && isShown(Factor));
  m_ghost.speed->setVisible(hasGhost && isShown(Speed));
  const bool unturned = m_model.firstUnturnedPair() < static_cast<int>(m_model.pairs().size());
  m_unturned[0]->setVisible(unturned && isShown(Factor));
  m_unturned[1]->setVisible(unturned && isShown(Speed));
  m_unturnedText->setVisible(unturned && isShown(Speed));
  m_trained->setVisible(m_model.hasPlan() && isShown(Speed));
  m_trainedText->setVisible(m_model.hasPlan() && isShown(Speed));
  m_positionText->setVisible(m_model.hasPlan() && isShown(Angle));
}

void AnglePlot::showEvent(QShowEvent* event) {
  PlotWidget::showEvent(event);
  replotSoon();  // was left out while hidden
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
  const bool isLow = height() / (m_isWide ? 1 : shownParts()) < kLowPart;
  y(Factor)->setLabel(isLow ? tr("scale") : tr("scale [plain / this]"));
  switch (m_quantity) {
    case PairQuantity::Frequency:
      y(Speed)->setLabel(tr("frequency [rad/token]"));
      break;
    case PairQuantity::Turns:
      y(Speed)->setLabel(tr("turns in trained length"));
      break;
    default:
      y(Speed)->setLabel(isLow ? tr("wavelength\n[tokens]") : tr("wavelength [tokens]"));
  }
  y(Angle)->setLabel(isLow ? tr("angle\n[rad]") : tr("angle mod 2π [rad]"));
}

AnglePlot::Curve AnglePlot::addCurve() {
  Curve curve{.factor = plot()->addGraph(x(Factor), y(Factor)),
              .speed = plot()->addGraph(x(Speed), y(Speed)),
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
    for (QCPGraph* graph : {last.factor, last.speed, last.angle}) plot()->removeGraph(graph);
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
  for (QCPGraph* graph : {curve.factor, curve.speed}) {
    graph->setPen(pen);
    graph->setScatterStyle(marked ? marker : QCPScatterStyle());
  }
  const QCPScatterStyle ring(QCPScatterStyle::ssCircle, QPen(plotColors(theme).reference, 1.2),
                             Qt::NoBrush, 7);
  QCPScatterStyle dot = marker;
  if (m_curves.size() > 2) dot.setSize(kSmallMarker);
  curve.angle->setScatterStyle(isPlain ? ring : dot);
}

void AnglePlot::restyle(PlotTheme theme) {
  const PlotColors colors = plotColors(theme);
  for (std::size_t i = 0; i < m_curves.size(); ++i) styleCurve(m_curves[i], i, theme);
  for (QCPGraph* graph : {m_ghost.factor, m_ghost.speed}) graph->setPen(ghostPen(theme));
  for (QCPItemRect* shade : m_unturned) shade->setBrush(QBrush(colors.shade));
  m_trained->setPen(faintPen(theme));
  styleNote(m_trainedText, theme);
  styleNote(m_unturnedText, theme);
  styleNote(m_positionText, theme);
  m_trainedText->setBrush(Qt::NoBrush);
  m_unturnedText->setBrush(Qt::NoBrush);
  for (const Part part : {Factor, Speed, Angle}) {
    apply(m_rects[part], theme);  // also one that is not in the layout now
    const bool last = m_isWide || part == Angle || shownParts() == 1;
    const int top = part == Angle ? kNoteRoom : 10;
    m_rects[part]->setMinimumMargins(QMargins(12, top, 14, last ? 10 : 6));
  }
  wrapLegend(plot());
}

const AngleCurve& AnglePlot::values(std::size_t curve) const {
  if (curve == 0) return m_model.current();
  return curve == 1 ? m_model.plain() : m_model.others()[curve - 2];
}

void AnglePlot::fill(const Curve& curve, const AngleCurve& values) {
  curve.factor->setName(values.title);
  curve.factor->setData(m_model.pairs(), values.factors, true);
  curve.speed->setData(m_model.pairs(), speedOf(values, m_quantity), true);
}

// One turn within the trained length, whatever is drawn of it.
void AnglePlot::markTrained() {
  double level = m_model.trainedLength();
  QString text = tr("trained %1").arg(QLocale().toString(static_cast<int>(level)));
  if (m_quantity == PairQuantity::Turns) {
    level = 1.0;
    text = tr("one turn");
  } else if (m_quantity == PairQuantity::Frequency) {
    text = tr("one turn in %1").arg(QLocale().toString(static_cast<int>(level)));
    level = 2 * std::numbers::pi / level;
  }
  m_trained->point1->setCoords(0, level);
  m_trained->point2->setCoords(1, level);
  m_trainedText->position->setCoords(0, level);
  m_trainedText->setText(text);
  // Frequency and turns fall with the pair: the corner that stays empty is the other one.
  const bool falls = level != m_model.trainedLength();
  m_unturnedText->position->setCoords(1, falls ? 0 : 1);
  m_unturnedText->setPositionAlignment(Qt::AlignRight | (falls ? Qt::AlignTop : Qt::AlignBottom));
}

void AnglePlot::redraw() {
  resizeCurves(2 + m_model.others().size());
  const bool rearranged = m_quantity != m_model.quantity();
  m_quantity = m_model.quantity();
  if (rearranged) arrange();
  labelAxes();
  for (std::size_t i = 0; i < m_curves.size(); ++i) fill(m_curves[i], values(i));
  for (std::size_t i = 0; i < m_curves.size(); ++i) styleCurve(m_curves[i], i, theme());
  redrawGhost();
  markTrained();
  fitAxes(rearranged);
  const double pairs = static_cast<double>(m_model.pairs().size());
  const double unturned = m_model.firstUnturnedPair() - 0.5;
  for (QCPItemRect* shade : m_unturned) {
    shade->topLeft->setCoords(unturned, 0);
    shade->bottomRight->setCoords(pairs - 0.5, 1);
  }
  m_unturnedText->setText(tr("shaded: no full turn"));  // longer is cut where parts stand in a row
  showParts();
  plot()->setAccessibleName(tr("Rotation of every pair"));
  restyle(theme());
  redrawAngles();
}

void AnglePlot::redrawGhost() {
  const AngleCurve* ghost = m_model.ghost();
  m_ghost.factor->removeFromLegend();
  if (ghost == nullptr) return;
  fill(m_ghost, *ghost);
  m_ghost.factor->setName(tr("before: %1").arg(ghost->title));
  m_ghost.factor->addToLegend();
}

void AnglePlot::fitAxes(bool rearranged) {
  QCPRange factors(1, 1);
  const double level = m_trained->point1->coords().y();
  QCPRange speeds(level, level);
  for (const Curve& curve : m_curves) {
    factors.expand(valuesOf(curve.factor));
    if (!curve.speed->data()->isEmpty()) speeds.expand(valuesOf(curve.speed));
  }
  const double room = std::max(factors.size(), 0.5) * kRoom;
  factors = {factors.lower - room, factors.upper + room};
  speeds = {speeds.lower / 1.5, speeds.upper * 1.5};
  if (m_model.ghost() != nullptr && !rearranged) {
    // A flip: only a curve that would leave the picture moves the axes.
    factors = factors.expanded(y(Factor)->range());
    speeds = speeds.expanded(y(Speed)->range());
  } else {
    const double pairs = static_cast<double>(m_model.pairs().size());
    x(Factor)->setRange(-0.5, std::max(pairs, 1.0) - 0.5);
  }
  y(Factor)->setRange(factors);
  if (m_model.hasPlan()) y(Speed)->setRange(speeds);
}

void AnglePlot::redrawAngles() {
  for (std::size_t i = 0; i < m_curves.size(); ++i) {
    m_curves[i].angle->setData(m_model.pairs(), values(i).wrapped, true);
  }
  m_positionText->setText(m_model.positionText());
  plot()->setAccessibleDescription(m_model.planText() + QStringLiteral(". ") +
                                   m_model.coverageText());
  if (isVisible()) replotSoon();
}

void AnglePlot::hover(QMouseEvent* event) {
  for (const Part part : {Factor, Speed, Angle}) {
    if (!isShown(part) || !m_rects[part]->rect().contains(event->pos())) continue;
    const int pair = static_cast<int>(std::lround(x(part)->pixelToCoord(event->pos().x())));
    QToolTip::showText(event->globalPosition().toPoint(), m_model.describe(pair), plot());
    return;
  }
  QToolTip::hideText();
}

}  // namespace ropescope::ui
