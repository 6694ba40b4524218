// A plot area with its two axes: grid, ticks, labels and curves.
#pragma once

#include <cstddef>
#include <span>

#include "core/picture/axis.h"
#include "core/picture/canvas.h"
#include "core/picture/theme.h"

namespace ropescope::picture {

enum class Upright { Up, Down };  // Down: the first value of y is at the top, as in a matrix

struct Frame {
  Rect area = {};
  Axis x = {};
  Axis y = {};
  Upright upright = Upright::Up;

  Point at(double xValue, double yValue) const;
};

// Points left of the area for tick numbers and, if there is one, the label of the axis.
double yAxisWidth(const Font& font, const Axis& axis, const Theme& theme);
// Points below the area, likewise.
double xAxisHeight(const Axis& axis, const Theme& theme);

void drawGrid(Canvas& canvas, const Frame& frame, const Theme& theme);
void drawXAxis(Canvas& canvas, const Frame& frame, const Theme& theme);
void drawYAxis(Canvas& canvas, const Frame& frame, const Theme& theme);

struct Curve {
  std::span<const double> x;
  std::span<const double> y;  // a value that is not finite leaves a gap
  SeriesStyle style;
  double width = 2;
  double markerSize = 7;
  double haloWidth = 1.2;
  // Every `markerStride`-th point from `firstMarker` gets a marker; 0: none.
  std::size_t markerStride = 1;
  std::size_t firstMarker = 0;
  bool joined = true;  // false: dots only
};

// Clipped to the area, with room for markers on its border.
void drawCurve(Canvas& canvas, const Frame& frame, const Theme& theme, const Curve& curve);

}  // namespace ropescope::picture
