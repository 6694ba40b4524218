#include "core/picture/angle_picture.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "core/picture/frame.h"
#include "core/picture/legend.h"
#include "core/picture/page.h"

namespace ropescope::picture {
namespace {

constexpr double kWidth = 920;
constexpr double kPanelHeight = 176;
constexpr double kPanelGap = 54;  // room for the next panel's heading
constexpr double kHeadingHeight = 26;
constexpr double kTurn = 2 * std::numbers::pi;
constexpr double kGap = std::numeric_limits<double>::quiet_NaN();

Error refused(const std::string& message) {
  return {ErrorCode::InvalidArgument, "angle picture: " + message};
}

Status checkInput(const AnglePictureInput& input) {
  const std::size_t pairs = input.plainInvFreq.size();
  if (pairs == 0) return refused("the model has no rotary pairs; it needs at least one");
  for (const double frequency : input.plainInvFreq) {
    if (!(frequency > 0) || !std::isfinite(frequency)) {
      return refused("a plain frequency is " + std::to_string(frequency) +
                     " rad per token; it must be positive");
    }
  }
  for (const AngleMethod& method : input.methods) {
    if (method.invFreq.size() != pairs) {
      return refused("'" + method.name + "' has " + std::to_string(method.invFreq.size()) +
                     " frequencies, the model has " + std::to_string(pairs) + " pairs");
    }
  }
  if (input.position < 0) {
    return refused("position " + std::to_string(input.position) + "; positions start at 0");
  }
  return Done{};
}

// One value per pair; NaN where there is none to show.
struct Series {
  SeriesStyle style;
  std::vector<double> scale;       // plain frequency / this one
  std::vector<double> wavelength;  // tokens per turn
  std::vector<double> angle;       // radians in [0, 2 pi)
};

Series makeSeries(const std::vector<double>& plain, const std::vector<double>& invFreq,
                  std::int64_t position, const SeriesStyle& style) {
  Series series{.style = style, .scale = {}, .wavelength = {}, .angle = {}};
  for (std::size_t pair = 0; pair < plain.size(); ++pair) {
    const double frequency = invFreq[pair];
    const bool turns = frequency > 0 && std::isfinite(frequency);
    series.scale.push_back(turns ? plain[pair] / frequency : kGap);
    series.wavelength.push_back(turns ? kTurn / frequency : kGap);
    series.angle.push_back(std::fmod(static_cast<double>(position) * frequency, kTurn));
  }
  return series;
}

std::vector<Series> allSeries(const AnglePictureInput& input, const Theme& theme) {
  std::vector<Series> all;
  all.push_back(makeSeries(input.plainInvFreq, input.plainInvFreq, input.position,
                           {theme.reference, Dash::Solid, MarkerShape::Circle}));
  for (std::size_t i = 0; i < input.methods.size(); ++i) {
    SeriesStyle style = seriesStyle(theme, i);
    style.marker = seriesStyle(theme, i + 1).marker;  // the circle belongs to plain RoPE
    all.push_back(makeSeries(input.plainInvFreq, input.methods[i].invFreq, input.position, style));
  }
  return all;
}

struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
};

Extent extentOf(const std::vector<Series>& all, std::vector<double> Series::*field) {
  Extent extent;
  for (const Series& series : all) {
    for (const double value : series.*field) {
      if (!std::isfinite(value)) continue;
      extent = {std::min(extent.low, value), std::max(extent.high, value)};
    }
  }
  return extent;
}

Axis scaleAxis(const std::vector<Series>& all) {
  const Extent extent = extentOf(all, &Series::scale);
  constexpr double kLinearUpTo = 10;
  constexpr int kTicks = 4;
  Axis axis;
  if (extent.high > kLinearUpTo) {
    axis.scale = AxisScale::Log2;
    axis.first = std::min(1.0, extent.low) / 1.2;
    axis.last = extent.high * 1.2;
    axis.ticks = tokenTicks(axis.first, axis.last, kTicks + 2);
  } else {
    axis.first = std::min(0.75, extent.low * 0.9);
    axis.last = std::max(2.0, extent.high) * 1.08;
    axis.ticks = linearTicks(axis.first, axis.last, kTicks);
  }
  for (Tick& tick : axis.ticks) {
    if (!tick.text.empty()) tick.text = "× " + tick.text;
  }
  return axis;
}

Axis wavelengthAxis(const std::vector<Series>& all, const AnglePictureInput& input) {
  const Extent extent = extentOf(all, &Series::wavelength);
  const double longest = std::max({extent.high, static_cast<double>(input.trainedLength),
                                   static_cast<double>(input.plannedLength.value_or(0))});
  Axis axis{.scale = AxisScale::Log10, .first = extent.low / 1.6, .last = longest * 1.8};
  axis.ticks = log10Ticks(axis.first, axis.last, 8);
  return axis;
}

Axis angleAxis() {
  constexpr double kPi = std::numbers::pi;
  return {.first = -0.25,
          .last = kTurn + 0.25,
          .ticks = {{0, "0"}, {kPi / 2, "π/2"}, {kPi, "π"}, {1.5 * kPi, "3π/2"}, {kTurn, "2π"}},
          .label = ""};
}

Axis pairAxis(std::size_t pairs) {
  Axis axis{.first = -0.5, .last = static_cast<double>(pairs) - 0.5};
  for (Tick& tick : linearTicks(0, axis.last, 16)) {
    if (tick.value == std::floor(tick.value)) axis.ticks.push_back(tick);
  }
  return axis;
}

struct PanelTexts {
  std::string heading;
  std::string note;
};

void drawHeading(Canvas& canvas, const Frame& frame, const PanelTexts& texts, const Theme& theme) {
  const double y = frame.area.y - 10;
  TextStyle style{.size = theme.labelSize, .color = theme.ink, .weight = FontWeight::Bold};
  canvas.text({kPageMargin, y}, texts.heading, style);
  const double after = kPageMargin + canvas.textWidth(texts.heading, style) + 10;
  style.weight = FontWeight::Regular;
  style.color = theme.mutedInk;
  canvas.text({after, y}, texts.note, style);
}

// The first pair that plain RoPE turns less than once within the trained length, or the number of
// pairs.
std::size_t firstUnturned(const AnglePictureInput& input) {
  const auto& plain = input.plainInvFreq;
  if (input.trainedLength <= 0) return plain.size();
  const auto found = std::find_if(plain.begin(), plain.end(), [&](double frequency) {
    return kTurn / frequency > static_cast<double>(input.trainedLength);
  });
  return static_cast<std::size_t>(found - plain.begin());
}

void shadeUnturned(Canvas& canvas, const Frame& frame, std::size_t first, const Theme& theme) {
  const double from = frame.at(static_cast<double>(first) - 0.5, frame.y.first).x;
  if (from >= frame.area.right()) return;
  canvas.fillRect({from, frame.area.y, frame.area.right() - from, frame.area.height}, theme.shade);
}

void drawSeries(Canvas& canvas, const Frame& frame, const std::vector<Series>& all,
                std::vector<double> Series::*field, const Theme& theme) {
  std::vector<double> pairs(all.front().scale.size());
  std::iota(pairs.begin(), pairs.end(), 0.0);
  const bool dots = field == &Series::angle;
  // Spread markers, each curve starting at another pair, keep curves apart that lie on each other.
  const std::size_t stride = dots ? 1 : std::max<std::size_t>(all.size(), pairs.size() / 8 + 1);
  for (std::size_t i = 0; i < all.size(); ++i) {
    // Dots on the same spot stay visible as rims: earlier methods are larger.
    const double rank = static_cast<double>(i) / static_cast<double>(all.size());
    const std::size_t offset = dots || stride == 0 ? 0 : (i * stride) / all.size();
    drawCurve(canvas, frame, theme,
              {.x = pairs,
               .y = all[i].*field,
               .style = all[i].style,
               .width = i == 0 ? 3.0 : 2.0,
               .markerSize = dots ? std::lerp(9.5, 5.0, rank) : 7.0,
               .haloWidth = dots ? 0.5 : 1.2,
               .markerStride = i == 0 && !dots ? 0 : stride,
               .firstMarker = offset,
               .joined = !dots});
  }
}

enum class WordsAt { AboveLine, BelowLine };

// A horizontal line at a context length, with its name at the left end.
void drawLengthLine(Canvas& canvas, const Frame& frame, std::string name, std::int64_t length,
                    WordsAt where, const Theme& theme) {
  constexpr double kOffset = 5;
  const auto tokens = static_cast<double>(length);
  const double y = frame.at(frame.x.first, tokens).y;
  const bool above = where == WordsAt::AboveLine;
  canvas.line({frame.area.x, y}, {frame.area.right(), y}, {theme.reference, 1.2, Dash::Dashed});
  canvas.text({frame.area.x + 8, above ? y - kOffset : y + kOffset},
              name.append(" ").append(numberText(tokens)),
              {.size = theme.tickSize,
               .color = theme.mutedInk,
               .anchor = above ? TextAnchor::Baseline : TextAnchor::Top});
}

std::vector<LegendEntry> legendOf(const AnglePictureInput& input, const std::vector<Series>& all) {
  std::vector<LegendEntry> entries = {{"plain RoPE", "", all.front().style}};
  for (std::size_t i = 0; i < input.methods.size(); ++i) {
    const AngleMethod& method = input.methods[i];
    const std::string note = method.attentionFactor == 1.0
                                 ? ""
                                 : "attention factor " + numberText(method.attentionFactor);
    entries.push_back({method.name, note, all[i + 1].style});
  }
  return entries;
}

void drawWavelengthMarks(Canvas& canvas, const Frame& frame, const AnglePictureInput& input,
                         const Theme& theme) {
  const bool planned = input.plannedLength && *input.plannedLength > 0 &&
                       *input.plannedLength != input.trainedLength;
  // The words stand on the outer sides of the two lines, which may lie close together.
  const bool plannedIsLonger = planned && *input.plannedLength > input.trainedLength;
  if (input.trainedLength > 0) {
    drawLengthLine(canvas, frame, "trained length", input.trainedLength,
                   plannedIsLonger ? WordsAt::BelowLine : WordsAt::AboveLine, theme);
  }
  if (planned) {
    drawLengthLine(canvas, frame, "planned length", *input.plannedLength,
                   plannedIsLonger ? WordsAt::AboveLine : WordsAt::BelowLine, theme);
  }
}

std::string footerText(const AnglePictureInput& input, std::size_t unturned) {
  const std::size_t pairs = input.plainInvFreq.size();
  if (unturned >= pairs) return "";
  return "Shaded: the " + std::to_string(pairs - unturned) + " of " + std::to_string(pairs) +
         " pairs that never complete a turn within the trained length under plain RoPE.";
}

}  // namespace

Result<Canvas> drawAnglePicture(const AnglePictureInput& input, const PictureStyle& style) {
  if (const Status status = checkInput(input); !status) return status.error();
  const auto font = Font::embedded(FontWeight::Regular);
  if (!font) return font.error();
  const Theme theme = makeTheme(style.theme);
  const std::vector<Series> all = allSeries(input, theme);
  const std::size_t unturned = firstUnturned(input);
  const auto page =
      layoutPage({input.title, input.subtitle, footerText(input, unturned)}, theme, kWidth);
  if (!page) return page.error();
  const auto legend = legendRows(*font, legendOf(input, all), theme, kWidth - 2 * kPageMargin);

  struct Panel {
    PanelTexts texts;
    Axis y;
    std::vector<double> Series::*field;
  };
  const std::vector<Panel> panels = {
      {{"Scale", "plain frequency / frequency of the method"}, scaleAxis(all), &Series::scale},
      {{"Wavelength", "tokens per full turn"}, wavelengthAxis(all, input), &Series::wavelength},
      {{"Angle", "at position " + numberText(static_cast<double>(input.position)) +
                     ", modulo one turn [rad]"},
       angleAxis(),
       &Series::angle}};
  double axisWidth = 0;
  for (const Panel& panel : panels) {
    axisWidth = std::max(axisWidth, yAxisWidth(*font, panel.y, theme));
  }
  const double legendTop = page->top - 4;
  double top =
      legendTop + static_cast<double>(legend.size()) * kLegendRowHeight + 10 + kHeadingHeight;
  Axis pairsAxis = pairAxis(input.plainInvFreq.size());
  const std::string pairsLabel = "rotary pair (0 turns fastest)";
  Axis lastAxis = pairsAxis;
  lastAxis.label = pairsLabel;
  const double count = static_cast<double>(panels.size());
  auto canvas = Canvas::create({.width = kWidth,
                                .height = top + count * kPanelHeight + (count - 1) * kPanelGap +
                                          xAxisHeight(lastAxis, theme) + page->bottom,
                                .pixelRatio = style.pixelRatio,
                                .paper = theme.paper});
  if (!canvas) return canvas.error();
  drawPage(*canvas, *page, theme);
  drawLegend(*canvas, {kPageMargin, legendTop}, legend, theme);
  for (const Panel& panel : panels) {
    const bool last = &panel == &panels.back();
    const Frame frame{
        .area = {kPageMargin + axisWidth, top, kWidth - 2 * kPageMargin - axisWidth, kPanelHeight},
        .x = last ? lastAxis : pairsAxis,
        .y = panel.y};
    shadeUnturned(*canvas, frame, unturned, theme);
    drawGrid(*canvas, frame, theme);
    drawHeading(*canvas, frame, panel.texts, theme);
    drawSeries(*canvas, frame, all, panel.field, theme);
    if (panel.field == &Series::wavelength) drawWavelengthMarks(*canvas, frame, input, theme);
    drawXAxis(*canvas, frame, theme);
    drawYAxis(*canvas, frame, theme);
    top += kPanelHeight + kPanelGap;
  }
  return std::move(*canvas);
}

}  // namespace ropescope::picture
