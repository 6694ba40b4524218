#include "ui/panels/heat_strip.h"

#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>

#include "ui/plots/plot_style.h"

namespace ropescope::ui {

HeatStrip::HeatStrip(const TextShading& shading, QWidget* parent)
    : QWidget(parent),
      m_shading(shading) {
  setObjectName(QStringLiteral("heatStrip"));
  setFixedWidth(kWidth);
  setCursor(Qt::PointingHandCursor);
  setAccessibleName(tr("Colours of the whole document"));
  setToolTip(
      tr("The whole document from top to bottom; each line shows its strongest token. Click "
         "to go there."));
  connect(&m_shading, &TextShading::changed, this, &HeatStrip::refresh);
  connect(&m_shading, &TextShading::markChanged, this, qOverload<>(&QWidget::update));
  refresh();
}

void HeatStrip::setCharacters(int characters) {
  m_characters = characters;
  refresh();
}

void HeatStrip::setVisiblePart(const CharacterRange& part) {
  if (part == m_visible) return;
  m_visible = part;
  update();
}

void HeatStrip::refresh() {
  setVisible(m_shading.mode() != ShadeBy::Nothing);
  m_levels.clear();
  if (m_shading.shades()) m_levels = stripLevels(*m_shading.shades(), m_characters, height());
  update();
}

int HeatStrip::yOf(int character) const {
  const auto y = static_cast<std::int64_t>(character) * height() / std::max(1, m_characters);
  return static_cast<int>(y);
}

void HeatStrip::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  const PlotTheme theme = themeOf(palette());
  const PlotColors colors = plotColors(theme);
  painter.fillRect(rect(), colors.paper);
  for (std::size_t y = 0; y < m_levels.size(); ++y) {
    if (std::isnan(m_levels[y])) continue;
    const QColor color = amountColor(theme, static_cast<double>(m_levels[y]));
    painter.fillRect(0, static_cast<int>(y), width(), 1, color);
  }
  painter.setPen(colors.axis);
  painter.drawRect(rect().adjusted(0, 0, -1, -1));
  if (!m_visible.isEmpty()) {
    const int top = yOf(m_visible.begin);
    const int bottom = std::max(top + 3, yOf(m_visible.end));
    painter.setPen(QPen(colors.ink, 2));
    painter.drawRect(1, top, width() - 2, bottom - top);
  }
  if (!m_shading.marked().isEmpty()) {
    painter.setPen(QPen(colors.reference, 2));
    painter.drawLine(0, yOf(m_shading.marked().begin), width(), yOf(m_shading.marked().begin));
  }
}

void HeatStrip::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  if (m_shading.shades()) m_levels = stripLevels(*m_shading.shades(), m_characters, height());
}

void HeatStrip::mousePressEvent(QMouseEvent* event) {
  pick(event->pos().y());
}

void HeatStrip::mouseMoveEvent(QMouseEvent* event) {
  if (event->buttons() & Qt::LeftButton) pick(event->pos().y());
}

void HeatStrip::pick(int y) {
  if (m_characters < 1 || height() < 1) return;
  const auto character = static_cast<std::int64_t>(y) * m_characters / height();
  Q_EMIT picked(static_cast<int>(std::clamp<std::int64_t>(character, 0, m_characters - 1)));
}

}  // namespace ropescope::ui
