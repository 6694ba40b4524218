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
constexpr double kLeastSize = 0.25;   // of the largest value: flat curves look flat
constexpr double kNearPixels = 12.0;  // a tooltip's reach

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
  for (QCPAbstractItem* item :
       {static_cast<QCPAbstractItem*>(m_trained), static_cast<QCPAbstractItem*>(m_trainedText),
        static_cast<QCPAbstractItem*>(m_hint)}) {
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
  wrapLegend(plot());
}

void PerplexityPlot::styleCurves(PlotTheme theme) {
  for (std::size_t i = 0; i < m_curves.size(); ++i) {
    const QPen pen = curvePen(theme, i);
    m_curves[i].graph->setPen(pen);
    m_curves[i].graph->setScatterStyle(curveMarker(theme, i));
    m_curves[i].errors->setPen(QPen(pen.color(), 1));
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

void PerplexityPlot::redraw() {
  const std::vector<PerplexityLine> lines = m_model.lines();
  resizeCurves(lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    m_curves[i].graph->setName(lines[i].title);
    m_curves[i].graph->setData(lines[i].lengths, lines[i].perplexities, true);
    m_curves[i].errors->setData(lines[i].errors);
    m_curves[i].errors->setVisible(lines[i].hasErrors);
  }
  m_hint->setVisible(lines.empty());
  m_protocol->setText(m_model.protocolText());
  if (lines.empty() || !isZoomed()) fitAxes(lines);  // a running sweep leaves a zoom alone
  showTrainedLength();
  wrapLegend(plot());
  plot()->setAccessibleName(tr("Perplexity against context length"));
  plot()->setAccessibleDescription(m_model.statusText() + u' ' + m_model.protocolText());
  replotSoon();
}

bool PerplexityPlot::isZoomed() const {
  return plot()->xAxis->range() != m_fittedX || plot()->yAxis->range() != m_fittedY;
}

void PerplexityPlot::resetView() {
  fitAxes(m_model.lines());
  redraw();
}

void PerplexityPlot::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_0) return resetView();
  PlotWidget::keyPressEvent(event);
}

void PerplexityPlot::fitAxes(const std::vector<PerplexityLine>& lines) {
  const bool hasLengths = m_model.longestLength() > 0;
  const double shortest = hasLengths ? m_model.shortestLength() : kEmptyLengths.lower;
  const double longest =
      std::max(hasLengths ? m_model.longestLength() : kEmptyLengths.upper, m_model.trainedLength());
  plot()->xAxis->setRange(shortest / kSideRoom, longest * kSideRoom);

  QCPRange values(0, 0);
  for (const PerplexityLine& line : lines) {
    for (qsizetype i = 0; i < line.perplexities.size(); ++i) {
      const QCPRange bar(line.perplexities[i] - line.errors[i],
                         line.perplexities[i] + line.errors[i]);
      values = values.upper > 0 ? values.expanded(bar) : bar;
    }
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

void PerplexityPlot::hover(QMouseEvent* event) {
  for (const Curve& curve : m_curves) {
    QVariant details;
    const double distance = curve.graph->selectTest(event->pos(), false, &details);
    if (distance < 0 || distance > kNearPixels) continue;
    const auto selection = details.value<QCPDataSelection>();
    if (selection.isEmpty()) continue;
    const auto point = curve.graph->data()->at(selection.dataRange().begin());
    QToolTip::showText(
        event->globalPosition().toPoint(),
        tr("%1\n%2 tokens: perplexity %3")
            .arg(curve.graph->name(), QLocale().toString(static_cast<qlonglong>(point->key)),
                 QLocale().toString(point->value, 'f', 4)),
        plot());
    return;
  }
  QToolTip::hideText();
}

}  // namespace ropescope::ui
