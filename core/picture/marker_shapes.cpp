#include "core/picture/marker_shapes.h"

#include <cmath>
#include <numbers>

namespace ropescope::picture {
namespace {

// `first` is the direction of the first corner, counter-clockwise from the right.
std::vector<Point> regularPolygon(int corners, Point center, double radius, double first) {
  std::vector<Point> outline;
  for (int i = 0; i < corners; ++i) {
    const double angle = first + 2 * std::numbers::pi * i / corners;
    outline.push_back({center.x + radius * std::cos(angle), center.y - radius * std::sin(angle)});
  }
  return outline;
}

std::vector<Point> plusSign(Point center, double reach) {
  const double arm = reach * 0.36;
  const double steps[12][2] = {{-arm, -reach}, {arm, -reach}, {arm, -arm},    {reach, -arm},
                               {reach, arm},   {arm, arm},    {arm, reach},   {-arm, reach},
                               {-arm, arm},    {-reach, arm}, {-reach, -arm}, {-arm, -arm}};
  std::vector<Point> outline;
  for (const auto& step : steps) outline.push_back({center.x + step[0], center.y + step[1]});
  return outline;
}

}  // namespace

std::vector<Point> markerOutline(MarkerShape shape, Point center, double size) {
  const double radius = size / 2;
  constexpr double kUp = std::numbers::pi / 2;
  switch (shape) {
    case MarkerShape::Circle:
      return regularPolygon(32, center, radius, 0);
    case MarkerShape::Square:
      return regularPolygon(4, center, radius * 1.25, kUp / 2);
    case MarkerShape::Triangle:
      return regularPolygon(3, center, radius * 1.3, kUp);
    case MarkerShape::TriangleDown:
      return regularPolygon(3, center, radius * 1.3, -kUp);
    case MarkerShape::Diamond:
      return regularPolygon(4, center, radius * 1.25, kUp);
    case MarkerShape::Cross:
      return plusSign(center, radius * 1.15);
  }
  return {};
}

}  // namespace ropescope::picture
