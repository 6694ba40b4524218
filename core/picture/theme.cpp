#include "core/picture/theme.h"

#include <array>

namespace ropescope::picture {
namespace {

// Hues after Okabe and Ito's palette, which stays apart under the common forms of colour
// blindness; its yellow is left out because it vanishes on white. The dark set is lightened.
Theme lightTheme() {
  return {.paper = fromHex(0xFFFFFF),
          .ink = fromHex(0x1B1F24),
          .mutedInk = fromHex(0x5C6570),
          .grid = fromHex(0xE9ECEF),
          .axis = fromHex(0x9AA3AD),
          .reference = fromHex(0x6B747E),
          .shade = fromHex(0xF3F1EC),
          .masked = fromHex(0xECEEF1),
          .maskedHatch = fromHex(0xDFE3E8),
          .series = {fromHex(0x0072B2), fromHex(0xD55E00), fromHex(0x009E73), fromHex(0xB85C96),
                     fromHex(0xC98A00), fromHex(0x3FA7DC)},
          .ramp = RampDirection::DarkIsMuch};
}

Theme darkTheme() {
  return {.paper = fromHex(0x16191D),
          .ink = fromHex(0xECEFF2),
          .mutedInk = fromHex(0xA3ADB8),
          .grid = fromHex(0x2A2F36),
          .axis = fromHex(0x68717C),
          .reference = fromHex(0xA3ADB8),
          .shade = fromHex(0x22262B),
          .masked = fromHex(0x2A2F36),
          .maskedHatch = fromHex(0x343A42),
          .series = {fromHex(0x56B4E9), fromHex(0xF08A4B), fromHex(0x35C79B), fromHex(0xDB93BF),
                     fromHex(0xE9B949), fromHex(0xA9B8FF)},
          .ramp = RampDirection::LightIsMuch};
}

constexpr std::array kDashes = {Dash::Solid, Dash::LongDash, Dash::DashDot, Dash::Dashed,
                                Dash::Dotted};
constexpr std::array kMarkers = {MarkerShape::Circle,       MarkerShape::Square,
                                 MarkerShape::Triangle,     MarkerShape::Diamond,
                                 MarkerShape::TriangleDown, MarkerShape::Cross};

}  // namespace

Theme makeTheme(ThemeKind kind) {
  return kind == ThemeKind::Light ? lightTheme() : darkTheme();
}

SeriesStyle seriesStyle(const Theme& theme, std::size_t index) {
  // Five dashes against six colours and markers: the combination repeats only after thirty curves.
  return {.color = theme.series[index % theme.series.size()],
          .dash = kDashes[index % kDashes.size()],
          .marker = kMarkers[index % kMarkers.size()]};
}

}  // namespace ropescope::picture
