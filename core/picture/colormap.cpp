#include "core/picture/colormap.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ropescope::picture {
namespace {

double toLinear(std::uint8_t value) {
  const double v = value / 255.0;
  return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
}

std::uint8_t toSrgb(double linear) {
  const double v = std::clamp(linear, 0.0, 1.0);
  const double encoded = v <= 0.0031308 ? 12.92 * v : 1.055 * std::pow(v, 1.0 / 2.4) - 0.055;
  return static_cast<std::uint8_t>(std::lround(encoded * 255.0));
}

OkLab mix(const OkLab& from, const OkLab& to, double share) {
  return {std::lerp(from.lightness, to.lightness, share), std::lerp(from.a, to.a, share),
          std::lerp(from.b, to.b, share)};
}

double distance(const OkLab& one, const OkLab& other) {
  return std::hypot(one.lightness - other.lightness, one.a - other.a, one.b - other.b);
}

// Lightness rises from point to point, so the ramp also reads in grey.
constexpr std::array<OkLab, 7> kControlPoints = {{{0.22, 0.005, -0.085},
                                                  {0.35, -0.010, -0.115},
                                                  {0.48, -0.055, -0.085},
                                                  {0.61, -0.090, -0.015},
                                                  {0.74, -0.105, 0.055},
                                                  {0.87, -0.070, 0.110},
                                                  {0.975, -0.012, 0.055}}};

// Catmull-Rom through the control points, `t` in 0..1.
OkLab alongCurve(double t) {
  const double scaled = t * static_cast<double>(kControlPoints.size() - 1);
  const auto segment = std::min(static_cast<std::size_t>(scaled), kControlPoints.size() - 2);
  const double u = scaled - static_cast<double>(segment);
  const OkLab& p1 = kControlPoints[segment];
  const OkLab& p2 = kControlPoints[segment + 1];
  const OkLab& p0 = segment > 0 ? kControlPoints[segment - 1] : p1;
  const OkLab& p3 = segment + 2 < kControlPoints.size() ? kControlPoints[segment + 2] : p2;
  const auto spline = [u](double v0, double v1, double v2, double v3) {
    return 0.5 * (2 * v1 + (v2 - v0) * u + (2 * v0 - 5 * v1 + 4 * v2 - v3) * u * u +
                  (3 * v1 - v0 - 3 * v2 + v3) * u * u * u);
  };
  return {spline(p0.lightness, p1.lightness, p2.lightness, p3.lightness),
          spline(p0.a, p1.a, p2.a, p3.a), spline(p0.b, p1.b, p2.b, p3.b)};
}

}  // namespace

OkLab toOkLab(Color color) {
  const double r = toLinear(color.red);
  const double g = toLinear(color.green);
  const double b = toLinear(color.blue);
  const double l = std::cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const double m = std::cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const double s = std::cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
          1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
          0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

Color fromOkLab(const OkLab& lab) {
  const double l = std::pow(lab.lightness + 0.3963377774 * lab.a + 0.2158037573 * lab.b, 3);
  const double m = std::pow(lab.lightness - 0.1055613458 * lab.a - 0.0638541728 * lab.b, 3);
  const double s = std::pow(lab.lightness - 0.0894841775 * lab.a - 1.2914855480 * lab.b, 3);
  return {toSrgb(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
          toSrgb(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
          toSrgb(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s), 1.0F};
}

double perceivedDistance(Color one, Color other) {
  return distance(toOkLab(one), toOkLab(other));
}

Colormap::Colormap(RampDirection direction) {
  // Steps of equal perceived length along the curve, found by walking a fine sampling of it.
  constexpr std::size_t kFine = 4096;
  std::vector<double> walked(kFine, 0.0);
  for (std::size_t i = 1; i < kFine; ++i) {
    walked[i] = walked[i - 1] + distance(alongCurve(static_cast<double>(i - 1) / (kFine - 1)),
                                         alongCurve(static_cast<double>(i) / (kFine - 1)));
  }
  for (std::size_t step = 0; step < kSteps; ++step) {
    const double wanted = walked.back() * static_cast<double>(step) / (kSteps - 1);
    const auto after = std::lower_bound(walked.begin() + 1, walked.end() - 1, wanted);
    const auto i = static_cast<std::size_t>(after - walked.begin());
    const double share = std::clamp((wanted - walked[i - 1]) / (walked[i] - walked[i - 1]), 0., 1.);
    const OkLab lab = mix(alongCurve(static_cast<double>(i - 1) / (kFine - 1)),
                          alongCurve(static_cast<double>(i) / (kFine - 1)), share);
    const std::size_t slot = direction == RampDirection::LightIsMuch ? step : kSteps - 1 - step;
    m_table[slot] = fromOkLab(lab);
  }
}

Color Colormap::at(double share) const {
  if (!(share > 0.0)) return m_table.front();
  const double index = std::min(share, 1.0) * static_cast<double>(kSteps - 1);
  return m_table[static_cast<std::size_t>(std::lround(index))];
}

}  // namespace ropescope::picture
