#include "ui/plots/perplexity_plot.h"

#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "ui/plots/axis_ticks.h"

namespace ropescope::ui {
namespace {

constexpr double kSideRoom = 1.12;          // factor kept free left and right of the lengths
constexpr double kLogFromRatio = 6.0;       // largest / smallest perplexity that needs a log axis
const QCPRange kEmptyLengths(256, 16'384);  // tokens; without a document
constexpr double kRoom = 0.08;              // of the values' range, kept free above and below
constexpr double kLabelPixels = 24.0;
constexpr double kLeastSize = 0.25;      // of the largest value: flat curves look flat
constexpr double kNearPixels = 12.0;     // a tooltip's reach
constexpr double kCursorTextTop = 0.12;  // share of the axes' height; above is the trained length
const QString kCursorLayer = QStringLiteral("cursor");

// With the line's values and error bars; a range that ends at 0 is empty.
QCPRange widened(QCPRange values, const PerplexityLine& line) {
  for (qsizetype i = 0; i < line.perplexities.size(); ++i) {
    const QCPRange bar(line.perplexities[i] - line.errors[i],
                       line.perplexities[i] + line.errors[i]);
    values = values.upper > 0 ? values.expanded(bar) : bar;
  }
  return values;
}

}  // namespace

PerplexityPlot::PerplexityPlot(const PerplexityViewModel& model, QWidget* parent)
    : PlotWidget(parent),
      m_model(model) {
  plot()->setAutoAddPlottableToLegend(false);
  moveLegendAbove(plot());
  plot()->xAxis->setScaleType(QCPAxis::stLogarithmic);
  plot()->xAxis->setTicker(QSharedPointer<QCPAxisTicker>(new Log2Ticker));
  plot()->xAxis->setLabel(tr("context length [tokens]"));
  plot()->yAxis->setLabel(tr("perplexity"));
  buildItems();
  m_protocol = new FooterText(plot());
  plot()->plotLayout()->addElement(2, 0, m_protocol);
  plot()->plotLayout()->setRowStretchFactor(2, 0.001);
  plot()->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
  connect(plot(), &QCustomPlot::mouseMove, this, &PerplexityPlot::hover);
  connect(plot(), &QCustomPlot::mouseDoubleClick, this, &PerplexityPlot::resetView);
  connect(&m_model, &PerplexityViewModel::curvesChanged, this, &PerplexityPlot::redraw);
  followPalette();
  resetView();
}

void PerplexityPlot::buildItems() {
  m_trained = new QCPItemStraightLine(plot());
  m_trainedText = new QCPItemText(plot());
  m_trainedText->position->setTypeY(QCPItemPosition::ptAxisRectRatio);
  m_hint = new QCPItemText(plot());
  m_hint->position->setType(QCPItemPosition::ptAxisRectRatio);
  m_hint->position->setCoords(0.5, 0.5);
  m_hint->setText(tr("Measure draws the curves."));
  // On a layer of its own: a slider that moves it does not draw the curves again.
  plot()->addLayer(kCursorLayer, nullptr, QCustomPlot::limAbove);
  plot()->layer(kCursorLayer)->setMode(QCPLayer::lmBuffered);
  m_cursor = new QCPItemStraightLine(plot());
  m_cursorText = new QCPItemText(plot());
  m_cursorText->position->setTypeY(QCPItemPosition::ptAxisRectRatio);
  m_cursorText->setTextAlignment(Qt::AlignLeft);
  m_cursor->setLayer(kCursorLayer);
  m_cursorText->setLayer(kCursorLayer);
  for (QCPAbstractItem* item : std::initializer_list<QCPAbstractItem*>{
           m_trained, m_trainedText, m_hint, m_cursor, m_cursorText}) {
    item->setSelectable(false);
  }
}

void PerplexityPlot::restyle(PlotTheme theme) {
  styleCurves(theme);
  m_trained->setPen(referencePen(theme));
  styleNote(m_trainedText, theme);
  styleNote(m_hint, theme);
  m_hint->setFont(plotFont(PlotText::Label));
  m_protocol->setFont(plotFont(PlotText::Footer));
  m_protocol->setTextColor(plotColors(theme).mutedInk);
  m_cursor->setPen(faintPen(theme));
  styleNote(m_cursorText, theme);
  m_cursorText->setColor(plotColors(theme).ink);
  wrapLegend(plot());
}

void PerplexityPlot::styleCurves(PlotTheme theme) {
  for (std::size_t i = 0; i < m_curves.size(); ++i) {
    const QPen pen = curvePen(theme, i);
    m_curves[i].graph->setPen(pen);
    m_curves[i].graph->setScatterStyle(curveMarker(theme, i));
    m_curves[i].errors->setPen(QPen(pen.color(), 1));
  }
  for (std::size_t i = 0; i < m_published.size(); ++i) {
    m_published[i].graph->setPen(publishedPen(theme));
    m_published[i].graph->setScatterStyle(publishedMarker(theme, i));
    m_published[i].bounds->setScatterStyle(boundMarker(theme));
  }
}

void PerplexityPlot::resizeCurves(std::size_t curves) {
  if (curves == m_curves.size()) return;
  while (m_curves.size() < curves) {
    Curve curve{.graph = plot()->addGraph(),
                .errors = new QCPErrorBars(plot()->xAxis, plot()->yAxis)};
    curve.errors->setDataPlottable(curve.graph);
    curve.errors->setSymbolGap(kNearPixels / 2);
    curve.graph->addToLegend();
    m_curves.push_back(curve);
  }
  while (m_curves.size() > curves) {
    plot()->removePlottable(m_curves.back().errors);
    plot()->removeGraph(m_curves.back().graph);
    m_curves.pop_back();
  }
  styleCurves(theme());
}

void PerplexityPlot::resizePublished(std::size_t curves) {
  if (curves == m_published.size()) return;
  while (m_published.size() < curves) {
    Published published{.graph = plot()->addGraph(), .bounds = plot()->addGraph()};
    published.bounds->setLineStyle(QCPGraph::lsNone);
    published.graph->addToLegend();
    m_published.push_back(published);
  }
  while (m_published.size() > curves) {
    plot()->removeGraph(m_published.back().bounds);
    plot()->removeGraph(m_published.back().graph);
    m_published.pop_back();
  }
  styleCurves(theme());
}

void PerplexityPlot::redraw() {
  m_lines = m_model.lines();
  resizeCurves(m_lines.size());
  for (std::size_t i = 0; i < m_lines.size(); ++i) {
    m_curves[i].graph->setName(m_lines[i].title);
    m_curves[i].graph->setData(m_lines[i].lengths, m_lines[i].perplexities, true);
    m_curves[i].errors->setData(m_lines[i].errors);
    m_curves[i].errors->setVisible(m_lines[i].hasErrors);
  }
  drawPublished(m_model.publishedLines());
  const bool empty = m_lines.empty() && m_publishedLines.empty();
  m_hint->setVisible(empty);
  QStringList footer{m_model.protocolText(), m_model.publishedWarning()};
  footer.removeAll(QString());
  m_protocol->setText(footer.join(u'\n'));
  if (empty || !isZoomed()) fitAxes();  // a running sweep leaves a zoom alone
  showTrainedLength();
  drawCursor();
  wrapLegend(plot());
  plot()->setAccessibleName(tr("Perplexity against context length"));
  plot()->setAccessibleDescription(m_model.statusText() + u' ' + footer.join(u' '));
  replotSoon();
}

void PerplexityPlot::drawPublished(const std::vector<PerplexityLine>& lines) {
  m_publishedLines = lines;
  resizePublished(lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    m_published[i].graph->setName(tr("published: %1").arg(lines[i].title));
    m_published[i].graph->setData(lines[i].lengths, lines[i].perplexities, true);
    m_published[i].bounds->setData(lines[i].aboveLengths, lines[i].aboveValues, true);
  }
}

void PerplexityPlot::setCursor(qint64 tokens) {
  if (tokens == m_cursorTokens) return;
  m_cursorTokens = tokens;
  drawCursor();
  plot()->layer(kCursorLayer)->replot();
}

QString PerplexityPlot::cursorText() const {
  const QLocale locale;
  QStringList rows{tr("%1 tokens").arg(locale.toString(m_cursorTokens))};
  for (const PerplexityLine& line : m_lines) {
    const auto value = valueAt(line, static_cast<double>(m_cursorTokens));
    if (!value) continue;
    const QString number = locale.toString(value->perplexity, 'f', 2);
    rows << (value->measured ? tr("%1: %2") : tr("%1: ≈ %2")).arg(line.title, number);
  }
  return rows.join(u'\n');
}

void PerplexityPlot::drawCursor() {
  const bool shown = m_cursorTokens > 0;
  m_cursor->setVisible(shown);
  m_cursorText->setVisible(shown);
  if (!shown) return;
  const auto at = static_cast<double>(m_cursorTokens);
  m_cursor->point1->setCoords(at, 0.1);
  m_cursor->point2->setCoords(at, 1);
  m_cursorText->setText(cursorText());
  m_cursorText->position->setCoords(at, kCursorTextTop);
  const QCPRange range = plot()->xAxis->range();
  const bool left = at > std::sqrt(range.lower * range.upper);  // of a logarithmic axis the middle
  m_cursorText->setPositionAlignment((left ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignTop);
}

bool PerplexityPlot::isZoomed() const {
  return plot()->xAxis->range() != m_fittedX || plot()->yAxis->range() != m_fittedY;
}

void PerplexityPlot::resetView() {
  m_lines = m_model.lines();
  m_publishedLines = m_model.publishedLines();
  fitAxes();
  redraw();
}

void PerplexityPlot::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_0) return resetView();
  PlotWidget::keyPressEvent(event);
}

void PerplexityPlot::fitAxes() {
  const bool hasLengths = m_model.longestLength() > 0;
  const double shortest = hasLengths ? m_model.shortestLength() : kEmptyLengths.lower;
  const double longest =
      std::max(hasLengths ? m_model.longestLength() : kEmptyLengths.upper, m_model.trainedLength());
  plot()->xAxis->setRange(shortest / kSideRoom, longest * kSideRoom);

  QCPRange values(0, 0);
  for (const auto* lines : {&m_lines, &m_publishedLines}) {
    for (const PerplexityLine& line : *lines) values = widened(values, line);
  }
  if (values.upper <= 0) values = QCPRange(1, 100);
  const bool logarithmic = values.lower > 0 && values.upper / values.lower > kLogFromRatio;
  plot()->yAxis->setScaleType(logarithmic ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
  plot()->yAxis->setTicker(
      QSharedPointer<QCPAxisTicker>(logarithmic ? new LogTicker : new QCPAxisTicker));
  // Above the curves there is room for the trained length's label.
  const double above = std::max(kRoom, kLabelPixels / std::max(80, plot()->axisRect()->height()));
  if (logarithmic) {
    const double ratio = values.upper / values.lower;
    plot()->yAxis->setRange(values.lower / std::pow(ratio, kRoom),
                            values.upper * std::pow(ratio, above));
  } else {
    const double size = std::max(values.size(), values.upper * kLeastSize);
    plot()->yAxis->setRange(std::max(0.0, values.lower - size * kRoom),
                            values.upper + size * above);
  }
  m_fittedX = plot()->xAxis->range();
  m_fittedY = plot()->yAxis->range();
}

void PerplexityPlot::showTrainedLength() {
  const double trained = m_model.trainedLength();
  m_trained->setVisible(trained > 0);
  m_trainedText->setVisible(trained > 0);
  if (trained <= 0) return;
  m_trained->point1->setCoords(trained, 0.1);
  m_trained->point2->setCoords(trained, 1);
  m_trainedText->position->setCoords(trained, 0);
  m_trainedText->setText(tr("trained %1").arg(Log2Ticker::label(trained)));
  // Beside the line on the side where curves are low, unless that is off the plot.
  const QCPRange range = plot()->xAxis->range();
  const bool nearLeft =
      std::log(trained / range.lower) < 0.25 * std::log(range.upper / range.lower);
  m_trainedText->setPositionAlignment((nearLeft ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignTop);
}

std::optional<PerplexityPlot::Near> PerplexityPlot::near(const QPointF& at) const {
  const auto pointOf = [&](const QCPGraph* graph,
                           const PerplexityLine& line) -> std::optional<Near> {
    QVariant details;
    const double distance = graph->selectTest(at, false, &details);
    const auto selection = details.value<QCPDataSelection>();
    if (distance < 0 || distance > kNearPixels || selection.isEmpty()) return std::nullopt;
    const qsizetype point = selection.dataRange().begin();
    return Near{.title = graph->name(),
                .detail = line.details[point],
                .length = line.lengths[point],
                .perplexity = line.perplexities[point],
                .error = line.errors[point]};
  };
  for (std::size_t i = 0; i < m_curves.size(); ++i) {
    if (auto found = pointOf(m_curves[i].graph, m_lines[i])) return found;
  }
  for (std::size_t i = 0; i < m_published.size(); ++i) {
    if (auto found = pointOf(m_published[i].graph, m_publishedLines[i])) return found;
  }
  return std::nullopt;
}

void PerplexityPlot::hover(QMouseEvent* event) {
  const bool inside = plot()->axisRect()->rect().contains(event->pos());
  Q_EMIT positionHovered(inside ? std::llround(plot()->xAxis->pixelToCoord(event->position().x()))
                                : -1);
  const auto point = near(event->position());
  if (!point) return QToolTip::hideText();
  const QLocale locale;
  const QString error =
      point->error > 0 ? tr(" ± %1").arg(locale.toString(point->error, 'f', 4)) : QString();
  QToolTip::showText(event->globalPosition().toPoint(),
                     tr("%1\n%2 tokens: perplexity %3%4\n%5")
                         .arg(point->title, locale.toString(std::llround(point->length)),
                              locale.toString(point->perplexity, 'f', 4), error, point->detail),
                     plot());
}

void PerplexityPlot::leaveEvent(QEvent* event) {
  PlotWidget::leaveEvent(event);
  Q_EMIT positionHovered(-1);
}

}  // namespace ropescope::ui
