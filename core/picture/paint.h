// The small values that everything drawn is made of. Lengths are points: 1 pt is `pixelRatio`
// pixels of the finished picture. x grows to the right, y downward.
#pragma once

#include <cstdint>

namespace ropescope::picture {

// sRGB, not premultiplied.
struct Color {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
  float alpha = 1.0F;

  bool operator==(const Color&) const = default;
};

// 0xRRGGBB
constexpr Color fromHex(std::uint32_t hex) {
  return {static_cast<std::uint8_t>(hex >> 16U & 0xFFU),
          static_cast<std::uint8_t>(hex >> 8U & 0xFFU), static_cast<std::uint8_t>(hex & 0xFFU),
          1.0F};
}

constexpr Color withAlpha(Color color, float alpha) {
  color.alpha = alpha;
  return color;
}

struct Point {
  double x = 0;
  double y = 0;
};

struct Rect {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;

  double right() const { return x + width; }
  double bottom() const { return y + height; }
};

enum class Dash { Solid, Dashed, Dotted, DashDot, LongDash };

struct Stroke {
  Color color;
  double width = 1.5;
  Dash dash = Dash::Solid;
};

enum class MarkerShape { Circle, Square, Triangle, Diamond, TriangleDown, Cross };

// `halo` is a rim in the colour of the paper that keeps overlapping markers apart.
struct Marker {
  MarkerShape shape = MarkerShape::Circle;
  double size = 6;  // diameter
  Color fill = {};
  Color halo = {};
  double haloWidth = 0;
};

enum class FontWeight { Regular, Bold };
enum class TextAlign { Left, Center, Right };
enum class TextAnchor { Baseline, Top, Middle, Bottom };  // Middle: of a capital letter
enum class TextDirection { Horizontal, Upward };          // Upward: turned 90 degrees, for y axes

struct TextStyle {
  double size = 11;
  Color color;
  FontWeight weight = FontWeight::Regular;
  TextAlign align = TextAlign::Left;
  TextAnchor anchor = TextAnchor::Baseline;
  TextDirection direction = TextDirection::Horizontal;
};

}  // namespace ropescope::picture
