#include "ui/plots/plot_style.h"

#include <QApplication>
#include <algorithm>
#include <cmath>

#include "core/picture/colormap.h"
#include "core/picture/theme.h"

namespace ropescope::ui {
namespace {

constexpr double kCurveWidth = 1.8;  // px
constexpr double kMarkerSize = 7.5;  // px, with its rim
constexpr float kNoteOpacity = 0.85F;
constexpr float kFillOpacity = 0.20F;
constexpr float kUnseenOpacity = 0.55F;

picture::Theme pictureTheme(PlotTheme theme) {
  return picture::makeTheme(theme == PlotTheme::Light ? picture::ThemeKind::Light
                                                      : picture::ThemeKind::Dark);
}

QColor toColor(const picture::Color& color) {
  QColor result(color.red, color.green, color.blue);
  result.setAlphaF(color.alpha);
  return result;
}

QColor faded(QColor color, float opacity) {
  color.setAlphaF(opacity);
  return color;
}

void setDash(QPen& pen, picture::Dash dash) {
  switch (dash) {
    case picture::Dash::Solid:
      pen.setStyle(Qt::SolidLine);
      return;
    case picture::Dash::Dashed:
      pen.setDashPattern({4, 2.5});
      return;
    case picture::Dash::Dotted:
      pen.setDashPattern({1.2, 2.2});
      return;
    case picture::Dash::DashDot:
      pen.setDashPattern({6, 2.5, 1.5, 2.5});
      return;
    case picture::Dash::LongDash:
      pen.setDashPattern({8, 3});
      return;
  }
}

QCPScatterStyle::ScatterShape shapeOf(picture::MarkerShape marker) {
  switch (marker) {
    case picture::MarkerShape::Circle:
      return QCPScatterStyle::ssCircle;
    case picture::MarkerShape::Square:
      return QCPScatterStyle::ssSquare;
    case picture::MarkerShape::Triangle:
      return QCPScatterStyle::ssTriangle;
    case picture::MarkerShape::Diamond:
      return QCPScatterStyle::ssDiamond;
    case picture::MarkerShape::TriangleDown:
      return QCPScatterStyle::ssTriangleInverted;
    case picture::MarkerShape::Cross:
      return QCPScatterStyle::ssCross;
  }
  return QCPScatterStyle::ssCircle;
}

}  // namespace

PlotTheme themeOf(const QPalette& palette) {
  const bool dark = palette.color(QPalette::Window).lightnessF() <
                    palette.color(QPalette::WindowText).lightnessF();
  return dark ? PlotTheme::Dark : PlotTheme::Light;
}

PlotColors plotColors(PlotTheme theme) {
  const picture::Theme source = pictureTheme(theme);
  return {.paper = toColor(source.paper),
          .ink = toColor(source.ink),
          .mutedInk = toColor(source.mutedInk),
          .grid = toColor(source.grid),
          .axis = toColor(source.axis),
          .reference = toColor(source.reference),
          .shade = toColor(source.shade),
          .masked = toColor(source.masked),
          .hatch = toColor(source.axis),
          .seen = faded(toColor(source.series[0]), kFillOpacity),
          .unseen = toColor(source.series[1]),
          .unseenFill = faded(toColor(source.series[1]), kUnseenOpacity)};
}

QFont plotFont(PlotText text) {
  QFont font = QApplication::font();
  const double base = font.pointSizeF() > 0 ? font.pointSizeF() : 10.0;
  switch (text) {
    case PlotText::Title:
      font.setPointSizeF(base);
      font.setWeight(QFont::DemiBold);
      break;
    case PlotText::Label:
      font.setPointSizeF(base - 0.5);
      break;
    case PlotText::Tick:
      font.setPointSizeF(base - 1.0);
      break;
    case PlotText::Footer:
      font.setPointSizeF(base - 1.0);
      break;
  }
  return font;
}

void apply(QCPAxis* axis, PlotTheme theme) {
  const PlotColors colors = plotColors(theme);
  const QPen line(colors.axis, 1);
  axis->setBasePen(line);
  axis->setTickPen(line);
  axis->setSubTickPen(line);
  axis->setTickLength(0, 4);
  axis->setSubTickLength(0, 2);
  axis->setTickLabelColor(colors.mutedInk);
  axis->setTickLabelFont(plotFont(PlotText::Tick));
  axis->setTickLabelPadding(5);
  axis->setLabelColor(colors.ink);
  axis->setLabelFont(plotFont(PlotText::Label));
  axis->setLabelPadding(6);
  axis->grid()->setPen(QPen(colors.grid, 1));
  axis->grid()->setZeroLinePen(Qt::NoPen);
  axis->grid()->setSubGridVisible(false);
}

void apply(QCPAxisRect* rect, PlotTheme theme) {
  for (QCPAxis* axis : rect->axes()) apply(axis, theme);
  rect->setMinimumMargins(QMargins(12, 8, 14, 10));
}

void apply(QCustomPlot* plot, PlotTheme theme) {
  const PlotColors colors = plotColors(theme);
  plot->setBackground(QBrush(colors.paper));
  for (QCPAxisRect* rect : plot->axisRects()) apply(rect, theme);
  for (QObject* child : plot->findChildren<QObject*>()) {
    if (auto* text = qobject_cast<QCPTextElement*>(child)) text->setTextColor(colors.mutedInk);
  }
  if (plot->legend == nullptr) return;
  plot->legend->setBrush(Qt::NoBrush);
  plot->legend->setBorderPen(Qt::NoPen);
  plot->legend->setTextColor(colors.ink);
  plot->legend->setFont(plotFont(PlotText::Label));
}

QPen curvePen(PlotTheme theme, std::size_t index) {
  const picture::SeriesStyle series = picture::seriesStyle(pictureTheme(theme), index);
  QPen pen(toColor(series.color), kCurveWidth);
  pen.setCapStyle(Qt::FlatCap);
  setDash(pen, series.dash);
  return pen;
}

QCPScatterStyle curveMarker(PlotTheme theme, std::size_t index) {
  const picture::SeriesStyle series = picture::seriesStyle(pictureTheme(theme), index);
  const QColor color = toColor(series.color);
  // The rim in the paper's colour keeps markers apart where curves meet.
  const bool open = series.marker == picture::MarkerShape::Cross;
  const QPen rim = open ? QPen(color, kCurveWidth) : QPen(plotColors(theme).paper, 1);
  return {shapeOf(series.marker), rim, QBrush(color), kMarkerSize};
}

QPen publishedPen(PlotTheme theme) {
  QPen pen(plotColors(theme).mutedInk, 1.2);
  pen.setCapStyle(Qt::FlatCap);
  pen.setDashPattern({1.2, 2.6});
  return pen;
}

QCPScatterStyle publishedMarker(PlotTheme theme, std::size_t index) {
  const picture::SeriesStyle series = picture::seriesStyle(pictureTheme(theme), index);
  return {shapeOf(series.marker), QPen(plotColors(theme).mutedInk, 1.2),
          QBrush(plotColors(theme).paper), kMarkerSize};
}

QCPScatterStyle boundMarker(PlotTheme theme) {
  const QColor ink = plotColors(theme).mutedInk;
  return {QCPScatterStyle::ssTriangle, QPen(ink, 1.2), QBrush(ink), 1.4 * kMarkerSize};
}

QPen referencePen(PlotTheme theme) {
  QPen pen(plotColors(theme).reference, 1.4);
  pen.setCapStyle(Qt::FlatCap);
  pen.setDashPattern({3, 2.5});
  return pen;
}

QPen faintPen(PlotTheme theme) {
  return {plotColors(theme).axis, 1};
}

QPen ghostPen(PlotTheme theme) {
  QColor pale = plotColors(theme).reference;
  pale.setAlphaF(0.35F);
  QPen pen(pale, 4.5);
  pen.setCapStyle(Qt::FlatCap);
  return pen;
}

QCPColorGradient amountGradient(PlotTheme theme) {
  constexpr int kStops = 64;  // the ramp is smooth; QCustomPlot fills in the levels between
  const picture::Colormap ramp(pictureTheme(theme).ramp);
  QCPColorGradient gradient;
  gradient.setColorInterpolation(QCPColorGradient::ciRGB);
  gradient.setLevelCount(256);
  QMap<double, QColor> stops;
  for (int stop = 0; stop <= kStops; ++stop) {
    const double share = static_cast<double>(stop) / kStops;
    stops.insert(share, toColor(ramp.at(share)));
  }
  gradient.setColorStops(stops);
  gradient.setNanHandling(QCPColorGradient::nhNanColor);
  gradient.setNanColor(plotColors(theme).masked);
  return gradient;
}

QCPColorGradient differenceGradient(PlotTheme theme) {
  constexpr int kStops = 16;  // to each side
  const picture::Theme source = pictureTheme(theme);
  const picture::OkLab middle = picture::toOkLab(source.paper);
  QCPColorGradient gradient;
  gradient.setColorInterpolation(QCPColorGradient::ciRGB);
  gradient.setLevelCount(256);
  QMap<double, QColor> stops;
  for (int stop = -kStops; stop <= kStops; ++stop) {
    const picture::OkLab end = picture::toOkLab(source.series[stop < 0 ? 0 : 1]);
    const double share = std::abs(static_cast<double>(stop)) / kStops;
    const picture::OkLab mixed = {std::lerp(middle.lightness, end.lightness, share),
                                  std::lerp(middle.a, end.a, share),
                                  std::lerp(middle.b, end.b, share)};
    stops.insert(0.5 + 0.5 * static_cast<double>(stop) / kStops,
                 toColor(picture::fromOkLab(mixed)));
  }
  gradient.setColorStops(stops);
  gradient.setNanHandling(QCPColorGradient::nhNanColor);
  gradient.setNanColor(plotColors(theme).masked);
  return gradient;
}

QColor amountTint(PlotTheme theme, double share) {
  // The root lifts what is little: of a tint that must stay readable, a tenth cannot be seen.
  const double readable = theme == PlotTheme::Light ? 0.5 : 0.55;
  const picture::Colormap ramp(pictureTheme(theme).ramp);
  QColor tint = toColor(ramp.at(0.6));
  tint.setAlphaF(static_cast<float>(readable * std::sqrt(std::clamp(share, 0.0, 1.0))));
  return tint;
}

QColor amountFill(PlotTheme theme, double share) {
  const double strength = theme == PlotTheme::Light ? 0.5 : 0.35;  // most at which ink is readable
  const QColor paper = plotColors(theme).paper;
  const QColor color = amountColor(theme, share);
  const auto mixed = [strength](int from, int to) {
    return static_cast<int>(std::lround(std::lerp(from, to, strength)));
  };
  return {mixed(paper.red(), color.red()), mixed(paper.green(), color.green()),
          mixed(paper.blue(), color.blue())};
}

QColor amountColor(PlotTheme theme, double share) {
  static const picture::Colormap light(pictureTheme(PlotTheme::Light).ramp);
  static const picture::Colormap dark(pictureTheme(PlotTheme::Dark).ramp);
  return toColor((theme == PlotTheme::Light ? light : dark).at(share));
}

void styleNote(QCPItemText* note, PlotTheme theme) {
  const PlotColors colors = plotColors(theme);
  QColor behind = colors.paper;
  behind.setAlphaF(kNoteOpacity);
  note->setFont(plotFont(PlotText::Footer));
  note->setColor(colors.mutedInk);
  note->setBrush(QBrush(behind));
  note->setPen(Qt::NoPen);
  note->setPadding(QMargins(5, 2, 5, 2));
}

}  // namespace ropescope::ui
