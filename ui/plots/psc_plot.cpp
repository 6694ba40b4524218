#include "ui/plots/psc_plot.h"

#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "ui/plots/axis_ticks.h"

namespace ropescope::ui {
namespace {

constexpr float kOuterOpacity = 0.18F;
constexpr float kInnerOpacity = 0.35F;
constexpr double kLeastGate = 0.1;  // half the least height around 1, so that flat looks flat
constexpr double kLeastTurn = 5.0;  // degrees
constexpr double kRoom = 1.1;
constexpr int kDotSize = 6;  // px

}  // namespace

PscPlot::PscPlot(const PscViewModel& model, QWidget* parent) : PlotWidget(parent), m_model(model) {
  plot()->setAutoAddPlottableToLegend(false);
  moveLegendAbove(plot());
  buildPart(Gates, 1.0);
  buildPart(Turns, 0.0);
  plot()->plotLayout()->remove(plot()->axisRect());  // not before: items ask for it when made
  auto* grid = new QCPLayoutGrid;
  plot()->plotLayout()->addElement(1, 0, grid);
  grid->setRowSpacing(0);
  auto* margins = new QCPMarginGroup(plot());
  for (const Which which : {Gates, Turns}) {
    grid->addElement(which, 0, m_parts[which].rect);
    m_parts[which].rect->setMarginGroup(QCP::msLeft | QCP::msRight, margins);
  }
  m_parts[Gates].rect->axis(QCPAxis::atBottom)->setLabel(tr("component of the head"));
  m_parts[Gates].rect->axis(QCPAxis::atLeft)->setLabel(tr("gate"));
  m_parts[Turns].rect->axis(QCPAxis::atBottom)->setLabel(tr("rotary pair, fast to slow"));
  m_parts[Turns].rect->axis(QCPAxis::atLeft)->setLabel(tr("turn [degrees]"));
  m_message = new QCPItemText(plot());
  m_message->position->setAxisRect(m_parts[Gates].rect);
  m_message->setClipToAxisRect(false);
  m_message->position->setType(QCPItemPosition::ptViewportRatio);
  m_message->position->setCoords(0.5, 0.5);
  connect(plot(), &QCustomPlot::mouseMove, this, &PscPlot::hover);
  connect(&m_model, &PscViewModel::changed, this, &PscPlot::redraw);
  followPalette();
  redraw();
}

void PscPlot::buildPart(Which which, double neutral) {
  Part& part = m_parts[which];
  part.rect = new QCPAxisRect(plot());
  QCPAxis* x = part.rect->axis(QCPAxis::atBottom);
  QCPAxis* y = part.rect->axis(QCPAxis::atLeft);
  x->setTicker(QSharedPointer<QCPAxisTicker>(new TokenTicker));
  for (QCPGraph** graph :
       {&part.low, &part.high, &part.quarter, &part.threeQuarters, &part.median, &part.token}) {
    *graph = plot()->addGraph(x, y);
    // A component is a place of its own: steps, no slopes.
    (*graph)->setLineStyle(QCPGraph::lsStepCenter);
  }
  part.high->setChannelFillGraph(part.low);
  part.threeQuarters->setChannelFillGraph(part.quarter);
  part.token->setLineStyle(QCPGraph::lsNone);
  part.neutral = new QCPItemStraightLine(plot());
  for (QCPItemPosition* position : part.neutral->positions()) {
    position->setAxisRect(part.rect);
    position->setAxes(x, y);
  }
  part.neutral->setClipAxisRect(part.rect);
  part.neutral->point1->setCoords(0, neutral);
  part.neutral->point2->setCoords(1, neutral);
  if (which == Turns) return;
  part.high->setName(tr("5–95 % of the tokens"));
  part.threeQuarters->setName(tr("25–75 %"));
  part.median->setName(tr("median"));
  for (QCPGraph* graph : {part.high, part.threeQuarters, part.median}) graph->addToLegend();
}

void PscPlot::restyle(PlotTheme theme) {
  const QColor hue = curvePen(theme, 0).color();
  const auto faded = [&](float opacity) {
    QColor color = hue;
    color.setAlphaF(opacity);
    return QBrush(color);
  };
  for (Part& part : m_parts) {
    for (QCPGraph* edge : {part.low, part.quarter, part.threeQuarters, part.high}) {
      edge->setPen(Qt::NoPen);
    }
    part.high->setBrush(faded(kOuterOpacity));
    part.threeQuarters->setBrush(faded(kInnerOpacity));
    part.median->setPen(QPen(hue, 1.4));
    const QColor dot = curvePen(theme, 1).color();
    part.token->setScatterStyle(QCPScatterStyle(
        QCPScatterStyle::ssDiamond, QPen(plotColors(theme).paper, 0.8), QBrush(dot), kDotSize));
    part.neutral->setPen(faintPen(theme));
  }
  styleNote(m_message, theme);
  m_message->setFont(plotFont(PlotText::Label));
  wrapLegend(plot());
}

void PscPlot::fill(Part& part, const QuantileBand& band, const QVector<double>& token) {
  part.low->setData(band.x, band.low, true);
  part.quarter->setData(band.x, band.quarter, true);
  part.median->setData(band.x, band.median, true);
  part.threeQuarters->setData(band.x, band.threeQuarters, true);
  part.high->setData(band.x, band.high, true);
  part.token->setData(band.x.first(token.size()), token, true);
  const double neutral = part.neutral->point1->value();
  double reach = &part == &m_parts[Gates] ? kLeastGate : kLeastTurn;
  for (const QVector<double>* values : {&band.low, &band.high, &token}) {
    for (const double value : *values) reach = std::max(reach, std::abs(value - neutral));
  }
  part.rect->axis(QCPAxis::atLeft)->setRange(neutral - reach * kRoom, neutral + reach * kRoom);
  const auto places = std::max<double>(1.0, static_cast<double>(band.x.size()));
  part.rect->axis(QCPAxis::atBottom)->setRange(-0.5, places - 0.5);
}

void PscPlot::redraw() {
  fill(m_parts[Gates], m_model.gateBand(), m_model.tokenGates());
  fill(m_parts[Turns], m_model.turnBand(), m_model.tokenTurns());
  QCPGraph* dots = m_parts[Gates].token;
  dots->setName(m_model.tokenTitle());
  if (m_model.tokenTitle().isEmpty()) {
    dots->removeFromLegend();
  } else {
    dots->addToLegend();
  }
  m_message->setText(m_model.message());
  m_message->setVisible(!m_message->text().isEmpty());
  plot()->legend->setVisible(m_message->text().isEmpty());
  wrapLegend(plot());
  plot()->setAccessibleName(tr("Gates of the phase shift calibration"));
  plot()->setAccessibleDescription(m_model.sentence() + u' ' + m_model.effectText());
  replotSoon();
}

void PscPlot::hover(QMouseEvent* event) {
  const QCPAxisRect* rect = m_parts[Gates].rect;
  if (!rect->rect().contains(event->pos())) return QToolTip::hideText();
  const double x = rect->axis(QCPAxis::atBottom)->pixelToCoord(event->pos().x());
  QToolTip::showText(event->globalPosition().toPoint(),
                     m_model.describeComponent(static_cast<int>(std::lround(x))), plot());
}

}  // namespace ropescope::ui
