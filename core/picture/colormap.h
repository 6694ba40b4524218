// A perceptually even ramp from pale yellow over teal to deep blue, for amounts.
#pragma once

#include <array>
#include <cstddef>

#include "core/picture/paint.h"

namespace ropescope::picture {

// Little is close to the paper in both themes: much is dark on white and light on black.
enum class RampDirection { DarkIsMuch, LightIsMuch };

class Colormap {
 public:
  explicit Colormap(RampDirection direction);

  // `share` is clamped to 0..1; NaN gives the lowest colour.
  Color at(double share) const;

 private:
  static constexpr std::size_t kSteps = 256;
  std::array<Color, kSteps> m_table;
};

// OKLab (Ottosson 2020): equal distances look about equally different.
struct OkLab {
  double lightness = 0;  // 0..1
  double a = 0;
  double b = 0;
};

OkLab toOkLab(Color color);
Color fromOkLab(const OkLab& lab);
double perceivedDistance(Color one, Color other);

}  // namespace ropescope::picture
