#include "ui/plots/head_preview.h"

#include <QFontMetrics>
#include <QPainter>
#include <algorithm>

namespace ropescope::ui {
namespace {

constexpr int kMostPicture = 192;   // px a side
constexpr int kLeastPicture = 112;  // px; the text below needs it
constexpr int kEdge = 8;            // px around
constexpr int kAway = 18;           // px from the mouse

}  // namespace

HeadPreview::HeadPreview(QWidget* parent) : QWidget(parent) {
  setObjectName(QStringLiteral("headPreview"));
  setAttribute(Qt::WA_TransparentForMouseEvents);
  hide();
}

void HeadPreview::showAt(const QPoint& point, QImage image, const QString& text, PlotTheme theme) {
  m_image = std::move(image);
  m_text = text;
  m_theme = theme;
  setFont(plotFont(PlotText::Tick));
  const int shorter = std::min(parentWidget()->width(), parentWidget()->height());
  m_side = std::clamp(shorter / 2, kLeastPicture, kMostPicture);
  const QRect box =
      QFontMetrics(font()).boundingRect(QRect(0, 0, m_side, 1000), Qt::TextWordWrap, m_text);
  resize(m_side + 2 * kEdge, m_side + box.height() + 3 * kEdge);
  const QRect room = parentWidget()->rect();
  QPoint corner = point + QPoint(kAway, kAway);
  if (corner.x() + width() > room.right()) corner.setX(point.x() - kAway - width());
  if (corner.y() + height() > room.bottom()) corner.setY(room.bottom() - height());
  move(std::max(0, corner.x()), std::max(0, corner.y()));
  raise();
  show();
  update();
}

void HeadPreview::paintEvent(QPaintEvent*) {
  const PlotColors colors = plotColors(m_theme);
  QPainter painter(this);
  painter.setPen(QPen(colors.axis, 1));
  painter.setBrush(colors.paper);
  painter.drawRect(rect().adjusted(0, 0, -1, -1));
  painter.drawImage(QRect(kEdge, kEdge, m_side, m_side), m_image);  // no smoothing: cells
  painter.setPen(colors.ink);
  painter.drawText(QRect(kEdge, m_side + 2 * kEdge, m_side, height() - m_side - 3 * kEdge),
                   Qt::TextWordWrap, m_text);
}

}  // namespace ropescope::ui
