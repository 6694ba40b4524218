#include "core/picture/perplexity_picture.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/picture/frame.h"
#include "core/picture/label_column.h"
#include "core/picture/page.h"

namespace ropescope::picture {
namespace {

constexpr double kWidth = 920;
constexpr double kPlotHeight = 400;
constexpr double kLogFrom = 5;  // highest over lowest perplexity that calls for a log axis
constexpr double kLabelGap = 18;
constexpr double kMarkRoom = 20;  // above the plot, for the words at the trained length

bool drawable(const PerplexityDot& point) {
  return point.length > 0 && std::isfinite(point.perplexity) && point.perplexity > 0;
}

struct Extent {
  double shortest = std::numeric_limits<double>::infinity();  // tokens
  double longest = 0;
  double low = std::numeric_limits<double>::infinity();
  double high = 0;
  int missing = 0;  // points that cannot be drawn
  bool hasErrors = false;
};

Extent extentOf(const PerplexityPictureInput& input) {
  Extent extent;
  for (const PerplexityLine& curve : input.curves) {
    for (const PerplexityDot& point : curve.points) {
      if (!drawable(point)) {
        ++extent.missing;
        continue;
      }
      const auto length = static_cast<double>(point.length);
      const double error = point.standardError.value_or(0);
      extent.hasErrors = extent.hasErrors || point.standardError.has_value();
      extent.shortest = std::min(extent.shortest, length);
      extent.longest = std::max(extent.longest, length);
      extent.low = std::min(extent.low, std::max(point.perplexity - error, point.perplexity / 2));
      extent.high = std::max(extent.high, point.perplexity + error);
    }
  }
  return extent;
}

Axis lengthAxis(const Extent& extent, std::int64_t trainedLength) {
  const double trained = trainedLength > 0 ? static_cast<double>(trainedLength) : extent.shortest;
  const double low = std::min(extent.shortest, trained);
  const double high = std::max(extent.longest, trained);
  Axis axis{.scale = AxisScale::Log2,
            .first = low / 1.15,
            .last = high * 1.08,
            .label = "context length [tokens, 1k = 1,024]"};
  if (low == high) {
    axis.first = low / 2;
    axis.last = high * 2;
  }
  axis.ticks = tokenTicks(axis.first, axis.last, 10);
  return axis;
}

Axis perplexityAxis(const Extent& extent) {
  Axis axis{.label = "perplexity"};
  if (extent.high > kLogFrom * extent.low) {
    axis.scale = AxisScale::Log10;
    const double room = std::pow(extent.high / extent.low, 0.06);
    axis.first = extent.low / room;
    axis.last = extent.high * room;
    axis.ticks = log10Ticks(axis.first, axis.last, 7);
    axis.label = "perplexity (log scale)";
    return axis;
  }
  const double room = std::max(0.08 * (extent.high - extent.low), 0.02 * extent.high);
  axis.first = extent.low - room;
  axis.last = extent.high + room;
  axis.ticks = linearTicks(axis.first, axis.last, 7);
  return axis;
}

std::string footerText(const PerplexityPictureInput& input, const Extent& extent) {
  std::string text;
  if (!input.protocol.empty()) text.append("Protocol: ").append(input.protocol).append("\n");
  if (extent.hasErrors) text += "Bars: ± 1 standard error.\n";
  if (extent.missing > 0) {
    text += std::to_string(extent.missing);
    text += extent.missing == 1 ? " point is" : " points are";
    text += " not finite and not drawn.";
  }
  return text;
}

void drawErrorBars(Canvas& canvas, const Frame& frame, const PerplexityLine& curve, Color color) {
  constexpr double kCap = 3.5;
  const Stroke stroke{.color = color, .width = 1.2};
  for (const PerplexityDot& point : curve.points) {
    if (!drawable(point) || !point.standardError) continue;
    const auto length = static_cast<double>(point.length);
    const double below = std::max(point.perplexity - *point.standardError, frame.y.first);
    const Point top = frame.at(length, point.perplexity + *point.standardError);
    const Point bottom = frame.at(length, below);
    canvas.line(top, bottom, stroke);
    canvas.line({top.x - kCap, top.y}, {top.x + kCap, top.y}, stroke);
    canvas.line({bottom.x - kCap, bottom.y}, {bottom.x + kCap, bottom.y}, stroke);
  }
}

// The trained length as a line, named above the plot.
void drawTrainedLength(Canvas& canvas, const Frame& frame, std::int64_t trainedLength,
                       const Theme& theme) {
  if (trainedLength <= 0) return;
  const double x = frame.at(static_cast<double>(trainedLength), frame.y.last).x;
  const Rect& area = frame.area;
  canvas.line({x, area.y - 6}, {x, area.bottom()}, {theme.reference, 1.2, Dash::Dashed});
  std::string words = "trained length ";
  words += numberText(static_cast<double>(trainedLength));
  TextStyle style{.size = theme.tickSize, .color = theme.mutedInk, .align = TextAlign::Center};
  const double half = canvas.textWidth(words, style) / 2;
  canvas.text({std::clamp(x, area.x + half, area.right() - half), area.y - 11}, words, style);
}

// Three digits that matter, more before the point if there are more.
std::string perplexityText(double value) {
  return fixedText(value, value < 10 ? 2 : value < 100 ? 1 : 0);
}

std::vector<ColumnLabel> endLabels(const PerplexityPictureInput& input, const Frame& frame,
                                   const Theme& theme) {
  std::vector<ColumnLabel> labels;
  for (std::size_t i = 0; i < input.curves.size(); ++i) {
    const auto& points = input.curves[i].points;
    const auto last = std::find_if(points.rbegin(), points.rend(), drawable);
    if (last == points.rend()) continue;
    labels.push_back({.from = frame.at(static_cast<double>(last->length), last->perplexity),
                      .name = input.curves[i].name,
                      .value = perplexityText(last->perplexity),
                      .style = seriesStyle(theme, i)});
  }
  return labels;
}

}  // namespace

Result<Canvas> drawPerplexityPicture(const PerplexityPictureInput& input,
                                     const PictureStyle& style) {
  const Extent extent = extentOf(input);
  if (extent.longest == 0) {
    return Error{ErrorCode::InvalidArgument,
                 "perplexity picture: " + std::to_string(input.curves.size()) +
                     " curves with no finite point; it needs one curve with one measured length"};
  }
  const auto font = Font::embedded(FontWeight::Regular);
  if (!font) return font.error();
  const Theme theme = makeTheme(style.theme);
  const auto page =
      layoutPage({input.title, input.subtitle, footerText(input, extent)}, theme, kWidth);
  if (!page) return page.error();

  Frame frame{.x = lengthAxis(extent, input.trainedLength), .y = perplexityAxis(extent)};
  const double left = kPageMargin + yAxisWidth(*font, frame.y, theme);
  constexpr double kWidestColumn = 260;
  const double column =
      std::min(kWidestColumn, labelColumnWidth(*font, endLabels(input, frame, theme), theme));
  frame.area = {left, page->top + kMarkRoom, kWidth - kPageMargin - column - kLabelGap - left,
                kPlotHeight};
  auto canvas =
      Canvas::create({.width = kWidth,
                      .height = frame.area.bottom() + xAxisHeight(frame.x, theme) + page->bottom,
                      .pixelRatio = style.pixelRatio,
                      .paper = theme.paper});
  if (!canvas) return canvas.error();
  drawPage(*canvas, *page, theme);
  drawGrid(*canvas, frame, theme);
  drawTrainedLength(*canvas, frame, input.trainedLength, theme);
  drawXAxis(*canvas, frame, theme);
  drawYAxis(*canvas, frame, theme);
  for (std::size_t i = 0; i < input.curves.size(); ++i) {
    const SeriesStyle look = seriesStyle(theme, i);
    drawErrorBars(*canvas, frame, input.curves[i], look.color);
    std::vector<double> lengths;
    std::vector<double> values;
    for (const PerplexityDot& point : input.curves[i].points) {
      lengths.push_back(static_cast<double>(point.length));
      values.push_back(drawable(point) ? point.perplexity
                                       : std::numeric_limits<double>::quiet_NaN());
    }
    drawCurve(*canvas, frame, theme, {.x = lengths, .y = values, .style = look, .width = 2.2});
  }
  drawLabelColumn(*canvas, frame.area, column, endLabels(input, frame, theme), theme);
  return std::move(*canvas);
}

}  // namespace ropescope::picture
