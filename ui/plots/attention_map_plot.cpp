#include "ui/plots/attention_map_plot.h"

#include <QKeyEvent>
#include <QLocale>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "ui/plots/axis_ticks.h"
#include "ui/plots/map_cells.h"
#include "ui/plots/weight_strips.h"

namespace ropescope::ui {
namespace {

constexpr double kMostPixelRatio = 2.0;  // beyond it nobody sees the cells, everybody waits
constexpr double kPanStep = 0.1;         // of the visible range, per arrow key
constexpr double kZoomStep = 0.8;        // per + and wheel notch
constexpr int kClickPixels = 3;          // a hand is not steadier
constexpr float kDarkest = 1e-12F;       // below every range; keeps logarithms finite

ViewRange scaled(const ViewRange& range, double factor) {
  const double middle = (range.lower + range.upper) / 2;
  return {middle - range.size() / 2 * factor, middle + range.size() / 2 * factor};
}

ViewRange shifted(const ViewRange& range, double share) {
  return {range.lower + range.size() * share, range.upper + range.size() * share};
}

}  // namespace

AttentionMapPlot::AttentionMapPlot(AttentionViewModel& model, QWidget* parent)
    : PlotWidget(parent),
      m_model(model),
      m_rect(plot()->axisRect()),
      m_map(new QCPColorMap(plot()->xAxis, plot()->yAxis)),
      m_scale(new QCPColorScale(plot())) {
  plot()->yAxis->setRangeReversed(true);
  for (QCPAxis* axis : {plot()->xAxis, plot()->yAxis}) {
    axis->setTicker(QSharedPointer<QCPAxisTicker>(new TokenTicker));
    axis->grid()->setVisible(false);
  }
  m_rect->setupFullAxesBox(true);
  for (QCPAxis* axis : {plot()->xAxis2, plot()->yAxis2}) {
    axis->setTicks(false);
    axis->setTickLabels(false);
  }

  m_scale->setType(QCPAxis::atRight);
  m_scale->setBarWidth(12);
  m_scale->setRangeDrag(false);
  m_scale->setRangeZoom(false);
  plot()->plotLayout()->addElement(0, 1, m_scale);
  auto* margins = new QCPMarginGroup(plot());
  m_rect->setMarginGroup(QCP::msTop | QCP::msBottom, margins);
  m_scale->setMarginGroup(QCP::msTop | QCP::msBottom, margins);
  m_map->setInterpolate(false);  // it would wash out single tokens
  m_map->setTightBoundary(false);
  m_map->setColorScale(m_scale);

  buildItems();
  connectPlot();
  followPalette();
  showView();
  redraw();
}

void AttentionMapPlot::buildItems() {
  m_ignored = new QCPItemRect(plot());
  m_ignored->setPen(Qt::NoPen);
  m_corner = new QCPItemText(plot());
  m_corner->position->setType(QCPItemPosition::ptAxisRectRatio);
  m_corner->position->setCoords(1, 0);
  m_corner->setPositionAlignment(Qt::AlignRight | Qt::AlignTop);
  m_message = new QCPItemText(plot());
  m_message->position->setType(QCPItemPosition::ptAxisRectRatio);
  m_message->position->setCoords(0.5, 0.5);
  m_message->setPositionAlignment(Qt::AlignCenter);
  for (QCPAbstractItem* item : std::array<QCPAbstractItem*, 3>{m_ignored, m_corner, m_message}) {
    item->setSelectable(false);
  }
}

void AttentionMapPlot::connectPlot() {
  plot()->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
  m_rect->setRangeZoomFactor(kZoomStep);
  plot()->installEventFilter(this);
  const auto ranged = QOverload<const QCPRange&>::of(&QCPAxis::rangeChanged);
  connect(plot()->xAxis, ranged, this, &AttentionMapPlot::readView);
  connect(plot()->yAxis, ranged, this, &AttentionMapPlot::readView);
  connect(plot(), &QCustomPlot::mouseMove, this, &AttentionMapPlot::hover);
  connect(plot(), &QCustomPlot::mouseDoubleClick, &m_model, &AttentionViewModel::resetView);
  // Margins follow the tick labels, so the axes' size is only known after a layout.
  connect(plot(), &QCustomPlot::afterLayout, this, &AttentionMapPlot::reportPixels);
  connect(&m_model, &AttentionViewModel::viewChanged, this, &AttentionMapPlot::showView);
  connect(&m_model, &AttentionViewModel::tileChanged, this, &AttentionMapPlot::redraw);
  connect(&m_model, &AttentionViewModel::selectionChanged, this, &AttentionMapPlot::redraw);
}

void AttentionMapPlot::addStrips(TokenWeights& weights) {
  m_weights = &weights;
  QCPLayoutGrid* layout = plot()->plotLayout();
  layout->take(m_scale);
  m_strips = new WeightStrips(plot(), m_rect, weights);
  layout->addElement(0, 2, m_scale);
  m_footer = new FooterText(plot());
  layout->addElement(2, 0, m_footer);
  connect(plot(), &QCustomPlot::mousePress, this,
          [this](QMouseEvent* event) { m_pressed = event->pos(); });
  connect(plot(), &QCustomPlot::mouseRelease, this, &AttentionMapPlot::click);
  connect(&weights, &TokenWeights::changed, this, [this] {
    m_footer->setText(m_weights->isSet()
                          ? m_weights->text()
                          : tr("Point at a cell for its row and column; click to pin them."));
    replotSoon();
  });
  Q_EMIT weights.changed();
  restyle(this->theme());
  redraw();
}

void AttentionMapPlot::restyle(PlotTheme theme) {
  const PlotColors colors = plotColors(theme);
  m_map->setGradient(amountGradient(theme));
  m_scale->setGradient(amountGradient(theme));
  for (QCPAxis* axis : m_scale->axis()->axisRect()->axes()) apply(axis, theme);
  for (QCPAxis* axis : m_rect->axes()) axis->setBasePen(QPen(colors.axis, 1));
  m_scale->setMinimumMargins(QMargins(4, 8, 14, 10));
  m_ignored->setBrush(QBrush(colors.hatch, Qt::BDiagPattern));
  if (m_strips) m_strips->restyle(theme);
  if (m_footer) {
    m_footer->setFont(plotFont(PlotText::Footer));
    m_footer->setTextColor(colors.mutedInk);
  }
  styleNote(m_corner, theme);
  styleNote(m_message, theme);
  m_message->setFont(plotFont(PlotText::Label));
}

void AttentionMapPlot::redraw() {
  const bool logarithmic = m_model.colorScale() == ColorScale::Logarithmic;
  const auto type = logarithmic ? QCPAxis::stLogarithmic : QCPAxis::stLinear;
  m_scale->setDataScaleType(type);
  m_scale->axis()->setTicker(
      QSharedPointer<QCPAxisTicker>(logarithmic ? new LogTicker : new QCPAxisTicker));
  m_scale->setDataRange({m_model.valueRange().lower, m_model.valueRange().upper});
  m_scale->axis()->setLabel(tr("attention weight"));
  if (m_strips) m_strips->setValueScale(logarithmic, m_model.valueRange());
  labelAxes();
  m_corner->setText(m_model.resolutionText());
  m_corner->setVisible(!m_model.resolutionText().isEmpty());
  m_message->setText(m_model.message());
  m_message->setVisible(!m_model.message().isEmpty());
  plot()->setAccessibleName(tr("Attention map"));
  plot()->setAccessibleDescription(m_model.summary());

  const auto tile = m_model.tile();
  m_map->setVisible(tile != nullptr);
  if (tile) {
    fillCells(m_map->data(), tile->request, tile->values, kDarkest);
  }
  placeIgnored();
  replotSoon();
}

void AttentionMapPlot::labelAxes() {
  QString unit = tr("position [tokens]");
  if (m_model.granularity() == Granularity::Sentence) unit = tr("[sentence]");
  if (m_model.granularity() == Granularity::Paragraph) unit = tr("[paragraph]");
  plot()->xAxis->setLabel(tr("key %1").arg(unit));
  plot()->yAxis->setLabel(tr("query %1").arg(unit));
}

void AttentionMapPlot::placeIgnored() {
  const auto end = static_cast<double>(std::min(m_model.firstKey(), m_model.units()));
  m_ignored->setVisible(end > 0 && m_model.tile() != nullptr);
  m_ignored->topLeft->setCoords(0, 0);
  m_ignored->bottomRight->setCoords(end, static_cast<double>(m_model.units()));
}

void AttentionMapPlot::showView() {
  m_settingAxes = true;
  plot()->xAxis->setRange(toRange(m_model.view().keys));
  plot()->yAxis->setRange(toRange(m_model.view().queries));
  m_settingAxes = false;
  replotSoon();
}

void AttentionMapPlot::readView() {
  if (m_settingAxes) return;
  m_model.setView({toView(plot()->xAxis->range()), toView(plot()->yAxis->range())});
  showView();  // the model keeps the view on the map
}

void AttentionMapPlot::reportPixels() {
  const double ratio = std::min(kMostPixelRatio, plot()->bufferDevicePixelRatio());
  m_model.setPixels(QSize(static_cast<int>(std::floor(m_rect->width() * ratio)),
                          static_cast<int>(std::floor(m_rect->height() * ratio))));
}

bool AttentionMapPlot::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::KeyPress && handleKey(static_cast<QKeyEvent*>(event)->key())) {
    return true;
  }
  return PlotWidget::eventFilter(watched, event);
}

bool AttentionMapPlot::handleKey(int key) {
  MapView view = m_model.view();
  switch (key) {
    case Qt::Key_0:
      m_model.resetView();
      return true;
    case Qt::Key_Plus:
    case Qt::Key_Equal:
      m_model.setView({scaled(view.keys, kZoomStep), scaled(view.queries, kZoomStep)});
      return true;
    case Qt::Key_Minus:
      m_model.setView({scaled(view.keys, 1 / kZoomStep), scaled(view.queries, 1 / kZoomStep)});
      return true;
    case Qt::Key_Left:
      view.keys = shifted(view.keys, -kPanStep);
      break;
    case Qt::Key_Right:
      view.keys = shifted(view.keys, kPanStep);
      break;
    case Qt::Key_Up:
      view.queries = shifted(view.queries, -kPanStep);
      break;
    case Qt::Key_Down:
      view.queries = shifted(view.queries, kPanStep);
      break;
    case Qt::Key_PageUp:
      m_model.stepHead(-1);
      return true;
    case Qt::Key_PageDown:
      m_model.stepHead(1);
      return true;
    default:
      return false;
  }
  m_model.setView(view);
  return true;
}

void AttentionMapPlot::hover(QMouseEvent* event) {
  if (event->buttons() != Qt::NoButton || !m_rect->rect().contains(event->pos())) {
    QToolTip::hideText();
    if (m_weights && event->buttons() == Qt::NoButton) m_weights->leave();
    return;
  }
  const double key = plot()->xAxis->pixelToCoord(event->pos().x());
  const double query = plot()->yAxis->pixelToCoord(event->pos().y());
  if (m_weights) {
    m_weights->point(static_cast<std::int64_t>(std::floor(query)),
                     static_cast<std::int64_t>(std::floor(key)));
  }
  QToolTip::showText(event->globalPosition().toPoint(), m_model.describe(key, query), plot());
}

// A press and a release at one place: no drag.
void AttentionMapPlot::click(QMouseEvent* event) {
  const bool dragged = (event->pos() - m_pressed).manhattanLength() > kClickPixels;
  if (dragged || event->button() != Qt::LeftButton || !m_rect->rect().contains(event->pos())) {
    return;
  }
  const auto key =
      static_cast<std::int64_t>(std::floor(plot()->xAxis->pixelToCoord(event->pos().x())));
  const auto query =
      static_cast<std::int64_t>(std::floor(plot()->yAxis->pixelToCoord(event->pos().y())));
  if (m_weights->isPinned() && m_weights->key() == key && m_weights->query() == query) {
    m_weights->unpin();
  } else {
    m_weights->pin(query, key);
  }
}

}  // namespace ropescope::ui
