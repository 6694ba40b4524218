#include "ui/plots/coverage_plot.h"

#include <QToolTip>
#include <algorithm>
#include <cmath>
#include <limits>

#include "ui/plots/axis_ticks.h"

namespace ropescope::ui {
namespace {

constexpr double kZeroPlace = 0.5;   // of distance 0 on a logarithmic axis: one step left of 1
constexpr double kMassShare = 0.55;  // height of the upper plot to the lower one's

void stretch(QCPItemStraightLine* line, double at) {
  line->point1->setCoords(at, 0);
  line->point2->setCoords(at, 1);
}

}  // namespace

// One bar a pair: shaded as far as training showed its angles, coloured beyond; and the border
// under another plan as a dashed line.
class CoverageBands : public QCPAbstractItem {
 public:
  CoverageBands(CoveragePlot& owner, const CoverageViewModel& model)
      : QCPAbstractItem(owner.plot()),
        m_owner(owner),
        m_model(model) {
    setSelectable(false);
    setClipToAxisRect(true);
  }

  double selectTest(const QPointF&, bool, QVariant*) const override { return -1; }

 protected:
  void draw(QCPPainter* painter) override {
    if (!m_model.hasPlan()) return;
    const PlotColors colors = plotColors(m_owner.theme());
    painter->setAntialiasing(false);
    painter->setPen(Qt::NoPen);
    const auto pairs = m_model.arcs().size();
    for (std::size_t pair = 0; pair < pairs; ++pair) {
      const double border = right(m_model.shown().unseen[pair]);
      fill(painter, pair, left(), border, colors.seen);
      fill(painter, pair, border, clipAxisRect()->right() + 1, colors.unseenFill);
    }
    if (m_model.plans().size() < 2) return;
    painter->setAntialiasing(true);
    painter->setPen(referencePen(m_owner.theme()));
    painter->setBrush(Qt::NoBrush);
    QPolygonF steps;
    for (std::size_t pair = 0; pair < pairs; ++pair) {
      if (m_model.arcs()[pair].fullTurn) continue;
      const double border = right(m_model.reference().unseen[pair]);
      steps << QPointF(border, edge(static_cast<double>(pair) - 0.5))
            << QPointF(border, edge(static_cast<double>(pair) + 0.5));
    }
    painter->drawPolyline(steps);
  }

 private:
  double left() const { return clipAxisRect()->left(); }
  double edge(double pair) const {
    return clipAxisRect()->axis(QCPAxis::atLeft)->coordToPixel(pair);
  }
  // Pixel of the first unseen distance; beyond the picture when there is none.
  double right(const UnseenFrom& from) const {
    const double beyond = clipAxisRect()->right() + 1;
    if (!from) return beyond;
    const QCPAxis* axis = clipAxisRect()->axis(QCPAxis::atBottom);
    return std::clamp(axis->coordToPixel(static_cast<double>(*from)), left(), beyond);
  }
  void fill(QCPPainter* painter, std::size_t pair, double from, double to,
            const QColor& color) const {
    if (to <= from) return;
    const double low = edge(static_cast<double>(pair) - 0.5);
    const double high = edge(static_cast<double>(pair) + 0.5);
    // Whole pixels: bars that share an edge neither overlap nor leave a gap.
    const QRect bar(QPoint(qRound(from), qRound(high)), QPoint(qRound(to) - 1, qRound(low) - 1));
    painter->fillRect(bar, color);
  }

  CoveragePlot& m_owner;
  const CoverageViewModel& m_model;
};

CoveragePlot::CoveragePlot(const CoverageViewModel& model, QWidget* parent)
    : PlotWidget(parent),
      m_model(model),
      m_top(new QCPAxisRect(plot())),
      m_map(new QCPAxisRect(plot())) {
  buildRects();
  buildItems();
  plot()->setAccessibleName(tr("Angles seen in training by pair and distance"));
  connect(plot(), &QCustomPlot::mouseMove, this, &CoveragePlot::hover);
  connect(plot(), &QCustomPlot::mousePress, this, &CoveragePlot::pick);
  connect(&m_model, &CoverageViewModel::changed, this, &CoveragePlot::redraw);
  connect(&m_model, &CoverageViewModel::distanceChanged, this, &CoveragePlot::redrawDistance);
  followPalette();
  redraw();
}

void CoveragePlot::buildRects() {
  plot()->plotLayout()->clear();
  plot()->plotLayout()->addElement(0, 0, m_top);
  plot()->plotLayout()->addElement(1, 0, m_map);
  plot()->plotLayout()->setRowStretchFactor(0, kMassShare);
  plot()->plotLayout()->setRowSpacing(0);
  auto* margins = new QCPMarginGroup(plot());
  for (QCPAxisRect* rect : {m_top, m_map}) {
    rect->setMarginGroup(QCP::msLeft | QCP::msRight, margins);
  }
  x(m_top)->setTickLabels(false);
  x(m_map)->setLabel(tr("distance [tokens]"));
  y(m_map)->setLabel(tr("rotary pair"));
  y(m_map)->setTicker(QSharedPointer<QCPAxisTicker>(new TokenTicker));
  y(m_top)->setLabel(tr("attention [%]"));
  y(m_top)->ticker()->setTickCount(3);
  m_seenMass = plot()->addGraph(x(m_top), y(m_top));
  m_unseenMass = plot()->addGraph(x(m_top), y(m_top));
  for (QCPGraph* graph : {m_seenMass, m_unseenMass}) graph->setLineStyle(QCPGraph::lsStepLeft);
}

void CoveragePlot::buildItems() {
  const auto belong = [this](QCPAbstractItem* item, QCPAxisRect* rect) {
    for (QCPItemPosition* position : item->positions()) {
      position->setAxisRect(rect);
      position->setAxes(x(rect), y(rect));
    }
    item->setClipAxisRect(rect);
    item->setClipToAxisRect(true);
    item->setSelectable(false);
  };
  plot()->addLayer(QStringLiteral("bands"), plot()->layer(QStringLiteral("background")));
  m_bands = new CoverageBands(*this, m_model);
  belong(m_bands, m_map);
  m_bands->setLayer(QStringLiteral("bands"));
  m_map->setBackground(QBrush(Qt::NoBrush));
  for (const std::size_t i : {0UL, 1UL}) {
    QCPAxisRect* rect = i == 0 ? m_top : m_map;
    m_trained[i] = new QCPItemStraightLine(plot());
    m_distance[i] = new QCPItemStraightLine(plot());
    belong(m_trained[i], rect);
    belong(m_distance[i], rect);
  }
  const auto text = [&](QCPAxisRect* rect, double atX, double atY, Qt::Alignment alignment) {
    auto* note = new QCPItemText(plot());
    belong(note, rect);
    note->position->setType(QCPItemPosition::ptAxisRectRatio);
    note->position->setCoords(atX, atY);
    note->setPositionAlignment(alignment);
    return note;
  };
  m_turnedText = text(m_map, 0.5, 1, Qt::AlignHCenter | Qt::AlignBottom);
  m_unseenText = text(m_map, 0, 0, Qt::AlignLeft | Qt::AlignTop);
  m_noMass = text(m_top, 0.5, 0.5, Qt::AlignCenter);
  m_trainedText = text(m_top, 0, 0, Qt::AlignRight | Qt::AlignTop);
  m_trainedText->position->setTypeX(QCPItemPosition::ptPlotCoords);
}

void CoveragePlot::restyle(PlotTheme theme) {
  const PlotColors colors = plotColors(theme);
  QPen seen = curvePen(theme, 0);
  seen.setStyle(Qt::SolidLine);
  m_seenMass->setPen(seen);
  m_seenMass->setBrush(QBrush(colors.seen));
  QPen unseen = seen;
  unseen.setColor(colors.unseen);
  m_unseenMass->setPen(unseen);
  m_unseenMass->setBrush(QBrush(colors.unseenFill));
  QPen marker(colors.ink, 1.2);
  for (const std::size_t i : {0UL, 1UL}) {
    m_trained[i]->setPen(referencePen(theme));
    m_distance[i]->setPen(marker);
  }
  for (QCPItemText* note : {m_trainedText, m_turnedText, m_unseenText, m_noMass}) {
    styleNote(note, theme);
  }
  m_top->setMinimumMargins(QMargins(12, 10, 16, 6));
  m_map->setMinimumMargins(QMargins(12, 4, 16, 10));
}

double CoveragePlot::place(double distance) const {
  const bool logarithmic = m_model.scale() == DistanceScale::Logarithmic;
  return logarithmic ? std::max(distance, kZeroPlace) : distance;
}

void CoveragePlot::redraw() {
  const bool logarithmic = m_model.scale() == DistanceScale::Logarithmic;
  for (QCPAxisRect* rect : {m_top, m_map}) {
    x(rect)->setScaleType(logarithmic ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
    x(rect)->setTicker(logarithmic ? QSharedPointer<QCPAxisTicker>(new Log2Ticker)
                                   : QSharedPointer<QCPAxisTicker>(new TokenTicker));
    x(rect)->setRange(place(0), std::max(2.0, static_cast<double>(m_model.longest() + 1)));
  }
  const double pairs = std::max(1.0, static_cast<double>(m_model.arcs().size()));
  y(m_map)->setRange(-0.5, pairs - 0.5);
  redrawMass();
  const bool hasPlan = m_model.hasPlan();
  const auto turned = std::count_if(m_model.arcs().begin(), m_model.arcs().end(),
                                    [](const TrainedArc& arc) { return arc.fullTurn; });
  m_turnedText->setVisible(hasPlan && turned > 0);
  m_turnedText->setText(tr("pairs that went round in training know every angle"));
  m_unseenText->setVisible(hasPlan);
  const bool leaves = hasPlan && unseenPairs(m_model.shown().unseen, m_model.longest()) > 0;
  m_unseenText->setText(!hasPlan ? QString()
                        : leaves ? tr("%1: coloured = never seen").arg(m_model.shown().title)
                                 : tr("%1: every angle was seen").arg(m_model.shown().title));
  const auto trained = static_cast<double>(m_model.trainedLength());
  for (QCPItemStraightLine* line : m_trained) {
    line->setVisible(hasPlan);
    stretch(line, place(trained));
  }
  m_trainedText->setVisible(hasPlan);
  m_trainedText->setText(tr("trained %1").arg(QLocale().toString(static_cast<int>(trained))));
  m_trainedText->position->setCoords(place(trained), 0);
  redrawDistance();
}

// A step for every bin, in two colours: the second begins where the shown plan meets the first
// angle that was never seen.
void CoveragePlot::redrawMass() {
  QVector<double> at;
  QVector<double> shares;
  double top = 0.0;
  for (const MassBin& bin : m_model.bins()) {
    at << place(static_cast<double>(bin.begin));
    shares << 100.0 * bin.share;
    top = std::max(top, shares.back());
  }
  if (!at.isEmpty()) {
    at << static_cast<double>(m_model.bins().back().end);
    shares << shares.back();
  }
  const UnseenFrom unseen = m_model.hasPlan() ? firstUnseen(m_model.shown().unseen) : UnseenFrom();
  const double border = unseen ? static_cast<double>(*unseen) : std::numeric_limits<double>::max();
  QVector<double> near;
  QVector<double> far;
  QVector<double> nearShares;
  QVector<double> farShares;
  for (qsizetype i = 0; i < at.size(); ++i) {
    if (at[i] < border) {
      near << at[i];
      nearShares << shares[i];
    }
    // The bin that holds the border begins before it and is split there.
    if (i + 1 < at.size() && at[i] < border && at[i + 1] > border) {
      near << border;
      far << border;
      nearShares << shares[i];
      farShares << shares[i];
    }
    if (at[i] >= border) {
      far << at[i];
      farShares << shares[i];
    }
  }
  m_seenMass->setData(near, nearShares, true);
  m_unseenMass->setData(far, farShares, true);
  for (QCPGraph* graph : {m_seenMass, m_unseenMass}) graph->setVisible(m_model.hasMass());
  // It stays while it shows the top well: a flip between settings does not move it.
  const double height = top > 0 ? top * 1.15 : 1;
  const double now = y(m_top)->range().upper;
  if (height > now || height < now / 4) y(m_top)->setRange(0, height);
  m_noMass->setVisible(m_model.hasPlan() && !m_model.hasMass());
  m_noMass->setText(m_model.massText());
}

void CoveragePlot::redrawDistance() {
  for (QCPItemStraightLine* line : m_distance) {
    line->setVisible(m_model.hasPlan());
    stretch(line, place(static_cast<double>(m_model.distance())));
  }
  plot()->setAccessibleDescription(m_model.sentence());
  drawSoon();
}

void CoveragePlot::drawSoon() {
  if (isVisible()) replotSoon();
}

void CoveragePlot::showEvent(QShowEvent* event) {
  PlotWidget::showEvent(event);
  replotSoon();
}

void CoveragePlot::hover(QMouseEvent* event) {
  if (event->buttons() & Qt::LeftButton) return pick(event);
  if (!m_map->rect().contains(event->pos())) return QToolTip::hideText();
  const QString text = m_model.describe(x(m_map)->pixelToCoord(event->position().x()),
                                        y(m_map)->pixelToCoord(event->position().y()));
  QToolTip::showText(event->globalPosition().toPoint(), text, plot());
}

void CoveragePlot::pick(QMouseEvent* event) {
  const double at = x(m_map)->pixelToCoord(event->position().x());
  if (event->buttons() & Qt::LeftButton) Q_EMIT distancePicked(std::llround(std::max(0.0, at)));
}

}  // namespace ropescope::ui
