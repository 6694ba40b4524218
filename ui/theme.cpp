#include "ui/theme.h"

#include <QApplication>
#include <QPainter>
#include <QProxyStyle>
#include <QStyleOption>

#include "ui/plots/plot_style.h"

namespace ropescope::ui {
namespace {

// `share` of `b` in `a`.
QColor mixed(const QColor& a, const QColor& b, float share) {
  return QColor::fromRgbF(a.redF() + (b.redF() - a.redF()) * share,
                          a.greenF() + (b.greenF() - a.greenF()) * share,
                          a.blueF() + (b.blueF() - a.blueF()) * share);
}

QPalette paletteFor(PlotTheme theme) {
  const PlotColors colors = plotColors(theme);
  const QColor accent = curvePen(theme, 0).color();
  const QColor window = mixed(colors.paper, colors.ink, 0.05F);
  const QColor button = mixed(colors.paper, colors.ink, 0.10F);
  QPalette palette(button, window);
  palette.setColor(QPalette::Window, window);
  palette.setColor(QPalette::WindowText, colors.ink);
  palette.setColor(QPalette::Base, colors.paper);
  palette.setColor(QPalette::AlternateBase, window);
  palette.setColor(QPalette::Text, colors.ink);
  palette.setColor(QPalette::Button, button);
  palette.setColor(QPalette::ButtonText, colors.ink);
  palette.setColor(QPalette::ToolTipBase, button);
  palette.setColor(QPalette::ToolTipText, colors.ink);
  palette.setColor(QPalette::PlaceholderText, colors.mutedInk);
  palette.setColor(QPalette::Highlight, accent);
  palette.setColor(QPalette::HighlightedText, colors.paper);
  palette.setColor(QPalette::Link, accent);
  palette.setColor(QPalette::LinkVisited, accent);
  const QColor off = mixed(colors.mutedInk, colors.paper, 0.35F);
  for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) {
    palette.setColor(QPalette::Disabled, role, off);
  }
  palette.setColor(QPalette::Disabled, QPalette::Highlight, colors.grid);
  return palette;
}

// Fusion draws the frame of an empty check box darker than the window, which a dark window hides.
class FramedChecks : public QProxyStyle {
 public:
  FramedChecks() : QProxyStyle(QStringLiteral("Fusion")) {}

  void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                     const QWidget* widget) const override {
    QProxyStyle::drawPrimitive(element, option, painter, widget);
    if (element != PE_IndicatorCheckBox && element != PE_IndicatorItemViewItemCheck) return;
    painter->save();
    painter->setPen(option->palette.color(QPalette::PlaceholderText));
    painter->setBrush(Qt::NoBrush);
    painter->drawRect(option->rect.adjusted(0, 0, -1, -1));
    painter->restore();
  }
};

}  // namespace

Theme::Theme() : m_system(QApplication::palette()) {}

void Theme::apply(ThemeChoice choice) const {
  QApplication::setStyle(new FramedChecks);  // the application owns it
  PlotTheme theme = themeOf(m_system);
  if (choice == ThemeChoice::Light) theme = PlotTheme::Light;
  if (choice == ThemeChoice::Dark) theme = PlotTheme::Dark;
  QApplication::setPalette(paletteFor(theme));
}

}  // namespace ropescope::ui
