#include "ui/plots/position_plot.h"

#include <algorithm>
#include <cmath>

#include "ui/plots/axis_ticks.h"

namespace ropescope::ui {
namespace {

constexpr double kRoomAbove = 1.06;
constexpr float kAreaOpacity = 0.18F;
constexpr double kEmptyTokens = 1000.0;
constexpr int kClickPixels = 4;  // more is a drag

QVector<double> vectorOf(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

}  // namespace

PositionPlot::PositionPlot(QWidget* parent)
    : PlotWidget(parent),
      m_most(plot()->addGraph()),
      m_mean(plot()->addGraph()),
      m_mark(new QCPItemStraightLine(plot())),
      m_hint(new QCPItemText(plot())),
      m_caption(new FooterText(plot())) {
  plot()->xAxis->setTicker(QSharedPointer<QCPAxisTicker>(new TokenTicker));
  plot()->xAxis->setLabel(tr("position [token]"));
  m_most->setName(tr("largest per pixel"));
  m_mean->setName(tr("mean per pixel"));
  moveLegendAbove(plot());
  plot()->plotLayout()->addElement(2, 0, m_caption);
  plot()->plotLayout()->setRowStretchFactor(2, 0.001);
  m_mark->setVisible(false);
  m_mark->setSelectable(false);
  m_hint->setSelectable(false);
  m_hint->position->setType(QCPItemPosition::ptAxisRectRatio);
  m_hint->position->setCoords(0.5, 0.5);
  plot()->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
  plot()->axisRect()->setRangeDrag(Qt::Horizontal);
  plot()->axisRect()->setRangeZoom(Qt::Horizontal);
  connectMouse();
  followPalette();
  resetView();
}

void PositionPlot::connectMouse() {
  plot()->installEventFilter(this);
  connect(plot(), &QCustomPlot::mouseMove, this, &PositionPlot::hover);
  connect(plot(), &QCustomPlot::mousePress, this,
          [this](QMouseEvent* event) { m_pressed = event->pos(); });
  connect(plot(), &QCustomPlot::mouseRelease, this, [this](QMouseEvent* event) {
    const std::int64_t position = positionAt(event);
    const bool click = (event->pos() - m_pressed).manhattanLength() < kClickPixels;
    if (click && position >= 0) Q_EMIT picked(position);
  });
  connect(plot(), &QCustomPlot::mouseDoubleClick, this, &PositionPlot::resetView);
  connect(plot(), &QCustomPlot::afterLayout, this, [this] {  // its width is known only now
    if (plot()->axisRect()->width() != m_pooledWidth) repool();
  });
  connect(plot()->xAxis, QOverload<const QCPRange&>::of(&QCPAxis::rangeChanged), this,
          [this] { repool(); });
}

void PositionPlot::restyle(PlotTheme theme) {
  const QPen pen = curvePen(theme, 0);
  QColor faint = pen.color();
  QPen thin(faint, 1.0);
  faint.setAlphaF(kAreaOpacity);
  m_most->setPen(thin);
  m_most->setBrush(QBrush(faint));
  m_mean->setPen(curvePen(theme, 1));
  m_mark->setPen(referencePen(theme));
  styleNote(m_hint, theme);
  m_hint->setFont(plotFont(PlotText::Label));
  m_caption->setFont(plotFont(PlotText::Footer));
  m_caption->setTextColor(plotColors(theme).mutedInk);
  wrapLegend(plot());
}

void PositionPlot::setSeries(PositionSeries series) {
  const bool otherLength = series.values.size() != m_series.values.size();
  m_series = std::move(series);
  plot()->yAxis->setLabel(m_series.valueTitle);
  m_hint->setText(m_series.hint);
  m_hint->setVisible(!m_series.hint.isEmpty());
  if (otherLength || m_following) {
    resetView();
  } else {
    repool();
  }
  plot()->setAccessibleName(m_series.valueTitle + u' ' + tr("over the position"));
  plot()->setAccessibleDescription(m_series.caption);
}

void PositionPlot::resetView() {
  const double tokens =
      m_series.values.empty() ? kEmptyTokens : static_cast<double>(m_series.values.size());
  plot()->xAxis->setRange(-0.5, tokens - 0.5);
  m_following = true;
  repool();
}

void PositionPlot::repool() {
  const QCPRange range = plot()->xAxis->range();
  m_following =
      range.lower <= 0.0 && range.upper >= static_cast<double>(m_series.values.size()) - 1.0;
  const TokenRange tokens{static_cast<std::int64_t>(std::floor(range.lower)),
                          static_cast<std::int64_t>(std::ceil(range.upper)) + 1};
  m_pooledWidth = plot()->axisRect()->width();
  m_pooled = pooledPositions(m_series.values, tokens, std::max(1, m_pooledWidth));
  const bool single = m_pooled.tokensPerCell <= 1.0;
  m_most->setData(vectorOf(m_pooled.positions), vectorOf(m_pooled.most), true);
  m_mean->setData(vectorOf(m_pooled.positions), vectorOf(m_pooled.mean), true);
  m_mean->setVisible(!single);
  double top = 0.0;
  for (const double value : m_pooled.most) top = value > top ? value : top;  // NaN compares false
  plot()->yAxis->setRange(0.0, top > 0.0 ? top * kRoomAbove : 1.0);
  const QString cell =
      single ? tr("every token is drawn")
             : tr("1 pixel = %1 tokens").arg(QLocale().toString(m_pooled.tokensPerCell, 'f', 1));
  m_caption->setText(m_series.values.empty() ? QString() : m_series.caption + QStringLiteral(" · ") + cell);
  placeMark();
  replotSoon();
}

void PositionPlot::markPosition(std::int64_t position) {
  if (position == m_marked) return;
  m_marked = position;
  placeMark();
  replotSoon();
}

void PositionPlot::placeMark() {
  m_mark->setVisible(m_marked >= 0);
  const auto at = static_cast<double>(m_marked);
  m_mark->point1->setCoords(at, 0.0);
  m_mark->point2->setCoords(at, 1.0);
}

std::int64_t PositionPlot::positionAt(const QMouseEvent* event) const {
  if (!plot()->axisRect()->rect().contains(event->pos())) return -1;
  const auto position =
      static_cast<std::int64_t>(std::lround(plot()->xAxis->pixelToCoord(event->pos().x())));
  const auto size = static_cast<std::int64_t>(m_series.values.size());
  return position >= 0 && position < size ? position : -1;
}

void PositionPlot::hover(QMouseEvent* event) {
  const std::int64_t position = positionAt(event);
  markPosition(position);
  Q_EMIT pointed(position);
}

void PositionPlot::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_0) return resetView();
  PlotWidget::keyPressEvent(event);
}

bool PositionPlot::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::Leave) {
    markPosition(-1);
    Q_EMIT pointed(-1);
  }
  return PlotWidget::eventFilter(watched, event);
}

}  // namespace ropescope::ui
