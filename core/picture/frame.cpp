#include "core/picture/frame.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ropescope::picture {
namespace {

constexpr double kTickLength = 4;
constexpr double kTickGap = 4;    // from tick to number
constexpr double kLabelGap = 12;  // from number to axis label
constexpr double kHairline = 1;

double widestTick(const Font& font, const Axis& axis, double size) {
  double widest = 0;
  for (const Tick& tick : axis.ticks) widest = std::max(widest, font.textWidth(tick.text, size));
  return widest;
}

}  // namespace

Point Frame::at(double xValue, double yValue) const {
  const double up = y.share(yValue);
  return {area.x + x.share(xValue) * area.width,
          area.y + (upright == Upright::Down ? up : 1 - up) * area.height};
}

double yAxisWidth(const Font& font, const Axis& axis, const Theme& theme) {
  const double numbers = kTickLength + kTickGap + widestTick(font, axis, theme.tickSize);
  return axis.label.empty() ? numbers : numbers + kLabelGap + theme.labelSize;
}

double xAxisHeight(const Axis& axis, const Theme& theme) {
  const double numbers = kTickLength + kTickGap + theme.tickSize;
  return axis.label.empty() ? numbers : numbers + kLabelGap + theme.labelSize;
}

void drawGrid(Canvas& canvas, const Frame& frame, const Theme& theme) {
  const Stroke stroke{.color = theme.grid, .width = kHairline};
  for (const Tick& tick : frame.x.ticks) {
    const double x = frame.at(tick.value, frame.y.first).x;
    canvas.line({x, frame.area.y}, {x, frame.area.bottom()}, stroke);
  }
  for (const Tick& tick : frame.y.ticks) {
    const double y = frame.at(frame.x.first, tick.value).y;
    canvas.line({frame.area.x, y}, {frame.area.right(), y}, stroke);
  }
}

void drawXAxis(Canvas& canvas, const Frame& frame, const Theme& theme) {
  const double bottom = frame.area.bottom();
  const Stroke stroke{.color = theme.axis, .width = kHairline};
  canvas.line({frame.area.x, bottom}, {frame.area.right(), bottom}, stroke);
  for (const Tick& tick : frame.x.ticks) {
    const double x = frame.at(tick.value, frame.y.first).x;
    canvas.line({x, bottom}, {x, bottom + kTickLength}, stroke);
    canvas.text({x, bottom + kTickLength + kTickGap}, tick.text,
                {.size = theme.tickSize,
                 .color = theme.mutedInk,
                 .align = TextAlign::Center,
                 .anchor = TextAnchor::Top});
  }
  canvas.text({frame.area.x + frame.area.width / 2,
               bottom + kTickLength + kTickGap + theme.tickSize + kLabelGap},
              frame.x.label,
              {.size = theme.labelSize,
               .color = theme.ink,
               .align = TextAlign::Center,
               .anchor = TextAnchor::Top});
}

void drawYAxis(Canvas& canvas, const Frame& frame, const Theme& theme) {
  const double left = frame.area.x;
  const Stroke stroke{.color = theme.axis, .width = kHairline};
  canvas.line({left, frame.area.y}, {left, frame.area.bottom()}, stroke);
  double widest = 0;
  const TextStyle numbers{.size = theme.tickSize,
                          .color = theme.mutedInk,
                          .align = TextAlign::Right,
                          .anchor = TextAnchor::Middle};
  for (const Tick& tick : frame.y.ticks) {
    const double y = frame.at(frame.x.first, tick.value).y;
    canvas.line({left - kTickLength, y}, {left, y}, stroke);
    canvas.text({left - kTickLength - kTickGap, y}, tick.text, numbers);
    widest = std::max(widest, canvas.textWidth(tick.text, numbers));
  }
  canvas.text(
      {left - kTickLength - kTickGap - widest - kLabelGap, frame.area.y + frame.area.height / 2},
      frame.y.label,
      {.size = theme.labelSize,
       .color = theme.ink,
       .align = TextAlign::Center,
       .direction = TextDirection::Upward});
}

void drawCurve(Canvas& canvas, const Frame& frame, const Theme& theme, const Curve& curve) {
  const double rim = curve.markerSize;
  canvas.setClip({frame.area.x - rim, frame.area.y - rim, frame.area.width + 2 * rim,
                  frame.area.height + 2 * rim});
  const std::size_t count = std::min(curve.x.size(), curve.y.size());
  const auto finite = [&](std::size_t i) {
    return std::isfinite(curve.y[i]) && (frame.y.scale == AxisScale::Linear || curve.y[i] > 0);
  };
  std::vector<Point> piece;
  for (std::size_t i = 0; curve.joined && i <= count; ++i) {
    if (i < count && finite(i)) {
      piece.push_back(frame.at(curve.x[i], curve.y[i]));
      continue;
    }
    canvas.polyline(piece, {curve.style.color, curve.width, curve.style.dash});
    piece.clear();
  }
  for (std::size_t i = curve.firstMarker; curve.markerStride > 0 && i < count;
       i += curve.markerStride) {
    if (!finite(i)) continue;
    canvas.marker(frame.at(curve.x[i], curve.y[i]), {.shape = curve.style.marker,
                                                     .size = curve.markerSize,
                                                     .fill = curve.style.color,
                                                     .halo = theme.paper,
                                                     .haloWidth = curve.haloWidth});
  }
  canvas.clearClip();
}

}  // namespace ropescope::picture
