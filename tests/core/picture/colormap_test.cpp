#include "core/picture/colormap.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "core/picture/theme.h"

namespace ropescope::picture {
namespace {

TEST(OkLab, ComesBackToTheSameColor) {
  for (const std::uint32_t hex : {0x000000U, 0xFFFFFFU, 0xD55E00U, 0x0072B2U, 0x123456U}) {
    EXPECT_EQ(fromOkLab(toOkLab(fromHex(hex))), fromHex(hex)) << std::hex << hex;
  }
}

TEST(Colormap, BrightnessRisesAllTheWay) {
  const Colormap colors(RampDirection::LightIsMuch);
  double before = -1;
  for (int i = 0; i <= 64; ++i) {
    const double lightness = toOkLab(colors.at(i / 64.0)).lightness;
    EXPECT_GT(lightness, before) << "at " << i << " of 64";
    before = lightness;
  }
}

TEST(Colormap, EqualStepsLookAboutEquallyLarge) {
  const Colormap colors(RampDirection::DarkIsMuch);
  double least = 1e9;
  double most = 0;
  for (int i = 0; i < 16; ++i) {
    const double step = perceivedDistance(colors.at(i / 16.0), colors.at((i + 1) / 16.0));
    least = std::min(least, step);
    most = std::max(most, step);
  }
  constexpr double kEvenness = 1.25;  // 8-bit rounding and the ends of the screen's gamut
  EXPECT_LT(most / least, kEvenness);
}

TEST(Colormap, DirectionsMirrorEachOther) {
  const Colormap light(RampDirection::LightIsMuch);
  const Colormap dark(RampDirection::DarkIsMuch);
  EXPECT_EQ(light.at(0), dark.at(1));
  EXPECT_EQ(light.at(1), dark.at(0));
}

TEST(Colormap, ClampsWhatLiesOutside) {
  const Colormap colors(RampDirection::DarkIsMuch);
  EXPECT_EQ(colors.at(-3), colors.at(0));
  EXPECT_EQ(colors.at(7), colors.at(1));
  EXPECT_EQ(colors.at(-std::numeric_limits<double>::infinity()), colors.at(0));
  EXPECT_EQ(colors.at(std::numeric_limits<double>::quiet_NaN()), colors.at(0));
}

TEST(Theme, SeriesDifferInMoreThanHue) {
  for (const ThemeKind kind : {ThemeKind::Light, ThemeKind::Dark}) {
    const Theme theme = makeTheme(kind);
    for (std::size_t a = 0; a < 12; ++a) {
      for (std::size_t b = a + 1; b < 12; ++b) {
        const SeriesStyle one = seriesStyle(theme, a);
        const SeriesStyle other = seriesStyle(theme, b);
        EXPECT_TRUE(one.dash != other.dash || one.marker != other.marker) << a << " and " << b;
      }
    }
  }
}

TEST(Theme, TextStandsOutFromPaper) {
  constexpr double kReadable = 0.35;  // difference of OKLab lightness
  for (const ThemeKind kind : {ThemeKind::Light, ThemeKind::Dark}) {
    const Theme theme = makeTheme(kind);
    const double paper = toOkLab(theme.paper).lightness;
    EXPECT_GT(std::abs(toOkLab(theme.ink).lightness - paper), kReadable);
    EXPECT_GT(std::abs(toOkLab(theme.mutedInk).lightness - paper), kReadable);
  }
}

}  // namespace
}  // namespace ropescope::picture
