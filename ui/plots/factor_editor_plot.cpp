#include "ui/plots/factor_editor_plot.h"

#include <QKeyEvent>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "ui/plots/axis_ticks.h"

namespace ropescope::ui {
namespace {

constexpr double kLowShare = 0.6;     // height of the lower plot to the upper one's
constexpr double kPlainFactor = 1.0;  // where bars begin
constexpr double kKeyStep = 1.02;     // of a factor, by a key
constexpr double kKeyLeap = 1.2;      // with Shift
constexpr double kLeastRange = 4.0;   // of factors, so that there is room to drag
constexpr double kHandleSize = 10;    // px
constexpr double kZeroPlace = 0.5;    // of distance 0 on the logarithmic axis

}  // namespace

FactorEditorPlot::FactorEditorPlot(const FactorEditorModel& model, QWidget* parent)
    : PlotWidget(parent),
      m_model(model),
      m_top(new QCPAxisRect(plot())),
      m_low(new QCPAxisRect(plot())) {
  buildRects();
  buildCurves();
  plot()->setAccessibleName(tr("Factor editor"));
  connect(plot(), &QCustomPlot::mousePress, this, &FactorEditorPlot::press);
  connect(plot(), &QCustomPlot::mouseMove, this, &FactorEditorPlot::move);
  connect(plot(), &QCustomPlot::mouseRelease, this, &FactorEditorPlot::release);
  connect(&m_model, &FactorEditorModel::draftChanged, this, &FactorEditorPlot::redraw);
  connect(&m_model, &FactorEditorModel::toolChanged, this, &FactorEditorPlot::redraw);
  connect(&m_model, &FactorEditorModel::presetsChanged, this, &FactorEditorPlot::redrawRange);
  connect(&m_model, &FactorEditorModel::patchChanged, this, &FactorEditorPlot::redrawAttention);
  followPalette();
  redrawRange();
  redrawAttention();
}

void FactorEditorPlot::buildRects() {
  moveLegendAbove(plot());
  plot()->setAutoAddPlottableToLegend(false);
  plot()->plotLayout()->remove(plot()->axisRect());
  plot()->plotLayout()->addElement(1, 0, m_top);
  plot()->plotLayout()->addElement(2, 0, m_low);
  plot()->plotLayout()->setRowStretchFactor(2, kLowShare);
  plot()->plotLayout()->setRowSpacing(0);
  auto* margins = new QCPMarginGroup(plot());
  for (QCPAxisRect* rect : {m_top, m_low}) {
    rect->setMarginGroup(QCP::msLeft | QCP::msRight, margins);
  }
  x(m_top)->setTicker(QSharedPointer<QCPAxisTicker>(new TokenTicker));
  x(m_top)->setLabel(tr("rotary pair"));
  y(m_top)->setScaleType(QCPAxis::stLogarithmic);
  y(m_top)->setTicker(QSharedPointer<QCPAxisTicker>(new LogTicker));
  y(m_top)->setLabel(tr("factor"));
  x(m_low)->setScaleType(QCPAxis::stLogarithmic);
  x(m_low)->setTicker(QSharedPointer<QCPAxisTicker>(new Log2Ticker));
  x(m_low)->setLabel(tr("distance [tokens]"));
  y(m_low)->setLabel(tr("attention [%]"));
  y(m_low)->ticker()->setTickCount(3);
}

void FactorEditorPlot::buildCurves() {
  const auto belong = [this](QCPAbstractItem* item, QCPAxisRect* rect) {
    for (QCPItemPosition* position : item->positions()) {
      position->setAxisRect(rect);
      position->setAxes(x(rect), y(rect));
    }
    item->setClipAxisRect(rect);
    item->setClipToAxisRect(true);
    item->setSelectable(false);
  };
  m_mark = new QCPItemRect(plot());
  belong(m_mark, m_top);
  for (QCPItemPosition* corner : {m_mark->topLeft, m_mark->bottomRight}) {
    corner->setTypeX(QCPItemPosition::ptPlotCoords);
    corner->setTypeY(QCPItemPosition::ptAxisRectRatio);
  }
  m_bars = new QCPBars(x(m_top), y(m_top));
  m_unseenBars = new QCPBars(x(m_top), y(m_top));
  for (QCPBars* bars : {m_bars, m_unseenBars}) {
    bars->setWidth(0.8);
    bars->setBaseValue(kPlainFactor);
    bars->addToLegend();
  }
  m_bars->setName(tr("edited"));
  m_unseenBars->setName(tr("leaves the trained angles"));
  m_inUse = plot()->addGraph(x(m_top), y(m_top));
  m_inUse->setLineStyle(QCPGraph::lsStepCenter);
  m_inUse->setName(tr("in use"));
  m_inUse->addToLegend();
  m_handles = plot()->addGraph(x(m_top), y(m_top));
  m_handles->setLineStyle(QCPGraph::lsNone);
  m_before = plot()->addGraph(x(m_low), y(m_low));
  m_after = plot()->addGraph(x(m_low), y(m_low));
  for (QCPGraph* graph : {m_before, m_after}) graph->setLineStyle(QCPGraph::lsStepLeft);
  m_note = new QCPItemText(plot());
  belong(m_note, m_low);
  m_note->position->setType(QCPItemPosition::ptAxisRectRatio);
  m_note->position->setCoords(0.6, 0);  // little goes to middle distances, much to the ends
  m_note->setPositionAlignment(Qt::AlignHCenter | Qt::AlignTop);
}

void FactorEditorPlot::restyle(PlotTheme theme) {
  const PlotColors colors = plotColors(theme);
  QPen line = curvePen(theme, 0);
  line.setStyle(Qt::SolidLine);
  m_bars->setPen(QPen(line.color(), 1));
  m_bars->setBrush(QBrush(colors.seen));
  m_unseenBars->setPen(QPen(colors.unseen, 1));
  m_unseenBars->setBrush(QBrush(colors.unseenFill));
  m_inUse->setPen(referencePen(theme));
  m_before->setPen(referencePen(theme));
  m_after->setPen(line);
  QCPScatterStyle handle = curveMarker(theme, 0);
  handle.setSize(kHandleSize);
  m_handles->setScatterStyle(handle);
  m_mark->setPen(Qt::NoPen);
  m_mark->setBrush(QBrush(colors.shade));
  styleNote(m_note, theme);
  m_top->setMinimumMargins(QMargins(12, 6, 14, 6));
  m_low->setMinimumMargins(QMargins(12, 6, 14, 8));
  wrapLegend(plot());
}

// Pixels a factor would not stand still under the mouse if the range followed a drag.
void FactorEditorPlot::redrawRange() {
  const std::vector<double>& factors = m_model.draft().factors;
  double low = kPlainFactor;
  double high = kLeastRange;
  for (const FactorPreset& preset : m_model.presets()) {
    for (const double factor : preset.draft.factors) high = std::max(high, factor);
  }
  for (const double factor : factors) {
    low = std::min(low, factor);
    high = std::max(high, factor);
  }
  y(m_top)->setRange(low * 0.7, high * 1.6);
  x(m_top)->setRange(-0.7, std::max(1.0, static_cast<double>(factors.size())) - 0.3);
  choose(m_chosen);
  redraw();
}

void FactorEditorPlot::redraw() {
  const FactorDraft& draft = m_model.draft();
  QVector<double> pairs;
  QVector<double> values;
  QVector<double> unseenPairs;
  QVector<double> unseenValues;
  QVector<double> all;
  QVector<double> used;
  for (std::size_t pair = 0; pair < draft.factors.size(); ++pair) {
    const auto at = static_cast<double>(pair);
    const bool leaves = m_model.leavesTraining(static_cast<int>(pair));
    (leaves ? unseenPairs : pairs) << at;
    // QCustomPlot draws a bar from its base to base + value.
    (leaves ? unseenValues : values) << draft.factors[pair] - kPlainFactor;
    all << at;
    used << m_model.inUse().factors[pair];
  }
  m_bars->setData(pairs, values, true);
  m_unseenBars->setData(unseenPairs, unseenValues, true);
  m_inUse->setData(all, used, true);
  QVector<double> handlePairs;
  QVector<double> handleValues;
  for (const rope::FactorHandle& handle : m_model.handles()) {
    handlePairs << handle.pair;
    handleValues << handle.factor;
  }
  m_handles->setData(handlePairs, handleValues, true);
  if (!m_dragging) {
    const QCPRange range = y(m_top)->range();
    const auto beyond = [&](double factor) { return factor < range.lower || factor > range.upper; };
    if (std::any_of(draft.factors.begin(), draft.factors.end(), beyond)) return redrawRange();
  }
  plot()->setAccessibleDescription(m_model.formulaText());
  redrawChosen();
}

void FactorEditorPlot::redrawAttention() {
  QVector<double> at;
  QVector<double> before;
  QVector<double> after;
  double top = 0.0;
  for (const PatchBin& bin : m_model.patchBins()) {
    at << std::max(kZeroPlace, static_cast<double>(bin.begin));
    before << 100.0 * bin.before;
    after << 100.0 * bin.after;
    top = std::max({top, before.back(), after.back()});
  }
  if (!at.isEmpty()) {
    at << static_cast<double>(m_model.patchBins().back().end);
    before << before.back();
    after << after.back();
    x(m_low)->setRange(kZeroPlace, at.back());
  }
  m_before->setData(at, before, true);
  m_after->setData(at, after, true);
  y(m_low)->setRange(0, top > 0 ? top * 1.15 : 1);
  m_note->setText(at.isEmpty() ? tr("no attention to patch yet") : m_model.patchNote());
  drawSoon();
}

void FactorEditorPlot::redrawChosen() {
  const bool shown = plot()->hasFocus() && !m_model.draft().factors.empty();
  m_mark->setVisible(shown);
  m_mark->topLeft->setCoords(m_chosen - 0.5, 0);
  m_mark->bottomRight->setCoords(m_chosen + 0.5, 1);
  drawSoon();
}

void FactorEditorPlot::drawSoon() {
  if (isVisible()) replotSoon();
}

void FactorEditorPlot::showEvent(QShowEvent* event) {
  PlotWidget::showEvent(event);
  replotSoon();
}

int FactorEditorPlot::pairAt(const QPointF& point) const {
  const double at = x(m_top)->pixelToCoord(point.x());
  const auto last = static_cast<int>(m_model.draft().factors.size()) - 1;
  const auto handles = m_model.handles();
  if (handles.empty()) return std::clamp(static_cast<int>(std::lround(at)), 0, std::max(0, last));
  const auto nearest =
      std::min_element(handles.begin(), handles.end(),
                       [at](const rope::FactorHandle& a, const rope::FactorHandle& b) {
                         return std::abs(a.pair - at) < std::abs(b.pair - at);
                       });
  return nearest->pair;
}

void FactorEditorPlot::press(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton || m_model.draft().factors.empty()) return;
  if (!m_top->rect().contains(event->pos())) return;
  m_dragging = true;
  m_grabbed = pairAt(event->position());
  m_last = event->position();
  choose(m_grabbed);
  Q_EMIT dragBegan();
  dragTo(event->position());
}

void FactorEditorPlot::move(QMouseEvent* event) {
  if (m_dragging) return dragTo(event->position());
  if (!m_top->rect().contains(event->pos())) return QToolTip::hideText();
  const int pair = static_cast<int>(std::lround(x(m_top)->pixelToCoord(event->position().x())));
  QToolTip::showText(event->globalPosition().toPoint(), m_model.describe(pair), plot());
}

// Bars are painted over: a quick stroke sets those between two mouse events, too.
void FactorEditorPlot::dragTo(const QPointF& point) {
  const bool spline = !m_model.handles().empty();
  const int to = spline ? m_grabbed : pairAt(point);
  const int from = spline ? to : m_grabbed;
  const int step = to >= from ? 1 : -1;
  for (int pair = from == to ? to : from + step;; pair += step) {
    const double share =
        to == from ? 1.0 : static_cast<double>(pair - from) / static_cast<double>(to - from);
    const double pixel = m_last.y() + share * (point.y() - m_last.y());
    Q_EMIT dragged(pair, y(m_top)->pixelToCoord(pixel));
    if (pair == to) break;
  }
  m_grabbed = to;
  m_last = point;
  choose(to);
}

void FactorEditorPlot::release() {
  if (!m_dragging) return;
  m_dragging = false;
  Q_EMIT dragEnded();
  redraw();
}

void FactorEditorPlot::choose(int pair) {
  m_chosen = std::clamp(pair, 0, std::max(0, static_cast<int>(m_model.draft().factors.size()) - 1));
  redrawChosen();
}

void FactorEditorPlot::keyPressEvent(QKeyEvent* event) {
  const auto handles = m_model.handles();
  const auto pairs = static_cast<int>(m_model.draft().factors.size());
  if (pairs == 0) return PlotWidget::keyPressEvent(event);
  const double step = event->modifiers() & Qt::ShiftModifier ? kKeyLeap : kKeyStep;
  const double factor = m_model.draft().factors[static_cast<std::size_t>(m_chosen)];
  const auto next = [&](int direction) {
    int pair = m_chosen;
    do {
      pair += direction;
    } while (pair >= 0 && pair < pairs && !handles.empty() &&
             std::none_of(handles.begin(), handles.end(),
                          [pair](const rope::FactorHandle& h) { return h.pair == pair; }));
    if (pair >= 0 && pair < pairs) choose(pair);
  };
  switch (event->key()) {
    case Qt::Key_Left:
      return next(-1);
    case Qt::Key_Right:
      return next(1);
    case Qt::Key_Up:
      Q_EMIT dragged(m_chosen, factor * step);
      return;
    case Qt::Key_Down:
      Q_EMIT dragged(m_chosen, factor / step);
      return;
    default:
      PlotWidget::keyPressEvent(event);
  }
}

}  // namespace ropescope::ui
