#include "ui/plots/needle_plot.h"

#include <QToolTip>
#include <algorithm>
#include <cmath>
#include <limits>

#include "ui/plots/axis_ticks.h"

namespace ropescope::ui {
namespace {

constexpr double kStretchNone = 0.001;  // rows that take only what they need

// Cell i of an axis is i - 0.5 … i + 0.5.
QSharedPointer<QCPAxisTicker> ticksOf(const QStringList& labels) {
  QSharedPointer<QCPAxisTickerText> ticker(new QCPAxisTickerText);
  for (qsizetype i = 0; i < labels.size(); ++i) ticker->addTick(static_cast<double>(i), labels[i]);
  return ticker;
}

}  // namespace

NeedlePlot::NeedlePlot(const NeedleViewModel& model, QWidget* parent)
    : PlotWidget(parent),
      m_model(model) {
  plot()->plotLayout()->clear();
  plot()->plotLayout()->setRowSpacing(2);
  m_footer = new FooterText(plot());
  plot()->plotLayout()->addElement(0, 0, m_footer);
  connect(plot(), &QCustomPlot::mouseMove, this, &NeedlePlot::hover);
  connect(plot(), &QCustomPlot::mousePress, this, &NeedlePlot::click);
  connect(&m_model, &NeedleViewModel::gridsChanged, this, &NeedlePlot::rebuild);
  connect(&m_model, &NeedleViewModel::cellsChanged, this, &NeedlePlot::fillCells);
  plot()->setAccessibleName(tr("Needle grids: found by prompt length and depth"));
  followPalette();
  rebuild();
}

void NeedlePlot::showOnly(int grid) {
  if (grid == m_only) return;
  m_only = grid;
  rebuild();
}

void NeedlePlot::clearGrids() {
  m_frame = nullptr;
  plot()->clearItems();
  plot()->clearPlottables();
  plot()->plotLayout()->take(m_footer);  // stays
  plot()->plotLayout()->clear();
  plot()->plotLayout()->simplify();
  m_grids.clear();
}

void NeedlePlot::rebuild() {
  clearGrids();
  const auto count = static_cast<int>(m_model.grids().size());
  if (m_only >= count) m_only = -1;
  for (int index = 0; index < count; ++index) {
    if (m_only < 0 || m_only == index) m_grids.push_back(makeGrid(index));
  }
  const int last = plot()->plotLayout()->rowCount();
  plot()->plotLayout()->addElement(last, 0, m_footer);
  plot()->plotLayout()->setRowStretchFactor(last, kStretchNone);
  followPalette();
  fillCells();
}

NeedlePlot::Grid NeedlePlot::makeGrid(int index) {
  auto* layout = plot()->plotLayout();
  Grid grid{.index = index};
  grid.title = new FooterText(plot());  // wraps: its end is what it says
  grid.title->setMargins(QMargins(14, 4, 6, 0));
  const int row = layout->rowCount();
  layout->addElement(row, 0, grid.title);
  layout->setRowStretchFactor(row, kStretchNone);
  grid.rect = new QCPAxisRect(plot());
  layout->addElement(row + 1, 0, grid.rect);
  for (QCPAxis* axis : grid.rect->axes()) axis->grid()->setVisible(false);
  buildCells(grid);
  return grid;
}

void NeedlePlot::buildCells(Grid& grid) {
  const NeedleGridModel& model = *m_model.grids()[static_cast<std::size_t>(grid.index)];
  QCPAxis* x = grid.rect->axis(QCPAxis::atBottom);
  QCPAxis* y = grid.rect->axis(QCPAxis::atLeft);
  const int columns = std::max(1, model.columnCount());
  const int rows = std::max(1, model.rowCount());
  QStringList lengths;
  QStringList depths;
  for (const std::int64_t length : model.lengths()) {
    lengths << Log2Ticker::label(static_cast<double>(length));
  }
  for (const double depth : model.depths()) depths << depthText(depth);
  x->setTicker(ticksOf(lengths));
  y->setTicker(ticksOf(depths));
  x->setSubTicks(false);
  y->setSubTicks(false);
  x->setRange(-0.5, columns - 0.5);
  y->setRange(-0.5, rows - 0.5);
  y->setRangeReversed(true);  // the start of the text above
  y->setLabel(tr("depth"));
  const bool lowest = grid.index + 1 == static_cast<int>(m_model.grids().size()) || m_only >= 0;
  if (lowest) x->setLabel(tr("prompt length [tokens]"));
  grid.map = new QCPColorMap(x, y);
  grid.map->setInterpolate(false);
  grid.map->setTightBoundary(false);
  grid.map->data()->setSize(columns, rows);
  grid.map->data()->setRange(QCPRange(0, columns - 1), QCPRange(0, rows - 1));
  grid.map->setDataRange(QCPRange(0, 1));
  for (int row = 0; row < model.rowCount(); ++row) {
    for (int column = 0; column < model.columnCount(); ++column) {
      auto* text = new QCPItemText(plot());
      text->position->setAxes(x, y);
      text->position->setAxisRect(grid.rect);
      text->position->setCoords(column, row);
      text->setClipAxisRect(grid.rect);
      text->setSelectable(false);
      grid.texts.push_back(text);
    }
  }
}

void NeedlePlot::fillCells() {
  for (Grid& grid : m_grids) {
    const auto index = static_cast<std::size_t>(grid.index);
    if (index >= m_model.grids().size()) return;  // a rebuild follows
    const NeedleGridModel& model = *m_model.grids()[index];
    grid.title->setText(m_model.headline(index));
    for (int row = 0; row < model.rowCount(); ++row) {
      for (int column = 0; column < model.columnCount(); ++column) {
        const QVariant share = model.data(model.index(row, column), NeedleGridModel::ShareRole);
        grid.map->data()->setCell(
            column, row,
            share.isValid() ? share.toDouble() : std::numeric_limits<double>::quiet_NaN());
        auto* text = grid.texts[static_cast<std::size_t>(row * model.columnCount() + column)];
        text->setText(model.data(model.index(row, column), Qt::DisplayRole).toString());
      }
    }
    styleGrid(grid);
  }
  m_footer->setText(m_model.planText());
  QStringList headlines;
  for (std::size_t i = 0; i < m_model.grids().size(); ++i) headlines << m_model.headline(i);
  plot()->setAccessibleDescription(headlines.join(u'\n') + u'\n' + m_model.planText());
  replotSoon();
}

// Text on a strong colour takes the paper's: the gradient runs from near the paper to far from it.
void NeedlePlot::styleGrid(Grid& grid) {
  const PlotColors colors = plotColors(theme());
  constexpr double kStrong = 0.45;
  apply(grid.rect, theme());
  grid.title->setTextColor(colors.ink);
  grid.title->setFont(plotFont(PlotText::Title));
  grid.map->setGradient(amountGradient(theme()));
  grid.map->setDataRange(QCPRange(0, 1));
  const NeedleGridModel& model = *m_model.grids()[static_cast<std::size_t>(grid.index)];
  for (std::size_t i = 0; i < grid.texts.size(); ++i) {
    const auto columns = static_cast<std::size_t>(std::max(1, model.columnCount()));
    const QModelIndex at =
        model.index(static_cast<int>(i / columns), static_cast<int>(i % columns));
    const QVariant share = model.data(at, NeedleGridModel::ShareRole);
    const bool strong = share.isValid() && share.toDouble() > kStrong;
    grid.texts[i]->setFont(plotFont(PlotText::Tick));
    grid.texts[i]->setColor(strong ? colors.paper : share.isValid() ? colors.ink : colors.mutedInk);
  }
}

void NeedlePlot::restyle(PlotTheme theme) {
  m_footer->setFont(plotFont(PlotText::Footer));
  m_footer->setTextColor(plotColors(theme).mutedInk);
  for (Grid& grid : m_grids) {
    if (static_cast<std::size_t>(grid.index) < m_model.grids().size()) styleGrid(grid);
  }
  if (m_frame != nullptr) m_frame->setPen(QPen(plotColors(theme).ink, 2));
}

void NeedlePlot::resizeEvent(QResizeEvent* event) {
  PlotWidget::resizeEvent(event);
}

const NeedlePlot::Grid* NeedlePlot::gridOf(int index) const {
  const auto found = std::find_if(m_grids.begin(), m_grids.end(),
                                  [index](const Grid& grid) { return grid.index == index; });
  return found == m_grids.end() ? nullptr : &*found;
}

std::optional<NeedlePlot::Place> NeedlePlot::placeAt(const QPointF& pixel) const {
  for (const Grid& grid : m_grids) {
    if (!grid.rect->rect().contains(pixel.toPoint())) continue;
    const NeedleGridModel& model = *m_model.grids()[static_cast<std::size_t>(grid.index)];
    const Place place{.grid = grid.index,
                      .row = static_cast<int>(
                          std::lround(grid.rect->axis(QCPAxis::atLeft)->pixelToCoord(pixel.y()))),
                      .column = static_cast<int>(std::lround(
                          grid.rect->axis(QCPAxis::atBottom)->pixelToCoord(pixel.x())))};
    const bool inside = place.row >= 0 && place.row < model.rowCount() && place.column >= 0 &&
                        place.column < model.columnCount();
    return inside ? std::optional(place) : std::nullopt;
  }
  return std::nullopt;
}

QPointF NeedlePlot::centreOf(const Place& place) const {
  const Grid* grid = gridOf(place.grid);
  if (grid == nullptr) return {};
  return {grid->rect->axis(QCPAxis::atBottom)->coordToPixel(place.column),
          grid->rect->axis(QCPAxis::atLeft)->coordToPixel(place.row)};
}

QString NeedlePlot::cellText(const Place& place) const {
  const Grid* grid = gridOf(place.grid);
  if (grid == nullptr) return {};
  const NeedleGridModel& model = *m_model.grids()[static_cast<std::size_t>(place.grid)];
  return grid->texts[static_cast<std::size_t>(place.row * model.columnCount() + place.column)]
      ->text();
}

void NeedlePlot::hover(QMouseEvent* event) {
  const auto place = placeAt(event->position());
  if (!place) return QToolTip::hideText();
  const NeedleGridModel& model = *m_model.grids()[static_cast<std::size_t>(place->grid)];
  QToolTip::showText(event->globalPosition().toPoint(),
                     model.data(model.index(place->row, place->column), Qt::ToolTipRole).toString(),
                     plot());
}

void NeedlePlot::click(QMouseEvent* event) {
  const auto place = placeAt(event->position());
  if (!place || event->button() != Qt::LeftButton) return;
  moveFrame(*place);
  Q_EMIT cellChosen(place->grid, place->row, place->column);
}

void NeedlePlot::moveFrame(const Place& to) {
  const Grid* grid = gridOf(to.grid);
  if (grid == nullptr) return;
  const NeedleGridModel& model = *m_model.grids()[static_cast<std::size_t>(to.grid)];
  if (model.rowCount() == 0 || model.columnCount() == 0) return;
  m_place = {.grid = to.grid,
             .row = std::clamp(to.row, 0, model.rowCount() - 1),
             .column = std::clamp(to.column, 0, model.columnCount() - 1)};
  if (m_frame == nullptr) {
    m_frame = new QCPItemRect(plot());
    m_frame->setSelectable(false);
    m_frame->setPen(QPen(plotColors(theme()).ink, 2));
  }
  for (QCPItemPosition* corner : {m_frame->topLeft, m_frame->bottomRight}) {
    corner->setAxes(grid->rect->axis(QCPAxis::atBottom), grid->rect->axis(QCPAxis::atLeft));
    corner->setAxisRect(grid->rect);
  }
  m_frame->setClipAxisRect(grid->rect);
  m_frame->topLeft->setCoords(m_place.column - 0.5, m_place.row - 0.5);
  m_frame->bottomRight->setCoords(m_place.column + 0.5, m_place.row + 0.5);
  replotSoon();
}

void NeedlePlot::keyPressEvent(QKeyEvent* event) {
  Place to = m_place;
  if (gridOf(to.grid) == nullptr && !m_grids.empty()) to.grid = m_grids.front().index;
  switch (event->key()) {
    case Qt::Key_Left:
      --to.column;
      break;
    case Qt::Key_Right:
      ++to.column;
      break;
    case Qt::Key_Up:
      --to.row;
      break;
    case Qt::Key_Down:
      ++to.row;
      break;
    case Qt::Key_Return:
    case Qt::Key_Enter:
      if (m_frame != nullptr) Q_EMIT cellChosen(m_place.grid, m_place.row, m_place.column);
      return;
    default:
      return PlotWidget::keyPressEvent(event);
  }
  moveFrame(to);
}

}  // namespace ropescope::ui
