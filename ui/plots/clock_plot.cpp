#include "ui/plots/clock_plot.h"

#include <QToolTip>
#include <algorithm>
#include <cmath>
#include <numbers>

namespace ropescope::ui {
namespace {

constexpr double kLegendHeight = 26;  // px above the clocks
constexpr double kMargin = 8;
constexpr double kFace = 0.42;             // radius, of a cell's side
constexpr double kHand = 0.92;             // of the radius
constexpr double kLeastNumberedCell = 30;  // px; in smaller clocks a number hides the hand

// Angle 0 points up, positive angles run clockwise. Qt counts from three o'clock, the other way
// round, in sixteenths of a degree.
int qtAngle(double angle) {
  return static_cast<int>(std::lround((90.0 - angle * 180.0 / std::numbers::pi) * 16.0));
}
int qtSpan(double sweep) {
  return static_cast<int>(std::lround(-sweep * 180.0 / std::numbers::pi * 16.0));
}

QPointF onRim(const QPointF& centre, double radius, double angle) {
  return centre + QPointF(std::sin(angle), -std::cos(angle)) * radius;
}

}  // namespace

ClockGrid ClockGrid::fit(const QRectF& area, int clocks) {
  ClockGrid best;
  for (int columns = 1; columns <= clocks; ++columns) {
    const int rows = (clocks + columns - 1) / columns;
    const double cell = std::min(area.width() / columns, area.height() / rows);
    if (cell <= best.cell) continue;
    best = {.columns = columns, .rows = rows, .cell = cell, .origin = {}};
  }
  best.origin = area.topLeft() + QPointF((area.width() - best.columns * best.cell) / 2,
                                         (area.height() - best.rows * best.cell) / 2);
  return best;
}

QRectF ClockGrid::cellOf(int clock) const {
  return {origin.x() + clock % columns * cell, origin.y() + clock / columns * cell, cell, cell};
}

int ClockGrid::clockAt(const QPointF& point, int clocks) const {
  if (cell <= 0.0) return -1;
  const int column = static_cast<int>(std::floor((point.x() - origin.x()) / cell));
  const int row = static_cast<int>(std::floor((point.y() - origin.y()) / cell));
  if (column < 0 || column >= columns || row < 0 || row >= rows) return -1;
  const int clock = row * columns + column;
  return clock < clocks ? clock : -1;
}

// All faces, or all hands: two items, so that moving hands leave the faces alone.
class ClockItem : public QCPAbstractItem {
 public:
  enum class Part { Faces, Hands };

  ClockItem(ClockPlot& wall, const AngleViewModel& model, Part part)
      : QCPAbstractItem(wall.plot()),
        m_wall(wall),
        m_model(model),
        m_part(part) {
    setSelectable(false);
    setClipToAxisRect(false);
  }

  double selectTest(const QPointF&, bool, QVariant*) const override { return -1; }
  bool plainShown = true;

 protected:
  void draw(QCPPainter* painter) override {
    painter->setAntialiasing(true);
    if (m_part == Part::Faces) drawLegend(painter);
    const ClockGrid grid = m_wall.grid();
    const int clocks = static_cast<int>(m_model.hands().size());
    for (int clock = 0; clock < clocks; ++clock) {
      if (m_part == Part::Faces) {
        drawFace(painter, grid, clock);
      } else {
        drawHand(painter, grid, clock);
      }
    }
  }

 private:
  PlotColors colors() const { return plotColors(m_wall.theme()); }
  QPen handPen(double width) const {
    QPen pen = curvePen(m_wall.theme(), 0);
    pen.setStyle(Qt::SolidLine);
    pen.setWidthF(width);
    pen.setCapStyle(Qt::RoundCap);
    return pen;
  }

  static QRectF faceOf(const ClockGrid& grid, int clock) {
    const double radius = kFace * grid.cell;
    const QPointF centre = grid.cellOf(clock).center();
    return {centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius};
  }

  void drawFace(QCPPainter* painter, const ClockGrid& grid, int clock) {
    const QRectF face = faceOf(grid, clock);
    const ClockHand& hand = m_model.hands()[static_cast<std::size_t>(clock)];
    painter->setPen(Qt::NoPen);
    painter->setBrush(colors().seen);
    if (hand.trainedSweep >= 2 * std::numbers::pi) {
      painter->drawEllipse(face);
    } else {
      painter->drawPie(face, qtAngle(0), qtSpan(hand.trainedSweep));
    }
    painter->setPen(QPen(colors().axis, 1));
    painter->setBrush(Qt::NoBrush);
    painter->drawEllipse(face);
    if (grid.cell < kLeastNumberedCell) return;
    QFont font = plotFont(PlotText::Footer);
    font.setPixelSize(std::clamp(static_cast<int>(grid.cell * 0.22), 8, 12));
    painter->setFont(font);
    painter->setPen(colors().mutedInk);
    painter->drawText(grid.cellOf(clock).adjusted(1, 0, 0, 0), Qt::AlignLeft | Qt::AlignTop,
                      QString::number(clock));
  }

  void drawHand(QCPPainter* painter, const ClockGrid& grid, int clock) {
    const auto index = static_cast<std::size_t>(clock);
    const QRectF face = faceOf(grid, clock);
    const double length = kHand * face.width() / 2;
    const ClockHand& hand = m_model.hands()[index];
    if (hand.unseen) {
      painter->setPen(Qt::NoPen);
      painter->setBrush(colors().unseenFill);
      painter->drawPie(face, qtAngle(hand.trainedSweep), qtSpan(hand.unseenSweep));
    }
    if (plainShown) {
      const ClockHand& plain = m_model.plainHands()[index];
      QPen dashed = referencePen(m_wall.theme());
      if (plain.unseen) dashed.setColor(colors().unseen);
      painter->setPen(dashed);
      painter->drawLine(QLineF(face.center(), onRim(face.center(), length, plain.direction)));
    }
    QPen pen = handPen(grid.cell < 60 ? 1.6 : 2.2);
    if (hand.unseen) pen.setColor(colors().unseen);
    // Between two frames such a hand turns by more than half a turn: what is seen of it is chance.
    const double perFrame =
        m_model.current().rows[index].invFreq * static_cast<double>(m_model.stepTokens());
    if (m_model.isPlaying() && perFrame > std::numbers::pi) pen.setColor(colors().axis);
    painter->setPen(pen);
    painter->drawLine(QLineF(face.center(), onRim(face.center(), length, hand.direction)));
  }

  void drawLegend(QCPPainter* painter) {
    const QFont font = plotFont(PlotText::Label);
    painter->setFont(font);
    const QFontMetricsF metrics(font);
    double x = kMargin;
    const double y = kLegendHeight / 2 + 2;
    const auto entry = [&](const QString& text, auto drawKey) {
      if (x + 18 + metrics.horizontalAdvance(text) > m_wall.width()) return;
      drawKey(QRectF(x, y - 5, 12, 10));
      painter->setPen(colors().ink);
      painter->drawText(QRectF(x + 17, 0, 400, 2 * y), Qt::AlignLeft | Qt::AlignVCenter, text);
      x += 17 + metrics.horizontalAdvance(text) + 14;
    };
    const auto fill = [painter](const QColor& color) {
      return [painter, color](const QRectF& key) {
        painter->setPen(Qt::NoPen);
        painter->setBrush(color);
        painter->drawRect(key);
      };
    };
    const auto line = [painter](const QPen& pen) {
      return [painter, pen](const QRectF& key) {
        painter->setPen(pen);
        painter->drawLine(QLineF(key.left(), key.center().y(), key.right(), key.center().y()));
      };
    };
    entry(ClockPlot::tr("seen in training"), fill(colors().seen));
    entry(ClockPlot::tr("never seen"), fill(colors().unseenFill));
    entry(m_model.current().title, line(handPen(2.2)));
    if (plainShown) entry(m_model.plain().title, line(referencePen(m_wall.theme())));
  }

  ClockPlot& m_wall;
  const AngleViewModel& m_model;
  Part m_part;
};

ClockPlot::ClockPlot(const AngleViewModel& model, QWidget* parent)
    : PlotWidget(parent),
      m_model(model) {
  plot()->plotLayout()->clear();
  plot()->addLayer(QStringLiteral("faces"), plot()->layer(QStringLiteral("main")));
  plot()->addLayer(QStringLiteral("hands"), plot()->layer(QStringLiteral("faces")));
  m_faces = new ClockItem(*this, m_model, ClockItem::Part::Faces);
  m_faces->setLayer(QStringLiteral("faces"));
  m_hands = new ClockItem(*this, m_model, ClockItem::Part::Hands);
  m_hands->setLayer(QStringLiteral("hands"));
  plot()->layer(QStringLiteral("hands"))->setMode(QCPLayer::lmBuffered);
  plot()->setAccessibleName(tr("Clock wall: one hand per rotary pair"));
  connect(plot(), &QCustomPlot::mouseMove, this, &ClockPlot::hover);
  connect(&m_model, &AngleViewModel::curvesChanged, this, &ClockPlot::redraw);
  connect(&m_model, &AngleViewModel::playingChanged, this, &ClockPlot::redrawHands);
  connect(&m_model, &AngleViewModel::positionChanged, this, &ClockPlot::redrawHands);
  followPalette();
}

ClockGrid ClockPlot::grid() const {
  const QRectF area(kMargin, kLegendHeight, plot()->width() - 2 * kMargin,
                    plot()->height() - kLegendHeight - kMargin);
  return ClockGrid::fit(area, static_cast<int>(m_model.hands().size()));
}

void ClockPlot::setPlainShown(bool shown) {
  m_faces->plainShown = shown;
  m_hands->plainShown = shown;
  redraw();
}

void ClockPlot::restyle(PlotTheme) {}  // items read the theme when they draw

void ClockPlot::showEvent(QShowEvent* event) {
  PlotWidget::showEvent(event);
  if (std::exchange(m_stale, false)) replotSoon();
}

void ClockPlot::redraw() {
  plot()->setAccessibleDescription(m_model.clockText());
  m_stale = !isVisible();
  if (!m_stale) replotSoon();
}

void ClockPlot::redrawHands() {
  plot()->setAccessibleDescription(m_model.clockText());
  m_stale = m_stale || !isVisible();
  if (!m_stale) plot()->layer(QStringLiteral("hands"))->replot();
}

void ClockPlot::hover(QMouseEvent* event) {
  const int clock = grid().clockAt(event->position(), static_cast<int>(m_model.hands().size()));
  const QString text = m_model.describeClock(clock);
  if (text.isEmpty()) return QToolTip::hideText();
  QToolTip::showText(event->globalPosition().toPoint(), text, plot());
}

}  // namespace ropescope::ui
