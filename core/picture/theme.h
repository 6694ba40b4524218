// Every colour and text size of the pictures, light and dark.
#pragma once

#include <cstddef>
#include <vector>

#include "core/picture/colormap.h"
#include "core/picture/paint.h"

namespace ropescope::picture {

// How one curve differs from the next: hue, dash and marker, so that no reading depends on hue
// alone.
struct SeriesStyle {
  Color color;
  Dash dash = Dash::Solid;
  MarkerShape marker = MarkerShape::Circle;
};

struct Theme {
  Color paper;
  Color ink;       // titles, curve names
  Color mutedInk;  // subtitles, tick labels, footers
  Color grid;
  Color axis;
  Color reference;  // plain RoPE, trained length
  Color shade;      // areas outside of what was trained
  Color masked;     // future tokens of a map
  Color maskedHatch;
  std::vector<Color> series;
  RampDirection ramp = RampDirection::DarkIsMuch;

  double titleSize = 17;
  double subtitleSize = 11.5;
  double labelSize = 11;
  double tickSize = 10;
  double footerSize = 9.5;
};

enum class ThemeKind { Light, Dark };

// How any picture is drawn, whatever it shows.
struct PictureStyle {
  ThemeKind theme = ThemeKind::Light;
  double pixelRatio = 2;  // pixels per point
};

Theme makeTheme(ThemeKind kind);

// Repeats the colours with other dashes and markers after the last one.
SeriesStyle seriesStyle(const Theme& theme, std::size_t index);

}  // namespace ropescope::picture
