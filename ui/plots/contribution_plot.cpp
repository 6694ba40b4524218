#include "ui/plots/contribution_plot.h"

#include <QToolTip>
#include <cmath>

#include "ui/plots/axis_ticks.h"

namespace ropescope::ui {
namespace {

constexpr double kBarWidth = 0.5;    // of a pair's place
constexpr double kGhostWidth = 0.8;  // shows on both sides of the bar
constexpr double kRoom = 0.08;       // of the range, above and below
constexpr double kOutline = 1.3;     // px

}  // namespace

ContributionPlot::ContributionPlot(const ContributionViewModel& model, QWidget* parent)
    : PlotWidget(parent),
      m_model(model),
      m_ghost(new QCPBars(plot()->xAxis, plot()->yAxis)),
      m_bars(new QCPBars(plot()->xAxis, plot()->yAxis)),
      m_zero(new QCPItemStraightLine(plot())),
      m_unturned(new QCPItemRect(plot())),
      m_unturnedText(new QCPItemText(plot())),
      m_message(new QCPItemText(plot())) {
  moveLegendAbove(plot());
  plot()->xAxis->setTicker(QSharedPointer<QCPAxisTicker>(new TokenTicker));
  plot()->xAxis->setLabel(tr("rotary pair, fast to slow"));
  plot()->yAxis->setLabel(tr("share of the score"));
  m_bars->setWidth(kBarWidth);
  m_ghost->setWidth(kGhostWidth);
  m_zero->point1->setCoords(0, 0);
  m_zero->point2->setCoords(1, 0);
  plot()->addLayer(QStringLiteral("shade"), plot()->layer(QStringLiteral("background")));
  m_unturned->setLayer(QStringLiteral("shade"));
  m_unturned->setPen(Qt::NoPen);
  for (QCPItemPosition* corner : {m_unturned->topLeft, m_unturned->bottomRight}) {
    corner->setTypeY(QCPItemPosition::ptAxisRectRatio);
  }
  for (QCPItemText* text : {m_unturnedText, m_message}) {
    text->position->setType(QCPItemPosition::ptAxisRectRatio);
  }
  m_unturnedText->position->setCoords(1, 1);
  m_unturnedText->setPositionAlignment(Qt::AlignRight | Qt::AlignBottom);
  m_unturnedText->setText(tr("shaded: never turned once in training"));
  m_message->position->setCoords(0.5, 0.5);
  plot()->axisRect()->setBackground(QBrush(Qt::NoBrush));
  plot()->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
  plot()->axisRect()->setRangeDrag(Qt::Horizontal);
  plot()->axisRect()->setRangeZoom(Qt::Horizontal);
  connect(plot(), &QCustomPlot::mouseMove, this, &ContributionPlot::hover);
  connect(plot(), &QCustomPlot::mouseDoubleClick, this, &ContributionPlot::redraw);
  connect(&m_model, &ContributionViewModel::barsChanged, this, &ContributionPlot::redraw);
  followPalette();
  redraw();
}

void ContributionPlot::restyle(PlotTheme theme) {
  const PlotColors colors = plotColors(theme);
  const QColor fill = curvePen(theme, 0).color();
  m_bars->setPen(QPen(fill, 1));
  m_bars->setBrush(QBrush(fill));
  QPen outline(colors.reference, kOutline);
  outline.setDashPattern({3, 2});
  m_ghost->setPen(outline);
  m_ghost->setBrush(Qt::NoBrush);
  m_zero->setPen(faintPen(theme));
  m_unturned->setBrush(QBrush(colors.shade));
  for (QCPItemText* text : {m_unturnedText, m_message}) styleNote(text, theme);
  m_unturnedText->setBrush(Qt::NoBrush);
  m_message->setFont(plotFont(PlotText::Label));
  wrapLegend(plot());
}

void ContributionPlot::redraw() {
  const ShareBars& bars = m_model.bars();
  const ShareBars& ghost = m_model.ghost();
  m_bars->setData(m_model.pairs().first(bars.shares.size()), bars.shares, true);
  m_ghost->setData(m_model.pairs().first(ghost.shares.size()), ghost.shares, true);
  m_bars->setName(bars.title);
  m_ghost->setName(ghost.title);
  for (const auto& [drawn, isEmpty] :
       {std::pair{m_bars, bars.isEmpty()}, std::pair{m_ghost, ghost.isEmpty()}}) {
    if (isEmpty) {
      drawn->removeFromLegend();
    } else {
      drawn->addToLegend();
    }
  }
  const auto pairs = static_cast<double>(m_model.pairs().size());
  const bool isShaded = m_model.firstUnturnedPair() < pairs;
  m_unturned->setVisible(isShaded);
  m_unturnedText->setVisible(isShaded);
  m_unturned->topLeft->setCoords(m_model.firstUnturnedPair() - 0.5, 0);
  m_unturned->bottomRight->setCoords(pairs - 0.5, 1);
  m_message->setText(m_model.pair().message());
  m_message->setVisible(!m_message->text().isEmpty());
  m_zero->setVisible(pairs > 0);
  fitAxes();
  wrapLegend(plot());
  plot()->setAccessibleName(tr("Share of every rotary pair in the score of two tokens"));
  plot()->setAccessibleDescription(m_model.sentence() + u' ' + m_model.levelText());
  replotSoon();
}

void ContributionPlot::fitAxes() {
  QCPRange values(0, 0);
  for (const ShareBars* bars : {&m_model.bars(), &m_model.ghost()}) {
    for (const double share : bars->shares) values.expand(QCPRange(share, share));
  }
  const double room = (values.size() > 0 ? values.size() : 1.0) * kRoom;
  QCPRange range(values.lower - room, values.upper + room);
  // After a switch only a bar that would leave the picture moves the axis.
  if (!m_model.ghost().isEmpty()) range = range.expanded(plot()->yAxis->range());
  plot()->yAxis->setRange(range);
  const auto pairs = static_cast<double>(m_model.pairs().size());
  plot()->xAxis->setRange(-0.5, std::max(pairs, 1.0) - 0.5);
}

void ContributionPlot::hover(QMouseEvent* event) {
  if (!plot()->axisRect()->rect().contains(event->pos())) return QToolTip::hideText();
  const int pair = static_cast<int>(std::lround(plot()->xAxis->pixelToCoord(event->pos().x())));
  QToolTip::showText(event->globalPosition().toPoint(), m_model.describe(pair), plot());
}

}  // namespace ropescope::ui
