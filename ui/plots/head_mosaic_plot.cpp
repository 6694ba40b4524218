#include "ui/plots/head_mosaic_plot.h"

#include <QKeyEvent>
#include <QLocale>
#include <algorithm>
#include <cmath>

#include "ui/plots/axis_ticks.h"

namespace ropescope::ui {
namespace {

constexpr double kMostPixelRatio = 2.0;
constexpr int kGap = 1;             // empty cells on each side of a head's picture
constexpr float kDarkest = 1e-12F;  // below every range; keeps logarithms finite
constexpr int kLabelWidth = 46;     // px of a head's picture that can bear a label
constexpr int kLabelHeight = 30;
constexpr int kTickWidth = 26;  // px between two tick labels
constexpr int kTickHeight = 16;
constexpr int kMostLabels = 400;
constexpr double kChosenWidth = 2.4;  // px
constexpr double kMarkedWidth = 1.6;

// Numbers in the middle of what they name, as many as there is room for.
QSharedPointer<QCPAxisTicker> numberTicks(int count, double pixels, int leastPixels) {
  auto ticker = QSharedPointer<QCPAxisTickerText>::create();
  const int fit = std::max(1, static_cast<int>(pixels / leastPixels));
  const int step = (count + fit - 1) / fit;
  for (int i = 0; i < count; i += std::max(1, step)) ticker->addTick(i + 0.5, QString::number(i));
  ticker->setSubTickCount(0);
  return ticker;
}

void placeRect(QCPItemRect* rect, HeadRef head, double cells) {
  const double inset = 0.5 * kGap / (cells + 2 * kGap);
  rect->topLeft->setCoords(head.head + inset, head.layer + inset);
  rect->bottomRight->setCoords(head.head + 1 - inset, head.layer + 1 - inset);
}

}  // namespace

HeadMosaicPlot::HeadMosaicPlot(HeadMosaicViewModel& model, HeadChoice& choice, QWidget* parent)
    : PlotWidget(parent),
      m_model(model),
      m_choice(choice),
      m_map(new QCPColorMap(plot()->xAxis, plot()->yAxis)),
      m_scale(new QCPColorScale(plot())),
      m_footer(new FooterText(plot())),
      m_preview(new HeadPreview(plot())) {
  plot()->xAxis->setLabel(tr("head"));
  plot()->yAxis->setLabel(tr("layer"));
  plot()->yAxis->setRangeReversed(true);
  for (QCPAxis* axis : {plot()->xAxis, plot()->yAxis}) axis->grid()->setVisible(false);
  m_map->setInterpolate(false);  // it would wash out single tokens
  m_map->setTightBoundary(false);
  buildScale();
  buildItems();
  plot()->plotLayout()->addElement(1, 0, m_footer);
  plot()->plotLayout()->setRowStretchFactor(1, 0.001);
  connectPlot();
  followPalette();
  reshape();
}

void HeadMosaicPlot::buildScale() {
  m_scale->setType(QCPAxis::atRight);
  m_scale->setBarWidth(12);
  m_scale->setRangeDrag(false);
  m_scale->setRangeZoom(false);
  auto* row = new QCPLayoutGrid;  // of their own, so that the footer has the whole width
  plot()->plotLayout()->addElement(1, 0, row);
  row->addElement(0, 0, plot()->axisRect());  // takes it out of the plot's layout
  row->addElement(0, 1, m_scale);
  plot()->plotLayout()->simplify();
  auto* margins = new QCPMarginGroup(plot());
  plot()->axisRect()->setMarginGroup(QCP::msTop | QCP::msBottom, margins);
  m_scale->setMarginGroup(QCP::msTop | QCP::msBottom, margins);
  m_map->setColorScale(m_scale);
}

void HeadMosaicPlot::buildItems() {
  m_chosen = new QCPItemRect(plot());
  m_message = new QCPItemText(plot());
  m_message->position->setType(QCPItemPosition::ptAxisRectRatio);
  m_message->position->setCoords(0.5, 0.5);
  m_message->setPositionAlignment(Qt::AlignCenter);
}

void HeadMosaicPlot::connectPlot() {
  plot()->setMouseTracking(true);
  plot()->installEventFilter(this);
  connect(plot(), &QCustomPlot::afterLayout, this, &HeadMosaicPlot::reportPixels);
  connect(plot(), &QCustomPlot::mouseMove, this,
          [this](QMouseEvent* event) { hover(event->pos()); });
  connect(plot(), &QCustomPlot::mousePress, this, [this](QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return;
    if (const auto head = headAt(event->pos())) m_choice.setHead(*head);
  });
  connect(&m_model, &HeadMosaicViewModel::settingsChanged, this, &HeadMosaicPlot::reshape);
  connect(&m_model, &HeadMosaicViewModel::pictureChanged, this, &HeadMosaicPlot::redraw);
  connect(&m_choice, &HeadChoice::headChanged, this, &HeadMosaicPlot::markHeads);
  connect(&m_choice, &HeadChoice::rankingChanged, this, &HeadMosaicPlot::markHeads);
}

void HeadMosaicPlot::setMarked(int best) {
  m_marked = best;
  markHeads();
}

void HeadMosaicPlot::restyle(PlotTheme theme) {
  const PlotColors colors = plotColors(theme);
  m_map->setGradient(amountGradient(theme));
  m_scale->setGradient(amountGradient(theme));
  for (QCPAxis* axis : m_scale->axis()->axisRect()->axes()) apply(axis, theme);
  m_scale->setMinimumMargins(QMargins(4, 8, 14, 10));
  for (QCPAxis* axis : {plot()->xAxis, plot()->yAxis}) {
    axis->setBasePen(Qt::NoPen);
    axis->setTickPen(Qt::NoPen);
    axis->setSubTickPen(Qt::NoPen);
  }
  styleNote(m_message, theme);
  m_message->setFont(plotFont(PlotText::Label));
  m_footer->setFont(plotFont(PlotText::Footer));
  m_footer->setTextColor(colors.mutedInk);
  m_chosen->setPen(QPen(colors.ink, kChosenWidth));
  for (QCPItemText* label : m_labels) styleNote(label, theme);
  for (QCPItemText* label : m_missing) styleNote(label, theme);
  markHeads();
}

void HeadMosaicPlot::reshape() {
  for (auto* items : {&m_labels, &m_missing}) {
    for (QCPItemText* label : *items) plot()->removeItem(label);
    items->clear();
  }
  const auto addText = [this](std::vector<QCPItemText*>& into) {
    into.push_back(new QCPItemText(plot()));
    styleNote(into.back(), theme());
    return into.back();
  };
  const int count = m_model.layers() * m_model.heads();
  for (int i = 0; i < count && count <= kMostLabels; ++i) {
    QCPItemText* label = addText(m_labels);
    label->setPositionAlignment(Qt::AlignRight | Qt::AlignTop);
    label->setTextAlignment(Qt::AlignRight);
    label->setPadding(QMargins(2, 0, 2, 0));
  }
  for (int layer = 0; layer < m_model.layers(); ++layer) {
    QCPItemText* label = addText(m_missing);
    label->setPositionAlignment(Qt::AlignCenter);
    label->position->setCoords(m_model.heads() / 2.0, layer + 0.5);
    label->setText(tr("layer %1 was not kept").arg(layer));
  }
  plot()->xAxis->setRange(0, std::max(1, m_model.heads()));
  plot()->yAxis->setRange(0, std::max(1, m_model.layers()));
  arrangeLabels();
  markHeads();
  redraw();
}

void HeadMosaicPlot::redraw() {
  const bool logarithmic = m_model.colorScale() == ColorScale::Logarithmic;
  m_scale->setDataScaleType(logarithmic ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
  m_scale->axis()->setTicker(
      QSharedPointer<QCPAxisTicker>(logarithmic ? new LogTicker : new QCPAxisTicker));
  m_scale->setDataRange({m_model.valueRange().lower, m_model.valueRange().upper});
  m_scale->axis()->setLabel(tr("attention weight"));
  m_message->setText(m_model.message());
  m_message->setVisible(!m_model.message().isEmpty());
  const bool drawn = m_model.message().isEmpty() && m_model.grid().cells > 0;
  for (int layer = 0; layer < m_model.layers(); ++layer) {
    m_missing[static_cast<std::size_t>(layer)]->setVisible(drawn && !m_model.isCaptured(layer));
  }
  m_map->setVisible(drawn);
  if (drawn) {
    const int side = m_model.grid().cells + 2 * kGap;
    const int columns = m_model.heads() * side;
    const int rows = m_model.layers() * side;
    const double half = 0.5 / side;  // QCustomPlot takes the middles of the first and last cell
    m_map->data()->setSize(columns, rows);
    m_map->data()->setRange({half, m_model.heads() - half}, {half, m_model.layers() - half});
    m_map->data()->fill(static_cast<double>(kDarkest));
    m_map->data()->fillAlpha(0);  // gaps and what is not drawn yet show the paper
    for (int layer = 0; layer < m_model.layers(); ++layer) {
      for (int head = 0; head < m_model.heads(); ++head) fill({layer, head});
    }
  }
  plot()->setAccessibleName(tr("Mosaic of heads"));
  plot()->setAccessibleDescription(m_model.summary());
  markHeads();  // the grid may be another one
}

void HeadMosaicPlot::fill(HeadRef head) {
  const MosaicGrid& grid = m_model.grid();
  const auto picture = m_model.picture(head);
  const int side = grid.cells + 2 * kGap;
  const auto drawnRows = static_cast<int>(
      (m_model.drawnTokens(head.layer) + grid.tokensPerCell - 1) / grid.tokensPerCell);
  QCPColorMapData* cells = m_map->data();
  for (int row = 0; row < drawnRows; ++row) {
    const float* values = picture.data() + row * grid.cells;
    for (int column = 0; column < grid.cells; ++column) {
      const int x = head.head * side + kGap + column;
      const int y = head.layer * side + kGap + row;
      const float value = values[column];
      cells->setCell(x, y, static_cast<double>(value < kDarkest ? kDarkest : value));  // NaN stays
      cells->setAlpha(x, y, 255);
    }
  }
}

std::optional<int> HeadMosaicPlot::rankOf(HeadRef head) const {
  const auto& ranking = m_choice.ranking();
  if (!ranking) return {};
  const int count = std::min(m_marked, static_cast<int>(ranking->heads.size()));
  for (int rank = 0; rank < count; ++rank) {
    if (ranking->heads[static_cast<std::size_t>(rank)].head == head) return rank;
  }
  return {};
}

QString HeadMosaicPlot::labelOf(HeadRef head, bool room) const {
  const QString name = tr("%1.%2", "layer.head").arg(head.layer).arg(head.head);
  const auto rank = rankOf(head);
  if (!rank) return name;
  return room ? tr("#%1  %2").arg(*rank + 1).arg(name) : tr("#%1").arg(*rank + 1);
}

void HeadMosaicPlot::markHeads() {
  for (QCPItemRect* frame : m_frames) plot()->removeItem(frame);
  m_frames.clear();
  const auto& ranking = m_choice.ranking();
  const int count = ranking ? std::min(m_marked, static_cast<int>(ranking->heads.size())) : 0;
  QPen pen = curvePen(theme(), 1);
  pen.setWidthF(kMarkedWidth);
  pen.setStyle(Qt::SolidLine);
  for (int rank = 0; rank < count; ++rank) {
    m_frames.push_back(new QCPItemRect(plot()));
    m_frames.back()->setPen(pen);
    placeRect(m_frames.back(), ranking->heads[static_cast<std::size_t>(rank)].head,
              m_model.grid().cells);
  }
  QStringList notes{m_model.lengthText(), m_model.gapsText()};
  if (count > 0) notes << tr("framed: the best of the copy test (%1)").arg(ranking->conditions);
  notes.removeAll(QString());
  m_footer->setText(notes.join(u'\n'));
  m_chosen->setVisible(m_model.heads() > 0);
  placeRect(m_chosen, m_choice.head(), m_model.grid().cells);
  arrangeLabels();
  replotSoon();
}

void HeadMosaicPlot::arrangeLabels() {
  if (m_model.heads() == 0 || m_model.layers() == 0) return;
  const QRect rect = plot()->axisRect()->rect();
  const double width = static_cast<double>(rect.width()) / m_model.heads();
  const double height = static_cast<double>(rect.height()) / m_model.layers();
  plot()->xAxis->setTicker(numberTicks(m_model.heads(), rect.width(), kTickWidth));
  plot()->yAxis->setTicker(numberTicks(m_model.layers(), rect.height(), kTickHeight));
  const bool room = width >= kLabelWidth && height >= kLabelHeight;
  const double inset = static_cast<double>(kGap) / (m_model.grid().cells + 2 * kGap);
  for (std::size_t i = 0; i < m_labels.size(); ++i) {
    const int index = static_cast<int>(i);
    const HeadRef head{index / m_model.heads(), index % m_model.heads()};
    const bool small = !rankOf(head).has_value() && !room;
    m_labels[i]->setVisible(!small && m_model.isCaptured(head.layer) && m_map->visible());
    m_labels[i]->setText(labelOf(head, room));
    m_labels[i]->position->setCoords(head.head + 1 - inset, head.layer + inset);
  }
}

void HeadMosaicPlot::reportPixels() {
  const double ratio = std::min(kMostPixelRatio, plot()->bufferDevicePixelRatio());
  const QRect rect = plot()->axisRect()->rect();
  m_model.setPixels(QSize(static_cast<int>(std::floor(rect.width() * ratio)),
                          static_cast<int>(std::floor(rect.height() * ratio))));
}

std::optional<HeadRef> HeadMosaicPlot::headAt(const QPointF& point) const {
  if (!plot()->axisRect()->rect().contains(point.toPoint())) return {};
  const HeadRef head{static_cast<int>(std::floor(plot()->yAxis->pixelToCoord(point.y()))),
                     static_cast<int>(std::floor(plot()->xAxis->pixelToCoord(point.x())))};
  const bool inside = head.layer >= 0 && head.layer < m_model.layers() && head.head >= 0 &&
                      head.head < m_model.heads();
  return inside ? std::optional(head) : std::nullopt;
}

QRectF HeadMosaicPlot::pixelsOf(HeadRef head) const {
  return {QPointF(plot()->xAxis->coordToPixel(head.head), plot()->yAxis->coordToPixel(head.layer)),
          QPointF(plot()->xAxis->coordToPixel(head.head + 1),
                  plot()->yAxis->coordToPixel(head.layer + 1))};
}

QImage HeadMosaicPlot::imageOf(HeadRef head) const {
  const int cells = m_model.grid().cells;
  QImage image(cells, cells, QImage::Format_RGB32);
  image.fill(plotColors(theme()).paper);
  const auto picture = m_model.picture(head);
  QCPColorGradient gradient = m_map->gradient();
  const bool logarithmic = m_model.colorScale() == ColorScale::Logarithmic;
  std::vector<double> row(static_cast<std::size_t>(cells));
  const std::int64_t drawn = m_model.drawnTokens(head.layer);
  for (int y = 0; y < cells && y * m_model.grid().tokensPerCell < drawn; ++y) {
    for (std::size_t x = 0; x < row.size(); ++x) {
      const float value = picture[static_cast<std::size_t>(y * cells) + x];
      row[x] = static_cast<double>(value < kDarkest ? kDarkest : value);
    }
    gradient.colorize(row.data(), m_scale->dataRange(), reinterpret_cast<QRgb*>(image.scanLine(y)),
                      cells, 1, logarithmic);
  }
  return image;
}

void HeadMosaicPlot::hover(const QPoint& point) {
  const auto head = headAt(point);
  if (!head || !m_map->visible() || !m_model.isCaptured(head->layer)) {
    m_preview->hide();
    return;
  }
  QString text = m_model.describe(*head);
  if (const auto& ranking = m_choice.ranking()) {
    const auto found = std::find_if(ranking->heads.begin(), ranking->heads.end(),
                                    [&](const HeadScore& score) { return score.head == *head; });
    if (found != ranking->heads.end()) {
      text += tr("\ncopy score %1 ± %2, rank %3")
                  .arg(QLocale().toString(found->score, 'f', 3),
                       QLocale().toString(found->standardError, 'f', 3))
                  .arg(found - ranking->heads.begin() + 1);
    }
  }
  m_preview->showAt(point, imageOf(*head), text, theme());
}

bool HeadMosaicPlot::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::Leave) m_preview->hide();
  if (event->type() == QEvent::KeyPress && handleKey(static_cast<QKeyEvent*>(event)->key())) {
    return true;
  }
  return PlotWidget::eventFilter(watched, event);
}

bool HeadMosaicPlot::handleKey(int key) {
  HeadRef head = m_choice.head();
  switch (key) {
    case Qt::Key_Left:
      --head.head;
      break;
    case Qt::Key_Right:
      ++head.head;
      break;
    case Qt::Key_Up:
      --head.layer;
      break;
    case Qt::Key_Down:
      ++head.layer;
      break;
    default:
      return false;
  }
  m_choice.setHead(head);  // refuses what is outside of the model
  return true;
}

}  // namespace ropescope::ui
