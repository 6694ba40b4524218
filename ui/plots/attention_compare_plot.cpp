#include "ui/plots/attention_compare_plot.h"

#include <QKeyEvent>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "ui/plots/axis_ticks.h"
#include "ui/plots/map_cells.h"

namespace ropescope::ui {
namespace {

constexpr double kWideAspect = 1.6;      // width / height from which three stand side by side
constexpr double kMostPixelRatio = 2.0;  // beyond it nobody sees the cells, everybody waits
constexpr double kZoomStep = 0.8;
constexpr float kDarkest = 1e-12F;   // below every range; keeps logarithms finite
constexpr float kAnything = -1e30F;  // differences are drawn as they are

ViewRange scaled(const ViewRange& range, double factor) {
  const double middle = (range.lower + range.upper) / 2;
  return {middle - range.size() / 2 * factor, middle + range.size() / 2 * factor};
}

// Steps of equal size per decade to both sides of 0, and even ones within the knee around it.
double signedLog(double value, double knee) {
  return std::copysign(std::log10(1 + std::abs(value) / knee), value);
}

// The powers of ten beyond the knee, to both sides, and 0.
QSharedPointer<QCPAxisTicker> signedTicks(double bound, double knee) {
  const QSharedPointer<QCPAxisTickerText> ticks(new QCPAxisTickerText);
  ticks->addTick(0.0, QStringLiteral("0"));
  const int last = static_cast<int>(std::floor(std::log10(bound) + 1e-9));
  for (int exponent = static_cast<int>(std::ceil(std::log10(knee) - 1e-9)); exponent <= last;
       ++exponent) {
    const double value = std::pow(10.0, exponent);
    ticks->addTick(signedLog(value, knee), LogTicker::label(value));
    ticks->addTick(-signedLog(value, knee), QStringLiteral("−") + LogTicker::label(value));
  }
  return ticks;
}

}  // namespace

AttentionComparePlot::AttentionComparePlot(AttentionCompareModel& model, QWidget* parent)
    : PlotWidget(parent),
      m_model(model),
      m_grid(new QCPLayoutGrid) {
  plot()->setAutoAddPlottableToLegend(false);
  plot()->plotLayout()->addElement(1, 0, m_grid);
  m_grid->setRowSpacing(0);
  for (int row : {0, 1}) {
    m_rows[static_cast<std::size_t>(row)] = new QCPLayoutGrid;
    m_rows[static_cast<std::size_t>(row)]->setColumnSpacing(0);
    m_grid->addElement(row, 0, m_rows[static_cast<std::size_t>(row)]);
  }
  for (const Part part : {Left, Right, Difference}) buildPart(part);
  m_weights = buildScale();
  m_differences = buildScale();
  for (const Part part : {Left, Right}) m_maps[part]->setColorScale(m_weights);
  m_maps[Difference]->setColorScale(m_differences);
  m_message = new QCPItemText(plot());
  for (QCPItemPosition* at : m_message->positions()) at->setAxisRect(m_rects[Left]);
  m_message->position->setType(QCPItemPosition::ptAxisRectRatio);
  m_message->position->setCoords(0.5, 0.5);
  m_message->setSelectable(false);
  plot()->plotLayout()->remove(plot()->axisRect());  // not before: items ask for it when made
  plot()->plotLayout()->simplify();
  m_footer = new FooterText(plot());
  plot()->plotLayout()->addElement(1, 0, m_footer);
  arrange();
  connectPlot();
  followPalette();
  showTitles();
  showView();
  redraw();
}

void AttentionComparePlot::buildPart(Part part) {
  m_rects[part] = new QCPAxisRect(plot());
  m_rects[part]->setupFullAxesBox(true);
  y(part)->setRangeReversed(true);
  for (QCPAxis* axis : {x(part), y(part)}) {
    axis->setTicker(QSharedPointer<QCPAxisTicker>(new TokenTicker));
    axis->ticker()->setTickCount(3);
    axis->grid()->setVisible(false);
  }
  for (const auto side : {QCPAxis::atTop, QCPAxis::atRight}) {
    m_rects[part]->axis(side)->setTicks(false);
    m_rects[part]->axis(side)->setTickLabels(false);
  }
  m_rects[part]->setRangeZoomFactor(kZoomStep);
  m_maps[part] = new QCPColorMap(x(part), y(part));
  m_maps[part]->setInterpolate(false);  // it would wash out single tokens
  m_maps[part]->setTightBoundary(false);
  auto* title = m_titles[part] = new QCPItemText(plot());
  for (QCPItemPosition* at : title->positions()) at->setAxisRect(m_rects[part]);
  title->setClipAxisRect(m_rects[part]);
  title->position->setType(QCPItemPosition::ptAxisRectRatio);
  title->position->setCoords(1, 0);
  title->setPositionAlignment(Qt::AlignRight | Qt::AlignTop);
  title->setSelectable(false);
  auto* cross = m_cross[part] = new QCPItemTracer(plot());
  cross->position->setAxisRect(m_rects[part]);
  cross->position->setAxes(x(part), y(part));
  cross->setClipAxisRect(m_rects[part]);
  cross->setStyle(QCPItemTracer::tsCrosshair);
  cross->setSelectable(false);
  cross->setVisible(false);
}

QCPColorScale* AttentionComparePlot::buildScale() {
  auto* scale = new QCPColorScale(plot());
  scale->setType(QCPAxis::atRight);
  scale->setBarWidth(10);
  scale->setRangeDrag(false);
  scale->setRangeZoom(false);
  return scale;
}

void AttentionComparePlot::arrange() {
  for (QCPLayoutElement* element : std::initializer_list<QCPLayoutElement*>{
           m_rects[Left], m_rects[Right], m_rects[Difference], m_weights, m_differences}) {
    if (element->layout() != nullptr) element->layout()->take(element);
  }
  for (QCPLayoutGrid* row : m_rows) row->simplify();
  QCPLayoutGrid* below = m_rows[m_isWide ? 0 : 1];
  m_rows[0]->addElement(0, 0, m_rects[Left]);
  m_rows[0]->addElement(0, 1, m_rects[Right]);
  m_rows[0]->addElement(0, 2, m_weights);
  below->addElement(0, below->columnCount(), m_rects[Difference]);
  below->addElement(0, below->columnCount(), m_differences);
  // An empty row would hold the others to its own width.
  if (m_isWide && m_rows[1]->layout() != nullptr) {
    m_grid->take(m_rows[1]);
    m_grid->simplify();
  } else if (!m_isWide && m_rows[1]->layout() == nullptr) {
    m_grid->addElement(1, 0, m_rows[1]);
  }
  auto* margins = new QCPMarginGroup(plot());
  for (const Part part : {Left, Right, Difference}) {
    m_rects[part]->setMarginGroup(QCP::msAll, nullptr);
    if (m_isWide || part != Difference) {
      m_rects[part]->setMarginGroup(QCP::msTop | QCP::msBottom, margins);
    }
    x(part)->setLabel(tr("key [tokens]"));
    y(part)->setLabel(part == Left || part == Difference ? tr("query [tokens]") : QString());
  }
  m_weights->setMarginGroup(QCP::msTop | QCP::msBottom, margins);
  auto* same = m_isWide ? margins : new QCPMarginGroup(plot());
  m_rects[Difference]->setMarginGroup(QCP::msTop | QCP::msBottom, same);
  m_differences->setMarginGroup(QCP::msTop | QCP::msBottom, same);
}

void AttentionComparePlot::connectPlot() {
  plot()->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
  plot()->installEventFilter(this);
  const auto ranged = QOverload<const QCPRange&>::of(&QCPAxis::rangeChanged);
  for (const Part part : {Left, Right, Difference}) {
    for (QCPAxis* axis : {x(part), y(part)}) {
      connect(axis, ranged, this, [this, part] { readView(part); });
    }
  }
  connect(plot(), &QCustomPlot::mouseMove, this, &AttentionComparePlot::hover);
  connect(plot(), &QCustomPlot::mouseDoubleClick, &m_model.view(), &AttentionViewModel::resetView);
  // Margins follow the tick labels, so the axes' size is only known after a layout.
  connect(plot(), &QCustomPlot::afterLayout, this, &AttentionComparePlot::reportPixels);
  connect(&m_model.view(), &AttentionViewModel::viewChanged, this, &AttentionComparePlot::showView);
  connect(&m_model.view(), &AttentionViewModel::selectionChanged, this,
          &AttentionComparePlot::redraw);
  connect(&m_model, &AttentionCompareModel::pairChanged, this, &AttentionComparePlot::redraw);
  connect(&m_model, &AttentionCompareModel::titlesChanged, this, &AttentionComparePlot::showTitles);
}

void AttentionComparePlot::restyle(PlotTheme theme) {
  const PlotColors colors = plotColors(theme);
  m_weights->setGradient(amountGradient(theme));
  m_differences->setGradient(differenceGradient(theme));
  for (const Part part : {Left, Right, Difference}) {
    m_maps[part]->setGradient(part == Difference ? differenceGradient(theme)
                                                 : amountGradient(theme));
    for (QCPAxis* axis : m_rects[part]->axes()) axis->setBasePen(QPen(colors.axis, 1));
    m_rects[part]->setMinimumMargins(QMargins(10, 8, 6, 8));
    m_cross[part]->setPen(QPen(colors.reference, 1, Qt::DotLine));
    styleNote(m_titles[part], theme);
  }
  for (QCPColorScale* scale : {m_weights, m_differences}) {
    for (QCPAxis* axis : scale->axis()->axisRect()->axes()) apply(axis, theme);
    scale->setMinimumMargins(QMargins(2, 8, 10, 8));
  }
  m_footer->setFont(plotFont(PlotText::Footer));
  m_footer->setTextColor(plotColors(theme).mutedInk);
  styleNote(m_message, theme);
  m_message->setFont(plotFont(PlotText::Label));
}

void AttentionComparePlot::showTitles() {
  m_titles[Left]->setText(m_model.leftTitle());
  m_titles[Right]->setText(m_model.rightTitle());
  m_titles[Difference]->setText(tr("second − first"));
  replotSoon();
}

void AttentionComparePlot::redraw() {
  const auto pair = m_model.pair();
  const bool logarithmic = m_model.view().colorScale() == ColorScale::Logarithmic;
  m_weights->setDataScaleType(logarithmic ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
  m_weights->axis()->setTicker(
      QSharedPointer<QCPAxisTicker>(logarithmic ? new LogTicker : new QCPAxisTicker));
  m_weights->setDataRange({m_model.weightRange().lower, m_model.weightRange().upper});
  m_weights->axis()->setLabel(tr("attention weight"));
  for (QCPColorMap* map : m_maps) map->setVisible(pair != nullptr);
  if (pair) {
    const MapRequest& request = pair->left.request;
    fillCells(m_maps[Left]->data(), request, pair->left.values, kDarkest);
    fillCells(m_maps[Right]->data(), request, pair->right.values, kDarkest);
  }
  redrawDifference();
  m_footer->setText(m_model.footerText());
  m_message->setText(m_model.message());
  m_message->setVisible(!m_model.message().isEmpty());
  plot()->setAccessibleName(tr("Attention under two settings"));
  plot()->setAccessibleDescription(m_model.summary());
  replotSoon();
}

void AttentionComparePlot::redrawDifference() {
  const bool logarithmic = m_model.differenceScale() == ColorScale::Logarithmic;
  const double bound = m_model.differenceBound();
  const double knee = m_model.differenceKnee();
  const double end = logarithmic ? signedLog(bound, knee) : bound;
  m_differences->axis()->setTicker(logarithmic ? signedTicks(bound, knee)
                                               : QSharedPointer<QCPAxisTicker>(new QCPAxisTicker));
  m_differences->setDataRange({-end, end});
  m_differences->axis()->setLabel(tr("difference of weights"));
  const auto pair = m_model.pair();
  if (!pair) return;
  std::vector<float> drawn = pair->difference;
  if (logarithmic) {
    for (float& value : drawn) {
      value = static_cast<float>(signedLog(static_cast<double>(value), knee));
    }
  }
  fillCells(m_maps[Difference]->data(), pair->left.request, drawn, kAnything);
}

void AttentionComparePlot::showView() {
  m_settingAxes = true;
  for (const Part part : {Left, Right, Difference}) {
    x(part)->setRange(toRange(m_model.view().view().keys));
    y(part)->setRange(toRange(m_model.view().view().queries));
  }
  m_settingAxes = false;
  replotSoon();
}

void AttentionComparePlot::readView(Part part) {
  if (m_settingAxes) return;
  m_model.view().setView({toView(x(part)->range()), toView(y(part)->range())});
  showView();  // the model keeps the view on the map
}

void AttentionComparePlot::reportPixels() {
  const double ratio = std::min(kMostPixelRatio, plot()->bufferDevicePixelRatio());
  int width = m_rects[Left]->width();
  int height = m_rects[Left]->height();
  for (const QCPAxisRect* rect : m_rects) {  // never more cells than pixels in any of them
    width = std::min(width, rect->width());
    height = std::min(height, rect->height());
  }
  m_model.view().setPixels(QSize(static_cast<int>(std::floor(width * ratio)),
                                 static_cast<int>(std::floor(height * ratio))));
}

void AttentionComparePlot::resizeEvent(QResizeEvent* event) {
  PlotWidget::resizeEvent(event);
  const bool wide = width() > kWideAspect * height();
  if (wide == m_isWide) return;
  m_isWide = wide;
  arrange();
  restyle(theme());
}

bool AttentionComparePlot::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::KeyPress && handleKey(static_cast<QKeyEvent*>(event)->key())) {
    return true;
  }
  if (event->type() == QEvent::Leave) {
    for (QCPItemTracer* cross : m_cross) cross->setVisible(false);
    replotSoon();
  }
  return PlotWidget::eventFilter(watched, event);
}

bool AttentionComparePlot::handleKey(int key) {
  AttentionViewModel& view = m_model.view();
  const MapView now = view.view();
  switch (key) {
    case Qt::Key_0:
      view.resetView();
      return true;
    case Qt::Key_Plus:
    case Qt::Key_Equal:
      view.setView({scaled(now.keys, kZoomStep), scaled(now.queries, kZoomStep)});
      return true;
    case Qt::Key_Minus:
      view.setView({scaled(now.keys, 1 / kZoomStep), scaled(now.queries, 1 / kZoomStep)});
      return true;
    case Qt::Key_PageUp:
      view.stepHead(-1);
      return true;
    case Qt::Key_PageDown:
      view.stepHead(1);
      return true;
    default:
      return false;
  }
}

void AttentionComparePlot::hover(QMouseEvent* event) {
  QString text;
  bool inside = false;
  for (const Part part : {Left, Right, Difference}) {
    if (event->buttons() != Qt::NoButton || !m_rects[part]->rect().contains(event->pos())) continue;
    const double key = x(part)->pixelToCoord(event->pos().x());
    const double query = y(part)->pixelToCoord(event->pos().y());
    text = m_model.describe(key, query);
    inside = true;
    for (QCPItemTracer* cross : m_cross) cross->position->setCoords(key, query);
  }
  for (QCPItemTracer* cross : m_cross) cross->setVisible(inside && m_model.pair() != nullptr);
  replotSoon();
  if (text.isEmpty()) return QToolTip::hideText();
  QToolTip::showText(event->globalPosition().toPoint(), text, plot());
}

}  // namespace ropescope::ui
